"""Read JSON values from The Things Stack, which omits zero values; wrong types count as missing."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_NOTHING: Mapping[str, Any] = {}


def mapping(value: object) -> Mapping[str, Any]:
    """Return a JSON object; an empty one for another value."""
    return value if isinstance(value, dict) else _NOTHING


def objects(value: object) -> Sequence[Mapping[str, Any]]:
    """Return the JSON objects in a list, without its other items."""
    if not isinstance(value, list):
        return ()
    return [item for item in value if isinstance(item, dict)]


def texts(value: object) -> tuple[str, ...]:
    """Return the strings in a list, without its other items."""
    if not isinstance(value, list):
        return ()
    return tuple([item for item in value if isinstance(item, str)])


def text(value: object) -> str | None:
    """Return a string; None for an empty one or another value."""
    return value if isinstance(value, str) and value else None


def text_map(value: object) -> Mapping[str, str]:
    """Return the members of a JSON object that are strings."""
    return {key: item for key, item in mapping(value).items() if isinstance(item, str)}


def integer(value: object) -> int | None:
    """Return an integer, also from a decimal string, as which 64-bit integers are sent."""
    if type(value) is int:
        return value
    if isinstance(value, bool):
        return None
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError, OverflowError):
        return None


def number(value: object) -> float | None:
    """Return a number as float; None for another value."""
    if type(value) is float:
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return None
    return None


def hexadecimal(value: object) -> str | None:
    """Return a hexadecimal identifier in upper case; None for another value."""
    return value.upper() if isinstance(value, str) and value else None


def octets(value: object) -> bytes | None:
    """Return the bytes of a base64 string (standard or URL alphabet, padded or not), or None."""
    if not isinstance(value, str) or not value:
        return None
    try:
        return b64decode(value, validate=True)
    except ValueError:
        pass
    try:
        return b64decode(value.rstrip("=") + "==", altchars=b"-_")
    except ValueError:
        return None


def time(value: object) -> datetime | None:
    """Return an RFC 3339 time in UTC, cut to microseconds; None if it was never set."""
    if not isinstance(value, str):
        return None
    # datetime knows microseconds, the server sends nanoseconds.
    if len(value) == 30 and value[29] == "Z":
        value = value[:26] + "Z"
    elif len(value) > 27:
        value = _cut(value)
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    elif parsed.tzinfo is not UTC:
        try:
            parsed = parsed.astimezone(UTC)
        except OverflowError:
            return None
    return parsed if parsed.year > 1 else None


def _cut(value: str) -> str:
    before, point, rest = value.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    return before + point + rest[: min(digits, 6)] + rest[digits:] if point else value


def seconds(value: object) -> float | None:
    """Return a duration ("0.056576s") in seconds; None for another value."""
    if not isinstance(value, str) or not value.endswith("s"):
        return None
    try:
        return float(value[:-1])
    except ValueError:
        return None
