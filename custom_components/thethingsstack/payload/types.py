"""What a field of a decoded payload means, and what one uplink says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from .formatter_hints import FormatterHints
    from .library import ModelFields
    from .observations import Observations


class Kind(StrEnum):
    """What a field becomes."""

    SENSOR = "sensor"
    BINARY_SENSOR = "binary_sensor"
    DEVICE_TRACKER = "device_tracker"
    EVENT = "event"
    IGNORE = "ignore"


class Role(StrEnum):
    """How the values of a field behave over time."""

    MEASUREMENT = "measurement"
    TOTAL = "total_increasing"
    AMOUNT = "total"
    """A sum that may also fall; only where a user says so."""
    ANGLE = "measurement_angle"
    NUMBER = "number"
    """A number without statistics; only where a user says so."""
    STATE = "state"
    TIMESTAMP = "timestamp"
    FLAG = "flag"
    POSITION = "position"


class Source(StrEnum):
    """Who decided what a field is; the first of these that knows, wins."""

    OVERRIDE = "override"
    """The user."""
    LIBRARY = "library"
    """What is known of the end device's model."""
    FORMATTER = "formatter"
    """The payload formatter: its text, or what its payload says of its own fields."""
    HINTS = "hints"
    """What the payload says beside a value: a unit, a schema."""
    INFERRED = "inferred"
    """The field's name and values."""


class Category(StrEnum):
    """Who looks at a field."""

    PRIMARY = "primary"
    DIAGNOSTIC = "diagnostic"
    CONFIGURATION = "configuration"
    """A setting that the end device repeats back: diagnostic, disabled."""


UNDECIDED = "undecided"
"""The rule of a decision that waits for values that tell more."""
NO_CLASS = "none"
"""A device class that a user took away."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where an end device is: degrees, metres."""

    latitude: float
    longitude: float
    altitude: float | None = None
    accuracy: float | None = None


type Value = float | int | str | bool | datetime | Position | None
"""What an uplink says of a field; `None`: nothing that can be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """The decision on one field, made once and kept."""

    kind: Kind
    quantity: str | None
    """Key of `quantities.QUANTITIES`."""
    unit: str | None
    """In Home Assistant's spelling; `None` is unitless."""
    role: Role
    category: Category
    enabled: bool
    name: str | None
    """Human name; `None` where the quantity's own, translated name says it all."""
    scale: float = 1.0
    """What to multiply a reported number with for the value in `unit`."""
    options: tuple[str, ...] = ()
    """The states of a closed enumeration."""
    invert: bool = False
    """The reported truth is the opposite of Home Assistant's "on"."""
    offset: float = 0.0
    """What to add after `scale`."""
    device_class: str | None = None
    """Home Assistant's, where a user chose it: `NO_CLASS` for none; `None`: the quantity's."""
    value_map: tuple[tuple[str, str], ...] = ()
    """What a reported value, as text, stands for."""
    manual: bool = False
    """A user chose unit or class: neither a unit in the value nor the quantity's limits count."""
    max_jump: float | None = None
    """By how much a value may differ from the one before, where a user chose it."""
    precision: int | None = None
    """Decimals of the first value seen."""
    icon: str | None = None
    """Where the payload names one."""
    expected: bool = False
    """Whether it comes from an example of the model: nothing was reported yet."""
    unit_assumed: bool = False
    """Whether the unit is only the usual one, and the next values may tell another."""
    doubt: str = ""
    """What later values say against it, in words, and why it stays all the same."""
    source: Source = Source.INFERRED
    """Who decided."""
    rule: str
    """Which rule decided."""
    reason: str
    """The same for humans."""

    def __hash__(self) -> int:
        """Return a hash of what tells most decisions apart: equal ones are looked up often."""
        return hash((self.quantity, self.unit, self.name, self.precision, self.reason))

    @property
    def is_undecided(self) -> bool:
        """Return whether the next values have to tell what it is."""
        return self.rule == UNDECIDED

    @property
    def is_battery(self) -> bool:
        """Return whether it tells how full the battery is, in per cent."""
        return self.kind is Kind.SENSOR and self.quantity == "battery" and self.unit == "%"

    def as_dict(self) -> dict[str, Any]:
        """Return this as JSON for storage, without what has its default."""
        return {
            f.name: _as_json(value)
            for f in fields(self)
            if (value := getattr(self, f.name)) != f.default
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `as_dict` gave; raises KeyError, TypeError or ValueError for anything else."""
        return cls(
            kind=Kind(data["kind"]),
            quantity=data["quantity"],
            unit=data["unit"],
            role=Role(data["role"]),
            category=Category(data["category"]),
            enabled=bool(data["enabled"]),
            name=data["name"],
            scale=float(data.get("scale", 1.0)),
            options=tuple(data.get("options", ())),
            invert=bool(data.get("invert", False)),
            offset=float(data.get("offset", 0.0)),
            device_class=data.get("device_class"),
            value_map=tuple((str(key), str(value)) for key, value in data.get("value_map", ())),
            manual=bool(data.get("manual", False)),
            max_jump=data.get("max_jump"),
            precision=data.get("precision"),
            icon=data.get("icon"),
            expected=bool(data.get("expected", False)),
            unit_assumed=bool(data.get("unit_assumed", False)),
            doubt=str(data.get("doubt", "")),
            source=Source(data.get("source", _source_of(data["rule"]))),
            rule=data["rule"],
            reason=data["reason"],
        )


def _source_of(rule: str) -> Source:
    """Return the source of a decision that was stored without one."""
    known = {"override": Source.OVERRIDE, "model": Source.LIBRARY, "normalized": Source.HINTS}
    return known.get(rule, Source.INFERRED)


def _as_json(value: Any) -> Any:
    return [_as_json(item) for item in value] if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is known of the end device and the uplink besides its fields."""

    brand_id: str | None = None
    model_id: str | None = None
    f_port: int | None = None
    sensors: tuple[str, ...] = ()
    """What the Device Repository says that the model measures."""
    known: "ModelFields | None" = None
    """What the model's fields are, where that is known."""
    formatter: "FormatterHints | None" = None
    """What the payload formatter's own text says of the fields."""


@dataclass(slots=True)
class Understanding:
    """What one uplink says."""

    values: dict[str, Value] = field(default_factory=dict)
    """The value of each field in this uplink, by path."""
    new: dict[str, Meaning] = field(default_factory=dict)
    """Decisions on fields that had none; those to ignore are among them."""
    grown: dict[str, Meaning] = field(default_factory=dict)
    """Decisions that stand, with a state more than before, or as no enumeration any more."""
    reported: dict[str, object] = field(default_factory=dict)
    """What was reported of each field of `new`, before it was read."""
    corrected: dict[str, Meaning] = field(default_factory=dict)
    """New decisions on fields that had one, which the values so far contradict."""
    observations: dict[str, "Observations"] = field(default_factory=dict)
    """What fields have reported so far: those whose decision may still be corrected."""
    settled: set[str] = field(default_factory=set)
    """Fields whose decision stays from now on: nothing more needs to be observed of them."""
    contradictions: dict[str, str] = field(default_factory=dict)
    """Values that don't fit a field that stays what it is, in words."""
    skipped: int = 0
    """Fields left out because there were too many, or nested too deep."""
