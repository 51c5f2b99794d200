"""The payload of a control's command: bytes in hexadecimal, an object, or a template."""

from collections.abc import Callable, Mapping
from enum import StrEnum
import json
import re
from typing import Any

type Render = Callable[[str, object], str]
"""Render a template with its `value`; raises FrameError."""
type Filled = bytes | dict[str, Any]

_TEMPLATE = re.compile(r"\{\{|\{%|\{#")
_PLACEHOLDER = re.compile(
    r"\{\s*value\s*(?:\*\s*(?P<factor>-?\d+(?:\.\d+)?))?\s*(?:(?P<offset>[+-]\s*\d+(?:\.\d+)?))?\s*"
    r"(?::\s*(?P<width>[1-8])\s*(?P<order>le|be)?)?\s*\}"
)
_SEPARATORS = re.compile(r"0[xX]|[\s:,.-]")
_HEX = re.compile(r"[0-9A-Fa-f]*")


class Form(StrEnum):
    """How a payload is written."""

    HEX = "hex"
    OBJECT = "object"
    TEMPLATE = "template"


_REASONS = {
    "payload_empty": "there is no payload",
    "payload_object": "this is no JSON object: {error}",
    "payload_hex": "this is no hexadecimal number: {payload}",
    "payload_odd": "a byte has two digits, one is missing: {payload}",
    "template_empty": "the template gives nothing",
    "template_failed": "the template fails: {error}",
    "value_not_number": "{value} is no number",
    "value_out_of_range": "{value} doesn't fit into {bytes} bytes",
}


class PayloadTemplateError(ValueError):
    """A payload that can't be read or filled in; `key` names the text that says why."""

    def __init__(self, key: str, **placeholders: str) -> None:
        """Keep the text's key and what it names."""
        super().__init__(_REASONS[key].format(**placeholders))
        self.key = key
        self.placeholders = placeholders


def read_payload(raw: object) -> tuple[Form, str | dict[str, Any]]:
    """Return how a payload is written, and the payload itself, checked; raises FrameError."""
    if isinstance(raw, Mapping):
        if not raw:
            raise PayloadTemplateError("payload_empty")
        return Form.OBJECT, dict(raw)
    text = str(raw or "").strip()
    if not text:
        raise PayloadTemplateError("payload_empty")
    if _TEMPLATE.search(text):
        return Form.TEMPLATE, text
    if text.startswith("{") and not _PLACEHOLDER.match(text):
        return Form.OBJECT, _object(text)
    _checked_hex(_PLACEHOLDER.sub("", text), text)
    return Form.HEX, text


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as err:
        raise PayloadTemplateError("payload_object", error=str(err)) from err
    if not isinstance(found, dict) or not found:
        raise PayloadTemplateError("payload_object", error=text)
    return found


def _checked_hex(text: str, whole: str) -> str:
    digits = _SEPARATORS.sub("", text)
    if not _HEX.fullmatch(digits):
        raise PayloadTemplateError("payload_hex", payload=whole)
    if len(digits) % 2:
        raise PayloadTemplateError("payload_odd", payload=whole)
    return digits


def takes_value(payload: str | Mapping[str, Any]) -> bool:
    """Return whether the value is somewhere in the payload."""
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return bool(re.search(r"\bvalue\b", text))


def fill(form: Form, payload: str | Mapping[str, Any], value: object, render: Render) -> Filled:
    """Return the bytes or the object of a payload for a value; raises FrameError."""
    if form is Form.TEMPLATE:
        assert isinstance(payload, str)
        return _rendered(render(payload, value))
    if form is Form.OBJECT:
        assert isinstance(payload, Mapping)
        return {key: _filled(item, value) for key, item in payload.items()}
    assert isinstance(payload, str)
    text = _PLACEHOLDER.sub(lambda match: _bytes_of(match, value).hex(), payload)
    return bytes.fromhex(_checked_hex(text, payload))


def _rendered(text: str) -> Filled:
    text = text.strip()
    if not text:
        raise PayloadTemplateError("template_empty")
    if text.startswith("{"):
        return _object(text)
    return bytes.fromhex(_checked_hex(text, text))


def _filled(item: Any, value: object) -> Any:
    """Return a part of an object with the value in its place: a number stays a number."""
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
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PayloadTemplateError("value_not_number", value=str(value))
    result = value * float(match["factor"] or 1) + float((match["offset"] or "0").replace(" ", ""))
    result = round(result, 6)
    return int(result) if result == int(result) else result


def _bytes_of(match: re.Match[str], value: object) -> bytes:
    """Return the value as bytes: text as UTF-8, numbers unsigned or in two's complement."""
    if isinstance(value, str):
        return value.encode()
    number = round(_number(match, value))
    width = int(match["width"] or 1)
    if not -(1 << (8 * width - 1)) <= number < 1 << (8 * width):
        raise PayloadTemplateError("value_out_of_range", value=str(value), bytes=str(width))
    order = "little" if match["order"] == "le" else "big"
    return (number % (1 << (8 * width))).to_bytes(width, order)  # type: ignore[arg-type]
