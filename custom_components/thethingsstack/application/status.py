"""Counters and recent problems of the application, with their listeners."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

_LOGGER = logging.getLogger(__name__)

WRITE_INTERVAL = timedelta(seconds=5)
REPORTED_PROBLEMS = 20
LOGGED_PROBLEMS = 1000


@dataclass(slots=True)
class Counters:
    """The counts that the application's own entities show."""

    uplinks_today: int = 0
    errors: int = 0
    dropped: int = 0
    caught_up: int = 0
    """Uplinks applied from the Storage Integration, each once."""


class ApplicationStatus:
    """Counts, keeps the last problems, and updates the application's own entities."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Start at zero."""
        self._hass = hass
        self._entry = entry
        self.counters = Counters()
        self.problems: deque[dict[str, str]] = deque(maxlen=REPORTED_PROBLEMS)
        self._logged: set[str] = set()
        self._listeners: list[CALLBACK_TYPE] = []
        self._cancel_write: CALLBACK_TYPE | None = None
        self._closed = False

    def record_problem(self, kind: str, subject: str, text: str) -> None:
        """Count a problem, keep it for the diagnostics, and log the first of its kind."""
        self.counters.errors += 1
        self.problems.append(
            {"time": dt_util.utcnow().isoformat(), "kind": kind, "subject": subject, "text": text}
        )
        mark = f"{kind} {subject}"
        if mark not in self._logged and len(self._logged) < LOGGED_PROBLEMS:
            self._logged.add(mark)
            _LOGGER.warning("%s: %s %s: %s (logged once)", self._entry.title, kind, subject, text)
        self.changed()

    @callback
    def async_listen(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call the listener when the application's counts or state change."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def changed(self) -> None:
        """Call the listeners soon, at most once in WRITE_INTERVAL."""
        if self._cancel_write is None and not self._closed:
            self._cancel_write = async_call_later(self._hass, WRITE_INTERVAL, self.write)

    @callback
    def write(self, _now: datetime | None = None) -> None:
        """Call the listeners now."""
        self.cancel()
        for listener in list(self._listeners):
            listener()

    @callback
    def close(self) -> None:
        """Stop calling listeners; later changes are ignored."""
        self._closed = True
        self.cancel()

    @callback
    def cancel(self) -> None:
        """Cancel a delayed call of the listeners."""
        if self._cancel_write is not None:
            self._cancel_write()
            self._cancel_write = None
