"""Requests to The Things Stack's HTTP API: host, authentication, typed errors, rate limits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
import socket
import ssl
from typing import Any, Literal

import aiohttp
import orjson

from . import json_values
from .connection import Connection
from .errors import (
    AuthenticationFailed,
    InvalidRequest,
    NoApiKey,
    ProtocolMismatch,
    RateLimited,
    ServerFailed,
    StackError,
    from_socket,
)
from .refusals import refusal

type Host = Literal["identity", "cluster"]
type Lines = AsyncIterator[Mapping[str, Any]]

# Everything else is asked from the Identity Server, as the Console does; it isn't in every cluster.
_CLUSTER_PATHS = frozenset(
    {"as", "ns", "js", "gs", "gcs", "edcs", "edtc", "qrg", "configuration", "events"}
)
_TRIES = 4
MAX_BODY = 32 * 2**20
"""Most bytes of an answer; a larger one is an error of the server, and could fill the memory."""
MAX_LINE = 4 * 2**20
"""Most bytes of one result of a stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A server's answer: the parsed body ({} for an empty one) and the headers."""

    data: Any
    headers: Mapping[str, str]


class Transport:
    """Makes the HTTP requests to the servers of a connection; the caller closes the session."""

    def __init__(
        self,
        connection: Connection,
        *,
        session: aiohttp.ClientSession,
        tls_context: ssl.SSLContext | None,
        user_agent: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_key_refused: Callable[[AuthenticationFailed], None] | None = None,
    ) -> None:
        """Take what comes from outside; nothing is opened yet."""
        self._connection = connection
        self._session = session
        self._ssl = tls_context if tls_context is not None else True
        self._user_agent = user_agent
        self._sleep = sleep
        self._on_key_refused = on_key_refused
        self.clock_offset = timedelta()
        """How much the server's clock is ahead of this machine's, from its last answer."""

    def with_key(self, api_key: str) -> "Transport":
        """Return the way to the same servers with another key, whose refusal nobody is told of."""
        return Transport(
            replace(self._connection, api_key=api_key),
            session=self._session,
            tls_context=self._ssl if isinstance(self._ssl, ssl.SSLContext) else None,
            user_agent=self._user_agent,
            sleep=self._sleep,
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        host: Host | None = None,
        timeout: float,
        max_wait: float,
    ) -> Answer:
        """Make a call; a rate limit is waited out as long as that takes at most `max_wait`."""
        waited = 0.0
        for remaining in reversed(range(_TRIES)):
            try:
                async with self._open(
                    method, path, params=params, json=json, host=host, timeout=timeout
                ) as response:
                    return Answer(data=await self._read(response), headers=response.headers)
            except RateLimited as error:
                pause = max(1.0, error.retry_after)
                waited += pause
                if not remaining or waited > max_wait:
                    raise
                await self._sleep(pause)
        raise AssertionError  # pragma: no cover

    @asynccontextmanager
    async def lines(
        self,
        path: str,
        *,
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        host: Host | None = None,
        timeout: float | None,
        idle: float | None = None,
    ) -> AsyncIterator[tuple[Lines, Mapping[str, str]]]:
        """Open a stream of results; the context has their iterator and the answer's headers.

        `timeout` is for the stream as a whole, `idle` for the time between its parts, in seconds.
        """
        async with self._open(
            method,
            path,
            params=params,
            json=json,
            host=host,
            timeout=timeout,
            idle=idle,
            accept="text/event-stream",
        ) as response:
            if response.status >= 300:
                await self._read(response)
            yield _results(response.content), response.headers

    @asynccontextmanager
    async def _open(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        host: Host | None = None,
        timeout: float | None,
        idle: float | None = None,
        accept: str = "application/json",
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {"Accept": accept, "User-Agent": self._user_agent, **self._authorization()}
        if json is not None:
            headers["Content-Type"] = "application/json"
        base, rest = self._base_and_path(path, host)
        with self._noticing_refused_keys(), _typed_errors(base):
            async with self._session.request(
                method,
                f"{base}/{rest}",
                params=_query(params or {}),
                data=None if json is None else orjson.dumps(json),
                headers=headers,
                ssl=self._ssl,
                # A redirect isn't followed: the API key must not be sent to another address.
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=20, sock_read=idle),
            ) as response:
                self._note_date(response.headers.get("Date"))
                yield response

    def _note_date(self, text: str | None) -> None:
        try:
            date = parsedate_to_datetime(text or "")
        except ValueError:
            return
        if date.tzinfo is not None:
            self.clock_offset = date - datetime.now(UTC)

    @contextmanager
    def _noticing_refused_keys(self) -> Iterator[None]:
        """Call `on_key_refused` if the server refuses the API key."""
        try:
            yield
        except AuthenticationFailed as error:
            if self._on_key_refused is not None:
                self._on_key_refused(error)
            raise

    def _authorization(self) -> Mapping[str, str]:
        key = self._connection.api_key
        if not key:
            raise NoApiKey("no API key is given", name="unauthenticated")
        if not key.isascii() or not key.isprintable() or " " in key:
            raise AuthenticationFailed("invalid token", name="token", namespace="pkg/auth")
        return {"Authorization": f"Bearer {key}"}

    def _base_and_path(self, path: str, host: Host | None) -> tuple[str, str]:
        if "://" in path.partition("?")[0]:
            raise InvalidRequest("a path is expected, not a URL", name="invalid_path")
        path = path.lstrip("/").removeprefix("api/v3").lstrip("/")
        first = path.partition("?")[0].partition("/")[0]
        cluster = host == "cluster" or (host is None and first in _CLUSTER_PATHS)
        base = self._connection.server if cluster else self._connection.identity_server
        return base, f"api/v3/{path}"

    def _refusal(
        self, status: int, answer: Mapping[str, Any], headers: Mapping[str, str]
    ) -> StackError:
        """Return the error for an error answer; `answer` is empty where the body is no JSON."""
        return refusal(status, answer, headers)

    async def _read(self, response: aiohttp.ClientResponse) -> Any:
        """Return the parsed body of a success; raises StackError for an error answer."""
        body = await _read_body(response)
        if response.status < 300:
            return _parse(body, response.content_type)
        if response.status < 400:
            place = response.headers.get("Location", "elsewhere")
            raise ProtocolMismatch(f"the server sends us to {place}", name="redirected")
        try:
            answer = json_values.mapping(orjson.loads(body))
        except orjson.JSONDecodeError:
            answer = {}
        raise self._refusal(response.status, answer, response.headers)


