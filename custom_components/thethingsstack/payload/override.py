"""What a user says of a field, against what was inferred: it comes before every rule."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self
from unicodedata import category

from .types import NO_CLASS, Category, Kind, Meaning, Role, Source
from .values import HUGE, Shape, read

NUMERIC_ROLES = (Role.MEASUREMENT, Role.TOTAL, Role.AMOUNT, Role.ANGLE, Role.NUMBER)
LONGEST = 100
"""Characters of a name, names in a map."""
SHOWN = 60
SENSOR_ROLES = (*NUMERIC_ROLES, Role.STATE, Role.TIMESTAMP)


OVERRIDE_REASONS = {
    "unknown_key": "unknown: {given}",
    "no_choice": "{part}: {given} is none of {choices}",
    "too_long": "{part}: longer than {maximum} characters",
    "not_shown": "{part}: {given} has characters that can't be shown",
    "no_text": "{part}: {given} is no text",
    "no_number": "{part}: {given} is no number",
    "zero_scale": "scale: multiplying by zero leaves nothing to see",
    "not_positive": "{part}: it has to be more than 0",
    "no_truth": "{part}: {given} is neither true nor false",
    "no_map": "value_map: {given} does not map values to names",
    "missing": "{part}: missing",
    "two_places": "device and model: only one of them",
    "no_change": "it changes nothing",
}


class InvalidOverrideError(ValueError):
    """An override can't be read; `key` is that of the reason's text."""

    def __init__(self, key: str, **placeholders: object) -> None:
        """Keep the text's key and its placeholders."""
        super().__init__(OVERRIDE_REASONS[key].format(**placeholders))
        self.key = key
        self.placeholders = {name: str(value) for name, value in placeholders.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Changes to a decision; what is None stays as it was inferred."""

    kind: Kind | None = None
    """`Kind.IGNORE` hides the field."""
    device_class: str | None = None
    """`NO_CLASS` takes it away."""
    unit: str | None = None
    """The unit that the value has after `scale` and `offset`; an empty text takes it away."""
    role: Role | None = None
    name: str | None = None
    scale: float | None = None
    offset: float | None = None
    value_map: tuple[tuple[str, str], ...] | None = None
    """What a reported value stands for: (("0", "closed"), ("1", "open"))."""
    invert: bool | None = None
    max_jump: float | None = None
    """By how much a value may differ from the one before, in `unit`; else it needs a second."""

    def __bool__(self) -> bool:
        """Return whether anything is changed."""
        return self != _NOTHING

    def as_dict(self) -> dict[str, Any]:
        """Return this as JSON, without what stays."""
        return {
            f.name: dict(value) if f.name == "value_map" else _as_json(value)
            for f in fields(self)
            if (value := getattr(self, f.name)) is not None
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `as_dict` gave; raises InvalidOverrideError."""
        if unknown := data.keys() - {f.name for f in fields(cls)}:
            given = ", ".join(sorted(map(str, unknown)))[:SHOWN]
            raise InvalidOverrideError("unknown_key", given=given)
        return cls(
            kind=_member(Kind, "kind", data),
            device_class=_text("device_class", data),
            unit=as_home_assistant_writes(_text("unit", data)),
            role=_member(Role, "role", data),
            name=_text("name", data),
            scale=_number("scale", data),
            offset=_number("offset", data),
            value_map=_map(data),
            invert=_truth("invert", data),
            max_jump=_positive("max_jump", data),
        )

    def apply(self, automatic: Meaning) -> Meaning:
        """Return the decision with these changes; what they make meaningless is dropped."""
        if not self:
            return automatic
        kind = self.kind or automatic.kind
        if kind is Kind.IGNORE and self.kind is None:
            return automatic  # nothing to be seen of the change
        if kind is Kind.IGNORE:
            return replace(
                automatic,
                kind=kind,
                source=Source.OVERRIDE,
                rule="override",
                reason="Hidden by you.",
            )
        shared: dict[str, Any] = {
            "kind": kind,
            "name": self.name or automatic.name,
            "category": (
                Category.DIAGNOSTIC
                if automatic.category is Category.CONFIGURATION
                else automatic.category
            ),
            "enabled": True,
            "source": Source.OVERRIDE,
            "rule": "override",
            "reason": f"Changed by you. Without that: {automatic.reason}",
            "value_map": self.value_map or (),
        }
        if kind is Kind.SENSOR:
            return self._sensor(automatic, shared)
        same = kind is automatic.kind
        if not same:
            shared |= {"unit": None, "precision": None, "scale": 1.0, "options": ()}
        if kind is Kind.BINARY_SENSOR:
            shared["role"] = Role.FLAG
            shared["device_class"] = self.device_class or (None if same else NO_CLASS)
            if self.invert is not None:
                shared["invert"] = self.invert
        elif kind is Kind.EVENT:
            shared["role"] = Role.STATE
            shared["device_class"] = self.device_class or (None if same else NO_CLASS)
            if self.value_map:
                shared["options"] = self._mapped()
        return replace(automatic, **shared)

    def _sensor(self, automatic: Meaning, shared: dict[str, Any]) -> Meaning:
        same = automatic.kind is Kind.SENSOR
        role = self.role or self._role(automatic)
        shared |= {
            "role": role,
            "device_class": self.device_class or (None if same else NO_CLASS),
            "invert": False,
            "options": (() if role in NUMERIC_ROLES else self._mapped())
            or (automatic.options if role is automatic.role else ()),
        }
        if role not in NUMERIC_ROLES:
            return replace(automatic, **shared, unit=None, scale=1.0, precision=None)
        numbers = (self.unit, self.scale, self.offset) != (None, None, None)
        if self.unit is not None:
            shared["unit"] = self.unit or None
        if self.max_jump is not None:
            shared["max_jump"] = self.max_jump
        if self.scale is not None:
            shared["scale"] = self.scale
        if self.offset is not None:
            shared["offset"] = self.offset
        if self.scale is not None or self.offset is not None:
            shared["precision"] = None
        return replace(automatic, **shared, manual=numbers or self.device_class is not None)

    def _role(self, automatic: Meaning) -> Role:
        if self.has_words:
            return Role.STATE
        if automatic.role in SENSOR_ROLES:
            if automatic.role is Role.STATE and (self.unit or self.scale or self.offset):
                return Role.MEASUREMENT
            return automatic.role
        numeric = self.unit or self.scale or self.offset or self.value_map
        return Role.MEASUREMENT if numeric else Role.STATE

    def _mapped(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value for _, value in self.value_map or ()))

    @property
    def has_words(self) -> bool:
        """Return whether values get names that are no numbers; "unknown" is none, either."""
        numbers = (Shape.NUMBER, Shape.ABSENT)
        return any(read(name).shape not in numbers for _, name in self.value_map or ())


