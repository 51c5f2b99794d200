"""Which uplinks were missed for good: as far as frame counters tell, of each end device once."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from homeassistant.core import callback

from ..client import UplinkMessage
from .interruptions import Interruption, kept
from .status import ApplicationStatus
from .store import ApplicationStore, FrameCounter

if TYPE_CHECKING:
    from ..end_devices import EndDeviceState


@dataclass(slots=True)
class _Watch:
    """An interruption whose end devices have not all sent again."""

    since: datetime
    until: datetime
    before: dict[str, FrameCounter]
    """The last frame counter before it, of each end device that hasn't been judged."""
    received: dict[str, set[int]] = field(default_factory=dict)
    """The counters received since, live or read afterwards."""
    after: dict[str, int] = field(default_factory=dict)
    """The counter of the first live uplink since."""
    shown: Interruption | None = None
    """What is shown; None while missed uplinks may yet be read."""


class MissedUplinks:
    """Compares frame counters before and after an interruption.

    A frame that no gateway received counts as missed, too: counters can't tell the difference.
    """

    def __init__(self, store: ApplicationStore, status: ApplicationStatus) -> None:
        """Watch nothing yet."""
        self._store = store
        self._status = status
        self._watch: _Watch | None = None

    @property
    def undecided_since(self) -> datetime | None:
        """Return when the interruption began of which uplinks may yet be read; None without one."""
        watch = self._watch
        return None if watch is None or watch.shown is not None else watch.since

    @callback
    def begin(self, since: datetime, until: datetime) -> None:
        """Watch an interruption that has just ended; `since` is the last message before it.

        One that is still undecided becomes a part of it.
        """
        watch = _Watch(since, until, dict(self._store.frame_counters))
        if (undecided := self._watch) is not None and undecided.shown is None:
            watch.since = min(since, undecided.since)
            watch.before |= undecided.before
            watch.received = undecided.received
        self._watch = watch

    @callback
    def end(self) -> None:
        """Stop watching: the server kept what was missed, and it is read."""
        if self.undecided_since is not None:
            self._watch = None

    @callback
    def show(self) -> None:
        """Show the interruption: nothing more of what was missed can be read."""
        watch = self._watch
        if watch is None or watch.shown is not None:
            return
        watch.shown = Interruption(watch.since, watch.until)
        self._store.interruptions = kept([watch.shown, *self._store.interruptions])
        for key in list(watch.after):
            self._judge(watch, key)
        self._changed()

    @callback
    def on_uplink(self, device: EndDeviceState, uplink: UplinkMessage, *, live: bool) -> None:
        """Note the frame counter of an uplink that was just applied to its end device."""
        session, number = uplink.session_key_id or uplink.ids.dev_addr, uplink.f_cnt
        if uplink.simulated or session is None or number is None:
            return
        key = device.key
        if device.last_uplink is uplink:
            self._store.frame_counters[key] = (session, number)
        watch = self._watch
        if watch is None or (before := watch.before.get(key)) is None:
            return
        if session == before[0] and number > before[1]:
            watch.received.setdefault(key, set()).add(number)
            if live and watch.after.setdefault(key, number) == number and watch.shown:
                self._judge(watch, key)
                self._changed()
        elif live:  # a new session, or a counter that began anew: it tells nothing
            del watch.before[key]

    def _judge(self, watch: _Watch, key: str) -> None:
        """Count what an end device sent between the uplinks before and after; once."""
        before, after = watch.before.pop(key)[1], watch.after.pop(key)
        received = sum(before < number < after for number in watch.received.pop(key, ()))
        missed = after - before - 1 - received
        if missed and watch.shown is not None:
            watch.shown.end_devices[key] = missed

    def _changed(self) -> None:
        self._store.save_soon()
        self._status.write()
