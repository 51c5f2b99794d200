"""Gateways that connect and disconnect, in the live view: those of which the status is read anyway."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from homeassistant.core import CALLBACK_TYPE, callback

from ..gateways import GatewayCoordinator
from .traffic import GatewayChanged

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator


@callback
def async_watch_gateways(
    coordinator: ApplicationCoordinator, note: Callable[[GatewayChanged], None]
) -> CALLBACK_TYPE:
    """Note each change of a gateway's connection from now on; returns how to stop.

    Of gateways that are in Home Assistant now; their status is a minute old at most.
    """
    stops = [_watch(gateway, note) for gateway in coordinator.gateways]

    @callback
    def stop() -> None:
        for one in stops:
            one()

    return stop


def _watch(gateway: GatewayCoordinator, note: Callable[[GatewayChanged], None]) -> CALLBACK_TYPE:
    connected = _connected(gateway)

    @callback
    def changed() -> None:
        nonlocal connected
        before, connected = connected, _connected(gateway)
        if connected is not None and before is not None and connected != before:
            name = gateway.name_in_home_assistant or gateway.gateway_id
            note(GatewayChanged(gateway.gateway_id, name, connected))

    return gateway.async_add_listener(changed)


def _connected(gateway: GatewayCoordinator) -> bool | None:
    """Return whether a gateway is connected; None if that isn't known."""
    if gateway.data is None or not gateway.last_update_success:
        return None
    connection = gateway.data.connection
    return connection is not None and connection.connected
