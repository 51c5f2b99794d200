"""What one uplink says: new fields are decided on, known ones only read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from .enumerations import add_state, start_enumeration
from .exclusions import coordinate_of
from .flatten import Flattened, Leaf, flatten, normalized_leaves
from .infer import infer, is_sentinel
from .names import quantity_name
from .override import NUMERIC_ROLES, spelled
from .quantities import QUANTITIES
from .tokens import words_of
from .types import Context, Kind, Meaning, Position, Role, Understanding, Value
from .units import Unit, factor
from .values import (
    HUGE,
    MAX_TEXT,
    Shape,
    epoch,
    number_of,
    parse_number,
    parse_time,
    position,
    read,
    truth_of,
)
from .vocabulary import NORMALIZED, OPTIONS

MAX_FIELDS = 200
_QUIET = ("", "none", "no", "false", "0", "off", "released", "null")
_NO_CONTEXT = Context()


def understand(
    decoded: Mapping[str, object] | None,
    normalized: Sequence[Mapping[str, object]] = (),
    *,
    decisions: Mapping[str, Meaning],
    context: Context = _NO_CONTEXT,
    decide_absent: bool = False,
) -> Understanding:
    """Return the values of an uplink's fields, and decisions on those that have none yet.

    A field without a value (null, "NULL", a sentinel) is decided on when it first has
    one; with `decide_absent` at once, by its name. Never raises, whatever the payload is.
    """
    understanding = Understanding()
    flattened = Flattened()
    if isinstance(decoded, Mapping):
        values = understanding.values
        for key, raw in decoded.items():
            # The common case, kept short: a known scalar at the top.
            if type(key) is str and "." not in key and (meaning := decisions.get(key)) is not None:
                shape = type(raw)
                if shape is not dict and shape is not list and meaning.role is not Role.POSITION:
                    if meaning.kind is not Kind.IGNORE:
                        values[key] = value_of(meaning, raw)
                    continue
            flattened.member(key, raw, decoded, "", ())
    understanding.skipped = flattened.skipped
    _decide_and_read(flattened.leaves, decisions, context, decide_absent, understanding)
    if normalized:
        _read_normalized(normalized, decisions, understanding)
    _learn_options(decisions, understanding)
    return understanding


def _learn_options(decisions: Mapping[str, Meaning], understanding: Understanding) -> None:
    new = understanding.new
    for path, value in understanding.values.items():
        if (meaning := decisions.get(path)) is not None:
            if meaning.options and value is not None and value not in meaning.options:
                learned = add_state(meaning, value)  # type: ignore[arg-type]
                if learned is not meaning:
                    understanding.grown[path] = learned
        elif type(value) is str:
            new[path] = start_enumeration(new[path], value)


def raw_values(
    decoded: Mapping[str, object] | None, normalized: Sequence[Mapping[str, object]] = ()
) -> dict[str, object]:
    """Return what a payload says of each field, by path, without knowing what it means."""
    raw = {leaf.path: leaf.raw for leaf in normalized_leaves(normalized)}
    if isinstance(decoded, Mapping):
        raw |= {leaf.path: leaf.raw for leaf in flatten(decoded).leaves}
    return raw


def _decide_and_read(
    leaves: Sequence[Leaf],
    decisions: Mapping[str, Meaning],
    context: Context,
    decide_absent: bool,
    understanding: Understanding,
) -> None:
    new = understanding.new
    for leaf in leaves:
        path = leaf.path
        meaning = decisions.get(path) or new.get(path)
        if meaning is None:
            absent = read(leaf.raw).shape is Shape.ABSENT
            if absent and not decide_absent:
                continue
            if len(decisions) + len(new) >= MAX_FIELDS or _too_long(leaf.raw):
                understanding.skipped += 1
                continue
            meaning = infer(leaf, context)
            if (
                meaning.role in NUMERIC_ROLES
                and value_of(meaning, leaf.raw) is None
                and not decide_absent
            ):
                continue  # A full-scale number: "not connected". The next one tells more.
            new[path] = meaning
        if meaning.kind is Kind.IGNORE:
            continue
        if meaning.role is Role.POSITION:
            understanding.values[path] = _position(leaf)
        else:
            understanding.values[path] = value_of(meaning, leaf.raw)


def _too_long(raw: object) -> bool:
    return isinstance(raw, str) and len(raw) > MAX_TEXT


def _read_normalized(
    normalized: Sequence[Mapping[str, object]],
    decisions: Mapping[str, Meaning],
    understanding: Understanding,
) -> None:
    """Add what only the normalized payload has, in the units of its schema."""
    values, new = understanding.values, understanding.new
    for leaf in normalized_leaves(normalized):
        path = leaf.path
        meaning = decisions.get(path) or new.get(path)
        if path in values and path in decisions:
            continue
        fixed = NORMALIZED.get(path)
        if path in values and meaning is not None:
            # Both have it, and the schema knows the unit: it decides as long as nothing is decided.
            if (
                fixed is not None
                and meaning.role in NUMERIC_ROLES
                and values[path] == number_of(leaf.raw)
            ):
                new[path] = _normalized_meaning(leaf, fixed)
                values[path] = value_of(new[path], leaf.raw)
            continue
        if meaning is None:
            if read(leaf.raw).shape is Shape.ABSENT or _too_long(leaf.raw):
                continue
            if len(decisions) + len(new) >= MAX_FIELDS:
                understanding.skipped += 1
                continue
            meaning = _normalized_meaning(leaf, fixed)
            if meaning.kind is not Kind.IGNORE and _decoded_already(
                meaning, leaf, decisions, understanding
            ):
                meaning = replace(
                    meaning,
                    kind=Kind.IGNORE,
                    rule="normalized",
                    reason="The decoded payload has the same.",
                )
            new[path] = meaning
        if meaning.kind is not Kind.IGNORE:
            values[path] = (
                _position(leaf) if meaning.role is Role.POSITION else value_of(meaning, leaf.raw)
            )


_SAME = {
    "soil_temperature": "temperature",
    "water_temperature": "temperature",
    "soil_moisture": "moisture",
    "opening": "door",
}


def _decoded_already(
    meaning: Meaning, leaf: Leaf, decisions: Mapping[str, Meaning], understanding: Understanding
) -> bool:
    """Return whether a decoded field of the same quantity has the same value in this uplink."""
    quantity = _SAME.get(meaning.quantity or "", meaning.quantity)
    value = _position(leaf) if meaning.role is Role.POSITION else value_of(meaning, leaf.raw)
    for path, decoded in understanding.values.items():
        other = decisions.get(path) or understanding.new.get(path)
        if other is None or _SAME.get(other.quantity or "", other.quantity) != quantity:
            continue
        if decoded == value:
            return True
        ratio = factor(other.unit, meaning.unit) if other.unit and meaning.unit else None
        if (
            ratio
            and isinstance(decoded, int | float)
            and isinstance(value, int | float)
            and abs(decoded * ratio - value) <= 0.01 * max(1.0, abs(value))
        ):
            return True
    return False


def _normalized_meaning(leaf: Leaf, fixed: tuple[str, str | None] | None) -> Meaning:
    guessed = infer(leaf, _NO_CONTEXT)
    if leaf.path == "time":
        return replace(
            guessed, kind=Kind.IGNORE, rule="normalized", reason="The time of the measurement."
        )
    options = OPTIONS.get(leaf.path, ())
    if options:
        return replace(guessed, options=options, role=Role.STATE)
    if fixed is None or guessed.role is Role.POSITION:
        return guessed
    quantity, unit = fixed
    if leaf.path == "battery" and (number_of(leaf.raw) or 0) > 5:
        return guessed  # Some formatters put a percentage here.
    known = QUANTITIES[quantity]
    used = frozenset(c for key in leaf.keys for c in words_of(key).concepts)
    stats = used & {"min", "max", "mean", "last", "active"}
    return Meaning(
        kind=known.kind,
        quantity=quantity,
        unit=unit,
        role=known.role,
        category=known.category,
        enabled=True,
        name=quantity_name(leaf.keys, quantity, used - stats | {"event"}) if stats else None,
        precision=guessed.precision,
        rule="normalized",
        reason=f"{known.name}. The normalized payload's {leaf.path}"
        + (f" is in {unit}" if unit else ""),
    )


def value_of(meaning: Meaning, raw: object) -> Value:
    """Return the value in the meaning's unit; None where it doesn't fit the meaning."""
    role = meaning.role
    if meaning.value_map and isinstance(raw, str | int | float):
        text = spelled(raw)
        name = next((name for code, name in meaning.value_map if code == text), None)
        if name is not None and meaning.kind is Kind.EVENT:
            return name  # also "off": somebody named it
        if name is not None:
            raw = name
        elif role is Role.STATE and meaning.kind is Kind.SENSOR:
            return text[:MAX_TEXT] or None  # a code without a name is shown as such
    if role in NUMERIC_ROLES:
        return _number(meaning, raw)
    if role is Role.FLAG:
        truth = _truth(raw)
        return truth if truth is None else truth is not meaning.invert
    if role is Role.TIMESTAMP:
        return _moment(raw)
    if meaning.kind is Kind.EVENT:
        return _occurrence(raw)
    return _state(raw)


def _number(meaning: Meaning, raw: object) -> float | int | None:
    kind = type(raw)
    if kind is float or kind is int:
        number: float | int = raw  # type: ignore[assignment]
        if not -HUGE < number < HUGE:
            return None
    elif isinstance(raw, str) and (parsed := parse_number(raw)) is not None:
        number, unit = parsed
        if (
            unit is not None
            and meaning.unit is not None
            and unit.symbol is not None
            and not meaning.manual
        ):
            return _checked(meaning, _converted(number, unit, meaning))
    else:
        return None
    if meaning.scale != 1.0 or meaning.offset:
        number = round(number * meaning.scale + meaning.offset, 9)
        if not -HUGE < number < HUGE:
            return None
    return _checked(meaning, number)


def _checked(meaning: Meaning, number: float | None) -> float | int | None:
    if number is None:
        return None
    quantity = None if meaning.manual else meaning.quantity
    if meaning.role is not Role.TOTAL and is_sentinel(number, quantity, meaning.unit):
        return None
    return number


def _converted(number: float, unit: Unit, meaning: Meaning) -> float | int | None:
    """Return a number that came with a unit of its own in the field's unit."""
    assert unit.symbol is not None
    assert meaning.unit is not None
    if unit.symbol == meaning.unit and unit.scale == 1.0:
        return number
    ratio = factor(unit.symbol, meaning.unit)
    return None if ratio is None else round(number * unit.scale * ratio, 9)


