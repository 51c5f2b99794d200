"""Messages that were received and wait to be processed."""

import asyncio
from collections import deque
from datetime import datetime

from ..client import Message, MessagesDropped, StreamConnected, StreamItem, StreamLost

MAX_BYTES = 32 * 2**20
TURN = 8
"""So many messages are processed before others get a turn."""


class Inbox:
    """A queue of limited size; what doesn't fit is counted, and named in its place."""

    def __init__(self, size: int) -> None:
        """Take up to so many messages, and 32 MiB."""
        self._size = size
        self._items: deque[tuple[StreamItem, int]] = deque()
        self._bytes = 0
        self._dropped = 0
        self._last: datetime | None = None
        self._filled = asyncio.Event()

    def put(self, message: Message, size: int) -> bool:
        """Append a message of so many bytes; False where there is no room."""
        if len(self._items) >= self._size or self._bytes + size > MAX_BYTES:
            self._dropped += 1
            self._filled.set()
            return False
        self._name_dropped()
        self._append(message, size)
        self._last = message.received_at or self._last
        return True

    def note(self, item: StreamConnected | StreamLost) -> None:
        """Append what happened to the connection; there is always room for it."""
        self._append(item, 0)

    def _append(self, item: StreamItem, size: int) -> None:
        self._items.append((item, size))
        self._bytes += size
        self._filled.set()

    def _name_dropped(self) -> None:
        if self._dropped:
            self._append(MessagesDropped(count=self._dropped, gap=self._last), 0)
            self._dropped = 0

    async def get(self) -> StreamItem:
        """Remove and return the first item; waits for one."""
        while not self._items:
            self._name_dropped()
            if self._items:
                break
            self._filled.clear()
            await self._filled.wait()
        item, size = self._items.popleft()
        self._bytes -= size
        return item
