"""Coordinates: which fields are one, and which of them belong to one place."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
import re
from typing import Any

from .tokens import words_of
from .values import number_of
from .vocabulary import word_set

_COMPANY = word_set("""
    latitude longitude gps position last value degree degrees decimal fix deg data raw wgs
""")
_PARTS_OF_DEGREES = word_set("min minute minutes sec second seconds")
_OTHER_AXIS = {"latitude": "longitude", "longitude": "latitude"}
_SPELLINGS = {"latitude": ("longitude",), "lat": ("lon", "lng", "long")}


@lru_cache(maxsize=4096)
def coordinate_of(key: str) -> str | None:
    """Return "latitude" or "longitude" for a key that is one."""
    concepts = {c for c in words_of(key).concepts if len(c) > 1 and not c[0].isdecimal()}
    for axis in _OTHER_AXIS:
        if axis in concepts and concepts <= _COMPANY:
            return axis
    return None


def stem_of(key: str) -> tuple[str, ...]:
    """Return what a coordinate's name has besides its axis: "2" of "gps_lat2"."""
    return tuple(
        concept
        for concept in words_of(key).concepts
        if concept not in ("latitude", "longitude", "gps", "value")
    )


def is_coordinate(key: str, number: float | None, siblings: Mapping[Any, object] | None) -> bool:
    """Return whether a field with the name of a coordinate is one, by what stands beside it.

    Degrees whose minutes are a field of their own are none, and neither is a 1 without the other
    coordinate: `lon: 1` is rather a flag, such as that of an LED.
    """
    axis = coordinate_of(key)
    if axis is None:
        return False
    siblings = siblings or {}
    keys = [name for name in siblings if isinstance(name, str)]
    if any(_is_part_of_degrees(name, axis) for name in keys):
        return False
    if number != 1:
        return True
    stem = stem_of(key)
    of_same_place = [name for name in keys if stem_of(name) == stem and name != key]
    axes = {coordinate_of(name) for name in of_same_place if number_of(siblings[name]) is not None}
    return _OTHER_AXIS[axis] in axes and axis not in axes


def _is_part_of_degrees(key: str, axis: str) -> bool:
    concepts = frozenset(words_of(key).concepts)
    return axis in concepts and not _PARTS_OF_DEGREES.isdisjoint(concepts)


def longitude_beside(latitude: str, siblings: Mapping[Any, object]) -> float | None:
    """Return the longitude that belongs to a latitude, by the latter's key."""
    stem = stem_of(latitude)
    found = {
        key: number
        for key, raw in siblings.items()
        if isinstance(key, str)
        and coordinate_of(key) == "longitude"
        and stem_of(key) == stem
        and (number := number_of(raw)) is not None
    }
    spelled_alike = [key for key in sorted(found, reverse=True) if key in _partners(latitude)]
    chosen = spelled_alike or sorted(found)
    return found[chosen[0]] if chosen else None


def _partners(latitude: str) -> Iterable[str]:
    """Return how the longitude is spelled beside a latitude, capitals included."""
    for written, others in _SPELLINGS.items():
        match = re.search(f"(?i){written}", latitude)
        if match is not None:
            style = _style_of(match[0])
            return {latitude[: match.start()] + style(o) + latitude[match.end() :] for o in others}
    return ()


def _style_of(text: str) -> Any:
    return str.upper if text.isupper() else str.title if text[:1].isupper() else str.lower
