"""Gateways: added with a key that may read them, shown, followed, and removed, over real sockets."""

from datetime import timedelta
import json
import logging
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.helpers.update_coordinator import UpdateFailed
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.thethingsstack import async_remove_config_entry_device
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.diagnostics import async_get_config_entry_diagnostics
from custom_components.thethingsstack.gateways.coordinator import (
    REGISTRY_INTERVAL,
    SUBENTRY_GATEWAY,
    GatewayCoordinator,
)
from custom_components.thethingsstack.gateways.flow import GatewayFlow
from tests.dialogs import Result, go, start_subentry
from tests.ha_fixtures import entity_id, set_up, until
from tests.simulator import Simulator
from tests.simulator.faults import RateLimit
from tests.test_translations import TEXTS

FIXTURES = Path(__file__).parent.parent / "fixtures"
BARN = {"gateway_id": "barn-gw", "eui": "B827EBFFFE000002"}
PLACE = {"latitude": 52.1, "longitude": 5.1, "altitude": 12, "source": "SOURCE_REGISTRY"}
ROOF = "garden/gateway/roof-gw"
PRIVATE: dict[str, Any] = {"status_public": False, "location_public": False}
GREENHOUSE = "greenhouse-climate"


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application, whose key may read public gateways only."""
    return await set_up(hass, sim)


async def add(hass: HomeAssistant, entry: MockConfigEntry, **given: Any) -> GatewayCoordinator:
    """Add a gateway, and wait until it is read."""
    result = await go(hass, await start_subentry(hass, entry, SUBENTRY_GATEWAY), **given)
    assert result["type"] is FlowResultType.CREATE_ENTRY, result["errors"]
    await until(hass, lambda: gateway(entry, given["gateway_id"]) is not None)
    found = gateway(entry, given["gateway_id"])
    assert found is not None
    await until(hass, lambda: found.data is not None)
    await hass.async_block_till_done()
    return found


def gateway(entry: MockConfigEntry, gateway_id: str) -> GatewayCoordinator | None:
    """Return the coordinator of a gateway."""
    known = entry.runtime_data.gateways
    return next((item for item in known if item.gateway_id == gateway_id), None)


def state(hass: HomeAssistant, platform: str, key: str, scope: str = ROOF) -> str:
    """Return the state of one of a gateway's entities."""
    found = hass.states.get(entity_id(hass, platform, f"{scope}/{key}"))
    assert found is not None
    return found.state


def gateway_issues(hass: HomeAssistant) -> list[str | None]:
    """Return the keys of the issues about gateways."""
    return [
        issue.translation_key
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN and issue.issue_id.startswith("gateway_")
    ]


async def again(hass: HomeAssistant, item: GatewayCoordinator) -> None:
    """Let the gateway be read again, as after its pause: a jump of the clock would end MQTT."""
    await item.async_refresh()
    await hass.async_block_till_done()


# Adding


