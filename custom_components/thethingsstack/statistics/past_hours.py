"""Correct the statistics of hours in which uplinks were missed, after these were read."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..client import EndDeviceIds, StackError, StorageUnavailable, UplinkMessage
from ..const import DOMAIN
from .hours import HOUR, hour_of
from .recorded import FIVE_MINUTES, async_compiled, async_correct_statistics
from .samples import async_read_samples, correction_of

if TYPE_CHECKING:
    import asyncio

    from ..coordinator import ApplicationCoordinator
    from ..end_devices import EndDeviceState

RETENTION = timedelta(days=30)
"""Longest retention of the Storage Integration; what is older can't be read any more."""
A_MOMENT = timedelta(seconds=1)
"""Added to the time at which entities are updated, so that their states are written by then."""
SETTLED = 2 * FIVE_MINUTES
"""Time after a gap until following uplinks are stored and in the recorder's statistics."""


class PastHours:
    """Corrects statistics after missed uplinks were read.

    Hours that are over are corrected at once, the current one after the recorder has compiled it.
    Periods that aren't fully corrected are in the application's store, and so survive a restart.
    """

    def __init__(self, coordinator: ApplicationCoordinator) -> None:
        """Start with the periods in the application's store."""
        self._coordinator = coordinator
        self._hass: HomeAssistant = coordinator.hass
        self._store = coordinator.store
        self._correcting: asyncio.Task[None] | None = None
        self._again = False
        self._corrected: set[tuple[datetime, datetime]] = set()
        """Periods that are fully corrected, but may be followed by another gap in the same hour."""

    @property
    def done(self) -> bool:
        """Return whether nothing is being corrected."""
        return self._correcting is None or self._correcting.done()

    @callback
    def async_start(self) -> None:
        """Correct the periods left from before the restart, and others after each full hour."""
        if not self._recorded:
            return
        from homeassistant.components.recorder.const import (
            EVENT_RECORDER_HOURLY_STATISTICS_GENERATED,
        )

        self._coordinator.entry.async_on_unload(
            self._hass.bus.async_listen(
                EVENT_RECORDER_HOURLY_STATISTICS_GENERATED, self._hour_compiled
            )
        )
        self._begin()

    @property
    def _recorded(self) -> bool:
        return "recorder" in self._hass.config.components

    @callback
    def on_caught_up(self) -> None:
        """Correct the gaps that were read; call it when entities show their newest values."""
        self._store.uncorrected.end(dt_util.utcnow() + A_MOMENT)
        self._store.save_soon()
        self._begin()

    @callback
    def on_received(self, uplink: UplinkMessage) -> None:
        """Note an uplink that comes late: an event stream repeats what was missed."""
        sent = uplink.received_at
        if sent is None or uplink.simulated:
            return
        if self._coordinator.stack.server_time() - sent > FIVE_MINUTES:
            self._store.uncorrected.add(sent - A_MOMENT, dt_util.utcnow() + A_MOMENT)

    @callback
    def _hour_compiled(self, _event: Event) -> None:
        self._begin()

    @callback
    def _begin(self) -> None:
        if self._store.uncorrected.oldest_ended is None:
            return
        if not self._recorded:
            self._store.uncorrected.clear()
            return
        if not self.done:
            self._again = True
            return
        self._correcting = self._coordinator.entry.async_create_background_task(
            self._hass, self._async_correct(), f"{DOMAIN} statistics"
        )

    async def _async_correct(self) -> None:
        """Correct all periods as far as possible; after an error, try again next hour."""
        await async_compiled(self._hass)
        while True:
            self._again = False
            now = dt_util.utcnow()
            self._store.uncorrected.clamp(now - RETENTION, now + FIVE_MINUTES)
            for gaps in self._in_touching_hours():
                since, until = gaps[0][0], gaps[-1][1]
                if (since, until) not in self._corrected:
                    try:
                        await self._async_correct_period(since, until)
                    except StorageUnavailable:
                        return
                    except StackError as err:
                        status = self._coordinator.application_status
                        status.record_problem("statistics", "", str(err))
                        return
                self._note_corrected(gaps, now)
            if not self._again:
                return

    def _in_touching_hours(self) -> list[list[tuple[datetime, datetime]]]:
        """Return the gaps that have ended; those in the same hour have to be corrected together."""
        found: list[list[tuple[datetime, datetime]]] = []
        for gap in self._store.uncorrected:
            if gap.until is None:
                continue
            if found and hour_of(gap.since) <= hour_of(found[-1][-1][1]):
                found[-1].append((gap.since, gap.until))
            else:
                found.append([(gap.since, gap.until)])
        return found

    def _note_corrected(self, gaps: list[tuple[datetime, datetime]], now: datetime) -> None:
        """Forget gaps whose last hour was over, unless the next gap may begin in that hour."""
        since, until = gaps[0][0], gaps[-1][1]
        end = hour_of(until) + HOUR
        if now < max(end, until + SETTLED):
            return
        received_until = self._store.received_until
        if received_until is None or received_until < end:
            self._corrected.add((since, until))
            return
        self._corrected.discard((since, until))
        for gap in gaps:
            self._store.uncorrected.remove(*gap)
        self._store.save_soon()

    async def _async_correct_period(self, since: datetime, until: datetime) -> None:
        found = await async_read_samples(
            self._coordinator.stack,
            self._end_device,
            since=hour_of(since),
            until=min(until + SETTLED, dt_util.utcnow()),
        )
        corrections = (
            correction
            for device, fields in found.items()
            for path, samples in fields.items()
            if (
                correction := correction_of(
                    self._hass, device, path, samples, since=since, until=until
                )
            )
        )
        await async_correct_statistics(self._hass, corrections)

    def _end_device(self, ids: EndDeviceIds) -> EndDeviceState | None:
        device = self._coordinator.roster.find(ids)
        return None if device is None or device.disabled else device
