"""A Home Assistant that listens, so that servers can post to it."""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession
from aiohttp.test_utils import TestClient
from homeassistant.components.webhook import async_generate_path
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.webhook import SECRET_HEADER, new_webhook
from custom_components.thethingsstack.webhook.managed import PAUSES, Pauses
from tests.ha_fixtures import make_entry
from tests.simulator import Simulator

SECRET = "a-secret-of-nobody"
WEBHOOK_ID = "0" * 64


@dataclass
class Listening:
    """The address of Home Assistant, and a client that posts to its webhook as a server does."""

    url: str
    session: ClientSession

    async def post(
        self,
        body: Any = None,
        *,
        secret: str | None = SECRET,
        method: str = "POST",
        data: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> int:
        """Make a delivery, and return the status of the answer."""
        sent = dict(headers or {})
        if secret is not None:
            sent[SECRET_HEADER] = secret
        given: dict[str, Any] = {"json": body} if data is None else {"data": data}
        async with self.session.request(
            method, self.url + async_generate_path(WEBHOOK_ID), headers=sent, **given
        ) as response:
            return response.status


@pytest.fixture
async def listening(
    hass: HomeAssistant,
    socket_enabled: None,
    hass_client_no_auth: Callable[[], Coroutine[Any, Any, TestClient[Any, Any]]],
) -> AsyncIterator[Listening]:
    """Let Home Assistant listen on loopback, and know the address."""
    for component in ("webhook", "file_upload", DOMAIN):  # their addresses, before it listens
        assert await async_setup_component(hass, component, {})
    client = await hass_client_no_auth()
    hass.config.internal_url = str(client.make_url("")).rstrip("/")
    hass.data[PAUSES] = Pauses(retry=0.05, proof=30.0, missed=0.05)
    async with ClientSession() as session:
        yield Listening(hass.config.internal_url, session)


@pytest.fixture
def server_far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server be on no network of this machine, so that it can't post to loopback."""

    async def far_away(*_args: object) -> bool:
        return False

    monkeypatch.setattr(
        "custom_components.thethingsstack.webhook.address.async_is_nearby", far_away
    )


def own_webhooks(sim: Simulator) -> dict[str, dict[str, Any]]:
    """Return the webhooks that integrations have made on the server, by ID."""
    webhooks = sim.application.webhooks
    return {name: hook for name, hook in webhooks.items() if name.startswith("home-assistant-")}


def webhook_entry(sim: Simulator, key: str | None = "manage", **changes: Any) -> MockConfigEntry:
    """Return an entry whose messages come by a webhook; without a key if None is given."""
    data = {**new_webhook(), "webhook_id": WEBHOOK_ID, "webhook_secret": SECRET, **changes}
    entry = make_entry(sim, key or "read", door="webhook", **data)
    if key is None:
        without = {name: value for name, value in entry.data.items() if name != "api_key"}
        entry = MockConfigEntry(
            domain=entry.domain, title=entry.title, unique_id=entry.unique_id, data=without
        )
    return entry
