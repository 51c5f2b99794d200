"""Action that imports past hours of an end device into long-term statistics."""

from datetime import timedelta

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..application import refused
from ..client import StorageUnavailable
from ..statistics import async_import_history
from .setup import async_setup_action
from .targets import ATTR_DEVICE_ID, end_device_of

IMPORT_HISTORY = "import_history"
ATTR_END = "end"
ATTR_START = "start"
USUAL_PERIOD = timedelta(hours=24)

SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_DEVICE_ID): cv.string,
        vol.Optional(ATTR_START): cv.datetime,
        vol.Optional(ATTR_END): cv.datetime,
    }
)


@callback
def async_setup_history(hass: HomeAssistant) -> None:
    """Register the action, which needs an administrator."""
    async_setup_action(
        hass, IMPORT_HISTORY, _async_import, SCHEMA, SupportsResponse.OPTIONAL, admin=True
    )


async def _async_import(call: ServiceCall) -> ServiceResponse:
    """Write the hours of a period from the uplinks in the Storage Integration.

    Returns how many hours were written, by entity ID.
    """
    if "recorder" not in call.hass.config.components:
        raise refused("history_without_recorder")
    target = end_device_of(call)
    if target.state is None:
        raise refused("management_no_end_device", device=target.device_id)
    now = dt_util.utcnow()
    until = min(dt_util.as_utc(call.data.get(ATTR_END, now)), now)
    since = dt_util.as_utc(call.data.get(ATTR_START, until - USUAL_PERIOD))
    if since >= until:
        raise refused("history_period_empty")
    try:
        hours = await async_import_history(
            call.hass, target.coordinator.stack, target.state, since, until
        )
    except StorageUnavailable as err:
        application = target.coordinator.entry.title
        raise refused("history_without_storage", application=application) from err
    return {"start": since.isoformat(), "end": until.isoformat(), "hours": dict(hours)}
