"""Action that registers all end devices in a file."""

from pathlib import Path

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
from ..provisioning import (
    MAX_BYTES,
    async_check_devices,
    async_import_devices,
    async_read_devices,
    check_may_import,
    import_report,
)
from .setup import async_setup_action
from .targets import APPLICATION, application_of

IMPORT_DEVICES = "import_devices"
ATTR_CONTENT = "content"
ATTR_DRY_RUN = "dry_run"
ATTR_FILE = "file"
ATTR_FREQUENCY_PLAN = "frequency_plan"
ATTR_LORAWAN_VERSION = "lorawan_version"
ATTR_PHY_VERSION = "phy_version"

SCHEMA = vol.Schema(
    {
        **APPLICATION,
        vol.Exclusive(ATTR_CONTENT, "source"): cv.string,
        vol.Exclusive(ATTR_FILE, "source"): cv.string,
        vol.Optional(ATTR_DRY_RUN, default=False): cv.boolean,
        vol.Optional(ATTR_FREQUENCY_PLAN): cv.string,
        vol.Optional(ATTR_LORAWAN_VERSION): cv.string,
        vol.Optional(ATTR_PHY_VERSION): cv.string,
    }
)


@callback
def async_setup_import(hass: HomeAssistant) -> None:
    """Register the action, which needs an administrator."""
    async_setup_action(
        hass, IMPORT_DEVICES, _async_import, SCHEMA, SupportsResponse.ONLY, admin=True
    )


async def _async_import(call: ServiceCall) -> ServiceResponse:
    """Register the end devices in a file, or only check them, and return what became of each."""
    coordinator = application_of(call)
    check_may_import(coordinator)
    defaults = {
        "frequency_plan_id": call.data.get(ATTR_FREQUENCY_PLAN),
        "lorawan_version": call.data.get(ATTR_LORAWAN_VERSION),
        "lorawan_phy_version": call.data.get(ATTR_PHY_VERSION),
    }
    file = await async_read_devices(call.hass, await _async_content(call), defaults)
    outcomes = [outcome async for outcome in async_check_devices(coordinator, file)]
    if not call.data[ATTR_DRY_RUN]:
        outcomes = [outcome async for outcome in async_import_devices(coordinator, outcomes)]
    return {ATTR_DRY_RUN: call.data[ATTR_DRY_RUN], **import_report(outcomes, file.notes)}


async def _async_content(call: ServiceCall) -> str | bytes:
    """Return the content that a call has or names; raises ServiceValidationError without any."""
    if (content := call.data.get(ATTR_CONTENT)) is not None:
        return str(content)
    if (path := call.data.get(ATTR_FILE)) is None:
        raise refused("import_nothing_named")

    def read() -> bytes:
        with Path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1)

    if not await call.hass.async_add_executor_job(call.hass.config.is_allowed_path, path):
        raise refused("import_not_allowed", path=path)
    try:
        return await call.hass.async_add_executor_job(read)
    except OSError as err:
        raise refused("import_unreadable", path=path, reason=err.strerror) from err
