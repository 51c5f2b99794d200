"""Payload formatters of the recorded application, in Python: bytes to JSON and back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, override

from . import errors
from .errors import RefusedError


class FormatterError(Exception):
    """What a formatter returns in `errors`."""

    def refusal(self) -> RefusedError:
        """Return the stack's error for it."""
        return errors.formatter_failed(str(self))


class ScriptError(FormatterError):
    """A script that can't be run, or failed while it ran."""

    @override
    def refusal(self) -> RefusedError:
        return errors.script_failed(str(self))


@dataclass
class Decoded:
    """What a formatter makes of a frame."""

    data: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    normalized: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Encoded:
    """What a formatter makes of a command."""

    payload: bytes
    f_port: int
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Formatter:
    """The three functions of a formatter, those it has; each raises FormatterError."""

    decode: Callable[[bytes, int], Decoded] | None = None
    encode: Callable[[dict[str, Any], int], Encoded] | None = None
    decode_downlink: Callable[[bytes, int], dict[str, Any]] | None = None


def _signed(data: bytes, order: str = "big") -> int:
    return int.from_bytes(data, "big" if order == "big" else "little", signed=True)


def number(value: float) -> float | int:
    """Return the number as JavaScript prints it."""
    return int(value) if value == int(value) else value


def _lht65n(data: bytes, f_port: int) -> Decoded:
    if f_port != 2:
        raise FormatterError("unknown FPort")
    if len(data) < 7:
        return Decoded({}, ["short payload"])
    external = "Temperature Sensor" if data[6] == 1 else "No external sensor"
    return Decoded(
        {
            "BatV": number((int.from_bytes(data[:2]) & 0x3FFF) / 1000),
            "Bat_status": data[0] >> 6,
            "TempC_SHT": number(_signed(data[2:4]) / 100),
            "Hum_SHT": number(int.from_bytes(data[4:6]) / 10),
            "Ext_sensor": external,
            "TempC_DS": number(_signed(data[7:9]) / 100) if len(data) > 8 else None,
        }
    )


def _ws523(data: bytes, _f_port: int) -> Decoded:
    if len(data) < 11:
        raise FormatterError("short payload")
    return Decoded(
        {
            "voltage": number(int.from_bytes(data[0:2], "little") / 10),
            "active_power": int.from_bytes(data[2:4], "little"),
            "power_factor": data[4],
            "power_consumption": int.from_bytes(data[5:8], "little"),
            "current": int.from_bytes(data[8:10], "little"),
            "socket_status": "on" if data[10] & 1 else "off",
        }
    )


def _encode_ws523(command: dict[str, Any], _f_port: int) -> Encoded:
    if command.get("socket_status") not in ("on", "off"):
        raise FormatterError('socket_status must be "on" or "off"')
    return Encoded(bytes([8, command["socket_status"] == "on", 0xFF]), 85)


def _decode_ws523_downlink(data: bytes, _f_port: int) -> dict[str, Any]:
    if len(data) < 2 or data[0] != 8:
        raise FormatterError("unknown command")
    return {"socket_status": "on" if data[1] & 1 else "off"}


def _vicki(data: bytes, _f_port: int) -> Decoded:
    if len(data) < 7:
        raise FormatterError("short payload")
    temperature = number(data[2] * 165 / 256 - 40)
    return Decoded(
        {
            "targetTemperature": data[1],
            "sensorTemperature": temperature,
            "relativeHumidity": number(data[3] * 100 / 256),
            "motorRange": data[4],
            "motorPosition": data[5],
            "batteryVoltage": number(2 + (data[6] >> 4) / 10),
            "openWindow": bool(data[6] & 8),
            "highMotorConsumption": bool(data[6] & 4),
            "lowMotorConsumption": bool(data[6] & 2),
            "brokenSensor": bool(data[6] & 1),
            "childLock": len(data) > 8 and bool(data[8] & 0x80),
            "operationalMode": data[0],
        },
        normalized=[{"air": {"temperature": temperature}}],
    )


