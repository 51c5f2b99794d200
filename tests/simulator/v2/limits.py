"""Rate limits as the stack counts them: a bucket that is filled up once a second."""

from collections.abc import Callable
import math
import time

PER_SECOND = 5
LONGEST_WAIT = 0.5
"""Seconds that a call waits for its turn; one that would wait longer is refused."""


class _Bucket:
    def __init__(self, now: float) -> None:
        self._start = now
        self._second = 0
        self._available = PER_SECOND

    def take(self, now: float) -> float | None:
        """Return how long to wait, None where that is too long; then nothing is taken."""
        second = int(now - self._start)
        self._available = min(self._available + (second - self._second) * PER_SECOND, PER_SECOND)
        self._second = second
        available = self._available - 1
        wait = 0.0
        if available < 0:
            turn = second + math.ceil(-available / PER_SECOND)
            wait = self._start + turn - now
        if wait > LONGEST_WAIT:
            return None
        self._available = available
        return wait


def _seconds() -> float:
    """Return real seconds, also where a test has set the time."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


class Limits:
    """The calls of each client, application or other subject."""

    def __init__(self, seconds: Callable[[], float] = _seconds) -> None:
        self._seconds = seconds
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self.counted = True
        """Whether calls are limited at all."""

    def take(self, kind: str, subject: str) -> float | None:
        """Count a call; return how long it has to wait, None if it is refused."""
        if not self.counted:
            return 0.0
        now = self._seconds()
        return self._buckets.setdefault((kind, subject), _Bucket(now)).take(now)
