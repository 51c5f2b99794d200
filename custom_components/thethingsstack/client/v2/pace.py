"""Keeps requests below a rate limit."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
import time


class Pace:
    """Lets at most `count` requests begin within one second; the others wait in order."""

    def __init__(
        self,
        count: int,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take how to wait, and a clock in seconds."""
        self._begun: deque[float] = deque(maxlen=count)
        self._sleep = sleep
        self._monotonic = monotonic
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        """Wait until the next request may begin."""
        async with self._turn:
            if len(self._begun) == self._begun.maxlen:
                remaining = self._begun[0] + 1.0 - self._monotonic()
                if remaining > 0:
                    await self._sleep(remaining)
            self._begun.append(self._monotonic())
