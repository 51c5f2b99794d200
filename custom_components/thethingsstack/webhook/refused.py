"""Deliveries that are refused: counted by kind, and limited."""

from collections import Counter, deque
from collections.abc import Callable
from enum import StrEnum
import time

LIMIT = 120
"""Refused deliveries in a minute; further ones are answered without looking at them."""
MINUTE = 60.0
MANY = 50
"""Refused deliveries in an hour that are worth a repair issue."""
HOUR = 3600.0


class Reason(StrEnum):
    """Why a delivery is refused; the values are keys of texts."""

    METHOD = "wrong_method"
    SECRET = "wrong_secret"
    FOREIGN = "other_application"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    FLOOD = "too_many"
    NOT_READY = "not_ready"


class Refusals:
    """Counts refused deliveries since the start, and knows when there are too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start at zero; `clock` returns seconds."""
        self._clock = clock
        self.counts: Counter[Reason] = Counter()
        self._recent: deque[float] = deque(maxlen=max(LIMIT, MANY))

    def count(self, reason: Reason) -> None:
        """Count a refused delivery."""
        self.counts[reason] += 1
        if reason not in (Reason.NOT_READY, Reason.FLOOD):
            self._recent.append(self._clock())

    @property
    def too_many(self) -> bool:
        """Return whether so many came in the last minute that no more are looked at."""
        recent = self._recent
        return len(recent) >= LIMIT and self._clock() - recent[-LIMIT] < MINUTE

    @property
    def many(self) -> bool:
        """Return whether so many came in the last hour that the user should know."""
        recent = self._recent
        return len(recent) >= MANY and self._clock() - recent[-MANY] < HOUR
