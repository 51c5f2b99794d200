"""A new key, and another server, for an application that is there already."""

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from tests.dialogs import go
from tests.ha_fixtures import entry_data, make_entry, set_up, until
from tests.setup_flow.steps import (
    DEAD,
    finish,
    own_server,
    placeholders,
    reconfigure,
    start,
    suggested,
)
from tests.simulator import Simulator

# A new key


async def test_reauthentication(hass: HomeAssistant, sim: Simulator) -> None:
    """A key that was deleted is replaced, and the entry runs again."""
    entry = await set_up(hass, sim)
    sim.revoke("read")
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    (result,) = hass.config_entries.flow.async_progress()
    assert result["step_id"] == "reauth_confirm"
    for key, error in (
        ("other", "other_application"),
        ("read", "unknown_key"),
        ("info", "missing_traffic_right"),
    ):
        result = await go(hass, result, api_key=sim.key(key))
        assert result["errors"] == {"api_key": error}
    sim.faults.http_down = True
    result = await go(hass, result, api_key=sim.key("control"))
    assert result["errors"] == {"base": "cannot_connect"}
    sim.faults.http_down = False
    result = await go(hass, result, api_key=sim.key("control"))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert entry.data["api_key"] == sim.key("control")
    assert entry.unique_id == f"127.0.0.1/{sim.uid}"
    await hass.async_block_till_done()
    await until(hass, lambda: entry.runtime_data.connected)
    assert entry.runtime_data.stack.connection.api_key == sim.key("control")


async def test_reauthentication_names_the_other_application(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """The text says whose key it is, and whose is needed."""
    entry = make_entry(sim)
    entry.add_to_hass(hass)
    result = await entry.start_reauth_flow(hass)
    assert placeholders(result)["application"] == "garden"
    result = await go(hass, result, api_key=sim.key("other"))
    text = placeholders(result)
    assert (text["application"], text["other"]) == ("garden", "neighbour")


async def test_reauthentication_of_an_entry_that_did_not_start(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """There is no listener yet: the flow starts it."""
    entry = make_entry(sim, "deleted")
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert hass.config_entries.async_loaded_entries(DOMAIN) == []
    (result,) = hass.config_entries.flow.async_progress()
    result = await go(hass, result, api_key=sim.key("user"))
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


# Another server


async def test_reconfigure_to_another_host(
    hass: HomeAssistant, sim: Simulator, local_names: None
) -> None:
    """The same application elsewhere keeps its entry; the unique id moves along."""
    entry = await set_up(hass, sim)
    result = await reconfigure(hass, entry)
    assert result["step_id"] == "reconfigure"
    assert suggested(result, "server") == sim.server_url
    assert suggested(result, "api_key") is None
    assert suggested(result, "plaintext", "advanced") is True
    moved = own_server(sim)
    moved["server"] = moved["server"].replace("127.0.0.1", "localhost")
    moved["advanced"]["identity_server"] = sim.identity_server_url.replace("127.0.0.1", "localhost")
    result = await go(hass, result, **moved)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert entry.unique_id == "localhost/garden"
    assert entry.data["server"] == moved["server"]
    assert entry.data["api_key"] == sim.key("read")
    await hass.async_block_till_done()
    await until(hass, lambda: entry.runtime_data.connected)
    assert entry.runtime_data.stack.connection.server == moved["server"]


async def test_reconfigure_with_another_key(hass: HomeAssistant, sim: Simulator) -> None:
    """A key of another application is refused, what was typed stays."""
    entry = await set_up(hass, sim)
    result = await reconfigure(hass, entry)
    for key, error in (
        ("other", "other_application"),
        ("wrong", "incomplete_key"),
    ):
        result = await go(hass, result, **own_server(sim), api_key=sim.key(key))
        assert result["errors"] == {"api_key": error}
        assert suggested(result, "api_key") == sim.key(key)
    result = await go(hass, result, **own_server(sim), api_key=sim.key("manage"))
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["api_key"] == sim.key("manage")
    await hass.async_block_till_done()
    await until(hass, lambda: entry.runtime_data.connected)


async def test_reconfigure_to_a_dead_server(hass: HomeAssistant, sim: Simulator) -> None:
    """The form comes back with what was typed; the entry is as it was."""
    entry = await set_up(hass, sim)
    before = dict(entry.data)
    result = await reconfigure(hass, entry)
    result = await go(hass, result, server=f"http://{DEAD}", advanced={"plaintext": True})
    assert result["step_id"] == "reconfigure"
    assert result["errors"] == {"base": "cannot_connect"}
    assert suggested(result, "server") == f"http://{DEAD}"
    assert dict(entry.data) == before
    address = own_server(sim, mqtt_host="127.0.0.1", mqtt_port=9)
    result = await go(hass, result, **address)
    assert result["step_id"] == "reconfigure"
    assert result["errors"] == {"base": "mqtt_cannot_connect"}
    assert dict(entry.data) == before


async def test_reconfigure_to_an_entry_that_exists(
    hass: HomeAssistant, sim: Simulator, local_names: None
) -> None:
    """Two entries never become one."""
    entry = await set_up(hass, sim)
    MockConfigEntry(
        domain=DOMAIN,
        unique_id="localhost/garden",
        data=entry_data(sim),
        disabled_by=ConfigEntryDisabler.USER,
    ).add_to_hass(hass)
    result = await reconfigure(hass, entry)
    moved = own_server(
        sim, identity_server=sim.identity_server_url.replace("127.0.0.1", "localhost")
    )
    result = await go(hass, result, **moved)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert entry.unique_id == "127.0.0.1/garden"


async def test_reconfigure_the_cluster(hass: HomeAssistant, public: Simulator) -> None:
    """On a public network the form asks for the cluster; a wrong one is told."""
    entry = await finish(
        hass, await go(hass, await start(hass, "ttn_eu1"), api_key=public.key("read"))
    )
    result = await reconfigure(hass, entry)
    assert suggested(result, "network") == "ttn_eu1"
    result = await go(hass, result, network="ttn_nam1")
    assert result["errors"] == {"base": "wrong_cluster"}
    assert placeholders(result)["cluster"] == "localhost"
    result = await go(hass, result, network="ttn_eu1", api_key=public.key("control"))
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["api_key"] == public.key("control")
    await hass.async_block_till_done()


async def test_reconfigure_the_cloud(hass: HomeAssistant, public: Simulator) -> None:
    """The Things Stack Cloud asks for tenant and cluster."""
    result = await go(hass, await start(hass, "cloud"), tenant_id="ttn", cluster="eu1")
    entry = await finish(hass, await go(hass, result, api_key=public.key("read")))
    result = await reconfigure(hass, entry)
    assert suggested(result, "tenant_id") == "ttn"
    assert suggested(result, "cluster") == "eu1"
    result = await go(hass, result, tenant_id="ttn", cluster="eu1")
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
