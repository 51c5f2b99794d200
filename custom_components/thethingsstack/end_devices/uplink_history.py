"""What is kept of the uplinks of an end device over restarts: its interval and its airtime."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from .fair_use import Airtime
from .interval import UplinkInterval


@dataclass(slots=True)
class UplinkHistory:
    """The learned interval of an end device, and its airtime of the last 24 hours."""

    interval: UplinkInterval = field(default_factory=UplinkInterval)
    airtime: Airtime = field(default_factory=Airtime)
    counted_until: datetime | None = None
    """Up to when airtime was counted before the restart: such uplinks may be read again."""

    def note(self, moment: datetime, f_cnt: int | None, airtime: float | None) -> None:
        """Add an uplink with its time, frame counter, and seconds on air where it says them."""
        self.interval.note(moment, f_cnt)
        if airtime and (self.counted_until is None or moment > self.counted_until):
            self.airtime.note(moment, airtime)

    def forget_future(self, latest: datetime) -> None:
        """Remove data with a time after `latest`, which comes from a clock that was wrong."""
        self.interval.forget_future(latest)
        self.airtime.forget_future(latest)
        if self.counted_until is not None and self.counted_until > latest:
            self.counted_until = None

    def as_stored(self) -> dict[str, Any]:
        """Return what `from_stored` reads."""
        return {"interval": self.interval.as_stored(), "airtime": self.airtime.as_stored()}

    @classmethod
    def from_stored(cls, stored: Any) -> Self:
        """Read what was stored; raises AttributeError, LookupError, TypeError or ValueError."""
        interval = UplinkInterval.from_stored(stored["interval"])
        return cls(interval, Airtime.from_stored(stored["airtime"]), interval.last)
