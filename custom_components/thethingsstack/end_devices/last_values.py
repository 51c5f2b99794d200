"""What the end devices of an application reported last, in a file that a restart reads."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.restore_state import STATE_DUMP_INTERVAL, STATE_EXPIRATION
from homeassistant.util import dt as dt_util

from ..application import StoredData
from ..const import DOMAIN
from .kept_values import KeptValues
from .restored_states import async_restored_states
from .state import EndDeviceState

VERSION = 1
SAVE_DELAY = 30


class LastValues(StoredData):
    """The last values of all end devices of an application.

    Home Assistant could restore states, but with thousands of entities that makes starts slow, and
    writing them every quarter of an hour blocks the event loop. This file is written as often: a
    crash loses as little.
    """

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, states: Mapping[str, EndDeviceState]
    ) -> None:
        """Prepare the file; `states` is a live view of the end devices by key."""
        super().__init__(hass, f"{DOMAIN}.{entry.entry_id}.values", VERSION, delay=SAVE_DELAY)
        self._hass = hass
        self._entry = entry
        self._states = states
        self._kept: dict[str, KeptValues] = {}
        """Those of end devices that have no state."""

    async def async_load(self, title: str) -> None:
        """Read the file; without one, what Home Assistant has kept for an earlier version."""
        file = self._file
        if exists := await file.async_load():
            self._kept = file.read_items("devices", lambda _, kept: KeptValues.from_stored(kept))
        await file.async_end_reading(title)
        if not exists and (found := await async_restored_states(self._hass, self._entry.entry_id)):
            self._kept = found
            await self.async_save()  # Home Assistant drops its own when it has started

    @callback
    def async_start(self) -> None:
        """Write to disk regularly until the entry is unloaded."""

        async def async_write(_now: datetime) -> None:
            await self.async_save()

        self._entry.async_on_unload(
            async_track_time_interval(self._hass, async_write, STATE_DUMP_INTERVAL)
        )

    @override
    async def async_close(self) -> None:
        """Write to disk now; the states of end devices aren't read any more."""
        self._kept, self._states = self._all(), {}
        await super().async_close()

    @callback
    def restore(self, device: EndDeviceState) -> None:
        """Give an end device that has a state by now what is kept of it."""
        if (kept := self._kept.pop(device.key, None)) is not None:
            kept.restore(device)

    @callback
    def keep(self, device: EndDeviceState) -> None:
        """Keep the values of an end device whose state is dropped: for a week, it may return."""
        self._kept[device.key] = KeptValues.of(device)

    @callback
    def rename_device(self, old_key: str, new_key: str) -> None:
        """Move what is kept of an end device to another device key."""
        if old_key in self._kept:
            self._kept[new_key] = self._kept.pop(old_key)

    @callback
    def forget_device(self, key: str) -> None:
        """Drop what is kept of an end device."""
        self._kept.pop(key, None)

    def _all(self) -> dict[str, KeptValues]:
        now = dt_util.utcnow()
        oldest = (now - STATE_EXPIRATION).isoformat()
        self._kept = {
            key: kept._replace(dropped=kept.dropped or now.isoformat())
            for key, kept in self._kept.items()
            if kept.dropped is None or kept.dropped > oldest
        }
        return self._kept | {key: KeptValues.of(state) for key, state in self._states.items()}

    @override
    def _data(self) -> dict[str, Any]:
        return {
            "devices": {key: kept.as_stored() for key, kept in self._all().items() if any(kept)}
        }
