"""Which gateways receive which end devices, and how well, in the last day."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..end_devices import LOCATION, EndDeviceState
from ..payload import Kind, Position
from .applications import loaded_entries
from .fleet import end_devices

if TYPE_CHECKING:
    from ..client import Reception
    from ..coordinator import ApplicationCoordinator
    from ..gateways import GatewayCoordinator

DAY = timedelta(days=1)


@callback
def coverage(hass: HomeAssistant) -> dict[str, Any]:
    """Return the gateways, and the end devices with how each gateway receives them.

    docs/panel.md lists what each has. Gateways are those that received any end device in the last
    day, and those added to Home Assistant.
    """
    since = dt_util.utcnow() - DAY
    gateways: dict[str, dict[str, Any]] = {}
    devices: list[dict[str, Any]] = []
    for entry in loaded_entries(hass):
        application = entry.runtime_data
        for known in application.gateways:
            gateways[known.gateway_id] = _known_gateway(hass, application, known)
    for application, device, registered in end_devices(hass):
        heard_by = device.reception.gateways(since)
        for gateway_id, heard in heard_by.items():
            _complete(gateways.setdefault(gateway_id, _gateway(gateway_id)), heard.reception)
        devices.append(
            {
                "id": registered.id,
                "entry_id": application.entry.entry_id,
                "name": registered.name_by_user or registered.name or device.name,
                **_place(position_of(device)),
                "heard_by": {
                    gateway_id: {
                        "rssi": _rounded(heard.rssi),
                        "snr": _rounded(heard.snr),
                        "share": round(heard.share, 2),
                        "at": round(heard.at.timestamp(), 1),
                    }
                    for gateway_id, heard in heard_by.items()
                },
            }
        )
    return {"gateways": list(gateways.values()), "devices": devices}


def position_of(device: EndDeviceState) -> Position | None:
    """Return where an end device is: what it reports, a service found, or its registration has."""
    trackers = [p for p, m in device.decisions.items() if m.kind is Kind.DEVICE_TRACKER]
    for path in (*trackers, LOCATION):
        value = device.values.get(path)
        if isinstance(value, Position):
            return value
    return device.registered_position


def _gateway(gateway_id: str) -> dict[str, Any]:
    return {
        "id": gateway_id,
        "name": gateway_id,
        "device": None,
        "connected": None,
        "other_network": False,
        "latitude": None,
        "longitude": None,
    }


def _known_gateway(
    hass: HomeAssistant, application: ApplicationCoordinator, known: GatewayCoordinator
) -> dict[str, Any]:
    """Return a gateway that was added to Home Assistant."""
    row = _gateway(known.gateway_id)
    registered = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, known.key), application.entry.entry_id
    )
    if registered is not None:
        row |= {"device": registered.id, "name": known.name_in_home_assistant or row["name"]}
    if known.data is not None:
        connection = known.data.connection
        row["connected"] = connection is not None and connection.connected
        if (location := known.data.gateway.location) is not None:
            row |= {"latitude": location.latitude, "longitude": location.longitude}
    return row


def _complete(row: dict[str, Any], reception: Reception) -> None:
    """Add what a reception says of its gateway."""
    row["other_network"] = reception.via_packet_broker
    if row["latitude"] is None and reception.location is not None:
        row["latitude"] = reception.location.latitude
        row["longitude"] = reception.location.longitude


def _place(position: Position | None) -> dict[str, float | None]:
    if position is None:
        return {"latitude": None, "longitude": None}
    return {"latitude": position.latitude, "longitude": position.longitude}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
