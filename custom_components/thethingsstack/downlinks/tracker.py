"""Applies the stream's downlink reports to records; notifies entities and listeners."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util

from ..application import Signals
from ..client import DownlinkReport
from ..end_devices import (
    DOWNLINK,
    DOWNLINK_COUNT,
    DOWNLINK_QUEUE,
    DOWNLINK_STATE,
    Activity,
    EndDeviceRoster,
    EndDeviceState,
    async_fire_for_logbook,
    async_report_occurrence,
)
from .ledger import DownlinkLedger
from .record import OWN_TAG, DownlinkRecord, DownlinkState, control_of, server_id

type Listener = Callable[[EndDeviceState, DownlinkRecord], None]


REMEMBERED_EVENTS = 8
_LOGGED_MOVES = frozenset(
    {
        DownlinkState.FAILED,
        DownlinkState.REPLACED,
        DownlinkState.CLEARED,
        DownlinkState.UNKNOWN,
    }
)
"""States that no report of the stream tells of, and that the logbook has."""


@dataclass(slots=True)
class DownlinkStanding:
    """The downlink state of an end device, as its entities show it."""

    seen: bool = False
    """Whether it ever had one."""
    last: DownlinkRecord | None = None
    queue: int | None = None
    in_24_hours: int = 0
    listens_always: bool | None = None
    """Whether a downlink is transmitted at once (class C); None while unknown."""
    events: list[tuple[datetime, Activity, Context | None]] = field(default_factory=list)
    """Events that the event entity has not fired yet: the last of them."""


@dataclass(slots=True)
class _Subscription:
    listener: Listener
    control: str | None
    device_id: str | None


class DownlinkTracker:
    """Updates downlink records, and notifies their entities and listeners."""

    def __init__(
        self,
        hass: HomeAssistant,
        signals: Signals,
        ledger: DownlinkLedger,
        roster: EndDeviceRoster,
    ) -> None:
        """Start without listeners."""
        self._hass = hass
        self._signals = signals
        self._ledger = ledger
        self._roster = roster
        self._subscriptions: list[_Subscription] = []
        self._standings: dict[str, DownlinkStanding] = {}

    def standing_of(self, device: EndDeviceState) -> DownlinkStanding:
        """Return the live downlink state of an end device: queue length, counts, last events."""
        return self._standings.setdefault(device.device_id, DownlinkStanding())

    @callback
    def recall(self, device: EndDeviceState) -> None:
        """Load the ledger's downlinks of an end device."""
        standing, device_id = self.standing_of(device), device.device_id
        standing.seen = device_id in self._ledger.device_ids
        standing.last = self._ledger.last(device_id)
        standing.in_24_hours = self._ledger.in_24_hours(device_id)
        if standing.seen:  # until the queue is read
            standing.queue = sum(record.waiting for record in self._ledger.of(device_id))

    @callback
    def forget(self, device_id: str) -> None:
        """Remove the live downlink state of an end device that is removed."""
        self._standings.pop(device_id, None)

    @callback
    def subscribe(
        self, listener: Listener, *, control: str | None = None, device_id: str | None = None
    ) -> CALLBACK_TYPE:
        """Call the listener when a downlink's state changes: a control's, a device's, or any."""
        subscription = _Subscription(listener, control, device_id)
        self._subscriptions.append(subscription)
        return lambda: self._subscriptions.remove(subscription)

    async def async_wait(
        self, record: DownlinkRecord, until: DownlinkState, seconds: float
    ) -> DownlinkState:
        """Wait until a downlink reaches the state `until`, or can't any more; return its state.

        After `seconds` that is TIMED_OUT, or NOT_ACKNOWLEDGED if this is known already.
        """
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

    @callback
    def follow(self, device: EndDeviceState, report: DownlinkReport) -> DownlinkRecord | None:
        """Apply a report of the stream; return the record, None if it belongs to none."""
        names = report.downlink_correlation_ids
        record = self._ledger.find(names)
        if record is None:
            name = next((n for n in names if n.startswith(OWN_TAG) and ":" not in n[3:]), None)
            name = name or server_id(names)
            if name is None or report.state == "invalidated":
                return None
            record = DownlinkRecord(id=name, device_id=device.device_id, control=control_of(names))
            self._ledger.add(record)
        self._ledger.learn(record, names)
        before, transmissions = record.state, len(record.transmissions)
        happened = record.follow(report)
        if len(record.transmissions) > transmissions:
            self._ledger.transmitted(device.device_id, report.received_at)
            self.standing_of(device).in_24_hours = self._ledger.in_24_hours(device.device_id)
            async_dispatcher_send(self._hass, self._signals.downlink_count_changed)
        if happened is not None:
            self._happened(device, record, happened, report)
        if record.state is not before or happened is not None:
            self._notify(device, record)
        return record

    @callback
    def _happened(
        self,
        device: EndDeviceState,
        record: DownlinkRecord,
        state: DownlinkState,
        report: DownlinkReport,
    ) -> None:
        standing = self.standing_of(device)
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
        del standing.events[:-REMEMBERED_EVENTS]
        kind = f"downlink_{state}"
        async_report_occurrence(
            self._hass, device.registry_id, kind, lambda: activity, record.context
        )
        self._log(device, record, state)

    @callback
    def _log(self, device: EndDeviceState, record: DownlinkRecord, state: DownlinkState) -> None:
        """Let the logbook say what became of a downlink."""
        details: dict[str, Any] = {
            "f_port": record.f_port,
            "command": record.command,
            "reason": record.reason or record.error,
        }
        if state is DownlinkState.QUEUED:
            at_once = details["at_once"] = self.standing_of(device).listens_always is True
            expected = None if at_once else device.next_uplink(dt_util.utcnow())
            details["expected"] = expected.isoformat() if expected else None
        async_fire_for_logbook(
            self._hass, device, str(state), record.context, entity_id=record.entity_id, **details
        )

    @callback
    def move(
        self,
        device: EndDeviceState,
        record: DownlinkRecord,
        state: DownlinkState,
        error: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Change a record's state, and notify entities and listeners."""
        record.move(state, error=error, reason=reason)
        if state in _LOGGED_MOVES and not self._is_superseded(record):
            self._log(device, record, state)
        self._notify(device, record)
        self._ledger.save_soon()

    def _is_superseded(self, record: DownlinkRecord) -> bool:
        """Return whether a newer command of the same control has taken its place."""
        return record.control is not None and self._ledger.newest(record.control) is not record

    @callback
    def _notify(self, device: EndDeviceState, record: DownlinkRecord) -> None:
        standing = self.standing_of(device)
        standing.last = self._ledger.last(device.device_id)
        if record.announced and not standing.seen:
            standing.seen = True
            async_dispatcher_send(self._hass, self._signals.first_downlink, device)
        self.show(device, record.context)
        for subscription in list(self._subscriptions):
            if subscription.control not in (None, record.control):
                continue
            if subscription.device_id in (None, device.device_id):
                subscription.listener(device, record)

    @callback
    def show(self, device: EndDeviceState, context: Context | None = None) -> None:
        """Update the downlink entities of an end device."""
        keys = (DOWNLINK, DOWNLINK_STATE, DOWNLINK_QUEUE, DOWNLINK_COUNT)
        device.write(keys, context or Context())

    @callback
    def set_queue(self, device: EndDeviceState, length: int) -> None:
        """Set the queue length of an end device."""
        self.standing_of(device).queue = length
        self.show(device)

    @callback
    def count_again(self, _now: datetime) -> None:
        """Update the counts of the last 24 hours, which fall as time passes."""
        for device_id in self._ledger.device_ids:
            device = self._roster.by_device_id(device_id)
            if device is None:
                continue
            count = self._ledger.in_24_hours(device_id)
            standing = self.standing_of(device)
            if count != standing.in_24_hours:
                standing.in_24_hours = count
                self.show(device)
        async_dispatcher_send(self._hass, self._signals.downlink_count_changed)
