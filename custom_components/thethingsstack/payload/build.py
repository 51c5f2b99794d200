"""From what a rule says of a field to its meaning, legal in Home Assistant's own tables."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from .counters import role_of
from .evidence import Evidence, Verdict
from .full_scale import ALWAYS_ABSENT, is_full_scale
from .names import plain_name, quantity_name
from .override import NUMERIC_ROLES
from .quantities import INSTEAD, QUANTITIES, UNITS_OF_CLASS
from .types import Category, Kind, Meaning, Role, Source
from .units import Unit, factor
from .values import HUGE, decimals

# What is as often below as above zero: -999 mg is a sensor that lies on its back.
_SIGNED = frozenset(["acceleration", "rotation_rate", "angle"])


def _candidates(quantity: str | None, unit: Unit) -> Iterator[tuple[str | None, Unit]]:
    """Return quantity and unit as given, and by conversion, until Home Assistant takes them."""
    if quantity is None:
        yield None, unit
        return
    yield quantity, unit
    if unit.symbol is not None and (instead := INSTEAD.get((quantity, unit.symbol))) is not None:
        yield instead[0], Unit(instead[1], unit.scale * instead[2])


def _legal(quantity: str | None, unit: Unit) -> bool:
    if quantity is None:
        return True
    if QUANTITIES[quantity].role is Role.ANGLE and unit.symbol != "°":
        return False
    device_class = QUANTITIES[quantity].device_class
    return device_class not in UNITS_OF_CLASS or unit.symbol in UNITS_OF_CLASS[device_class]


def _precision_of(raw: object, quantity: str | None, scale: float) -> int | None:
    digits = decimals(raw)
    if digits is None or scale != 1.0:
        return None
    return min(digits, QUANTITIES[quantity].precision if quantity else 3)


def build_meaning(evidence: Evidence, verdict: Verdict) -> Meaning:
    """Return the meaning that a verdict comes down to, legal in Home Assistant's own tables."""
    quantity = verdict.quantity
    template = QUANTITIES[quantity] if quantity is not None else None
    kind = verdict.kind or (template.kind if template else Kind.SENSOR)
    role = verdict.role or (role_of(evidence, quantity) if quantity else _role(evidence))
    unit = Unit(None)
    if kind is Kind.SENSOR and role in NUMERIC_ROLES:
        default = template.unit if template else None
        wanted = verdict.unit or evidence.unit or Unit(default)
        for quantity, unit in _candidates(verdict.quantity, wanted):
            if _legal(quantity, unit):
                break
        else:
            quantity = None
        if quantity != verdict.quantity:
            template = QUANTITIES[quantity] if quantity else None
            role = role_of(evidence, quantity) if quantity else Role.MEASUREMENT
    category = verdict.category or (template.category if template else Category.PRIMARY)
    if kind is Kind.BINARY_SENSOR and evidence.concepts & {"version", "decoder"}:
        category = Category.DIAGNOSTIC
    if category is Category.CONFIGURATION:
        quantity = None
    name = (
        quantity_name(evidence.keys, quantity, verdict.used)
        if quantity
        else plain_name(evidence.keys)
    )
    enabled = (
        verdict.enabled if verdict.enabled is not None else (template.enabled if template else True)
    )
    return Meaning(
        kind=kind,
        quantity=quantity,
        unit=unit.symbol,
        role=role,
        category=category,
        enabled=enabled,
        name=name,
        scale=unit.scale,
        options=verdict.options,
        invert=verdict.invert,
        precision=_precision_of(evidence.raw, quantity, unit.scale),
        unit_assumed=verdict.unit_assumed and quantity is not None,
        source=_source(evidence, verdict),
        rule=verdict.rule,
        reason=_reason(evidence, verdict, quantity, unit),
    )


def _source(evidence: Evidence, verdict: Verdict) -> Source:
    if verdict.rule == "model":
        return Source.LIBRARY
    hinted = evidence.unit_beside is not None or evidence.reading.unit is not None
    return Source.HINTS if hinted else Source.INFERRED


def _role(evidence: Evidence) -> Role:
    if evidence.two_state:
        return Role.STATE
    return Role.STATE if evidence.is_text else Role.MEASUREMENT


def _reason(evidence: Evidence, verdict: Verdict, quantity: str | None, unit: Unit) -> str:
    what = QUANTITIES[quantity].name if quantity else "Plain value"
    where = ".".join(evidence.keys)[:60]
    if verdict.rule == "model":  # its sources, which are those of other fields as well, come last
        known = [f"unit: {unit.symbol}"] if unit.symbol else []
        return f"{what}. “{where}”: " + "; ".join(
            [*known, f"known of the model from {verdict.why}"]
        )
    parts = [f"“{where}”: {verdict.why}"]
    if verdict.used and verdict.rule.startswith(("words", "flag")):
        parts.append(f"words: {', '.join(sorted(c for c in evidence.leaf))}")
    if unit.symbol:
        parts.append(f"unit: {unit.symbol}")
    return f"{what}. " + "; ".join(parts)


def ratio_of(unit: str | None, wanted: str | None) -> float:
    """Return what to multiply a number with for the unit that a quantity's limits are in."""
    if unit == wanted or unit is None or wanted is None:
        return 1.0
    return factor(unit, wanted) or 1.0


class _Bounds(NamedTuple):
    """What numbers in one unit a quantity can have."""

    ratio: float
    limits: tuple[float, float] | None
    usual: tuple[float, float] | None
    signed: bool


_NO_BOUNDS = _Bounds(1.0, None, None, False)
_ANY = (-HUGE, HUGE)
_NEVER_ABSENT = (-998.0, 32_766.0)
"""Between these, no number is one of ALWAYS_ABSENT."""


@cache
def _bounds(quantity: str, unit: str | None) -> _Bounds:
    known = QUANTITIES[quantity]
    return _Bounds(ratio_of(unit, known.unit), known.limits, known.usual, quantity in _SIGNED)


def is_beyond_limits(number: float, quantity: str | None, unit: str | None) -> bool:
    """Return whether a number in this unit is impossible for a quantity."""
    if quantity is None:
        return False
    ratio, limits, _, _ = _bounds(quantity, unit)
    return limits is not None and not limits[0] <= number * ratio <= limits[1]


@cache
def usual_numbers(quantity: str | None, unit: str | None) -> tuple[float, float]:
    """Return between which numbers in this unit none is impossible or stands for "no value"."""
    ratio, limits, usual, signed = _bounds(quantity, unit) if quantity else _NO_BOUNDS
    low, high = _NEVER_ABSENT if signed or limits is usual is None else _ANY
    for lowest, highest in filter(None, (limits, usual)):
        low, high = max(low, lowest / ratio), min(high, highest / ratio)
    return low, high


def is_sentinel(number: float, quantity: str | None, unit: str | None) -> bool:
    """Return whether a number in this unit stands for "no value"."""
    if quantity is None:
        return number in ALWAYS_ABSENT
    ratio, limits, usual, signed = _bounds(quantity, unit)
    size = number * ratio
    if limits is not None and not limits[0] <= size <= limits[1]:
        return True
    if usual is not None and not usual[0] <= size <= usual[1]:
        return is_full_scale(number)
    if signed:
        return number in ALWAYS_ABSENT and abs(number) > 10_000
    return limits is usual is None and number in ALWAYS_ABSENT
