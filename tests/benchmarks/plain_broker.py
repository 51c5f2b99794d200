"""A broker for where mosquitto isn't installed: MQTT 3.1.1, QoS 0, retained messages, any user."""

import asyncio
from collections.abc import Iterator
from enum import IntEnum
import socket
import ssl


class Kind(IntEnum):
    """What a packet is: the upper half of its first byte."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


_RETAIN = 0x01
_CONNACK = b"\x20\x02\x00\x00"
_CONNACK_NO_MQTT_5 = b"\x20\x03\x00\x84\x00"


def packet(kind: int, body: bytes) -> bytes:
    """Return a packet whose first byte is `kind`."""
    size, length = len(body), bytearray()
    while True:
        size, low = divmod(size, 128)
        length.append(low | 0x80 if size else low)
        if not size:
            return bytes((kind,)) + bytes(length) + body


def text(data: str) -> bytes:
    """Return a string as packets have it."""
    encoded = data.encode()
    return len(encoded).to_bytes(2) + encoded


def publish_packet(topic: str, payload: bytes, *, retain: bool = False) -> bytes:
    """Return a PUBLISH with QoS 0."""
    return packet(Kind.PUBLISH << 4 | (_RETAIN if retain else 0), text(topic) + payload)


def connect_packet(client_id: str) -> bytes:
    """Return a CONNECT of MQTT 3.1.1: clean session, no keep-alive, some user."""
    user = text("bench") + text("bench")
    return packet(Kind.CONNECT << 4, text("MQTT") + b"\x04\xc2\x00\x00" + text(client_id) + user)


def subscribe_packet(topic: str) -> bytes:
    """Return a SUBSCRIBE with QoS 0."""
    return packet(Kind.SUBSCRIBE << 4 | 0x02, b"\x00\x01" + text(topic) + b"\x00")


def _strings(body: bytes, *, step: int) -> Iterator[str]:
    """Yield the strings of a body, each followed by `step` more bytes."""
    at = 0
    while at < len(body):
        end = at + 2 + int.from_bytes(body[at : at + 2])
        yield body[at + 2 : end].decode()
        at = end + step


def _matches(pattern: list[str], topic: list[str]) -> bool:
    for index, step in enumerate(pattern):
        if step == "#":
            return True
        if index >= len(topic) or step not in ("+", topic[index]):
            return False
    return len(pattern) == len(topic)


class PlainBroker:
    """All connections, their filters, and what is retained."""

    def __init__(self) -> None:
        """Start empty."""
        self._exact: dict[str, set[asyncio.StreamWriter]] = {}
        self._patterns: dict[str, set[asyncio.StreamWriter]] = {}
        self._retained: dict[str, bytes] = {}
        self._servers: list[asyncio.Server] = []

    async def start(self, port: int, tls_context: ssl.SSLContext | None = None) -> None:
        """Listen on a port of the loopback."""
        self._servers.append(
            await asyncio.start_server(self._serve, "127.0.0.1", port, limit=2**20, ssl=tls_context)
        )

    def stop(self) -> None:
        """End all connections, and listen no more."""
        for server in self._servers:
            server.close()
            server.close_clients()
        self._servers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while await self._packet(reader, writer):
                pass
        except OSError, asyncio.IncompleteReadError:
            pass
        finally:
            for filters in (self._exact, self._patterns):
                for writers in filters.values():
                    writers.discard(writer)
            writer.close()

    async def _packet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Handle the next packet; False after the last one."""
        first = (await reader.readexactly(1))[0]
        size, shift = 0, 0
        while True:
            byte = (await reader.readexactly(1))[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        body = await reader.readexactly(size)
        return self._handle(writer, Kind(first >> 4), body, retain=bool(first & _RETAIN))

    def _handle(
        self, writer: asyncio.StreamWriter, kind: Kind, body: bytes, *, retain: bool
    ) -> bool:
        match kind:
            case Kind.CONNECT:
                supported = body[6] <= 4
                writer.write(_CONNACK if supported else _CONNACK_NO_MQTT_5)
                return supported
            case Kind.PUBLISH:
                self._publish(body, retain=retain)
            case Kind.SUBSCRIBE:
                self._subscribe(writer, body)
            case Kind.UNSUBSCRIBE:
                for topic in _strings(body[2:], step=0):
                    self._filters(topic).get(topic, set()).discard(writer)
                writer.write(packet(Kind.UNSUBACK << 4, body[:2]))
            case Kind.PINGREQ:
                writer.write(packet(Kind.PINGRESP << 4, b""))
            case _:
                return False
        return True

    def _filters(self, topic: str) -> dict[str, set[asyncio.StreamWriter]]:
        return self._patterns if "+" in topic or "#" in topic else self._exact

    def _subscribe(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        asked = list(_strings(body[2:], step=1))
        for topic in asked:
            self._filters(topic).setdefault(topic, set()).add(writer)
        writer.write(packet(Kind.SUBACK << 4, body[:2] + bytes(len(asked))))
        for topic in asked:
            pattern = topic.split("/")
            for name, payload in self._retained.items():
                if _matches(pattern, name.split("/")):
                    writer.write(publish_packet(name, payload, retain=True))

    def _publish(self, body: bytes, *, retain: bool) -> None:
        end = 2 + int.from_bytes(body[:2])
        topic = body[2:end].decode()
        if retain:
            self._retained[topic] = body[end:]
        data = packet(Kind.PUBLISH << 4, body)
        steps = topic.split("/")
        wanted = set(self._exact.get(topic, ()))
        for pattern, writers in self._patterns.items():
            if writers and _matches(pattern.split("/"), steps):
                wanted |= writers
        for writer in wanted:
            writer.write(data)
