"""The websocket commands of the panel's tabs *Fleet* and *Gateways*."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.components import websocket_api
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
import voluptuous as vol

from ..const import DOMAIN
from .coverage import coverage
from .fleet import Fleet, find
from .signals import as_json, async_signals

PAUSE = timedelta(seconds=2)
"""Between two looks at what changed, while somebody watches."""
MOST_SIGNALS = 200
"""End devices whose signals are read at a time: more than any screen shows."""


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/panel/fleet"})
@callback
def ws_fleet(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send the rows of all end devices, and from then on those that changed.

    What changed is found by comparing: a status changes by time alone, too.
    """
    fleet = Fleet(hass)

    @callback
    def send(_now: datetime | None = None) -> None:
        if changes := fleet.changes():
            connection.send_message(websocket_api.event_message(msg["id"], changes))

    connection.subscriptions[msg["id"]] = async_track_time_interval(hass, send, PAUSE)
    connection.send_result(msg["id"])
    first = {"all": True, **fleet.changes()}
    connection.send_message(websocket_api.event_message(msg["id"], first))


@websocket_api.require_admin
@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/panel/signals",
        vol.Required("devices"): vol.All([str], vol.Length(max=MOST_SIGNALS)),
    }
)
@websocket_api.async_response
async def ws_signals(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send the signals of some end devices in the last day."""
    points = await async_signals(hass, find(hass, set(msg["devices"])))
    connection.send_result(msg["id"], as_json(points))


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/panel/gateways"})
@callback
def ws_gateways(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send which gateways receive which end devices."""
    connection.send_result(msg["id"], coverage(hass))
