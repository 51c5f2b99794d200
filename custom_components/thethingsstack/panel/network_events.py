"""The network's own events, such as a rejected join: followed only while somebody watches."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
import logging
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util.hass_dict import HassKey

from ..application import error_text
from ..client import Event, EventsConnected, EventsLost, StackError
from ..const import DOMAIN
from .gateway_changes import async_watch_gateways
from .traffic import Traffic, traffic_of

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

NAMES: Final = (
    r"/^js\.join\./",
    r"/^ns\.(up\.join|up\.data\.drop|down|mac|class)/",
    r"/^as\.(up|down)\..*(drop|fail|warning)$/",
    r"/^as\.webhook\.fail$/",
    r"/^end_device\./",
)
"""Those that say more than the messages themselves; MAC commands come for one end device only."""
DEFAULT_RETRY_SECONDS: Final = 60.0
"""Seconds after a refusal or an unexpected error."""
RETRY_SECONDS: HassKey[float] = HassKey(f"{DOMAIN}_events_retry_seconds")
"""Key in `hass.data` for another time than the default."""

_LOGGER = logging.getLogger(__name__)

type Report = Callable[[dict[str, Any]], None]
type Followed = tuple[str, str | None]
"""Config entry and end device; without the latter, the events that an application has."""


class NetworkEvents:
    """Follows the events of an application, or of one of its end devices, for all who watch.

    `state` is what those are told: connecting, connected, lost or refused (with the error),
    unsupported, stopped.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str, device_id: str | None) -> None:
        """Follow nothing yet."""
        self._hass = hass
        self._entry_id = entry_id
        self._device_id = device_id
        self._reports: list[Report] = []
        self._task: asyncio.Task[None] | None = None
        self._disconnect: CALLBACK_TYPE | None = None
        self.state: dict[str, Any] = {"state": "stopped", "error": None}

    @property
    def watched(self) -> bool:
        """Return whether anybody watches."""
        return bool(self._reports)

    @callback
    def add(self, report: Report) -> None:
        """Report the state from now on, the present one first."""
        self._reports.append(report)
        if len(self._reports) == 1:
            self._disconnect = async_dispatcher_connect(
                self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed
            )
            self._apply()
        report(self.state)

    @callback
    def remove(self, report: Report) -> None:
        """Report no more; the stream is closed when nobody is left."""
        self._reports.remove(report)
        if not self._reports:
            if self._disconnect is not None:
                self._disconnect()
            self._stop()

    @callback
    def _entry_changed(self, _change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.entry_id == self._entry_id:
            self._apply()

    @callback
    def _apply(self) -> None:
        """Follow while the entry runs; begin anew after it was reloaded."""
        entry = self._hass.config_entries.async_get_entry(self._entry_id)
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            self._stop()
            self._set("stopped")
        elif self._task is None:
            self._task = self._hass.async_create_background_task(
                self._async_follow(entry.runtime_data), f"{DOMAIN} network events"
            )

    @callback
    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    @callback
    def _set(self, state: str, error: str | None = None) -> None:
        now = {"state": state, "error": error}
        if now == self.state:
            return
        self.state = now
        for report in list(self._reports):
            report(self.state)

    async def _async_follow(self, coordinator: ApplicationCoordinator) -> None:
        if not coordinator.stack.capabilities.event_stream:
            self._set("unsupported")
            return
        traffic = traffic_of(self._hass)
        if self._device_id is not None:
            await self._async_follow_stream(coordinator, traffic)
            return
        stop = async_watch_gateways(coordinator, partial(traffic.note, self._entry_id))
        try:
            await self._async_follow_stream(coordinator, traffic)
        finally:
            stop()

    async def _async_follow_stream(
        self, coordinator: ApplicationCoordinator, traffic: Traffic
    ) -> None:
        devices = () if self._device_id is None else (self._device_id,)
        while True:
            self._set("connecting")
            try:
                events = coordinator.stack.events.stream(NAMES, device_ids=devices)
                async with aclosing(events) as items:
                    async for item in items:
                        match item:
                            case Event():
                                traffic.note_event(self._entry_id, item)
                            case EventsConnected():
                                self._set("connected")
                            case EventsLost(error=error):
                                self._set("lost", None if error is None else error_text(error))
            except StackError as error:
                self._set("refused", error_text(error))
            except Exception:  # an unexpected error must not end it: nobody would begin anew
                _LOGGER.exception("%s: the stream of events broke", coordinator.entry.title)
                self._set("lost", error_text(StackError("the stream broke", name="internal")))
            await asyncio.sleep(self._hass.data.get(RETRY_SECONDS, DEFAULT_RETRY_SECONDS))


FOLLOWED: HassKey[dict[Followed, NetworkEvents]] = HassKey(f"{DOMAIN}_network_events")
"""Key in `hass.data` for what is followed now."""


@callback
def async_follow(
    hass: HomeAssistant, entry_id: str, device_id: str | None, report: Report
) -> CALLBACK_TYPE:
    """Follow events into the traffic, and report how that goes; returns how to stop."""
    followed = hass.data.setdefault(FOLLOWED, {})
    key = (entry_id, device_id)
    events = followed.setdefault(key, NetworkEvents(hass, entry_id, device_id))
    events.add(report)

    @callback
    def stop() -> None:
        events.remove(report)
        if not events.watched and followed.get(key) is events:
            del followed[key]

    return stop