def _encode_vicki(command: dict[str, Any], _f_port: int) -> Encoded:
    target = command.get("setTargetTemperature")
    if not isinstance(target, int | float):
        raise FormatterError("unknown command")
    warnings = ["above the usual range"] if target > 28 else []
    return Encoded(bytes([0x0E, int(target) & 0xFF]), 1, warnings)


def _decode_vicki_downlink(data: bytes, _f_port: int) -> dict[str, Any]:
    return {"setTargetTemperature": data[1] if len(data) > 1 else None}


LPP_VALUES: dict[int, tuple[str, int, float, bool]] = {
    0x00: ("digital_in", 1, 1, False),
    0x01: ("digital_out", 1, 1, False),
    0x02: ("analog_in", 2, 0.01, True),
    0x03: ("analog_out", 2, 0.01, True),
    0x65: ("luminosity", 2, 1, False),
    0x66: ("presence", 1, 1, False),
    0x67: ("temperature", 2, 0.1, True),
    0x68: ("relative_humidity", 1, 0.5, False),
    0x73: ("barometric_pressure", 2, 0.1, False),
}
LPP_VECTORS: dict[int, tuple[str, dict[str, tuple[int, float]]]] = {
    0x71: ("accelerometer", dict.fromkeys("xyz", (2, 0.001))),
    0x86: ("gyrometer", dict.fromkeys("xyz", (2, 0.01))),
    0x88: ("gps", {"latitude": (3, 1e-4), "longitude": (3, 1e-4), "altitude": (3, 0.01)}),
}


def _cayenne(data: bytes, _f_port: int) -> Decoded:
    fields: dict[str, Any] = {}
    while data:
        if len(data) < 3:
            raise FormatterError("invalid length")
        channel, kind, data = data[0], data[1], data[2:]
        if kind in LPP_VALUES:
            name, size, factor, signed = LPP_VALUES[kind]
            raw = int.from_bytes(data[:size], signed=signed)
            fields[f"{name}_{channel}"] = number(round(raw * factor, 4))
        elif kind in LPP_VECTORS:
            name, parts = LPP_VECTORS[kind]
            size, vector = 0, {}
            for key, (length, factor) in parts.items():
                raw = _signed(data[size : size + length])
                vector[key] = number(round(raw * factor, 4))
                size += length
            fields[f"{name}_{channel}"] = vector
        else:
            raise FormatterError(f"unknown type {kind}")
        data = data[size:]
    return Decoded(fields)


def _encode_cayenne(command: dict[str, Any], f_port: int) -> Encoded:
    payload = b""
    for key, value in command.items():
        name, _, channel = key.rpartition("_")
        if name != "value" or not channel.isdigit():
            raise FormatterError(f"unknown value {key}")
        payload += bytes([int(channel)]) + round(float(value) * 100).to_bytes(2, signed=True)
    return Encoded(payload + b"\xff", f_port or 1)


CAYENNE = Formatter(_cayenne, _encode_cayenne)
REPOSITORY = {
    ("dragino", "lht65n"): Formatter(_lht65n),
    ("milesight-iot", "ws523"): Formatter(_ws523, _encode_ws523, _decode_ws523_downlink),
    ("mclimate", "vicki"): Formatter(_vicki, _encode_vicki, _decode_vicki_downlink),
}
WEATHER_SCRIPT = (
    "function decodeUplink(i){var b=i.bytes;if(i.fPort===9){return {errors:['unknown frame "
    "type']};}return {data:{temperature:(b[0]<<8|b[1])/10,humidity:b[2],battery:b[3],wind:"
    "{speed:b[4]/10,direction:b[5]*2},gps:{latitude:52.37+b[6]/10000,longitude:4.89}},"
    "warnings:b[3]<20?['battery low']:[]};}"
)
NONE = Formatter()
