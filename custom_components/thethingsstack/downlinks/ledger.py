"""What becomes of downlinks: one record each, followed from the queue to the device."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from ..client import DownlinkReport
from ..const import DOMAIN

STORAGE_VERSION = 1
SAVE_DELAY = 10
REMEMBERED_DOWNLINKS = 20
EXPIRED_ERROR = "downlink_expired"
FAIR_USE_WINDOW = timedelta(hours=24)
# The tags that tell our own downlinks, and those of a control, from everyone else's.
OWN_TAG = "ha:"
CONTROL_TAG = "ha:control:"
SERVER_TAG = "as:downlink:"


class DownlinkState(StrEnum):
    """Where a downlink stands."""

    QUEUED = "queued"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    FAILED = "failed"
    EXPIRED = "expired"
    TIMED_OUT = "timed_out"
    REPLACED = "replaced"
    CLEARED = "cleared"
    UNKNOWN = "outcome_unknown"


_REPORTED = {
    "queued": DownlinkState.QUEUED,
    "sent": DownlinkState.SENT,
    "ack": DownlinkState.ACKNOWLEDGED,
    "nack": DownlinkState.NOT_ACKNOWLEDGED,
    "failed": DownlinkState.FAILED,
}
# What the stream tells in other words later, or once more, doesn't move these.
_FINAL = frozenset({DownlinkState.ACKNOWLEDGED, DownlinkState.FAILED, DownlinkState.EXPIRED})
_REFUSED = frozenset({DownlinkState.FAILED, DownlinkState.EXPIRED})
_LOST = _REFUSED | {DownlinkState.REPLACED, DownlinkState.CLEARED, DownlinkState.UNKNOWN}
_MAY_BE_QUEUED = frozenset({DownlinkState.QUEUED, DownlinkState.UNKNOWN})
# A gateway that reports no transmissions leaves it to the device's answer to tell of them.
_ON_AIR = frozenset(
    {DownlinkState.SENT, DownlinkState.ACKNOWLEDGED, DownlinkState.NOT_ACKNOWLEDGED}
)


@dataclass(slots=True, eq=False)
class DownlinkRecord:
    """One downlink, ours or anyone's, and what is known of its fate."""

    id: str
    device_id: str
    f_port: int = 0
    confirmed: bool = False
    control: str | None = None
    note: Any = None
    state: DownlinkState = DownlinkState.QUEUED
    error: str | None = None
    reason: str | None = None
    attempt: int = 1
    created: datetime = field(default_factory=dt_util.utcnow)
    updated: datetime = field(default_factory=dt_util.utcnow)
    server_ids: set[str] = field(default_factory=set)
    announced: bool = False
    """Whether the server said that it has it; an answer may come after the report."""
    transmissions: set[int] = field(default_factory=set)
    ours: bool = False
    context: Context | None = None

    @property
    def open(self) -> bool:
        """Return whether its outcome is still to come."""
        if self.state in (DownlinkState.QUEUED, DownlinkState.NOT_ACKNOWLEDGED):
            return True
        return self.state is DownlinkState.SENT and self.confirmed

    @property
    def waiting(self) -> bool:
        """Return whether it is in the server's queue, as far as is known."""
        return self.state in (DownlinkState.QUEUED, DownlinkState.NOT_ACKNOWLEDGED)

    def reached(self, until: DownlinkState) -> bool:
        """Return whether it is, or was, in this state, or can't come there any more."""
        if self.state in _LOST or until is DownlinkState.QUEUED:
            return True
        if until is DownlinkState.SENT:
            return self.state in _ON_AIR
        return self.state is until

    def names(self) -> Iterable[str]:
        """Return all correlation ids that mean just this downlink."""
        return (self.id, *self.server_ids)

    def move(
        self,
        state: DownlinkState,
        *,
        error: str | None = None,
        reason: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Note a new state."""
        self.state, self.error, self.reason = state, error, reason
        self.updated = at or dt_util.utcnow()

    def follow(self, report: DownlinkReport) -> DownlinkState | None:
        """Take over a report; returns what happened, None for what was known already.

        A refusal comes twice (as answer and as report), and the last unacknowledged attempt, too
        (as `failed` and as `nack`): each counts once.
        """
        state = _REPORTED.get(report.state)
        if state is None:
            return None
        first, self.announced = not self.announced, True
        error = report.error
        if error is not None and error.name == EXPIRED_ERROR:
            state = DownlinkState.EXPIRED
        if state in _ON_AIR:
            known = report.f_cnt in self.transmissions
            self.transmissions.add(report.f_cnt)
            if known and state is DownlinkState.SENT:
                return None
        if state is DownlinkState.QUEUED and not first:
            if self.state is DownlinkState.UNKNOWN:
                self.move(DownlinkState.QUEUED)
            return None  # the queue was rebuilt around it
        if self.state in _FINAL:
            return state if first and state is self.state else None
        if state is DownlinkState.QUEUED and self.state not in _MAY_BE_QUEUED:
            return None  # it was replaced before its report came
        self._note(report)
        self.move(
            state,
            error=error.name if error else None,
            reason=error.message if error else None,
            at=report.received_at,
        )
        return state

    def _note(self, report: DownlinkReport) -> None:
        self.f_port = report.f_port or self.f_port
        self.confirmed = report.confirmed or self.confirmed
        retry = report.downlink.get("confirmed_retry")
        attempt = retry.get("attempt") if isinstance(retry, Mapping) else None
        if type(attempt) is int:
            self.attempt = attempt

    def as_dict(self) -> dict[str, Any]:
        """Return what is stored; the payload is not."""
        return {
            "id": self.id,
            "device_id": self.device_id,
            "f_port": self.f_port,
            "confirmed": self.confirmed,
            "ours": self.ours,
            "control": self.control,
            "note": self.note,
            "state": self.state.value,
            "error": self.error,
            "reason": self.reason,
            "attempt": self.attempt,
            "created": self.created.isoformat(),
            "updated": self.updated.isoformat(),
            "server_ids": sorted(self.server_ids),
            "announced": self.announced,
            "transmissions": sorted(self.transmissions),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what was stored; raises KeyError, TypeError or ValueError where it can't be."""
        return cls(
            id=str(data["id"]),
            device_id=str(data["device_id"]),
            f_port=int(data["f_port"]),
            confirmed=bool(data["confirmed"]),
            ours=bool(data["ours"]),
            control=data.get("control"),
            note=data.get("note"),
            state=DownlinkState(data["state"]),
            error=data.get("error"),
            reason=data.get("reason"),
            attempt=int(data["attempt"]),
            created=datetime.fromisoformat(data["created"]),
            updated=datetime.fromisoformat(data["updated"]),
            server_ids=set(data["server_ids"]),
            announced=bool(data["announced"]),
            transmissions=set(data["transmissions"]),
        )


def control_of(correlation_ids: Iterable[str]) -> str | None:
    """Return the control that a downlink belongs to, as its tags say."""
    return next(
        (
            text.removeprefix(CONTROL_TAG)
            for text in correlation_ids
            if text.startswith(CONTROL_TAG)
        ),
        None,
    )


class DownlinkLedger:
    """All downlinks that are followed, by their ids; the latest of each device survive a restart.

    Payloads are not kept: they may be anybody's secret.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Prepare the store of one config entry."""
        self._store: Store[dict[str, Any]] = Store(
            hass, STORAGE_VERSION, f"{DOMAIN}.{entry_id}.downlinks"
        )
        self._closed = False
        self._of_device: dict[str, deque[DownlinkRecord]] = {}
        self._by_name: dict[str, DownlinkRecord] = {}
        self._transmitted: dict[str, deque[datetime]] = {}
        self.intervals: dict[str, float] = {}

    async def async_load(self) -> None:
        """Read what was stored; what can't be read is forgotten."""
        data = await self._store.async_load() or {}
        for stored in data.get("downlinks", ()):
            try:
                self.add(DownlinkRecord.from_dict(stored))
            except KeyError, TypeError, ValueError:
                continue
        for device_id, moments in data.get("transmitted", {}).items():
            self._transmitted[device_id] = deque(datetime.fromisoformat(m) for m in moments)
        self.intervals = dict(data.get("intervals", {}))

    @property
    def device_ids(self) -> Iterable[str]:
        """Return the devices that ever had a downlink, refused ones aside."""
        return [
            device_id
            for device_id, records in self._of_device.items()
            if any(record.announced for record in records)
        ]

    def of(self, device_id: str) -> list[DownlinkRecord]:
        """Return an end device's downlinks, oldest first."""
        return list(self._of_device.get(device_id, ()))

    def last(self, device_id: str) -> DownlinkRecord | None:
        """Return the newest downlink of an end device."""
        records = self._of_device.get(device_id)
        return records[-1] if records else None

    def newest(self, control: str, *, refused: bool = True) -> DownlinkRecord | None:
        """Return the newest downlink of a control; `refused`: also one that came to nothing."""
        for records in self._of_device.values():
            for record in reversed(records):
                if record.control == control and (refused or record.state not in _REFUSED):
                    return record
        return None

    @callback
    def release(self, control: str) -> None:
        """Let the downlinks of a control be like anyone's."""
        for records in self._of_device.values():
            for record in records:
                if record.control == control:
                    record.control = None

    def find(self, correlation_ids: Iterable[str]) -> DownlinkRecord | None:
        """Return the downlink that these ids mean."""
        for name in correlation_ids:
            if (record := self._by_name.get(name)) is not None:
                return record
        return None

    @callback
    def add(self, record: DownlinkRecord) -> None:
        """Follow a downlink; the oldest of its device that has an outcome makes room."""
        records = self._of_device.setdefault(record.device_id, deque())
        records.append(record)
        for name in record.names():
            self._by_name[name] = record
        if len(records) > REMEMBERED_DOWNLINKS:
            leaving = next((r for r in records if not r.open), records[0])
            records.remove(leaving)
            for name in leaving.names():
                self._by_name.pop(name, None)

    @callback
    def learn(self, record: DownlinkRecord, correlation_ids: Iterable[str]) -> None:
        """Note under which ids the server knows it: a rebuilt queue gives new ones."""
        for name in correlation_ids:
            if name.startswith(SERVER_TAG) and name not in self._by_name:
                record.server_ids.add(name)
                self._by_name[name] = record

    @callback
    def remove(self, record: DownlinkRecord) -> None:
        """Forget one that was never queued."""
        records = self._of_device.get(record.device_id)
        if records is not None and record in records:
            records.remove(record)
            if not records:
                del self._of_device[record.device_id]
        for name in record.names():
            self._by_name.pop(name, None)

    @callback
    def forget(self, device_id: str) -> None:
        """Forget an end device."""
        for record in self._of_device.pop(device_id, ()):
            for name in record.names():
                self._by_name.pop(name, None)
        self._transmitted.pop(device_id, None)

    @callback
    def transmitted(self, device_id: str, moment: datetime | None) -> None:
        """Count a frame that went out."""
        self._transmitted.setdefault(device_id, deque()).append(moment or dt_util.utcnow())

    def in_24_hours(self, device_id: str) -> int:
        """Return how many frames went out to an end device in the last 24 hours."""
        moments = self._transmitted.get(device_id)
        if moments is None:
            return 0
        oldest = dt_util.utcnow() - FAIR_USE_WINDOW
        while moments and moments[0] < oldest:
            moments.popleft()
        return len(moments)

    @callback
    def save_soon(self) -> None:
        """Write to disk after a while, at the latest when Home Assistant stops."""
        if not self._closed:
            self._store.async_delay_save(self._data, SAVE_DELAY)

    async def async_save(self) -> None:
        """Write to disk now."""
        await self._store.async_save(self._data())

    async def async_close(self) -> None:
        """Write to disk now, and not by itself any more: others may, from here on."""
        self._closed = True
        await self.async_save()

    async def async_remove(self) -> None:
        """Delete what was stored."""
        await self._store.async_remove()

    def _data(self) -> dict[str, Any]:
        return {
            "downlinks": [r.as_dict() for records in self._of_device.values() for r in records],
            "transmitted": {
                device_id: [moment.isoformat() for moment in moments]
                for device_id, moments in self._transmitted.items()
                if moments
            },
            "intervals": self.intervals,
        }
