"""A process that posts uplinks to a webhook, as a server does, with as little effort as possible."""

import asyncio
from collections import Counter
import time
from typing import Any, override

from ..child_process import serve
from .workload import SECRET, WEBHOOK_ID, envelope, times_from_now

_BEGINS = b"HTTP/1.1 "
_HEADS_END = b"\r\n\r\n"


class _Connection(asyncio.Protocol):
    """A connection that is kept; one delivery at a time."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[int] | None = None
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._answer is None or _HEADS_END not in self._received:
            return
        status = int(self._received.removeprefix(_BEGINS)[:3])  # no answer has a body
        self._received = b""
        answer, self._answer = self._answer, None
        answer.set_result(status)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None:
            self._answer.set_result(0)
            self._answer = None

    async def post(self, request: bytes) -> int:
        """Return the status of the answer; 0 where none came."""
        assert self._transport is not None
        if self._transport.is_closing():
            return 0
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer


class Poster:
    """As many connections as are needed at a time."""

    def __init__(self) -> None:
        """Connect nothing yet."""
        self._free: list[_Connection] = []
        self._connections = 0

    async def uplinks(
        self, *, port: int, application: str, devices: int, first: int, count: int, rate: float
    ) -> dict[str, Any]:
        """Post `count` uplinks at so many per second, whether or not those before are answered.

        Returns when each was posted, in monotonic nanoseconds, how many answers had which status,
        and how many connections it took.
        """
        loop = asyncio.get_running_loop()
        requests = [
            _request(envelope(application, number, devices, at))
            for number, at in enumerate(times_from_now(count, rate), first)
        ]
        statuses: Counter[str] = Counter()
        sent = []

        async def post(request: bytes) -> None:
            if self._free:
                connection = self._free.pop()
            else:
                _, connection = await loop.create_connection(_Connection, "127.0.0.1", port)
                self._connections += 1
            statuses[str(await connection.post(request))] += 1
            self._free.append(connection)

        begin = time.monotonic()
        async with asyncio.TaskGroup() as posting:
            for number, request in enumerate(requests):
                await asyncio.sleep(max(0, begin + number / rate - time.monotonic()))
                sent.append(time.monotonic_ns())
                posting.create_task(post(request))
        return {"sent": sent, "statuses": statuses, "connections": self._connections}


def _request(body: bytes) -> bytes:
    heads = (
        f"POST /api/webhook/{WEBHOOK_ID} HTTP/1.1",
        "Host: 127.0.0.1",
        "User-Agent: TheThingsStack/3.36.1 (linux/amd64)",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-Home-Assistant-Secret: {SECRET}",
        "X-Tts-Domain: stack.example",
    )
    return "\r\n".join(heads).encode() + _HEADS_END + body


async def main() -> None:
    """Post what is asked for."""
    await serve({"uplinks": Poster().uplinks})


if __name__ == "__main__":
    asyncio.run(main())
