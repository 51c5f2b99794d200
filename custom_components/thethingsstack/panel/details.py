"""Everything that the live view shows of one entry, as JSON."""

from base64 import b64encode
from datetime import datetime
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant, callback

from ..application import lacking
from ..client import DownlinkReport, Event, Message, Reception, UplinkMessage, json_values
from ..client.rights import TRAFFIC_DOWN_WRITE, TRAFFIC_UP_WRITE
from ..end_devices import field_entry
from ..formatters import NEEDED
from ..payload import Kind, Position, Role, Value, raw_values, value_of
from .redaction import without_secrets
from .rows import coordinator_of, device_of, row_of

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator
    from ..end_devices import EndDeviceState
    from ..payload import Meaning
    from .traffic import TrafficEntry


@callback
def details_of(hass: HomeAssistant, entry: TrafficEntry) -> dict[str, Any]:
    """Return all of an entry, without secrets: its row, payload, fields, radio, times and raw JSON."""
    item = entry.item
    coordinator, device = coordinator_of(hass, entry.entry_id), device_of(hass, entry)
    details: dict[str, Any] = {
        "row": row_of(hass, entry),
        "times": _times(entry),
        "may": _may(coordinator, device, item),
        "gateway_names": {},
    }
    if isinstance(item, Message | Event):
        details["raw"] = without_secrets(item.raw)
    if isinstance(item, Message):
        details["correlation_ids"] = list(item.correlation_ids)
    if isinstance(item, DownlinkReport):
        details |= _payload(item.frm_payload) | {
            "decoded": item.downlink.get("decoded_payload"),
            "warnings": list(json_values.texts(item.downlink.get("decoded_payload_warnings"))),
            "correlation_ids": list(item.downlink_correlation_ids or item.correlation_ids),
        }
    if isinstance(item, UplinkMessage):
        uplink = item if device is None else device.decoded(item)
        details |= _payload(item.frm_payload) | {
            "decoded": uplink.decoded_payload,
            "normalized": list(item.normalized_payload) or None,
            "warnings": [*item.decoded_payload_warnings, *item.normalized_payload_warnings],
            "fields": [] if device is None else _fields(hass, device, uplink),
            "radio": _radio(item),
            "gateway_names": _gateway_names(coordinator, item),
        }
    return details


def _payload(payload: bytes | None) -> dict[str, Any]:
    return {
        "hex": payload.hex().upper() if payload is not None else None,
        "base64": b64encode(payload).decode() if payload is not None else None,
    }


def _times(entry: TrafficEntry) -> dict[str, str]:
    """Return when it happened, the earliest first."""
    times: dict[str, datetime | None] = {}
    item = entry.item
    if isinstance(item, UplinkMessage):
        for reception in item.receptions_by_gateway[:1]:
            times["gateway"] = reception.received_at
    if isinstance(item, Message):
        times |= {"network": item.network_received_at, "application": item.received_at}
    elif isinstance(item, Event):
        times["application"] = item.time
    times["home_assistant"] = entry.at
    return {name: moment.isoformat() for name, moment in times.items() if moment is not None}


def _may(
    coordinator: ApplicationCoordinator | None, device: EndDeviceState | None, item: object
) -> dict[str, bool]:
    """Return what can be done from here: by the key's rights, and with what the message has."""
    if coordinator is None or device is None or device.registry_id is None or device.vanished:
        return {"send": False, "simulate": False, "try_formatter": False}
    stack, rights = coordinator.stack, coordinator.rights
    bytes_there = isinstance(item, UplinkMessage) and bool(item.f_port and item.frm_payload)
    return {
        # Without an API key, downlinks may go by the webhook: the action says if that fails.
        "send": TRAFFIC_DOWN_WRITE in rights or not rights,
        "simulate": bytes_there
        and TRAFFIC_UP_WRITE in rights
        and stack.capabilities.simulated_uplinks,
        "try_formatter": bytes_there
        and not lacking(rights, NEEDED)
        and stack.capabilities.formatter_trial,
    }


def _radio(uplink: UplinkMessage) -> dict[str, Any]:
    data_rate = uplink.data_rate
    metadata = json_values.objects(uplink.body.get("rx_metadata"))
    receptions = [
        {
            "gateway_id": reception.gateway_id,
            "gateway_eui": reception.gateway_eui,
            "rssi": reception.rssi,
            "snr": reception.snr,
            "channel": json_values.integer(item.get("channel_index")),
            "via_packet_broker": reception.via_packet_broker,
            "time": reception.received_at.isoformat() if reception.received_at else None,
        }
        for item in metadata
        if (reception := Reception.from_json(item))
    ]
    receptions.sort(key=lambda item: -999.0 if item["rssi"] is None else item["rssi"], reverse=True)
    return {
        "receptions": receptions,
        "frequency": uplink.frequency,
        "data_rate": data_rate.name if data_rate is not None else None,
        "coding_rate": data_rate.coding_rate if data_rate is not None else None,
        "airtime": uplink.consumed_airtime,
        "f_cnt": uplink.f_cnt,
        "confirmed": uplink.confirmed,
        "packet_error_rate": uplink.packet_error_rate,
    }


def _gateway_names(
    coordinator: ApplicationCoordinator | None, uplink: UplinkMessage
) -> dict[str, str]:
    """Return the names of the gateways that Home Assistant has, by ID."""
    if coordinator is None:
        return {}
    ids = {reception.gateway_id for reception in uplink.receptions}
    names = {gateway_id: coordinator.gateways.name_of(gateway_id) for gateway_id in ids}
    return {gateway_id: name for gateway_id, name in names.items() if name is not None}


def _fields(
    hass: HomeAssistant, device: EndDeviceState, uplink: UplinkMessage
) -> list[dict[str, Any]]:
    """Return each reported value, what was made of it, and the entity that shows its field."""
    raw = raw_values(uplink.decoded_payload, uplink.normalized_payload)
    return [_field(hass, device, path, value) for path, value in raw.items()]


def _field(hass: HomeAssistant, device: EndDeviceState, path: str, raw: object) -> dict[str, Any]:
    meaning = device.decisions.get(path)
    field: dict[str, Any] = {"path": path, "reported": _plain(raw)}
    if meaning is None or meaning.kind is Kind.IGNORE:
        return field | {"shown": False, "reason": meaning.reason if meaning is not None else None}
    entry = field_entry(hass, device, path)
    return field | {
        "shown": True,
        "value": _plain(_value(meaning, raw)),
        "unit": meaning.unit,
        "entity_id": None if entry is None else entry.entity_id,
        "disabled": entry is not None and entry.disabled,
        "reason": meaning.reason,
    }


def _value(meaning: Meaning, raw: object) -> Value:
    """Return what the field's value became; positions are read from several values."""
    if meaning.role is Role.POSITION or meaning.kind is Kind.EVENT:
        return None
    return value_of(meaning, raw)


def _plain(value: object) -> Any:
    """Return a value as JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Position):
        return f"{value.latitude}, {value.longitude}"
    return value if isinstance(value, bool | int | float | str | None) else str(value)
