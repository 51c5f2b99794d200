"""What makes a downlink that can be sent; everything else is refused before it reaches a radio."""

from base64 import b64decode
import re
from typing import Any

from homeassistant.exceptions import ServiceValidationError

from ..client import Downlink
from ..const import DOMAIN

# The largest frame of any band at its fastest data rate; slower ones carry less.
MAX_PAYLOAD = 242
MAX_PORT = 223
RESERVED_PORT = 224
MAX_CORRELATION_ID = 100
MAX_ATTEMPTS = 32
_SEPARATORS = re.compile(r"[\s:,.-]|0[xX](?=[0-9A-Fa-f]{2})")
_NO_HEX = re.compile(r"[^0-9A-Fa-f]")


def refused(key: str, **placeholders: Any) -> ServiceValidationError:
    """Return the error with this translation key; raised before anything is sent."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={name: str(value) for name, value in placeholders.items()},
    )


def payload_of_hex(text: str) -> bytes:
    """Return the bytes of hexadecimal digits; spaces, colons, dashes and `0x` are no harm.

    Raises ServiceValidationError `downlink_hex_invalid` or `downlink_hex_odd`.
    """
    digits = _SEPARATORS.sub("", text)
    if (wrong := _NO_HEX.search(digits)) is not None:
        raise refused("downlink_hex_invalid", character=wrong.group(), text=text)
    if len(digits) % 2:
        raise refused("downlink_hex_odd", count=len(digits), text=text)
    return bytes.fromhex(digits)


def payload_of_base64(text: str) -> bytes:
    """Return the bytes of a base64 text, standard or URL alphabet, padded or not.

    Raises ServiceValidationError `downlink_base64_invalid`.
    """
    plain = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError as err:
        raise refused("downlink_base64_invalid", text=text) from err


def check(downlink: Downlink) -> None:
    """Raise ServiceValidationError for what no device could ever be sent."""
    if downlink.payload is not None and downlink.decoded_payload is not None:
        raise refused("downlink_two_payloads")
    if downlink.payload is None and downlink.decoded_payload is None:
        raise refused("downlink_no_payload")
    if downlink.f_port is None:
        if downlink.decoded_payload is None:
            raise refused("downlink_port_missing")
    elif downlink.f_port == 0:
        raise refused("downlink_port_zero")
    elif downlink.f_port == RESERVED_PORT:
        raise refused("downlink_port_reserved")
    elif not 0 < downlink.f_port <= MAX_PORT:
        raise refused("downlink_port_range", port=downlink.f_port)
    if downlink.payload is not None and len(downlink.payload) > MAX_PAYLOAD:
        raise refused("downlink_too_long", length=len(downlink.payload), max=MAX_PAYLOAD)
    if downlink.max_attempts is not None and not 1 <= downlink.max_attempts <= MAX_ATTEMPTS:
        raise refused("downlink_retries_range", max=MAX_ATTEMPTS)
    if downlink.max_attempts is not None and not downlink.confirmed:
        raise refused("downlink_retries_unconfirmed")
    if any(not 0 < len(text) <= MAX_CORRELATION_ID for text in downlink.correlation_ids):
        raise refused("downlink_correlation_id_length", max=MAX_CORRELATION_ID)
