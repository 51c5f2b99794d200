"""The HTTP integration: uplinks posted to an address, and the way back for downlinks.

It was never public; shapes and addresses are those of its documentation, the statuses of the way
back are ours: 202, 400, 401, 404.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import secrets
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from . import bodies, downlinks
from .discovery import HANDLER
from .errors import RefusedError
from .model import Application, Device, Stack
from .traffic import Traffic
from .web import Route

_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
TIMEOUT = 5.0


@dataclass
class Process:
    """One HTTP integration of an application."""

    application_id: str
    process_id: str
    url: str
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    key: str = field(default_factory=lambda: f"ttn-account-v2.{secrets.token_urlsafe(32)}")


class HttpIntegration:
    """Posts the uplinks of applications, and takes downlinks for them."""

    def __init__(self, stack: Stack, traffic: Traffic, base_url: Callable[[], str]) -> None:
        self._stack = stack
        self._traffic = traffic
        self._base_url = base_url
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.processes: dict[tuple[str, str], Process] = {}
        self.deliveries: list[tuple[str, int | None]] = []
        """URL and status of each attempt; None where no answer came in time."""
        traffic.published = self._published

    def routes(self) -> list[Route]:
        """Return methods, path and handler of each call."""
        down = f"/{HANDLER}/api/v2/down/{{application_id}}/{{process_id}}"
        return [(("POST",), down, self._down)]

    def add(
        self, application_id: str, process_id: str, url: str, headers: dict[str, str] | None = None
    ) -> Process:
        """Post uplinks of an application to an address of this machine, from now on."""
        process = Process(application_id, process_id, url, headers=headers or {})
        self.processes[application_id, process_id] = process
        return process

    def downlink_url(self, process: Process) -> str:
        """Return where an integration takes downlinks."""
        path = f"{HANDLER}/api/v2/down/{process.application_id}/{process.process_id}"
        return f"{self._base_url()}/{path}?key={process.key}"

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

    def _published(self, application: Application, message: dict[str, Any]) -> None:
        for process in self.processes.values():
            if process.application_id == application.application_id:
                task = asyncio.get_running_loop().create_task(self._deliver(process, message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _deliver(self, process: Process, message: dict[str, Any]) -> None:
        """Send once; whatever comes back, or nothing, is the end of it."""
        status: int | None = None
        if not self._stack.faults.webhooks_fail:
            body = {**message, "downlink_url": self.downlink_url(process)}
            status = await self._send(process, body)
        self.deliveries.append((process.url, status))

    async def _send(self, process: Process, body: dict[str, Any]) -> int | None:
        if urlsplit(process.url).hostname not in _THIS_MACHINE:
            return None
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(TIMEOUT))
        try:
            async with self._session.request(
                process.method, process.url, json=body, headers=process.headers
            ) as response:
                return response.status
        except aiohttp.ClientError, TimeoutError:
            return None

    async def _down(self, request: web.Request) -> web.StreamResponse:
        parts = request.match_info
        process = self.processes.get((parts["application_id"], parts["process_id"]))
        application = self._stack.applications.get(parts["application_id"])
        if process is None or application is None:
            return web.Response(status=404)
        if request.query.get("key") != process.key:
            return web.Response(status=401)
        try:
            body = bodies.parse(await request.text())
            downlink, schedule = downlinks.read(body)
        except RefusedError, downlinks.UnreadableDownlinkError:
            return web.Response(status=400)
        device: Device | None = application.devices.get(str(body.get("dev_id")))
        if device is None:
            return web.Response(status=404)
        self._traffic.schedule(device, downlink, schedule)
        return web.Response(status=202)
