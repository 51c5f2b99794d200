"""Decisions that are corrected by what a field reports next, while nobody has built on them."""

from dataclasses import replace

from .flatten import Leaf
from .infer import Uplink, infer, known_field
from .observations import Observations
from .types import Kind, Meaning, Role, Source

_FIXED = (Source.OVERRIDE, Source.LIBRARY)


def may_be_corrected(meaning: Meaning) -> bool:
    """Return whether later values can say that a decision is wrong."""
    if meaning.source in _FIXED or meaning.kind not in (Kind.SENSOR, Kind.BINARY_SENSOR):
        return False
    return meaning.role not in (Role.POSITION, Role.TIMESTAMP)


def revise(leaf: Leaf, meaning: Meaning, observed: Observations, uplink: Uplink) -> Meaning:
    """Return the decision that all values so far lead to; the given one where it is the same.

    A number after texts, or a text after numbers, changes nothing: words for "no value" have
    many forms.
    """
    if not may_be_corrected(meaning):
        return meaning
    if known_field(leaf, uplink) is None and not _tells_more(meaning, observed):
        return meaning
    now = infer(leaf, uplink, observed=observed)
    known = now.source is Source.LIBRARY
    if _essence(now) == _essence(meaning) or (now.kind is Kind.IGNORE and not known):
        return meaning
    return replace(
        now,
        name=meaning.name if now.quantity == meaning.quantity and not known else now.name,
        enabled=now.enabled or (meaning.enabled and not known),
        reason=f"{now.reason}; corrected: it was taken for {in_words(meaning)}",
    )


def _tells_more(meaning: Meaning, observed: Observations) -> bool:
    """Return whether the values so far can say that a decision on them is wrong."""
    if observed.numbers and observed.others:
        return False
    return not observed.others or (meaning.is_undecided and observed.others == 1)


def _essence(meaning: Meaning) -> tuple[object, ...]:
    return (
        meaning.kind,
        meaning.quantity,
        meaning.unit,
        meaning.role,
        meaning.scale,
        meaning.invert,
        meaning.is_undecided,
    )


def in_words(meaning: Meaning) -> str:
    """Return what a field is taken for: "battery in %"."""
    what = meaning.quantity.replace("_", " ") if meaning.quantity else "a plain value"
    return f"{what} in {meaning.unit}" if meaning.unit else what
