"""One MQTT connection to an application: yields its messages until the connection is lost.

MQTT 3.1.1 and QoS 0, as the server knows nothing else.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
import ssl
from typing import Self

from ..errors import ConnectionFailed, MqttRefused, ProtocolMismatch, RequestTimeout, from_socket
from ..inbox import Inbox
from ..models import MqttAddress
from .socket_loop import SocketLoop

KEEPALIVE = 60
BAD_LOGIN = 4
NOT_AUTHORIZED = 5

_REFUSED = 0x80
# paho names CONNACK codes as MQTT 5 does.
_CONNACK_CODES = {132: 1, 133: 2, 136: 3, 134: BAD_LOGIN, 135: NOT_AUTHORIZED}
_CONNACK_TEXTS = {
    3: "it is too busy",
    BAD_LOGIN: "bad user name or password",
    NOT_AUTHORIZED: "not authorized",
}
_TURN = 32


def _connection_lost() -> ConnectionFailed:
    return ConnectionFailed("the connection was lost", name="connection_lost")


class MqttConnection:
    """A connection to an application's MQTT server; open it, iterate, close it."""

    def __init__(
        self,
        address: MqttAddress,
        *,
        password: str,
        topics: Sequence[str],
        tls_context: ssl.SSLContext | None,
        queue_size: int,
        timeout: float = 10,
        keepalive: int = KEEPALIVE,
        on_arrival: Callable[[str, bytes], None] | None = None,
    ) -> None:
        """Keep the settings; `tls_context` is needed for an address with TLS.

        `timeout` is for each step of connecting, `keepalive` between pings, both in seconds.
        `on_arrival` is called with each message at once, before it waits to be taken.
        """
        if address.tls and tls_context is None:
            raise ValueError("TLS needs a context")
        self._address = address
        self._about = {"address": f"{address.host}:{address.port}"}
        self._where = f"the MQTT server {self._about['address']}"
        self._topics = tuple(topics)
        self._on_arrival = on_arrival
        self._timeout = timeout
        self._keepalive = keepalive
        self._inbox = Inbox[tuple[str, bytes]](queue_size)
        self._password = password
        self._tls_context = tls_context if address.tls else None
        self._session: SocketLoop | None = None

    async def __aenter__(self) -> Self:
        """Connect and subscribe; raises ConnectionFailed or a subclass of it."""
        session = self._session = SocketLoop(
            username=self._address.username,
            password=self._password,
            timeout=self._timeout,
            keepalive=self._keepalive,
            tls_context=self._tls_context,
            on_message=self._receive,
        )
        session.lost.add_done_callback(lambda _lost: self._inbox.close())
        try:
            await self._before_lost(
                session,
                self._connect(session),
                ProtocolMismatch(
                    f"{self._where} closed the connection without an answer: it may speak TLS"
                    " there (or not), no MQTT, or have too many connections",
                    name="no_connack",
                    attributes=self._about,
                ),
            )
            granted = [
                reason
                for topic in self._topics
                for reason in await self._before_lost(
                    session, session.subscribe(topic), _connection_lost()
                )
            ]
        except BaseException:
            self.close()
            raise
        if any(reason.value >= _REFUSED for reason in granted):
            self.close()
            raise MqttRefused(
                f"{self._where} refused the subscription",
                code=_REFUSED,
                name="subscription_refused",
                attributes=self._about,
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def closed(self) -> bool:
        """Return whether the connection has ended, whether closed or lost."""
        return self._session is None or self._session.lost.done()

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish a message, and wait until the server has received it; it reports no refusal."""
        if self._session is None:
            raise _connection_lost()
        await self._before_lost(
            self._session, self._session.publish(topic, payload), _connection_lost()
        )

    def close(self) -> None:
        """Disconnect."""
        if self._session is not None:
            self._session.close()
        self._inbox.close()

    async def __aiter__(self) -> AsyncIterator[tuple[str, bytes] | int]:
        """Yield topic and payload, or how many messages were dropped; raises ConnectionFailed."""
        taken = 0
        while (item := await self._inbox.get()) is not None:
            yield item
            taken += 1
            if taken % _TURN == 0:
                # Other tasks must run, too, while the queue is full.
                await asyncio.sleep(0)
        raise _connection_lost()

    def _receive(self, topic: str, payload: bytes) -> None:
        self._inbox.put((topic, payload), len(topic) + len(payload))
        if self._on_arrival is not None:
            self._on_arrival(topic, payload)

    async def _connect(self, session: SocketLoop) -> None:
        try:
            reason = await session.connect(self._address.host, self._address.port)
        except (OSError, UnicodeError, ValueError) as error:
            raise self._meaning(error) from None
        if reason.is_failure:
            code = _CONNACK_CODES.get(reason.value, reason.value)
            text = _CONNACK_TEXTS.get(code, f"code {code}")
            raise MqttRefused(f"{self._where} refused: {text}", code=code, attributes=self._about)

    def _meaning(self, error: BaseException) -> ConnectionFailed:
        if self._address.tls and isinstance(error, ConnectionResetError | ssl.SSLEOFError):
            return ProtocolMismatch(
                f"{self._where} speaks no TLS", name="tls_mismatch", attributes=self._about
            )
        return from_socket(error, self._about["address"], self._where)

    async def _before_lost[T](
        self, session: SocketLoop, step: Awaitable[T], lost: ConnectionFailed
    ) -> T:
        """Return the result of a step; raises `lost` or RequestTimeout if that doesn't succeed."""
        doing = asyncio.ensure_future(step)
        try:
            await asyncio.wait(
                (doing, session.lost),
                timeout=self._timeout,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if doing.done():
                return doing.result()
            if session.lost.done():
                raise lost
            raise RequestTimeout(
                f"{self._where} did not answer in time", name="timeout", attributes=self._about
            )
        finally:
            doing.cancel()
