"""An MQTT 3.1.1 server without rules of its own: connections, packets, delivery.

Packets come from amqtt's codec. Messages go down with QoS 0 whatever was asked for, nothing is
stored for clients that are away, each connection gets one copy. Who may connect, subscribe and
publish is decided by the brokers built on it.
"""

from abc import ABC, abstractmethod
import asyncio
import contextlib
from dataclasses import dataclass, field
import ssl
from typing import TYPE_CHECKING, Any

from amqtt.adapters import BufferReader
from amqtt.errors import AMQTTError, CodecError, MQTTError, NoDataError
from amqtt.mqtt import packet_class
from amqtt.mqtt.connack import ConnackPacket
from amqtt.mqtt.connect import ConnectPacket
from amqtt.mqtt.packet import CONNECT, MQTTFixedHeader
from amqtt.mqtt.pingreq import PingReqPacket
from amqtt.mqtt.pingresp import PingRespPacket
from amqtt.mqtt.puback import PubackPacket
from amqtt.mqtt.pubcomp import PubcompPacket
from amqtt.mqtt.publish import PublishPacket
from amqtt.mqtt.pubrec import PubrecPacket
from amqtt.mqtt.pubrel import PubrelPacket
from amqtt.mqtt.suback import SubackPacket
from amqtt.mqtt.subscribe import SubscribePacket
from amqtt.mqtt.unsuback import UnsubackPacket
from amqtt.mqtt.unsubscribe import UnsubscribePacket

from .faults import Faults

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECT_SECONDS = 10.0
# A session buffers 64 messages behind 128 of the Application Server; then it loses them.
BUFFER_BYTES = 192 * 4096

_CODEC_ERRORS = (AMQTTError, CodecError, MQTTError, NoDataError, ValueError, IndexError)


@dataclass(frozen=True)
class Login:
    """Who a connection is: its application, and what it may do for as long as it lasts."""

    uid: str
    reads: bool
    writes: bool


def matches(pattern: list[str], topic: list[str]) -> bool:
    """Return whether a filter takes a topic. Here `a/#` does not take `a`."""
    for index, step in enumerate(pattern):
        if step == "#":
            return len(topic) > index
        if index >= len(topic) or step not in ("+", topic[index]):
            return False
    return len(pattern) == len(topic)


@dataclass(eq=False)
class Connection:
    """One client that got through CONNECT."""

    writer: asyncio.StreamWriter
    login: Login
    client_id: str
    keep_alive: float
    filters: dict[str, list[str]] = field(default_factory=dict)
    lost: int = 0
    frozen: bool = False
    """Whether the server has forgotten it: nothing is sent, nothing is taken, it stays open."""

    @property
    def reads(self) -> bool:
        """Return whether messages are delivered: never without the right to read."""
        return self.login.reads and not self.frozen

    def wants(self, topic: list[str]) -> bool:
        """Return whether a subscription takes the topic."""
        return any(matches(pattern, topic) for pattern in self.filters.values())

    def send(self, data: bytes) -> bool:
        """Send one message, or lose it if the client is too slow."""
        transport = self.writer.transport
        if transport.is_closing() or transport.get_write_buffer_size() > BUFFER_BYTES:
            self.lost += 1
            return False
        transport.write(data)
        return True


