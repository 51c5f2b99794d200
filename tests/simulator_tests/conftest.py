"""Simulators to test."""

from collections.abc import AsyncIterator
from importlib.util import find_spec

import pytest

from tests.simulator import Simulator
from tests.simulator_tests.clients import NOW


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(request: pytest.FixtureRequest) -> None:
    """Run without Home Assistant; allow sockets where its test plugin forbids them."""
    if find_spec("pytest_socket") is not None:
        request.getfixturevalue("socket_enabled")


@pytest.fixture
async def demo() -> AsyncIterator[Simulator]:
    """Return the lively world on a server with tenants, at a fixed time."""
    async with Simulator("demo", tenant="ttn", clock=lambda: NOW) as simulator:
        yield simulator


@pytest.fixture
async def garden() -> AsyncIterator[Simulator]:
    """Return the recorded application on a server of v3.32.1, at one address."""
    async with Simulator("garden", single_host=True, clock=lambda: NOW) as simulator:
        yield simulator
