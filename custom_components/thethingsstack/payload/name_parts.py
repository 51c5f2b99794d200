"""What the name of a field says by itself: worked out once for all end devices that have it."""

from dataclasses import dataclass
from functools import lru_cache

from .names import all_words, steps_of
from .tokens import words_of
from .units import Unit
from .vocabulary import QUALIFIERS


@dataclass(frozen=True, slots=True)
class NameParts:
    """The parts of a field's name that rules look at.

    A step is one key of the path, a concept what a word of it stands for (`tokens.py`).
    """

    steps: tuple[str, ...]
    """Steps of the path that say something."""
    leaf: tuple[str, ...]
    """Concepts of the last step of the path, or of the one before where that is a number."""
    leaf_concepts: frozenset[str]
    """The same without their order."""
    concepts: frozenset[str]
    """Concepts of all steps of the path."""
    texts: frozenset[str]
    """The words of all steps as they are written, in small letters."""
    letters: str
    """The field's own step without separators and digits at its end."""
    letters_and_digits: str
    """The field's own step without separators."""
    unit: Unit | None
    """The unit in the name, behind other words: the nearest to its end."""
    head: str
    """The last concept that isn't a qualifier: what kind of thing the name is."""


@lru_cache(maxsize=4096)
def parts_of_name(keys: tuple[str, ...]) -> NameParts:
    """Return what the keys of a path say."""
    steps = steps_of(keys)
    own = steps[-1].casefold() if steps else ""
    words = all_words(keys)
    leaf = _leaf(steps)
    return NameParts(
        steps=steps,
        leaf=leaf,
        leaf_concepts=frozenset(leaf),
        concepts=frozenset(word.concept for word in words),
        texts=frozenset(word.text.casefold() for word in words),
        letters="".join(char for char in own if char.isalpha()),
        letters_and_digits="".join(char for char in own if char.isalnum()),
        unit=next((unit for step in reversed(steps) if (unit := words_of(step).unit)), None),
        head=_head(leaf),
    )


def _leaf(steps: tuple[str, ...]) -> tuple[str, ...]:
    for step in reversed(steps):
        concepts = words_of(step).concepts
        if "at" in concepts[1:]:  # "temperature at level 2"
            concepts = concepts[: concepts.index("at")]
        if any(not concept.replace(".", "").isdecimal() for concept in concepts):
            return concepts
    return ()


def _head(leaf: tuple[str, ...]) -> str:
    for concept in reversed(leaf):
        if concept in QUALIFIERS or len(concept) == 1 or concept[0].isdecimal():
            continue
        return concept
    return ""
