"""From a field's name, value and company to its meaning. Asked once for each field."""

from collections.abc import Iterator

from .corrections import Correction, correction_of
from .evidence import Evidence, Verdict
from .flatten import Leaf
from .names import plain_name, quantity_name
from .quantities import INSTEAD, QUANTITIES, UNITS_OF_CLASS
from .rules import decide
from .types import Category, Context, Kind, Meaning, Role
from .units import Unit, factor
from .values import ABSENT, decimals, read

# What counters of 16, 24 and 32 bits are when nothing was measured, as they are and in tenths,
# hundredths and thousandths, and what some drivers put there.
_LIMITS = (
    65535,
    65534,
    65536,
    32767,
    32768,
    -32768,
    -32767,
    16777215,
    8388607,
    4294967295,
    2147483647,
    -2147483648,
)
_FULL_SCALE = frozenset({limit / part for limit in _LIMITS for part in (1, 10, 100, 1000)}) | {
    6550.9,
    4095.94,
    1023.98,
    -999,
    -9999,
    -99.9,
    -999.9,
    -99,
    999,
    9999,
    99999,
    282.9,
    -3276,
    3276,
    4095.9375,
    1023.984375,
}
_ALWAYS_ABSENT = frozenset({-999, -9999, 65535, 32767, -32768, 4294967295, 2147483647, -2147483648})


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
    role = verdict.role or (template.role if template else _role(evidence))
    unit = Unit(None)
    if kind is Kind.SENSOR and role in (Role.MEASUREMENT, Role.TOTAL, Role.ANGLE):
        default = template.unit if template else None
        wanted = verdict.unit or evidence.unit or Unit(default)
        for quantity, unit in _candidates(verdict.quantity, wanted):
            if _legal(quantity, unit):
                break
        else:
            quantity = None
        if quantity != verdict.quantity:
            template = QUANTITIES[quantity] if quantity else None
            role = template.role if template else Role.MEASUREMENT
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
        rule=verdict.rule,
        reason=_reason(evidence, verdict, quantity, unit),
    )


def _role(evidence: Evidence) -> Role:
    if evidence.two_state:
        return Role.STATE
    return Role.STATE if evidence.is_text else Role.MEASUREMENT


def _reason(evidence: Evidence, verdict: Verdict, quantity: str | None, unit: Unit) -> str:
    what = QUANTITIES[quantity].name if quantity else "Plain value"
    where = ".".join(evidence.keys)[:60]
    parts = [f"“{where}”: {verdict.why}"]
    if verdict.used and verdict.rule.startswith(("words", "flag")):
        parts.append(f"words: {', '.join(sorted(c for c in evidence.leaf))}")
    if unit.symbol:
        parts.append(f"unit: {unit.symbol}")
    return f"{what}. " + "; ".join(parts)


def is_sentinel(number: float, quantity: str | None, unit: str | None) -> bool:
    """Return whether a number in this unit stands for "no value"."""
    if quantity is None:
        return number in _ALWAYS_ABSENT
    known = QUANTITIES[quantity]
    size = number
    if unit != known.unit and unit is not None and known.unit is not None:
        size *= factor(unit, known.unit) or 1
    if known.limits is not None and not known.limits[0] <= size <= known.limits[1]:
        return True
    if known.usual is not None and not known.usual[0] <= size <= known.usual[1]:
        return number in _FULL_SCALE
    return known.limits is known.usual is None and number in _ALWAYS_ABSENT


def _corrected(evidence: Evidence, correction: Correction) -> Verdict:
    kind, role = correction.kind, correction.role
    if correction.quantity is None and role is None:
        role = Role.MEASUREMENT if kind in (None, Kind.SENSOR) else None
    return Verdict(
        rule="model",
        quantity=correction.quantity,
        kind=kind,
        role=role,
        unit=correction.unit,
        invert=correction.invert,
        used=frozenset(evidence.leaf),
        why=correction.source,
    )


def infer(leaf: Leaf, context: Context, *, absent: bool = False) -> Meaning:
    """Return what a field is; with `absent` by its name alone."""
    reading = ABSENT if absent else read(leaf.raw)
    evidence = Evidence(leaf.keys, reading, leaf.raw, leaf.unit, context)
    if (correction := correction_of(context, leaf.path)) is not None:
        return build_meaning(evidence, _corrected(evidence, correction))
    meaning = build_meaning(evidence, decide(evidence))
    number = evidence.number
    if (
        number is not None
        and meaning.role is Role.MEASUREMENT
        and number in _FULL_SCALE
        and is_sentinel(number * meaning.scale, meaning.quantity, meaning.unit)
    ):
        evidence = Evidence(leaf.keys, ABSENT, None, leaf.unit, context)
        meaning = build_meaning(evidence, decide(evidence))
    return meaning
