"""Registering an end device from Home Assistant: all or nothing, whatever happens meanwhile."""

import asyncio
from dataclasses import dataclass, replace
import logging

from homeassistant.helpers import device_registry as dr

from .client import (
    EndDevice,
    EndDeviceIds,
    InvalidRequest,
    Registration,
    RollbackFailed,
    Stack,
    StackError,
)
from .const import CONF_CHOSEN_DEVICES, CONF_DEVICES, DEVICES_CHOSEN
from .coordinator import ApplicationCoordinator
from .device import EndDeviceState
from .registration_form import Asked

_LOGGER = logging.getLogger(__name__)

# Servers that give no DevEUIs; ours is a locally administered one.
_NOT_ISSUED = ("dev_eui_issuing_not_enabled", "application_dev_eui_limit_reached")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What was registered, and how Home Assistant shows it; None: the options leave it out."""

    registration: Registration
    device: EndDeviceState | None


class Enrolment:
    """One end device on its way; it may be tried again after a refusal."""

    def __init__(self, coordinator: ApplicationCoordinator) -> None:
        """Start with nothing asked of the server."""
        self._coordinator = coordinator
        self._issued: str | None = None

    async def async_enrol(self, asked: Asked, qr_code: str | None) -> Enrolled:
        """Register an end device on its servers and show it in Home Assistant.

        With the text of a QR code it is claimed first. Cancelled or failed, nothing is left of it
        on the servers; where that can't be had, it is counted as a problem. Raises StackError.
        """
        coordinator = self._coordinator
        registration = asked.registration
        if asked.issue:
            registration = replace(registration, dev_eui=await self._async_dev_eui(registration))
        stack = coordinator.stack
        with coordinator.sync.holding(registration.device_id):
            try:
                if qr_code is None:
                    end_device = await stack.end_devices.register(registration)
                else:
                    end_device = await _async_claim(stack, registration, qr_code)
            except RollbackFailed as err:
                coordinator.hub.problem("rollback", registration.device_id, str(err))
                coordinator.halves.left(registration.device_id, err.left_on)
                raise
        coordinator.halves.whole(registration.device_id)
        self._choose(registration.device_id)
        device = coordinator.membership.take_in(end_device)
        if device is not None and device.registry_id is not None and asked.area_id is not None:
            dr.async_get(coordinator.hass).async_update_device(
                device.registry_id, area_id=asked.area_id
            )
        return Enrolled(registration=registration, device=device)

    async def _async_dev_eui(self, registration: Registration) -> str | None:
        """Return a DevEUI of the network's own, else the one that the registration has."""
        if self._issued is None:
            try:
                self._issued = await self._coordinator.stack.end_devices.issue_dev_eui()
            except InvalidRequest as err:
                if err.name not in _NOT_ISSUED:
                    raise
        return self._issued or registration.dev_eui

    def _choose(self, device_id: str) -> None:
        """Where only chosen end devices are let in, one that is added here is chosen."""
        entry = self._coordinator.entry
        if entry.options.get(CONF_DEVICES) == DEVICES_CHOSEN:
            chosen = [*entry.options.get(CONF_CHOSEN_DEVICES, ()), device_id]
            self._coordinator.hass.config_entries.async_update_entry(
                entry, options={**entry.options, CONF_CHOSEN_DEVICES: chosen}
            )


async def _async_claim(stack: Stack, registration: Registration, qr_code: str) -> EndDevice:
    """Claim an end device and register it; given back where that fails."""
    device_id = registration.device_id
    claim = asyncio.create_task(stack.claiming.claim_by_qr_code(qr_code, device_id=device_id))
    try:
        await asyncio.shield(claim)
        return await stack.end_devices.register(registration)
    except BaseException:
        # The claim may have been on its way when the dialogue was closed.
        await asyncio.shield(_async_give_back(stack, device_id, claim))
        raise


async def _async_give_back(stack: Stack, device_id: str, claim: asyncio.Task[EndDeviceIds]) -> None:
    await asyncio.wait([claim])
    if claim.cancelled() or claim.exception() is not None:
        return
    try:
        await stack.claiming.unclaim(device_id)
    except StackError as err:
        _LOGGER.warning("%s is claimed but not registered, and stays so: %s", device_id, err)