async def test_public_gateway_without_a_key(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The list has what heard the devices; the status comes with a device and its entities."""
    await sim.uplink(GREENHOUSE)
    await until(hass, entry.runtime_data.gateways.reception_counts)
    result = await start_subentry(hass, entry, SUBENTRY_GATEWAY)
    assert result["type"] is FlowResultType.FORM
    options = next(iter(result["data_schema"].schema.values())).config["options"]
    assert [option["value"] for option in options] == ["roof-gw"]
    await add(hass, entry, gateway_id="roof-gw")

    subentry = next(iter(entry.subentries.values()))
    assert (subentry.title, subentry.unique_id) == ("Roof gw", "roof-gw")
    assert dict(subentry.data) == {"gateway_id": "roof-gw"}
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, ROOF), entry.entry_id)
    assert device is not None
    assert device.config_subentry_id == subentry.subentry_id
    assert (device.name, device.serial_number) == ("Roof gw", "B827EBFFFE000001")
    assert device.configuration_url == f"{sim.server_url}/console/gateways/roof-gw"
    assert state(hass, "binary_sensor", "gateway_connection") == "on"
    assert state(hass, "sensor", "gateway_uplinks") == "29"
    assert state(hass, "sensor", "gateway_downlinks") == "18"
    assert state(hass, "sensor", "gateway_round_trip_time") == "30.0"
    assert float(state(hass, "sensor", "gateway_duty_cycle")) == pytest.approx(3)
    assert state(hass, "sensor", "gateway_last_seen").startswith("20")
    duty = hass.states.get(entity_id(hass, "sensor", f"{ROOF}/gateway_duty_cycle"))
    assert duty is not None
    assert duty.attributes["sub_bands"] == [
        {"from": 868000000, "to": 868600000, "limit": 1.0, "used": 0.03}
    ]
    place = hass.states.get(entity_id(hass, "device_tracker", f"{ROOF}/gateway_location"))
    assert place is not None
    assert (place.attributes["latitude"], place.attributes["longitude"]) == (52.374, 4.89)
    assert place.attributes["altitude"] == 18


async def test_private_gateway_with_its_key(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """Without one the form says that a key is needed; what was typed stays, the key isn't told."""
    sim.add_gateway(BARN, location=PLACE, **PRIVATE)
    key = sim.gateway_key("barn-gw")
    result = await go(
        hass, await start_subentry(hass, entry, SUBENTRY_GATEWAY), gateway_id="barn-gw"
    )
    assert result["errors"] == {"api_key": "key_needed"}
    schema = result["data_schema"].schema
    assert next(k for k in schema if k == "gateway_id").description == {
        "suggested_value": "barn-gw"
    }
    result = await go(hass, result, gateway_id=" Barn-GW ", api_key=f" {key}\n")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    scope = "garden/gateway/barn-gw"
    await until(hass, lambda: gateway(entry, "barn-gw") is not None)
    item = gateway(entry, "barn-gw")
    assert item is not None
    await until(hass, lambda: item.data is not None)
    await hass.async_block_till_done()
    assert state(hass, "binary_sensor", "gateway_connection", scope) == "on"
    place = hass.states.get(entity_id(hass, "device_tracker", f"{scope}/gateway_location"))
    assert place is not None
    assert place.attributes["latitude"] == 52.1

    diagnostics = json.dumps(await async_get_config_entry_diagnostics(hass, entry), default=str)
    assert json.loads(diagnostics)["gateways"] == [
        {"own_key": True, "read": True, "refused": None, "connected": True}
    ]
    assert key not in diagnostics
    assert key not in caplog.text
    assert "barn-gw" not in diagnostics


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({}, {"gateway_id": "invalid_id"}),
        ({"gateway_id": "a b"}, {"gateway_id": "invalid_id"}),
        ({"gateway_id": "B827EBFFFE000001!"}, {"gateway_id": "invalid_id"}),
        ({"gateway_id": "no-such-gw"}, {"gateway_id": "gateway_not_found"}),
        ({"gateway_id": "roof-gw", "api_key": "unknown"}, {"api_key": "key_refused"}),
        ({"gateway_id": "barn-gw", "api_key": "other"}, {"api_key": "missing_right"}),
        ({"gateway_id": "barn-gw", "api_key": "gateway/barn-gw"}, {"api_key": "missing_right"}),
    ],
)
async def test_wrong_gateways_are_refused(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    given: dict[str, str],
    errors: dict[str, str],
) -> None:
    """Each with its own text; the form can be mended."""
    sim.add_gateway(BARN, **PRIVATE)
    sim.gateway_key("barn-gw", ["INFO"])
    if "api_key" in given:
        given = {**given, "api_key": sim.key(given["api_key"])}
    result = await go(hass, await start_subentry(hass, entry, SUBENTRY_GATEWAY), **given)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    result = await go(hass, result, gateway_id="roof-gw")
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, "cannot_connect"), (503, "cannot_connect"), (400, "refused")],
)
async def test_a_failing_server_is_named(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, status: int, error: str
) -> None:
    """A fault of the server is told in its words."""
    sim.faults.http_status["GET /gs/gateways"] = status
    result = await go(
        hass, await start_subentry(hass, entry, SUBENTRY_GATEWAY), gateway_id="roof-gw"
    )
    assert result["errors"] == {"base": error}
    assert result["description_placeholders"]["error"]
    sim.faults.http_status.clear()
    result = await go(hass, result, gateway_id="roof-gw")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_only_once_and_only_while_connected(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """A second subentry for a gateway isn't made, and none while the application is off."""
    await add(hass, entry, gateway_id="roof-gw")
    result = await go(
        hass, await start_subentry(hass, entry, SUBENTRY_GATEWAY), gateway_id="roof-gw"
    )
    assert result["errors"] == {"gateway_id": "already_added"}
    hass.config_entries.subentries.async_abort(result["flow_id"])
    subentry_id = next(iter(entry.subentries))
    await hass.config_entries.async_unload(entry.entry_id)
    result = await start_subentry(hass, entry, SUBENTRY_GATEWAY)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")
    result = await entry.start_subentry_reconfigure_flow(hass, subentry_id)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")


# Following


async def test_what_changes_is_followed(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """Counters move; a gateway that is gone shows so, and when it was last seen stays."""
    item = await add(hass, entry, gateway_id="roof-gw")
    seen = state(hass, "sensor", "gateway_last_seen")
    sim.stack.connections["roof-gw"]["uplink_count"] = "77"
    freezer.tick(timedelta(minutes=1, seconds=2))
    async_fire_time_changed(hass)
    await until(hass, lambda: state(hass, "sensor", "gateway_uplinks") == "77")
    connection = sim.stack.connections.pop("roof-gw")
    await again(hass, item)
    assert state(hass, "binary_sensor", "gateway_connection") == "off"
    assert state(hass, "sensor", "gateway_uplinks") == "unknown"
    assert state(hass, "sensor", "gateway_last_seen") == seen
    sim.stack.connections["roof-gw"] = {
        **connection,
        "disconnected_at": connection["connected_at"],
    }
    await again(hass, item)
    assert state(hass, "binary_sensor", "gateway_connection") == "off"
    sim.stack.connections["roof-gw"] = connection
    await again(hass, item)
    assert state(hass, "binary_sensor", "gateway_connection") == "on"


async def test_registry_is_asked_once_an_hour(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """The status needs one request; a new name comes within the hour."""
    item = await add(hass, entry, gateway_id="roof-gw")
    sim.requests.clear()
    await again(hass, item)
    paths = [path for _, path in sim.requests if "roof-gw" in path]
    assert len(paths) == 1
    assert paths[0].endswith("/gs/gateways/roof-gw/connection/stats")
    sim.stack.gateways["roof-gw"]["name"] = "Roof of the barn"
    freezer.tick(REGISTRY_INTERVAL)
    await again(hass, item)
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, ROOF), entry.entry_id)
    assert device is not None
    assert device.name == "Roof of the barn"
    sim.faults.http_status["GET /gateways"] = 500
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, ROOF), entry.entry_id)
    assert device is not None
    assert (device.name, device.serial_number) == ("Roof of the barn", "B827EBFFFE000001")


