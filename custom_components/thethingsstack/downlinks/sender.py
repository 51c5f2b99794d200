"""Downlinks of an application: queue them, follow them, tell those concerned."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from homeassistant.core import Context, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util
from homeassistant.util.ulid import ulid_now

from ..client import (
    AuthenticationFailed,
    ConnectionFailed,
    Downlink,
    DownlinkReport,
    EncodedDownlink,
    QueuedDownlink,
    ServerFailed,
    StackError,
)
from ..end_devices.state import EndDeviceState
from .errors import failure, translated
from .ledger import CONTROL_TAG, OWN_TAG, DownlinkLedger, DownlinkRecord, DownlinkState
from .preflight import Application, DownlinkCheck
from .queue import QueueWatch
from .tracker import DownlinkTracker

COUNT_INTERVAL = timedelta(minutes=10)
REFUSED_IN_DOUBT = (ConnectionFailed, ServerFailed)


class Downlinks:
    """Sends downlinks and knows what became of each, ours or anyone's.

    What a device is told goes over HTTP, where refusals come back; what became of it comes over
    the stream, and is matched by correlation ids.
    """

    def __init__(self, application: Application) -> None:
        """Prepare; nothing is asked of the server yet."""
        hass, entry = application.hass, application.entry
        self._application = application
        self._hass = hass
        self._entry = entry
        self._queues = application.stack.downlinks
        self.book = DownlinkLedger(hass, entry.entry_id)
        self.check = DownlinkCheck(application)
        self.news = DownlinkTracker(hass, entry.entry_id, self.book, application.roster)
        self.watch = QueueWatch(application, self.book, self.news)

    # Life

    async def async_load(self) -> None:
        """Recall the downlinks of before the restart."""
        await self.book.async_load()

    @callback
    def async_start(self) -> None:
        """Count again as time passes, until the entry is unloaded."""
        self._entry.async_on_unload(
            async_track_time_interval(self._hass, self.news.count_again, COUNT_INTERVAL)
        )
        self._entry.async_on_unload(self.watch.cancel)

    async def async_stop(self) -> None:
        """Write to disk what the next start needs."""
        self._note_intervals()
        await self.book.async_close()

    @callback
    def save_soon(self) -> None:
        """Write to disk at the latest when Home Assistant stops."""
        self._note_intervals()
        self.book.save_soon()

    @callback
    def attach(self, device: EndDeviceState) -> None:
        """Show an end device what is remembered of its downlinks."""
        device_id = device.device_id
        standing = device.downlink
        standing.seen = device_id in self.book.device_ids
        standing.last = self.book.last(device_id)
        standing.in_24_hours = self.book.in_24_hours(device_id)
        if device.learned_interval is None:
            device.learned_interval = self.book.intervals.get(device_id)

    @callback
    def forget_device(self, device_id: str) -> None:
        """Drop what is remembered of an end device that is removed."""
        self.book.forget(device_id)
        self.book.save_soon()

    def _note_intervals(self) -> None:
        for device_id in self.book.device_ids:
            device = self._application.roster.by_device_id(device_id)
            if device is not None and device.learned_interval is not None:
                self.book.intervals[device_id] = device.learned_interval

    # Calls

    async def async_send(
        self,
        device: EndDeviceState,
        downlink: Downlink,
        *,
        control: str | None = None,
        note: Any = None,
        max_wait: float = 30,
        context: Context | None = None,
    ) -> DownlinkRecord:
        """Queue a downlink and return its record, which goes on changing.

        With a control, its newest command wins: a frame of the same control that still waits is
        replaced, frames of others stay. `note` is kept with the record over a restart; a rate
        limit is waited out for at most `max_wait` seconds. Raises ServiceValidationError for what
        is refused before sending, HomeAssistantError for what the server refuses.
        """
        await self.check.async_check(device, downlink)
        record = DownlinkRecord(
            id=f"{OWN_TAG}{ulid_now()}",
            device_id=device.device_id,
            f_port=downlink.f_port or 0,
            confirmed=downlink.confirmed,
            control=control,
            note=note,
            ours=True,
            context=context,
        )
        tags = (record.id,) if control is None else (record.id, f"{CONTROL_TAG}{control}")
        tagged = replace(downlink, correlation_ids=(*tags, *downlink.correlation_ids))
        self.book.add(record)
        async with self.watch.lock(device):
            if control is not None and self.book.newest(control) is not record:
                self.news.move(device, record, DownlinkState.REPLACED)  # a newer one came meanwhile
                return record
            try:
                await self._async_queue(device, record, tagged, max_wait)
            except StackError as err:
                self._refused(device, record, err)
                raise translated(err) from err
        await self._async_settle(device, downlink, record)
        return record

    async def async_replace(
        self,
        device: EndDeviceState,
        downlinks: Sequence[Downlink],
        *,
        max_wait: float = 30,
        context: Context | None = None,
    ) -> list[DownlinkRecord]:
        """Put downlinks in place of the whole queue, whoever's frames wait in it."""
        for downlink in downlinks:
            await self.check.async_check(device, downlink)
        records = [
            DownlinkRecord(
                id=f"{OWN_TAG}{ulid_now()}",
                device_id=device.device_id,
                f_port=downlink.f_port or 0,
                confirmed=downlink.confirmed,
                ours=True,
                context=context,
            )
            for downlink in downlinks
        ]
        tagged = [
            replace(downlink, correlation_ids=(record.id, *downlink.correlation_ids))
            for downlink, record in zip(downlinks, records, strict=True)
        ]
        async with self.watch.lock(device):
            before = [record for record in self.book.of(device.device_id) if record.waiting]
            for record in records:
                self.book.add(record)
            try:
                await self._queues.replace(device.device_id, tagged, max_wait=max_wait)
            except StackError as err:
                for record in records:
                    self._refused(device, record, err)
                raise translated(err) from err
            gone = DownlinkState.REPLACED if records else DownlinkState.CLEARED
            for record in before:
                self.news.move(device, record, gone)
        self.news.show(device)
        for downlink, record in zip(downlinks, records, strict=True):
            await self._async_settle(device, downlink, record)
        self.news.set_queue(device, len(records))
        return records

    async def async_clear(
        self, device: EndDeviceState, *, max_wait: float = 30, context: Context | None = None
    ) -> None:
        """Empty the queue, whoever's frames wait in it."""
        await self.check.async_right()
        await self.async_replace(device, (), max_wait=max_wait, context=context)

    async def async_queue(
        self, device: EndDeviceState, *, max_wait: float = 30
    ) -> list[QueuedDownlink]:
        """Return what waits for an end device, in order."""
        try:
            queue = await self._queues.queue(device.device_id, max_wait=max_wait)
        except StackError as err:
            raise translated(err) from err
        self.news.set_queue(device, len(queue))
        return queue

    async def async_encode(
        self, device: EndDeviceState, decoded_payload: Mapping[str, Any], f_port: int | None = None
    ) -> EncodedDownlink:
        """Return what the device's formatter makes of an object, with its warnings; sends nothing.

        Raises ServiceValidationError `downlink_no_formatter` where the device has none.
        """
        formatter = await self.check.async_formatter(device)
        try:
            return await self._queues.encode(
                device.device_id,
                Downlink(f_port=f_port, decoded_payload=decoded_payload),
                formatter,
                version_ids=device.version_ids,
            )
        except StackError as err:
            raise translated(err) from err

    def newest(self, control: str) -> DownlinkRecord | None:
        """Return the newest downlink of a control, also of before a restart."""
        return self.book.newest(control)

    @callback
    def forget(self, control: str) -> None:
        """Let a removed control's downlinks be like anyone's."""
        self.book.release(control)
        self.book.save_soon()

    def expected_at(self, device: EndDeviceState) -> datetime | None:
        """Return when a downlink can go out at the earliest; None where that isn't known."""
        now = dt_util.utcnow()
        return now if device.downlink.listens_always else device.next_uplink(now)

    # Queueing

    async def _async_queue(
        self, device: EndDeviceState, record: DownlinkRecord, tagged: Downlink, max_wait: float
    ) -> None:
        """Push, or put it in the place of the same control's frame that still waits."""
        device_id = device.device_id
        older = [
            other
            for other in self.book.of(device_id)
            if record.control is not None
            and other.control == record.control
            and other is not record
            and other.waiting
        ]
        rebuild = self.watch.begin_rebuild(record)
        queue = await self._queues.queue(device_id, max_wait=max_wait) if older else []
        tag = f"{CONTROL_TAG}{record.control}"
        places = [number for number, item in enumerate(queue) if tag in item.correlation_ids]
        if not places:
            self.watch.end_rebuild(device_id)
            await self._queues.push(device_id, [tagged], max_wait=max_wait)
            return
        others = [item for item in queue if tag not in item.correlation_ids]
        rebuild.keep(others)
        new: list[Downlink | QueuedDownlink] = list(others)
        new.insert(places[0], tagged)
        await self._queues.replace(device_id, new, max_wait=max_wait)
        for other in older:
            if other.waiting:
                self.news.move(device, other, DownlinkState.REPLACED)

    async def _async_settle(
        self, device: EndDeviceState, downlink: Downlink, record: DownlinkRecord
    ) -> None:
        """Take back the empty frame that an unknown formatter may have left."""
        self.book.save_soon()
        self.check.learn_class(device)
        if downlink.decoded_payload is None or self.check.knows_formatter(device):
            return
        async with self.watch.lock(device):
            try:
                rebuild = self.watch.begin_rebuild(record)
                queue = await self._queues.queue(device.device_id)
                item = next((i for i in queue if record.id in i.correlation_ids), None)
                if item is None or item.payload is not None:
                    return
                others = [other for other in queue if other is not item]
                rebuild.keep(others)
                await self._queues.replace(device.device_id, others)
            except StackError as err:
                raise translated(err) from err
        self.news.move(device, record, DownlinkState.CLEARED)
        raise failure("downlink_no_formatter", device=device.name)

    @callback
    def _refused(self, device: EndDeviceState, record: DownlinkRecord, error: StackError) -> None:
        if isinstance(error, AuthenticationFailed):
            self._entry.async_start_reauth(self._hass)
        if not record.waiting:
            return  # the stream knows more
        if isinstance(error, REFUSED_IN_DOUBT):
            if record.announced:
                return
            state = DownlinkState.UNKNOWN
        else:
            state = DownlinkState.FAILED
        self.news.move(device, record, state, error=error.name, reason=str(error))

    # The stream

    @callback
    def report(self, device: EndDeviceState, report: DownlinkReport) -> None:
        """Take over what the stream says of a downlink."""
        if (record := self.news.follow(device, report)) is not None:
            self.watch.reported(device, record, report)
            self.book.save_soon()
