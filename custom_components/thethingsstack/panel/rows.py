"""What the list of the live view shows of each entry, as JSON."""

from collections.abc import Mapping
from itertools import islice
import logging
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import orjson

from ..client import (
    DeviceChanged,
    DownlinkReport,
    ErrorDetails,
    Event,
    JoinAccept,
    LocationSolved,
    Message,
    MessagesDropped,
    ServiceData,
    StreamConnected,
    StreamLost,
    UnreadableMessage,
    UplinkMessage,
)
from ..const import DOMAIN
from ..payload import SENSOR_ATTR
from .redaction import without_addresses
from .traffic import GatewayChanged, TrafficEntry, TrafficItem

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator
    from ..end_devices import EndDeviceState

_LOGGER = logging.getLogger(__name__)

LONGEST = 200
"""Characters of a row's text."""
_VALUES = 12


def coordinator_of(hass: HomeAssistant, entry_id: str) -> ApplicationCoordinator | None:
    """Return the application of a config entry; None while it doesn't run, and of other entries."""
    entry = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.domain != DOMAIN or entry.state is not ConfigEntryState.LOADED:
        return None
    coordinator: ApplicationCoordinator = entry.runtime_data
    return coordinator


def device_id_of(entry: TrafficEntry) -> str | None:
    """Return the ID of the end device that an entry is about; None if it is about none."""
    match entry.item:
        case Message():
            return entry.item.ids.device_id
        case Event():
            return next((ids.device_id for ids in entry.item.devices), None)
        case DeviceChanged():
            return entry.item.device_id
    return None


def device_of(hass: HomeAssistant, entry: TrafficEntry) -> EndDeviceState | None:
    """Return the end device that an entry is about, if Home Assistant has it."""
    coordinator, device_id = coordinator_of(hass, entry.entry_id), device_id_of(entry)
    if coordinator is None or device_id is None:
        return None
    return coordinator.roster.by_device_id(device_id)


def row_of(hass: HomeAssistant, entry: TrafficEntry) -> dict[str, Any]:
    """Return an entry's row: what happened when to which end device, in short.

    One of which no row can be made is shown as unreadable, so that it doesn't hide the others.
    """
    try:
        row = _row(hass, entry)
        return {**row, "text": without_addresses(row["text"])} if "text" in row else row
    except Exception as err:
        _LOGGER.debug("Entry %s can't be shown", entry.id, exc_info=True)
        return {
            "id": entry.id,
            "entry_id": entry.entry_id,
            "time": entry.at.isoformat(),
            "kind": "unreadable",
            "text": without_addresses(str(err))[:LONGEST],
        }


def _row(hass: HomeAssistant, entry: TrafficEntry) -> dict[str, Any]:
    item, device = entry.item, device_of(hass, entry)
    moment = item.time if isinstance(item, Message | Event) else None
    device_id = device_id_of(entry)
    return {
        "id": entry.id,
        "entry_id": entry.entry_id,
        "time": (moment or entry.at).isoformat(),
        "device_id": device_id,
        "name": device.name if device is not None else device_id,
        "device": device.registry_id if device is not None else None,
    } | _of_kind(decoded(item, device))


def decoded(item: TrafficItem, device: EndDeviceState | None) -> TrafficItem:
    """Return an uplink as it is decoded in Home Assistant, where that was chosen; all else as it is."""
    if isinstance(item, UplinkMessage) and device is not None:
        return device.decoded(item)
    return item


def _of_kind(item: object) -> dict[str, Any]:
    match item:
        case UplinkMessage():
            return _uplink(item)
        case JoinAccept():
            return {"kind": "join", "text": item.ids.dev_addr or ""}
        case DownlinkReport():
            return _downlink(item)
        case LocationSolved():
            place = item.location
            text = "" if place is None else f"{place.latitude:.5f}, {place.longitude:.5f}"
            return {"kind": "location", "text": text}
        case ServiceData():
            return {"kind": "service", "text": f"{item.service}: {summary(item.data)}"}
        case Event():
            return {"kind": "event", "event": item.name, "text": event_text(item)}
        case DeviceChanged():
            return {"kind": "event", "event": f"end_device.{item.change}", "text": ""}
        case GatewayChanged():
            event = "gs.gateway.connect" if item.connected else "gs.gateway.disconnect"
            return {
                "kind": "event",
                "event": event,
                "text": item.name,
                "gateways": [item.gateway_id],
            }
        case StreamConnected():
            return {"kind": "connected", "text": ""}
        case StreamLost() | UnreadableMessage():
            kind = "lost" if isinstance(item, StreamLost) else "unreadable"
            return {"kind": kind, "text": str(item.error)[:LONGEST]}
        case MessagesDropped():
            return {"kind": "dropped", "text": "", "count": item.count}
    raise TypeError(type(item))


def _uplink(uplink: UplinkMessage) -> dict[str, Any]:
    decoded = uplink.decoded_payload
    undecoded = uplink.has_application_data and decoded is None and not uplink.normalized_payload
    payload = uplink.frm_payload
    return _radio(uplink) | {
        "kind": "uplink",
        "port": uplink.f_port,
        "f_cnt": uplink.f_cnt,
        "text": summary(decoded) if decoded else hexadecimal(payload)[:LONGEST],
        "undecoded": undecoded,
        "warnings": bool(uplink.decoded_payload_warnings),
        "simulated": uplink.simulated,
        "confirmed": uplink.confirmed,
    }


def _radio(uplink: UplinkMessage) -> dict[str, Any]:
    receptions = uplink.receptions_by_gateway
    best, data_rate = (receptions[0] if receptions else None), uplink.data_rate
    return {
        "gateways": [reception.gateway_id for reception in receptions],
        "rssi": best.rssi if best is not None else None,
        "snr": best.snr if best is not None else None,
        "data_rate": data_rate.name if data_rate is not None else None,
    }


def _downlink(report: DownlinkReport) -> dict[str, Any]:
    decoded = report.downlink.get("decoded_payload")
    text = summary(decoded) if isinstance(decoded, dict) else hexadecimal(report.frm_payload)
    if (error := report.error) is not None:
        text = f"{error.message} · {text}" if text else error.message
    return {
        "kind": report.state,
        "port": report.f_port or None,
        "f_cnt": report.f_cnt or None,
        "text": text[:LONGEST],
        "confirmed": report.confirmed,
    }


def event_text(event: Event) -> str:
    """Return what an event says: the error's text, the changed fields, else its data."""
    data = event.data
    if isinstance(data, dict) and "message_format" in data:
        return without_addresses(ErrorDetails.from_json(data).message)[:LONGEST]
    if isinstance(data, list):
        return ", ".join(str(value) for value in data)[:LONGEST]
    if isinstance(data, dict) and event.name.startswith("ns.mac."):
        return summary({name: value for name, value in data.items() if name != "@type"})
    return ""


def hexadecimal(payload: bytes | None) -> str:
    """Return bytes as pairs of digits, such as "01 A0"."""
    return payload.hex(" ").upper() if payload else ""


def summary(values: Mapping[str, Any]) -> str:
    """Return the first values of an object on one line, without what describes them."""
    parts = []
    for name, value in islice(values.items(), _VALUES):
        if name == SENSOR_ATTR:
            continue
        plain = value if isinstance(value, str) else orjson.dumps(value).decode()
        parts.append(f"{name}: {plain[:LONGEST]}")
    return ", ".join(parts)[:LONGEST]
