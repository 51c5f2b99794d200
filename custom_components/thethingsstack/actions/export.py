"""Action that exports end devices as the files that the Console's bulk import takes."""

from typing import Any

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..client.bulk import FileFormat, lost_in_csv, write_devices
from .setup import async_setup_action
from .targets import APPLICATION, application_of

EXPORT_DEVICES = "export_devices"
ATTR_FORMAT = "format"
ATTR_FREQUENCY_PLAN = "frequency_plan"
ATTR_INCLUDE_KEYS = "include_keys"
ATTR_LORAWAN_VERSION = "lorawan_version"

SCHEMA = vol.Schema(
    {
        **APPLICATION,
        vol.Optional(ATTR_FREQUENCY_PLAN): cv.string,
        vol.Optional(ATTR_LORAWAN_VERSION): cv.string,
        vol.Optional(ATTR_FORMAT, default=FileFormat.CSV): vol.Coerce(FileFormat),
        vol.Optional(ATTR_INCLUDE_KEYS, default=False): cv.boolean,
    }
)


@callback
def async_setup_export(hass: HomeAssistant) -> None:
    """Register the action, which needs an administrator."""
    async_setup_action(
        hass, EXPORT_DEVICES, _async_export, SCHEMA, SupportsResponse.ONLY, admin=True
    )


async def _async_export(call: ServiceCall) -> ServiceResponse:
    """Return the files, and the IDs that are others in them; keys only where asked for."""
    stack = application_of(call).stack
    exported = await stack.end_devices.export(
        frequency_plan_id=call.data.get(ATTR_FREQUENCY_PLAN),
        lorawan_version=call.data.get(ATTR_LORAWAN_VERSION),
        with_keys=call.data[ATTR_INCLUDE_KEYS],
    )
    devices = list(exported.values())
    kind = call.data[ATTR_FORMAT]
    texts = write_devices(devices, kind)
    names = ["devices"] if len(texts) == 1 else [f"devices-{n}" for n in range(1, len(texts) + 1)]
    files: dict[str, Any] = {
        f"{name}.{kind}": text for name, text in zip(names, texts, strict=True)
    }
    renamed: dict[str, Any] = {
        device_id: device["ids"]["device_id"]
        for device_id, device in exported.items()
        if device["ids"]["device_id"] != device_id
    }
    lost: list[Any] = lost_in_csv(devices) if kind is FileFormat.CSV else []
    return {"devices": len(devices), "files": files, "renamed": renamed, "left_out": lost}
