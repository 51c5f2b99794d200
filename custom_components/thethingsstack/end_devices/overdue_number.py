"""After which silence an end device is overdue, as its attribute in The Things Stack says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
import re

from ..const import OVERDUE_ATTRIBUTE

NEVER = timedelta.max
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=366)
_NEVER_TEXT = "never"
_UNITS = {
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_NUMBER = re.compile(r"([0-9]{1,6}(?:[.,][0-9]{1,6})?)\s?([a-z]*)")
_WHOLE = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min"))


@dataclass(frozen=True, slots=True)
class OverdueNumber:
    """What the attribute for Home Assistant's number says; `after` is None if it isn't understood."""

    text: str
    after: timedelta | None


def overdue_number(attributes: Mapping[str, str]) -> OverdueNumber | None:
    """Return what the attributes of an end device say; None where they say nothing."""
    text = attributes.get(OVERDUE_ATTRIBUTE, "").strip()
    return OverdueNumber(text, silence_of(text)) if text else None


def silence_of(text: str) -> timedelta | None:
    """Return the silence in a text like "90 min", "36 h", "2 d" or "never".

    A number alone is hours. None for another text, and for less than a minute or over a year.
    """
    text = text.strip().casefold()
    if text == _NEVER_TEXT:
        return NEVER
    found = _NUMBER.fullmatch(text)
    if found is None or (unit := _UNITS.get(found[2] or "h")) is None:
        return None
    silence = float(found[1].replace(",", ".")) * unit
    return silence if SHORTEST <= silence <= LONGEST else None


def text_of(silence: timedelta) -> str:
    """Return the text of a silence, in the largest unit that it is a whole number of."""
    if silence == NEVER:
        return _NEVER_TEXT
    for unit, name in _WHOLE:
        if not silence % unit:
            return f"{silence // unit} {name}"
    return f"{silence / timedelta(minutes=1):g} min"
