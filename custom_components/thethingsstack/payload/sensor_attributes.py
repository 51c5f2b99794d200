"""What a decoded payload says itself of its fields: units and classes in its `_sensor_attr`.

Payload formatters write it as Home Assistant's `thethingsnetwork` reads it, whose library is
`ttn_client` 1.3: at the top of the payload, an object with one object for each field. Which
attributes there are is up to who writes it; those that name something of Home Assistant's sensors
count here, and others are left alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import re
from unicodedata import category

from .quantities import QUANTITIES
from .types import Category, Kind, Role
from .units import NO_UNIT, Unit, normalise

SENSOR_ATTR = "_sensor_attr"
_LONGEST_UNIT = 20
_LONGEST_NAME = 60
_SHOWN = 24
_ICON = re.compile(r"[a-z0-9]+:[a-z0-9]+(?:-[a-z0-9]+)*")
_ROLES = {
    "measurement": Role.MEASUREMENT,
    "measurement_angle": Role.ANGLE,
    "total": Role.AMOUNT,
    "total_increasing": Role.TOTAL,
}
_CLASSES = frozenset(quantity.device_class for quantity in QUANTITIES.values())
_TOTALS = (Role.TOTAL, Role.AMOUNT)
_ANY_ROLE = frozenset(["distance", "duration", "precipitation", "weight"])
"""Device classes of which both sums and single measurements have statistics."""

type AttributesByField = Mapping[object, object]
"""Attributes of each field, by its path or by the keys of its path joined with "_"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorAttributes:
    """What a payload says of one of its fields."""

    unit: Unit | None = None
    device_class: str | None = None
    role: Role | None = None
    category: Category | None = None
    name: str | None = None
    icon: str | None = None
    precision: int | None = None
    problems: tuple[str, ...] = ()
    """What is no unit, class and so on, in words."""


def attributes_in(decoded: Mapping[str, object]) -> AttributesByField:
    """Return what a decoded payload says of its fields; nothing where it says nothing."""
    given = decoded.get(SENSOR_ATTR)
    return given if isinstance(given, Mapping) else {}


def attributes_of(
    given: AttributesByField, path: str, keys: tuple[str, ...]
) -> SensorAttributes | None:
    """Return what is said of one field; None if nothing is. What makes no sense is a problem."""
    if not given:
        return None
    stated = given.get(path)
    if stated is None:
        stated = given.get("_".join(keys))
    if stated is None:
        return None
    if not isinstance(stated, Mapping):
        return SensorAttributes(problems=(_problem("attributes", stated),))
    problems: list[str] = []

    def read[T](reader: Callable[[object], T | None], *names: str) -> T | None:
        for name in names:
            if (raw := stated.get(name)) is not None:
                if (value := reader(raw)) is None:
                    problems.append(_problem(name, raw))
                return value
        return None

    return SensorAttributes(
        unit=read(_unit, "unit", "unit_of_measurement", "native_unit_of_measurement"),
        device_class=read(_device_class, "device_class"),
        role=read(_role, "state_class"),
        category=read(_category, "entity_category"),
        name=read(_name, "name", "friendly_name"),
        icon=read(_icon, "icon"),
        precision=read(_precision, "suggested_display_precision"),
        problems=tuple(problems),
    )


def quantity_of_class(device_class: str, kind: Kind, inferred: str | None) -> str | None:
    """Return the quantity that a device class stands for: the `inferred` one if it has the class."""
    found = [
        key
        for key, quantity in QUANTITIES.items()
        if quantity.device_class == device_class and quantity.kind is kind
    ]
    for preferred in (inferred, device_class):
        if preferred in found:
            return preferred
    return found[0] if found else None


def may_have_role(quantity: str | None, role: Role, unit: str | None) -> bool:
    """Return whether Home Assistant has statistics of that kind for a quantity."""
    if role is Role.ANGLE and unit != "°":
        return False
    known = QUANTITIES.get(quantity or "")
    if known is None or known.device_class is None or known.device_class in _ANY_ROLE:
        return True
    if known.role in _TOTALS:
        return role in _TOTALS
    return role is known.role


def _problem(name: str, raw: object) -> str:
    return f"{name} “{str(raw)[:_SHOWN]}”"


def _is_text(raw: object, longest: int) -> bool:
    return (
        isinstance(raw, str)
        and len(raw) <= longest
        and not any(category(char) in ("Cc", "Cs") for char in raw)
    )


def _unit(raw: object) -> Unit | None:
    """Return a unit; one that is unknown here as it is written."""
    if not _is_text(raw, _LONGEST_UNIT):
        return None
    text = str(raw).strip()
    return (normalise(text) or Unit(text)) if text else NO_UNIT


def _device_class(raw: object) -> str | None:
    return raw if isinstance(raw, str) and raw in _CLASSES else None


def _role(raw: object) -> Role | None:
    return _ROLES.get(raw) if isinstance(raw, str) else None


def _category(raw: object) -> Category | None:
    return Category.DIAGNOSTIC if raw == "diagnostic" else None


def _name(raw: object) -> str | None:
    return (str(raw).strip() or None) if _is_text(raw, _LONGEST_NAME) else None


def _icon(raw: object) -> str | None:
    if not isinstance(raw, str) or len(raw) > _LONGEST_NAME:
        return None
    return raw if _ICON.fullmatch(raw) else None


def _precision(raw: object) -> int | None:
    return raw if type(raw) is int and 0 <= raw <= 9 else None
