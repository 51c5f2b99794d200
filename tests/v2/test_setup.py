"""Connecting an application of version 2: discovery, Handler, key, and what is said of its rights."""

from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.diagnostics import async_get_config_entry_diagnostics
from custom_components.thethingsstack.panel.fleet import radio_of
from tests import ha_fixtures
from tests.dialogs import Result, go
from tests.ha_fixtures import until
from tests.setup_flow.steps import start
from tests.simulator import Simulator as Version3
from tests.simulator.v2 import Simulator

from .conftest import make_entry


def typed(sim2: Simulator, role: str = "default", **more: Any) -> dict[str, Any]:
    """Return what a user types who knows the Handler."""
    return {
        "server": sim2.handler_url,
        "mqtt_host": sim2.mqtt_host,
        "application_id": sim2.application_id,
        "api_key": sim2.key(role),
        "door": "mqtt",
        "advanced": {"mqtt_port": sim2.mqtt_port, "plaintext": True},
        **more,
    }


def by_discovery(sim2: Simulator, role: str = "default", **more: Any) -> dict[str, Any]:
    """Return what a user types who knows the discovery server."""
    return {
        "discovery_server": sim2.discovery_url,
        "application_id": sim2.application_id,
        "api_key": sim2.key(role),
        "door": "mqtt",
        "advanced": {"plaintext": True},
        **more,
    }


async def to_handler(hass: HomeAssistant) -> Result:
    """Go as far as the form about the Handler."""
    result = await start(hass, "ttn_v2")
    assert result["step_id"] == "handler"
    return result


@pytest.mark.parametrize("answers", [typed, by_discovery])
async def test_an_application_is_connected(
    hass: HomeAssistant, sim2: Simulator, answers: Any
) -> None:
    result = await go(hass, await to_handler(hass), **answers(sim2))
    assert result["step_id"] == "rights", result.get("errors")
    said = result["description_placeholders"]
    assert "receive uplinks" in said["can"]
    assert "register, change and delete end devices" in said["can"]
    assert "Storage" not in said["can"] + said["missing"] + said["storage"]
    assert "found by trying" in said["expires"]
    assert said["devices"].startswith("Registered end devices: ")
    (door,) = result["data_schema"].schema.values()
    assert door.config["options"] == ["mqtt", "webhook"]
    result = await go(hass, result, door="mqtt")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.unique_id == f"127.0.0.1/{sim2.application_id}"
    assert entry.data["server"] == sim2.handler_url
    assert entry.data["mqtt_port"] == sim2.mqtt_port
    await until(hass, lambda: entry.state is ConfigEntryState.LOADED)
    await until(hass, lambda: entry.runtime_data.connected)
    device = next(iter(sim2.devices.values()))
    states = entry.runtime_data.roster.states
    assert {state.device_id for state in states.values()} == set(sim2.devices)
    assert f"garden/{device.dev_eui}" in states


REFUSED = [
    ({"api_key": "ttn-account-v2.wrong"}, "api_key", "invalid_auth"),
    ({"api_key": "NNSXS.ABC.DEF"}, "api_key", "key_of_version_3"),
    ({"server": ""}, "server", "handler_missing"),
    ({"server": "127.0.0.1:9"}, "base", "cannot_connect"),
    ({"server": "http://a b"}, "server", "invalid_server"),
    ({"mqtt_host": "mqtt://x"}, "base", "invalid_mqtt_host"),
]


@pytest.mark.parametrize(("more", "field", "reason"), REFUSED)
async def test_what_is_wrong_is_said_where_it_is_wrong(
    hass: HomeAssistant, sim2: Simulator, more: dict[str, Any], field: str, reason: str
) -> None:
    result = await go(hass, await to_handler(hass), **{**typed(sim2), **more})
    assert result["step_id"] == "handler"
    assert result["errors"] == {field: reason}


async def test_an_application_that_is_not_registered_on_the_handler(
    hass: HomeAssistant, sim2: Simulator
) -> None:
    other = "unregistered-garden"
    answers = typed(sim2, application_id=other, api_key=sim2.key("default", other))
    result = await go(hass, await to_handler(hass), **answers)
    assert result["errors"] == {"base": "application_unknown"}


async def test_version_3_is_no_handler(hass: HomeAssistant, sim2: Simulator, sim: Version3) -> None:
    result = await go(hass, await to_handler(hass), **typed(sim2, server=sim.server_url))
    assert result["errors"] == {"base": "not_a_handler"}


