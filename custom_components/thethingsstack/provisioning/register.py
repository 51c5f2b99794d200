"""Register an end device on all servers; every dialogue, action and replacement calls this."""

from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr

from ..client import (
    ApplicationClient,
    EndDevice,
    InvalidRequest,
    NotSupported,
    Registration,
    RollbackFailed,
    Server,
    claim_and_register,
)
from ..const import DOMAIN
from ..end_devices import EndDeviceRoster, EndDeviceState, taking_in

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

# Servers that give no DevEUIs.
_NOT_ISSUED = ("dev_eui_issuing_not_enabled", "application_dev_eui_limit_reached")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """An end device that was registered, and its state in Home Assistant."""

    end_device: EndDevice
    state: EndDeviceState | None
    """None if the options exclude it, or if it was registered without showing it."""


async def async_register(
    coordinator: ApplicationCoordinator,
    registration: Registration,
    *,
    qr_code: str | None = None,
    claim_code: str | None = None,
    area_id: str | None = None,
    show: bool = True,
) -> Registered:
    """Register an end device on all servers, and add it to Home Assistant, in the area if given.

    With the text of a QR code or a claim code it is claimed first. If a server refuses, or the
    caller is cancelled, everything is rolled back; what can't be rolled back gets a repair issue.
    Without `show` it isn't added to Home Assistant, which a replacement does by itself. Raises
    StackError.
    """
    with _held(coordinator, registration.device_id):
        try:
            end_device = await claim_and_register(
                coordinator.stack, registration, qr_code=qr_code, claim_code=claim_code
            )
        except RollbackFailed as err:
            _mark_partial(coordinator, registration, err)
            raise
    coordinator.partial_devices.mark_complete(registration.device_id)
    if not show:
        return Registered(end_device=end_device, state=None)
    _choose(coordinator, registration.device_id)
    if area_id is not None:
        _place(coordinator, end_device, area_id)
    return Registered(end_device=end_device, state=coordinator.lifecycle.on_registered(end_device))


async def async_issue_dev_eui(stack: ApplicationClient) -> str | None:
    """Return a new DevEUI from the network's own block; None if it has none. Raises StackError."""
    try:
        return await stack.end_devices.issue_dev_eui()
    except NotSupported:
        return None
    except InvalidRequest as err:
        if err.name not in _NOT_ISSUED:
            raise
        return None


def usual_band(roster: EndDeviceRoster) -> str | None:
    """Return the band ID that most end devices of an application have; None if none is known."""
    bands = Counter(
        device.version_ids.band_id
        for device in roster.states.values()
        if device.version_ids and device.version_ids.band_id
    )
    return next((band for band, _ in bands.most_common(1)), None)


def usual_join_eui(roster: EndDeviceRoster) -> str | None:
    """Return the JoinEUI that most end devices of an application have; None if none is known."""
    euis = Counter(state.ids.join_eui for state in roster.states.values() if state.ids.join_eui)
    return next((eui for eui, _ in euis.most_common(1)), None)


def _held(coordinator: ApplicationCoordinator, device_id: str) -> AbstractContextManager[None]:
    """Ignore registry events of an end device meanwhile, unless the caller does so already."""
    if coordinator.sync.holds(device_id):
        return nullcontext()
    return coordinator.sync.holding(device_id)


@callback
def _mark_partial(
    coordinator: ApplicationCoordinator, registration: Registration, error: RollbackFailed
) -> None:
    device_id = registration.device_id
    coordinator.application_status.record_problem("rollback", device_id, str(error))
    # A claim that couldn't be given up doesn't make the end device half created.
    claimed = (Server.JOIN,) if registration.claimed else ()
    if left_on := [server for server in error.left_on if server not in claimed]:
        coordinator.partial_devices.mark_partial(device_id, left_on)


@callback
def _choose(coordinator: ApplicationCoordinator, device_id: str) -> None:
    """Take the end device into Home Assistant, if the options leave it out."""
    entry = coordinator.entry
    coordinator.hass.config_entries.async_update_entry(
        entry, options=taking_in(entry.options, device_id)
    )


@callback
def _place(coordinator: ApplicationCoordinator, end_device: EndDevice, area_id: str) -> None:
    """Set the device's area before its entities are added: the area is part of their entity IDs."""
    roster = coordinator.roster
    if not roster.wanted(end_device.ids.device_id, end_device.attributes):
        return
    registry = dr.async_get(coordinator.hass)
    device = registry.async_get_or_create(
        config_entry_id=coordinator.entry.entry_id,
        identifiers={(DOMAIN, roster.key_of(end_device.ids))},
        name=end_device.name or end_device.ids.device_id,
    )
    registry.async_update_device(device.id, area_id=area_id)