def _query(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    query: list[tuple[str, str]] = []
    for key, value in params.items():
        if value is None:
            continue
        if isinstance(value, list | tuple | set | frozenset):
            items = [_parameter(item) for item in value]
            query += [(key, ",".join(items))] if key == "field_mask" else [(key, i) for i in items]
        else:
            query.append((key, _parameter(value)))
    return query


def _parameter(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


@contextmanager
def _typed_errors(base: str) -> Iterator[None]:
    """Raise errors of sockets, TLS and the HTTP library as errors of this library.

    Those about a connection name the base URL of the server.
    """
    try:
        yield
    except aiohttp.InvalidURL:
        raise InvalidRequest("the path makes no URL", name="invalid_path") from None
    except aiohttp.ClientConnectorDNSError as error:
        raise from_socket(socket.gaierror(str(error)), base) from error
    except aiohttp.ClientConnectorCertificateError as error:
        raise from_socket(error.certificate_error, base) from error
    except aiohttp.ClientConnectorError as error:
        raise from_socket(error.os_error, base) from error
    except aiohttp.ClientResponseError as error:
        raise _mismatch("no HTTP is spoken there", "no_http", base) from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise from_socket(error, base) from error
    except ProtocolMismatch as error:
        raise _mismatch(error.message, error.name, base) from error


def _mismatch(text: str, name: str, base: str) -> ProtocolMismatch:
    return ProtocolMismatch(f"{base}: {text}", name=name, attributes={"address": base})


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    pieces: list[bytes] = []
    size = response.content_length or 0
    received = 0
    if size <= MAX_BODY:
        async for chunk in response.content.iter_any():
            pieces.append(chunk)
            received += len(chunk)
            if received > MAX_BODY:
                break
    if max(size, received) > MAX_BODY:
        raise ServerFailed(
            f"the answer has more than {MAX_BODY >> 20} MiB", name="answer_too_large"
        )
    return b"".join(pieces)


def _parse(body: bytes, content_type: str) -> Any:
    if not body.strip():
        return {}
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    if "json" not in content_type and "event-stream" not in content_type:
        raise ProtocolMismatch("no The Things Stack answers there", name="not_the_things_stack")
    try:
        # Finite streams are answered as one JSON object per line.
        return [orjson.loads(line) for line in body.splitlines() if line.strip()]
    except orjson.JSONDecodeError:
        raise ServerFailed("the answer is no JSON", name="invalid_json") from None


async def _results(content: aiohttp.StreamReader) -> AsyncIterator[Mapping[str, Any]]:
    # Lines may be longer than the reader's own limit.
    pieces: list[bytes] = []
    size = 0
    async for chunk in content.iter_any():
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            _check_line(size + len(end))
            line = b"".join((*pieces, end))
            pieces, size = [], 0
            if line.strip():
                yield _result(line)
        pieces.append(rest)
        size += len(rest)
        _check_line(size)
    if (line := b"".join(pieces)).strip():
        yield _result(line)


def _check_line(size: int) -> None:
    if size > MAX_LINE:
        raise ServerFailed(
            f"a line of the stream has more than {MAX_LINE >> 20} MiB", name="line_too_long"
        )


def _result(line: bytes) -> Mapping[str, Any]:
    try:
        item = json_values.mapping(orjson.loads(line))
    except orjson.JSONDecodeError:
        raise ServerFailed("the stream can't be read", name="invalid_json") from None
    if isinstance(error := item.get("error"), dict):
        raise refusal(500, error, {})
    return json_values.mapping(item.get("result"))
