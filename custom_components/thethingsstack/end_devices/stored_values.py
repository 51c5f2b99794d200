"""Values of a stored file, read with care: what is no such value raises."""

from datetime import datetime
from typing import Any

LEAST, MOST = 0.001, 1e10


def number_of(stored: Any, *, least: float = LEAST, most: float = MOST) -> float:
    """Return a stored number from `least` to `most`; raises TypeError or ValueError."""
    if not isinstance(stored, int | float) or isinstance(stored, bool):
        raise TypeError(f"{stored!r} is no number")
    if not least <= stored <= most:
        raise ValueError(f"{stored!r} is out of bounds")
    return stored


def moment_of(stored: Any) -> datetime:
    """Return a stored time; raises TypeError, or ValueError for one without a time zone."""
    if not isinstance(stored, str):
        raise TypeError(f"{stored!r} is no text")
    moment = datetime.fromisoformat(stored)
    if moment.tzinfo is None:
        raise ValueError(f"{stored!r} has no time zone")
    return moment
