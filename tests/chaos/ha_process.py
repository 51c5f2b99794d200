"""A process with Home Assistant and the integration, which writes down which uplinks it took.

Only what every automation or dashboard can have is observed: the trigger of a received uplink,
and states. Each uplink has a field of its own, so that one that is caught up late shows, too.
"""

import asyncio
from collections.abc import Mapping
import json
import logging
import os
from pathlib import Path
import sys
from typing import Any, TextIO

from homeassistant import bootstrap, core, loader
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Context, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.runner import configure_event_loop

from ..child_process import serve
from ..ha_folder import prepare, store
from .uplinks import MARK, NUMBER

DOMAIN = "thethingsstack"
_INTEGRATIONS = {"network", "sensor", "binary_sensor", "device_tracker", "event"}
_FIELD = "/field/"


class Journal:
    """Writes a line for each uplink: `live` from the trigger, `shown` from the state of its field.

    A line reaches the system at once: what a process took counts though it is killed then.
    """

    def __init__(self, hass: HomeAssistant, file: TextIO) -> None:
        """Begin; Home Assistant must have found its folder of integrations."""
        from custom_components.thethingsstack.end_devices.activity import OCCURRED

        self._hass = hass
        self._file = file
        self._marks: dict[str, bool] = {}
        self.begin()
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._changed)
        async_dispatcher_connect(hass, OCCURRED, self._occurred)

    def begin(self) -> None:
        """Note that the application is set up anew."""
        self._file.write("start\n")

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state is None or not self._is_mark(state.entity_id):
            return
        if state.state.replace(".", "").isdecimal():
            self._write("shown", int(float(state.state)))

    def _is_mark(self, entity_id: str) -> bool:
        if (known := self._marks.get(entity_id)) is None:
            entry = er.async_get(self._hass).async_get(entity_id)
            field = entry.unique_id.rpartition(_FIELD)[2] if entry is not None else ""
            known = self._marks[entity_id] = field.startswith(MARK)
        return known

    @callback
    def _occurred(
        self, _registry_id: str | None, kind: str, details: Any, _context: Context | None
    ) -> None:
        if kind == "uplink_received":
            decoded = details().attributes["decoded_payload"] or {}
            if NUMBER in decoded:
                self._write("live", decoded[NUMBER])

    def _write(self, how: str, number: int) -> None:
        self._file.write(f"{how} {number}\n")


class Observer:
    """What the process answers; the methods are the parent's commands."""

    def __init__(self, hass: HomeAssistant, journal: Journal) -> None:
        """Keep both."""
        self._hass = hass
        self._journal = journal

    @property
    def _entry(self) -> ConfigEntry[Any]:
        return self._hass.config_entries.async_entries(DOMAIN)[0]

    async def status(self) -> dict[str, Any]:
        """Return whether messages come, and what is still to be caught up."""
        if self._entry.state is not ConfigEntryState.LOADED:
            return {
                "connected": False,
                "reading": False,
                "gaps": 0,
                "storage": None,
                "reason": self._entry.reason or self._entry.state,
            }
        coordinator = self._entry.runtime_data
        return {
            "connected": coordinator.connected,
            "reading": not coordinator.caught_up,
            "gaps": len(list(coordinator.store.gaps)),
            "storage": coordinator.catch_up.storage,
            "dropped": coordinator.counters.dropped,
            "caught_up": coordinator.counters.caught_up,
        }

    async def numbers(self) -> dict[str, str]:
        """Return the number that each end device shows, by its DevEUI."""
        shown = {}
        for entry in er.async_entries_for_config_entry(
            er.async_get(self._hass), self._entry.entry_id
        ):
            state = self._hass.states.get(entry.entity_id)
            device, _, field = entry.unique_id.rpartition(_FIELD)
            if field == NUMBER and state is not None:
                shown[device.rpartition("/")[2]] = state.state
        return shown

    async def reload(self) -> None:
        """Set the entry up anew."""
        entry_id = self._entry.entry_id
        await self._hass.config_entries.async_unload(entry_id)
        self._journal.begin()
        await self._hass.config_entries.async_setup(entry_id)

    async def stop(self) -> None:
        """Shut Home Assistant down in order."""
        await self._hass.async_stop(force=True)


def _prepare(folder: Path, entry: Mapping[str, Any]) -> None:
    """Write what Home Assistant finds at its first start: the entry of the application."""
    if not folder.exists():
        prepare(folder)
        store(folder, "core.config_entries", 1, 5, {"entries": [entry]})


def _shorten_pauses(hass: HomeAssistant, options: Mapping[str, Any]) -> None:
    """Let minutes be seconds, and the queue small where it is to overflow."""
    from custom_components.thethingsstack.application.catch_up import PAUSES, Pauses
    from custom_components.thethingsstack.application.client_factory import QUEUE_SIZE
    from custom_components.thethingsstack.coordinator import STREAM_PAUSES, StreamPauses
    from custom_components.thethingsstack.webhook.managed import (
        PAUSES as WEBHOOK_PAUSES,
        Pauses as WebhookPauses,
    )

    hass.data[PAUSES] = Pauses(retry=0.5, lag=1.0, between_devices=0.0)
    hass.data[WEBHOOK_PAUSES] = WebhookPauses(look=0.5, retry=0.5)
    hass.data[STREAM_PAUSES] = StreamPauses(refused=0.5, broken=0.5)
    if size := options.get("queue_size"):
        hass.data[QUEUE_SIZE] = size


async def start(folder: Path, options: Mapping[str, Any]) -> Observer:
    """Start Home Assistant on what the folder has, without a dashboard."""
    hass = core.HomeAssistant(str(folder))
    configure_event_loop(hass.loop)
    hass.config.skip_pip = True
    loader.async_setup(hass)
    bootstrap.DEFAULT_INTEGRATIONS = set(_INTEGRATIONS)
    await loader.async_get_custom_components(hass)
    _shorten_pauses(hass, options)
    journal = Journal(hass, (folder / "journal").open("a", buffering=1, encoding="ascii"))
    if await bootstrap.async_from_config_dict({}, hass) is None:
        raise RuntimeError("Home Assistant did not start")
    await hass.async_start()
    return Observer(hass, journal)


async def main(folder: Path, options: Mapping[str, Any]) -> None:
    """Start Home Assistant and do what is asked for."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    logging.getLogger(f"custom_components.{DOMAIN}").setLevel(logging.INFO)
    _prepare(folder, options["entry"])
    observer = await start(folder, options)
    commands = ("status", "numbers", "reload", "stop")
    await serve({name: getattr(observer, name) for name in commands})
    os._exit(0)  # the parent is gone, or has had it stopped


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), json.loads(sys.argv[2])))
