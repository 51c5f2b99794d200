"""Units that stand beside a field, in the same object."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .lists import UNIT_KEYS, UNIT_SUFFIXES, VALUE_KEYS, unit_in
from .quantities import QUANTITIES, UNITS_OF_CLASS
from .tokens import words_of
from .units import Unit, factor, normalise
from .values import number_of
from .vocabulary import NUMBER_RULES, QUALIFIERS, holding, word_set

type Members = Mapping[Any, object]

_AXES = frozenset({"x", "y", "z"})
_STATISTICS = word_set("value mean min max last")
# Names of numbers that only a unit gives a meaning.
_OPEN_NAMES = word_set("level analog input channel sensor signal")


@lru_cache(maxsize=512)
def _may_name_units(names: tuple[object, ...]) -> bool:
    """Return whether any member of an object with these names may be a unit."""
    return any(
        isinstance(name, str) and (name in UNIT_KEYS or name.endswith(UNIT_SUFFIXES))
        for name in names
    )


def sibling_unit(key: str, siblings: Members) -> Unit | None:
    """Return the unit that an object gives for one of its members by name, or for its value."""
    if not _may_name_units(tuple(siblings)):
        return None
    for suffix in UNIT_SUFFIXES:
        text = siblings.get(key + suffix)
        if isinstance(text, str) and (unit := normalise(text)) is not None:
            return unit
    if _is_the_value(key, siblings):
        return _unit_of(siblings)
    return _unit_of_family(key, siblings)


def unknown_unit(key: str, siblings: Members) -> str | None:
    """Return what an object gives as the unit of one of its members, where that is no known unit."""
    if not _may_name_units(tuple(siblings)):
        return None
    for suffix in UNIT_SUFFIXES:
        text = siblings.get(key + suffix)
        if isinstance(text, str) and text.strip() and normalise(text) is None:
            return text
    return None


def unit_around(key: str, siblings: Members) -> Unit | None:
    """Return the unit of an object that has no member named "value", where it fits this member.

    It is that of the members whose quantity is measured in it, or else of the only one whose
    name says of no quantity.
    """
    if not _may_name_units(tuple(siblings)):
        return None
    if any(_is_the_value(name, siblings) for name in siblings if isinstance(name, str)):
        return None
    unit = _unit_of(siblings)
    if unit is None or unit.symbol is None:
        return None
    quantity = _quantity_of(key)
    if quantity is not None:
        return unit if _is_unit_of(unit.symbol, quantity) else None
    numbers = [
        name
        for name, raw in siblings.items()
        if isinstance(name, str) and number_of(raw) is not None
    ]
    named = [quantity for name in numbers if (quantity := _quantity_of(name)) is not None]
    if any(_is_unit_of(unit.symbol, quantity) for quantity in named):
        return None
    is_open = [name for name in numbers if _OPEN_NAMES & set(words_of(name).concepts)]
    return unit if is_open == [key] else None


def _unit_of(siblings: Members) -> Unit | None:
    for name in UNIT_KEYS:
        text = siblings.get(name)
        if isinstance(text, str) and (unit := unit_in(text)) is not None:
            return unit
    return None


def _is_the_value(key: str, siblings: Members) -> bool:
    """Return whether a unit that stands alone in an object is that of this member."""
    if key in VALUE_KEYS:
        first = next(name for name in VALUE_KEYS if name in siblings or name == key)
        return first == key
    if key == "v" and not any(name in siblings for name in VALUE_KEYS):
        return True
    if key.casefold() in _AXES:
        return {str(name).casefold() for name in siblings} >= _AXES
    concepts = set(words_of(key).concepts)
    if not concepts <= _STATISTICS:
        return False
    return "value" in concepts or any(name in siblings for name in VALUE_KEYS)


def _unit_of_family(key: str, siblings: Members) -> Unit | None:
    """Return the unit that a key like "temp_unit" gives for "temp_min" and "temp_max"."""
    concepts = words_of(key).concepts
    for name, text in siblings.items():
        suffix = next((s for s in UNIT_SUFFIXES if str(name).endswith(s)), None)
        if suffix is None or not isinstance(text, str):
            continue
        family = set(words_of(str(name).removesuffix(suffix)).concepts)
        more = set(concepts) - family
        related = all(concept in QUALIFIERS or concept.isdecimal() for concept in more)
        if family and family <= set(concepts) and related:
            return normalise(text)
    return None


def _quantity_of(key: str) -> str | None:
    """Return the quantity that the words of a key name."""
    held = holding(NUMBER_RULES, frozenset(words_of(key).concepts))
    name = held[0][0].name if held else None
    return name if name in QUANTITIES else None


def _is_unit_of(symbol: str, quantity: str) -> bool:
    known = QUANTITIES[quantity]
    if known.device_class in UNITS_OF_CLASS:
        return symbol in UNITS_OF_CLASS[known.device_class]
    return known.unit is not None and factor(symbol, known.unit) is not None
