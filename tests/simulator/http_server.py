"""The HTTP API's frame: authentication, errors, rate limits, faults, two hosts."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
from datetime import UTC
from email.utils import format_datetime
import json
import math
import ssl
from typing import Any, NoReturn

from aiohttp import web

from . import errors
from .encoding import get_path
from .errors import RefusedError
from .faults import Faults, RateLimit
from .model import Application, Device, Stack
from .rights import ApiKey

PREFIX = "/api/v3"
_FILLER = b"0" * 65536

type Handler = Callable[["Call"], Awaitable[Any]]
type Route = tuple[str, str, Handler]


class Call:
    """One request: who asks, for what, with which field mask."""

    def __init__(self, stack: Stack, request: web.Request, request_id: str) -> None:
        self.stack = stack
        self.request = request
        self.request_id = request_id
        self.headers: dict[str, str] = {}
        self._body: dict[str, Any] | None = None

    def __getitem__(self, name: str) -> str:
        """Return a part of the path."""
        return self.request.match_info[name]

    @property
    def query(self) -> dict[str, str]:
        """Return what is asked for behind the path, each name once."""
        return dict(self.request.query)

    @property
    def application_ids(self) -> dict[str, Any]:
        """Return the identifiers of the path's application."""
        return {"application_id": self["application_id"]}

    @property
    def end_device_ids(self) -> dict[str, Any]:
        """Return the identifiers of the path's end device."""
        return {"application_ids": self.application_ids, "device_id": self["device_id"]}

    async def message(self, name: str, ids: dict[str, Any]) -> dict[str, Any]:
        """Return the request with the message `name` of its body, the path's ids in it."""
        message = (await self.body()).get(name)
        if message is None:
            message = {}
        if not isinstance(message, dict):
            return {name: message}
        given = message.get("ids")
        return {name: {**message, "ids": {**(given if isinstance(given, dict) else {}), **ids}}}

    @property
    def key(self) -> ApiKey | None:
        """Return the caller's key, None without one; raises what a bad one is answered with."""
        header = self.request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise errors.unsupported_authorization()
        return self.stack.find_key(token)

    def require(self, application_id: str, *needed: str) -> None:
        """Raise unless the caller has all these rights on the application."""
        uid = self.stack.uid(application_id)
        granted = self.stack.granted(self.key, application_id)
        if not granted:
            raise errors.no_rights("application", uid)
        if missing := [right for right in needed if right not in granted]:
            raise errors.insufficient_rights("application", uid, missing)

    def application(self, *needed: str) -> Application:
        """Return the application of the path, with these rights checked."""
        self.require(self["application_id"], *needed)
        return self.stack.applications[self["application_id"]]

    def device(self, application: Application) -> Device | None:
        """Return the end device of the path, if any server has it."""
        return application.devices.get(self["device_id"])

    async def body(self) -> dict[str, Any]:
        """Return the JSON body; raises what broken JSON is answered with."""
        if self._body is None:
            text = await self.request.text()
            try:
                parsed = json.loads(text or "{}")
            except ValueError as error:
                reason = "unexpected EOF" if _is_cut_off(text, error) else "invalid character"
                raise errors.PlainRefusedError(errors.INVALID_ARGUMENT, reason) from None
            self._body = parsed if isinstance(parsed, dict) else {}
        return self._body

    def query_mask(self, allowed: frozenset[str]) -> list[str]:
        """Return the field mask of the query."""
        paths = self.request.query.get("field_mask", "")
        return check_mask([path for path in paths.split(",") if path], allowed)

    async def body_mask(self, allowed: frozenset[str]) -> list[str]:
        """Return the field mask of the body."""
        return check_mask(get_path(await self.body(), "field_mask.paths") or [], allowed)

    def number(self, name: str, default: int) -> int:
        """Return a number of the query."""
        return int(self.request.query.get(name) or default)


def _is_cut_off(text: str, error: ValueError) -> bool:
    return isinstance(error, json.JSONDecodeError) and error.pos >= len(text.rstrip())


