"""Plausible measurements as functions of time: the same moment gives the same value."""

from datetime import UTC, datetime
import math

EPOCH = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
DAY = 86400.0


def wobble(now: datetime, seed: int, amplitude: float, period: float = 140.0) -> float:
    """Return a small restless movement around zero."""
    t = now.timestamp()
    return amplitude * (
        0.6 * math.sin(2 * math.pi * t / period + seed)
        + 0.3 * math.sin(2 * math.pi * t / (period * 0.37) + 2 * seed)
        + 0.1 * dice(now, seed, 7.0)
    )


def dice(now: datetime, seed: int, seconds: float) -> float:
    """Return a number between -1 and 1, another one every `seconds`."""
    bucket = int(now.timestamp() // seconds)
    x = math.sin(bucket * 12.9898 + seed * 78.233) * 43758.5453
    return 2 * (x - math.floor(x)) - 1


def hour(now: datetime) -> float:
    """Return the local hour as a number, 0 to 24; the demo's house stands one hour east."""
    return (now.timestamp() / 3600 + 1) % 24


def day(now: datetime, mean: float, amplitude: float, peak: float = 15.0) -> float:
    """Return a day's sine with its maximum at the hour `peak`."""
    return mean + amplitude * math.cos(2 * math.pi * (hour(now) - peak) / 24)


def sunlight(now: datetime) -> float:
    """Return the height of the sun, 0 at night to 1 at noon."""
    return max(0.0, math.sin(math.pi * (hour(now) - 6.5) / 12)) if 6.5 < hour(now) < 18.5 else 0.0


def counter(now: datetime, per_day: float, seed: int = 0) -> float:
    """Return what has added up since the start of 2026; never falls, rests a little at night."""
    days = (now.timestamp() - EPOCH) / DAY
    return per_day * (days - 0.12 * math.cos(2 * math.pi * days + seed) + 0.12 * math.cos(seed))


def happens(now: datetime, seed: int, share: float, seconds: float = 45.0) -> bool:
    """Return whether something is going on: `share` of the time, decided every `seconds`."""
    return dice(now, seed, seconds) < 2 * share - 1
