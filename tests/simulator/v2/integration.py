"""The HTTP integration: uplinks posted to an address, and the way back for downlinks.

It was never public; shapes and addresses are those of its documentation, the statuses of the way
back are ours: 202, 400, 401, 404.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
import secrets
from typing import Any

from aiohttp import web

from ..deliveries import Deliveries
from . import bodies, downlinks
from .discovery import HANDLER
from .errors import RefusedError
from .model import Application, Device, Stack
from .traffic import Traffic
from .web import Route


@dataclass
class Process:
    """One HTTP integration of an application."""

    application_id: str
    process_id: str
    url: str
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    key: str = field(default_factory=lambda: f"ttn-account-v2.{secrets.token_urlsafe(32)}")


class HttpIntegration(Deliveries):
    """Posts the uplinks of applications, and takes downlinks for them."""

    def __init__(self, stack: Stack, traffic: Traffic, base_url: Callable[[], str]) -> None:
        super().__init__()
        self._stack = stack
        self._traffic = traffic
        self._base_url = base_url
        self.processes: dict[tuple[str, str], Process] = {}
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

    def _published(self, application: Application, message: dict[str, Any]) -> None:
        for process in self.processes.values():
            if process.application_id == application.application_id:
                self._begin(self._deliver(process, message))

    async def _deliver(self, process: Process, message: dict[str, Any]) -> None:
        """Send once; whatever comes back, or nothing, is the end of it."""
        status: int | None = None
        if not self._stack.faults.webhooks_fail:
            body = {**message, "downlink_url": self.downlink_url(process)}
            status = await self._send(process.method, process.url, body, process.headers)
        self.deliveries.append((process.url, status))

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
