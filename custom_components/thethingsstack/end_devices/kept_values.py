"""What is kept of one end device until Home Assistant has started again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ..payload import NUMERIC_ROLES, Kind, Meaning, Position, Role, Value
from .state import NO_RECEPTION, EndDeviceState
from .stored_values import moment_of

RECEPTION = ("rssi", "snr", "gateways", "data_rate")
"""What is said of how the last uplink was received."""


class KeptValues(NamedTuple):
    """Field values, last uplink and its reception, as JSON has them."""

    values: Mapping[str, tuple[Any, str | None]]
    """Value and unit of each field, by path."""
    seen: str | None = None
    reception: Mapping[str, Any] = NO_RECEPTION
    dropped: str | None = None
    """Since when it has not been in Home Assistant, as far as that is known."""

    @classmethod
    def of(cls, device: EndDeviceState) -> KeptValues:
        """Return what there is to keep of an end device."""
        decisions = device.decisions
        return cls(
            {
                path: (as_json(value), _unit(decisions[path]))
                for path, value in device.values.items()
                if value is not None and path in decisions
            },
            as_json(device.last_seen),
            reception_of(device),
        )

    @classmethod
    def from_stored(cls, stored: Any) -> KeptValues:
        """Read what `as_stored` returned; raises AttributeError, LookupError, TypeError, ValueError."""
        values, reception = stored["values"], stored["reception"]
        return cls(
            {path: (value, unit) for path, (value, unit) in values.items()},
            _checked(stored["seen"]),
            {name: reception[name] for name in RECEPTION if name in reception},
            _checked(stored["dropped"]),
        )

    def as_stored(self) -> dict[str, Any]:
        """Return it for a file."""
        return self._asdict()

    def restore(self, device: EndDeviceState) -> None:
        """Give an end device its values again, those that still fit what its fields are.

        One that replaced another shows that one's values, but nobody received it yet.
        """
        for path, (value, unit) in self.values.items():
            meaning = device.decisions.get(path)
            if meaning is None or unit != _unit(meaning):
                continue  # the field is another by now
            if (fitting := _fitting(meaning, value)) is not None:
                device.restore(path, fitting)
        if device.taken_over:
            return
        if self.seen is not None:
            device.note_seen(datetime.fromisoformat(self.seen))
        device.reception_before = self.reception


def reception_of(device: EndDeviceState) -> Mapping[str, Any]:
    """Return how the last uplink was received, also before the start; empty if that is unknown."""
    latest = device.reception.latest
    if latest is None:
        return device.reception_before
    values = (latest.rssi, latest.snr, latest.gateways, data_rate_of(device))
    return dict(zip(RECEPTION, values, strict=True))


def data_rate_of(device: EndDeviceState) -> str | None:
    """Return the name of the last uplink's data rate, such as SF7BW125."""
    data_rate = device.last_uplink.data_rate if device.last_uplink else None
    return data_rate.name if data_rate else None


def as_json(value: Value) -> Any:
    """Return a value as JSON has it; a position as latitude, longitude, altitude and accuracy."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Position):
        return [value.latitude, value.longitude, value.altitude, value.accuracy]
    return value


def _checked(moment: Any) -> str | None:
    return None if moment is None else moment_of(moment).isoformat()


def _unit(meaning: Meaning) -> str | None:
    return meaning.unit if meaning.role in NUMERIC_ROLES else None


def _fitting(meaning: Meaning, value: Any) -> Value:
    """Return a kept value as its field has it; None where the field can't have it any more."""
    if meaning.kind is Kind.DEVICE_TRACKER:
        return _position(value)
    if meaning.kind is Kind.BINARY_SENSOR:
        return value if isinstance(value, bool) else None
    if meaning.kind is not Kind.SENSOR or isinstance(value, bool):
        return None
    if meaning.role in NUMERIC_ROLES:
        return value if isinstance(value, int | float) else None
    if meaning.role is Role.TIMESTAMP:
        return _moment(value)
    return value if isinstance(value, str | int | float) else None


def _moment(value: Any) -> datetime | None:
    try:
        return moment_of(value)
    except TypeError, ValueError:  # a text that was no time yet
        return None


def _position(value: Any) -> Position | None:
    if not isinstance(value, list | tuple) or len(value) != 4:
        return None
    latitude, longitude, altitude, accuracy = (
        part if isinstance(part, int | float) else None for part in value
    )
    if latitude is None or longitude is None:
        return None
    return Position(latitude, longitude, altitude, accuracy)
