"""What must not leave Home Assistant with a message: keys and tokens."""

from collections.abc import Mapping
import re
from typing import Any

from homeassistant.components.diagnostics import REDACTED

_SECRET = re.compile(
    r"(?:.*_)?(?:key|token|secret|password|authentication_code)|keys|root_keys|session_keys"
)
_WEBHOOK = re.compile(r"(/api/webhook/|hooks\.nabu\.casa/)[^/?#\s\"]+")
"""Who knows the address of one of Home Assistant's webhooks may post to it, also by its cloud."""
_OF_THE_DEVICE = frozenset({"decoded_payload", "normalized_payload"})
"""What the end device reports stays as it is: a field of its own may be called key."""


def without_secrets(data: Any) -> Any:
    """Return a parsed JSON value in which keys and tokens are replaced by a mark."""
    if isinstance(data, Mapping):
        return {
            name: value
            if name in _OF_THE_DEVICE
            else REDACTED
            if value and _SECRET.fullmatch(str(name))
            else without_secrets(value)
            for name, value in data.items()
        }
    if isinstance(data, list | tuple):
        return [without_secrets(item) for item in data]
    if isinstance(data, str):
        return without_addresses(data)
    return data


def without_addresses(text: str) -> str:
    """Return a text in which the addresses of webhooks end in a mark."""
    return _WEBHOOK.sub(rf"\1{REDACTED}", text)
