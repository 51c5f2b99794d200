"""Action: after which silence an end device is overdue."""

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..application import refused
from ..client import DeviceChanges
from ..const import OVERDUE_ATTRIBUTE
from ..end_devices import silence_of, text_of
from .setup import async_setup_action
from .targets import ATTR_END_DEVICE_ID, END_DEVICE, end_device_of

SET_OVERDUE = "set_overdue"
ATTR_AFTER = "after"

SCHEMA = vol.Schema({**END_DEVICE, vol.Optional(ATTR_AFTER): vol.Any(None, cv.string)})


@callback
def async_setup_overdue(hass: HomeAssistant) -> None:
    """Register the action; it changes the end device on the server, as administrators may."""
    async_setup_action(hass, SET_OVERDUE, _async_set, SCHEMA, SupportsResponse.OPTIONAL, admin=True)


async def _async_set(call: ServiceCall) -> ServiceResponse:
    """Write the number into the end device's attribute, or remove it; return what is there."""
    target = end_device_of(call)
    wanted = (call.data.get(ATTR_AFTER) or "").strip()
    text = None
    if wanted:
        if (silence := silence_of(wanted)) is None:
            raise refused("overdue_number", value=wanted)
        text = text_of(silence)
    changes = DeviceChanges(attributes={OVERDUE_ATTRIBUTE: text})
    end_device = await target.coordinator.stack.end_devices.update(target.device_id, changes)
    target.coordinator.lifecycle.on_registered(end_device)
    return {ATTR_END_DEVICE_ID: target.device_id, ATTR_AFTER: text}
