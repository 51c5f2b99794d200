"""Diagnostics: what a bug report needs to be replayed, without what is private."""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry

from .const import (
    CONF_APPLICATION_ID,
    CONF_CA_CERTIFICATE,
    CONF_IDENTITY_SERVER,
    CONF_MQTT_HOST,
    CONF_SERVER,
    CONF_TENANT_ID,
    VERSION,
)
from .coordinator import ApplicationCoordinator, TtsConfigEntry
from .device import EndDeviceState
from .payload import Position, Value

ENTRY_REDACT = {
    CONF_API_KEY,
    CONF_APPLICATION_ID,
    CONF_CA_CERTIFICATE,
    CONF_IDENTITY_SERVER,
    CONF_MQTT_HOST,
    CONF_SERVER,
    CONF_TENANT_ID,
}
PLACES = {
    "accuracy",
    "alt",
    "altitude",
    "gps",
    "lat",
    "latitude",
    "lng",
    "location",
    "locations",
    "lon",
    "long",
    "longitude",
    "position",
}
MESSAGE_REDACT = {
    "application_id",
    "cluster_address",
    "correlation_ids",
    "dev_addr",
    "dev_eui",
    "device_id",
    "downlink_path_constraint",
    "eui",
    "forwarder_gateway_eui",
    "forwarder_gateway_id",
    "gateway_id",
    "join_eui",
    "ns_id",
    "session_key_id",
    "tenant_address",
    "tenant_id",
    "uplink_token",
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: TtsConfigEntry
) -> dict[str, Any]:
    """Return the application: settings, rights, health, and each end device."""
    coordinator = entry.runtime_data
    return {
        "version": VERSION,
        "entry": {
            "data": async_redact_data(dict(entry.data), ENTRY_REDACT),
            "options": {**entry.options, "chosen_devices": REDACTED},
        },
        "rights": sorted(coordinator.rights),
        "connected": coordinator.connected,
        "available": coordinator.available,
        "storage_integration": coordinator.storage,
        "counters": {
            "uplinks_today": coordinator.counters.uplinks_today,
            "errors": coordinator.counters.errors,
            "dropped": coordinator.counters.dropped,
        },
        "problems": [
            {name: value for name, value in problem.items() if name != "subject"}
            for problem in coordinator.problems
        ],
        "devices": {
            f"device {number}": _device(coordinator, device)
            for number, device in enumerate(coordinator.roster.states.values(), 1)
        },
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: TtsConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Return one end device, or for the application's own device what its entry says."""
    state = entry.runtime_data.roster.by_registry_id(device.id)
    if state is None:
        return await async_get_config_entry_diagnostics(hass, entry)
    return _device(entry.runtime_data, state)


def _device(coordinator: ApplicationCoordinator, device: EndDeviceState) -> dict[str, Any]:
    versions = device.version_ids
    return {
        "brand": versions.brand_id if versions else None,
        "model": versions.model_id if versions else None,
        "registered": device.end_device is not None,
        "disabled": device.disabled,
        "last_seen": device.last_seen.isoformat() if device.last_seen else None,
        "undecoded_uplinks": device.undecoded,
        "fields_left_out": device.skipped,
        "fields": {
            path: {"value": _value(path, device.values.get(path)), "decision": meaning.as_dict()}
            for path, meaning in device.decisions.items()
        },
        "last_uplink": _message(device.last_uplink.raw if device.last_uplink else None),
        "last_data_uplink": _message(
            device.last_data_uplink.raw
            if device.last_data_uplink and device.last_data_uplink is not device.last_uplink
            else None
        ),
    }


def _value(path: str, value: Value) -> Any:
    """Return a value as JSON has it; where somebody is stays private."""
    if value is not None and (
        isinstance(value, Position) or path.rsplit(".", 1)[-1].lower() in PLACES
    ):
        return REDACTED
    return value


def _message(raw: Mapping[str, Any] | None) -> Any:
    """Return an envelope that can be replayed, without who, where and by which gateway."""
    if raw is None:
        return None
    return _without_places(async_redact_data(dict(raw), MESSAGE_REDACT))


def _without_places(data: Any) -> Any:
    if isinstance(data, dict):
        return {
            key: REDACTED if key.lower() in PLACES else _without_places(value)
            for key, value in data.items()
        }
    if isinstance(data, list):
        return [_without_places(item) for item in data]
    return data
