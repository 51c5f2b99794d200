"""Messages read from the event stream: the way for networks where only HTTPS gets out."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
import logging
from typing import TYPE_CHECKING

import orjson

from . import json_values
from .api import Calls
from .downlink_events import DROPPED, GRACE, RECEIVED, DownlinkEvents
from .errors import (
    AuthenticationFailed,
    BadMessage,
    ConnectionFailed,
    InvalidRequest,
    MissingRight,
    NotFound,
    ProtocolMismatch,
)
from .events import (
    BACKOFF_CAP,
    IDLE,
    QUIET,
    TAIL,
    Event,
    EventItem,
    Events,
    EventsConnected,
    EventsLost,
)
from .inbox import Inbox
from .messages import DownlinkReport, Message, UplinkMessage, parse_message
from .stream import MessagesDropped, StreamConnected, StreamItem, StreamLost, UnreadableMessage

if TYPE_CHECKING:
    from .protocols import EventCalls

_LOGGER = logging.getLogger(__name__)

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

type _Read = Message | UnreadableMessage | EventsConnected | StreamLost


def message_of(event: Event) -> Message:
    """Return the message that an event carries; raises BadMessage where it carries none."""
    return parse_message(None, json_values.mapping(event.raw.get("data")))


class MessageEvents:
    """The application's messages as its event stream has them.

    `check_reading` raises MissingRight where the key may not read messages: the server would open
    the stream and stay silent. `server_time` tells the time by the server's clock; `not_in_future`
    returns a time, but the present for one far ahead.
    """

    def __init__(
        self,
        calls: Calls,
        events: Events,
        *,
        check_reading: Callable[[], Awaitable[None]],
        server_time: Callable[[], datetime],
        not_in_future: Callable[[datetime], datetime],
        queue_size: int = 5_000,
        idle: float = IDLE,
        grace: float = GRACE,
    ) -> None:
        """Open nothing yet."""
        self.dropped = 0
        """How many messages were dropped because they weren't taken in time."""
        self._calls = calls
        self._events = events
        self._check_reading = check_reading
        self._server_time = server_time
        self._not_in_future = not_in_future
        self._queue_size = queue_size
        self._idle = idle
        self._grace = grace
        self._last: datetime | None = None
        self._reader: asyncio.Task[None] | None = None

    async def check(self) -> None:
        """Open the stream once; raises what reading messages would meet."""
        await self._check_reading()
        async with aclosing(self._opened(None)) as items:
            item = await anext(items)
        if isinstance(item, EventsLost):
            raise item.error or ConnectionFailed("the stream was closed", name="connection_lost")

    async def stream(self, *, since: datetime | None = None) -> AsyncGenerator[StreamItem]:
        """Yield the application's messages without end, as `Stack.stream` does over MQTT.

        If the server keeps events, messages that were missed while disconnected are yielded, too,
        and those after `since`: the gap that the first connection tells begins there.
        Of this library's errors, raises only AuthenticationFailed and MissingRight (without
        TRAFFIC_READ). Close it (`aclosing`) to end it.
        """
        if since is not None:
            self._last = since if self._last is None else max(since, self._last)
        while True:
            inbox = Inbox[_Read](self._queue_size)
            reader = self._reader = asyncio.create_task(self._read(inbox), name="event stream")
            reader.add_done_callback(lambda _reader, inbox=inbox: inbox.close())  # type: ignore[misc]
            try:
                while (item := await inbox.get()) is not None:
                    yield self._taken(item)
            finally:
                self._reader = None
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
            if not reader.cancelled() and (error := reader.exception()) is not None:
                raise error

    def reconnect(self) -> None:
        """Make a running stream connect anew, at once; nothing happens where none runs."""
        if self._reader is not None:
            self._reader.cancel()

    def _taken(self, item: _Read | int) -> StreamItem:
        match item:
            case int():
                if not self.dropped:
                    _LOGGER.warning("Messages came faster than they were taken; some were dropped")
                self.dropped += item
                return MessagesDropped(count=item, gap=self._last)
            case EventsConnected():
                # What was missed before is this gap's matter, the next one begins here.
                gap, self._last = self._last, item.at or self._server_time()
                return StreamConnected(gap=gap)
            case Message() if item.received_at is not None:
                self._last = self._not_in_future(item.received_at)
        return item

    async def _read(self, inbox: Inbox[_Read]) -> None:
        """Put what comes into the inbox at once: the server drops what isn't read in time."""
        downlinks = DownlinkEvents(lambda message: inbox.put(message, 1), grace=self._grace)
        try:
            while True:
                try:
                    async with aclosing(self._opened(self._last)) as items:
                        await self._put(items, inbox, downlinks)
                except (AuthenticationFailed, MissingRight):
                    raise
                except (NotFound, InvalidRequest, ProtocolMismatch) as error:
                    inbox.put(StreamLost(error=error), 0)
                    await self._calls.sleep(BACKOFF_CAP)
        finally:
            downlinks.close()

    def _opened(self, after: datetime | None) -> AsyncGenerator[EventItem]:
        return self._events.stream(
            (*MESSAGE_EVENTS, RECEIVED, DROPPED),
            after=after or self._server_time(),
            tail=TAIL,
            idle=self._idle,
            before_connecting=self._check_reading,
        )

    async def _put(
        self,
        items: AsyncGenerator[EventItem],
        inbox: Inbox[_Read],
        downlinks: DownlinkEvents,
    ) -> None:
        """Put messages into the inbox, and an interruption if connecting anew fails at once."""
        connected = lost = False
        async for item in items:
            match item:
                case EventsConnected():
                    connected, lost = True, False
                    inbox.put(item, 0)
                case EventsLost() if connected:
                    connected = False
                case EventsLost():
                    if not lost:
                        lost = True
                        error = item.error or ConnectionFailed(
                            "the stream was closed", name="connection_lost"
                        )
                        inbox.put(StreamLost(error=error), 0)
                case Event():
                    self._put_event(item, inbox, downlinks)

    def _put_event(self, event: Event, inbox: Inbox[_Read], downlinks: DownlinkEvents) -> None:
        read: Message | UnreadableMessage
        if event.name in (RECEIVED, DROPPED):
            try:
                downlinks.take(event)
            except BadMessage as error:
                read = UnreadableMessage(topic=event.name, error=error)
            else:
                return
        else:
            read = _read(event, self._calls.application_id)
            if isinstance(read, DownlinkReport):
                downlinks.before(read)
        inbox.put(read, len(orjson.dumps(event.raw)))


async def past_uplinks(
    events: "EventCalls", *, application_id: str, after: datetime, quiet: float = QUIET
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
