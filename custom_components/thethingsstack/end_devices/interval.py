"""How often an end device sends, and how long it is usually silent: learned from its uplinks."""

from array import array
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import sqrt
from typing import Any, Self

from .stored_values import moment_of, number_of

GAPS = 16
"""Silences between uplinks that the interval is taken from: the latest ones."""
MINIMUM_GAPS = 3
ENOUGH_GAPS = 8
"""From how many silences on the longest of them alone never is the interval."""
DAYS = 14
"""Days with uplinks of which the longest silence is remembered: two weeks have two weekends."""
WATCHED = timedelta(days=1)
"""How long an end device is watched until its silences are known: a night belongs to it."""
FACTOR = 3
"""After so many intervals an end device is overdue."""
MARGIN = timedelta(minutes=15)
"""An end device is overdue so much later than it should have sent, at the earliest."""
SILENCE_FACTOR = 2
"""After so many times its longest usual silence an end device is overdue."""


class UplinkInterval:
    """The usual time between two uplinks of an end device, and its longest usual silence.

    The interval is the median of the latest silences, each weighted by the root of its length:
    a burst weighs little against the pause after it, and one night little against a day of
    uplinks. The longest of many is left out: it may be an outage. A silence in which frames are known to have been missed says nothing and is left out.
    """

    __slots__ = (
        "_assumed",
        "_days",
        "_f_cnt",
        "_gaps",
        "_interrupted",
        "_last",
        "_overdue_after",
        "_seconds",
        "_since",
        "_valid",
    )

    def __init__(self) -> None:
        """Start with nothing learned."""
        self._gaps = array("d")
        self._days: dict[int, float] = {}
        """The longest silence that ended on a day, in seconds, by the day's ordinal number."""
        self._since: datetime | None = None
        self._last: datetime | None = None
        self._f_cnt: int | None = None
        self._interrupted = False
        self._assumed: float | None = None
        self._valid = False
        self._seconds: float | None = None
        self._overdue_after: timedelta | None = None

    def note(self, moment: datetime, f_cnt: int | None) -> None:
        """Learn from an uplink of this time and frame counter; an older one changes nothing."""
        before, counter, interrupted = self._last, self._f_cnt, self._interrupted
        if before is None:
            self._since = moment
        elif moment <= before:
            return
        self._last, self._f_cnt, self._interrupted = moment, f_cnt, False
        if before is None:
            return
        if interrupted and (f_cnt is None or counter is None or f_cnt != counter + 1):
            return  # others may have come while nobody listened
        gap = (moment - before).total_seconds()
        gaps = self._gaps
        gaps.append(gap)
        if len(gaps) > GAPS:
            del gaps[0]
        day = moment.toordinal()
        if gap > self._days.get(day, 0.0):
            self._days[day] = gap
            if len(self._days) > DAYS:
                del self._days[min(self._days)]
        self._valid = False

    def interrupt(self) -> None:
        """Note that uplinks may have been missed since the latest one."""
        self._interrupted = True

    def forget_future(self, latest: datetime) -> None:
        """Forget what lies after this time: a clock was wrong."""
        if self._last is not None and self._last > latest:
            self._last = self._since = None
        today = latest.toordinal()
        self._days = {day: gap for day, gap in self._days.items() if day <= today}
        if not self._days:
            del self._gaps[:]
        self._valid = False

    @property
    def last(self) -> datetime | None:
        """Return the time of the latest uplink."""
        return self._last

    def assume(self, seconds: float | None) -> None:
        """Use this interval until enough uplinks have come; it says nothing about silences."""
        self._assumed, self._valid = seconds, False

    @property
    def seconds(self) -> float | None:
        """Return the usual time between two uplinks in seconds; None until it is learned."""
        self._learn()
        return self._seconds

    @property
    def overdue_after(self) -> timedelta | None:
        """Return the silence that is longer than the end device ever is; None until learned.

        The largest of: three intervals; one interval and 15 minutes; twice the longest silence.
        The longest silence of each day is remembered. Once there are 14 days, the second longest of
        them counts, so that one failure of the network doesn't.
        """
        self._learn()
        return self._overdue_after

    def _learn(self) -> None:
        if self._valid:
            return
        self._valid = True
        self._seconds, self._overdue_after = self._assumed, None
        if len(self._gaps) < MINIMUM_GAPS:
            return
        gaps = sorted(self._gaps)
        self._seconds = seconds = _median(gaps[:-1] if len(gaps) >= ENOUGH_GAPS else gaps)
        if self._last is None or self._since is None or self._last - self._since < WATCHED:
            return
        silences = sorted(self._days.values())
        longest = silences[-2] if len(silences) == DAYS else silences[-1]
        self._overdue_after = timedelta(
            seconds=max(
                FACTOR * seconds, seconds + MARGIN.total_seconds(), SILENCE_FACTOR * longest
            )
        )

    def as_stored(self) -> dict[str, Any]:
        """Return what `from_stored` reads."""
        return {
            "gaps": [_rounded(gap) for gap in self._gaps],
            "days": [[day, _rounded(gap)] for day, gap in self._days.items()],
            "since": self._since and self._since.isoformat(timespec="seconds"),
            "last": self._last and self._last.isoformat(),
            "f_cnt": self._f_cnt,
            "assumed": self._assumed,
        }

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """Read what was stored; raises AttributeError, LookupError, TypeError or ValueError.

        Uplinks may have been missed meanwhile.
        """
        interval = cls()
        interval._gaps = array("d", [number_of(gap) for gap in stored["gaps"]][-GAPS:])
        days = ((_day(day), number_of(gap)) for day, gap in stored["days"])
        interval._days = dict(sorted(days)[-DAYS:])
        since, last = stored["since"], stored["last"]
        interval._since = None if since is None else moment_of(since)
        interval._last = None if last is None else moment_of(last)
        f_cnt, assumed = stored["f_cnt"], stored["assumed"]
        interval._f_cnt = None if f_cnt is None else int(number_of(f_cnt, least=0))
        interval._assumed = None if assumed is None else number_of(assumed)
        if interval._gaps and not interval._days:
            raise ValueError("silences without a day")
        interval._interrupted = True
        return interval


def _median(gaps: list[float]) -> float:
    """Return the median of sorted silences, each weighted by the root of its length."""
    half = sum(map(sqrt, gaps)) / 2
    for gap in gaps:
        half -= sqrt(gap)
        if half <= 0:
            return gap
    return gaps[-1]


def _rounded(seconds: float) -> float:
    return max(round(seconds, 1), 0.1)


def _day(stored: Any) -> int:
    return int(number_of(stored, most=datetime.max.toordinal()))
