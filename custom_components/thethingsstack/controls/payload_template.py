"""The payload of a control's command: bytes in hexadecimal, an object, or a template."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
import json
import math
import re
from typing import Any

from ..downlinks import (
    MAX_DEPTH,
    NotHexError,
    ObjectProblem,
    OddHexError,
    problem_of_object,
    read_hex,
)

type Render = Callable[[str, object], str]
"""Render a template with its `value`; raises PayloadTemplateError."""
type Filled = bytes | dict[str, Any]

_TEMPLATE = re.compile(r"\{\{|\{%|\{#")
# Possessive quantifiers: without backtracking, many spaces can't make matching slow.
_NUMBER = r"\d{1,15}(?:\.\d{1,15})?"
_PLACEHOLDER = re.compile(
    r"\{\s*+value\s*+"
    rf"(?:\*\s*+(?P<factor>-?{_NUMBER})\s*+)?"
    rf"(?:(?P<offset>[+-]\s*+{_NUMBER})\s*+)?"
    r"(?::\s*+(?P<width>[1-8])\s*+(?P<order>le|be)?\s*+)?\}"
)
_NO_SPACES = {ord(space): None for space in " \t\n\r\f\v"}
SHOWN_LENGTH = 100
"""How many characters of an invalid payload an error shows."""


class Form(StrEnum):
    """The notation of a payload."""

    HEX = "hex"
    OBJECT = "object"
    TEMPLATE = "template"


REASONS = {
    "payload_empty": "there is no payload",
    "payload_object": "this is no JSON object: {error}",
    "payload_deep": "objects and lists are nested too deeply, {maximum} levels are the limit",
    "payload_hex": "this is no hexadecimal number: {payload}",
    "payload_odd": "a byte has two digits, one is missing: {payload}",
    "template_empty": "the template gives nothing",
    "template_failed": "the template fails: {error}",
    "value_not_number": "{value} is no number",
    "value_out_of_range": "{value} doesn't fit into {bytes} bytes",
}


class PayloadTemplateError(ValueError):
    """A payload can't be read or filled in; `key` is the key of the error text."""

    def __init__(self, key: str, **placeholders: str) -> None:
        """Keep the text's key and its placeholders."""
        super().__init__(REASONS[key].format(**placeholders))
        self.key = key
        self.placeholders = placeholders


def read_payload(raw: object) -> tuple[Form, str | dict[str, Any]]:
    """Return a payload's notation and the checked payload; raises PayloadTemplateError."""
    if isinstance(raw, Mapping):
        if not raw:
            raise PayloadTemplateError("payload_empty")
        return Form.OBJECT, _checked_object(dict(raw))
    text = str(raw or "").strip()
    if not text:
        raise PayloadTemplateError("payload_empty")
    if _TEMPLATE.search(text):
        return Form.TEMPLATE, text
    if text.startswith("{") and not _PLACEHOLDER.match(text):
        return Form.OBJECT, _object(text)
    _bytes_of_hex(_PLACEHOLDER.sub("00", text), text)
    return Form.HEX, text


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as err:
        raise PayloadTemplateError("payload_deep", maximum=str(MAX_DEPTH)) from err
    except ValueError as err:
        raise PayloadTemplateError("payload_object", error=_shortened(str(err))) from err
    if not isinstance(found, dict) or not found:
        raise PayloadTemplateError("payload_object", error=_shortened(text))
    return _checked_object(found)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"JSON has no {name}")


def _checked_object(found: dict[str, Any]) -> dict[str, Any]:
    match problem_of_object(found):
        case ObjectProblem.TOO_DEEP:
            raise PayloadTemplateError("payload_deep", maximum=str(MAX_DEPTH))
        case ObjectProblem.NOT_FINITE:
            raise PayloadTemplateError("payload_object", error="a number is not finite")
    return found


def _bytes_of_hex(text: str, payload: str) -> bytes:
    """Return the bytes of hexadecimal digits; an error shows the payload as it was typed."""
    try:
        return read_hex(text)
    except NotHexError as err:
        raise PayloadTemplateError("payload_hex", payload=_shortened(payload)) from err
    except OddHexError as err:
        raise PayloadTemplateError("payload_odd", payload=_shortened(payload)) from err


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}…"


def takes_value(payload: str | Mapping[str, Any]) -> bool:
    """Return whether the payload contains the placeholder for the value."""
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return bool(re.search(r"\bvalue\b", text))


def fill(form: Form, payload: str | Mapping[str, Any], value: object, render: Render) -> Filled:
    """Return the bytes or the object of a payload for a value; raises PayloadTemplateError."""
    if form is Form.TEMPLATE:
        assert isinstance(payload, str)
        return _rendered(render(payload, value))
    if form is Form.OBJECT:
        assert isinstance(payload, Mapping)
        return {key: _filled(item, value) for key, item in payload.items()}
    assert isinstance(payload, str)
    text = _PLACEHOLDER.sub(lambda match: _bytes_of_value(match, value).hex(), payload)
    return _bytes_of_hex(text, payload) if text.strip() else b""


def _rendered(text: str) -> Filled:
    text = text.strip()
    if not text:
        raise PayloadTemplateError("template_empty")
    if text.startswith("{"):
        return _object(text)
    return _bytes_of_hex(text, text)


def _filled(item: Any, value: object) -> Any:
    """Return a part of an object with the value filled in; a number stays a number."""
    if isinstance(item, Mapping):
        return {key: _filled(part, value) for key, part in item.items()}
    if isinstance(item, list):
        return [_filled(part, value) for part in item]
    if not isinstance(item, str):
        return item
    if match := _PLACEHOLDER.fullmatch(item.strip()):
        if isinstance(value, str) and not match["factor"] and not match["offset"]:
            return value
        return _number(match, value)
    return _PLACEHOLDER.sub(lambda match: str(_number(match, value)), item)


def _number(match: re.Match[str], value: object) -> float | int:
    result = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        offset = float((match["offset"] or "0").translate(_NO_SPACES))
        with suppress(OverflowError):  # integers that are too large for a float
            result = value * float(match["factor"] or 1) + offset
    if not math.isfinite(result):
        raise PayloadTemplateError("value_not_number", value=_shortened(_text_of(value)))
    result = round(result, 6)
    return int(result) if result == int(result) else result


def _text_of(value: object) -> str:
    """Return a value as text; for integers too long to convert, the name of the type."""
    try:
        return str(value)
    except ValueError:
        return type(value).__name__


def _bytes_of_value(match: re.Match[str], value: object) -> bytes:
    """Return the value as bytes: text as UTF-8, numbers unsigned or in two's complement."""
    if isinstance(value, str):
        return value.encode()
    number = round(_number(match, value))
    width = int(match["width"] or 1)
    if not -(1 << (8 * width - 1)) <= number < 1 << (8 * width):
        raise PayloadTemplateError("value_out_of_range", value=str(value), bytes=str(width))
    order = "little" if match["order"] == "le" else "big"
    return (number % (1 << (8 * width))).to_bytes(width, order)  # type: ignore[arg-type]
