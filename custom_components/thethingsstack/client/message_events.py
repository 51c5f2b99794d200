"""Messages read from the event stream: the way for networks where only HTTPS gets out.

Nothing here is about the server's own downlink queue: whether a downlink was queued, the answer to
its request says.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime

from . import json_values
from .errors import BadMessage
from .events import QUIET, Event, Events, EventsConnected, EventsLost
from .messages import Message, UplinkMessage, parse_message
from .stream import StreamConnected, StreamItem, StreamLost, UnreadableMessage

MESSAGE_EVENTS = (
    "as.up.data.forward",
    "as.up.normalized.forward",
    "as.up.join.forward",
    "as.up.location.forward",
    "as.up.service.forward",
    "as.down.data.sent.forward",
    "as.down.data.ack.forward",
    "as.down.data.nack.forward",
    "as.down.data.failed.forward",
    "as.down.data.queue.invalidated.forward",
)
"""The events whose data is a whole message."""


def message_of(event: Event) -> Message:
    """Return the message that an event carries; raises BadMessage where it carries none."""
    return parse_message(None, json_values.mapping(event.raw.get("data")))


async def stream_messages(
    events: Events, *, application_id: str, after: datetime | None = None
) -> AsyncGenerator[StreamItem]:
    """Yield the application's messages for ever, as `Stack.stream` does over MQTT.

    `after` asks for what the server still has from before. Raises what `Events.stream` raises.
    Close it (`aclosing`) to leave.
    """
    last = after
    lost = False
    async with aclosing(events.stream(MESSAGE_EVENTS, after=after)) as items:
        async for item in items:
            match item:
                case EventsConnected():
                    lost = False
                    yield StreamConnected(gap=last)
                case EventsLost():
                    if not lost and item.error is not None:
                        lost = True
                        yield StreamLost(error=item.error)
                case Event():
                    read = _read(item, application_id)
                    if isinstance(read, Message):
                        last = read.received_at or last
                    yield read


async def past_uplinks(
    events: Events, *, application_id: str, after: datetime, quiet: float = QUIET
) -> AsyncGenerator[UplinkMessage]:
    """Yield the uplinks after a time that the server's event history still has, and end.

    It is short; `Events.past` says how short, and what `quiet` is. Raises StackError.
    """
    async with aclosing(events.past(("as.up.data.forward",), after=after, quiet=quiet)) as items:
        async for event in items:
            message = _read(event, application_id)
            if isinstance(message, UplinkMessage):
                yield message


def _read(event: Event, application_id: str) -> Message | UnreadableMessage:
    try:
        message = message_of(event)
    except BadMessage as error:
        return UnreadableMessage(topic=event.name, error=error)
    if message.ids.application_id != application_id:
        foreign = BadMessage(
            "the message is of another application", topic=event.name, name="other_application"
        )
        return UnreadableMessage(topic=event.name, error=foreign)
    return message
