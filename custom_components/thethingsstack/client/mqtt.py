"""One MQTT connection: the messages of one filter, until it is lost.

MQTT 3.1.1 and QoS 0, as the server knows nothing else.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
import logging
import socket
import ssl
from typing import Any, Self, override

import aiomqtt
from paho.mqtt.client import MQTTMessage

from .errors import ConnectionFailed, MqttRefused, ProtocolMismatch, RequestTimeout, from_socket
from .models import MqttAddress

_LOGGER = logging.getLogger(__name__)

KEEPALIVE = 60
NOT_AUTHORIZED = 5

_REFUSED = 0x80
# paho tells CONNACK codes by the names that MQTT 5 gave them.
_CONNACK_CODES = {132: 1, 133: 2, 136: 3, 134: 4, 135: NOT_AUTHORIZED}
_CONNACK_TEXTS = {
    3: "it is too busy",
    NOT_AUTHORIZED: "not authorized",
}
_QUEUE_BYTES = 32 * 2**20
_TURN = 32


class _WireLog(logging.LoggerAdapter[logging.Logger]):
    """What the MQTT library tells; its errors are ours to tell, so here they are details."""

    @override
    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log at debug level, whatever the library thinks of it."""
        super().log(logging.DEBUG, msg, *args, **kwargs)


class Inbox:
    """Messages that wait to be taken; what doesn't fit is dropped and counted in its place."""

    def __init__(self, size: int) -> None:
        """Hold up to so many messages, and 32 MiB."""
        self._size = size
        self._items: deque[tuple[str, bytes] | int] = deque()
        self._bytes = 0
        self._dropped = 0
        self._wake: asyncio.Future[None] | None = None
        self.closed = False

    def put(self, topic: str, payload: bytes) -> None:
        """Take a message."""
        if len(self._items) >= self._size or self._bytes + len(payload) > _QUEUE_BYTES:
            self._dropped += 1
            return
        if self._dropped:
            self._items.append(self._dropped)
            self._dropped = 0
        self._items.append((topic, payload))
        self._bytes += len(payload)
        self._notify()

    def close(self) -> None:
        """Say that nothing will come any more."""
        self.closed = True
        self._notify()

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def get(self) -> tuple[str, bytes] | int | None:
        """Return a message, how many were dropped at this place, or None at the end."""
        while not self._items:
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                return dropped
            if self.closed:
                return None
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        item = self._items.popleft()
        if not isinstance(item, int):
            self._bytes -= len(item[1])
        return item


class _Handshake:
    """A TLS context whose sockets shake hands within a time; paho 2.1 gives it a minute."""

    def __init__(self, context: ssl.SSLContext, timeout: float) -> None:
        self._context = context
        self._timeout = timeout
        self.check_hostname = context.check_hostname

    def wrap_socket(self, sock: socket.socket, **arguments: Any) -> ssl.SSLSocket:
        wrapped = self._context.wrap_socket(sock, **arguments)
        try:
            wrapped.settimeout(self._timeout)
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped


