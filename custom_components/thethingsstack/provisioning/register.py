"""Registering an end device from Home Assistant: all or nothing, whatever happens meanwhile."""

from collections import Counter
from dataclasses import dataclass, replace

from homeassistant.helpers import device_registry as dr

from ..client import (
    EndDevice,
    InvalidRequest,
    Registration,
    RollbackFailed,
    Server,
    claim_and_register,
)
from ..const import CONF_CHOSEN_DEVICES, CONF_DEVICES, DEVICES_CHOSEN
from ..coordinator import ApplicationCoordinator, TtsConfigEntry
from ..end_devices.roster import EndDeviceRoster
from ..end_devices.state import EndDeviceState
from .register_form import Asked

# Servers that give no DevEUIs; ours is a locally administered one.
_NOT_ISSUED = ("dev_eui_issuing_not_enabled", "application_dev_eui_limit_reached")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What was registered, and how Home Assistant shows it; None: the options leave it out."""

    registration: Registration
    device: EndDeviceState | None


class Enrolment:
    """One end device on its way; it may be tried again after a refusal."""

    def __init__(self, entry: TtsConfigEntry) -> None:
        """Start with nothing asked of the server."""
        self._entry = entry
        self._issued: str | None = None

    async def async_enrol(self, asked: Asked, qr_code: str | None) -> Enrolled:
        """Register an end device on its servers and show it in Home Assistant.

        With the text of a QR code it is claimed first. Cancelled or failed, nothing is left of it
        on the servers; where that can't be had, it is counted as a problem. Raises StackError.
        """
        coordinator = self._entry.runtime_data
        registration = asked.registration
        if asked.issue:
            registration = replace(registration, dev_eui=await self._async_dev_eui(registration))
        _, device = await async_register(coordinator, registration, qr_code=qr_code)
        if device is not None and device.registry_id is not None and asked.area_id is not None:
            dr.async_get(coordinator.hass).async_update_device(
                device.registry_id, area_id=asked.area_id
            )
        return Enrolled(registration=registration, device=device)

    async def _async_dev_eui(self, registration: Registration) -> str | None:
        """Return a DevEUI of the network's own, else the one that the registration has."""
        if self._issued is None:
            try:
                self._issued = await self._entry.runtime_data.stack.end_devices.issue_dev_eui()
            except InvalidRequest as err:
                if err.name not in _NOT_ISSUED:
                    raise
        return self._issued or registration.dev_eui


async def async_register(
    coordinator: ApplicationCoordinator,
    registration: Registration,
    *,
    qr_code: str | None = None,
    claim_code: str | None = None,
) -> tuple[EndDevice, EndDeviceState | None]:
    """Register an end device, claimed by a code if one is given, and show it here.

    All or nothing; where nothing can't be had, it is counted as a problem. Raises StackError.
    """
    with coordinator.sync.holding(registration.device_id):
        try:
            end_device = await claim_and_register(
                coordinator.stack, registration, qr_code=qr_code, claim_code=claim_code
            )
        except RollbackFailed as err:
            coordinator.application_status.problem("rollback", registration.device_id, str(err))
            # A claim that stays is no part of it.
            claimed = (Server.JOIN,) if registration.claimed else ()
            if left := [server for server in err.left_on if server not in claimed]:
                coordinator.partial_devices.left(registration.device_id, left)
            raise
    coordinator.partial_devices.whole(registration.device_id)
    _choose(coordinator, registration.device_id)
    return end_device, coordinator.lifecycle.take_in(end_device)


def _choose(coordinator: ApplicationCoordinator, device_id: str) -> None:
    """Where only chosen end devices are let in, one that is added here is chosen."""
    entry = coordinator.entry
    if entry.options.get(CONF_DEVICES) == DEVICES_CHOSEN:
        chosen = [*entry.options.get(CONF_CHOSEN_DEVICES, ()), device_id]
        coordinator.hass.config_entries.async_update_entry(
            entry, options={**entry.options, CONF_CHOSEN_DEVICES: chosen}
        )


def usual_band(roster: EndDeviceRoster) -> str | None:
    """Return the band that most end devices of an application have."""
    bands = Counter(
        device.version_ids.band_id
        for device in roster.states.values()
        if device.version_ids and device.version_ids.band_id
    )
    return next((band for band, _ in bands.most_common(1)), None)
