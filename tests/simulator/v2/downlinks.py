"""Downlinks: what a published message says, and what it becomes."""

import base64
import binascii
from dataclasses import replace
import json
from random import Random
from typing import Any

from ..encoding import encode_bytes
from ..traffic import airtime
from .errors import FunctionError
from .model import Application, Device, Downlink

EMPTY = "Downlink Payload not valid: empty"
BOTH = "Downlink not valid: Both Fields and Payload provided"
UNKNOWN_SCHEDULE = "ScheduleType not valid: unknown"
_MOST_PORT = 255
_ACK, _PENDING = 0x20, 0x10


class UnreadableDownlinkError(Exception):
    """A message that the Handler can't read; nothing comes of it."""


def parse(payload: bytes) -> tuple[Downlink, str]:
    """Return the downlink of a published message and its schedule."""
    try:
        message = json.loads(payload)
    except ValueError:
        raise UnreadableDownlinkError from None
    if message is None:
        message = {}
    return read(message)


def read(message: Any) -> tuple[Downlink, str]:
    """Return the downlink of a message in JSON and its schedule."""
    if not isinstance(message, dict):
        raise UnreadableDownlinkError
    port = _field(message, "port", int, 0)
    if not 0 <= port <= _MOST_PORT:
        raise UnreadableDownlinkError
    return Downlink(
        port,
        _field(message, "confirmed", bool, False),
        _bytes(message.get("payload_raw")),
        _field(message, "payload_fields", dict, {}),
    ), _field(message, "schedule", str, "")


def _field[T](message: dict[str, Any], name: str, kind: type[T], default: T) -> T:
    value = message.get(name)
    if value is None:
        return default
    if type(value) is not kind:
        raise UnreadableDownlinkError
    return value


def _bytes(value: Any) -> bytes:
    match value:
        case None:
            return b""
        case str():
            try:
                return base64.b64decode(value, validate=True)
            except binascii.Error:
                raise UnreadableDownlinkError from None
        case list() if all(type(item) is int and 0 <= item <= 255 for item in value):
            return bytes(value)
    raise UnreadableDownlinkError


def encoded(application: Application, device: Device, downlink: Downlink, port: int) -> Downlink:
    """Return the downlink with its payload encoded, where anything comes of it.

    Without a port of its own it goes to that of the uplink, `port`. Raises FunctionError.
    """
    if downlink.payload_raw and downlink.payload_fields:
        raise FunctionError(BOTH)
    if not downlink.payload_fields:
        return downlink
    fields, port = downlink.payload_fields, downlink.port or port
    if device.formatter is not None and device.formatter.encode is not None:
        return replace(downlink, payload_raw=device.formatter.encode(fields, port).payload)
    return replace(downlink, payload_raw=application.functions.encode(fields, port) or b"")


def frame(
    device: Device, downlink: Downlink | None, port: int, random: Random, *, ack: bool
) -> bytes:
    """Return a frame as it goes out: its header is real, what is encrypted and signed is not."""
    control = _ACK * ack | _PENDING * bool(device.queue)
    header = bytes([0xA0 if downlink and downlink.confirmed else 0x60])
    header += bytes.fromhex(device.dev_addr)[::-1] + bytes([control])
    header += (device.f_cnt_down & 0xFFFF).to_bytes(2, "little")
    if downlink is None:
        return header + random.randbytes(4)
    return header + bytes([downlink.port or port]) + random.randbytes(len(downlink.payload_raw) + 4)


def sent(
    device: Device, downlink: Downlink | None, frame: bytes, gateway_id: str, frequency: float
) -> dict[str, Any]:
    """Return what `down/sent` says; without a downlink, of one that nobody queued."""
    config = {
        "modulation": "LORA",
        "data_rate": "SF7BW125",
        "airtime": nanoseconds(airtime(len(frame))),
        "counter": device.f_cnt_down,
        "frequency": round(frequency * 1_000_000),
        "power": 14,
    }
    if not config["counter"]:
        del config["counter"]
    return {
        "payload": encode_bytes(frame),
        "message": (downlink or Downlink()).shown(device),
        "gateway_id": gateway_id,
        "config": config,
    }


def nanoseconds(seconds: str) -> int:
    """Return a duration such as `0.056576s` in nanoseconds."""
    return round(float(seconds.removesuffix("s")) * 1_000_000_000)
