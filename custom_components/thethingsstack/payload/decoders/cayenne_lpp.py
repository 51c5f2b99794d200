"""CayenneLPP: channel, type and value of each field, one after another.

Types and names of the first dozen are those of The Things Stack's own decoder, so that fields stay
the same whoever decodes them. The others are those that the libraries of devices have added since
(CayenneLPP for Arduino; RAKwireless for 137 and 138), by their names.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..sensor_attributes import SENSOR_ATTR
from .errors import DecodeError


@dataclass(frozen=True, slots=True)
class _Type:
    name: str
    parts: tuple[tuple[str, int], ...]
    """Names and sizes in bytes of its numbers; the only one of most has no name."""
    resolution: tuple[float, ...] = (1,)
    """What one is of the last bit, of each number or of all."""
    signed: bool = False
    unit: str | None = None
    """Where the name alone doesn't say it."""

    @property
    def size(self) -> int:
        return sum(size for _, size in self.parts)

    def read(self, data: bytes) -> object:
        """Return the value: a number, or several by their names."""
        numbers: dict[str, float] = {}
        at = 0
        for index, (name, size) in enumerate(self.parts):
            raw = int.from_bytes(data[at : at + size], "big", signed=self.signed)
            step = self.resolution[index % len(self.resolution)]
            numbers[name] = raw if step == 1 else round(raw * step, 9)
            at += size
        return numbers.get("", numbers)


def _one(
    name: str, size: int, step: float = 1, *, signed: bool = False, unit: str | None = None
) -> _Type:
    return _Type(name, (("", size),), (step,), signed, unit)


def _axes(name: str, step: float) -> _Type:
    return _Type(name, (("x", 2), ("y", 2), ("z", 2)), (step,), signed=True)


def _place(size: int, step: float) -> _Type:
    parts = (("latitude", size), ("longitude", size), ("altitude", 3))
    return _Type("gps", parts, (step, step, 0.01), signed=True)


_TYPES: Mapping[int, _Type] = {
    0: _one("digital_in", 1),
    1: _one("digital_out", 1),
    2: _one("analog_in", 2, 0.01, signed=True),
    3: _one("analog_out", 2, 0.01, signed=True),
    100: _one("generic", 4),
    101: _one("luminosity", 2, unit="lx"),
    102: _one("presence", 1),
    103: _one("temperature", 2, 0.1, signed=True, unit="°C"),
    104: _one("relative_humidity", 1, 0.5, unit="%"),
    113: _axes("accelerometer", 0.001),
    115: _one("barometric_pressure", 2, 0.1, unit="hPa"),
    116: _one("voltage", 2, 0.01, unit="V"),
    117: _one("current", 2, 0.001, unit="A"),
    118: _one("frequency", 4, unit="Hz"),
    120: _one("percentage", 1, unit="%"),
    121: _one("altitude", 2, signed=True, unit="m"),
    125: _one("concentration", 2, unit="ppm"),
    128: _one("power", 2, unit="W"),
    130: _one("distance", 4, 0.001, unit="m"),
    131: _one("energy", 4, 0.001, unit="kWh"),
    132: _one("direction", 2, unit="°"),
    133: _one("time", 4),
    134: _axes("gyrometer", 0.01),
    135: _Type("colour", (("r", 1), ("g", 1), ("b", 1))),
    136: _place(3, 0.0001),
    137: _place(4, 0.000001),
    138: _one("voc_index", 2),
    142: _one("switch", 1),
}


def decode_cayenne_lpp(data: bytes) -> dict[str, object]:
    """Return the fields by type and channel, such as `temperature_1`, with the units of some.

    Of several with the same type and channel the last counts. Raises DecodeError; then none of the
    fields is certain.
    """
    if not data:
        raise DecodeError("no_bytes")
    fields: dict[str, object] = {}
    units: dict[str, object] = {}
    at = 0
    while at < len(data):
        known = _TYPES.get(data[at + 1]) if at + 1 < len(data) else None
        if known is None:
            raise DecodeError("unknown_type", at=at + 1, given=data[at + 1 : at + 2].hex() or "-")
        value = data[at + 2 : at + 2 + known.size]
        if len(value) < known.size:
            raise DecodeError(
                "cut_off", at=at + 2, type=known.name, needed=known.size, left=len(value)
            )
        name = f"{known.name}_{data[at]}"
        fields[name] = known.read(value)
        if known.unit is not None:
            units[name] = {"unit": known.unit}
        at += 2 + known.size
    if units:
        fields[SENSOR_ATTR] = units
    return fields
