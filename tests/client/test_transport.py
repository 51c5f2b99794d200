"""Calls over HTTP: hosts, keys, errors, limits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
import json
import logging
import ssl
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from tests.simulator import RateLimit, Simulator
from thethingsstack import (
    AuthenticationFailed,
    CertificateFailed,
    Conflict,
    Connection,
    ConnectionFailed,
    InvalidRequest,
    MissingRight,
    NotFound,
    ProtocolMismatch,
    RateLimited,
    RequestTimeout,
    ServerFailed,
    Stack,
    StackError,
    tls_context,
)
from thethingsstack.refusals import refusal

from .conftest import FIXTURES, MakeStack, Sleeps, connection_to, recorded

KEY = f"NNSXS.{'B' * 39}.{'C' * 52}"

KINDS: dict[int, type[StackError]] = {
    400: InvalidRequest,
    401: AuthenticationFailed,
    403: MissingRight,
    404: NotFound,
    406: InvalidRequest,
    409: Conflict,
    429: RateLimited,
    500: ServerFailed,
    501: InvalidRequest,
}


def refusals() -> list[Any]:
    found = []
    for path in sorted((FIXTURES / "http").rglob("*.json")):
        exchange = json.loads(path.read_text())
        if exchange["response"]["status"] >= 400 and "json" in exchange["response"]:
            found.append(pytest.param(exchange["response"], id=f"{path.parent.name}/{path.stem}"))
    return found


@pytest.mark.parametrize("response", refusals())
def test_recorded_refusals(response: dict[str, Any]) -> None:
    answer = response["json"] or {}
    error = refusal(response["status"], answer, response["headers"])
    answer = answer.get("error", answer)
    details: dict[str, Any] = next(iter(answer.get("details", [])), {})
    assert error.status == response["status"]
    assert error.name == details.get("name", error.name)
    assert error.namespace == details.get("namespace")
    assert details.get("attributes", {}).keys() <= error.attributes.keys()
    causes = [details]
    while cause := causes[-1].get("cause"):
        causes.append(cause)
    assert error.cause_name == (causes[-1]["name"] if len(causes) > 1 else None)
    for nothing in ("embedded message failed validation", "invalid identifiers"):
        assert nothing not in str(error)
    assert "{" not in str(error) or "{" in causes[-1].get("message_format", "{")
    if error.name == "token":
        assert isinstance(error, AuthenticationFailed)
    elif answer.get("code") == 10:  # aborted: a formatter's own failure
        assert isinstance(error, InvalidRequest)
    else:
        assert type(error) is KINDS[response["status"]]


def test_missing_right_names_what_is_missing() -> None:
    response = recorded("http/devices/list_no_right.json")["response"]
    error = refusal(403, response["json"], {})
    assert isinstance(error, MissingRight)
    assert error.rights == ("RIGHT_APPLICATION_DEVICES_READ",)
    assert str(error) == error.message == "insufficient rights for application `garden`"


def test_rate_limit_names_the_time() -> None:
    response = recorded("http/rate_limit/push_3.json")["response"]
    error = refusal(429, response["json"], response["headers"])
    assert isinstance(error, RateLimited)
    assert error.retry_after == 9


def test_full_queue_is_a_rate_limit_without_a_time() -> None:
    details = [{"namespace": "pkg/networkserver", "name": "downlink_queue_capacity"}]
    error = refusal(429, {"code": 8, "details": details}, {})
    assert isinstance(error, RateLimited)
    assert error.retry_after == 60


def test_errors_without_details_are_named_by_their_code() -> None:
    assert refusal(404, {"code": 5, "message": "Not Found"}, {}).name == "not_found"
    assert refusal(400, {"code": 3, "message": "unexpected EOF"}, {}).name == "invalid_argument"
    assert refusal(502, {}, {}).name == "unknown"
    assert isinstance(refusal(499, {"code": 1}, {}), ServerFailed)


def test_escaped_messages_are_readable() -> None:
    details = {"name": "x", "message_format": "`{a}`", "attributes": {"a": "Tom&#39;s &lt;b&gt;"}}
    assert str(refusal(400, {"code": 3, "details": [details]}, {})) == "`Tom's <b>`"


def test_no_key_in_any_text() -> None:
    details = {"name": "x", "message_format": "bad {k}", "attributes": {"k": KEY, "n": 5}}
    error = refusal(400, {"code": 3, "details": [details]}, {})
    assert KEY not in str(error) + repr(error) + repr(error.attributes)
    assert error.attributes["n"] == 5


# -- Against the simulated stack ----------------------------------------------------------------


async def test_hosts_by_first_segment(simulator: Simulator, make_stack: MakeStack) -> None:
    stack = make_stack("manage")
    app = f"applications/{simulator.application_id}"
    assert await stack.request("GET", "auth_info")
    assert await stack.request("GET", f"/api/v3/{app}/rights")
    assert await stack.request("GET", f"/as/{app}/mqtt-connection-info")
    with pytest.raises(NotFound):
        await stack.request("GET", "auth_info", host="cluster")
    with pytest.raises(NotFound):
        await stack.request("GET", f"as/{app}/mqtt-connection-info", host="identity")


async def test_parameters(simulator: Simulator, make_stack: MakeStack) -> None:
    answer = await make_stack().request(
        "GET",
        f"applications/{simulator.application_id}/devices",
        params={"field_mask": ["name", "attributes"], "limit": 2, "page": None},
    )
    assert len(answer["end_devices"]) == 2
    assert "name" in answer["end_devices"][0]


@pytest.mark.parametrize("path", ["https://evil.example.org/x", "http://[::1/auth_info"])
async def test_the_key_goes_to_no_other_server(make_stack: MakeStack, path: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        await make_stack().request("GET", path)
    assert raised.value.name == "invalid_path"


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("wrong", "invalid_authorization"),
        ("unknown", "api_key_not_found"),
        ("expired", "api_key_expired"),
        ("deleted", "api_key_not_found"),
    ],
)
async def test_refused_keys(make_stack: MakeStack, role: str, name: str) -> None:
    with pytest.raises(AuthenticationFailed) as raised:
        await make_stack(role).auth_info()
    assert raised.value.name == name


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("", "unauthenticated"),
        ("hello", "token"),
        ("two words", "token"),
        ("NNSXS.a\nX-Other: header", "token"),
        ("schlüssel", "token"),
    ],
)
async def test_no_keys(make_stack: MakeStack, key: str, name: str) -> None:
    with pytest.raises(AuthenticationFailed) as raised:
        await make_stack(connection={"api_key": key}).auth_info()
    assert raised.value.name == name


async def test_a_refused_key_is_noticed_whatever_was_asked(
    simulator: Simulator, make_stack: MakeStack
) -> None:
    """Calls and streams; not what a good key lacks the rights for."""
    noticed: list[str] = []
    stack = make_stack("read", on_key_refused=lambda error: noticed.append(error.name))
    with pytest.raises(MissingRight):
        await stack.administration.update(name="Orchard")
    assert noticed == []
    simulator.revoke("read")
    with pytest.raises(AuthenticationFailed):
        await stack.device("greenhouse-climate")
    assert noticed == ["api_key_not_found"]
    simulator.faults.storage = True
    with pytest.raises(AuthenticationFailed):
        _ = [uplink async for uplink in stack.stored_uplinks()]
    assert noticed == ["api_key_not_found"] * 2


async def test_rate_limit_is_waited_out(
    simulator: Simulator, make_stack: MakeStack, sleeps: Sleeps
) -> None:
    simulator.faults.rate_limits["/rights"] = RateLimit(burst=1, per_minute=60)
    stack = make_stack()
    await stack.rights()
    with pytest.raises(RateLimited):
        await stack.rights()
    assert sleeps == [1.0, 1.0, 1.0]


async def test_long_rate_limit_is_not_waited_out(
    simulator: Simulator, make_stack: MakeStack, sleeps: Sleeps
) -> None:
    simulator.faults.rate_limits["/rights"] = RateLimit(burst=1, per_minute=1)
    stack = make_stack()
    await stack.rights()
    with pytest.raises(RateLimited) as raised:
        await stack.rights()
    assert raised.value.retry_after > 30
    assert sleeps == []


async def test_server_is_down(simulator: Simulator, make_stack: MakeStack) -> None:
    simulator.faults.http_down = True
    with pytest.raises(ConnectionFailed):
        await make_stack().auth_info()


async def test_server_is_slow(simulator: Simulator, make_stack: MakeStack) -> None:
    simulator.faults.http_delay = 5
    with pytest.raises(RequestTimeout):
        await make_stack().request("GET", "auth_info", timeout=0.05)


async def test_server_is_broken(simulator: Simulator, make_stack: MakeStack) -> None:
    simulator.faults.http_status["/auth_info"] = 503
    with pytest.raises(ServerFailed):
        await make_stack().auth_info()


async def test_nothing_listens(make_stack: MakeStack, free_port: int) -> None:
    url = f"http://127.0.0.1:{free_port}"
    stack = make_stack(connection={"server": url, "identity_server": url})
    with pytest.raises(ConnectionFailed) as raised:
        await stack.auth_info()
    assert raised.value.name == "connection_refused"


@pytest.mark.usefixtures("no_names")
async def test_unknown_host(make_stack: MakeStack) -> None:
    stack = make_stack(connection={"server": "http://nosuchhost.invalid", "identity_server": ""})
    with pytest.raises(ConnectionFailed) as raised:
        await stack.auth_info()
    assert raised.value.name == "host_not_found"


async def test_private_ca(
    simulator: Simulator, session: aiohttp.ClientSession, make_stack: MakeStack
) -> None:
    secure = {
        "server": simulator.https_server_url,
        "identity_server": simulator.https_identity_server_url,
        "mqtt_tls": True,
    }
    trusting = make_stack(connection=secure, tls_context=tls_context(simulator.ca_pem))
    assert (await trusting.auth_info()).application_id == "garden"
    with pytest.raises(CertificateFailed) as raised:
        await make_stack(connection=secure).auth_info()
    assert raised.value.name == "certificate_verify_failed"


async def test_tls_on_the_plain_port_and_the_other_way(
    simulator: Simulator, make_stack: MakeStack
) -> None:
    plain, secure = simulator.server_url, simulator.https_server_url
    swapped = plain.replace("http:", "https:")
    with pytest.raises(ProtocolMismatch):
        await make_stack(connection={"server": swapped, "identity_server": swapped}).auth_info()
    swapped = secure.replace("https:", "http:")
    with pytest.raises(ConnectionFailed):
        await make_stack(connection={"server": swapped, "identity_server": swapped}).auth_info()


def test_tls_context_takes_only_certificates() -> None:
    assert isinstance(tls_context(" "), ssl.SSLContext)
    for text in ("hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"):
        with pytest.raises(InvalidRequest) as raised:
            tls_context(text)
        assert raised.value.name == "invalid_certificate"


# -- Against servers that are something else ----------------------------------------------------

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler, session: aiohttp.ClientSession) -> AsyncIterator[Stack]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield Stack(
            Connection(server=url, api_key=KEY, application_id="app", mqtt_tls=True),
            session=session,
            sleep=Sleeps(),
        )
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "body", "kind", "expected"),
    [
        (200, "<html>", "text/html", ProtocolMismatch),
        (404, "<html>", "text/html", ProtocolMismatch),
        (404, '{"detail": "Not Found"}', "application/json", ProtocolMismatch),
        (401, "Unauthorized", "text/plain", ProtocolMismatch),
        (403, "[]", "application/json", ProtocolMismatch),
        (302, "", "text/html", ProtocolMismatch),
        (200, '{"api_key": ', "application/json", ServerFailed),
        (502, "<html>bad gateway", "text/html", ServerFailed),
        (200, "{}", "application/json", AuthenticationFailed),
        (200, "[]", "application/json", AuthenticationFailed),
    ],
)
async def test_odd_answers(
    session: aiohttp.ClientSession, status: int, body: str, kind: str, expected: type[StackError]
) -> None:
    async def answer(request: web.Request) -> web.Response:
        headers = {"Location": "https://elsewhere.example.org/"} if status == 302 else None
        return web.Response(status=status, text=body, content_type=kind, headers=headers)

    async with serving(answer, session) as stack:
        with pytest.raises(expected):
            await stack.auth_info()


async def test_what_is_sent(session: aiohttp.ClientSession) -> None:
    seen: list[web.Request] = []
    bodies: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        bodies.append(await request.text())
        return web.json_response({})

    async with serving(answer, session) as stack:
        when = datetime(2026, 5, 1, 12, 0, 0, 5, timezone(timedelta(hours=2)))
        params = {
            "field_mask": ("a", "b"),
            "device_ids": ["x", "y"],
            "after": when,
            "yes": True,
            "no": False,
            "none": None,
        }
        assert await stack.request("PUT", "as/x", params=params, json={"a": 1}) == {}
        assert await stack.request("GET", "as/x") == {}
    request = seen[0]
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["User-Agent"].startswith("thethingsstack")
    assert request.headers["Content-Type"] == "application/json"
    assert list(request.query.items()) == [
        ("field_mask", "a,b"),
        ("device_ids", "x"),
        ("device_ids", "y"),
        ("after", "2026-05-01T10:00:00.000005Z"),
        ("yes", "true"),
        ("no", "false"),
    ]
    assert bodies == ['{"a":1}', ""]


async def test_finite_streams_are_lists(session: aiohttp.ClientSession) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text='{"a":1}\n\n{"a":2}\n', content_type="text/event-stream")

    async with serving(answer, session) as stack:
        assert await stack.request("POST", "events", json={}) == [{"a": 1}, {"a": 2}]


async def test_rate_limit_that_ends(session: aiohttp.ClientSession) -> None:
    answers = iter(
        [
            web.json_response({"code": 8}, status=429, headers={"X-Rate-Limit-Retry": "0"}),
            web.json_response({"code": 8}, status=429, headers={"X-Rate-Limit-Retry": "7"}),
            web.json_response({"ok": True}),
        ]
    )

    async def answer(request: web.Request) -> web.Response:
        return next(answers)

    async with serving(answer, session) as stack:
        assert await stack.request("GET", "as/x") == {"ok": True}


async def test_server_that_is_no_http_server(session: aiohttp.ClientSession) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        connection = Connection(server=f"http://127.0.0.1:{port}", api_key=KEY)
        with pytest.raises(ProtocolMismatch) as raised:
            await Stack(connection, session=session).auth_info()
    assert raised.value.name == "no_http"


async def test_connection_cut_in_the_answer(session: aiohttp.ClientSession) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        connection = Connection(server=f"http://127.0.0.1:{port}", api_key=KEY)
        with pytest.raises(ConnectionFailed):
            await Stack(connection, session=session).auth_info()


async def test_nothing_secret_is_logged(
    simulator: Simulator, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stack = Stack(connection_to(simulator), session=session)
    await stack.auth_info()
    await stack.check_mqtt()
    with pytest.raises(NotFound):
        await stack.device("nosuch")
    assert simulator.key("read") not in caplog.text
