"""Read uplinks that were missed while disconnected from the Storage Integration."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import logging
import time
from typing import TYPE_CHECKING

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.helpers.restore_state import STATE_DUMP_INTERVAL
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..client import (
    Capabilities,
    Message,
    RateLimited,
    StackError,
    StorageUnavailable,
    UplinkMessage,
)
from ..client.message_events import past_uplinks
from ..const import CATCH_UP_LIMIT, DOMAIN, STORAGE_WINDOW
from .missed import MissedUplinks
from .time_slices import TimeSlices

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator
    from ..end_devices import EndDeviceState, Received
    from ..payload import Meaning, Value

_LOGGER = logging.getLogger(__name__)

RETENTION = timedelta(days=30)
"""Longest retention of the Storage Integration; older uplinks can't be read."""
LOOK_INTERVAL = timedelta(hours=1)
MARGIN = timedelta(seconds=2)
"""Added to the end of a gap: the server's clock is only known to the second."""
HISTORY_MARGIN = timedelta(seconds=10)
"""Read twice: the times of an event and of its message aren't the same."""
STILL_COMING = timedelta(minutes=2)
"""An uplink that was read, and is not older, may still be delivered."""
MOST_AHEAD = 200
"""So many of those are kept."""
TOLERANCE = timedelta(minutes=5)
"""Stored times further in the future than this are treated as wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds between requests to the Storage Integration, and the clock of its time slices."""

    retry: float = 300.0
    """Before the next attempt after a failure."""
    lag: float = 120.0
    """Until a received message is certainly stored by the server."""
    between_devices: float = 1.0
    history: float = 3.0
    """Without an event until the event history is at its end."""
    clock: Callable[[], float] = time.monotonic
    """Measures how long the event loop was kept busy."""


PAUSES: HassKey[Pauses] = HassKey(f"{DOMAIN}_catch_up_pauses")
"""Key in `hass.data` for pauses that replace the defaults; set before setup."""


@dataclass(slots=True)
class Progress:
    """Progress of reading missed uplinks."""

    uplinks: int = 0
    """Number of uplinks read so far."""
    until: datetime | None = None
    """Time up to which all missed uplinks were read."""


@dataclass(slots=True)
class _Touched:
    """An end device with stored uplinks applied, its new fields and its corrected fields."""

    device: EndDeviceState
    new: dict[str, Meaning] = field(default_factory=dict)
    changed: dict[str, tuple[Meaning, Meaning]] = field(default_factory=dict)
    identified: bool = False


@dataclass(frozen=True, slots=True)
class Ahead:
    """An uplink that was read from the Storage Integration and may still be delivered."""

    sent: datetime
    device: EndDeviceState
    events: Mapping[str, Value]
    """The values of its fields that are events, by path."""
    undecoded: bool


