"""Decide what a field means, by its name, its value and the fields beside it.

The model library and the hints of the payload formatter come first. The rules that choose a
quantity are in `rules.py`.
"""

from dataclasses import dataclass, field, replace

from .build import build_meaning, is_sentinel, ratio_of
from .enumerations import known_enumeration
from .evidence import Evidence, Verdict
from .flatten import Leaf
from .formatter_hints import FieldHint
from .full_scale import is_full_scale
from .library import KnownField
from .observations import Observations
from .override import NUMERIC_ROLES
from .quantities import QUANTITIES
from .rules import decide
from .sensor_attributes import (
    AttributesByField,
    SensorAttributes,
    attributes_of,
    may_have_role,
    quantity_of_class,
)
from .siblings import unknown_unit
from .types import UNDECIDED, Category, Context, Kind, Meaning, Role, Source
from .units import DIMENSION_OF, NO_UNIT, Unit
from .values import ABSENT, Reading, Shape, number_of, read, says_not_yet
from .vocabulary import CODE_HEADS, word_set

_NO_TRUTHS = word_set("""
    mode type code group class count times number index rate total level strength percent
""")
"""Names of what counts, or chooses one of several, even where one bit is enough for it."""


def _known_meaning(evidence: Evidence, known: KnownField) -> Meaning:
    """Return the decision on a field that the model library has."""
    enabled = known.enabled
    used = evidence.leaf_concepts
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
    attributes: AttributesByField = field(default_factory=dict)
    """What its payload says of its fields."""


_NO_UPLINK = Uplink()


def known_field(leaf: Leaf, uplink: Uplink) -> KnownField | None:
    """Return what is known of a field of the end device's model; None if nothing is.

    What the payload says of a field is nearer to it than what is known of all fields of a pattern.
    """
    known = uplink.context.known
    if known is None:
        return None
    if uplink.attributes and attributes_of(uplink.attributes, leaf.path, leaf.keys) is not None:
        return known.exact.get(leaf.path)
    return known.find(leaf.path)


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
    """Return a field's meaning, by its name and the value in `leaf`.

    With `absent` the value is ignored; with `observed` all numbers seen so far count.
    """
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
    evidence = _evidence(leaf, uplink, reading, raw, observed)
    if (attributes := attributes_of(uplink.attributes, leaf.path, leaf.keys)) is not None:
        return _attributed_meaning(evidence, attributes, leaf, uplink)
    meaning = _by_all_else(evidence, leaf, uplink)
    if leaf.unit is None and leaf.siblings and leaf.keys:
        text = unknown_unit(leaf.keys[-1], leaf.siblings)
        return meaning if text is None else _with_note(meaning, f"unknown unit “{text[:20]}”")
    return meaning


def _by_all_else(evidence: Evidence, leaf: Leaf, uplink: Uplink) -> Meaning:
    """Return what a field is by the formatter's text, its name and its values."""
    if (hint := formatter_hint(leaf, uplink)) is not None:
        return _hinted_meaning(evidence, hint, leaf, uplink)
    return _inferred_meaning(evidence, leaf, uplink)


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


def _attributed_meaning(
    evidence: Evidence, stated: SensorAttributes, leaf: Leaf, uplink: Uplink
) -> Meaning:
    """Return the decision with what the payload itself says of the field.

    What makes no sense, or doesn't fit the values, is left out and named in the reason.
    """
    used: list[str] = []
    unused = list(stated.problems)
    meaning = _by_all_else(evidence, leaf, uplink)
    if (unit := stated.unit) is not None:
        evidence = replace(evidence, unit_beside=unit)
        with_unit = _by_all_else(evidence, leaf, uplink)
        unknown = unit.symbol is not None and unit.symbol not in DIMENSION_OF
        if not _is_measured(with_unit) or (unknown and meaning.quantity and not with_unit.quantity):
            unused.append(f"unit “{unit.symbol}”")
        else:
            meaning = with_unit
            used.append("unit")
    if (device_class := stated.device_class) is not None:
        of_class = _meaning_of_class(evidence, device_class, meaning)
        (unused if of_class is None else used).append(f"device_class “{device_class}”")
        meaning = of_class or meaning
    if meaning.kind is Kind.IGNORE:
        return meaning
    if (role := stated.role) is not None:
        fits = _is_measured(meaning) and may_have_role(meaning.quantity, role, meaning.unit)
        (used if fits else unused).append(f"state_class “{role}”")
        meaning = replace(meaning, role=role) if fits else meaning
    meaning = _as_shown(meaning, stated, used)
    reason = f"{meaning.reason}; _sensor_attr: {', '.join(used)}" if used else meaning.reason
    source = Source.FORMATTER if used else meaning.source
    meaning = replace(meaning, source=source, reason=reason)
    return (
        _with_note(meaning, f"_sensor_attr, not used: {', '.join(unused)}") if unused else meaning
    )


def _with_note(meaning: Meaning, note: str) -> Meaning:
    """Return the decision with a note on what was not used, before its reason."""
    before, mark, why = meaning.reason.partition("”: ")
    return replace(meaning, reason=f"{before}{mark}{note}; {why}")


def _meaning_of_class(evidence: Evidence, device_class: str, plain: Meaning) -> Meaning | None:
    """Return the decision on a field of a device class; None where unit or values don't fit it."""
    numeric = evidence.number is not None or evidence.absent
    kinds = [Kind.SENSOR] if numeric else []
    if evidence.two_state or evidence.zero_or_one:
        kinds.append(Kind.BINARY_SENSOR)
    for kind in kinds:
        quantity = quantity_of_class(device_class, kind, plain.quantity)
        if quantity is None or QUANTITIES[quantity].role is Role.TIMESTAMP:
            continue
        if quantity == plain.quantity:
            return plain
        # A name that says nothing of the quantity stays: it tells the field from others.
        verdict = Verdict(rule="sensor attributes", quantity=quantity, why="its payload says so")
        meaning = build_meaning(evidence, verdict)
        fits = meaning.quantity == quantity and not _crossed_limits(evidence, meaning)
        return meaning if fits else None
    return None


def _as_shown(meaning: Meaning, stated: SensorAttributes, used: list[str]) -> Meaning:
    """Return the decision with what is said of how the field is shown."""
    if stated.category is not None:
        meaning = replace(meaning, category=stated.category)
        used.append("entity_category")
    if stated.name is not None:
        meaning = replace(meaning, name=stated.name)
        used.append("name")
    if stated.icon is not None:
        meaning = replace(meaning, icon=stated.icon)
        used.append("icon")
    if stated.precision is not None and _is_measured(meaning):
        meaning = replace(meaning, precision=stated.precision)
        used.append("precision")
    return meaning


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
    ratio = ratio_of(meaning.unit, known.unit) * meaning.scale
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
