"""The websocket commands of the panel."""

from homeassistant.components import websocket_api
from homeassistant.core import HomeAssistant, callback

from .applications import ws_applications
from .fleet_commands import ws_fleet, ws_gateways, ws_signals
from .traffic_commands import TRAFFIC_COMMANDS


@callback
def async_register_commands(hass: HomeAssistant) -> None:
    """Register the commands; each is refused to users who are no administrators."""
    for command in (ws_applications, *TRAFFIC_COMMANDS, ws_fleet, ws_gateways, ws_signals):
        websocket_api.async_register_command(hass, command)
