"""The queue between the MQTT socket and the consumer of its messages."""

import asyncio
from collections import deque

_QUEUE_BYTES = 32 * 2**20


class Inbox:
    """A queue of messages; those that don't fit are dropped, and counted at their place."""

    def __init__(self, size: int) -> None:
        """Create a queue for `size` messages and at most 32 MiB."""
        self._size = size
        self._items: deque[tuple[str, bytes] | int] = deque()
        self._bytes = 0
        self._dropped = 0
        self._wake: asyncio.Future[None] | None = None
        self.closed = False

    def put(self, topic: str, payload: bytes) -> None:
        """Append a message, or drop it if the queue is full."""
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
        """Mark the end: `get` returns None after the last message."""
        self.closed = True
        self._notify()

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def get(self) -> tuple[str, bytes] | int | None:
        """Wait for the next item: topic and payload, the number of dropped messages, None at the end."""
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
