"""The application or the end device of an action's call, and what its caller may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
import voluptuous as vol

from ..application import refused
from ..const import DOMAIN
from ..end_devices import EndDeviceState

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

ATTR_CONFIG_ENTRY_ID = "config_entry_id"
ATTR_DEVICE_ID = "device_id"
ATTR_END_DEVICE_ID = "end_device_id"

APPLICATION = {vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string}
END_DEVICE = {
    **APPLICATION,
    vol.Exclusive(ATTR_DEVICE_ID, "device"): cv.string,
    vol.Exclusive(ATTR_END_DEVICE_ID, "device"): cv.string,
}


@dataclass(frozen=True, slots=True)
class EndDeviceTarget:
    """An end device by its ID in The Things Stack; `state` is None if Home Assistant hasn't it."""

    coordinator: ApplicationCoordinator
    device_id: str
    state: EndDeviceState | None

    @property
    def registry_id(self) -> str | None:
        """Return the device registry ID; None if Home Assistant doesn't have the end device."""
        return None if self.state is None else self.state.registry_id


def application_of(call: ServiceCall) -> ApplicationCoordinator:
    """Return the application that a call names; the only one if it names none.

    Raises ServiceValidationError if there are several or none, or if it isn't loaded.
    """
    entries = call.hass.config_entries.async_entries(DOMAIN)
    if (wanted := call.data.get(ATTR_CONFIG_ENTRY_ID)) is not None:
        entries = [entry for entry in entries if entry.entry_id == wanted]
        if not entries:
            raise refused("management_no_application", entry=wanted)
    elif len(entries) != 1:
        raise refused("management_name_application", count=len(entries))
    (entry,) = entries
    if entry.state is not ConfigEntryState.LOADED:
        raise refused("management_not_loaded", application=entry.title)
    coordinator: ApplicationCoordinator = entry.runtime_data
    return coordinator


def end_device_of(call: ServiceCall) -> EndDeviceTarget:
    """Return the end device that a call names; raises ServiceValidationError without one."""
    if (target := optional_end_device_of(call)) is None:
        raise refused("management_name_device")
    return target


def optional_end_device_of(call: ServiceCall) -> EndDeviceTarget | None:
    """Return the end device that a call names; None if it names none."""
    if (registry_id := call.data.get(ATTR_DEVICE_ID)) is not None:
        return _registered(call.hass, registry_id)
    if (device_id := call.data.get(ATTR_END_DEVICE_ID)) is None:
        return None
    coordinator = application_of(call)
    return EndDeviceTarget(coordinator, device_id, coordinator.roster.by_device_id(device_id))


def end_devices_of(
    hass: HomeAssistant, registry_ids: Iterable[str]
) -> dict[ApplicationCoordinator, list[EndDeviceState]]:
    """Return the end devices with these IDs in the device registry, by their application.

    Raises ServiceValidationError if any is none.
    """
    found: dict[ApplicationCoordinator, list[EndDeviceState]] = {}
    for registry_id in registry_ids:
        target = _registered(hass, registry_id)
        if target.state is not None:
            found.setdefault(target.coordinator, []).append(target.state)
    return found


def _registered(hass: HomeAssistant, registry_id: str) -> EndDeviceTarget:
    device = dr.async_get(hass).async_get(registry_id)
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        coordinator: ApplicationCoordinator = entry.runtime_data
        if device is not None and (state := coordinator.roster.by_registry_id(device.id)):
            return EndDeviceTarget(coordinator, state.device_id, state)
    raise refused("management_no_end_device", device=registry_id)


async def async_require_admin(call: ServiceCall) -> None:
    """Raise Unauthorized unless the caller is an administrator or Home Assistant itself."""
    user = await _async_user(call)
    if user is not None and not user.is_admin:
        raise Unauthorized(context=call.context)


async def async_require_control(
    call: ServiceCall, coordinator: ApplicationCoordinator, registry_id: str | None = None
) -> None:
    """Raise Unauthorized unless the caller may control an entity of the application.

    With `registry_id`, it must be an entity of that device. Home Assistant itself may everything.
    """
    await _async_require(call, coordinator, registry_id, POLICY_CONTROL)


async def async_require_read(
    call: ServiceCall, coordinator: ApplicationCoordinator, registry_id: str | None = None
) -> None:
    """Raise Unauthorized unless the caller may read an entity of the application.

    With `registry_id`, it must be an entity of that device. Home Assistant itself may everything.
    """
    await _async_require(call, coordinator, registry_id, POLICY_READ)


async def _async_require(
    call: ServiceCall, coordinator: ApplicationCoordinator, registry_id: str | None, policy: str
) -> None:
    user = await _async_user(call)
    if user is None or user.is_admin:
        return
    registry = er.async_get(call.hass)
    entities = (
        er.async_entries_for_config_entry(registry, coordinator.entry.entry_id)
        if registry_id is None
        else er.async_entries_for_device(registry, registry_id, include_disabled_entities=True)
    )
    if not any(user.permissions.check_entity(e.entity_id, policy) for e in entities):
        raise Unauthorized(
            context=call.context,
            permission=policy,
            user_id=call.context.user_id,
        )


async def _async_user(call: ServiceCall) -> User | None:
    """Return the user who calls the action; None for Home Assistant itself. Raises UnknownUser."""
    if call.context.user_id is None:
        return None
    user = await call.hass.auth.async_get_user(call.context.user_id)
    if user is None:
        raise UnknownUser(context=call.context)
    return user
