"""Action: register the radio details of end devices, which large applications leave out."""

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..end_devices import async_register_details
from .setup import async_setup_action
from .targets import APPLICATION, ATTR_DEVICE_ID, application_of, end_devices_of

SHOW_RADIO_DETAILS = "show_radio_details"

SCHEMA = vol.Schema(
    {**APPLICATION, vol.Optional(ATTR_DEVICE_ID): vol.All(cv.ensure_list, [cv.string])}
)


@callback
def async_setup_radio_details(hass: HomeAssistant) -> None:
    """Register the action; it adds entities, as administrators may."""
    async_setup_action(
        hass, SHOW_RADIO_DETAILS, _async_show, SCHEMA, SupportsResponse.NONE, admin=True
    )


async def _async_show(call: ServiceCall) -> ServiceResponse:
    """Register the radio details of the end devices that are named; of all if none is."""
    if ATTR_DEVICE_ID not in call.data:
        coordinator = application_of(call)
        await async_register_details(coordinator, coordinator.roster.states.values())
        return None
    for coordinator, devices in end_devices_of(call.hass, call.data[ATTR_DEVICE_ID]).items():
        await async_register_details(coordinator, devices)
    return None
