"""Networks and names that only exist on this machine."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from aiohttp import ThreadedResolver
from homeassistant.core import HomeAssistant
from homeassistant.helpers import aiohttp_client
import pytest

from custom_components.thethingsstack.application import client_factory
from custom_components.thethingsstack.client import Network, tls_context
from custom_components.thethingsstack.setup_flow import flow, server_form
from tests.simulator import Simulator


@pytest.fixture
async def local_names(hass: HomeAssistant) -> None:
    """Let "localhost" be resolved: a second name of the simulator."""
    hass.data[aiohttp_client.DATA_RESOLVER] = cast(Any, ThreadedResolver())


@pytest.fixture
def refused_handshakes(hass: HomeAssistant) -> Iterator[None]:
    """Let the simulator's side of a TLS handshake fail without failing the test."""
    handler = hass.loop.get_exception_handler()
    assert handler is not None

    def ignore(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), OSError):
            handler(loop, context)

    hass.loop.set_exception_handler(ignore)
    yield
    hass.loop.set_exception_handler(handler)


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch, sim_ttn: Simulator, local_names: None) -> Simulator:
    """Let The Things Network's addresses be those of a simulator with a trusted certificate."""

    def network(host: str) -> Network:
        return Network(
            name=host,
            server=sim_ttn.https_server_url.replace("127.0.0.1", host),
            identity_server=sim_ttn.https_identity_server_url,
            tenant_id="ttn",
        )

    networks = {"ttn_eu1": network("localhost"), "ttn_nam1": network("127.0.0.1")}
    clusters = {"eu1": "localhost", "nam1": "127.0.0.1"}
    monkeypatch.setattr(server_form, "NETWORKS", networks)
    monkeypatch.setattr(flow, "NETWORKS", networks)
    monkeypatch.setattr(
        server_form, "cloud_network", lambda tenant, cluster: network(clusters.get(cluster, "eu2"))
    )
    context = tls_context(sim_ttn.ca_pem)
    monkeypatch.setattr(client_factory, "get_default_context", lambda: context)
    return sim_ttn


@pytest.fixture
async def sim_ttn(socket_enabled: None) -> AsyncIterator[Simulator]:
    """Return a running The Things Stack with the tenant `ttn`."""
    async with Simulator(world="garden", tenant="ttn") as simulator:
        yield simulator
