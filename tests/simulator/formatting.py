"""Trying a formatter over HTTP."""

from typing import Any

from . import formatters, messages, rights, scripts
from .encoding import encode_bytes, prune
from .errors import UNIMPLEMENTED, PlainRefusedError
from .formatters import Formatter, FormatterError
from .http_server import Call, Route
from .validation import check, decode_base64


def routes() -> list[Route]:
    """Return method, path and handler of each call."""
    device = "/as/applications/{application_id}/devices/{device_id}"
    return [("POST", device + "/up/decode", _decode), ("POST", device + "/down/encode", _encode)]


def _formatter(body: dict[str, Any]) -> Formatter:
    found = scripts.find(
        body.get("formatter"), body.get("parameter"), body.get("version_ids") or {}
    )
    if found is formatters.NONE:
        raise PlainRefusedError(UNIMPLEMENTED, "the simulator doesn't know this formatter")
    return found


async def _decode(call: Call) -> Any:
    body = await call.body()
    check(messages.DECODE_UPLINK, {**body, "end_device_ids": call.end_device_ids})
    uplink = dict(body["uplink"])
    call.application(rights.TRAFFIC_READ)
    decode = _formatter(body).decode
    assert decode is not None
    payload = decode_base64(uplink.get("frm_payload", ""))
    try:
        result = decode(payload, uplink.get("f_port", 0))
    except FormatterError as error:
        raise error.refusal() from error
    uplink |= {"decoded_payload": result.data, "decoded_payload_warnings": result.warnings}
    return {"uplink": prune(uplink)}


async def _encode(call: Call) -> Any:
    body = await call.body()
    check(messages.ENCODE_DOWNLINK, {**body, "end_device_ids": call.end_device_ids})
    downlink = dict(body["downlink"])
    call.application(rights.TRAFFIC_READ)
    encode = _formatter(body).encode
    if encode is None:
        return {"downlink": prune(downlink)}
    try:
        encoded = encode(downlink.get("decoded_payload") or {}, downlink.get("f_port", 0))
    except FormatterError as error:
        raise error.refusal() from error
    downlink["f_port"] = encoded.f_port
    downlink["frm_payload"] = encode_bytes(encoded.payload)
    downlink["decoded_payload_warnings"] = encoded.warnings
    return {"downlink": prune(downlink)}
