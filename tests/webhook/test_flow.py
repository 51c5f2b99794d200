"""Choosing the webhook in the dialogue, and the address that a server is given."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
import sys
from types import SimpleNamespace
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.webhook import async_public_address
from custom_components.thethingsstack.webhook.address import (
    AddressRefused,
    async_is_nearby,
    is_private,
)
from tests.dialogs import go
from tests.ha_fixtures import set_up, until
from tests.setup_flow.steps import own_server, start
from tests.simulator import Simulator

from .conftest import Listening, own_webhooks, webhook_entry

PUBLIC = "https://eu1.cloud.thethings.network"


async def test_the_webhook_is_chosen_in_the_dialogue(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """A key that may not make webhooks is told which rights it lacks."""
    for key, errors in (("read", {"door": "webhook_rights"}), ("manage", None)):
        result = await go(hass, await start(hass), **own_server(sim))
        result = await go(hass, result, api_key=sim.key(key))
        assert result["step_id"] == "rights"
        result = await go(hass, result, door="webhook")
        assert result.get("errors") == errors
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    await until(hass, lambda: entry.state is ConfigEntryState.LOADED)
    await until(hass, lambda: entry.runtime_data.connected)
    assert len(own_webhooks(sim)) == 1


async def test_an_address_that_cannot_be_reached_is_refused_before_anything_is_made(
    hass: HomeAssistant, sim: Simulator, listening: Listening, server_far_away: None
) -> None:
    """With the reason, at the way to connect; a server that is far away can't use loopback."""
    result = await go(hass, await start(hass), **own_server(sim))
    result = await go(hass, result, api_key=sim.key("manage"))
    for url, reason in (
        (None, "address_missing"),
        ("https://127.0.0.1:8123", "address_private"),
        ("https://192.168.1.5", "address_private"),
        ("http://ha.example.org", "address_without_tls"),
    ):
        await hass.config.async_update(external_url=url)
        result = await go(hass, result, door="webhook")
        assert result["errors"] == {"door": reason}
    assert not sim.application.webhooks
    await hass.config.async_update(external_url="https://ha.example.org")
    result = await go(hass, result, door="webhook")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await until(hass, lambda: bool(own_webhooks(sim)))
    (hook,) = own_webhooks(sim).values()
    assert hook["base_url"].startswith("https://ha.example.org/api/webhook/")


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("192.168.1.20", True),
        ("100.64.0.1", True),
        ("fd00::1", True),
        ("homeassistant", True),
        ("homeassistant.local", True),
        ("ha.home.arpa", True),
        ("ha.example.org", False),
        ("8.8.8.8", False),
        ("2001:4860:4860::8888", False),
    ],
)
def test_private_hosts_are_known(host: str, private: bool) -> None:
    assert is_private(host) is private


async def test_a_server_is_nearby_where_its_name_leads_there(hass: HomeAssistant) -> None:
    def leads_to(*addresses: str) -> Callable[[str], list[str]]:
        return lambda _host: list(addresses)

    host = "stack.example.org"
    assert await async_is_nearby(hass, host, leads_to("10.0.0.5"))
    assert not await async_is_nearby(hass, host, leads_to("10.0.0.5", "93.184.215.14"))
    assert not await async_is_nearby(hass, host, leads_to())


@dataclass
class Cloud:
    """What is called of Home Assistant Cloud, which can't be had here."""

    connected: bool = True
    hooks: dict[str, str] = field(default_factory=dict)
    changed: list[Callable[[Any], None]] = field(default_factory=list)

    async def create(self, _hass: HomeAssistant, webhook_id: str) -> str:
        """Return the address of a cloudhook."""
        if not self.connected:
            raise HomeAssistantError
        return self.hooks.setdefault(webhook_id, "https://hooks.example/abc")

    async def delete(self, _hass: HomeAssistant, webhook_id: str) -> None:
        """Delete a cloudhook."""
        del self.hooks[webhook_id]

    def listen(
        self, _hass: HomeAssistant, _id: str, target: Callable[[Any], None]
    ) -> Callable[[], None]:
        """Listen to changes of a cloudhook."""
        self.changed.append(target)
        return lambda: self.changed.remove(target)


@pytest.fixture
def cloud(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Stand in for Home Assistant Cloud."""
    cloud = Cloud()
    module = SimpleNamespace(
        CloudConnectionState=object,
        async_active_subscription=lambda _hass: True,
        async_get_or_create_cloudhook=cloud.create,
        async_delete_cloudhook=cloud.delete,
        async_listen_cloudhook_change=cloud.listen,
        async_listen_connection_change=lambda _hass, _target: lambda: None,
    )
    monkeypatch.setitem(sys.modules, "homeassistant.components.cloud", module)
    monkeypatch.setattr("homeassistant.components.cloud", module, raising=False)
    hass.config.components.add("cloud")
    yield cloud
    hass.config.components.remove("cloud")


async def test_a_cloudhook_is_used_where_the_cloud_is_active(
    hass: HomeAssistant, sim: Simulator, listening: Listening, cloud: Cloud
) -> None:
    cloud.connected = False
    with pytest.raises(AddressRefused) as caught:
        await async_public_address(hass, "id", PUBLIC)
    assert caught.value.reason == "address_cloud"
    cloud.connected = True
    sim.set_rights("manage", ["INFO", "TRAFFIC_READ", "TRAFFIC_DOWN_WRITE", "SETTINGS_BASIC"])
    entry = await set_up(hass, sim, webhook_entry(sim))
    (hook,) = own_webhooks(sim).values()
    assert hook["base_url"] == "https://hooks.example/abc"
    cloud.hooks[entry.data["webhook_id"]] = "https://hooks.example/def"
    cloud.changed[0](None)
    await until(hass, lambda: hook["base_url"] == "https://hooks.example/def")
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert not cloud.hooks
    assert not cloud.changed


async def test_a_dialogue_that_is_closed_leaves_no_cloudhook(
    hass: HomeAssistant, sim: Simulator, listening: Listening, cloud: Cloud
) -> None:
    """Without a key the address is shown before there is an entry."""
    for finish in (False, True):
        result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        result = await go(hass, result, network="webhook_only")
        result = await go(hass, result, server=sim.server_url, application_id="garden")
        assert result["description_placeholders"]["address"] == "https://hooks.example/abc"
        assert len(cloud.hooks) == 1
        if finish:
            result = await go(hass, result)
            await hass.async_block_till_done()
            assert set(cloud.hooks) == {result["result"].data["webhook_id"]}
        else:
            hass.config_entries.flow.async_abort(result["flow_id"])
            await hass.async_block_till_done()
            assert not cloud.hooks
