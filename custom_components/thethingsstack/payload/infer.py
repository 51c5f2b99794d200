"""From a field's name, value and company to its meaning. Asked once for each field."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

from .counters import role_of
from .enumerations import known_enumeration
from .evidence import Evidence, Verdict
from .flatten import Leaf
from .formatter_hints import FieldHint
from .full_scale import ALWAYS_ABSENT, is_full_scale
from .library import KnownField
from .names import plain_name, quantity_name
from .observations import Observations
from .override import NUMERIC_ROLES
from .quantities import INSTEAD, QUANTITIES, UNITS_OF_CLASS
from .rules import decide
from .types import UNDECIDED, Category, Context, Kind, Meaning, Role, Source
from .units import NO_UNIT, Unit, factor
from .values import ABSENT, Reading, Shape, decimals, number_of, read, says_not_yet
from .vocabulary import CODE_HEADS, word_set

# What is as often below as above zero: -999 mg is a sensor that lies on its back.
_SIGNED = frozenset(["acceleration", "rotation_rate", "angle"])


_NO_TRUTHS = word_set("""
    mode type code group class count times number index rate total level strength percent
""")
"""Names of what counts, or chooses one of several, even where one bit is enough for it."""


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
    parts = [f"“{where}”: {verdict.why}"]
    if verdict.used and verdict.rule.startswith(("words", "flag")):
        parts.append(f"words: {', '.join(sorted(c for c in evidence.leaf))}")
    if unit.symbol:
        parts.append(f"unit: {unit.symbol}")
    return f"{what}. " + "; ".join(parts)


def _ratio(unit: str | None, wanted: str | None) -> float:
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


@cache
def _bounds(quantity: str, unit: str | None) -> _Bounds:
    known = QUANTITIES[quantity]
    return _Bounds(_ratio(unit, known.unit), known.limits, known.usual, quantity in _SIGNED)


def is_beyond_limits(number: float, quantity: str | None, unit: str | None) -> bool:
    """Return whether a number in this unit is impossible for a quantity."""
    if quantity is None:
        return False
    ratio, limits, _, _ = _bounds(quantity, unit)
    return limits is not None and not limits[0] <= number * ratio <= limits[1]


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


def _known_meaning(evidence: Evidence, known: KnownField) -> Meaning:
    """Return the decision on a field that the model library has."""
    enabled = known.enabled
    used = frozenset(evidence.leaf)
    if evidence.context.known is None or not evidence.context.known.is_named_by_quantity(known):
        inferred = decide(evidence)
        # What its quantity doesn't say stays in its name: "Temperature 2".
        used = inferred.used if inferred.quantity == known.quantity else used
    if enabled is None and known.category is Category.CONFIGURATION:
        enabled = False
    meaning = build_meaning(
        evidence,
        Verdict(
            rule="model",
            quantity=known.quantity,
            kind=known.kind,
            role=known.role,
            category=known.category,
            enabled=enabled,
            unit=known.unit,
            invert=known.invert,
            options=tuple(dict.fromkeys(name for _, name in known.states)),
            used=used,
            why=known.source,
        ),
    )
    if not known.states and known.name is None:
        return meaning
    options = meaning.options if meaning.kind is Kind.SENSOR else ()
    return replace(
        meaning,
        value_map=known.states,
        options=options,
        name=known.name or meaning.name,
    )


@dataclass(frozen=True, slots=True)
class Uplink:
    """What an uplink says besides its fields."""

    context: Context = field(default_factory=Context)
    repeats_settings: bool = False
    """Whether it says that it repeats the end device's settings."""


_NO_UPLINK = Uplink()


def known_field(leaf: Leaf, uplink: Uplink) -> KnownField | None:
    """Return what is known of a field of the end device's model; None if nothing is."""
    known = uplink.context.known
    return known.find(leaf.path) if known is not None else None


def formatter_hint(leaf: Leaf, uplink: Uplink) -> FieldHint | None:
    """Return what the payload formatter's text says of a field; None if nothing."""
    hints = uplink.context.formatter
    return hints.get(leaf.keys[-1]) if hints and leaf.keys else None


def infer(
    leaf: Leaf,
    uplink: Uplink = _NO_UPLINK,
    *,
    absent: bool = False,
    observed: Observations | None = None,
) -> Meaning:
    """Return what a field is; with `absent` by its name alone, else by all values `observed`."""
    raw = leaf.raw
    if observed is not None and observed.numbers and number_of(raw) is not None:
        raw = observed.extreme if not isinstance(raw, str) or observed.numbers > 1 else raw
    reading = ABSENT if absent else read(raw)
    if (known := known_field(leaf, uplink)) is not None:
        return _known_meaning(_evidence(leaf, uplink, reading, raw, observed), known)
    if reading.shape is Shape.TEXT and says_not_yet(str(reading.value)):
        waiting = _evidence(leaf, uplink, ABSENT, None, None)
        if waiting.head not in CODE_HEADS:
            return _not_yet(waiting, str(reading.value))
    if isinstance(leaf.raw, str) and reading.shape is Shape.NUMBER and reading.unit is None:
        reading = reading._replace(unit=read(leaf.raw).unit)
    if (hint := formatter_hint(leaf, uplink)) is not None:
        return _hinted_meaning(_evidence(leaf, uplink, reading, raw, observed), hint, leaf, uplink)
    return _inferred_meaning(_evidence(leaf, uplink, reading, raw, observed), leaf, uplink)