async def test_right_taken_away(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Unavailable, logged once, one issue, asked seldom; back by itself, or by another key."""
    item = await add(hass, entry, gateway_id="roof-gw")
    sim.stack.gateways["roof-gw"]["status_public"] = False
    caplog.clear()
    await again(hass, item)
    assert state(hass, "binary_sensor", "gateway_connection") == "unavailable"
    assert gateway_issues(hass) == ["gateway_refused"]
    asked = len(sim.requests)
    freezer.tick(timedelta(minutes=1, seconds=2))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert not any("roof-gw" in path for _, path in sim.requests[asked:])
    assert item.update_interval == timedelta(minutes=15)
    await item.async_refresh()
    lines = [r for r in caplog.records if "roof-gw" in r.getMessage() and r.levelno >= logging.INFO]
    assert len(lines) == 1

    result: Result = await entry.start_subentry_reconfigure_flow(hass, item.subentry_id)
    assert result["step_id"] == "reconfigure"
    result = await go(hass, result)
    assert result["errors"] == {"api_key": "key_needed"}
    key = sim.gateway_key("roof-gw")
    loaded = entry.runtime_data
    result = await go(hass, result, api_key=key)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    await until(hass, lambda: item.last_update_success)
    await hass.async_block_till_done()
    assert entry.runtime_data is loaded  # nothing was reloaded
    assert state(hass, "binary_sensor", "gateway_connection") == "on"
    assert gateway_issues(hass) == []
    assert entry.subentries[item.subentry_id].data["api_key"] == key

    sim.revoke("gateway/roof-gw")
    await again(hass, item)
    assert gateway_issues(hass) == ["gateway_refused"]
    assert not list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
    sim.restore("gateway/roof-gw")
    await again(hass, item)
    assert gateway_issues(hass) == []


async def test_deleted_key_of_the_application(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The next poll notices it, and a new key is asked for; the gateway has no issue of its own."""
    item = await add(hass, entry, gateway_id="roof-gw")
    sim.revoke("read")
    await again(hass, item)
    await until(hass, lambda: list(entry.async_get_active_flows(hass, {SOURCE_REAUTH})))
    assert gateway_issues(hass) == []
    assert entry.runtime_data.connected


async def test_gateway_without_limits(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """A plan without duty-cycle limits has no sub-bands to show, as a real server answered."""
    recorded = json.loads((FIXTURES / "http/gateways/stats.json").read_text("utf-8"))
    sim.stack.connections["roof-gw"]["sub_bands"] = recorded["response"]["json"]["sub_bands"]
    await add(hass, entry, gateway_id="roof-gw")
    duty = hass.states.get(entity_id(hass, "sensor", f"{ROOF}/gateway_duty_cycle"))
    assert duty is not None
    assert float(duty.state) == pytest.approx(0.029, abs=0.001)
    assert duty.attributes["sub_bands"] == []


async def test_deleted_in_the_network(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """An issue says so."""
    item = await add(hass, entry, gateway_id="roof-gw")
    document = sim.stack.gateways.pop("roof-gw")
    freezer.tick(REGISTRY_INTERVAL)
    await again(hass, item)
    assert gateway_issues(hass) == ["gateway_gone"]
    result: Result = await entry.start_subentry_reconfigure_flow(hass, item.subentry_id)
    result = await go(hass, result)
    assert result["errors"] == {"base": "gateway_not_found"}
    sim.stack.gateways["roof-gw"] = document
    await again(hass, item)
    assert gateway_issues(hass) == []


async def test_an_outage_makes_gateways_unavailable(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Nobody's fault: no issue, and it comes back by itself."""
    item = await add(hass, entry, gateway_id="roof-gw")
    sim.faults.http_status["GET /gs/gateways"] = 500
    await again(hass, item)
    assert state(hass, "binary_sensor", "gateway_connection") == "unavailable"
    assert gateway_issues(hass) == []
    sim.faults.http_status.clear()
    await again(hass, item)
    assert state(hass, "binary_sensor", "gateway_connection") == "on"


async def test_a_rate_limit_is_waited_out(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The form says to wait; a gateway that is there is asked again when the server said."""
    item = await add(hass, entry, gateway_id="roof-gw")
    sim.faults.rate_limits["/connection/stats"] = RateLimit(1, 0.2)
    await again(hass, item)
    await again(hass, item)
    assert isinstance(item.last_exception, UpdateFailed)
    assert item.last_exception.retry_after is not None
    assert item.last_exception.retry_after > 120
    assert gateway_issues(hass) == []
    sim.add_gateway(BARN)
    result = await go(
        hass, await start_subentry(hass, entry, SUBENTRY_GATEWAY), gateway_id="roof-gw"
    )
    assert result["errors"] == {"gateway_id": "already_added"}
    sim.faults.rate_limits["barn-gw/connection/stats"] = RateLimit(0, 0.2)
    result = await go(hass, result, gateway_id="barn-gw")
    assert result["errors"] == {"base": "rate_limited"}
    sim.faults.rate_limits.clear()
    await again(hass, item)
    assert state(hass, "binary_sensor", "gateway_connection") == "on"


# Seen by


async def test_end_devices_tell_who_heard_them(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """By the name that Home Assistant has for a gateway, the best first."""
    await add(hass, entry, gateway_id="roof-gw")
    registry = er.async_get(hass)
    key = next(
        d.key for d in entry.runtime_data.roster.states.values() if d.device_id == GREENHOUSE
    )
    found = entity_id(hass, "sensor", f"{key}/best_gateway")
    registry.async_update_entity(found, disabled_by=None)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    stranger = {"gateway_ids": {"gateway_id": "tower"}, "rssi": -40, "snr": 12}
    near = {"gateway_ids": {"gateway_id": "roof-gw"}, "rssi": -80, "snr": 7}
    await sim.uplink(GREENHOUSE, rx_metadata=[near, stranger])

    def shown() -> Any:
        best = hass.states.get(found)
        return best is not None and best.state == "tower" and best.attributes["seen_by"]

    await until(hass, shown)
    assert shown() == [
        {"gateway_id": "tower", "name": None, "rssi": -40, "snr": 12},
        {"gateway_id": "roof-gw", "name": "Roof gw", "rssi": -80, "snr": 7},
    ]


# Life


async def test_restart_and_removal(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """When it was last seen is recalled where it is gone; deleting leaves nothing."""
    await add(hass, entry, gateway_id="roof-gw")
    seen = state(hass, "sensor", "gateway_last_seen")
    sim.stack.connections.pop("roof-gw")
    await hass.config_entries.async_reload(entry.entry_id)
    item = gateway(entry, "roof-gw")
    assert item is not None
    await until(hass, lambda: item.data is not None)
    await hass.async_block_till_done()
    assert state(hass, "binary_sensor", "gateway_connection") == "off"
    assert state(hass, "sensor", "gateway_last_seen") == seen
    end_devices = len(entry.runtime_data.roster.states)
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, ROOF), entry.entry_id)
    assert device is not None
    assert await async_remove_config_entry_device(hass, entry, device)
    await hass.async_block_till_done()
    assert not entry.subentries
    assert gateway(entry, "roof-gw") is None
    registry = er.async_get(hass)
    assert not any(
        "gateway/roof-gw" in found.unique_id
        for found in er.async_entries_for_config_entry(registry, entry.entry_id)
    )
    assert dr.async_get(hass).async_get_device_by_identifier((DOMAIN, ROOF), entry.entry_id) is None
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert len(devices) == end_devices + 1
    sim.requests.clear()
    freezer.tick(timedelta(minutes=1, seconds=2))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert not any("gateways" in path for _, path in sim.requests)


# Texts


def test_every_text_of_the_dialogue() -> None:
    """As many steps, fields and refusals as texts."""
    flow = TEXTS["config_subentries"]["gateway"]
    steps = {n.removeprefix("async_step_") for n in vars(GatewayFlow) if n.startswith("async_step")}
    assert set(flow["step"]) == steps
    for step in flow["step"].values():
        assert step["title"]
        assert set(step["data"]) == set(step["data_description"]) <= {"gateway_id", "api_key"}
    assert set(flow["initiate_flow"]) == {"user", "reconfigure"}
    assert set(flow["abort"]) == {"not_loaded", "without_gateways"}
