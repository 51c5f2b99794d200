"""What the clients of both versions have in common: requests, the clock, the stream's state."""

from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .api import Calls
from .reconnecting import ReconnectingStream
from .stream import StreamItem
from .transport import Host, Transport

_CLOCK_TOLERANCE = timedelta(minutes=5)


def utcnow() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(UTC)


class BaseStack:
    """The client of one application, as far as it doesn't matter which version its stack has."""

    _clock: Callable[[], datetime]
    _transport: Transport
    _calls: Calls
    _stream: ReconnectingStream
    _not_future_until = datetime.min.replace(tzinfo=UTC)
    """Up to here no time is in the future, as the clock was last read."""
    _offset_then: timedelta | None = None
    """By how much the server's clock differed from this machine's then."""

    def server_time(self) -> datetime:
        """Return the time by the server's clock (from its last answer), else by this machine's."""
        return self._clock() + self._transport.clock_offset

    def not_in_future(self, moment: datetime) -> datetime:
        """Return a time, but the server's present where it is more than five minutes after that.

        A message dated years ahead would seem newer than all that follow.
        """
        # Reading the clock costs more than all else here, and each uplink asks several times. Each
        # answer over HTTP has an offset of its own: a clock that was set back is noticed then.
        offset = self._transport.clock_offset
        if moment <= self._not_future_until and offset is self._offset_then:
            return moment
        now = self.server_time()
        self._not_future_until, self._offset_then = now + _CLOCK_TOLERANCE, offset
        return moment if moment <= self._not_future_until else now

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        host: Host | None = None,
        timeout: float = 20,
        max_wait: float = 30,
    ) -> Any:
        """Make any request of the HTTP API and return its parsed answer ({} for an empty one).

        On The Things Stack the path is with or without "/api/v3"; its first segment decides on the
        server, unless `host` is given. In `params`, None is omitted, times and booleans are
        converted, and a list in "field_mask" is joined. If the rate limit needs at most `max_wait`
        seconds, the request is repeated after that time. Of a Handler not more than five requests
        begin in a second. Raises StackError.
        """
        return await self._calls.request(
            method, path, params=params, json=json, host=host, timeout=timeout, max_wait=max_wait
        )

    @property
    def connected(self) -> bool:
        """Whether the stream is connected."""
        return self._stream.connected

    @property
    def connected_at(self) -> datetime | None:
        """When the stream was connected last."""
        return self._stream.connected_at

    @property
    def dropped(self) -> int:
        """How many messages were dropped because the queue was full."""
        return self._stream.dropped

    @property
    def complete_until(self) -> datetime | None:
        """When the stream's last message was received, or since when it is connected."""
        return self._stream.complete_until

    def stream(self) -> AsyncGenerator[StreamItem]:
        """Yield the application's messages without end, and changes of the connection.

        A lost connection is opened again after increasing pauses. Of this library's errors, raises
        only AuthenticationFailed (if the HTTP API refuses the key, too) and, on The Things Stack,
        MissingRight (without TRAFFIC_READ the server would send no messages). Close it (`aclosing`)
        to end it.
        """
        return self._stream.items()

    def reconnect(self) -> None:
        """Let a running stream connect again at once; does nothing without one.

        The Things Stack reads the key's rights only when a stream connects: call this after
        TRAFFIC_READ was granted again. The stream then yields StreamConnected with the gap.
        """
        self._stream.reconnect()
