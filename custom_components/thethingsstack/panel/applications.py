"""The applications that the panel shows."""

from typing import TYPE_CHECKING, Any

from homeassistant.components import websocket_api
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
import voluptuous as vol

from ..client.rights import TRAFFIC_DOWN_WRITE, TRAFFIC_UP_WRITE
from ..const import CONF_PANEL, DEFAULT_PANEL, DOMAIN

if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry


@callback
def shown_entries(hass: HomeAssistant) -> list[TtsConfigEntry]:
    """Return the entries of the applications that the panel shows, whether they run or not."""
    return [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN, include_disabled=False)
        if entry.options.get(CONF_PANEL, DEFAULT_PANEL)
    ]


@callback
def loaded_entries(hass: HomeAssistant) -> list[TtsConfigEntry]:
    """Return those of `shown_entries` that run, and so have a coordinator."""
    return [entry for entry in shown_entries(hass) if entry.state is ConfigEntryState.LOADED]


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/panel/applications"})
@callback
def ws_applications(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send each application: whether it runs and is connected, and what its key allows."""
    connection.send_result(msg["id"], [_described(entry) for entry in shown_entries(hass)])


def _described(entry: TtsConfigEntry) -> dict[str, Any]:
    described: dict[str, Any] = {
        "entry_id": entry.entry_id,
        "name": entry.title,
        "loaded": entry.state is ConfigEntryState.LOADED,
        "connected": False,
        "may_send": False,
        "may_simulate": False,
    }
    if entry.state is ConfigEntryState.LOADED:
        coordinator = entry.runtime_data
        described |= {
            "connected": coordinator.connected,
            "may_send": TRAFFIC_DOWN_WRITE in coordinator.rights,
            "may_simulate": TRAFFIC_UP_WRITE in coordinator.rights
            and coordinator.stack.capabilities.simulated_uplinks,
        }
    return described
