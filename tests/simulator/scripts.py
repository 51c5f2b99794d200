"""Payload formatters written in JavaScript, run as the stack runs them."""

from functools import lru_cache
import json
from typing import Any

import quickjs

from .formatters import (
    CAYENNE,
    NONE,
    REPOSITORY,
    Decoded,
    Encoded,
    Formatter,
    FormatterError,
    ScriptError,
)

SECONDS = 0.1
MEMORY = 64 * 1024 * 1024
# A result travels as JSON, as it does in the stack: that has no NaN. `undefined` is no result.
_FINITE = """
function __finite(key, value) {
  if (typeof value === "number" && !isFinite(value)) throw new Error("no finite number: " + key);
  return value;
}
"""
_DECODE = """
function __decode(input) {
  if (typeof decodeUplink === "function") return JSON.stringify(decodeUplink(input), __finite);
  return JSON.stringify({data: Decoder(input.bytes, input.fPort)}, __finite);
}
"""
_NORMALIZE = """
function __normalize(input) {
  return JSON.stringify(typeof normalizeUplink === "function" ? normalizeUplink(input) : {});
}
"""
_ENCODE = """
function __encode(input) {
  if (typeof encodeDownlink === "function") return JSON.stringify(encodeDownlink(input));
  return JSON.stringify({bytes: Encoder(input.data, input.fPort), fPort: input.fPort});
}
"""
_DECODE_DOWNLINK = """
function __decode_downlink(input) { return JSON.stringify(decodeDownlink(input)); }
"""


def _run(script: str, wrapper: str, name: str, argument: dict[str, Any]) -> dict[str, Any]:
    """Return what a function of the script returns; raises FormatterError for its `errors`."""
    context = quickjs.Context()
    context.set_time_limit(SECONDS)
    context.set_memory_limit(MEMORY)
    try:
        context.eval(script + "\n" + _FINITE + wrapper)
        text = context.eval(f"{name}({json.dumps(argument)})")
    except quickjs.JSException as error:
        raise ScriptError(str(error).splitlines()[0]) from error
    result = json.loads(text) if isinstance(text, str) else {}
    if not isinstance(result, dict):
        raise ScriptError("the formatter returned no object")
    if reasons := result.get("errors"):
        raise FormatterError(", ".join(str(reason) for reason in reasons))
    return result


@lru_cache
def formatter(script: str) -> Formatter:
    """Return what a script does: up and down; that it does nothing shows when it is used."""

    def decode(payload: bytes, f_port: int) -> Decoded:
        result = _run(script, _DECODE, "__decode", {"bytes": list(payload), "fPort": f_port})
        data = result.get("data") or {}
        try:
            normal = _run(script, _NORMALIZE, "__normalize", {"data": data}).get("data")
        except FormatterError:
            normal = None
        measurements = [normal] if isinstance(normal, dict) else normal or []
        return Decoded(data, result.get("warnings") or [], measurements)

    def encode(command: dict[str, Any], f_port: int) -> Encoded:
        result = _run(script, _ENCODE, "__encode", {"data": command, "fPort": f_port or 1})
        payload = bytes(int(byte) & 0xFF for byte in result.get("bytes") or [])
        return Encoded(payload, result.get("fPort") or f_port or 1, result.get("warnings") or [])

    def decode_downlink(payload: bytes, f_port: int) -> dict[str, Any]:
        argument = {"bytes": list(payload), "fPort": f_port}
        data = _run(script, _DECODE_DOWNLINK, "__decode_downlink", argument).get("data")
        return data if isinstance(data, dict) else {}

    return Formatter(decode, encode, decode_downlink)


def find(kind: str | None, script: str | None, version_ids: dict[str, Any]) -> Formatter:
    """Return the formatter that a document names; one that does nothing if it isn't known."""
    match kind:
        case "FORMATTER_CAYENNELPP":
            return CAYENNE
        case "FORMATTER_REPOSITORY":
            model = (version_ids.get("brand_id", ""), version_ids.get("model_id", ""))
            return REPOSITORY.get(model, NONE)
        case "FORMATTER_JAVASCRIPT":
            return formatter(script or "")
    return NONE