_NOTHING = Override()


def _member[MemberT: (Kind, Role)](
    enum: type[MemberT], key: str, data: Mapping[str, Any]
) -> MemberT | None:
    value = data.get(key)
    if value is None:
        return None
    try:
        return enum(value)
    except ValueError:
        given = repr(value)[:SHOWN]
        choices = ", ".join(enum)
        raise InvalidOverrideError("no_choice", part=key, given=given, choices=choices) from None


def _as_json(value: Any) -> Any:
    return value.value if isinstance(value, Kind | Role) else value


def _text(key: str, data: Mapping[str, Any]) -> str | None:
    value = data.get(key)
    return None if value is None else plain_text(key, value)


def as_home_assistant_writes(unit: str | None) -> str | None:
    """Return a unit with the sign for micro that Home Assistant has; keyboards have another."""
    return None if unit is None else unit.replace("\u00b5", "\u03bc")


def plain_text(key: str, value: object, longest: int = LONGEST) -> str:
    """Return a text that can be shown and stored; raises InvalidOverrideError for any other value."""
    if isinstance(value, str) and len(value) > longest:
        raise InvalidOverrideError("too_long", part=key, maximum=longest)
    if isinstance(value, str) and any(category(char) in ("Cc", "Cs") for char in value):
        raise InvalidOverrideError("not_shown", part=key, given=repr(value)[:SHOWN])
    if isinstance(value, str):
        return value
    raise InvalidOverrideError("no_text", part=key, given=repr(value)[:SHOWN])


def _number(key: str, data: Mapping[str, Any]) -> float | None:
    value = data.get(key)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < HUGE:
        if value == 0 and key == "scale":
            raise InvalidOverrideError("zero_scale")
        return float(value)
    raise InvalidOverrideError("no_number", part=key, given=repr(value)[:SHOWN])


def _positive(key: str, data: Mapping[str, Any]) -> float | None:
    value = _number(key, data)
    if value is not None and value <= 0:
        raise InvalidOverrideError("not_positive", part=key)
    return value


def _truth(key: str, data: Mapping[str, Any]) -> bool | None:
    value = data.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise InvalidOverrideError("no_truth", part=key, given=repr(value)[:SHOWN])


def _map(data: Mapping[str, Any]) -> tuple[tuple[str, str], ...] | None:
    value = data.get("value_map")
    if value is None:
        return None
    if isinstance(value, Mapping) and len(value) <= LONGEST:
        return tuple(
            (plain_text("value_map", spelled(code)), plain_text("value_map", spelled(name)))
            for code, name in value.items()
        )
    raise InvalidOverrideError("no_map", given=repr(value)[:SHOWN])


def spelled(value: object) -> str:
    """Return a reported value as a value map spells it: "1" for 1 and 1.0, "true" for True."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
