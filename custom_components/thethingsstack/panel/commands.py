"""The websocket commands of the panel."""

from homeassistant.components import websocket_api
from homeassistant.core import HomeAssistant, callback

from .applications import ws_applications


@callback
def async_register_commands(hass: HomeAssistant) -> None:
    """Register the commands; each is refused to users who are no administrators."""
    websocket_api.async_register_command(hass, ws_applications)
