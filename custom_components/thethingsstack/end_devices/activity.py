"""Events of an end device, for its event entity and the device triggers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import json
from typing import Any

from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util.signal_type import SignalType

from ..client import UplinkMessage
from ..const import ACTIVITY_DECODED_LIMIT, DOMAIN


@dataclass(frozen=True, slots=True)
class Activity:
    """One event of an end device, as its event entity shows it."""

    event_type: str
    attributes: Mapping[str, Any]


# Signal arguments: device registry id, kind of event, activity with details, context.
OCCURRED: SignalType[str | None, str, Callable[[], Activity], Context | None] = SignalType(
    f"{DOMAIN}_occurred"
)


@callback
def async_report_occurrence(
    hass: HomeAssistant,
    registry_id: str | None,
    kind: str,
    activity: Callable[[], Activity],
    context: Context | None,
) -> None:
    """Send an event to the triggers; its details are only built if a trigger uses them."""
    async_dispatcher_send(hass, OCCURRED, registry_id, kind, activity, context)


def uplink_activity(uplink: UplinkMessage, failed: bool) -> Activity:
    """Return the activity for an uplink; a large decoded payload is left out."""
    decoded = uplink.decoded_payload
    if decoded is not None and len(json.dumps(decoded)) > ACTIVITY_DECODED_LIMIT:
        decoded = None
    return Activity(
        "decode_failed" if failed else "uplink",
        {
            "f_port": uplink.f_port,
            "f_cnt": uplink.f_cnt,
            "payload": uplink.frm_payload.hex() if uplink.frm_payload else None,
            "decoded_payload": decoded,
            "simulated": uplink.simulated,
            "received_at": uplink.time.isoformat() if uplink.time else None,
        },
    )
