"""Find half created end devices: registered on some of the servers, but not on all.

There is no event for it: four servers have to be read for each end device. So only those are
checked that may be half created, one per second, and once a day unless they change.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
import logging
from typing import TYPE_CHECKING

from homeassistant.core import Context, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util.hass_dict import HassKey

from ..application import is_address_of
from ..client import (
    ConnectionFailed,
    EndDevice,
    NotFound,
    Presence,
    RateLimited,
    Server,
    ServerFailed,
    StackError,
)
from ..client.rights import DEVICES_READ
from ..const import DOMAIN
from ..end_devices import STATUS, EndDeviceState

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

_LOGGER = logging.getLogger(__name__)

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds that the search for half created end devices waits."""

    settle: float = 10.0
    """After a change: another client may still be writing to the other servers."""
    between_reads: float = 1.0
    """Between two end devices."""
    retry: float = 60.0
    """After a server could not be reached."""
    confirm: float = 300.0
    """Until one that was just found is checked again: a slow client may complete it meanwhile."""


PAUSES: HassKey[Pauses] = HassKey(f"{DOMAIN}_partial_devices_pauses")
"""Key in `hass.data` for pauses that replace the defaults; set before setup."""


class PartialDevices:
    """The half created end devices of an application; signals when they change."""

    def __init__(self, coordinator: ApplicationCoordinator, pauses: Pauses | None = None) -> None:
        """Keep the coordinator; makes no request yet."""
        self._coordinator = coordinator
        self._pauses = pauses or coordinator.hass.data.get(PAUSES, Pauses())
        self.known: dict[str, Presence] = {}
        self._due: dict[str, float] = {}
        self._looked: dict[str, float] = {}
        self._pace = asyncio.Lock()
        self._next = 0.0
        self._work: asyncio.Task[None] | None = None

    @property
    def due(self) -> Mapping[str, float]:
        """Return when end devices will be checked, in the event loop's time, by device ID."""
        return self._due

    @property
    def idle(self) -> bool:
        """Return whether no end device is being checked, and none is due."""
        return not self._due and (self._work is None or self._work.done())

    # At the start

    @callback
    def async_start(self) -> None:
        """Check known ones, and those whose registration lacks a server's address.

        Known ones are checked again every day, until the entry is unloaded.
        """
        coordinator = self._coordinator
        self._restore()
        coordinator.entry.async_on_unload(
            async_track_time_interval(coordinator.hass, self._look_again, DAY)
        )
        self._look_again()
        for device_id, end_device in coordinator.roster.registrations.items():
            if self._may_be_partial(device_id) and not (
                end_device.application_server_address
                and end_device.raw.get("network_server_address")
            ):
                self.look_soon(device_id, seconds=0, anyway=False)

    @callback
    def _restore(self) -> None:
        """Restore those known before the restart; the end devices' states are already marked."""
        for device_id, stored in list(self._coordinator.store.partial_devices.items()):
            try:
                self.known[device_id] = Presence(**stored)
            except TypeError:
                del self._coordinator.store.partial_devices[device_id]
                self._signal(device_id)
        async_dispatcher_send(self._coordinator.hass, self._coordinator.signals.half_created)

    @callback
    def _look_again(self, _now: datetime | None = None) -> None:
        for device_id in self.known:
            self.look_soon(device_id, seconds=0)

    # Reasons for a check

    @callback
    def on_changed(self, end_device: EndDevice, *, new: bool) -> None:
        """Check an end device that was created or changed, if it may be half created."""
        device_id = end_device.ids.device_id
        if device_id in self.known or self._may_be_partial(device_id):
            self.look_soon(device_id, anyway=new or device_id in self.known)

    @callback
    def on_deleted(self, device_id: str) -> None:
        """Check an end device that is no longer registered: other servers may still have it."""
        self.look_soon(device_id)

    @callback
    def mark_partial(self, device_id: str, left_on: Collection[Server]) -> None:
        """Mark an end device as half created: registering or deleting it left parts on servers."""
        presence = Presence(
            identity=Server.IDENTITY in left_on,
            join=True if Server.JOIN in left_on else None,
            network=Server.NETWORK in left_on,
            application=Server.APPLICATION in left_on,
        )
        self.note(device_id, presence)
        self.look_soon(device_id, seconds=0)

    @callback
    def mark_complete(self, device_id: str) -> None:
        """Mark an end device as no longer half created: all servers have it, or none."""
        self._looked[device_id] = self._time()
        self._due.pop(device_id, None)
        self._forget(device_id)

    @callback
    def on_message(self, device: EndDeviceState) -> None:
        """Mark a registered end device as complete, since it sends messages."""
        if (presence := self.known.get(device.device_id)) is not None and presence.identity:
            self.mark_complete(device.device_id)

    @callback
    def look_soon(
        self, device_id: str, *, seconds: float | None = None, anyway: bool = True
    ) -> None:
        """Check an end device in the background, `seconds` from now (default: the settle pause).

        Without `anyway`, only if it wasn't checked in the last 24 hours.
        """
        if not self._coordinator.stack.capabilities.several_servers:
            return
        if DEVICES_READ not in self._coordinator.connection_state.rights:
            return
        now = self._time()
        looked = self._looked.get(device_id)
        if not anyway and looked is not None and now - looked < DAY.total_seconds():
            return
        self._due[device_id] = now + (self._pauses.settle if seconds is None else seconds)
        if self._work is None or self._work.done():
            self._work = self._coordinator.entry.async_create_background_task(
                self._coordinator.hass, self._async_work(), f"{DOMAIN} partial devices"
            )

    async def _async_work(self) -> None:
        """Check end devices when they are due, until none is left."""
        while self._due:
            device_id = min(self._due, key=lambda key: self._due[key])
            if (wait := self._due[device_id] - self._time()) > 0:
                await asyncio.sleep(min(wait, self._pauses.between_reads))
                continue
            del self._due[device_id]
            if self._coordinator.sync.holds(device_id):
                self._due[device_id] = self._time() + self._pauses.settle
                continue
            known = device_id in self.known
            try:
                await self.async_look(device_id)
                if device_id in self.known and not known:
                    self._due.setdefault(device_id, self._time() + self._pauses.confirm)
            except (ConnectionFailed, ServerFailed, RateLimited) as err:
                _LOGGER.debug("%s can't be checked now: %s", device_id, err)
                self._due.setdefault(device_id, self._time())
                await asyncio.sleep(self._pauses.retry)  # checking others would fail, too
            except StackError as err:
                _LOGGER.debug("%s can't be checked: %s", device_id, err)

    # Checking

    async def async_look(self, device_id: str) -> Presence:
        """Return which servers have an end device, and update its mark; raises StackError."""
        coordinator = self._coordinator
        async with self._pace:
            await asyncio.sleep(max(0.0, self._next - self._time()))
            begun = self._time()
            try:
                presence = await coordinator.stack.end_devices.presence(device_id)
            finally:
                self._next = self._time() + self._pauses.between_reads
        if coordinator.sync.holds(device_id) or self._looked.get(device_id, begun) > begun:
            return presence  # outdated: it was registered or deleted here meanwhile
        self.note(device_id, presence)
        if device_id in self.known and presence.identity:
            await self._async_show(device_id)
        return presence

    async def _async_show(self, device_id: str) -> None:
        """Add an end device to Home Assistant that is registered but isn't there yet."""
        if device_id in self._coordinator.roster.registrations:
            return
        try:
            self._coordinator.lifecycle.on_registered(
                await self._coordinator.stack.device(device_id)
            )
        except NotFound:
            self.look_soon(device_id)

    async def async_look_at_all(self, progress: Callable[[float], None]) -> int:
        """Check every end device that may be half created, and return how many these are.

        `progress` is called with the share that is done, 0 to 1. Raises StackError.
        """
        await self._coordinator.sync.async_reconcile()
        candidates = list(self.candidates())
        for number, device_id in enumerate(candidates):
            progress(number / len(candidates))
            await self.async_look(device_id)
        return len(candidates)

    def candidates(self) -> Iterator[str]:
        """Yield the IDs of end devices that may be half created: never active, or not registered."""
        roster = self._coordinator.roster
        vanished = {state.device_id for state in roster.states.values() if state.vanished}
        for device_id in sorted({*roster.registrations, *vanished, *self.known}):
            if device_id in vanished or device_id in self.known or self._may_be_partial(device_id):
                yield device_id

    def _may_be_partial(self, device_id: str) -> bool:
        """Return whether a registered end device of this cluster has never sent anything."""
        roster = self._coordinator.roster
        end_device = roster.registrations.get(device_id)
        if end_device is None or device_id in roster.excluded or not self._served_here(end_device):
            return False
        state = roster.by_device_id(device_id)
        active = state is not None and (state.last_seen or state.last_uplink)
        return not active and end_device.activated_at is None and end_device.last_seen_at is None

    def _served_here(self, end_device: EndDevice) -> bool:
        host = self._coordinator.stack.connection.server_host
        addresses = (
            end_device.application_server_address,
            end_device.raw.get("network_server_address"),
        )
        data = self._coordinator.entry.data
        return all(is_address_of(data, address, host) for address in addresses)

    @callback
    def note(self, device_id: str, presence: Presence) -> None:
        """Mark an end device as half created or not, by which servers have it."""
        self._looked[device_id] = self._time()
        if presence.complete or not (presence.identity or presence.stranded):
            self._forget(device_id)
            return
        if self.known.get(device_id) == presence:
            return
        self.known[device_id] = presence
        self._coordinator.store.partial_devices[device_id] = asdict(presence)
        self._signal(device_id)

    @callback
    def _forget(self, device_id: str) -> None:
        if self.known.pop(device_id, None) is not None:
            self._coordinator.store.partial_devices.pop(device_id, None)
            self._signal(device_id)

    @callback
    def _signal(self, device_id: str) -> None:
        self._coordinator.store.save_soon()
        if (state := self._coordinator.roster.by_device_id(device_id)) is not None:
            state.half_created = device_id in self.known
            state.write([STATUS], Context())
        async_dispatcher_send(self._coordinator.hass, self._coordinator.signals.half_created)

    def name_of(self, device_id: str) -> str:
        """Return the name of an end device; its ID if it has no name, or isn't known."""
        roster = self._coordinator.roster
        if (state := roster.by_device_id(device_id)) is not None:
            return state.name
        registered = roster.registrations.get(device_id)
        return (registered and registered.name) or device_id

    def _time(self) -> float:
        return self._coordinator.hass.loop.time()
