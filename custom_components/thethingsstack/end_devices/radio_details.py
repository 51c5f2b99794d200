"""Radio details: in a large application only those end devices have them for which they are asked."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from homeassistant.core import callback
from homeassistant.helpers.dispatcher import async_dispatcher_send

from ..const import CONF_RADIO_DETAILS, DOMAIN
from .listeners import ACTIVITY, AIRTIME_24H, STATUS, UPLINK_INTERVAL

if TYPE_CHECKING:
    from ..application import Additions
    from ..coordinator import ApplicationCoordinator
    from .state import EndDeviceState

RADIO_DETAILS = frozenset(
    {
        ACTIVITY,
        AIRTIME_24H,
        STATUS,
        UPLINK_INTERVAL,
        "airtime",
        "best_gateway",
        "data_rate",
        "frame_counter",
        "gateways",
        "packet_error_rate",
        "raw_payload",
        "rssi",
        "snr",
    }
)
"""Keys of the entities that every end device of a smaller application has, but its last uplink."""


@callback
def has_details_for_all(coordinator: ApplicationCoordinator) -> bool:
    """Return whether each end device gets its radio details without being asked for."""
    return not coordinator.large or coordinator.entry.options.get(CONF_RADIO_DETAILS, False)


async def async_register_details(
    coordinator: ApplicationCoordinator, devices: Iterable[EndDeviceState]
) -> None:
    """Register those radio details of end devices that Home Assistant doesn't have yet."""
    additions: Additions = []
    signal = coordinator.signals.details_asked_for
    async_dispatcher_send(coordinator.hass, signal, list(devices), additions)
    for addition in additions:
        await addition


@callback
def async_apply_details_option(coordinator: ApplicationCoordinator) -> None:
    """Register the radio details of all end devices if the options want them."""
    if coordinator.large and has_details_for_all(coordinator):
        coordinator.entry.async_create_background_task(
            coordinator.hass,
            async_register_details(coordinator, coordinator.roster.states.values()),
            f"{DOMAIN} radio details",
        )
