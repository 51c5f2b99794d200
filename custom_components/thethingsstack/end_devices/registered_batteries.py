"""The battery levels that the network keeps, for end devices that are new in Home Assistant."""

import asyncio
from collections.abc import Iterable
import logging
from typing import TYPE_CHECKING

from homeassistant.core import Context
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util.hass_dict import HassKey

from ..client import NotFound, StackError
from ..client.rights import DEVICES_READ
from ..const import DOMAIN
from .listeners import BATTERY
from .state import EndDeviceState

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

_LOGGER = logging.getLogger(__name__)

DEFAULT_PAUSE = 1.0
"""Seconds between two requests: each end device takes one."""
PAUSE: HassKey[float] = HassKey(f"{DOMAIN}_registered_batteries_pause")
"""Key in `hass.data` for seconds that replace the default; set before setup."""


class RegisteredBatteries:
    """Reads each level once, in the background; later ones come with the uplinks."""

    def __init__(self, coordinator: ApplicationCoordinator) -> None:
        """Keep the coordinator; makes no request yet."""
        self._coordinator = coordinator
        self._pause = coordinator.hass.data.get(PAUSE, DEFAULT_PAUSE)
        self._reading = asyncio.Lock()

    def read_soon(self, devices: Iterable[EndDeviceState]) -> None:
        """Read the levels of these end devices, as far as they have joined."""
        coordinator = self._coordinator
        joined = [
            device
            for device in devices
            if device.end_device is not None and device.end_device.activated_at is not None
        ]
        if joined and DEVICES_READ in coordinator.connection_state.rights:
            coordinator.entry.async_create_background_task(
                coordinator.hass, self._async_read(joined), f"{DOMAIN} batteries"
            )

    async def _async_read(self, devices: Iterable[EndDeviceState]) -> None:
        """Read until the server refuses; what an uplink has reported meanwhile counts.

        Stored uplinks are read first: they say whether the payload has a battery level, too.
        """
        coordinator = self._coordinator
        async with self._reading:
            await self._async_caught_up()
            for device in devices:
                if coordinator.roster.states.get(device.key) is not device or device.last_battery:
                    continue
                try:
                    battery = await coordinator.stack.end_devices.battery(device.device_id)
                except NotFound:
                    battery = None
                except StackError as err:
                    _LOGGER.debug("The battery of %s can't be read: %s", device.device_id, err)
                    return
                if battery is not None and device.last_battery is None:
                    device.last_battery = battery
                    self._show(device)
                await asyncio.sleep(self._pause)

    async def _async_caught_up(self) -> None:
        """Wait until the stream is connected, and stored uplinks have been read."""
        coordinator, changed = self._coordinator, asyncio.Event()
        stop = coordinator.application_status.async_listen(changed.set)
        try:
            while not (coordinator.connected and coordinator.caught_up):
                changed.clear()
                await changed.wait()
        finally:
            stop()

    def _show(self, device: EndDeviceState) -> None:
        if device.battery_announced:
            device.write([BATTERY], Context())
            return
        device.battery_announced = True
        async_dispatcher_send(self._coordinator.hass, self._coordinator.signals.new_battery, device)
