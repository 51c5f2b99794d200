"""Payload functions of an application: JavaScript as the Handler runs it, and CayenneLPP."""

import base64
from dataclasses import dataclass, field
import json
from typing import Any

import quickjs

from ..formatters import LPP_VALUES, LPP_VECTORS, number
from .errors import FunctionError

NAMES = ("decoder", "converter", "validator", "encoder")
CUSTOM, CAYENNE = "custom", "cayennelpp"
SECONDS = 0.1
MEMORY = 64 * 1024 * 1024
_MARK = "__bytes"
# The bytes that a decoder was given and returns are bytes still; numbers in a list are not. JSON
# has no NaN, and a text that begins like this one is nobody's.
_WRITE = """
var console = {log: function () {}};
function __write(value) {
  return JSON.stringify(value, function (key, item) {
    if (item === __argument) return "__bytes";
    if (typeof item === "number" && !isFinite(item)) return "__number " + item;
    return item;
  });
}
function __list(value) {
  if (!Array.isArray(value)) return "no list";
  return JSON.stringify(Array.prototype.map.call(value, function (item) {
    return typeof item === "number" && isFinite(item) && Math.floor(item) === item ? item : null;
  }));
}
"""


@dataclass
class Functions:
    """The payload format of an application, and its functions as texts."""

    payload_format: str = ""
    scripts: dict[str, str] = field(default_factory=dict)

    def decode(self, payload: bytes, port: int) -> dict[str, Any] | None:
        """Return the fields of a frame, None without functions; raises FunctionError.

        Raises InvalidPayloadError where the validator says no.
        """
        match self.payload_format:
            case "":
                return None
            case "custom":
                return self._decode_custom(payload, port)
            case "cayennelpp":
                return _decode_cayenne(payload)
        raise FunctionError(_UNREADABLE + "App not valid: unknown payload format")

    def encode(self, fields: dict[str, Any], port: int) -> bytes | None:
        """Return the payload of fields, None where nothing comes of them; raises FunctionError."""
        match self.payload_format:
            case "custom":
                return self._encode_custom(fields, port)
            case "cayennelpp":
                return _encode_cayenne(fields) or None
        return None

    def _decode_custom(self, payload: bytes, port: int) -> dict[str, Any]:
        context = _context(list(payload))
        fields: Any = {}
        for name, argument in (("decoder", "__argument"), ("converter", "__result")):
            if script := self.scripts.get(name):
                function = name.capitalize()
                text = _call(context, script, f"__result = {function}({argument}, {port})", name)
                if not isinstance(text, str) or not text.startswith("{"):
                    raise FunctionError(
                        f"{_UNREADABLE}{function} not valid: does not return an object"
                    )
                fields = json.loads(text)
        if script := self.scripts.get("validator"):
            context.eval("if (typeof __result === 'undefined') __result = {};")
            verdict = _call(context, script, f"Validator(__result, {port})", "validator")
            if verdict not in ("true", "false"):
                raise FunctionError(f"{_UNREADABLE}Validator not valid: does not return a boolean")
            if verdict == "false":
                raise InvalidPayloadError
        return dict(sorted(_values(fields, payload).items()))

    def _encode_custom(self, fields: dict[str, Any], port: int) -> bytes:
        script = self.scripts.get("encoder")
        if not script:
            raise FunctionError(
                "Downlink Payload not valid: fields supplied, but no Encoder function set"
            )
        context = _context(None)
        try:
            text = _run(
                context, script, f"__list(Encoder({json.dumps(fields)}, {port}))", "encoder"
            )
        except FunctionError as error:
            raise FunctionError(str(error).removeprefix(_UNREADABLE)) from None
        if text == "no list":
            raise FunctionError("Encoder not valid: does not return an Array")
        numbers = json.loads(str(text))
        if None in numbers:
            raise FunctionError("Encoder not valid: should return an Array of integer numbers")
        if any(not 0 <= item <= 255 for item in numbers):
            raise FunctionError(
                "Encoder Output not valid: Numbers in Array should be between 0 and 255"
            )
        return bytes(numbers)


class InvalidPayloadError(FunctionError):
    """A payload that the validator doesn't take."""

    def __init__(self) -> None:
        super().__init__("Payload not valid: payload validator function returned false")


_UNREADABLE = "Unable to decode payload fields: "
_CHANNELS = frozenset(str(number) for number in range(256))


def _context(argument: list[int] | None) -> quickjs.Context:
    context = quickjs.Context()
    context.set_time_limit(SECONDS)
    context.set_memory_limit(MEMORY)
    context.eval(f"var __result, __argument = {json.dumps(argument)};{_WRITE}")
    return context


def _call(context: quickjs.Context, script: str, call: str, name: str) -> Any:
    """Return the JSON of what the call returns, None for what JSON has no word for."""
    return _run(context, script, f"__write({call})", name)


def _run(context: quickjs.Context, script: str, call: str, name: str) -> Any:
    """Return what a call of the script's function returns; raises FunctionError if it fails."""
    function = name.capitalize()
    try:
        context.eval(script)
        return context.eval(call)
    except quickjs.JSException as error:
        reason = str(error).splitlines()[0]
        if "interrupted" in reason.lower():
            problem = f"Interrupted javascript execution for {function} after 100.2ms"
        else:
            problem = f"{function} threw error: {reason}"
        raise FunctionError(f"{_UNREADABLE}Internal error: {problem}") from None


def _values(value: Any, payload: bytes) -> Any:
    """Return a function's result with bytes as the Handler writes them; raises for NaN."""
    if isinstance(value, dict):
        return {key: _values(item, payload) for key, item in value.items()}
    if isinstance(value, list):
        return [_values(item, payload) for item in value]
    if value == _MARK:
        return base64.b64encode(payload).decode() if payload else []
    if isinstance(value, str) and value.startswith("__number "):
        name = value.removeprefix("__number ").replace("Infinity", "Inf")
        raise FunctionError(
            f"Payload Function output cannot be marshaled to JSON: json: unsupported value: {name}"
        )
    return value


def _decode_cayenne(data: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    while data:
        channel, kind, data = data[0], data[1] if len(data) > 1 else None, data[2:]
        if kind in LPP_VALUES:
            name, size, factor, signed = LPP_VALUES[kind]
            parts = {"": (size, factor)}
        elif kind in LPP_VECTORS:
            (name, parts), signed = LPP_VECTORS[kind], True
        elif kind is not None:
            raise FunctionError(_UNREADABLE + "cayennelpp: unknown type")
        else:
            parts = {"": (1, 1.0)}
        values: dict[str, float] = {}
        for part, (size, factor) in parts.items():
            if len(data) < size:
                raise FunctionError(_UNREADABLE + "unexpected EOF")
            raw, data = int.from_bytes(data[:size], signed=signed), data[size:]
            values[part] = number(round(raw * factor, 4))
        fields[f"{name}_{channel}"] = values.get("", values)
    return dict(sorted(fields.items()))


def _encode_cayenne(fields: dict[str, Any]) -> bytes:
    payload = b""
    for key, value in sorted(fields.items()):
        name, _, channel = key.rpartition("_")
        if name == "value" and channel in _CHANNELS and type(value) in (int, float):
            payload += bytes([int(channel)]) + (round(value * 100) & 0xFFFF).to_bytes(2)
    return payload
