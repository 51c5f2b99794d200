"""A message stream without end over MQTT connections that end: opens them again after pauses."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta
import logging

from .errors import AuthenticationFailed, MissingRight, MqttRefused, StackError
from .messages import Message
from .mqtt import MqttConnection
from .stream import MessagesDropped, StreamConnected, StreamItem, StreamLost

_LOGGER = logging.getLogger(__name__)

BACKOFF_CAP = 120.0
_STEADY = timedelta(minutes=1)


class ReconnectingStream:
    """The stream of one application's messages, and the state of its connection.

    `open_connection` returns a new connection, and gets whether the last attempt failed: the
    address may have changed. `read` turns topic and payload into an item, or None for
    what is none. `check` raises MissingRight where the key may not read messages. `confirm` raises
    AuthenticationFailed where a refusal over MQTT is confirmed by the HTTP API.
    """

    def __init__(
        self,
        server: str,
        *,
        open_connection: Callable[[bool], Awaitable[MqttConnection]],
        read: Callable[[str, bytes], StreamItem | None],
        check: Callable[[], Awaitable[None]],
        confirm: Callable[[MqttRefused | MissingRight], Awaitable[None]],
        not_in_future: Callable[[datetime], datetime],
        clock: Callable[[], datetime],
        random: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Connect nothing yet; `server` is its name in the log."""
        self.connected = False
        """Whether the stream is connected."""
        self.connected_at: datetime | None = None
        """When the stream was connected last."""
        self.dropped = 0
        """How many messages were dropped because the queue was full."""
        self.connection: MqttConnection | None = None
        """The open connection."""
        self._server = server
        self._open_connection = open_connection
        self._read_message = read
        self._check = check
        self._confirm = confirm
        self._not_in_future = not_in_future
        self._clock = clock
        self._random = random
        self._sleep = sleep
        self._wanted = asyncio.Event()
        self._last_message_at: datetime | None = None

    @property
    def complete_until(self) -> datetime | None:
        """When the last message was received, or since when the stream is connected."""
        return self._last_message_at or self.connected_at

    async def items(self) -> AsyncGenerator[StreamItem]:
        """Yield messages without end, and changes of the connection.

        Of this library's errors, raises only AuthenticationFailed and MissingRight. Close it
        (`aclosing`) to end it.
        """
        failures = 0
        lost = moved = False
        try:
            while True:
                self._wanted.clear()
                await self._check()
                try:
                    async with await self._open_connection(moved) as messages:
                        if self._wanted.is_set():
                            continue  # the rights may have changed before this connection
                        self.connection = messages
                        self.connected, lost, moved = True, False, False
                        gap = self.complete_until
                        self.connected_at = self._clock()
                        yield StreamConnected(gap=gap)
                        async for received in messages:
                            failures = 0
                            if (item := self._read(received)) is not None:
                                yield item
                except AuthenticationFailed:
                    raise
                except (MqttRefused, MissingRight) as error:
                    await self._confirm(error)
                    failure: StackError = error
                except StackError as error:
                    failure = error
                if not self.connected:
                    moved = True
                elif self.connected_at and self._clock() - self.connected_at > _STEADY:
                    failures = 0
                self.connected, self.connection = False, None
                if self._wanted.is_set():
                    continue
                _LOGGER.debug("No messages from %s: %s", self._server, failure)
                if not lost:
                    lost = True
                    yield StreamLost(error=failure)
                # Full jitter, so that not all clients connect in the same second.
                await self._pause(self._random() * min(BACKOFF_CAP, 2.0 ** min(failures, 7)))
                failures += 1
        finally:
            self.connected, self.connection = False, None

    def reconnect(self) -> None:
        """Let a running stream connect again at once; does nothing without one."""
        self._wanted.set()
        if self.connection is not None:
            self.connection.close()

    async def _pause(self, seconds: float) -> None:
        """Wait, but no longer than until a new connection is wanted."""
        sleeping = asyncio.ensure_future(self._sleep(seconds))
        wanted = asyncio.ensure_future(self._wanted.wait())
        try:
            await asyncio.wait((sleeping, wanted), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            wanted.cancel()

    def _read(self, received: tuple[str, bytes] | int) -> StreamItem | None:
        if isinstance(received, int):
            if not self.dropped:
                _LOGGER.warning("Messages came faster than they were taken; some were dropped")
            self.dropped += received
            return MessagesDropped(count=received, gap=self.complete_until)
        item = self._read_message(*received)
        if isinstance(item, Message) and item.received_at is not None:
            self._last_message_at = self._not_in_future(item.received_at)
        return item
