"""Posting messages to addresses of this machine, one attempt each."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp

THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
TIMEOUT = 5.0


class Deliveries:
    """The deliveries of a stack, which are posted beside all else."""

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        """Post nothing yet; `headers` are sent with each delivery."""
        self._headers = headers
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.deliveries: list[tuple[str, int | None]] = []
        """URL and status of each attempt; None where no answer came in time."""

    def _begin(self, delivery: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(delivery)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(
        self, method: str, url: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> int | None:
        """Return the status of the answer; None where none came in time.

        Addresses of other machines are not tried: nobody answers there.
        """
        if urlsplit(url).hostname not in THIS_MACHINE:
            return None
        if self._session is None:
            timeout = aiohttp.ClientTimeout(TIMEOUT)
            self._session = aiohttp.ClientSession(timeout=timeout, headers=self._headers)
        try:
            async with self._session.request(method, url, json=body, headers=headers) as response:
                return response.status
        except aiohttp.ClientError, TimeoutError:
            return None

    async def close(self) -> None:
        """Give up on what is being delivered."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.hang_up()

    async def delivered(self) -> None:
        """Wait until nothing is being delivered."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def hang_up(self) -> None:
        """Close the connections that are kept for more deliveries, once nothing is under way."""
        await self.delivered()
        session, self._session = self._session, None
        if session is not None:
            await session.close()