def _inferred_meaning(evidence: Evidence, leaf: Leaf, uplink: Uplink) -> Meaning:
    meaning = build_meaning(evidence, decide(evidence))
    number = evidence.number
    if number is None or not _is_measured(meaning):
        return meaning
    if _is_full_scale(number, meaning):
        by_name = _evidence(leaf, uplink, ABSENT, None, None)
        return build_meaning(by_name, decide(by_name))
    if meaning.role is not Role.TOTAL and (limits := _crossed_limits(evidence, meaning)):
        return _without_quantity(evidence, meaning, limits)
    return meaning


def _is_measured(meaning: Meaning) -> bool:
    return meaning.role in NUMERIC_ROLES


def _may_be_truth(evidence: Evidence, leaf: Leaf, uplink: Uplink) -> bool:
    """Return whether nothing says that a field is a number, or chooses one of two."""
    if not evidence.zero_or_one or evidence.reading.value not in (0, 1):
        return False
    plain = _inferred_meaning(evidence, leaf, uplink)
    measured = plain.kind is Kind.SENSOR and plain.quantity is not None
    return evidence.head not in _NO_TRUTHS and not measured


def _takes_unit(evidence: Evidence, unit: Unit) -> bool:
    """Return whether nothing says that a field has another unit, or none."""
    numeric = evidence.reading.shape in (Shape.NUMBER, Shape.ABSENT)
    return numeric and evidence.unit in (None, unit)


def _hinted_meaning(evidence: Evidence, hint: FieldHint, leaf: Leaf, uplink: Uplink) -> Meaning:
    """Return the decision with what the payload formatter says, as far as nothing contradicts it.

    What the formatter says counts as if the payload said it: a unit as one beside the value, a
    flag's 0 and 1 as truths.
    """
    reading = evidence.reading
    used = []
    if hint.is_flag and _may_be_truth(evidence, leaf, uplink):
        truth = Reading(Shape.BOOL, bool(reading.value))
        evidence = replace(evidence, reading=truth, raw=bool(reading.value))
        used.append("flag")
    elif hint.unit is not None and _takes_unit(evidence, hint.unit):
        evidence = replace(evidence, unit_beside=hint.unit)
        used.append("unit")
    meaning = _inferred_meaning(evidence, leaf, uplink)
    telling = "flag" if meaning.kind is Kind.BINARY_SENSOR else "unit"
    if used != [telling] or (telling == "unit" and meaning.unit is None):
        used.clear()  # it says nothing of what the field became
    plain = meaning
    meaning = known_enumeration(meaning, hint.words, leaf.raw)
    if meaning is not plain:
        used.append("states")
    if hint.precision is not None and _is_measured(meaning) and meaning.scale == 1:
        most = QUANTITIES[meaning.quantity].precision if meaning.quantity else 3
        meaning = replace(meaning, precision=min(hint.precision, most))
    if not used or meaning.kind is Kind.IGNORE:
        return meaning
    reason = f"{meaning.reason}; payload formatter: {', '.join(used)}"
    return replace(meaning, source=Source.FORMATTER, reason=reason)


def _evidence(
    leaf: Leaf, uplink: Uplink, reading: Reading, raw: object, observed: Observations | None
) -> Evidence:
    return Evidence(
        leaf.keys,
        reading,
        raw,
        leaf.unit,
        uplink.context,
        observed=observed,
        siblings=leaf.place or leaf.siblings,
        repeats_settings=uplink.repeats_settings,
    )


def _not_yet(evidence: Evidence, text: str) -> Meaning:
    """Return the decision on a field that has no value yet: by its name, to be corrected."""
    meaning = build_meaning(evidence, decide(evidence))
    if meaning.quantity is None and meaning.kind is Kind.SENSOR:
        return replace(meaning, rule=UNDECIDED, reason=f"Plain value. No value yet: “{text}”")
    return meaning


def _is_full_scale(number: float, meaning: Meaning) -> bool:
    return is_full_scale(number) and is_sentinel(
        number * meaning.scale, meaning.quantity, meaning.unit
    )


def _crossed_limits(evidence: Evidence, meaning: Meaning) -> tuple[float, float] | None:
    """Return the limits of a quantity, in its unit, that all numbers so far are beyond."""
    known = QUANTITIES[meaning.quantity] if meaning.quantity is not None else None
    limits = known.limits or known.usual if known is not None else None
    if known is None or limits is None or evidence.number is None:
        return None
    ratio = _ratio(meaning.unit, known.unit) * meaning.scale
    low = evidence.low * ratio
    high = (evidence.observed.high if evidence.observed else evidence.number) * ratio
    return limits if high < limits[0] or low > limits[1] else None


def _without_quantity(evidence: Evidence, meaning: Meaning, limits: tuple[float, float]) -> Meaning:
    """Return the decision for a number that the quantity of its name can't have."""
    known = QUANTITIES[meaning.quantity or ""]
    unit = f" {known.unit}" if known.unit else ""
    verdict = Verdict(
        rule="out of limits",
        role=Role.MEASUREMENT,
        why=f"{evidence.number} is no {known.name.lower()}: {limits[0]:g} to {limits[1]:g}{unit}",
    )
    return build_meaning(replace(evidence, unit_beside=NO_UNIT), verdict)
