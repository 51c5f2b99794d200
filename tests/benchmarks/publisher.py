"""A process that publishes uplinks and discovery messages, with as little effort as possible."""

import asyncio
import socket
import sys
import time
from typing import Any

from ..child_process import serve
from .plain_broker import connect_packet, publish_packet
from .workload import (
    SHAPES,
    application_of,
    device_id,
    discovery,
    envelope,
    times_from_now,
    uplink_topic,
)

_PING = b"\xc0\x00"


class Publisher:
    """One connection to the broker."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self._port = port
        self._connect()

    def _connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(120)
        self._socket.sendall(connect_packet("publisher"))
        answer = self._read(4)
        if answer[3]:
            raise ConnectionError(f"the broker refused: {answer[3]}")

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = self._socket.recv(size - len(data))
            if not chunk:
                raise ConnectionError("the broker hung up")
            data += chunk
        return data

    def _taken(self) -> None:
        """Wait until the broker has read everything."""
        self._socket.sendall(_PING)
        self._read(2)

    async def connect(self) -> None:
        """Connect anew."""
        self._socket.close()
        self._connect()

    async def uplinks(
        self,
        *,
        application: str,
        devices: int,
        first: int,
        count: int,
        rate: float,
        shape: str = "usual",
        entries: int = 1,
    ) -> list[int]:
        """Send `count` uplinks at so many per second; return when, in monotonic nanoseconds.

        Each carries the present time, as live uplinks do: late ones go another way.
        """
        packets = []
        for sequence, at in enumerate(times_from_now(count, rate), first):
            device = sequence % devices
            owner = application_of(application, device, devices, entries)
            uplink = envelope(owner, sequence, devices, at, SHAPES[shape])
            packets.append(publish_packet(uplink_topic(owner, device_id(device)), uplink))
        sent = []
        begin = time.monotonic_ns()
        interval = 1e9 / rate
        for number, packet in enumerate(packets):
            wait = begin + number * interval - time.monotonic_ns()
            if wait > 0:
                time.sleep(wait / 1e9)  # noqa: ASYNC251 - nothing else is done in this process
            sent.append(time.monotonic_ns())
            self._socket.sendall(packet)
        self._taken()
        return sent

    async def discovery(self, application: str, devices: int) -> int:
        """Publish the retained discovery messages; return how many."""
        count = 0
        for topic, payload in discovery(application, devices):
            self._socket.sendall(publish_packet(topic, payload, retain=True))
            count += 1
        self._taken()
        return count


async def main(port: int) -> None:
    """Publish what is asked for."""
    publisher = Publisher(port)
    handlers: dict[str, Any] = {
        "connect": publisher.connect,
        "uplinks": publisher.uplinks,
        "discovery": publisher.discovery,
    }
    await serve(handlers)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
