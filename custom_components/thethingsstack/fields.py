"""The stored decisions: what each field of each end device is, once and for all."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
import logging
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .payload import QUANTITIES, Kind, Meaning

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION = 1
SAVE_DELAY = 30
# Names that every end device's own entities have: a decoded field gets a number behind them.
BUILT_IN_NAMES = frozenset(
    {
        "activity",
        "airtime",
        "best gateway",
        "data rate",
        "frame counter",
        "gateways",
        "last uplink",
        "lorawan battery",
        "packet error rate",
        "raw payload",
        "rssi",
        "snr",
        "status",
    }
)


def display_name(meaning: Meaning) -> str:
    """Return the English name of a field, for telling two fields apart."""
    if meaning.name is not None:
        return meaning.name
    if meaning.quantity is not None:
        return QUANTITIES[meaning.quantity].name
    return ""


def shown(meaning: Meaning) -> bool:
    """Return whether a field becomes an entity."""
    return meaning.kind is not Kind.IGNORE


def free_name(name: str, taken: Collection[str]) -> str:
    """Return the name, with the first free number behind it where it is taken."""
    candidate, number = name, 2
    while candidate.casefold() in taken:
        candidate = f"{name} {number}"
        number += 1
    return candidate


class FieldStore:
    """Decisions per (end device, path), kept over restarts.

    A decision made stays: entities must never change unit, class or name because of
    a later odd value.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Prepare the store of one config entry."""
        self._store: Store[dict[str, Any]] = Store(hass, STORAGE_VERSION, f"{DOMAIN}.{entry_id}")
        self._decisions: dict[str, dict[str, Meaning]] = {}
        self._ids: dict[str, dict[str, str]] = {}
        self.received_until: datetime | None = None
        self.scope: str | None = None
        self.today: tuple[str, int] | None = None

    async def async_load(self) -> None:
        """Read what was stored; a decision that can't be read is made anew."""
        data = await self._store.async_load()
        if data is None:
            return
        if isinstance(until := data.get("received_until"), str):
            self.received_until = dt_util.parse_datetime(until)
        self.scope = data.get("scope")
        if (today := data.get("today")) is not None:
            self.today = (str(today[0]), int(today[1]))
        for key, device in data.get("devices", {}).items():
            self._ids[key] = dict(device.get("ids", {}))
            self._decisions[key] = decisions = {}
            for path, stored in device.get("fields", {}).items():
                try:
                    decisions[path] = Meaning.from_dict(stored)
                except (KeyError, TypeError, ValueError) as err:
                    _LOGGER.warning(
                        "The stored decision on %s of %s is unreadable: %r", path, key, err
                    )

    @property
    def known_devices(self) -> Mapping[str, Mapping[str, str]]:
        """Return the ids of each end device that was ever stored, by device key."""
        return self._ids

    def decisions(self, key: str) -> dict[str, Meaning]:
        """Return the live decisions of an end device."""
        return self._decisions.setdefault(key, {})

    @callback
    def remember_device(self, key: str, ids: Mapping[str, str | None]) -> None:
        """Store under which ids an end device is known."""
        known = {name: value for name, value in ids.items() if value}
        if self._ids.get(key) != known:
            self._ids[key] = known
            self.save_soon()

    @callback
    def remember(self, key: str, new: Mapping[str, Meaning]) -> dict[str, Meaning]:
        """Keep new decisions; returns them with names that no other field of the device has."""
        decisions = self.decisions(key)
        taken = BUILT_IN_NAMES | {
            display_name(meaning).casefold() for meaning in decisions.values() if shown(meaning)
        }
        kept: dict[str, Meaning] = {}
        for path, meaning in new.items():
            if shown(meaning):
                name = free_name(display_name(meaning), taken)
                taken |= {name.casefold()}
                if name != display_name(meaning):
                    meaning = replace(meaning, name=name)
            kept[path] = decisions[path] = meaning
        self.save_soon()
        return kept

    @callback
    def rename_device(self, old_key: str, new_key: str) -> None:
        """Move decisions to another device key."""
        if old_key in self._decisions:
            self._decisions[new_key] = self._decisions.pop(old_key)
        if old_key in self._ids:
            self._ids[new_key] = self._ids.pop(old_key)
        self.save_soon()

    @callback
    def forget(self, key: str) -> None:
        """Drop an end device and its decisions."""
        self._decisions.pop(key, None)
        self._ids.pop(key, None)
        self.save_soon()

    @callback
    def received(self, moment: datetime) -> None:
        """Note up to when messages were received; written with the next save."""
        if self.received_until is None or moment > self.received_until:
            self.received_until = moment

    @callback
    def save_soon(self) -> None:
        """Write to disk after a while, at the latest when Home Assistant stops."""
        self._store.async_delay_save(self._data, SAVE_DELAY)

    async def async_save(self) -> None:
        """Write to disk now."""
        await self._store.async_save(self._data())

    async def async_remove(self) -> None:
        """Delete the stored decisions."""
        await self._store.async_remove()

    def _data(self) -> dict[str, Any]:
        return {
            "received_until": self.received_until.isoformat() if self.received_until else None,
            "scope": self.scope,
            "today": self.today,
            "devices": {
                key: {
                    "ids": ids,
                    "fields": {p: m.as_dict() for p, m in self._decisions.get(key, {}).items()},
                }
                for key, ids in self._ids.items()
            },
        }