class _Client(aiomqtt.Client):
    """aiomqtt's client, made to give up at once.

    It notices a connection that the server closes without a CONNACK (the original waits for its
    timeout), can be closed at any time, also while its thread still connects, and hands messages
    over as they are.
    """

    def __init__(self, inbox: Inbox, *, timeout: float, **arguments: Any) -> None:
        super().__init__(timeout=timeout, **arguments)
        self._inbox = inbox
        self._client.connect_timeout = timeout
        self._connecting = False
        self._closing = False

    @property
    def lost(self) -> asyncio.Future[None]:
        """Ends with the connection."""
        return self._disconnected

    def close(self) -> None:
        """Disconnect without waiting for anything."""
        self._closing = True
        if not self._connecting:
            self._shut()

    def _shut(self) -> None:
        self._client.disconnect()
        self._client.loop_write()
        self._client._sock_close()  # noqa: SLF001 - where the last packet couldn't be written

    @override
    def _client_connect(self) -> None:
        # Runs in a thread, and can't be interrupted there.
        self._connecting = True
        try:
            super()._client_connect()
        finally:
            with suppress(RuntimeError):  # the loop is gone
                self._loop.call_soon_threadsafe(self._connect_ended)

    def _connect_ended(self) -> None:
        self._connecting = False
        if self._closing:
            self._shut()

    @override
    def _on_disconnect(self, *arguments: Any, **keywords: Any) -> None:
        if self._connected.cancelled():
            return  # given up before; the original trips over that
        super()._on_disconnect(*arguments, **keywords)
        if not self._connected.done() and not self._disconnected.done():
            self._disconnected.set_result(None)

    @override
    def _on_socket_register_write(self, client: Any, userdata: Any, sock: Any) -> None:
        # May come from the connecting thread; and by the time the loop gets to it, the socket may
        # be closed, which the original does not look at.
        self._loop.call_soon_threadsafe(self._register_write, sock)

    def _register_write(self, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.add_writer(sock.fileno(), self._write)

    def _write(self) -> None:
        try:
            self._client.loop_write()
        except Exception as error:  # noqa: BLE001 - whatever paho meets there, the connection is over
            if not self._disconnected.done():
                self._disconnected.set_exception(error)

    @override
    def _on_message(self, client: Any, userdata: Any, message: MQTTMessage) -> None:
        self._inbox.put(message.topic, bytes(message.payload))


def _connection_lost() -> ConnectionFailed:
    return ConnectionFailed("the connection was lost", name="connection_lost")


class MqttConnection:
    """A connection to an application's MQTT server; open it, iterate, close it."""

    def __init__(
        self,
        address: MqttAddress,
        *,
        password: str,
        topic: str,
        tls_context: ssl.SSLContext | None,
        queue_size: int,
        timeout: float = 10,
    ) -> None:
        """Take what comes from outside; `tls_context` is needed where the address says TLS."""
        if address.tls and tls_context is None:
            raise ValueError("TLS needs a context")
        self._address = address
        self._topic = topic
        self._timeout = timeout
        self._inbox = Inbox(queue_size)
        self._client = _Client(
            self._inbox,
            hostname=address.host,
            port=address.port,
            username=address.username,
            password=password,
            protocol=aiomqtt.ProtocolVersion.V311,
            keepalive=KEEPALIVE,
            timeout=timeout,
            tls_context=_Handshake(tls_context, timeout) if address.tls and tls_context else None,
        )

    async def __aenter__(self) -> Self:
        """Connect and subscribe; raises ConnectionFailed or one of its kinds."""
        try:
            await self._before_lost(
                self._connect(),
                ProtocolMismatch(
                    "the server closed the connection without an answer: it may speak TLS there"
                    " (or not), no MQTT, or have too many connections",
                    name="no_connack",
                ),
            )
            granted = await self._before_lost(
                self._client.subscribe(self._topic, qos=0), _connection_lost()
            )
        except BaseException:
            self._client.lost.add_done_callback(self._on_lost)  # nobody else looks at its error
            self.close()
            raise
        if any(getattr(code, "value", 0) >= _REFUSED for code in granted):
            self.close()
            raise MqttRefused(
                "the server refused the subscription", code=_REFUSED, name="subscription_refused"
            )
        self._client.lost.add_done_callback(self._on_lost)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish, and wait until the server has it; what it makes of it, it doesn't say."""
        await self._before_lost(self._client.publish(topic, payload, qos=1), _connection_lost())

    def close(self) -> None:
        """Disconnect."""
        self._client.close()
        self._inbox.close()

    def _on_lost(self, lost: asyncio.Future[None]) -> None:
        if not lost.cancelled():
            lost.exception()  # seen
        self._inbox.close()

    async def __aiter__(self) -> AsyncIterator[tuple[str, bytes] | int]:
        """Yield topic and payload, or how many messages were dropped; raises ConnectionFailed."""
        taken = 0
        while (item := await self._inbox.get()) is not None:
            yield item
            taken += 1
            if taken % _TURN == 0:
                # A full queue must not keep everyone else waiting.
                await asyncio.sleep(0)
        raise _connection_lost()

    async def _connect(self) -> None:
        try:
            await self._client.__aenter__()
        except aiomqtt.MqttCodeError as error:
            value: int = getattr(error.rc, "value", 0)
            code = _CONNACK_CODES.get(value, value)
            text = _CONNACK_TEXTS.get(code, f"code {code}")
            raise MqttRefused(f"the MQTT server refused: {text}", code=code) from None
        except aiomqtt.MqttError as error:
            raise self._meaning(error.__context__ or error) from None
        except UnicodeError as error:
            raise from_socket(error) from None

    def _meaning(self, error: BaseException) -> ConnectionFailed:
        if self._address.tls and isinstance(error, ConnectionResetError | ssl.SSLEOFError):
            return ProtocolMismatch("no TLS is spoken there", name="tls_mismatch")
        return from_socket(error)

    async def _before_lost[T](self, step: Awaitable[T], lost: ConnectionFailed) -> T:
        """Return the result of a step, unless the connection ends or the time is over before."""
        doing = asyncio.ensure_future(step)
        try:
            await asyncio.wait(
                (doing, self._client.lost),
                timeout=self._timeout,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if doing.done():
                return doing.result()
            if self._client.lost.done():
                raise lost
            raise RequestTimeout("the MQTT server did not answer in time", name="timeout")
        finally:
            doing.cancel()
