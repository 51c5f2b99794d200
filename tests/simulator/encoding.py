"""How the stack writes things in JSON: times, tokens, omitted zeros, field masks."""

import base64
from copy import deepcopy
from datetime import UTC, datetime
from random import Random
from typing import Any

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Below these keys stands free-form JSON, in which zeros stay.
_FREE_FORM = {"decoded_payload", "normalized_payload", "attributes", "data"}


def timestamp(moment: datetime, *, nanoseconds: int | None = None) -> str:
    """Return RFC 3339 in UTC; nine digits where `nanoseconds` (0-999) is given, else six."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    if nanoseconds is not None:
        text += f"{nanoseconds:03d}"
    return text.rstrip("0").rstrip(".") + "Z" if text.endswith("000000") else text + "Z"


def moment(text: str) -> datetime:
    """Parse RFC 3339 with up to nine digits; raises ValueError."""
    body = text.removesuffix("Z")
    head, _, fraction = body.partition(".")
    if fraction and fraction.isdigit():
        body = f"{head}.{fraction[:6]}"
    parsed = datetime.fromisoformat(body)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def ulid(now: datetime, random: Random) -> str:
    """Return a 26-character identifier that sorts by time."""
    number = int(now.timestamp() * 1000) << 80 | random.getrandbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def encode_bytes(data: bytes) -> str:
    """Return standard base64 with padding."""
    return base64.b64encode(data).decode()


def prune(message: dict[str, Any]) -> dict[str, Any]:
    """Return the message without its zero values; empty sub-messages stay, free-form JSON too."""
    pruned: dict[str, Any] = _prune(message)
    return pruned


def _prune(value: Any) -> Any:
    if isinstance(value, dict):
        pruned = {}
        for key, item in value.items():
            if key in _FREE_FORM and isinstance(item, (dict, list)) and item != []:
                pruned[key] = deepcopy(item)
            elif isinstance(item, dict) or not _is_zero(item):
                pruned[key] = _prune(item)
        return pruned
    if isinstance(value, list):
        return [_prune(item) for item in value]
    return value


def _is_zero(value: Any) -> bool:
    return value is None or value in (0, "", []) or value in ("FORMATTER_NONE", "LOWEST")


def get_path(document: dict[str, Any], path: str) -> Any:
    """Return what stands at a dotted path, or None."""
    value: Any = document
    for step in path.split("."):
        if not isinstance(value, dict) or step not in value:
            return None
        value = value[step]
    return value


def set_path(document: dict[str, Any], path: str, value: Any) -> None:
    """Set, or with None remove, what stands at a dotted path."""
    *parents, last = path.split(".")
    for step in parents:
        document = document.setdefault(step, {})
    if value is None:
        document.pop(last, None)
    else:
        document[last] = value


def select(document: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """Return the parts of `document` that a field mask names."""
    selected: dict[str, Any] = {}
    for path in paths:
        if (value := get_path(document, path)) is not None:
            set_path(selected, path, deepcopy(value))
    return selected


def merge(document: dict[str, Any], changes: dict[str, Any]) -> None:
    """Change `document` deeply; None removes a key."""
    for key, value in changes.items():
        if value is None:
            document.pop(key, None)
        elif isinstance(value, dict) and isinstance(document.get(key), dict):
            merge(document[key], value)
        else:
            document[key] = value
