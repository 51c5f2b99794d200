"""Compares the server's downlink queues with the records, and corrects differences."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..client import ApplicationClient, DownlinkReport, QueuedDownlink, StackError
from ..const import DOMAIN
from ..end_devices import EndDeviceRoster, EndDeviceState
from .ledger import DownlinkLedger
from .record import REFUSED, SERVER_TAG, DownlinkRecord, DownlinkState, server_id
from .tracker import DownlinkTracker

_LOGGER = logging.getLogger(__name__)

DOUBT = timedelta(seconds=15)
REBUILD_SETTLED = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds to wait before a queue is read, so that the server has settled after a change."""

    after_report: float = 2.0
    after_uplink: float = 10.0
    before_correction: float = 1.0
    between_reads: float = 1.0


PAUSES: HassKey[Pauses] = HassKey(f"{DOMAIN}_downlink_queue_pauses")
"""Key in `hass.data` for pauses that replace the defaults; set before setup."""


@dataclass(slots=True)
class Rebuild:
    """Records what happens to a queue between reading it and replacing it.

    The queue is read first, so that the new one can include the frames of other clients. If one
    of these is transmitted in between, it is queued again; if one is added, it is lost. The stream
    reports both, and `excess` and `lost` return what has to be corrected.
    """

    record: DownlinkRecord
    started: datetime = field(default_factory=dt_util.utcnow)
    _kept: dict[str, int] = field(default_factory=dict)
    _queued: list[tuple[datetime, QueuedDownlink]] = field(default_factory=list)
    _sent: list[tuple[tuple[str, ...], int]] = field(default_factory=list)
    _replaced_at: datetime | None = None

    def keep(self, others: Iterable[QueuedDownlink]) -> None:
        """Note which frames the new queue takes unchanged from the old one."""
        self._kept = {
            name: item.f_cnt
            for item in others
            for name in item.correlation_ids
            if name.startswith(SERVER_TAG)
        }

    def take_report(self, report: DownlinkReport) -> bool:
        """Apply a report; return whether the queue may have to be corrected."""
        names = report.downlink_correlation_ids
        if report.received_at is None or report.state not in ("queued", "sent"):
            return False
        if report.state == "sent":
            self._sent.append((names, report.f_cnt))
        elif self.record.id in names:
            self._replaced_at = report.received_at
            return False
        else:
            self._queued.append((report.received_at, QueuedDownlink.from_json(report.downlink)))
        return True

    def excess(self, item: QueuedDownlink) -> bool:
        """Return whether a queued frame was already transmitted.

        That was with the old frame counter: replacing the queue gave the frame a new one.
        """
        mine = set(item.correlation_ids)
        return any(
            name in mine and self._kept.get(name) == f_cnt
            for names, f_cnt in self._sent
            for name in names
        )

    def lost(self, queue: Sequence[QueuedDownlink], ledger: DownlinkLedger) -> list[QueuedDownlink]:
        """Return others' frames that were queued in between and lost by the replacement."""
        if self._replaced_at is None:
            return []
        present = {name for item in queue for name in item.correlation_ids}
        lost = []
        for moment, item in self._queued:
            record = ledger.find(item.correlation_ids)
            if (
                moment < self._replaced_at
                and self._kept.keys().isdisjoint(item.correlation_ids)
                and server_id(item.correlation_ids) not in present
                and record is not None
                and not record.ours
                and record.waiting
            ):
                lost.append(item)
        return lost


