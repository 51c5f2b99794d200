"""The record of one downlink, from here or another client, and its state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from homeassistant.core import Context
from homeassistant.util import dt as dt_util

from ..client import DownlinkReport

EXPIRED_ERROR = "downlink_expired"
# Prefixes of correlation IDs: our own downlinks, those of a control, the server's.
OWN_TAG = "ha:"
CONTROL_TAG = "ha:control:"
SERVER_TAG = "as:downlink:"


class DownlinkState(StrEnum):
    """State of a downlink."""

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
# Final for the stream: later or repeated reports don't change these states.
_FINAL = frozenset({DownlinkState.ACKNOWLEDGED, DownlinkState.FAILED, DownlinkState.EXPIRED})
REFUSED = frozenset({DownlinkState.FAILED, DownlinkState.EXPIRED})
LOST = REFUSED | {DownlinkState.REPLACED, DownlinkState.CLEARED, DownlinkState.UNKNOWN}
_MAY_BE_QUEUED = frozenset({DownlinkState.QUEUED, DownlinkState.UNKNOWN})
# Without transmission reports from the gateway, the device's answer proves the transmission.
_ON_AIR = frozenset(
    {DownlinkState.SENT, DownlinkState.ACKNOWLEDGED, DownlinkState.NOT_ACKNOWLEDGED}
)


@dataclass(slots=True, eq=False)
class DownlinkRecord:
    """One downlink, from here or another client, and its state."""

    id: str
    device_id: str
    f_port: int = 0
    confirmed: bool = False
    control: str | None = None
    note: Any = None
    command: str | None = None
    """What a control was asked for, in words, such as 23 °C."""
    entity_id: str | None = None
    """The control's entity when it was asked."""
    state: DownlinkState = DownlinkState.QUEUED
    error: str | None = None
    reason: str | None = None
    attempt: int = 1
    created: datetime = field(default_factory=dt_util.utcnow)
    updated: datetime = field(default_factory=dt_util.utcnow)
    server_ids: set[str] = field(default_factory=set)
    announced: bool = False
    """Whether the stream reported it, which may be before the HTTP response."""
    transmissions: set[int] = field(default_factory=set)
    ours: bool = False
    context: Context | None = None

    @property
    def open(self) -> bool:
        """Return whether its outcome is still unknown."""
        if self.state in (DownlinkState.QUEUED, DownlinkState.NOT_ACKNOWLEDGED):
            return True
        return self.state is DownlinkState.SENT and self.confirmed

    @property
    def waiting(self) -> bool:
        """Return whether it is believed to be in the server's queue."""
        return self.state in (DownlinkState.QUEUED, DownlinkState.NOT_ACKNOWLEDGED)

    def reached(self, until: DownlinkState) -> bool:
        """Return whether it is or was in this state, or can no longer reach it."""
        if self.state in LOST or until is DownlinkState.QUEUED:
            return True
        if until is DownlinkState.SENT:
            return self.state in _ON_AIR
        return self.state is until

    def names(self) -> Iterable[str]:
        """Return the correlation IDs that are unique to this downlink."""
        return (self.id, *self.server_ids)

    def move(
        self,
        state: DownlinkState,
        *,
        error: str | None = None,
        reason: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Change to a new state."""
        self.state, self.error, self.reason = state, error, reason
        self.updated = at or dt_util.utcnow()

    def follow(self, report: DownlinkReport) -> DownlinkState | None:
        """Apply a report; return the new state, None if it was already known.

        A refusal arrives twice (HTTP response and report), and so does the last unacknowledged
        attempt (`failed` and `nack`): each counts once.
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
            return None  # queued again, because another frame of the queue was replaced
        if self.state in _FINAL:
            return state if first and state is self.state else None
        if state is DownlinkState.QUEUED and self.state not in _MAY_BE_QUEUED:
            return None  # it was replaced before its report arrived
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
        """Return the record as JSON for the store, without the payload."""
        return {
            "id": self.id,
            "device_id": self.device_id,
            "f_port": self.f_port,
            "confirmed": self.confirmed,
            "ours": self.ours,
            "control": self.control,
            "note": self.note,
            "command": self.command,
            "entity_id": self.entity_id,
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
        """Read a stored record; raises KeyError, TypeError or ValueError for invalid data."""
        return cls(
            id=_of_type(str, data["id"]),
            device_id=_of_type(str, data["device_id"]),
            f_port=_of_type(int, data["f_port"]),
            confirmed=bool(data["confirmed"]),
            ours=bool(data["ours"]),
            control=_of_type(str | None, data.get("control")),
            note=data.get("note"),
            command=_of_type(str | None, data.get("command")),
            entity_id=_of_type(str | None, data.get("entity_id")),
            state=DownlinkState(data["state"]),
            error=_of_type(str | None, data.get("error")),
            reason=_of_type(str | None, data.get("reason")),
            attempt=_of_type(int, data["attempt"]),
            created=_moment(data["created"]),
            updated=_moment(data["updated"]),
            server_ids={_of_type(str, text) for text in _of_type(list, data["server_ids"])},
            announced=bool(data["announced"]),
            transmissions={_of_type(int, n) for n in _of_type(list, data["transmissions"])},
        )


def _of_type(kind: Any, stored: Any) -> Any:
    if not isinstance(stored, kind):
        raise TypeError(f"{stored!r} is no {kind}")
    return stored


def _moment(stored: Any) -> datetime:
    moment = datetime.fromisoformat(stored)
    if moment.tzinfo is None:
        raise ValueError(f"{stored!r} has no time zone")
    return moment


def server_id(correlation_ids: Iterable[str]) -> str | None:
    """Return the correlation ID that the server gave a downlink."""
    return next((text for text in correlation_ids if text.startswith(SERVER_TAG)), None)


def control_of(correlation_ids: Iterable[str]) -> str | None:
    """Return the control that a downlink belongs to, as its correlation IDs say."""
    return next(
        (
            text.removeprefix(CONTROL_TAG)
            for text in correlation_ids
            if text.startswith(CONTROL_TAG)
        ),
        None,
    )
