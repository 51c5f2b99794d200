"""A process that publishes uplinks and discovery messages, with as little effort as possible."""

import asyncio
import socket
import sys
import time
from typing import Any

from ..child_process import serve
from .plain_broker import connect_packet, publish_packet
from .workload import device_id, discovery, envelope, some_time_ago, times, uplink_topic

_PING = b"\xc0\x00"


class Publisher:
    """One connection to the broker."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self._start = some_time_ago()
        self._socket = socket.create_connection(("127.0.0.1", port))
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

    async def uplinks(
        self, application: str, devices: int, first: int, count: int, rate: float
    ) -> list[int]:
        """Send `count` uplinks at so many per second; return when, in monotonic nanoseconds."""
        packets = [
            publish_packet(
                uplink_topic(application, device_id(sequence % devices)),
                envelope(application, sequence, devices, times(self._start, sequence, devices)),
            )
            for sequence in range(first, first + count)
        ]
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
        "uplinks": publisher.uplinks,
        "discovery": publisher.discovery,
    }
    await serve(handlers)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
