"""Messages that were received and wait to be processed."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime

from ..client import Message, MessagesDropped, StreamConnected, StreamItem, StreamLost

SIZE = 20_000
"""Messages: those of a flood of 1,000 a second for ten seconds and more."""
MAX_BYTES = 64 * 2**20
FOLDED_FROM = 64
"""So many waiting messages are kept parsed; of further ones the bytes."""
TURN = 8
"""So many messages are processed before others get a turn."""


class Inbox:
    """A queue of limited size; what doesn't fit is counted, and named in its place."""

    def __init__(self, size: int, not_in_future: Callable[[datetime], datetime]) -> None:
        """Take up to so many messages, and 64 MiB; `not_in_future` corrects times far ahead."""
        self._size = size
        self._not_in_future = not_in_future
        self._items: deque[tuple[StreamItem, int]] = deque()
        self._bytes = 0
        self._dropped = 0
        self.last: datetime | None = None
        """When the server received the last message that was put in."""
        self._filled = asyncio.Event()

    def put(self, message: Message, size: int) -> bool:
        """Append a message of so many bytes; False where there is no room."""
        if len(self._items) >= self._size or self._bytes + size > MAX_BYTES:
            self._dropped += 1
            self._filled.set()
            return False
        self._name_dropped()
        if len(self._items) >= FOLDED_FROM:
            message.fold()
        self._append(message, size)
        if message.received_at is not None:
            self.last = self._not_in_future(message.received_at)
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
            self._append(MessagesDropped(count=self._dropped, gap=self.last), 0)
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
