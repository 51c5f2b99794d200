"""Interruptions of which nothing could be read back, as they are stored and shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from homeassistant.util import dt as dt_util

KEPT = 5


@dataclass(slots=True)
class Interruption:
    """A time in which messages were missed for good."""

    since: datetime
    """The last message before it."""
    until: datetime
    """When messages arrived again."""
    end_devices: dict[str, int] = field(default_factory=dict)
    """How many uplinks of each end device were missed, by device key; only known ones."""

    @property
    def uplinks(self) -> int:
        """Return how many uplinks are known to be missed."""
        return sum(self.end_devices.values())

    def as_stored(self) -> dict[str, Any]:
        """Return it as JSON for the store."""
        return {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "end_devices": self.end_devices,
        }

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """Read a stored one; raises KeyError, TypeError, ValueError or AttributeError."""
        counts = {str(key): count for key, count in stored["end_devices"].items()}
        if not all(type(count) is int and 0 < count < 2**53 for count in counts.values()):
            raise ValueError("an end device has missed no such number of uplinks")
        return cls(_moment(stored["since"]), _moment(stored["until"]), counts)


def kept(interruptions: Iterable[Interruption]) -> list[Interruption]:
    """Return those worth keeping, newest first: the newest, and earlier ones that cost uplinks."""
    newest, *earlier = interruptions
    return [newest, *(item for item in earlier if item.end_devices)][:KEPT]


def read_interruptions(stored: Any) -> list[Interruption]:
    """Read a stored list; raises what `Interruption.from_stored` raises."""
    if not isinstance(stored, list):
        raise TypeError("interruptions are a list")
    return [Interruption.from_stored(item) for item in stored]


def _moment(text: str) -> datetime:
    moment = dt_util.parse_datetime(text, raise_on_error=True)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment
