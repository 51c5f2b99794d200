"""Enumerations: which states a text field has is learned from what it says."""

from collections.abc import Sequence
from dataclasses import replace
import re

from .types import Kind, Meaning, Role

MOST = 24
"""With more different texts a field is no enumeration."""
LONGEST = 32

_WORDS = re.compile(r"[^\W\d_][\w %&+()/.'-]*", re.UNICODE)
_HEXADECIMAL = re.compile(r"(?i)(?:0x)?[0-9a-f]{6,}")


def start_enumeration(meaning: Meaning, value: str) -> Meaning:
    """Return a new decision on a text as the beginning of an enumeration, if it looks like one."""
    if meaning.options or not _may_have(meaning) or not _is_state(value):
        return meaning
    return replace(meaning, options=(value,))


def known_enumeration(meaning: Meaning, words: Sequence[str], value: object) -> Meaning:
    """Return a new decision with all states that are known of it; unchanged if they don't fit."""
    if meaning.options or not _may_have(meaning) or value not in words:
        return meaning
    if len(words) > MOST or not all(map(_is_state, words)):
        return meaning
    return replace(meaning, options=tuple(words))


def add_state(meaning: Meaning, value: str | float | bool) -> Meaning:
    """Return the decision with a state that it did not have yet.

    Learned states keep their order. What turns out to be no enumeration becomes plain text.
    """
    if not meaning.options or meaning.role is not Role.STATE or meaning.kind is not Kind.SENSOR:
        return meaning
    if value in meaning.options:
        return meaning
    state = isinstance(value, str) and (bool(meaning.value_map) or _is_state(value))
    if not state or len(meaning.options) >= MOST + len(meaning.value_map):
        return replace(meaning, options=())
    return replace(meaning, options=(*meaning.options, str(value)))


def _may_have(meaning: Meaning) -> bool:
    return (
        meaning.kind is Kind.SENSOR
        and meaning.role is Role.STATE
        and meaning.rule != "identity"  # it names one thing, not one of several states
        and not meaning.value_map
    )


def _is_state(text: str) -> bool:
    """Return whether a text reads like the name of a state."""
    return (
        len(text) <= LONGEST
        and _WORDS.fullmatch(text) is not None
        and _HEXADECIMAL.fullmatch(text) is None
    )
