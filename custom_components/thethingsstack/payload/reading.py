"""The value of a field that is decided on: read from an uplink, in the decision's unit."""

from collections.abc import Mapping
from datetime import datetime

from .build import is_beyond_limits, is_sentinel, usual_numbers
from .coordinates import longitude_beside
from .flatten import Leaf
from .full_scale import is_full_scale
from .override import NUMERIC_ROLES, spelled
from .quantities import QUANTITIES
from .tokens import words_of
from .types import Kind, Meaning, Position, Role, Value
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
    says_not_yet,
    truth_of,
)

_QUIET = ("", "none", "no", "false", "0", "off", "released", "null")


def value_of(meaning: Meaning, raw: object) -> Value:
    """Return the value in the meaning's unit; None where it doesn't fit the meaning."""
    role = meaning.role
    shape = type(raw)
    if (
        (shape is float or shape is int)
        and role in NUMERIC_ROLES
        and meaning.scale == 1.0
        and not (meaning.offset or meaning.value_map or meaning.manual)
    ):
        low, high = usual_numbers(meaning.quantity, meaning.unit)
        if low <= raw <= high:  # type: ignore[operator]
            return raw  # type: ignore[return-value]
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
    if meaning.role is Role.TOTAL:
        return None if is_beyond_limits(number, quantity, meaning.unit) else number
    return None if is_sentinel(number, quantity, meaning.unit) else number


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
        return raw != 0 if -HUGE < raw < HUGE and not is_sentinel(raw, None, None) else None
    if not isinstance(raw, str) or len(raw) > MAX_TEXT:
        return None
    truth = truth_of(raw)
    if truth is not None:
        return truth
    reading = read(raw)
    if reading.shape is Shape.NUMBER:
        return bool(reading.value)
    if reading.shape is Shape.TEXT and not says_not_yet(raw):
        return True
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


def position_of(leaf: Leaf) -> Position | None:
    """Return the position of a latitude and the coordinates beside it."""
    reading = read(leaf.raw)
    if isinstance(reading.value, Position):
        return reading.value
    latitude = number_of(leaf.raw)
    siblings = leaf.place or leaf.siblings
    if latitude is None or siblings is None:
        return None
    own = "latitude" if leaf.place is not None else leaf.path[len(leaf.prefix) :]
    found = position(latitude, longitude_beside(own, siblings))
    if found is None:
        return None
    altitude = accuracy = None
    for key, raw in sorted(siblings.items(), key=lambda item: str(item[0]), reverse=True):
        if not isinstance(key, str) or isinstance(raw, Mapping | list):
            continue
        concepts = words_of(key).concepts
        if "altitude" in concepts:
            altitude = number_of(raw)
        elif "accuracy" in concepts and "vertical" not in concepts:
            accuracy = number_of(raw)
    return Position(
        found.latitude,
        found.longitude,
        float(altitude) if altitude is not None and -500 <= altitude <= 20_000 else None,
        float(accuracy) if accuracy is not None and 0 <= accuracy <= 100_000 else None,
    )


def contradiction(meaning: Meaning, raw: object) -> str | None:
    """Return in words how a value doesn't fit its field; None where it stands for no value."""
    reading = read(raw)
    if reading.shape is Shape.ABSENT or (isinstance(raw, str) and says_not_yet(raw)):
        return None
    if meaning.role not in (*NUMERIC_ROLES, Role.TIMESTAMP):
        return None
    if isinstance(reading.value, int | float) and is_full_scale(reading.value):
        return None
    what = QUANTITIES[meaning.quantity].name.lower() if meaning.quantity else "number"
    return f"reports {str(raw)[:40]}, which is no {what}"
