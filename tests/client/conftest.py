"""Recordings, a simulated stack and the client on it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from importlib.util import find_spec
import json
from pathlib import Path
import socket
from typing import Any

import aiohttp
import pytest

from tests.simulator import Simulator
from thethingsstack import Connection, Stack

FIXTURES = Path(__file__).parent.parent / "fixtures"


def recorded(path: str) -> Any:
    """Return a recording."""
    return json.loads((FIXTURES / path).read_text())


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Start no Home Assistant for these tests."""


@pytest.fixture(autouse=True)
def sockets(request: pytest.FixtureRequest) -> None:
    """Allow sockets where a plugin forbids them."""
    if find_spec("pytest_socket") is not None:
        request.getfixturevalue("socket_enabled")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A session, which the client doesn't own."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """The recorded application `garden` on a simulated stack."""
    async with Simulator(world="garden") as running:
        yield running


class Sleeps(list[float]):
    """Stands in for waiting; keeps how long it would have been."""

    def __init__(self) -> None:
        super().__init__()
        self._slept = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        """Don't wait."""
        self.append(seconds)
        self._slept.set()
        await asyncio.sleep(0)

    async def reach(self, count: int) -> None:
        """Wait until there were so many."""
        while len(self) < count:
            self._slept.clear()
            await self._slept.wait()


@pytest.fixture
def sleeps() -> Sleeps:
    """How long the client would have waited."""
    return Sleeps()


type MakeStack = Callable[..., Stack]


def connection_to(sim: Simulator, role: str = "read", **changes: Any) -> Connection:
    """Return how a simulated stack is reached."""
    arguments: dict[str, Any] = {
        "server": sim.server_url,
        "identity_server": sim.identity_server_url,
        "application_id": sim.application_id,
        "tenant_id": sim.stack.tenant,
        "api_key": sim.key(role),
        "mqtt_tls": False,
    }
    return Connection(**{**arguments, **changes})


@pytest.fixture
def make_stack(simulator: Simulator, session: aiohttp.ClientSession, sleeps: Sleeps) -> MakeStack:
    """Make a client with a role's key; `connection` overrides what it is connected to."""

    def make(
        role: str = "read", *, connection: dict[str, Any] | None = None, **arguments: Any
    ) -> Stack:
        return Stack(
            connection_to(simulator, role, **(connection or {})),
            session=session,
            **{"sleep": sleeps, "random": lambda: 1.0, **arguments},
        )

    return make


@pytest.fixture
def free_port() -> int:
    """A port of this machine where nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


@pytest.fixture
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve no host names, whatever the machine's resolver would do."""

    def getaddrinfo(host: str, *_: object, **__: object) -> None:
        host.encode("idna")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