def _truth(raw: object) -> bool | None:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, int | float):
        return bool(raw) if raw in (0, 1, 255) else None
    if isinstance(raw, str) and len(raw) <= MAX_TEXT:
        return truth_of(raw)
    return None


def _moment(raw: object) -> datetime | None:
    if isinstance(raw, str) and (moment := parse_time(raw)) is not None:
        return moment
    number = number_of(raw)
    return None if number is None else epoch(number)


def _occurrence(raw: object) -> str | None:
    """Return what happened, None where nothing did."""
    text = str(raw).strip() if isinstance(raw, str | int | float) else ""
    return None if text.casefold() in _QUIET or len(text) > MAX_TEXT else text


def _state(raw: object) -> str | int | float | None:
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, str):
        text = raw.strip()
        return text if text and len(text) <= MAX_TEXT else None
    number = number_of(raw)
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _position(leaf: Leaf) -> Position | None:
    """Return the position of a latitude and the coordinates beside it."""
    reading = read(leaf.raw)
    if isinstance(reading.value, Position):
        return reading.value
    latitude = number_of(leaf.raw)
    siblings = leaf.siblings
    if latitude is None or siblings is None:
        return None
    own = leaf.path[len(leaf.prefix) :]
    wanted = _stem(own)
    longitude = altitude = accuracy = None
    for key, raw in siblings.items():
        if not isinstance(key, str) or isinstance(raw, Mapping | list):
            continue
        concepts = words_of(key).concepts
        if coordinate_of(key) == "longitude" and _stem(key) == wanted:
            longitude = number_of(raw)
        elif "altitude" in concepts:
            altitude = number_of(raw)
        elif "accuracy" in concepts:
            accuracy = number_of(raw)
    found = position(latitude, longitude)
    if found is None or (altitude is None and accuracy is None):
        return found
    return Position(
        found.latitude,
        found.longitude,
        float(altitude) if altitude is not None and -500 <= altitude <= 20_000 else None,
        float(accuracy) if accuracy is not None and 0 <= accuracy <= 100_000 else None,
    )


def _stem(key: str) -> tuple[str, ...]:
    """Return what a coordinate's name has besides its axis: "gps 2" of "gps_lat2"."""
    return tuple(
        concept
        for concept in words_of(key).concepts
        if concept not in ("latitude", "longitude", "gps", "value")
    )
