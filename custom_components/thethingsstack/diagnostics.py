"""Diagnostics: the data to reproduce a bug report, without private data."""

from collections.abc import Mapping
import re
from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_KEY, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry

from .const import (
    CONF_APPLICATION_ID,
    CONF_CA_CERTIFICATE,
    CONF_CHOSEN_DEVICES,
    CONF_IDENTITY_SERVER,
    CONF_KEY_ID,
    CONF_LEFT_OUT_DEVICES,
    CONF_MQTT_HOST,
    CONF_SERVER,
    CONF_TENANT_ID,
    CONF_WEBHOOK_EARLIER_SECRETS,
    CONF_WEBHOOK_SECRET,
    VERSION,
)
from .coordinator import ApplicationCoordinator, TtsConfigEntry
from .end_devices.listeners import LOCATION
from .end_devices.state import EndDeviceState
from .payload import Meaning, Position, Role, Value
from .payload.tokens import words_of
from .webhook import webhook_diagnostics

ENTRY_REDACT = {
    CONF_API_KEY,
    CONF_APPLICATION_ID,
    CONF_CA_CERTIFICATE,
    CONF_CHOSEN_DEVICES,
    CONF_IDENTITY_SERVER,
    CONF_KEY_ID,
    CONF_LEFT_OUT_DEVICES,
    CONF_MQTT_HOST,
    CONF_SERVER,
    CONF_TENANT_ID,
    CONF_WEBHOOK_EARLIER_SECRETS,
    CONF_WEBHOOK_ID,
    CONF_WEBHOOK_SECRET,
}
PLACE_CONCEPTS = frozenset({"latitude", "longitude", "altitude", "position", "gps", "accuracy"})
PLACE_WORDS = re.compile(
    r"(?i)lat(?:itude|lng|lon)?(?![a-z])|lo?ng(?:itude)?(?![a-z])|gps|coord|posi?t?|locat|addr"
)
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
    """Return settings, rights and status of the application, and each end device."""
    about = {
        "version": VERSION,
        "state": entry.state.value,
        "reason": entry.error_reason_translation_key,
        "entry": {
            "data": async_redact_data(dict(entry.data), ENTRY_REDACT),
            "options": async_redact_data(dict(entry.options), ENTRY_REDACT),
        },
    }
    if entry.state is not ConfigEntryState.LOADED:
        return about
    coordinator = entry.runtime_data
    return {
        **about,
        "rights": sorted(coordinator.rights),
        "lacks": list(coordinator.stack.capabilities.missing),
        "connected": coordinator.connected,
        "door": {"chosen": coordinator.door.name, "current": coordinator.door.current},
        "webhook": webhook_diagnostics(hass, entry),
        "available": coordinator.connection_state.available,
        "storage_integration": coordinator.catch_up.storage,
        "counters": {
            "uplinks_today": coordinator.counters.uplinks_today,
            "errors": coordinator.counters.errors,
            "dropped": coordinator.counters.dropped,
            "caught_up": coordinator.counters.caught_up,
        },
        "gaps": coordinator.store.gaps.as_stored(),
        "problems": [
            {"time": problem["time"], "kind": problem["kind"]}
            for problem in coordinator.application_status.problems
        ],
        "gateways": [
            {
                "own_key": gateway.own_key,
                "read": gateway.last_update_success,
                "refused": gateway.refused,
                "connected": bool(
                    gateway.data and gateway.data.connection and gateway.data.connection.connected
                ),
            }
            for gateway in coordinator.gateways
        ],
        "devices": {
            f"device {number}": _device(coordinator, device)
            for number, device in enumerate(coordinator.roster.states.values(), 1)
        },
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: TtsConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Return one end device; for the application's own device the entry's diagnostics."""
    loaded = entry.state is ConfigEntryState.LOADED
    state = entry.runtime_data.roster.by_registry_id(device.id) if loaded else None
    if state is None:
        return await async_get_config_entry_diagnostics(hass, entry)
    return _device(entry.runtime_data, state)


def _control(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a control without names (private) and payloads (may be secret)."""
    commands = {**data.get("commands", {}), **data.get("choices", {})}
    return {
        "platform": data.get("platform"),
        "preset": data.get("preset"),
        "commands": [
            {key: command.get(key) for key in ("form", "f_port", "confirmed")}
            for command in commands.values()
        ],
        "reports": {role: report.get("path") for role, report in data.get("reports", {}).items()},
    }


def _device(coordinator: ApplicationCoordinator, device: EndDeviceState) -> dict[str, Any]:
    versions = device.version_ids
    connection = coordinator.stack.connection
    ids = device.ids
    private = [
        word
        for word in (
            ids.device_id,
            ids.dev_eui,
            ids.join_eui,
            ids.dev_addr,
            connection.application_id,
        )
        if word
    ]
    tracked = any(
        meaning.role is Role.POSITION and path != LOCATION
        for path, meaning in device.decisions.items()
    )
    presence = coordinator.partial_devices.known.get(device.device_id)
    last, last_data = device.last_uplink, device.last_data_uplink
    return {
        "brand": versions.brand_id if versions else None,
        "model": versions.model_id if versions else None,
        "registered": device.end_device is not None,
        "missing_on": list(presence.missing) if presence is not None else [],
        "disabled": device.disabled,
        "last_seen": device.last_seen.isoformat() if device.last_seen else None,
        "downlinks": _downlinks(coordinator, device),
        "controls": [
            _control(subentry.data) for subentry in coordinator.controls.of_device(device.key)
        ],
        "undecoded_uplinks": device.undecoded,
        "local_decoder": _local_decoder(device, private),
        "fields_left_out": device.skipped,
        "fields": {
            path: {
                "value": _scrubbed(_value(path, meaning, device.values.get(path)), private),
                "decision": (
                    _override(meaning.as_dict(), private)
                    if meaning.rule == "override"
                    else _scrubbed(meaning.as_dict(), private)
                ),
                "override": (
                    _override(override.change.as_dict(), private)
                    if (override := coordinator.fields.override(device.key, path))
                    else None
                ),
            }
            for path, meaning in device.decisions.items()
        },
        "last_uplink": _message(last.raw if last else None, private, tracked),
        "last_data_uplink": _message(
            last_data.raw if last_data and last_data is not last else None, private, tracked
        ),
    }


def _override(data: dict[str, Any], private: list[str]) -> dict[str, Any]:
    """Return a field's override without names, which may reveal people and places."""
    hidden = {key: REDACTED for key in ("name", "options", "value_map") if data.get(key)}
    digits = {"precision": data["precision"]} if "precision" in data else {}  # no accuracy
    redacted: dict[str, Any] = {**_scrubbed(data, private), **hidden, **digits}
    return redacted


def _local_decoder(device: EndDeviceState, private: list[str]) -> dict[str, Any] | None:
    """Return how uplinks are decoded here, without the words of a table, which the user wrote."""
    chosen, failure = device.local_decoder.chosen, device.local_decoder.failure
    if chosen is None:
        return None
    rows = chosen.table.as_list() if chosen.table is not None else []
    return {
        "kind": chosen.kind.value,
        "always": chosen.always,
        "failure": failure.key if failure is not None else None,
        "rows": _scrubbed([async_redact_data(row, {"words"}) for row in rows], private),
    }


def _downlinks(coordinator: ApplicationCoordinator, device: EndDeviceState) -> dict[str, Any]:
    """Return the states of the latest downlinks, without payloads."""
    standing = coordinator.downlinks.standing_of(device)
    return {
        "queue": standing.queue,
        "in_24_hours": standing.in_24_hours,
        "listens_always": standing.listens_always,
        "expected_interval": device.uplinks.interval.seconds,
        "latest": [
            {
                "ours": record.ours,
                "of_a_control": record.control is not None,
                "f_port": record.f_port,
                "confirmed": record.confirmed,
                "state": record.state.value,
                "attempt": record.attempt,
                "transmissions": len(record.transmissions),
                "error": record.error,
                "created": record.created.isoformat(),
                "updated": record.updated.isoformat(),
            }
            for record in coordinator.downlinks.records_of(device)
        ],
    }


def _is_location(key: str) -> bool:
    """Return whether a field of this name may reveal a location."""
    return bool(PLACE_CONCEPTS.intersection(words_of(key).concepts) or PLACE_WORDS.search(key))


def _value(path: str, meaning: Meaning, value: Value) -> Any:
    """Return a value as JSON; locations are redacted."""
    if value is not None and (
        isinstance(value, Position)
        or meaning.role is Role.POSITION
        or meaning.value_map  # a text entered by the user
        or _is_location(path)
    ):
        return REDACTED
    return value


def _message(raw: Mapping[str, Any] | None, private: list[str], tracked: bool) -> Any:
    """Return a message that can be replayed, without identities, location and gateways.

    The payload of a device that reports its position is redacted too.
    """
    if raw is None:
        return None
    hidden = MESSAGE_REDACT | {"frm_payload"} if tracked else MESSAGE_REDACT
    return _scrubbed(async_redact_data(dict(raw), hidden), private)


def _scrubbed(data: Any, private: list[str]) -> Any:
    if isinstance(data, dict):
        return {
            key: REDACTED if _is_location(str(key)) else _scrubbed(value, private)
            for key, value in data.items()
        }
    if isinstance(data, list):
        return [_scrubbed(item, private) for item in data]
    if isinstance(data, str) and any(word.casefold() in data.casefold() for word in private):
        return REDACTED
    return data
