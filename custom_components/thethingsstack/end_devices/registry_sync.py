"""Follow changes to end devices in The Things Stack: within seconds by events, else by the list.

An event only names an end device that changed; its registration is then read, together with
those of others that changed at the same time. Where there is no event stream (version 2), the
message stream reports the changes.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
import logging
from typing import TYPE_CHECKING

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.util.hass_dict import HassKey

from ..client import REGISTRY_EVENTS, EndDevice, Event, EventsConnected, EventsLost, StackError
from ..client.rights import DEVICES_READ
from ..const import DOMAIN

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

_LOGGER = logging.getLogger(__name__)

RECONCILE_INTERVAL = timedelta(minutes=15)
SLOW_RECONCILES = 4
"""While events arrive, the list is read only in every fourth interval."""
MANY = 100
"""If more end devices changed at once, reading the list takes fewer requests."""
IDLE = 900.0
"""Seconds without any event after which the event stream is opened again."""
TRY_EVENTS_AGAIN = 3600.0
"""Seconds until the next attempt without a right to events, or on a server without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds between an event and the reading of what changed."""

    gather: float = 0.5
    """After the first event, so that changes at the same time are read together."""
    retry: float = 60.0
    """After a failed attempt."""


PAUSES: HassKey[Pauses] = HassKey(f"{DOMAIN}_registry_sync_pauses")
"""Key in `hass.data` for pauses that replace the defaults; set before setup."""


class RegistrySync:
    """Keeps the end devices in Home Assistant as they are registered in The Things Stack."""

    def __init__(self, coordinator: ApplicationCoordinator) -> None:
        """Keep the coordinator; makes no request yet."""
        self._coordinator = coordinator
        self._pauses = coordinator.hass.data.get(PAUSES, Pauses())
        self.live = False
        """Whether the event stream is connected."""
        self._changed: set[str] = set()
        self._held: set[str] = set()
        self._cancel_read: CALLBACK_TYPE | None = None
        self._reading = asyncio.Lock()
        self._skipped = 0

    @callback
    def async_start(self) -> None:
        """Follow the events, and read the list regularly, until the entry is unloaded."""
        coordinator = self._coordinator
        if coordinator.stack.capabilities.event_stream:
            coordinator.entry.async_create_background_task(
                coordinator.hass, self._async_follow(), f"{DOMAIN} registry events"
            )
        coordinator.entry.async_on_unload(
            async_track_time_interval(coordinator.hass, self._async_look, RECONCILE_INTERVAL)
        )
        coordinator.entry.async_on_unload(self._cancel)

    @callback
    def _cancel(self) -> None:
        if self._cancel_read is not None:
            self._cancel_read()
            self._cancel_read = None

    @contextmanager
    def holding(self, device_id: str) -> Iterator[None]:
        """Ignore changes of an end device while it is registered here, which may be rolled back."""
        self._held.add(device_id)
        try:
            yield
        finally:
            self._held.discard(device_id)

    @callback
    def holds(self, device_id: str) -> bool:
        """Return whether changes of an end device are ignored: it is just being registered here."""
        return device_id in self._held

    # Events

    @callback
    def on_device_changed(self, device_id: str) -> None:
        """Read an end device whose change the stream of messages has reported."""
        if DEVICES_READ in self._coordinator.connection_state.rights:
            self._note([device_id])

    async def _async_follow(self) -> None:
        """Follow the event stream without end; where there is none, try again every hour."""
        while True:
            if DEVICES_READ in self._coordinator.connection_state.rights:
                await self._async_stream()
            self.live = False
            await asyncio.sleep(TRY_EVENTS_AGAIN)

    async def _async_stream(self) -> None:
        connected = False
        events = self._coordinator.stack.events.stream(REGISTRY_EVENTS, host="identity", idle=IDLE)
        try:
            async with aclosing(events) as items:
                async for item in items:
                    match item:
                        case EventsConnected():
                            self.live = True
                            if connected and not item.history:
                                await self.async_reconcile()
                            connected = True
                        case EventsLost():
                            self.live = False
                        case Event():
                            self._note(ids.device_id for ids in item.devices)
        except StackError as err:
            _LOGGER.debug("%s: no registry events: %s", self._coordinator.entry.title, err)

    @callback
    def _note(self, device_ids: Iterable[str]) -> None:
        """Read these end devices soon, together with others that change until then."""
        self._changed.update(device_ids)
        if self._cancel_read is None and self._changed:
            self._read_in(self._pauses.gather)

    @callback
    def _read_in(self, seconds: float) -> None:
        self._cancel_read = async_call_later(self._coordinator.hass, seconds, self._read_now)

    @callback
    def _read_now(self, _now: datetime) -> None:
        self._cancel_read = None
        self._coordinator.entry.async_create_background_task(
            self._coordinator.hass, self._async_read(), f"{DOMAIN} registry"
        )

    async def _async_read(self) -> None:
        changed, self._changed = self._changed, set()
        if len(changed) > MANY:
            if not await self.async_reconcile():
                self._read_again(changed)
            return
        async with self._reading:
            held = set(self._held)
            try:
                found = await self._coordinator.stack.end_devices.batch(sorted(changed))
            except StackError as err:
                _LOGGER.debug(
                    "%s: changed devices can't be read: %s", self._coordinator.entry.title, err
                )
                self._read_again(changed)
                return
        held |= self._held
        for end_device in found:
            if end_device.ids.device_id not in held:
                self._apply(end_device)
        missing = changed - {end_device.ids.device_id for end_device in found}
        self._mark_deleted(missing - held)

    @callback
    def _apply(self, end_device: EndDevice) -> None:
        new = end_device.ids.device_id not in self._coordinator.roster.registrations
        self._coordinator.lifecycle.on_registered(end_device)
        self._coordinator.partial_devices.on_changed(end_device, new=new)

    @callback
    def _read_again(self, changed: set[str]) -> None:
        self._changed |= changed
        if self._cancel_read is None:
            self._read_in(self._pauses.retry)

    # The list

    async def _async_look(self, _now: datetime) -> None:
        self._skipped += 1
        if self.live and self._skipped < SLOW_RECONCILES:
            return
        await self.async_reconcile()

    async def async_reconcile(self) -> bool:
        """Compare with the list of all registered end devices; return False if it can't be read.

        Does nothing and returns True if the key may not read the list.
        """
        coordinator = self._coordinator
        if DEVICES_READ not in coordinator.connection_state.rights:
            return True
        self._skipped = 0
        async with self._reading:
            held = set(self._held)
            try:
                found = [device async for device in coordinator.stack.devices()]
            except StackError as err:
                _LOGGER.debug("%s: the list can't be read: %s", coordinator.entry.title, err)
                return False
        held |= self._held
        found = [end_device for end_device in found if end_device.ids.device_id not in held]
        for end_device in found:
            known = coordinator.roster.registrations.get(end_device.ids.device_id)
            if known is None or _content(known) != _content(end_device):
                self._apply(end_device)
        present = {end_device.ids.device_id for end_device in found}
        known_here = {state.device_id for state in coordinator.roster.states.values()}
        self._mark_deleted(known_here - present - held)
        for device_id in set(coordinator.roster.registrations) - present - held:
            del coordinator.roster.registrations[device_id]
        return True

    @callback
    def _mark_deleted(self, device_ids: Iterable[str]) -> None:
        roster = self._coordinator.roster
        for device_id in device_ids:
            was_known = roster.registrations.pop(device_id, None) is not None
            state = roster.by_device_id(device_id)
            if state is not None and not state.vanished:
                self._coordinator.lifecycle.on_deleted(state)
                was_known = True
            if was_known:
                self._coordinator.partial_devices.on_deleted(device_id)


def _content(end_device: EndDevice) -> dict[str, object]:
    """Return a registration without what changes with every uplink."""
    return {key: value for key, value in end_device.raw.items() if key != "last_seen_at"}