class CatchUp:
    """Reads missed uplinks; a gap is kept, also over restarts, until what it had is shown.

    Each end device's entities are updated once, with the latest values. Stored uplinks fire no
    events or triggers, unless they come live after that.
    """

    def __init__(self, coordinator: ApplicationCoordinator) -> None:
        """Start with the gaps of the application's store."""
        self._coordinator = coordinator
        self._store = coordinator.store
        self.storage: bool | None = None
        """Whether the server has the Storage Integration; None while unknown."""
        self.kept: bool | None = None
        """Whether the server keeps the application's uplinks from now on; None while unknown."""
        self.missed = MissedUplinks(coordinator.store, coordinator.application_status)
        self.progress = Progress()
        self._pauses = coordinator.hass.data.get(PAUSES, Pauses())
        self._first = False
        self._again = False
        self._read_until: datetime | None = None
        """Up to when the gaps were read, while that is not shown yet."""
        self._read: dict[Hashable, datetime] = {}
        """The uplinks read that may be read again, with their times."""
        self._reading: asyncio.Task[None] | None = None
        self._touched: dict[str, _Touched] = {}
        self._ahead: dict[Hashable, Ahead] = {}
        """The uplinks that were read and may still be delivered, by identity."""
        self._cancel_retry: CALLBACK_TYPE | None = None

    @property
    def _capabilities(self) -> Capabilities:
        return self._coordinator.stack.capabilities

    @property
    def done(self) -> bool:
        """Return whether nothing is being read."""
        return self._reading is None or self._reading.done()

    @property
    def first_pending(self) -> bool:
        """Return whether values from before the setup are still to be read and shown."""
        return self._first and self.storage is not False

    @callback
    def async_start(self) -> None:
        """Check regularly for a Storage Integration until the entry is unloaded."""
        entry = self._coordinator.entry
        entry.async_on_unload(self._cancel)
        entry.async_on_unload(
            async_track_time_interval(self._coordinator.hass, self.look_again, LOOK_INTERVAL)
        )

    @callback
    def stop(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()

    @callback
    def _cancel(self) -> None:
        if self._cancel_retry is not None:
            self._cancel_retry()
            self._cancel_retry = None

    # Gaps begin and end

    @callback
    def on_connected(self, since: datetime | None) -> None:
        """Read the uplinks missed between the last received message and now.

        `since` is the time of the stream's last message; None at its first connection, where the
        time in the store is used.
        """
        since = since or self._shown_until()
        if since is None:
            self._first = True
        else:
            self._open_gap(since)
        self.storage = None  # the Storage Integration may have been enabled meanwhile
        self._begin()

    def _shown_until(self) -> datetime | None:
        """Return up to when entities show what was received before the start; None if unknown.

        What they show is written at the end, and every 15 minutes by Home Assistant and by us:
        after a crash it is that of some time before, or nothing if the application is younger.
        """
        received, store = self._store.received_until, self._store
        if received is None or store.ended_well:
            return received
        written = received - STATE_DUMP_INTERVAL - MARGIN
        offset = self._coordinator.stack.server_time() - dt_util.utcnow()
        return None if written < self._coordinator.entry.created_at + offset else written

    @callback
    def _open_gap(self, since: datetime | None) -> None:
        """Note that messages were missed until now; without `since`, for an unknown short time."""
        now = self._coordinator.stack.server_time()
        since = min(since or now, now)
        self._store.gaps.add(since, now + MARGIN)
        self._store.save_soon()
        self.missed.begin(since, now)

    @callback
    def on_dropped(self, since: datetime | None) -> None:
        """Read messages dropped because the queue was full; `since` is the last one received."""
        self._open_gap(since)
        self._begin()

    @callback
    def look_again(self, _now: datetime | None = None) -> None:
        """Check whether there is a Storage Integration by now, and read what is still missed."""
        if self.storage is False:
            self.storage = None
        self._begin()

    @callback
    def _retry(self, _now: datetime) -> None:
        self._cancel_retry = None
        self._begin()

    @callback
    def _begin(self) -> None:
        if not self.done:
            self._again = True
            return
        if not self._coordinator.connection_state.has_key or not self._capabilities.storage:
            self.storage = False
            self.missed.show()
        wanted = self._first or self._store.gaps or self.kept is False
        if self.storage is False or not wanted:
            return
        self._reading = self._coordinator.entry.async_create_background_task(
            self._coordinator.hass, self._async_read(), f"{DOMAIN} catch-up"
        )

    def _read_later(self, seconds: float) -> None:
        self._cancel()
        self._cancel_retry = async_call_later(self._coordinator.hass, seconds, self._retry)

    # Reading

    async def _async_read(self) -> None:
        """Read, and once more if a gap opened meanwhile."""
        self._again = True
        while self._again:
            self._again = False
            await self._async_read_gaps()
        self._reading = None
        self._coordinator.application_status.write()

    async def _async_read_gaps(self) -> None:
        """Read all gaps, oldest first; a gap that fails is kept and tried again."""
        now = self._coordinator.stack.server_time()
        gaps, first = self._store.gaps, False
        self.progress = Progress()
        gaps.clamp(now - RETENTION, now + TOLERANCE)
        try:
            if self._first:
                await self._async_read_newest(now - STORAGE_WINDOW)
                first = True
            while (gap := gaps.next_ended(self._read_until)) is not None:
                if not await self._async_read_gap(*gap):
                    break
        except StorageUnavailable:
            self.storage = False
        except RateLimited as err:
            self._read_later(max(1.0, err.retry_after))
        except StackError as err:
            self._coordinator.application_status.record_problem("storage", "", str(err))
            self._read_later(self._pauses.retry)
        else:
            self.storage = True
        # Nobody knows whether what came after the last of those that are stored is stored, too.
        self._coordinator.roster.interrupted()
        await self._async_show()
        # Only now: what was read and not shown would be lost if Home Assistant stopped before.
        if first:
            self._first = False
            self._store.note_received(now)
        if (read_until := self._read_until) is not None:
            gaps.read_until(read_until)
            self._read = {key: at for key, at in self._read.items() if at >= read_until and gaps}
            self._read_until = None
        if self.storage is False:
            await self._async_read_history()
        elif self.storage:
            await self._async_check_kept()
        self._store.save_soon()

    async def _async_check_kept(self) -> None:
        """Find out whether the server kept what was missed; if not, read its event history."""
        if self.missed.undecided_since is None and self.kept is not False:
            return
        try:
            self.kept = await self._coordinator.stack.storage_integration.enabled()
        except StackError as err:
            _LOGGER.debug("Whether uplinks are kept can't be read now: %s", err)
            self.kept = None
        if self.kept is False:
            await self._async_read_history()
        elif not self._again:
            self.missed.end()

    async def _async_read_history(self) -> None:
        """Read what the event history has of the last interruption, and show what is missed."""
        if (since := self.missed.undecided_since) is None:
            return
        if not self._capabilities.event_history:
            self.missed.show()
            return
        stack = self._coordinator.stack
        past = past_uplinks(
            stack.events,
            application_id=stack.connection.application_id or "",
            after=since - HISTORY_MARGIN,
            quiet=self._pauses.history,
        )
        try:
            async for message in self._paced(past):
                # The history knows end devices that were deleted since.
                if self._coordinator.roster.find(message.ids) is not None:
                    self._apply(message)
        except StackError as err:
            _LOGGER.debug("The event history can't be read: %s", err)
        await self._async_show()
        if not self._again:
            self.missed.show()

    async def _async_read_gap(self, since: datetime, until: datetime) -> bool:
        """Apply all uplinks stored in a gap; return whether the gap is fully read.

        Uplinks are stored with some delay, and not in order: the end of a fresh gap is read again.
        """
        began = self._coordinator.stack.server_time()
        certain = min(until, began - timedelta(seconds=self._pauses.lag))
        stored = self._coordinator.stack.stored_uplinks(
            after=since - timedelta(milliseconds=1), before=until + timedelta(milliseconds=1)
        )
        async for message in self._paced(stored):
            if self._take(message):
                self._store.uncorrected.begin(since)
            if message.received_at is not None and since < message.received_at < certain:
                self._read_until = message.received_at
        self._read_until = max(since, certain)
        if certain == until:
            return True
        self._read_later((until - certain).total_seconds())
        return False

    async def _async_read_newest(self, after: datetime) -> None:
        """Apply the newest stored uplinks, oldest first, to give fields their first values."""
        stack = self._coordinator.stack
        stored = stack.stored_uplinks(after=after, limit=CATCH_UP_LIMIT, newest_first=True)
        newest = [message async for message in self._paced(stored)]
        slices = TimeSlices(self._pauses.clock)
        for message in reversed(newest):
            self._take(message)
            await slices.end()
        if len(newest) < CATCH_UP_LIMIT:
            return
        # In a busy application, end devices that rarely send are queried one by one.
        for device in list(self._coordinator.roster.states.values()):
            if device.values or device.last_seen is None or device.last_seen < after:
                continue
            async for message in stack.stored_uplinks(
                after=after, limit=1, device_id=device.device_id, newest_first=True
            ):
                self._take(message)
            await asyncio.sleep(self._pauses.between_devices)

    async def _paced[M: Message](self, messages: AsyncGenerator[M]) -> AsyncGenerator[M]:
        """Yield the messages, giving the event loop a turn after each slice of time."""
        slices = TimeSlices(self._pauses.clock)
        async for message in messages:
            yield message
            await slices.end()

    @callback
    def _take(self, message: Message) -> bool:
        """Apply a stored uplink; return whether it was missed."""
        if not isinstance(message, UplinkMessage) or message.identity in self._read:
            return False
        if message.identity is not None and message.received_at is not None:
            self._read[message.identity] = message.received_at
        return self._apply(message)

    @callback
    def _apply(self, message: UplinkMessage) -> bool:
        self.progress.uplinks += 1
        self.progress.until = message.received_at or self.progress.until
        self._coordinator.application_status.changed()
        if (taken := self._coordinator.apply_stored(message)) is None:
            return False
        self._coordinator.counters.caught_up += 1
        device, received = taken
        self._note_ahead(message, device, received)
        self.missed.on_uplink(device, message, live=False)
        touched = self._touched.setdefault(device.key, _Touched(device))
        touched.identified |= received.identified
        touched.new |= received.new
        for path, (before, now) in received.changed_decisions.items():
            if path not in touched.new:
                first, _ = touched.changed.get(path, (before, now))
                touched.changed[path] = (first, now)
        return True

    @callback
    def _note_ahead(
        self, message: UplinkMessage, device: EndDeviceState, received: Received
    ) -> None:
        sent, identity = message.received_at, message.identity
        if sent is None or identity is None:
            return
        if sent > self._coordinator.stack.server_time() - STILL_COMING:
            events = device.event_values(received.changed)
            self._ahead[identity] = Ahead(sent, device, events, undecoded=received.undecoded)
            if len(self._ahead) > MOST_AHEAD:
                del self._ahead[next(iter(self._ahead))]

    @callback
    def take_ahead(self, uplink: UplinkMessage) -> Ahead | None:
        """Return, once, what is known of a live uplink that was read before it came; else None."""
        ahead = self._ahead.pop(uplink.identity, None)
        if ahead is None or ahead.sent <= self._coordinator.stack.server_time() - STILL_COMING:
            return None
        device = ahead.device
        if self._coordinator.roster.find(uplink.ids) is not device or device.disabled:
            return None
        self._coordinator.counters.caught_up -= 1
        return ahead

    async def _async_show(self) -> None:
        """Update the entities of the end devices read, a few devices at a time."""
        touched, self._touched = list(self._touched.values()), {}
        slices = TimeSlices(self._pauses.clock)
        for item in touched:
            self._coordinator.show_caught_up(
                item.device, item.new, item.changed, identified=item.identified
            )
            await slices.end()
        if touched:  # a gap counts as read from now on: what it had must outlive a crash
            await self._coordinator.roster.last_values.async_save()
        self._coordinator.past_hours.on_caught_up()
