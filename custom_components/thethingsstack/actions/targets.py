"""What an action is for: an application, or one of its end devices."""

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
    """An end device by its id in The Things Stack; `state` where Home Assistant shows it."""

    coordinator: ApplicationCoordinator
    device_id: str
    state: EndDeviceState | None

    @property
    def registry_id(self) -> str | None:
        """Return the id in Home Assistant's device registry."""
        return None if self.state is None else self.state.registry_id


def application_of(call: ServiceCall) -> ApplicationCoordinator:
    """Return the application that a call is for, the only one where none is named.

    Raises ServiceValidationError where that is not clear, or where it isn't loaded.
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
    """Return the end device that a call is for; raises ServiceValidationError."""
    if (target := optional_end_device_of(call)) is None:
        raise refused("management_name_device")
    return target


def optional_end_device_of(call: ServiceCall) -> EndDeviceTarget | None:
    """Return the end device that a call is for, None where none is named."""
    if (registry_id := call.data.get(ATTR_DEVICE_ID)) is not None:
        return _registered(call.hass, registry_id)
    if (device_id := call.data.get(ATTR_END_DEVICE_ID)) is None:
        return None
    coordinator = application_of(call)
    return EndDeviceTarget(coordinator, device_id, coordinator.roster.by_device_id(device_id))


def _registered(hass: HomeAssistant, registry_id: str) -> EndDeviceTarget:
    device = dr.async_get(hass).async_get(registry_id)
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        coordinator: ApplicationCoordinator = entry.runtime_data
        if device is not None and (state := coordinator.roster.by_registry_id(device.id)):
            return EndDeviceTarget(coordinator, state.device_id, state)
    raise refused("management_no_end_device", device=registry_id)


async def async_require_admin(call: ServiceCall) -> None:
    """Raise Unauthorized unless an administrator calls, or Home Assistant itself."""
    user = await _async_user(call)
    if user is not None and not user.is_admin:
        raise Unauthorized(context=call.context)


async def async_require_control(
    call: ServiceCall, coordinator: ApplicationCoordinator, registry_id: str | None = None
) -> None:
    """Raise Unauthorized unless the caller may control an entity of the application.

    With `registry_id` it is to be one of that device. Home Assistant itself may.
    """
    await _async_require(call, coordinator, registry_id, POLICY_CONTROL)


async def async_require_read(
    call: ServiceCall, coordinator: ApplicationCoordinator, registry_id: str | None = None
) -> None:
    """Raise Unauthorized unless the caller may read an entity of the application.

    With `registry_id` it is to be one of that device. Home Assistant itself may.
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
    """Return who calls, None for Home Assistant itself; raises UnknownUser."""
    if call.context.user_id is None:
        return None
    user = await call.hass.auth.async_get_user(call.context.user_id)
    if user is None:
        raise UnknownUser(context=call.context)
    return user
