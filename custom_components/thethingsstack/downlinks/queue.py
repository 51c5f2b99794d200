"""The queues of downlinks: compared with what is thought to wait in them, and mended."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
import logging

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..client import DownlinkReport, QueuedDownlink, StackError
from ..const import DOMAIN
from ..end_devices.state import EndDeviceState
from .ledger import DownlinkLedger, DownlinkRecord, DownlinkState
from .preflight import Application
from .rebuild import Rebuild
from .tracker import DownlinkTracker

_LOGGER = logging.getLogger(__name__)

# The queue is read after something happened to it, when what follows has settled.
LOOK_AFTER_REPORT = 2.0
LOOK_AFTER_UPLINK = 10.0
DOUBT = timedelta(seconds=15)
TIDY_AFTER = 1.0
LOOK_PAUSE = 1.0
REBUILD_SETTLED = timedelta(minutes=2)


class QueueWatch:
    """Looks at queues after what happened to them; who changes one holds its lock."""

    def __init__(
        self, application: Application, book: DownlinkLedger, news: DownlinkTracker
    ) -> None:
        """Nothing is read yet."""
        self._application = application
        self._hass = application.hass
        self._entry = application.entry
        self._queues = application.stack.downlinks
        self._book = book
        self._news = news
        self._locks: dict[str, asyncio.Lock] = {}
        self._rebuilds: dict[str, Rebuild] = {}
        self._looks: dict[str, CALLBACK_TYPE] = {}
        self._tidying: set[str] = set()
        self._unheard: set[str] = set()
        self._looking = asyncio.Lock()

    def lock(self, device: EndDeviceState) -> asyncio.Lock:
        """Return what to hold while the queue of an end device is changed."""
        return self._locks.setdefault(device.device_id, asyncio.Lock())

    def begin_rebuild(self, record: DownlinkRecord) -> Rebuild:
        """Take notes from now on of what happens to a queue that will be replaced."""
        rebuild = self._rebuilds[record.device_id] = Rebuild(record)
        return rebuild

    def end_rebuild(self, device_id: str) -> None:
        """Drop the notes: the queue stays."""
        self._rebuilds.pop(device_id, None)

    @callback
    def cancel(self) -> None:
        """Look no more."""
        for cancel in self._looks.values():
            cancel()
        self._looks.clear()

    @callback
    def resume(self) -> None:
        """See what became of open downlinks while no messages came."""
        for device_id in self._book.device_ids:
            device = self._application.roster.by_device_id(device_id)
            if device is not None and any(record.open for record in self._book.of(device_id)):
                self._unheard.add(device_id)
                self._look_soon(device, LOOK_AFTER_REPORT)

    @callback
    def reported(
        self, device: EndDeviceState, record: DownlinkRecord, report: DownlinkReport
    ) -> None:
        """Look at the queue, and mend it, after what the stream said of a downlink."""
        rebuild = self._rebuilds.get(device.device_id)
        if rebuild is not None and dt_util.utcnow() - rebuild.started > REBUILD_SETTLED:
            del self._rebuilds[device.device_id]
            rebuild = None
        if (rebuild is not None and rebuild.hear(report)) or self._superseded(record, report):
            self._tidy_soon(device)
        self._look_soon(device, LOOK_AFTER_REPORT)

    @callback
    def heard(self, device: EndDeviceState) -> None:
        """Note that an end device spoke: a class A device was sent the next downlink."""
        if any(record.open for record in self._book.of(device.device_id)):
            self._news.show(device)
            self._look_soon(device, LOOK_AFTER_UPLINK)

    def _superseded(self, record: DownlinkRecord, report: DownlinkReport) -> bool:
        """Return whether the server queued once more what a newer command replaced."""
        if report.state not in ("queued", "nack") or record.control is None:
            return False
        newest = self._book.newest(record.control, refused=False)
        return newest is not None and newest is not record and newest.ours

    @callback
    def _look_soon(self, device: EndDeviceState, seconds: float) -> None:
        """Read the queue after a while, once for all that happens until then."""
        device_id = device.device_id
        if device_id in self._looks:
            self._looks.pop(device_id)()

        @callback
        def look(_now: datetime) -> None:
            self._looks.pop(device_id, None)
            self._entry.async_create_background_task(
                self._hass, self._async_look(device), f"{DOMAIN} downlink queue"
            )

        self._looks[device_id] = async_call_later(self._hass, seconds, look)

    async def _async_look(self, device: EndDeviceState) -> None:
        """Compare what waits with what is thought to wait; one queue per second at most."""
        async with self._looking:
            try:
                async with self.lock(device):
                    queue = await self._queues.queue(device.device_id)
                    # Messages may have been missed: what isn't there has an unknown outcome.
                    after_gap = device.device_id in self._unheard
                    self._unheard.discard(device.device_id)
                    self._compare(device, queue, after_gap)
            except StackError as err:
                _LOGGER.debug("No downlink queue of %s: %s", device.device_id, err)
            await asyncio.sleep(LOOK_PAUSE)

    @callback
    def _compare(
        self, device: EndDeviceState, queue: Sequence[QueuedDownlink], after_gap: bool
    ) -> None:
        present = {name for item in queue for name in item.correlation_ids}
        doubtful = False
        for record in self._book.of(device.device_id):
            if not record.open:
                continue
            if not present.isdisjoint(record.names()):
                if not record.waiting:
                    self._news.move(device, record, DownlinkState.QUEUED)  # its nack was missed
                continue
            if record.waiting and not after_gap and dt_util.utcnow() - record.updated < DOUBT:
                doubtful = True  # the word of its transmission may be on its way
            elif record.waiting or (
                after_gap and device.last_seen is not None and device.last_seen > record.updated
            ):
                self._news.move(device, record, DownlinkState.UNKNOWN)
        self._news.set_queue(device, len(queue))
        if doubtful:
            self._look_soon(device, DOUBT.total_seconds())

    @callback
    def _tidy_soon(self, device: EndDeviceState) -> None:
        if device.device_id not in self._tidying:
            self._tidying.add(device.device_id)
            self._entry.async_create_background_task(
                self._hass, self._async_tidy(device), f"{DOMAIN} downlink tidy"
            )

    async def _async_tidy(self, device: EndDeviceState) -> None:
        """Mend what happened between reading a queue and replacing it."""
        device_id = device.device_id
        await asyncio.sleep(TIDY_AFTER)
        self._tidying.discard(device_id)
        try:
            async with self.lock(device):
                rebuild = self._rebuilds.get(device_id)
                queue = await self._queues.queue(device_id)
                keep = [item for item in queue if not self._unwanted(item, rebuild)]
                lost = rebuild.lost(queue, self._book) if rebuild is not None else []
                if len(keep) < len(queue):
                    await self._queues.replace(device_id, [*keep, *lost])
                    self._rebuilds.pop(device_id, None)
                elif lost:
                    await self._queues.push(device_id, lost)
        except StackError as err:
            _LOGGER.warning("%s: its downlink queue could not be mended: %s", device_id, err)

    def _unwanted(self, item: QueuedDownlink, rebuild: Rebuild | None) -> bool:
        """Return whether a waiting frame went out already, or a newer command replaced it."""
        if rebuild is not None and rebuild.excess(item):
            return True
        record = self._book.find(item.correlation_ids)
        if record is None or record.control is None or not record.ours:
            return False
        return self._book.newest(record.control, refused=False) is not record