def check_mask(paths: list[str], allowed: frozenset[str]) -> list[str]:
    """Return the paths; raises for those that this server doesn't have."""
    if forbidden := [path for path in paths if path.partition(".")[0] not in allowed]:
        raise errors.forbidden_paths(forbidden)
    return paths


class _Bucket:
    """Counts calls as the stack does: a burst, then a steady rate."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._interval = 60 / limit.per_minute
        self._free_at = 0.0

    def take(self, now: float) -> tuple[bool, dict[str, str]]:
        """Return whether the call is let through, and the headers about the limit."""
        capacity = self._interval * self._limit.burst
        free_at = max(self._free_at, now) + self._interval
        allowed = free_at - now <= capacity + 1e-6
        retry = 0.0 if allowed else free_at - now - capacity
        if allowed:
            self._free_at = free_at
        used = self._free_at - now
        return allowed, {
            "X-Rate-Limit-Limit": str(self._limit.burst),
            "X-Rate-Limit-Available": str(math.floor((capacity - used) / self._interval + 1e-6)),
            "X-Rate-Limit-Reset": str(int(used + 1e-6)),
            "X-Rate-Limit-Retry": str(int(retry + 1e-6)),
        }


class HttpServer:
    """One host of the API, plain and with TLS, with the routes of its servers."""

    def __init__(
        self,
        stack: Stack,
        faults: Faults,
        routes: list[Route],
        requests: list[tuple[str, str]],
    ) -> None:
        self._stack = stack
        self._faults = faults
        self._requests = requests
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._application = web.Application(
            middlewares=[self._middleware], client_max_size=16 * 1024 * 1024
        )
        for method, path, handler in routes:
            self._application.router.add_route(method, PREFIX + path, self._bound(handler))
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, tls: ssl.SSLContext, port: int = 0) -> tuple[int, int]:
        """Listen; return the plain and the TLS port."""
        # Streams are ended by close(), not waited for.
        self._runner = web.AppRunner(
            self._application, access_log=None, shutdown_timeout=0.05, handler_cancellation=True
        )
        self._application.on_response_prepare.append(self._date)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        await web.TCPSite(self._runner, host, 0, ssl_context=tls).start()
        plain, secure = (address[1] for address in self._runner.addresses)
        return plain, secure

    async def _date(self, _request: web.Request, response: web.StreamResponse) -> None:
        now = (self._stack.now() + self._faults.date_skew).astimezone(UTC)
        response.headers["Date"] = format_datetime(now, usegmt=True)

    async def close(self) -> None:
        """Stop listening and close what is open."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _bound(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            call = Call(self._stack, request, self._stack.ulid())
            try:
                self._limit(call)
                answer = await handler(call)
            except RefusedError as error:
                return _refused(error, call)
            if isinstance(answer, web.StreamResponse):
                return answer
            return json_answer(200, answer, call.request_id, call.headers)

        return handle

    @web.middleware
    async def _middleware(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        self._requests.append((request.method, request.path_qs))
        if self._faults.http_delay:
            await asyncio.sleep(self._faults.http_delay)
        if meant(request, self._faults.http_dies_at):
            self._faults.http_dies_at, self._faults.http_down = None, True
        if self._faults.http_down:
            hang_up(request)
        for prefix, status in self._faults.http_status.items():
            if meant(request, prefix):
                return simulated_answer(status, self._stack.ulid())
        for prefix, size in self._faults.huge_answers.items():
            if meant(request, prefix):
                return await huge_answer(request, size)
        for prefix, body in self._faults.http_body.items():
            if meant(request, prefix):
                return web.Response(body=body, content_type="application/json")
        for ending, (status, name) in self._faults.errors.items():
            if request.path.endswith(ending):
                code = next(code for code, known in errors.HTTP_STATUS.items() if known == status)
                refusal = errors.network_server(code, name, name.replace("_", " "))
                return json_answer(status, refusal.body(), self._stack.ulid(), {})
        try:
            answer = await handler(request)
            for ending, seconds in self._faults.answer_delays.items():
                if request.path.endswith(ending):
                    await asyncio.sleep(seconds)
        except web.HTTPNotFound:
            error = errors.not_found_path()
        except web.HTTPMethodNotAllowed:
            error = errors.wrong_method()
        else:
            if meant(request, self._faults.http_mute_at):
                hang_up(request)
            return answer
        return json_answer(error.status, error.body(), self._stack.ulid(), {})

    def _limit(self, call: Call) -> None:
        for ending, limit in self._faults.rate_limits.items():
            if not call.request.path.endswith(ending):
                continue
            token = call.request.headers.get("Authorization", "")
            bucket = self._buckets.setdefault((call.request.path, token), _Bucket(limit))
            allowed, headers = bucket.take(self._stack.now().timestamp())
            call.headers.update(headers)
            if not allowed:
                raise errors.rate_limited(limit.burst, _resource(call))


def meant(request: web.Request, prefix: str | None) -> bool:
    """Return whether a fault's prefix, a method before it or not, is this request's."""
    if prefix is None:
        return False
    method, _, path = prefix.rpartition(" ")
    if method and method != request.method:
        return False
    return request.path.startswith((path, PREFIX + path))


def hang_up(request: web.Request) -> NoReturn:
    if request.transport is not None:
        request.transport.abort()
    raise web.HTTPServiceUnavailable


async def huge_answer(request: web.Request, size: int) -> web.StreamResponse:
    """Send a JSON object of this size in one line, piece by piece, as long as somebody reads."""
    start, end = b'{"result":{"filler":"', b'"}}\n'
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        await response.write(start)
        rest = size - len(start) - len(end)
        while rest > 0:
            await response.write(_FILLER[:rest])
            rest -= len(_FILLER)
        await response.write(end)
    return response


def simulated_answer(
    status: int, request_id: str, retry_seconds: int | None = None
) -> web.Response:
    """Return an answer with this status, the stack's own where it has one."""
    known: dict[int, RefusedError] = {
        400: errors.malformed_token(),
        401: errors.wrong_secret(),
        403: errors.no_rights("application", "simulated"),
        404: errors.not_found_path(),
        429: errors.rate_limited(1, "simulated"),
    }
    error = known.get(status) or errors.PlainRefusedError(errors.UNKNOWN, "simulated")
    retry = 1 if retry_seconds is None else retry_seconds
    headers = {"X-Rate-Limit-Retry": str(retry)} if status == 429 else {}
    return json_answer(status, error.body(), request_id, headers)


def _resource(call: Call) -> str:
    """Return what the stack calls the thing that is limited."""
    token = call.key.key_id if call.key else "anonymous"
    parts = call.request.match_info
    if operation := parts.get("operation"):
        uid = f"{call.stack.uid(parts['application_id'])}.{parts['device_id']}"
        method = f"/ttn.lorawan.v3.AppAs/DownlinkQueue{operation.title()}"
        return f"grpc:method:{method}:end device:{uid}:token:{token}"
    return f"http:{call.request.path}:token:{token}"


def _refused(error: RefusedError, call: Call) -> web.Response:
    headers = dict(call.headers)
    if error.code == errors.UNAUTHENTICATED:
        headers["Www-Authenticate"] = error.message
    return json_answer(error.status, error.body(), call.request_id, headers)


def json_answer(status: int, body: Any, request_id: str, headers: dict[str, str]) -> web.Response:
    """Return an answer with the headers that each has."""
    return web.Response(
        status=status,
        body=json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json", "X-Request-Id": request_id, **headers},
    )


def caller(call: Call) -> ApiKey:
    """Return the caller's key; without one, the answer is 401."""
    key = call.key
    if key is None:
        raise RefusedError(
            errors.UNAUTHENTICATED, "pkg/auth/rights", "unauthenticated", "unauthenticated"
        )
    return key
