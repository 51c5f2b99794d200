"""The times in which messages may have been missed, kept until they have been read."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from homeassistant.util import dt as dt_util

LIMIT = 50
"""Most gaps kept; beyond that, the two closest to each other are merged."""


@dataclass(slots=True)
class Gap:
    """A period in which messages may have been missed; it lasts until now if it has no end."""

    since: datetime
    until: datetime | None = None


class Gaps:
    """All gaps of an application, oldest first; overlapping or adjacent ones are merged."""

    def __init__(self) -> None:
        """Start without gaps."""
        self._gaps: list[Gap] = []

    def __iter__(self) -> Iterator[Gap]:
        """Return the gaps, the oldest first."""
        return iter(self._gaps)

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self._gaps)

    @property
    def oldest_ended(self) -> Gap | None:
        """Return the oldest gap that has ended; None if there is none."""
        return next((gap for gap in self._gaps if gap.until is not None), None)

    def next_ended(self, after: datetime | None = None) -> tuple[datetime, datetime] | None:
        """Return begin and end of the oldest gap that has ended, or of its part `after` a time."""
        for gap in self._gaps:
            if gap.until is not None and (after is None or gap.until > after):
                return (gap.since if after is None else max(gap.since, after)), gap.until
        return None

    def begin(self, since: datetime) -> None:
        """Open a gap that starts at the last received message."""
        self.add(since, None)

    def end(self, until: datetime) -> None:
        """End the open gap: messages arrive again."""
        for gap in self._gaps:
            if gap.until is None:
                gap.until = max(until, gap.since)
        self._join()

    def add(self, since: datetime, until: datetime | None) -> None:
        """Add a gap; it is merged with those that it touches."""
        last = self._gaps[-1] if self._gaps else None
        if (
            last is not None
            and last.until is not None
            and until is not None
            and last.since <= since <= last.until
        ):
            last.until = max(last.until, until)  # as for each uplink that comes late
            return
        self._gaps.append(Gap(since, until if until is None else max(since, until)))
        self._join()

    def read_until(self, moment: datetime) -> None:
        """Note that all gaps that have ended were read up to `moment`."""
        for gap in list(self._gaps):
            if gap.until is None:
                continue
            if moment >= gap.until:
                self._gaps.remove(gap)
            else:
                gap.since = max(gap.since, moment)

    def remove(self, since: datetime, until: datetime) -> None:
        """Remove the gap with exactly these ends; one that has grown meanwhile stays."""
        self._gaps = [gap for gap in self._gaps if (gap.since, gap.until) != (since, until)]

    def clear(self) -> None:
        """Remove all gaps."""
        self._gaps = []

    def clamp(self, oldest: datetime, newest: datetime) -> None:
        """Cut off times before `oldest` (no longer stored) and after `newest` (in the future)."""
        for gap in list(self._gaps):
            gap.since = min(max(gap.since, oldest), newest)
            if gap.until is not None:
                gap.until = min(gap.until, newest)
                if gap.until <= gap.since:
                    self._gaps.remove(gap)

    def as_stored(self) -> list[dict[str, str | None]]:
        """Return the gaps as JSON for the store."""
        return [
            {
                "since": gap.since.isoformat(),
                "until": None if gap.until is None else gap.until.isoformat(),
            }
            for gap in self._gaps
        ]

    @classmethod
    def from_stored(cls, stored: Iterable[Mapping[str, Any]]) -> Gaps:
        """Read stored gaps; raises KeyError, TypeError or ValueError for invalid data."""
        if not isinstance(stored, list):
            raise TypeError("gaps are a list")
        gaps = cls()
        for item in stored:
            since, until = _moment(item["since"]), item["until"]
            gaps.add(since, None if until is None else _moment(until))
        return gaps

    def _join(self) -> None:
        """Merge touching gaps, and the closest two while there are too many."""
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
