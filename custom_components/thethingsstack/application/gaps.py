"""The times in which messages may have been missed, kept until they have been read."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from homeassistant.util import dt as dt_util

LIMIT = 50
"""So many gaps are kept apart; of more, the two that lie nearest to each other become one."""


@dataclass(slots=True)
class Gap:
    """A time in which messages may have been missed; without an end it lasts still."""

    since: datetime
    until: datetime | None = None


class Gaps:
    """All gaps of an application, from old to new; those that touch are one."""

    def __init__(self) -> None:
        """Begin without any."""
        self._gaps: list[Gap] = []

    def __iter__(self) -> Iterator[Gap]:
        """Return the gaps, the oldest first."""
        return iter(self._gaps)

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self._gaps)

    @property
    def oldest_ended(self) -> Gap | None:
        """Return the oldest gap that has ended and can be read; None where there is none."""
        return next((gap for gap in self._gaps if gap.until is not None), None)

    def begin(self, since: datetime) -> None:
        """Note that messages may be missed from now on, counted from the last that came."""
        self.add(since, None)

    def end(self, until: datetime) -> None:
        """Note that messages come again."""
        for gap in self._gaps:
            if gap.until is None:
                gap.until = max(until, gap.since)
        self._join()

    def add(self, since: datetime, until: datetime | None) -> None:
        """Note a gap, which becomes one with those that it touches."""
        self._gaps.append(Gap(since, until if until is None else max(since, until)))
        self._join()

    def read_until(self, moment: datetime) -> None:
        """Note that the oldest gap that has ended was read up to there."""
        gap = self.oldest_ended
        if gap is None or gap.until is None or moment <= gap.since:
            return
        if moment >= gap.until:
            self._gaps.remove(gap)
        else:
            gap.since = moment

    def clamp(self, oldest: datetime, newest: datetime) -> None:
        """Cut off what can't be: times before `oldest`, which nobody keeps, and after `newest`."""
        for gap in list(self._gaps):
            gap.since = min(max(gap.since, oldest), newest)
            if gap.until is not None:
                gap.until = min(gap.until, newest)
                if gap.until <= gap.since:
                    self._gaps.remove(gap)

    def as_stored(self) -> list[dict[str, str | None]]:
        """Return the gaps as they are stored."""
        return [
            {
                "since": gap.since.isoformat(),
                "until": None if gap.until is None else gap.until.isoformat(),
            }
            for gap in self._gaps
        ]

    @classmethod
    def from_stored(cls, stored: Iterable[Mapping[str, Any]]) -> Gaps:
        """Read stored gaps; raises KeyError, TypeError or ValueError where one is none."""
        if not isinstance(stored, list):
            raise TypeError("gaps are a list")
        gaps = cls()
        for item in stored:
            since, until = _moment(item["since"]), item["until"]
            gaps.add(since, None if until is None else _moment(until))
        return gaps

    def _join(self) -> None:
        """Make one of those that touch, and of the nearest two where there are too many."""
        joined: list[Gap] = []
        for gap in sorted(self._gaps, key=lambda gap: gap.since):
            before = joined[-1] if joined else None
            if before is None or (before.until is not None and gap.since > before.until):
                joined.append(gap)
            elif before.until is not None:
                before.until = None if gap.until is None else max(before.until, gap.until)
        while len(joined) > LIMIT:
            nearest = min(range(1, len(joined)), key=lambda n: _distance(joined[n - 1], joined[n]))
            joined[nearest - 1].until = joined.pop(nearest).until
        self._gaps = joined


def _distance(earlier: Gap, later: Gap) -> float:
    return (later.since - (earlier.until or later.since)).total_seconds()


def _moment(text: str) -> datetime:
    moment = dt_util.parse_datetime(text)
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"{text!r} is no point in time")
    return moment
