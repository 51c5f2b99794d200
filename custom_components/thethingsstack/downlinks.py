"""Downlinks of an application: queue them, follow them, tell those concerned."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import logging
from typing import Any

from homeassistant.core import CALLBACK_TYPE, Context, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.util import dt as dt_util
from homeassistant.util.signal_type import SignalType
from homeassistant.util.ulid import ulid_now

from .activity import Activity, async_tell_occurred
from .client import (
    AuthenticationFailed,
    ConnectionFailed,
    Downlink,
    DownlinkReport,
    EncodedDownlink,
    QueuedDownlink,
    ServerFailed,
    StackError,
)
from .const import DOMAIN
from .device import DOWNLINK, DOWNLINK_COUNT, DOWNLINK_QUEUE, DOWNLINK_STATE, EndDeviceState
from .downlink_check import Application, DownlinkCheck
from .downlink_errors import failure, translated
from .fate import CONTROL_TAG, OWN_TAG, DownlinkBook, DownlinkState, FollowedDownlink, control_of
from .rebuild import Rebuild, server_id

_LOGGER = logging.getLogger(__name__)

type Listener = Callable[[EndDeviceState, FollowedDownlink], None]

COUNT_INTERVAL = timedelta(minutes=10)
# The queue is read after something happened to it, when what follows has settled.
LOOK_AFTER_REPORT = 2.0
LOOK_AFTER_UPLINK = 10.0
DOUBT = timedelta(seconds=15)
TIDY_AFTER = 1.0
LOOK_PAUSE = 1.0
REBUILD_SETTLED = timedelta(minutes=2)
REFUSED_IN_DOUBT = (ConnectionFailed, ServerFailed)


@dataclass(slots=True)
class _Subscription:
    listener: Listener
    control: str | None
    device_id: str | None


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
        self.book = DownlinkBook(hass, entry.entry_id)
        self.check = DownlinkCheck(application)
        self.seen_first = SignalType[EndDeviceState](f"{DOMAIN}_{entry.entry_id}_new_downlink")
        self.count_changed = SignalType[()](f"{DOMAIN}_{entry.entry_id}_downlink_count")
        self._subscriptions: list[_Subscription] = []
        self._locks: dict[str, asyncio.Lock] = {}
        self._rebuilds: dict[str, Rebuild] = {}
        self._looks: dict[str, CALLBACK_TYPE] = {}
        self._tidying: set[str] = set()
        self._unheard: set[str] = set()
        self._looking = asyncio.Lock()

    # Life

    async def async_load(self) -> None:
        """Recall the downlinks of before the restart."""
        await self.book.async_load()

    @callback
    def async_start(self) -> None:
        """Count again as time passes, until the entry is unloaded."""
        self._entry.async_on_unload(
            async_track_time_interval(self._hass, self._count_again, COUNT_INTERVAL)
        )
        self._entry.async_on_unload(self._cancel_looks)

    async def async_stop(self) -> None:
        """Write to disk what the next start needs."""
        self._note_intervals()
        await self.book.async_save()

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

    @callback
    def resume(self) -> None:
        """See what became of open downlinks while no messages came."""
        for device_id in self.book.device_ids:
            device = self._application.roster.by_device_id(device_id)
            if device is not None and any(record.open for record in self.book.of(device_id)):
                self._unheard.add(device_id)
                self._look_soon(device, LOOK_AFTER_REPORT)

    @callback
    def _cancel_looks(self) -> None:
        for cancel in self._looks.values():
            cancel()
        self._looks.clear()

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
    ) -> FollowedDownlink:
        """Queue a downlink and return its record, which goes on changing.

        With a control, its newest command wins: a frame of the same control that still waits is
        replaced, frames of others stay. `note` is kept with the record over a restart; a rate
        limit is waited out for at most `max_wait` seconds. Raises ServiceValidationError for what
        is refused before sending, HomeAssistantError for what the server refuses.
        """
        await self.check.async_check(device, downlink)
        record = FollowedDownlink(
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
        async with self._lock(device):
            if control is not None and self.book.newest(control) is not record:
                self._move(device, record, DownlinkState.REPLACED)  # a newer one came meanwhile
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
    ) -> list[FollowedDownlink]:
        """Put downlinks in place of the whole queue, whoever's frames wait in it."""
        for downlink in downlinks:
            await self.check.async_check(device, downlink)
        records = [
            FollowedDownlink(
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
        async with self._lock(device):
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
                self._move(device, record, gone)
        self._show(device)
        for downlink, record in zip(downlinks, records, strict=True):
            await self._async_settle(device, downlink, record)
        self._set_queue(device, len(records))
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
        self._set_queue(device, len(queue))
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

    def newest(self, control: str) -> FollowedDownlink | None:
        """Return the newest downlink of a control, also of before a restart."""
        return self.book.newest(control)

    @callback
    def forget(self, control: str) -> None:
        """Let a removed control's downlinks be like anyone's."""
        self.book.release(control)
        self.book.save_soon()

    @callback
    def subscribe(
        self, listener: Listener, *, control: str | None = None, device_id: str | None = None
    ) -> CALLBACK_TYPE:
        """Call the listener when a downlink's state changes: of a control, of a device, or any."""
        subscription = _Subscription(listener, control, device_id)
        self._subscriptions.append(subscription)
        return lambda: self._subscriptions.remove(subscription)

    async def async_wait(
        self, record: FollowedDownlink, until: DownlinkState, seconds: float
    ) -> DownlinkState:
        """Return the state once it is `until` or can't become it; TIMED_OUT after the time."""
        changed = asyncio.Event()
        unsubscribe = self.subscribe(lambda _device, _record: changed.set())
        try:
            async with asyncio.timeout(seconds):
                while not record.reached(until):
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            if record.state is not DownlinkState.NOT_ACKNOWLEDGED:
                return DownlinkState.TIMED_OUT
        finally:
            unsubscribe()
        return record.state

    def expected_at(self, device: EndDeviceState) -> datetime | None:
        """Return when a downlink can go out at the earliest; None where that isn't known."""
        now = dt_util.utcnow()
        return now if device.downlink.listens_always else device.next_uplink(now)

    # Queueing

    def _lock(self, device: EndDeviceState) -> asyncio.Lock:
        return self._locks.setdefault(device.device_id, asyncio.Lock())

    async def _async_queue(
        self, device: EndDeviceState, record: FollowedDownlink, tagged: Downlink, max_wait: float
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
        rebuild = Rebuild(record)
        self._rebuilds[device_id] = rebuild
        queue = await self._queues.queue(device_id, max_wait=max_wait) if older else []
        tag = f"{CONTROL_TAG}{record.control}"
        places = [number for number, item in enumerate(queue) if tag in item.correlation_ids]
        if not places:
            del self._rebuilds[device_id]
            await self._queues.push(device_id, [tagged], max_wait=max_wait)
            return
        others = [item for item in queue if tag not in item.correlation_ids]
        rebuild.keep(others)
        new: list[Downlink | QueuedDownlink] = list(others)
        new.insert(places[0], tagged)
        await self._queues.replace(device_id, new, max_wait=max_wait)
        for other in older:
            if other.waiting:
                self._move(device, other, DownlinkState.REPLACED)

    async def _async_settle(
        self, device: EndDeviceState, downlink: Downlink, record: FollowedDownlink
    ) -> None:
        """Take back the empty frame that an unknown formatter may have left."""
        self.book.save_soon()
        self.check.learn_class(device)
        if downlink.decoded_payload is None or self.check.knows_formatter(device):
            return
        async with self._lock(device):
            try:
                self._rebuilds[device.device_id] = rebuild = Rebuild(record)
                queue = await self._queues.queue(device.device_id)
                item = next((i for i in queue if record.id in i.correlation_ids), None)
                if item is None or item.payload is not None:
                    return
                others = [other for other in queue if other is not item]
                rebuild.keep(others)
                await self._queues.replace(device.device_id, others)
            except StackError as err:
                raise translated(err) from err
        self._move(device, record, DownlinkState.CLEARED)
        raise failure("downlink_no_formatter", device=device.name)

    @callback
    def _refused(self, device: EndDeviceState, record: FollowedDownlink, error: StackError) -> None:
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
        self._move(device, record, state, error=error.name, reason=str(error))

    # The stream

    @callback
    def report(self, device: EndDeviceState, report: DownlinkReport) -> None:
        """Take over what the stream says of a downlink."""
        names = report.downlink_correlation_ids
        record = self.book.find(names)
        if record is None:
            name = next((n for n in names if n.startswith(OWN_TAG) and ":" not in n[3:]), None)
            name = name or server_id(names)
            if name is None or report.state == "invalidated":
                return
            record = FollowedDownlink(
                id=name, device_id=device.device_id, control=control_of(names)
            )
            self.book.add(record)
        self.book.learn(record, names)
        before, transmissions = record.state, len(record.transmissions)
        happened = record.follow(report)
        if len(record.transmissions) > transmissions:
            self.book.transmitted(device.device_id, report.received_at)
            device.downlink.in_24_hours = self.book.in_24_hours(device.device_id)
            async_dispatcher_send(self._hass, self.count_changed)
        if happened is not None:
            self._happened(device, record, happened, report)
        if record.state is not before or happened is not None:
            self._tell(device, record)
        rebuild = self._rebuilds.get(device.device_id)
        if rebuild is not None and dt_util.utcnow() - rebuild.started > REBUILD_SETTLED:
            del self._rebuilds[device.device_id]
            rebuild = None
        if (rebuild is not None and rebuild.hear(report)) or self._superseded(record, report):
            self._tidy_soon(device)
        self._look_soon(device, LOOK_AFTER_REPORT)
        self.book.save_soon()

    @callback
    def heard(self, device: EndDeviceState) -> None:
        """Note that an end device spoke: a class A device was sent the next downlink."""
        if any(record.open for record in self.book.of(device.device_id)):
            self._show(device)
            self._look_soon(device, LOOK_AFTER_UPLINK)

    def _superseded(self, record: FollowedDownlink, report: DownlinkReport) -> bool:
        """Return whether the server queued once more what a newer command replaced."""
        if report.state not in ("queued", "nack") or record.control is None:
            return False
        newest = self.book.newest(record.control, refused=False)
        return newest is not None and newest is not record and newest.ours

    @callback
    def _happened(
        self,
        device: EndDeviceState,
        record: FollowedDownlink,
        state: DownlinkState,
        report: DownlinkReport,
    ) -> None:
        standing = device.downlink
        delta = {DownlinkState.QUEUED: 1, DownlinkState.SENT: -1}.get(state, 0)
        standing.queue = max((standing.queue or 0) + delta, 0)
        payload = report.frm_payload
        activity = Activity(
            state.value,
            {
                "f_port": record.f_port,
                "payload": payload.hex() if payload else None,
                "confirmed": record.confirmed,
                "attempt": record.attempt,
                "f_cnt": report.f_cnt or None,
                "error": record.error,
                "reason": record.reason,
                "correlation_id": record.id,
                "received_at": report.received_at.isoformat() if report.received_at else None,
            },
        )
        standing.events.append((dt_util.utcnow(), activity, record.context))
        kind = f"downlink_{state}"
        async_tell_occurred(self._hass, device.registry_id, kind, lambda: activity, record.context)

    @callback
    def _move(
        self,
        device: EndDeviceState,
        record: FollowedDownlink,
        state: DownlinkState,
        error: str | None = None,
        reason: str | None = None,
    ) -> None:
        record.move(state, error=error, reason=reason)
        self._tell(device, record)
        self.book.save_soon()

    @callback
    def _tell(self, device: EndDeviceState, record: FollowedDownlink) -> None:
        standing = device.downlink
        standing.last = self.book.last(device.device_id)
        if record.announced and not standing.seen:
            standing.seen = True
            async_dispatcher_send(self._hass, self.seen_first, device)
        self._show(device, record.context)
        for subscription in list(self._subscriptions):
            if subscription.control not in (None, record.control):
                continue
            if subscription.device_id in (None, device.device_id):
                subscription.listener(device, record)

    @callback
    def _show(self, device: EndDeviceState, context: Context | None = None) -> None:
        keys = (DOWNLINK, DOWNLINK_STATE, DOWNLINK_QUEUE, DOWNLINK_COUNT)
        device.write(keys, context or Context())

    @callback
    def _set_queue(self, device: EndDeviceState, length: int) -> None:
        device.downlink.queue = length
        self._show(device)

    @callback
    def _count_again(self, _now: datetime) -> None:
        for device_id in self.book.device_ids:
            device = self._application.roster.by_device_id(device_id)
            if device is None:
                continue
            count = self.book.in_24_hours(device_id)
            if count != device.downlink.in_24_hours:
                device.downlink.in_24_hours = count
                self._show(device)
        async_dispatcher_send(self._hass, self.count_changed)

    # Looking at the queue, and mending it

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
                async with self._lock(device):
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
        for record in self.book.of(device.device_id):
            if not record.open:
                continue
            if not present.isdisjoint(record.names()):
                if not record.waiting:
                    self._move(device, record, DownlinkState.QUEUED)  # its nack was missed
                continue
            if record.waiting and not after_gap and dt_util.utcnow() - record.updated < DOUBT:
                doubtful = True  # the word of its transmission may be on its way
            elif record.waiting or (
                after_gap and device.last_seen is not None and device.last_seen > record.updated
            ):
                self._move(device, record, DownlinkState.UNKNOWN)
        self._set_queue(device, len(queue))
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
            async with self._lock(device):
                rebuild = self._rebuilds.get(device_id)
                queue = await self._queues.queue(device_id)
                keep = [item for item in queue if not self._unwanted(item, rebuild)]
                lost = rebuild.lost(queue, self.book) if rebuild is not None else []
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
        record = self.book.find(item.correlation_ids)
        if record is None or record.control is None or not record.ours:
            return False
        return self.book.newest(record.control, refused=False) is not record
