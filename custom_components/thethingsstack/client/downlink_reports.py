"""The messages of the stream that report what happened to a downlink."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, override

from . import json_values
from .envelope import Message
from .models import ErrorDetails

type DownlinkState = Literal["queued", "sent", "ack", "nack", "failed", "invalidated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DownlinkReport(Message):
    """Base of the reports on downlinks; `downlink_correlation_ids` identify the downlink.

    Each state is a class of its own. A failed downlink has an error; a report on invalidated
    downlinks has the first of them.
    """

    state: ClassVar[DownlinkState]

    @property
    def downlink(self) -> Mapping[str, Any]:
        """The downlink as the server knows it."""
        return self.body

    @property
    def f_port(self) -> int:
        """The port."""
        return json_values.integer(self.downlink.get("f_port")) or 0

    @property
    def f_cnt(self) -> int:
        """The frame counter; 0 before the server has assigned one."""
        return json_values.integer(self.downlink.get("f_cnt")) or 0

    @property
    def frm_payload(self) -> bytes | None:
        """The payload's bytes; None without payload."""
        return json_values.octets(self.downlink.get("frm_payload"))

    @property
    def confirmed(self) -> bool:
        """Whether the device has to acknowledge it."""
        return self.downlink.get("confirmed") is True

    @property
    def priority(self) -> str:
        """Its priority in the queue ("LOWEST" … "HIGHEST")."""
        return json_values.text(self.downlink.get("priority")) or "LOWEST"

    @property
    def downlink_correlation_ids(self) -> tuple[str, ...]:
        """The correlation IDs that it was queued with, including the sender's own."""
        return json_values.texts(self.downlink.get("correlation_ids"))

    @property
    def error(self) -> ErrorDetails | None:
        """Why it failed."""
        error = self.body.get("error")
        return ErrorDetails.from_json(error) if isinstance(error, dict) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DownlinkQueued(DownlinkReport):
    """The Network Server has queued a downlink."""

    kind: ClassVar[str] = "downlink_queued"
    state: ClassVar[DownlinkState] = "queued"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownlinkSent(DownlinkReport):
    """A gateway has transmitted a downlink."""

    kind: ClassVar[str] = "downlink_sent"
    state: ClassVar[DownlinkState] = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownlinkAck(DownlinkReport):
    """The end device has acknowledged a downlink."""

    kind: ClassVar[str] = "downlink_ack"
    state: ClassVar[DownlinkState] = "ack"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownlinkNack(DownlinkReport):
    """The end device has sent an uplink without acknowledging a confirmed downlink."""

    kind: ClassVar[str] = "downlink_nack"
    state: ClassVar[DownlinkState] = "nack"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownlinkFailed(DownlinkReport):
    """A downlink failed, and won't be transmitted again."""

    kind: ClassVar[str] = "downlink_failed"
    state: ClassVar[DownlinkState] = "failed"

    @property
    @override
    def downlink(self) -> Mapping[str, Any]:
        """The downlink as the server knows it."""
        return json_values.mapping(self.body.get("downlink"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DownlinkInvalidated(DownlinkReport):
    """The queued downlinks are invalid, because the end device has a new session."""

    kind: ClassVar[str] = "downlink_queue_invalidated"
    state: ClassVar[DownlinkState] = "invalidated"

    @property
    @override
    def downlink(self) -> Mapping[str, Any]:
        """The first of the invalidated downlinks."""
        return next(iter(json_values.objects(self.body.get("downlinks"))), {})
