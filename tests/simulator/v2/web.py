"""A web server of a v2 stack: routes, refusals, what goes wrong on demand."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import format_datetime
import json
import ssl
from typing import Any

from aiohttp import web

from ..faults import Faults
from ..http_server import hang_up, huge_answer, meant
from .errors import RefusedError

type Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
type Route = tuple[tuple[str, ...], str, Answer]

SET = ("POST", "PUT")
_GRPC = {"Grpc-Metadata-Content-Type": "application/grpc"}


def answer(body: Any, **headers: str) -> web.Response:
    """Return a result, with more of the headers that come from gRPC."""
    metadata = {f"Grpc-Metadata-{name.title()}": text for name, text in headers.items()}
    return _json(200, body, _GRPC | metadata)


def plain(status: int, text: str) -> web.Response:
    """Return a refusal of the web server itself, in a line of text."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return web.Response(status=status, body=f"{text}\n".encode(), headers=headers)


def _json(status: int, body: Any, headers: dict[str, str]) -> web.Response:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return web.Response(
        status=status, body=text.encode(), headers={"Content-Type": "application/json", **headers}
    )


class WebServer:
    """One server, plain and with TLS."""

    def __init__(
        self,
        routes: list[Route],
        faults: Faults,
        clock: Callable[[], datetime],
        requests: list[tuple[str, str]],
    ) -> None:
        self._faults = faults
        self._now = clock
        self._requests = requests
        self._application = web.Application(middlewares=[self._middleware])
        for methods, path, handler in routes:
            for method in methods:
                self._application.router.add_route(method, path, handler)
        self._application.on_response_prepare.append(self._date)
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, tls: ssl.SSLContext, port: int = 0) -> tuple[int, int]:
        """Listen; return the plain and the TLS port."""
        self._runner = web.AppRunner(
            self._application, access_log=None, shutdown_timeout=0.05, handler_cancellation=True
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        await web.TCPSite(self._runner, host, 0, ssl_context=tls).start()
        first, second = (address[1] for address in self._runner.addresses)
        return first, second

    async def close(self) -> None:
        """Stop listening and close what is open."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _date(self, _request: web.Request, response: web.StreamResponse) -> None:
        now = (self._now() + self._faults.date_skew).astimezone(UTC)
        response.headers["Date"] = format_datetime(now, usegmt=True)

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        self._requests.append((request.method, request.path_qs))
        if (faulty := await self._fault(request)) is not None:
            return faulty
        try:
            response = await handler(request)
        except web.HTTPNotFound:
            return plain(404, "Not Found")
        except web.HTTPMethodNotAllowed:
            return plain(405, "Method Not Allowed")
        except RefusedError as error:
            return _json(error.status, error.body(), {})
        for ending, seconds in self._faults.answer_delays.items():
            if request.path.endswith(ending):
                await asyncio.sleep(seconds)
        if meant(request, self._faults.http_mute_at):
            hang_up(request)
        return response

    async def _fault(self, request: web.Request) -> web.StreamResponse | None:
        """Return the answer of a fault, None where the request is answered as it should be."""
        faults = self._faults
        if faults.http_delay:
            await asyncio.sleep(faults.http_delay)
        if meant(request, faults.http_dies_at):
            faults.http_dies_at, faults.http_down = None, True
        if faults.http_down:
            hang_up(request)
        for prefix, status in faults.http_status.items():
            if meant(request, prefix):
                return plain(status, "simulated")
        for prefix, size in faults.huge_answers.items():
            if meant(request, prefix):
                return await huge_answer(request, size)
        for prefix, body in faults.http_body.items():
            if meant(request, prefix):
                return web.Response(body=body, content_type="application/json")
        return None