class MqttServer(ABC):
    """Listens, plain and with TLS, and delivers to whoever subscribed."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._servers: list[asyncio.Server] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._changed = asyncio.Condition()
        self.connections: list[Connection] = []
        self.attempts = 0

    @abstractmethod
    def greet(self, packet: ConnectPacket) -> Login | int | None:
        """Return the login, or the code of CONNACK to refuse with; None hangs up without one."""

    @abstractmethod
    def subscribe(self, connection: Connection, topic_filter: str, qos: int) -> int:
        """Note a filter that is granted; return the code of SUBACK.

        Raises ConnectionAbortedError where the server hangs up instead.
        """

    @abstractmethod
    def admit(self, connection: Connection, packet: PublishPacket) -> None:
        """Look at what a client publishes before it is acknowledged.

        Raises ConnectionAbortedError where the server hangs up instead.
        """

    @abstractmethod
    def publish(self, connection: Connection, packet: PublishPacket) -> None:
        """Take what a client publishes, once it is acknowledged."""

    @abstractmethod
    def subscribed(self, connection: Connection, topic_filters: list[str]) -> None:
        """Follow up on filters that were just answered."""

    async def start(
        self, host: str, tls: ssl.SSLContext, port: int = 0, tls_port: int = 0
    ) -> tuple[int, int]:
        """Listen on `host`; return the plain and the TLS port."""
        plain = await asyncio.start_server(self._accept, host, port)
        secure = await asyncio.start_server(
            self._accept,
            host,
            tls_port,
            ssl=tls,
            ssl_shutdown_timeout=0.05,
            ssl_handshake_timeout=10,
        )
        self._servers = [plain, secure]
        return plain.sockets[0].getsockname()[1], secure.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and hang up on everyone at once."""
        for server in self._servers:
            server.close()
            server.abort_clients()
        self.drop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def drop(self) -> int:
        """Hang up on all clients, without a word; return how many there were."""
        count = len(self._writers)
        for writer in list(self._writers):
            writer.transport.abort()
        return count

    async def freeze(self) -> int:
        """Forget all connections without closing them; return how many there were."""
        for connection in self.connections:
            connection.frozen = True
        await self._notify()
        return len(self.connections)

    async def wait_for(self, condition: Callable[[], bool], timeout: float) -> None:
        """Wait until the condition holds; looked at when connections change."""
        async with asyncio.timeout(timeout), self._changed:
            await self._changed.wait_for(condition)

    def deliver(self, topic: str, payload: bytes) -> int:
        """Send a message to all who subscribed and may read; return how many copies were sent."""
        steps = topic.split("/")
        data: bytes | None = None
        copies = 0
        for connection in self.connections:
            if connection.reads and connection.wants(steps):
                if data is None:
                    data = PublishPacket.build(topic, payload, None, False, 0, False).to_bytes()
                copies += connection.send(data)
        return copies

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        self.attempts += 1
        try:
            if self._faults.mqtt_delay:
                await asyncio.sleep(self._faults.mqtt_delay)
            if not self._faults.mqtt_close:
                await self._serve(reader, writer)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, *_CODEC_ERRORS):
            writer.transport.abort()
        except asyncio.CancelledError:
            # Only close() cancels; the stream protocol would log a cancelled handler.
            writer.transport.abort()
        finally:
            writer.close()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await self._connect(reader, writer)
        if connection is None:
            return
        self.connections.append(connection)
        try:
            while True:
                timeout = 1.5 * connection.keep_alive or 3600.0
                async with asyncio.timeout(timeout):
                    packet = await _read(reader)
                if not await self._handle(connection, packet):
                    # Clean DISCONNECT: the server waits for the client to close.
                    await asyncio.wait_for(reader.read(), CONNECT_SECONDS)
                    return
        finally:
            self.connections.remove(connection)
            with contextlib.suppress(RuntimeError):
                await self._notify()

    async def _connect(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Connection | None:
        packet = await _read(reader, first=True)
        if not isinstance(packet, ConnectPacket) or packet.payload is None:
            return None
        if packet.proto_level in (3, 4) and (code := self._faults.mqtt_refuse) is not None:
            _connack(writer, code)
            return None
        login = self.greet(packet)
        if not isinstance(login, Login):
            if login is not None:
                _connack(writer, login)
            return None
        _connack(writer, 0)
        keep_alive = packet.variable_header.keep_alive if packet.variable_header else 0
        return Connection(writer, login, packet.client_id or "", keep_alive)

    async def _handle(self, connection: Connection, packet: Any) -> bool:
        """Answer one packet; False after a DISCONNECT."""
        if connection.frozen:
            return True
        writer = connection.writer
        match packet:
            case PublishPacket():
                self.admit(connection, packet)
                if packet.qos == 1:
                    writer.write(PubackPacket.build(_packet_id(packet)).to_bytes())
                elif packet.qos == 2:
                    writer.write(PubrecPacket.build(_packet_id(packet)).to_bytes())
                self.publish(connection, packet)
            case SubscribePacket(payload=payload) if payload is not None:
                codes = [self._subscribe(connection, topic, qos) for topic, qos in payload.topics]
                writer.write(SubackPacket.build(_packet_id(packet), codes).to_bytes())
                self.subscribed(connection, [topic for topic, _ in payload.topics])
                await self._notify()
            case UnsubscribePacket(payload=payload) if payload is not None:
                for topic in payload.topics:
                    connection.filters.pop(topic, None)
                writer.write(UnsubackPacket.build(_packet_id(packet)).to_bytes())
                await self._notify()
            case PingReqPacket():
                if not self._faults.mqtt_deaf:
                    writer.write(PingRespPacket.build().to_bytes())
            case PubrelPacket():
                writer.write(PubcompPacket.build(_packet_id(packet)).to_bytes())
            case _:
                return False
        return True

    def _subscribe(self, connection: Connection, topic_filter: str, qos: int) -> int:
        if self._faults.mqtt_refuse_subscribe:
            return 0x80
        return self.subscribe(connection, topic_filter, qos)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def _packet_id(packet: Any) -> int:
    header = packet.variable_header
    assert header is not None
    packet_id: int = header.packet_id
    return packet_id


def _connack(writer: asyncio.StreamWriter, code: int) -> None:
    writer.write(ConnackPacket.build(0, code).to_bytes())


async def _read(reader: asyncio.StreamReader, *, first: bool = False) -> Any:
    """Return the next packet; raises a codec error on what is none."""
    kind = (await reader.readexactly(1))[0]
    if first and kind != CONNECT << 4:
        raise MQTTError("not a CONNECT")
    length, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
        if shift > 21:
            raise MQTTError("remaining length")
    body = await reader.readexactly(length)
    header = MQTTFixedHeader(kind >> 4, kind & 0x0F, length)
    if kind >> 4 in (0, 15):
        raise MQTTError("reserved packet type")
    return await packet_class(header).from_stream(BufferReader(body), header)
