"""Values that are read correctly and yet are not true: fixes and measurements that jump."""

from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

from .types import Position

_EARTH = 6371.0
"""Its radius in kilometres."""
FASTEST = 1200.0
"""Kilometres per hour that nothing with an end device exceeds."""
NEAR = 50.0
"""Kilometres that need no explanation: fixes by Wi-Fi and cells are that coarse."""
SAME_FIX = timedelta(seconds=30)
"""Within this time a place is the same fix again: an uplink's, and what the server makes of it."""


class Places(NamedTuple):
    """Where an end device was last shown, and a later place that is not believed yet."""

    shown: Position | None = None
    at: datetime | None = None
    doubted: Position | None = None
    doubted_at: datetime | None = None


def kilometres(one: Position, other: Position) -> float:
    """Return the distance of two places on the ground."""
    north, south = radians(one.latitude), radians(other.latitude)
    across = radians(other.longitude - one.longitude)
    half = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(across / 2) ** 2
    return 2 * _EARTH * asin(min(1.0, sqrt(half)))


def next_place(before: Places, place: Position, at: datetime) -> tuple[Places, bool]:
    """Return what is known after one more fix, and whether the fix may be shown.

    A fix that is too far away for the time that has passed is shown when a later one is
    near it: then the end device has really moved.
    """
    if before.shown is None or before.at is None:
        return Places(place, at), True
    hours = max((at - before.at) / timedelta(hours=1), 0.0)
    if kilometres(before.shown, place) <= NEAR + FASTEST * hours:
        return Places(place, at), True
    near = before.doubted is not None and kilometres(before.doubted, place) <= NEAR
    if not near or before.doubted_at is None:
        return before._replace(doubted=place, doubted_at=at), False
    return (Places(place, at), True) if at - before.doubted_at > SAME_FIX else (before, False)


class Level(NamedTuple):
    """The last number of a field that was shown, and a later one that is not believed yet."""

    shown: float | None = None
    doubted: float | None = None


def next_level(before: Level, number: float, most: float) -> tuple[Level, bool]:
    """Return what is known after one more number, and whether that is to be shown.

    A number that is further than `most` from the last one is shown when the next one is
    within `most` of it.
    """
    if before.shown is None or abs(number - before.shown) <= most:
        return Level(number), True
    if before.doubted is not None and abs(number - before.doubted) <= most:
        return Level(number), True
    return Level(before.shown, number), False
