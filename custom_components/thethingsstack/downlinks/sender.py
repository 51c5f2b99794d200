"""Sending downlinks: checked, recorded, queued over HTTP, and followed to their outcome."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util
from homeassistant.util.ulid import ulid_now

from ..application import ConnectionState, Signals, downlink_error, failure
from ..client import (
    ApplicationClient,
    AuthenticationFailed,
    ConnectionFailed,
    Downlink,
    DownlinkReport,
    EncodedDownlink,
    NotSupported,
    QueuedDownlink,
    ServerFailed,
    StackError,
)
from ..end_devices import EndDeviceRoster, EndDeviceState
from .ledger import DownlinkLedger
from .preflight import Preflight
from .queue import DownlinkQueues
from .record import CONTROL_TAG, OWN_TAG, DownlinkRecord, DownlinkState
from .tracker import DownlinkStanding, DownlinkTracker, Listener

COUNT_INTERVAL = timedelta(minutes=10)
REFUSED_IN_DOUBT = (ConnectionFailed, ServerFailed)


class Downlinks:
    """Sends downlinks and tracks the outcome of each, from here or another client.

    Downlinks are queued over HTTP, which reports refusals; their outcome arrives over the
    stream, and is matched by correlation ID.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        stack: ApplicationClient,
        roster: EndDeviceRoster,
        *,
        connection_state: ConnectionState,
        signals: Signals,
    ) -> None:
        """Prepare; makes no request yet."""
        self._hass = hass
        self._entry = entry
        self._roster = roster
        self._server = stack.downlinks
        self._stack = stack
        self._ledger = DownlinkLedger(hass, entry.entry_id)
        self._preflight = Preflight(hass, entry, stack, connection_state)
        self._tracker = DownlinkTracker(hass, signals, self._ledger, roster)
        self._queues = DownlinkQueues(
            hass, entry, stack, roster, ledger=self._ledger, tracker=self._tracker
        )

    # Start and stop

    async def async_load(self) -> None:
        """Load the downlinks of before the restart; the client goes on matching reports of open ones."""
        await self._ledger.async_load(self._entry.title)
        for device_id in self._ledger.device_ids:
            for record in self._ledger.of(device_id):
                if record.open:
                    self._server.expect(
                        device_id,
                        list(record.names()),
                        f_port=record.f_port,
                        confirmed=record.confirmed,
                        sent=not record.waiting,
                    )

    @callback
    def async_start(self) -> None:
        """Update the 24-hour counts regularly until the entry is unloaded."""
        self._entry.async_on_unload(
            async_track_time_interval(self._hass, self._tracker.count_again, COUNT_INTERVAL)
        )
        self._entry.async_on_unload(self._queues.cancel)

    async def async_stop(self) -> None:
        """Write to disk what the next start needs."""
        await self._ledger.async_close()

    @callback
    def save_soon(self) -> None:
        """Write to disk at the latest when Home Assistant stops."""
        self._ledger.save_soon()

    async def async_save(self) -> None:
        """Write to disk now."""
        await self._ledger.async_save()

    # End devices added and removed

    @callback
    def on_device_added(self, device: EndDeviceState) -> None:
        """Load the stored downlinks of an end device that was added to Home Assistant."""
        self._tracker.recall(device)
        if device.uplinks.interval.seconds is None:
            device.uplinks.interval.assume(self._ledger.intervals_of_0_1.get(device.device_id))

    @callback
    def forget_device(self, device_id: str) -> None:
        """Remove the downlinks of an end device that is removed."""
        self._tracker.forget(device_id)
        self._ledger.forget(device_id)
        self._ledger.save_soon()

    @callback
    def hand_over(self, old_id: str, new_id: str) -> None:
        """Move the downlinks of a replaced end device to the new one."""
        self._ledger.hand_over(old_id, new_id)

    @callback
    def release_control(self, control: str) -> None:
        """Detach the downlinks of a removed control."""
        self._ledger.release(control)
        self._ledger.save_soon()

    # Records

    def standing_of(self, device: EndDeviceState) -> DownlinkStanding:
        """Return the live downlink state of an end device: queue length, counts, last events."""
        return self._tracker.standing_of(device)

    def records_of(self, device: EndDeviceState) -> list[DownlinkRecord]:
        """Return the latest downlinks of an end device, oldest first."""
        return self._ledger.of(device.device_id)

    def newest(
        self, control: str, *, without: Container[DownlinkState] = ()
    ) -> DownlinkRecord | None:
        """Return the newest downlink of a control, including those before a restart.

        Those in the states `without` don't count.
        """
        return self._ledger.newest(control, without=without)

    def expected_at(self, device: EndDeviceState) -> datetime | None:
        """Return the earliest time a downlink can be transmitted; None if unknown."""
        now = dt_util.utcnow()
        return now if self.standing_of(device).listens_always else device.next_uplink(now)

    @callback
    def subscribe(
        self, listener: Listener, *, control: str | None = None, device_id: str | None = None
    ) -> CALLBACK_TYPE:
        """Call the listener when a downlink's state changes: a control's, a device's, or any.

        Returns a function that unsubscribes.
        """
        return self._tracker.subscribe(listener, control=control, device_id=device_id)

    async def async_wait(
        self, record: DownlinkRecord, until: DownlinkState, seconds: float
    ) -> DownlinkState:
        """Wait until a downlink reaches the state `until`, or can't any more; return its state.

        After `seconds` that is TIMED_OUT, or NOT_ACKNOWLEDGED if this is known already.
        """
        return await self._tracker.async_wait(record, until, seconds)

    # The stream

    @callback
    def on_report(self, device: EndDeviceState, report: DownlinkReport) -> None:
        """Apply a report of the stream on a downlink."""
        if (record := self._tracker.follow(device, report)) is not None:
            self._queues.on_report(device, record, report)
            self._ledger.save_soon()

    @callback
    def on_uplink(self, device: EndDeviceState) -> None:
        """Note an uplink of an end device, after which it may have received a downlink."""
        self._queues.on_uplink(device)

    @callback
    def on_stream_connected(self) -> None:
        """Update the downlinks whose reports were missed while disconnected."""
        self._queues.on_stream_connected()

    # Calls

    async def async_send(
        self,
        device: EndDeviceState,
        downlink: Downlink,
        *,
        control: str | None = None,
        note: Any = None,
        command: str | None = None,
        entity_id: str | None = None,
        first: bool = False,
        max_wait: float = 30,
        context: Context | None = None,
    ) -> DownlinkRecord:
        """Queue a downlink and return its live record.

        With a control, its newest command wins: a queued frame of the same control is replaced,
        frames of others stay. `note` is stored with the record; `command` and `entity_id` say in
        words what was asked for, and of which entity. With `first` it goes before all that are
        queued, where the network can do that. A rate limit is waited out for at most
        `max_wait` seconds. Raises ServiceValidationError if refused before sending,
        HomeAssistantError if the server refuses it.
        """
        if first:
            self._require("downlink_first")
        await self._preflight.async_check(device, downlink)
        record = _new_record(device, downlink, context)
        record.control, record.note = control, note
        record.command, record.entity_id = command, entity_id
        tags = (record.id,) if control is None else (record.id, f"{CONTROL_TAG}{control}")
        tagged = replace(downlink, correlation_ids=(*tags, *downlink.correlation_ids))
        self._ledger.add(record)
        async with self._queues.lock(device):
            if control is not None and self._ledger.newest(control) is not record:
                self._tracker.move(
                    device, record, DownlinkState.REPLACED
                )  # a newer command was queued meanwhile
                return record
            try:
                if first:
                    await self._server.push_first(device.device_id, [tagged], max_wait=max_wait)
                else:
                    await self._async_queue(device, record, tagged, max_wait)
            except StackError as err:
                self._refused(device, record, err)
                raise downlink_error(err) from err
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
        """Replace the whole queue with these downlinks, including frames of other clients."""
        for downlink in downlinks:
            await self._preflight.async_check(device, downlink)
        records = [_new_record(device, downlink, context) for downlink in downlinks]
        tagged = [
            replace(downlink, correlation_ids=(record.id, *downlink.correlation_ids))
            for downlink, record in zip(downlinks, records, strict=True)
        ]
        async with self._queues.lock(device):
            before = [r for r in self._ledger.of(device.device_id) if self._replaceable(r)]
            for record in records:
                self._ledger.add(record)
            try:
                await self._server.replace(device.device_id, tagged, max_wait=max_wait)
            except StackError as err:
                for record in records:
                    self._refused(device, record, err)
                raise downlink_error(err) from err
            gone = DownlinkState.REPLACED if records else DownlinkState.CLEARED
            for record in before:
                self._tracker.move(device, record, gone)
        self._tracker.show(device)
        for downlink, record in zip(downlinks, records, strict=True):
            await self._async_settle(device, downlink, record)
        self._tracker.set_queue(device, len(records))
        return records

    async def async_clear(
        self, device: EndDeviceState, *, max_wait: float = 30, context: Context | None = None
    ) -> None:
        """Empty the queue, including frames of other clients."""
        await self._preflight.async_right()
        self._require("downlink_queue")
        await self.async_replace(device, (), max_wait=max_wait, context=context)

    async def async_queue(
        self, device: EndDeviceState, *, max_wait: float = 30
    ) -> list[QueuedDownlink]:
        """Return the queued downlinks of an end device, in order."""
        self._require("downlink_queue")
        try:
            queue = await self._server.queue(device.device_id, max_wait=max_wait)
        except StackError as err:
            raise downlink_error(err) from err
        self._tracker.set_queue(device, len(queue))
        return queue

    async def async_encode(
        self, device: EndDeviceState, decoded_payload: Mapping[str, Any], f_port: int | None = None
    ) -> EncodedDownlink:
        """Return an object encoded by the device's formatter, with warnings; sends nothing.

        Raises ServiceValidationError `downlink_no_formatter` where the device has none.
        """
        self._require("formatter_trial")
        formatter = await self._preflight.async_formatter(device)
        try:
            return await self._server.encode(
                device.device_id,
                Downlink(f_port=f_port, decoded_payload=decoded_payload),
                formatter,
                version_ids=device.version_ids,
            )
        except StackError as err:
            raise downlink_error(err) from err

    def _require(self, capability: str) -> None:
        """Raise ServiceValidationError with the reason where the network lacks a capability."""
        try:
            self._stack.capabilities.require(capability)
        except NotSupported as err:
            raise downlink_error(err) from err

    # Queueing

    async def _async_queue(
        self, device: EndDeviceState, record: DownlinkRecord, tagged: Downlink, max_wait: float
    ) -> None:
        """Push a downlink, or replace the queued frame of the same control."""
        device_id = device.device_id
        older = [
            other
            for other in self._ledger.of(device_id)
            if record.control is not None
            and other.control == record.control
            and other is not record
            and other.waiting
        ]
        if await self._async_supersede(device, record, tagged, max_wait):
            return
        rebuild = self._queues.begin_rebuild(record)
        if not self._server.reads_queue:
            older = []  # what is queued can't be told: the newest goes out last
        queue = await self._server.queue(device_id, max_wait=max_wait) if older else []
        tag = f"{CONTROL_TAG}{record.control}"
        places = [number for number, item in enumerate(queue) if tag in item.correlation_ids]
        if not places:
            self._queues.end_rebuild(device_id)
            await self._server.push(device_id, [tagged], max_wait=max_wait)
            return
        others = [item for item in queue if tag not in item.correlation_ids]
        rebuild.keep(others)
        new: list[Downlink | QueuedDownlink] = list(others)
        new.insert(places[0], tagged)
        await self._server.replace(device_id, new, max_wait=max_wait)
        for other in older:
            if other.waiting:
                self._tracker.move(device, other, DownlinkState.REPLACED)

    def _replaceable(self, record: DownlinkRecord) -> bool:
        """Return whether a new queue takes a downlink's place, as far as is known."""
        if self._stack.capabilities.repeats_confirmed:
            return record.open  # one that is being repeated, too
        return record.waiting

    async def _async_supersede(
        self, device: EndDeviceState, record: DownlinkRecord, tagged: Downlink, max_wait: float
    ) -> bool:
        """Replace the queue by a control's new command, where only its older ones are known there.

        For a network that repeats a confirmed downlink without end, before all others, and doesn't
        show its queue. Returns whether that was done.
        """
        if record.control is None or not self._stack.capabilities.repeats_confirmed:
            return False
        known = self._ledger.of(device.device_id)
        older = [other for other in known if other is not record and self._replaceable(other)]
        if not older or any(other.control != record.control for other in older):
            return False
        await self._server.replace(device.device_id, [tagged], max_wait=max_wait)
        for other in older:
            if self._replaceable(other):
                self._tracker.move(device, other, DownlinkState.REPLACED)
        return True

    async def _async_settle(
        self, device: EndDeviceState, downlink: Downlink, record: DownlinkRecord
    ) -> None:
        """Remove the empty frame that is queued if the device has no downlink formatter."""
        self._ledger.save_soon()
        self._preflight.learn_class(device, self.standing_of(device))
        if (
            downlink.decoded_payload is None
            or self._preflight.knows_formatter(device)
            or not self._server.reads_queue
        ):
            return
        async with self._queues.lock(device):
            try:
                rebuild = self._queues.begin_rebuild(record)
                queue = await self._server.queue(device.device_id)
                item = next((i for i in queue if record.id in i.correlation_ids), None)
                if item is None or item.payload is not None:
                    return
                others = [other for other in queue if other is not item]
                rebuild.keep(others)
                await self._server.replace(device.device_id, others)
            except StackError as err:
                raise downlink_error(err) from err
        self._tracker.move(device, record, DownlinkState.CLEARED)
        raise failure("downlink_no_formatter", device=device.name)

    @callback
    def _refused(self, device: EndDeviceState, record: DownlinkRecord, error: StackError) -> None:
        if isinstance(error, AuthenticationFailed) and self._server.reads_queue:
            self._entry.async_start_reauth(self._hass)
        if not record.waiting:
            return  # the stream has reported a later state
        if isinstance(error, REFUSED_IN_DOUBT):
            if record.announced:
                return
            state = DownlinkState.UNKNOWN
        else:
            state = DownlinkState.FAILED
        self._tracker.move(device, record, state, error=error.name, reason=str(error))


def _new_record(
    device: EndDeviceState, downlink: Downlink, context: Context | None
) -> DownlinkRecord:
    """Return the record of a downlink of ours that is about to be sent."""
    return DownlinkRecord(
        id=f"{OWN_TAG}{ulid_now()}",
        device_id=device.device_id,
        f_port=downlink.f_port or 0,
        confirmed=downlink.confirmed,
        ours=True,
        context=context,
    )
