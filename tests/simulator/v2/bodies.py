"""Bodies of requests, read as the Handler reads them."""

from collections.abc import Callable
import json
import re
from typing import Any

from .errors import UnreadableError

type Reader = Callable[[Any], Any]

_LITERALS = ("null", "true", "false")


def parse(text: str) -> Any:
    """Return the JSON of a body, an empty object for none."""
    if not text:
        return {}
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableError(_syntax(text, error)) from None


def _syntax(text: str, error: json.JSONDecodeError) -> str:
    if error.pos >= len(text.rstrip()):
        return "unexpected EOF"
    found = f"invalid character '{text[error.pos]}'"
    if "property name" in error.msg:
        return f"{found} looking for beginning of object key string"
    if "Expecting value" in error.msg:
        return f"{found} looking for beginning of value"
    return f"{found} after object key:value pair"


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def _mismatch(value: Any, wanted: str) -> UnreadableError:
    return UnreadableError(f"json: cannot unmarshal {_kind(value)} into Go value of type {wanted}")


def text(value: Any) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise _mismatch(value, "string")
    return value


def flag(value: Any) -> bool:
    """Read a truth value."""
    if not isinstance(value, bool):
        raise _mismatch(value, "bool")
    return value


def decimal(value: Any) -> float:
    """Read a number, also one that is written as a text."""
    if isinstance(value, str):
        value = _quoted(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _mismatch(value, "float32")
    return value


def integer(value: Any) -> int:
    """Read an integer, also one that is written as a text."""
    if isinstance(value, str):
        value = _quoted(value)
    if type(value) is not int:
        raise _mismatch(value, "int32")
    return value


def _quoted(value: str) -> Any:
    """Return what stands in a text, which must be JSON again."""
    for literal in _LITERALS:
        if value.startswith(literal[0]):
            for mine, theirs in zip(value[1:], literal[1:], strict=False):
                if mine != theirs:
                    raise UnreadableError(
                        f"invalid character '{mine}' in literal {literal} (expecting '{theirs}')"
                    )
    return parse(value or "null")


def hexadecimal(size: int) -> Reader:
    """Return a reader of so many bytes, which may be missing altogether."""

    def read(value: Any) -> str:
        digits = text(value)
        if digits and len(digits) != 2 * size:
            raise UnreadableError("wrong input length")
        if wrong := re.search(r"[^0-9a-fA-F]", digits):
            code = f"U+{ord(wrong[0]):04X} '{wrong[0]}'"
            raise UnreadableError(f"encoding/hex: invalid byte: {code}")
        return digits.upper()

    return read


def attributes(value: Any) -> dict[str, str]:
    """Read attributes: names to texts."""
    if not isinstance(value, dict):
        raise _mismatch(value, "map[string]json.RawMessage")
    return {name: text(item) for name, item in value.items()}


def record(fields: dict[str, Reader]) -> Reader:
    """Return a reader of an object; it ignores what it doesn't know and what is null."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _mismatch(value, "map[string]json.RawMessage")
        return {
            name: reader(value[name])
            for name, reader in fields.items()
            if value.get(name) is not None
        }

    return read


APPLICATION = record(
    dict.fromkeys(
        (
            "app_id",
            "payload_format",
            "decoder",
            "converter",
            "validator",
            "encoder",
            "register_on_join_access_key",
        ),
        text,
    )
)
DEVICE = record(
    {
        "app_id": text,
        "dev_id": text,
        "description": text,
        "latitude": decimal,
        "longitude": decimal,
        "altitude": integer,
        "attributes": attributes,
        "lorawan_device": record(
            {
                "app_id": text,
                "dev_id": text,
                "app_eui": hexadecimal(8),
                "dev_eui": hexadecimal(8),
                "dev_addr": hexadecimal(4),
                "nwk_s_key": hexadecimal(16),
                "app_s_key": hexadecimal(16),
                "app_key": hexadecimal(16),
                "f_cnt_up": integer,
                "f_cnt_down": integer,
                "disable_f_cnt_check": flag,
                "uses32_bit_f_cnt": flag,
                "activation_constraints": text,
                "last_seen": integer,
            }
        ),
    }
)
