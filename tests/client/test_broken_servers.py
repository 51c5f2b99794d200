"""Servers that never come to an end: each limit is an error that says which."""

import asyncio

import aiohttp
from aiohttp import web
import pytest

from tests.simulator import Simulator
from thethingsstack import ServerFailed, api, storage, transport

from .conftest import MakeStack
from .test_transport import serving


async def test_pages_that_are_ignored(
    simulator: Simulator, make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = make_stack("manage")
    monkeypatch.setattr(api, "PAGE", 2)
    found = [device async for device in stack.devices()]
    assert len(found) == len(simulator.devices)
    simulator.faults.pages_ignored = True
    stream = stack.devices()
    found = [await anext(stream), await anext(stream)]
    with pytest.raises(ServerFailed) as caught:
        await anext(stream)
    assert caught.value.name == "pages_repeated"
    assert found[0] != found[1]


async def test_more_pages_than_there_can_be(
    make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "PAGE", 2)
    monkeypatch.setattr(api, "MAX_PAGES", 2)
    with pytest.raises(ServerFailed) as caught:
        [device async for device in make_stack("manage").devices()]
    assert caught.value.name == "too_many_pages"


async def test_a_token_that_is_repeated(
    simulator: Simulator, make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "PAGE", 2)
    simulator.faults.storage = simulator.faults.token_repeated = True
    for _ in range(7):
        await simulator.uplink("weather-station")
    with pytest.raises(ServerFailed) as caught:
        [message async for message in make_stack("read").stored_uplinks()]
    assert caught.value.name == "pages_repeated"


@pytest.mark.parametrize("size", [1 << 30, 1 << 40])
async def test_a_body_without_end(simulator: Simulator, make_stack: MakeStack, size: int) -> None:
    simulator.faults.huge_answers["/auth_info"] = size
    with pytest.raises(ServerFailed) as caught:
        await make_stack().auth_info()
    assert caught.value.name == "answer_too_large"
    simulator.faults.huge_answers.clear()
    assert await make_stack().auth_info()


async def test_a_body_that_does_not_say_its_length(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_BODY", 100_000)

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 10_000)
            await asyncio.sleep(0)

    async with serving(answer, session) as stack:
        with pytest.raises(ServerFailed) as caught:
            await stack.request("GET", "auth_info")
    assert caught.value.name == "answer_too_large"


async def test_a_line_without_end(simulator: Simulator, make_stack: MakeStack) -> None:
    simulator.faults.storage = True
    simulator.faults.huge_answers["/as/"] = 1 << 40
    with pytest.raises(ServerFailed) as caught:
        [message async for message in make_stack("read").stored_uplinks()]
    assert caught.value.name == "line_too_long"


async def test_lines_in_pieces(session: aiohttp.ClientSession) -> None:
    """However a line is cut, it is read as one; long ones are no slower than others."""
    lines = [
        b'{"result":{"n":1}}',
        b"",
        b'{"result":{"n":"%s"}}' % (b"2" * 300_000),
        b'{"result":{}}',
    ]

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        whole = b"\n".join(lines)
        for start in range(0, len(whole), 7_001):
            await response.write(whole[start : start + 7_001])
            await asyncio.sleep(0)
        return response

    async with serving(answer, session) as stack:
        opened = stack.end_devices._calls.lines("as/x", timeout=None)
        async with opened as (results, _):
            found = [result async for result in results]
    assert [str(result.get("n", ""))[:3] for result in found] == ["1", "222", ""]
    assert len(found[1]["n"]) == 300_000
