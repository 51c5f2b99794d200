"""What the fields of one uplink say of each other."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
import re

from .flatten import Leaf
from .reading import position_of
from .tokens import words_of
from .types import Category, Kind, Meaning, Position, Role
from .values import number_of

MAX_FIELDS = 200
MAX_ONE_OFF = 50
"""Fields with keys that are likely never seen again: addresses and the like."""
_ONE_OFF = re.compile(
    r"(?i)(?:^|[._\s-])(?:[0-9a-f]{2}(?:[:-][0-9a-f]{2}){3,}|(?=[0-9a-f]*\d)[0-9a-f]{8,}|\d{6,})"
    r"(?:$|[._\s-])"
)
_MESSAGE_KIND = frozenset(["type", "frame", "event", "code", "payload", "mode", "report"])
_LONGEST_KIND = 40
FEWEST_SETTINGS = 3
MOST_OTHERS = 0.4
_SAME_PLACE = 1e-4


@lru_cache(maxsize=2048)
def _is_one_off(path: str) -> bool:
    """Return whether a field's path is likely never seen again."""
    return _ONE_OFF.search(path) is not None


def says_settings(leaves: Sequence[Leaf]) -> bool:
    """Return whether an uplink says that it repeats the end device's settings."""
    for leaf in leaves:
        raw = leaf.raw
        if not isinstance(raw, str) or len(raw) > _LONGEST_KIND or not leaf.keys:
            continue
        concepts = words_of(leaf.keys[-1]).concepts
        if _MESSAGE_KIND.isdisjoint(concepts) or "config" in concepts:
            continue
        if "config" in words_of(raw).concepts:
            return True
    return False


def choose(leaves: Sequence[Leaf], decisions: Mapping[str, Meaning]) -> list[Leaf]:
    """Return which new fields there is room for: those with lasting keys before others."""
    room = MAX_FIELDS - len(decisions)
    passing = [leaf for leaf in leaves if _is_one_off(leaf.path)]
    if len(leaves) <= room and not passing:
        return list(leaves)
    lasting = [leaf for leaf in leaves if not _is_one_off(leaf.path)]
    one_off = sum(1 for path in decisions if _is_one_off(path))
    if len(lasting) > room + one_off:
        lasting = sorted(lasting, key=lambda leaf: leaf.path)
    # Keys that are seen once take no room away from the others.
    chosen = lasting[: max(0, room + one_off)]
    left = min(MAX_ONE_OFF - one_off, room - len(chosen))
    chosen_paths = {leaf.path for leaf in chosen}
    passing = sorted(passing, key=lambda leaf: leaf.path)[: max(0, left)]
    chosen_paths |= {leaf.path for leaf in passing}
    return [leaf for leaf in leaves if leaf.path in chosen_paths]


def hide_settings(new: dict[str, Meaning]) -> None:
    """Mark unknown numbers as settings where nearly all other fields are settings."""
    settings = [path for path, m in new.items() if m.category is Category.CONFIGURATION]
    others = [
        path
        for path, meaning in new.items()
        if meaning.category is Category.PRIMARY and meaning.kind is not Kind.IGNORE
    ]
    if len(settings) < FEWEST_SETTINGS or len(others) > MOST_OTHERS * len(settings):
        return
    for path in others:
        meaning = new[path]
        if meaning.kind is Kind.SENSOR and meaning.quantity is None and meaning.unit is None:
            new[path] = replace(
                meaning,
                category=Category.CONFIGURATION,
                enabled=False,
                rule="setting",
                reason=f"{meaning.reason}; nearly all else in the uplink are settings",
            )


def hide_repetitions(
    leaves: Sequence[Leaf], decisions: Mapping[str, Meaning], new: dict[str, Meaning]
) -> None:
    """Leave out new fields that say again what the same uplink says elsewhere."""
    _hide_places(leaves, decisions, new)
    if not any(leaf.listed for leaf in leaves):
        return
    top = {
        (frozenset(words_of(leaf.keys[-1]).concepts), repr(number_of(leaf.raw)))
        for leaf in leaves
        if len(leaf.keys) == 1 and number_of(leaf.raw) is not None
    }
    for leaf in leaves:
        if leaf.listed and leaf.path in new and number_of(leaf.raw) is not None:
            same = (frozenset(words_of(leaf.keys[-1]).concepts), repr(number_of(leaf.raw)))
            if same in top:
                new[leaf.path] = replace(
                    new[leaf.path],
                    kind=Kind.IGNORE,
                    rule="repetition",
                    reason="The same uplink says it at its top.",
                )


def _hide_places(
    leaves: Sequence[Leaf], decisions: Mapping[str, Meaning], new: dict[str, Meaning]
) -> None:
    """Keep one of several trackers that are at the same place: the one with two coordinates."""

    def rank(leaf: Leaf) -> tuple[bool, bool, int, str]:
        pair = number_of(leaf.raw) is not None
        return (leaf.path in new, not pair, len(leaf.keys), leaf.path)

    def shows_place(leaf: Leaf) -> bool:
        meaning = new.get(leaf.path) or decisions.get(leaf.path)
        return (
            meaning is not None
            and meaning.role is Role.POSITION
            and meaning.kind is not Kind.IGNORE
        )

    kept: list[Position] = []
    for leaf in sorted(filter(shows_place, leaves), key=rank):
        place = position_of(leaf)
        if place is None:
            continue
        if leaf.path in new and any(_same_place(place, other) for other in kept):
            new[leaf.path] = replace(
                new[leaf.path],
                kind=Kind.IGNORE,
                rule="repetition",
                reason="The same uplink says the same place elsewhere.",
            )
        else:
            kept.append(place)


def _same_place(one: Position, other: Position) -> bool:
    return (
        abs(one.latitude - other.latitude) < _SAME_PLACE
        and abs(one.longitude - other.longitude) < _SAME_PLACE
    )
