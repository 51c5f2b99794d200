"""What becomes of downlinks: followed by what the stream says, and told to those concerned."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util
from homeassistant.util.signal_type import SignalType

from ..client import DownlinkReport
from ..const import DOMAIN
from ..end_devices.activity import Activity, async_tell_occurred
from ..end_devices.roster import EndDeviceRoster
from ..end_devices.state import (
    DOWNLINK,
    DOWNLINK_COUNT,
    DOWNLINK_QUEUE,
    DOWNLINK_STATE,
    EndDeviceState,
)
from .ledger import OWN_TAG, DownlinkLedger, DownlinkRecord, DownlinkState, control_of
from .rebuild import server_id

type Listener = Callable[[EndDeviceState, DownlinkRecord], None]


@dataclass(slots=True)
class _Subscription:
    listener: Listener
    control: str | None
    device_id: str | None


class DownlinkTracker:
    """Moves the records of downlinks, and tells their entities and whoever listens."""

    def __init__(
        self, hass: HomeAssistant, entry_id: str, book: DownlinkLedger, roster: EndDeviceRoster
    ) -> None:
        """Start with nobody listening."""
        self._hass = hass
        self._book = book
        self._roster = roster
        self._subscriptions: list[_Subscription] = []
        self.seen_first = SignalType[EndDeviceState](f"{DOMAIN}_{entry_id}_new_downlink")
        self.count_changed = SignalType[()](f"{DOMAIN}_{entry_id}_downlink_count")

    @callback
    def subscribe(
        self, listener: Listener, *, control: str | None = None, device_id: str | None = None
    ) -> CALLBACK_TYPE:
        """Call the listener when a downlink's state changes: of a control, of a device, or any."""
        subscription = _Subscription(listener, control, device_id)
        self._subscriptions.append(subscription)
        return lambda: self._subscriptions.remove(subscription)

    async def async_wait(
        self, record: DownlinkRecord, until: DownlinkState, seconds: float
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

    @callback
    def follow(self, device: EndDeviceState, report: DownlinkReport) -> DownlinkRecord | None:
        """Take over what the stream says of a downlink; returns its record. None: of no downlink."""
        names = report.downlink_correlation_ids
        record = self._book.find(names)
        if record is None:
            name = next((n for n in names if n.startswith(OWN_TAG) and ":" not in n[3:]), None)
            name = name or server_id(names)
            if name is None or report.state == "invalidated":
                return None
            record = DownlinkRecord(id=name, device_id=device.device_id, control=control_of(names))
            self._book.add(record)
        self._book.learn(record, names)
        before, transmissions = record.state, len(record.transmissions)
        happened = record.follow(report)
        if len(record.transmissions) > transmissions:
            self._book.transmitted(device.device_id, report.received_at)
            device.downlink.in_24_hours = self._book.in_24_hours(device.device_id)
            async_dispatcher_send(self._hass, self.count_changed)
        if happened is not None:
            self._happened(device, record, happened, report)
        if record.state is not before or happened is not None:
            self._tell(device, record)
        return record

    @callback
    def _happened(
        self,
        device: EndDeviceState,
        record: DownlinkRecord,
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
    def move(
        self,
        device: EndDeviceState,
        record: DownlinkRecord,
        state: DownlinkState,
        error: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Bring a record to another state, and tell."""
        record.move(state, error=error, reason=reason)
        self._tell(device, record)
        self._book.save_soon()

    @callback
    def _tell(self, device: EndDeviceState, record: DownlinkRecord) -> None:
        standing = device.downlink
        standing.last = self._book.last(device.device_id)
        if record.announced and not standing.seen:
            standing.seen = True
            async_dispatcher_send(self._hass, self.seen_first, device)
        self.show(device, record.context)
        for subscription in list(self._subscriptions):
            if subscription.control not in (None, record.control):
                continue
            if subscription.device_id in (None, device.device_id):
                subscription.listener(device, record)

    @callback
    def show(self, device: EndDeviceState, context: Context | None = None) -> None:
        """Let the entities of an end device's downlinks show what is true now."""
        keys = (DOWNLINK, DOWNLINK_STATE, DOWNLINK_QUEUE, DOWNLINK_COUNT)
        device.write(keys, context or Context())

    @callback
    def set_queue(self, device: EndDeviceState, length: int) -> None:
        """Take over how many downlinks wait for an end device."""
        device.downlink.queue = length
        self.show(device)

    @callback
    def count_again(self, _now: datetime) -> None:
        """Count the downlinks of the last 24 hours, which become fewer as time passes."""
        for device_id in self._book.device_ids:
            device = self._roster.by_device_id(device_id)
            if device is None:
                continue
            count = self._book.in_24_hours(device_id)
            if count != device.downlink.in_24_hours:
                device.downlink.in_24_hours = count
                self.show(device)
        async_dispatcher_send(self._hass, self.count_changed)
