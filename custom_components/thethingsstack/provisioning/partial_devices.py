"""Which end devices are only half there: registered, but not on all servers, or the reverse.

Nobody tells of it, and only reading four servers for one device at a time shows it. So only those
are looked at that give a reason, one a second, and each once a day unless something happens to it.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
import logging
from typing import Protocol

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_time_interval

from ..application.client_factory import same_place
from ..application.connection_state import ConnectionState
from ..application.signals import Signals
from ..application.store import ApplicationStore
from ..client import (
    ConnectionFailed,
    EndDevice,
    NotFound,
    Presence,
    RateLimited,
    Server,
    ServerFailed,
    Stack,
    StackError,
)
from ..client.rights import DEVICES_READ
from ..const import DOMAIN
from ..end_devices.lifecycle import EndDeviceLifecycle
from ..end_devices.registry_sync import RegistrySync
from ..end_devices.roster import EndDeviceRoster
from ..end_devices.state import STATUS, EndDeviceState

_LOGGER = logging.getLogger(__name__)

# Another client may be on its way from server to server.
SETTLE = 10.0
# Between the reads of two devices, in seconds.
PAUSE = 1.0
RETRY = 60.0
# One that was just found may yet be finished by a client that takes its time.
CONFIRM = 300.0
DAY = timedelta(days=1)


class Home(Protocol):
    """What is asked about end devices, and told: the coordinator has it."""

    hass: HomeAssistant
    entry: ConfigEntry
    stack: Stack
    roster: EndDeviceRoster
    store: ApplicationStore
    connection_state: ConnectionState
    signals: Signals
    lifecycle: EndDeviceLifecycle
    sync: RegistrySync


class PartialDevices:
    """Knows the end devices that are half created or stranded, and tells when that changes."""

    def __init__(self, home: Home) -> None:
        """Prepare; nothing is asked yet."""
        self._home = home
        self.known: dict[str, Presence] = {}
        self._due: dict[str, float] = {}
        self._looked: dict[str, float] = {}
        self._pace = asyncio.Lock()
        self._next = 0.0
        self._work: asyncio.Task[None] | None = None

    # At the start

    @callback
    def async_start(self) -> None:
        """Look again at those known, and at those whose entry in the registry looks unfinished."""
        home = self._home
        self._recall()
        home.entry.async_on_unload(async_track_time_interval(home.hass, self._look_again, DAY))
        self._look_again()
        for device_id, end_device in home.roster.registrations.items():
            if self._in_question(device_id) and not (
                end_device.application_server_address
                and end_device.raw.get("network_server_address")
            ):
                self.look_soon(device_id, seconds=0, anyway=False)

    @callback
    def _recall(self) -> None:
        """Take up what was known before the restart: the end devices themselves show it already."""
        for device_id, stored in list(self._home.store.partial_devices.items()):
            try:
                self.known[device_id] = Presence(**stored)
            except TypeError:
                del self._home.store.partial_devices[device_id]
                self._tell(device_id)
        async_dispatcher_send(self._home.hass, self._home.signals.half_created)

    @callback
    def _look_again(self, _now: datetime | None = None) -> None:
        for device_id in self.known:
            self.look_soon(device_id, seconds=0)

    # What gives a reason to look

    @callback
    def told(self, end_device: EndDevice, *, new: bool) -> None:
        """The registry tells that an end device was created or changed."""
        device_id = end_device.ids.device_id
        if device_id in self.known or self._in_question(device_id):
            self.look_soon(device_id, anyway=new or device_id in self.known)

    @callback
    def gone(self, device_id: str) -> None:
        """The registry tells that an end device was deleted: other servers may still have it."""
        self.look_soon(device_id)

    @callback
    def left(self, device_id: str, left_on: Collection[Server]) -> None:
        """An action of ours could not be finished: parts are left on these servers."""
        presence = Presence(
            identity=Server.IDENTITY in left_on,
            join=True if Server.JOIN in left_on else None,
            network=Server.NETWORK in left_on,
            application=Server.APPLICATION in left_on,
        )
        self.take(device_id, presence)
        self.look_soon(device_id, seconds=0)

    @callback
    def whole(self, device_id: str) -> None:
        """An action of ours put an end device on all servers, or took it off all."""
        self._looked[device_id] = self._time()
        self._due.pop(device_id, None)
        self._forget(device_id)

    @callback
    def heard(self, device: EndDeviceState) -> None:
        """An end device was heard, so all that it needs is there; a stranded one stays that."""
        if (presence := self.known.get(device.device_id)) is not None and presence.identity:
            self.whole(device.device_id)

    @callback
    def look_soon(
        self, device_id: str, *, seconds: float | None = None, anyway: bool = True
    ) -> None:
        """Look at an end device in the background; not `anyway`: unless that was done today."""
        if DEVICES_READ not in self._home.connection_state.rights:
            return
        now = self._time()
        looked = self._looked.get(device_id)
        if not anyway and looked is not None and now - looked < DAY.total_seconds():
            return
        self._due[device_id] = now + (SETTLE if seconds is None else seconds)
        if self._work is None or self._work.done():
            self._work = self._home.entry.async_create_background_task(
                self._home.hass, self._async_work(), f"{DOMAIN} half created"
            )

    async def _async_work(self) -> None:
        """Look at all that are due, and wait for those that will be."""
        while self._due:
            device_id = min(self._due, key=lambda key: self._due[key])
            if (wait := self._due[device_id] - self._time()) > 0:
                await asyncio.sleep(min(wait, PAUSE))
                continue
            del self._due[device_id]
            if self._home.sync.holds(device_id):
                self._due[device_id] = self._time() + SETTLE
                continue
            known = device_id in self.known
            try:
                await self.async_look(device_id)
                if device_id in self.known and not known:
                    self._due.setdefault(device_id, self._time() + CONFIRM)
            except (ConnectionFailed, ServerFailed, RateLimited) as err:
                _LOGGER.debug("%s can't be looked at now: %s", device_id, err)
                self._due.setdefault(device_id, self._time())
                await asyncio.sleep(RETRY)  # the others couldn't be looked at either
            except StackError as err:
                _LOGGER.debug("%s can't be looked at: %s", device_id, err)

    # Looking

    async def async_look(self, device_id: str) -> Presence:
        """Return which servers know an end device, and take note of it; raises StackError."""
        home = self._home
        async with self._pace:
            await asyncio.sleep(max(0.0, self._next - self._time()))
            begun = self._time()
            try:
                presence = await home.stack.end_devices.presence(device_id)
            finally:
                self._next = self._time() + PAUSE
        if home.sync.holds(device_id) or self._looked.get(device_id, begun) > begun:
            return presence  # it was written or deleted from here meanwhile
        self.take(device_id, presence)
        if device_id in self.known and presence.identity:
            await self._async_show(device_id)
        return presence

    async def _async_show(self, device_id: str) -> None:
        """Let an end device into Home Assistant that was half created before anybody told of it."""
        if device_id in self._home.roster.registrations:
            return
        try:
            self._home.lifecycle.take_in(await self._home.stack.device(device_id))
        except NotFound:
            self.look_soon(device_id)

    async def async_look_at_all(self, progress: Callable[[float], None]) -> int:
        """Look at every end device that was never heard, and return how many; raises StackError."""
        await self._home.sync.async_reconcile()
        candidates = list(self.candidates())
        for number, device_id in enumerate(candidates):
            progress(number / len(candidates))
            await self.async_look(device_id)
        return len(candidates)

    def candidates(self) -> Iterator[str]:
        """Yield the end devices that may be half created: never heard, or not registered."""
        roster = self._home.roster
        vanished = {state.device_id for state in roster.states.values() if state.vanished}
        for device_id in sorted({*roster.registrations, *vanished, *self.known}):
            if device_id in vanished or device_id in self.known or self._in_question(device_id):
                yield device_id

    def _in_question(self, device_id: str) -> bool:
        """Return whether a registered device was never heard, is shown, and served here."""
        roster = self._home.roster
        end_device = roster.registrations.get(device_id)
        if end_device is None or device_id in roster.excluded or not self._served_here(end_device):
            return False
        state = roster.by_device_id(device_id)
        heard = state is not None and (state.last_seen or state.last_uplink)
        return not heard and end_device.activated_at is None and end_device.last_seen_at is None

    def _served_here(self, end_device: EndDevice) -> bool:
        host = self._home.stack.connection.server_host
        addresses = (
            end_device.application_server_address,
            end_device.raw.get("network_server_address"),
        )
        return all(same_place(self._home.entry.data, address, host) for address in addresses)

    @callback
    def take(self, device_id: str, presence: Presence) -> None:
        """Take note of which servers know an end device."""
        self._looked[device_id] = self._time()
        if presence.complete or not (presence.identity or presence.stranded):
            self._forget(device_id)
            return
        if self.known.get(device_id) == presence:
            return
        self.known[device_id] = presence
        self._home.store.partial_devices[device_id] = asdict(presence)
        self._tell(device_id)

    @callback
    def _forget(self, device_id: str) -> None:
        if self.known.pop(device_id, None) is not None:
            self._home.store.partial_devices.pop(device_id, None)
            self._tell(device_id)

    @callback
    def _tell(self, device_id: str) -> None:
        self._home.store.save_soon()
        if (state := self._home.roster.by_device_id(device_id)) is not None:
            state.half_created = device_id in self.known
            state.write([STATUS], Context())
        async_dispatcher_send(self._home.hass, self._home.signals.half_created)

    def name_of(self, device_id: str) -> str:
        """Return what an end device is called, as far as that is known."""
        roster = self._home.roster
        if (state := roster.by_device_id(device_id)) is not None:
            return state.name
        registered = roster.registrations.get(device_id)
        return (registered and registered.name) or device_id

    def _time(self) -> float:
        return self._home.hass.loop.time()
