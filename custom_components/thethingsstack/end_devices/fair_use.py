"""The Things Network's fair use policy, and how much airtime an end device uses of it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Self

from .stored_values import number_of

AIRTIME_LIMIT: Final = 30
"""Seconds on air that the uplinks of an end device may take in 24 hours."""
DOWNLINK_LIMIT: Final = 10
"""Downlinks that an end device may be sent in 24 hours."""
WARN_FROM: Final = 0.8
"""The share of a limit from which on users are warned."""
HOUR = 3600
HOURS = 24
LONGEST_FRAME = 60.0
"""Seconds; no frame of LoRaWAN takes so long, what claims it is wrong."""


class Airtime:
    """Airtime of the uplinks of the last 24 hours, summed up by the hour."""

    __slots__ = ("_hours",)

    def __init__(self, hours: Mapping[int, float] | None = None) -> None:
        """Start with seconds on air by hours since 1970."""
        self._hours = dict(hours or {})

    def note(self, moment: datetime, seconds: float) -> None:
        """Add an uplink; also one that comes late counts in its own hour."""
        if not 0 < seconds < LONGEST_FRAME:
            return
        hour = int(moment.timestamp() // HOUR)
        self._hours[hour] = self._hours.get(hour, 0.0) + seconds
        if len(self._hours) > HOURS + 1:
            del self._hours[min(self._hours)]

    def forget_future(self, latest: datetime) -> None:
        """Forget the airtime of hours after this time: a clock was wrong."""
        last = int(latest.timestamp() // HOUR)
        self._hours = {hour: seconds for hour, seconds in self._hours.items() if hour <= last}

    def in_24_hours(self, now: datetime) -> float:
        """Return the seconds on air in the last 24 hours.

        Of the hour in which these began, the share that belongs to them counts.
        """
        passed = now.timestamp() / HOUR
        first = int(passed) - HOURS
        whole = sum(seconds for hour, seconds in self._hours.items() if hour > first)
        return whole + self._hours.get(first, 0.0) * (1 - passed % 1)

    def as_stored(self) -> list[list[float]]:
        """Return what `from_stored` reads."""
        return [[hour, round(seconds, 4)] for hour, seconds in self._hours.items()]

    @classmethod
    def from_stored(cls, stored: Iterable[Any]) -> Self:
        """Read what was stored; raises TypeError or ValueError."""
        hours = ((int(number_of(hour)), number_of(seconds)) for hour, seconds in stored)
        return cls(dict(sorted(hours)[-HOURS - 1 :]))
