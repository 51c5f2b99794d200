"""Translate the server's refusals of a downlink for the user."""

from homeassistant.exceptions import HomeAssistantError

from ..application import failure
from ..client import (
    AuthenticationFailed,
    ConnectionFailed,
    MissingRight,
    RateLimited,
    ServerFailed,
    StackError,
)
from ..client.rights import TRAFFIC_DOWN_WRITE

# The server's error names, each with the key of the translation that says what to do.
KEYS = {
    "application_downlink_too_long": "downlink_too_long",
    "confirmed_multicast_downlink": "downlink_confirmed_multicast",
    "device_not_found": "downlink_device_not_found",
    "downlink_expired": "downlink_expired",
    "downlink_max_retries_invalid": "downlink_retries_invalid",
    "downlink_queue_capacity": "downlink_queue_full",
    "no_device_session": "downlink_no_session",
    "no_downlink_path": "downlink_no_path",
    "no_f_port": "downlink_port_missing",
    "no_payload": "downlink_no_payload",
    "output_errors": "downlink_encoder_failed",
    "unknown_mac_state": "downlink_unknown_mac_state",
    "validation": "downlink_invalid",
}


def translated(error: StackError) -> HomeAssistantError:
    """Return a server error as a translated exception; untranslated if it has no text."""
    match error:
        case MissingRight():
            right = ", ".join(error.rights) or TRAFFIC_DOWN_WRITE
            return failure("downlink_missing_right", right=right)
        case AuthenticationFailed():
            return failure("downlink_key_refused", reason=error.name)
        case RateLimited() if error.name not in KEYS:
            return failure("downlink_rate_limited", seconds=round(error.retry_after))
        case ConnectionFailed() | ServerFailed():
            return failure("downlink_no_answer", error=error)
    if error.name not in KEYS:
        return failure("downlink_refused", name=error.name, error=error)
    return failure(
        KEYS[error.name],
        error=error,
        length=error.attributes.get("length", "?"),
        max=error.attributes.get("max", "?"),
    )
