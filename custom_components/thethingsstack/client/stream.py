"""The items of an application's stream, besides its messages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .errors import BadMessage, StackError
from .messages import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamConnected:
    """Messages come from now on; `gap` is the time of the last one before an interruption.

    None at the first connection, or where nothing had come before. What was sent in between is
    lost on the stream.
    """

    gap: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLost:
    """The connection is lost, and is being opened again; yielded once per interruption."""

    error: StackError


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableMessage:
    """A message that can't be read."""

    topic: str
    error: BadMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesDropped:
    """So many messages had to be dropped since the last notice; they came faster than taken.

    `gap` is the time of the last message that was not dropped: catch up from there.
    """

    count: int
    gap: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChanged:
    """An end device was registered, changed or deleted.

    Only where the stream reports that (capability `device_changes`).
    """

    device_id: str
    change: Literal["created", "updated", "deleted"]


type StreamItem = (
    Message | StreamConnected | StreamLost | UnreadableMessage | MessagesDropped | DeviceChanged
)