class DownlinkQueues:
    """Reads queues after events that affect them; hold the queue's lock to change it."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        stack: ApplicationClient,
        roster: EndDeviceRoster,
        *,
        ledger: DownlinkLedger,
        tracker: DownlinkTracker,
    ) -> None:
        """Keep what is needed; reads nothing yet."""
        self._hass = hass
        self._entry = entry
        self._queues = stack.downlinks
        self._roster = roster
        self._ledger = ledger
        self._tracker = tracker
        self._pauses = hass.data.get(PAUSES, Pauses())
        self._locks: dict[str, asyncio.Lock] = {}
        self._rebuilds: dict[str, Rebuild] = {}
        self._reads_due: dict[str, CALLBACK_TYPE] = {}
        self._correcting: set[str] = set()
        self._after_gap: set[str] = set()
        self._reading = asyncio.Lock()

    def lock(self, device: EndDeviceState) -> asyncio.Lock:
        """Return the lock to hold while the queue of an end device is changed."""
        return self._locks.setdefault(device.device_id, asyncio.Lock())

    def begin_rebuild(self, record: DownlinkRecord) -> Rebuild:
        """Record from now on what happens to a queue that will be replaced."""
        rebuild = self._rebuilds[record.device_id] = Rebuild(record)
        return rebuild

    def end_rebuild(self, device_id: str) -> None:
        """Discard the recording: the queue was not replaced."""
        self._rebuilds.pop(device_id, None)

    @callback
    def cancel(self) -> None:
        """Stop reading queues."""
        for cancel in self._reads_due.values():
            cancel()
        self._reads_due.clear()

    @callback
    def on_stream_connected(self) -> None:
        """Read queues to update downlinks that were open while disconnected."""
        for device_id in self._ledger.device_ids:
            device = self._roster.by_device_id(device_id)
            if device is not None and self._ledger.has_open(device_id):
                self._after_gap.add(device_id)
                self._read_soon(device, self._pauses.after_report)

    @callback
    def on_report(
        self, device: EndDeviceState, record: DownlinkRecord, report: DownlinkReport
    ) -> None:
        """Read the queue after a report of the stream, and correct it if needed."""
        rebuild = self._rebuilds.get(device.device_id)
        if rebuild is not None and dt_util.utcnow() - rebuild.started > REBUILD_SETTLED:
            del self._rebuilds[device.device_id]
            rebuild = None
        if (rebuild is not None and rebuild.take_report(report)) or self._superseded(
            record, report
        ):
            self._correct_soon(device)
        self._read_soon(device, self._pauses.after_report)

    @callback
    def on_uplink(self, device: EndDeviceState) -> None:
        """Read the queue after an uplink, when a class A device gets its next downlink."""
        if self._ledger.has_open(device.device_id):
            self._tracker.show(device)
            self._read_soon(device, self._pauses.after_uplink)

    def _superseded(self, record: DownlinkRecord, report: DownlinkReport) -> bool:
        """Return whether the server queued a downlink again that a newer command replaced."""
        if report.state not in ("queued", "nack") or record.control is None:
            return False
        newest = self._ledger.newest(record.control, without=REFUSED)
        return newest is not None and newest is not record and newest.ours

    @callback
    def _read_soon(self, device: EndDeviceState, seconds: float) -> None:
        """Read the queue after a delay; further calls until then cause no further read."""
        if not self._queues.reads_queue:
            return
        device_id = device.device_id
        if device_id in self._reads_due:
            self._reads_due.pop(device_id)()

        @callback
        def read(_now: datetime) -> None:
            self._reads_due.pop(device_id, None)
            self._entry.async_create_background_task(
                self._hass, self._async_read(device), f"{DOMAIN} downlink queue"
            )

        self._reads_due[device_id] = async_call_later(self._hass, seconds, read)

    async def _async_read(self, device: EndDeviceState) -> None:
        """Compare the server's queue with the records; reads one queue per second at most."""
        async with self._reading:
            try:
                async with self.lock(device):
                    queue = await self._queues.queue(device.device_id)
                    # Messages may have been missed: a downlink not in the queue has an unknown outcome.
                    after_gap = device.device_id in self._after_gap
                    self._after_gap.discard(device.device_id)
                    self._compare(device, queue, after_gap)
            except StackError as err:
                _LOGGER.debug("No downlink queue of %s: %s", device.device_id, err)
            await asyncio.sleep(self._pauses.between_reads)

    @callback
    def _compare(
        self, device: EndDeviceState, queue: Sequence[QueuedDownlink], after_gap: bool
    ) -> None:
        present = {name for item in queue for name in item.correlation_ids}
        doubtful = False
        for record in self._ledger.of(device.device_id):
            if not record.open:
                continue
            if not present.isdisjoint(record.names()):
                if not record.waiting:
                    self._tracker.move(device, record, DownlinkState.QUEUED)  # its nack was missed
                continue
            if record.waiting and not after_gap and dt_util.utcnow() - record.updated < DOUBT:
                doubtful = True  # the report of its transmission may still arrive
            elif record.waiting or (
                after_gap and device.last_seen is not None and device.last_seen > record.updated
            ):
                self._tracker.move(device, record, DownlinkState.UNKNOWN)
        self._tracker.set_queue(device, len(queue))
        if doubtful:
            self._read_soon(device, DOUBT.total_seconds())

    @callback
    def _correct_soon(self, device: EndDeviceState) -> None:
        if self._queues.reads_queue and device.device_id not in self._correcting:
            self._correcting.add(device.device_id)
            self._entry.async_create_background_task(
                self._hass, self._async_correct(device), f"{DOMAIN} downlink queue correction"
            )

    async def _async_correct(self, device: EndDeviceState) -> None:
        """Correct the effects of changes between reading a queue and replacing it."""
        device_id = device.device_id
        await asyncio.sleep(self._pauses.before_correction)
        self._correcting.discard(device_id)
        try:
            async with self.lock(device):
                rebuild = self._rebuilds.get(device_id)
                queue = await self._queues.queue(device_id)
                keep = [item for item in queue if not self._unwanted(item, rebuild)]
                lost = rebuild.lost(queue, self._ledger) if rebuild is not None else []
                if len(keep) < len(queue):
                    await self._queues.replace(device_id, [*keep, *lost])
                    self._rebuilds.pop(device_id, None)
                elif lost:
                    await self._queues.push(device_id, lost)
        except StackError as err:
            _LOGGER.warning("%s: its downlink queue could not be corrected: %s", device_id, err)

    def _unwanted(self, item: QueuedDownlink, rebuild: Rebuild | None) -> bool:
        """Return whether a queued frame was already transmitted or replaced by a newer command."""
        if rebuild is not None and rebuild.excess(item):
            return True
        record = self._ledger.find(item.correlation_ids)
        if record is None or record.control is None or not record.ours:
            return False
        return self._ledger.newest(record.control, without=REFUSED) is not record