async def test_what_the_key_lacks_is_said_in_words(hass: HomeAssistant, sim2: Simulator) -> None:
    result = await go(hass, await to_handler(hass), **typed(sim2, "messages"))
    assert result["step_id"] == "rights"
    missing = result["description_placeholders"]["missing"]
    assert "*devices*" in missing
    assert "*settings*" in missing
    assert "RIGHT_" not in missing
    result = await go(hass, result, door="mqtt")
    entry = result["result"]
    await until(
        hass, lambda: entry.state is ConfigEntryState.LOADED and entry.runtime_data.connected
    )
    await sim2.uplink("weather-station", decoded={"temperature": 21.5})
    device = sim2.devices["weather-station"]
    key = f"garden/{device.dev_eui}/field/temperature"
    registry = er.async_get(hass)
    await until(hass, lambda: registry.async_get_entity_id("sensor", DOMAIN, key))


async def test_a_refused_key_is_replaced(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    sim2.revoke()
    await entry.runtime_data.connection_state.async_check_rights()
    (flow,) = entry.async_get_active_flows(hass, {"reauth"})
    assert flow["step_id"] == "reauth_access_key"
    result = await go(hass, flow, api_key="ttn-account-v2.wrong")
    assert result["errors"] == {"api_key": "invalid_auth"}
    result = await go(hass, result, api_key=sim2.key("all"))
    assert result["reason"] == "reauth_successful"
    await until(
        hass, lambda: entry.state is ConfigEntryState.LOADED and entry.runtime_data.connected
    )
    assert entry.data["api_key"] == sim2.key("all")


async def test_addresses_are_changed_without_the_key(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    result = await entry.start_reconfigure_flow(hass)
    assert result["step_id"] == "reconfigure_choice"
    result = await go(hass, result, next_step_id="reconfigure_handler")
    before = dict(entry.data)
    answers = {"server": sim2.handler_url, "door": "mqtt", "mqtt_host": "127.0.0.1"}
    advanced = {"mqtt_port": sim2.mqtt_port, "plaintext": True}
    result = await go(hass, result, **answers, advanced={**advanced, "mqtt_port": 9})
    assert result["errors"] == {"base": "mqtt_cannot_connect"}
    result = await go(hass, result, **answers, advanced=advanced)
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["api_key"] == before["api_key"]
    assert SOURCE_RECONFIGURE not in str(entry.data)


async def test_diagnostics_show_what_the_network_can_do(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    shown = await async_get_config_entry_diagnostics(hass, entry)
    assert "gateways" in shown["lacks"]
    text = str(shown)
    assert sim2.key() not in text
    assert sim2.handler_url not in text


async def test_what_the_network_never_reports_is_not_shown_or_offered(
    hass: HomeAssistant, sim: Version3, sim2: Simulator, entry: MockConfigEntry
) -> None:
    device = entry.runtime_data.roster.by_device_id("weather-station")
    await sim2.uplink("weather-station")
    await until(hass, lambda: device.last_uplink is not None)
    assert radio_of(device.last_uplink)["packet_loss"] is None
    assert radio_of(device.last_uplink)["rssi"] is not None
    registered = {item.unique_id for item in er.async_get(hass).entities.values()}
    assert f"{device.key}/rssi" in registered
    assert f"{device.key}/packet_error_rate" not in registered
    assert set(entry.supported_subentry_types) == {"control", "end_device"}
    assert "gateway" in ha_fixtures.make_entry(sim).supported_subentry_types


async def test_the_application_has_no_console(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert len(devices) == len(sim2.devices) + 1
    assert all(device.configuration_url is None for device in devices)


async def test_changes_of_end_devices_arrive_by_the_stream(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    roster = entry.runtime_data.roster
    sim2.add_device("new-sensor", dev_eui="70B3D57ED00600AA", description="On the shed")
    await until(hass, lambda: roster.by_device_id("new-sensor") is not None)
    await until(hass, lambda: roster.by_device_id("new-sensor").name == "On the shed")
    sim2.update_device("new-sensor", description="In the shed")
    await until(hass, lambda: roster.by_device_id("new-sensor").name == "In the shed")
    sim2.remove_device("new-sensor")
    await until(hass, lambda: roster.by_device_id("new-sensor").vanished)


async def test_it_starts_without_a_stream(hass: HomeAssistant, sim2: Simulator) -> None:
    """A broker that is away doesn't keep the application from starting."""
    await sim2.stop_broker()
    entry = make_entry(sim2)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await sim2.start_broker()
    await until(hass, lambda: entry.runtime_data.connected)
    await hass.config_entries.async_unload(entry.entry_id)
