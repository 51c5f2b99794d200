"""How long fields are awaited that only an example of the model has."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from homeassistant.util import dt as dt_util

MOST_UPLINKS = 24
LONGEST = timedelta(days=3)


@dataclass(slots=True)
class Awaited:
    """Uplinks of an end device since the first one that didn't report all expected fields."""

    since: datetime
    uplinks: int = 0

    def is_over(self, now: datetime) -> bool:
        """Return whether what was not reported by now is not to be expected any more.

        Many uplinks in a short time, or a long time with few uplinks, say little.
        """
        return self.uplinks >= MOST_UPLINKS and now - self.since >= LONGEST

    def as_list(self) -> list[Any]:
        """Return this as JSON for storage."""
        return [self.since.isoformat(), self.uplinks]

    @classmethod
    def from_stored(cls, _key: str, stored: Any) -> Self:
        """Read what `as_list` gave; raises TypeError or ValueError for anything else."""
        since, uplinks = stored
        moment = dt_util.parse_datetime(since)
        if moment is None or moment.tzinfo is None:
            raise ValueError("no time")
        return cls(moment, int(uplinks))
