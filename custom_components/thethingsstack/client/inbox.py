"""The queue between what receives messages and the consumer of them."""

import asyncio
from collections import deque

_QUEUE_BYTES = 32 * 2**20


class Inbox[Item]:
    """A queue of messages; those that don't fit are dropped, and counted at their place."""

    def __init__(self, size: int) -> None:
        """Create a queue for `size` messages and at most 32 MiB."""
        self._size = size
        self._items: deque[tuple[Item, int] | int] = deque()
        self._bytes = 0
        self._dropped = 0
        self._wake: asyncio.Future[None] | None = None
        self.closed = False

    def put(self, item: Item, size: int) -> None:
        """Append a message of `size` bytes, or drop it if the queue is full; one of 0 always fits."""
        if size and (len(self._items) >= self._size or self._bytes + size > _QUEUE_BYTES):
            self._dropped += 1
            return
        if self._dropped:
            self._items.append(self._dropped)
            self._dropped = 0
        self._items.append((item, size))
        self._bytes += size
        self._notify()

    def close(self) -> None:
        """Mark the end: `get` returns None after the last message."""
        self.closed = True
        self._notify()

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def get(self) -> Item | int | None:
        """Wait for the next item: a message, the number of dropped messages, None at the end."""
        while not self._items:
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                return dropped
            if self.closed:
                return None
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        taken = self._items.popleft()
        if isinstance(taken, int):
            return taken
        item, size = taken
        self._bytes -= size
        return item
