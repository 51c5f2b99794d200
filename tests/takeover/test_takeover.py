"""Entities of The Things Network (Cloud Storage) become ours, with all that the user made of them.

Its entry can't reach its server here, as in an outage; its entities are in the real registries, with
the unique IDs that its own parser of uplinks gives them.
"""

from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from ttn_client.parsers import ttn_parse
from ttn_client.values.binary_sensor import TTNBinarySensorValue
from ttn_client.values.sensor import TTNSensorValue
from yarl import URL

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.coordinator import ApplicationCoordinator
from tests.dialogs import Result, go, start_repair
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator

OLD = "thethingsnetwork"
CLIMATE, SENSECAP = "greenhouse-climate", "field-air"
PAYLOAD = {"air": {"temperature": 21.5, "humidity": 40}, "BatV": 3.1, "door": 1, "steps": [1, 2]}
MESSAGES = {
    "err": 0,
    "payload": "010110B0680000",
    "valid": True,
    "messages": [
        {"type": "Air Temperature", "measurementId": "4097", "measurementValue": 26.8},
        {"Battery(%)": 98},
    ],
}


def old_entry(sim: Simulator, domain: str = OLD, **changes: Any) -> MockConfigEntry:
    """Return an entry of the other integration for the same application."""
    url = URL(sim.server_url)
    data = {"host": f"{url.host}:{url.port}", "app_id": sim.application_id, "api_key": "NNSXS.X.Y"}
    return MockConfigEntry(domain=domain, title="Storage", data={**data, **changes})


def register(
    hass: HomeAssistant, entry: ConfigEntry, envelope: dict[str, Any], kinds: Any = TTNSensorValue
) -> dict[str, str]:
    """Register what the other integration makes of an uplink; return entity IDs by field."""
    device_id = envelope["end_device_ids"]["device_id"]
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(entry.domain, f"{entry.data['app_id']}_{device_id}")},
        name=device_id,
    )
    return {
        field: er.async_get(hass)
        .async_get_or_create(
            "binary_sensor" if isinstance(value, TTNBinarySensorValue) else "sensor",
            entry.domain,
            f"{device_id}_{field}",
            config_entry=entry,
            device_id=device.id,
            suggested_object_id=f"old_{device_id}_{field}",
        )
        .entity_id
        for field, value in ttn_parse(envelope).items()
        if isinstance(value, kinds)
    }


@pytest.fixture
async def old(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """The other integration's entry, which tries again and again to reach its server."""
    assert await async_setup_component(hass, "repairs", {})
    entry = old_entry(sim)
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    return entry


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator, old: MockConfigEntry) -> MockConfigEntry:
    """Our entry for the same application."""
    sim.add_device(
        SENSECAP,
        name="Field air",
        version_ids={"brand_id": "sensecap", "model_id": "sensecaps2101-temp-humid"},
    )
    return await set_up(hass, sim, make_entry(sim))


async def receive(
    hass: HomeAssistant, sim: Simulator, entry: ConfigEntry, device_id: str, decoded: Any
) -> dict[str, Any]:
    """Let an end device send, and wait until we have its fields; return the envelope."""
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    device = entry.runtime_data.roster.by_device_id(device_id)
    count = entry.runtime_data.counters.uplinks_today
    envelope = await sim.uplink(device_id, f_port=2, decoded=decoded)
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today > count)
    await until(hass, lambda: device.decisions)
    await hass.async_block_till_done()
    return envelope


async def open_repair(hass: HomeAssistant, entry: ConfigEntry) -> Result:
    """Open the dialogue of the issue."""
    entry.runtime_data.application_status.write()
    (issue_id,) = (i for d, i in ir.async_get(hass).issues if d == DOMAIN and "takeover" in i)
    return await start_repair(hass, issue_id)


def has_issue(hass: HomeAssistant) -> bool:
    """Return whether it is offered."""
    return any(d == DOMAIN and "takeover" in i for d, i in ir.async_get(hass).issues)


def unique_id_of(hass: HomeAssistant, entity_id: str) -> tuple[str, str]:
    """Return the platform and unique ID of an entity."""
    found = er.async_get(hass).async_get(entity_id)
    assert found is not None
    return found.platform, found.unique_id


async def test_all_that_the_user_made_of_them_stays(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, old: MockConfigEntry
) -> None:
    """IDs, names, areas and labels; what is of another kind, or split here, is listed."""
    registry, devices = er.async_get(hass), dr.async_get(hass)
    shed = ar.async_get(hass).async_create("Shed")
    envelope = await receive(hass, sim, entry, CLIMATE, PAYLOAD)
    ids = register(hass, old, envelope)
    assert set(ids) == {"air_temperature", "air_humidity", "BatV", "door", "steps"}
    temperature = registry.async_update_entity(
        ids["air_temperature"], name="Under glass", area_id=shed.id, labels={"plants"}
    )
    devices.async_update_device(temperature.device_id or "", name_by_user="Glasshouse")
    messages = await receive(hass, sim, entry, SENSECAP, MESSAGES)
    ids |= register(hass, old, messages)

    result = await open_repair(hass, entry)
    assert result["type"] is FlowResultType.FORM
    shown = result["description_placeholders"]
    for field in ("air_temperature", "air_humidity", "BatV", "battery", "Air_Temperature_4097"):
        assert f"`{ids[field]}`" in shown["moves"], field
    assert f"`{ids['door']}`" in shown["other_kind"]
    assert f"`{ids['steps']}`" in shown["unknown"]
    assert shown["waiting"] == "–"  # noqa: RUF001
    result = await go(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()

    assert hass.config_entries.async_get_entry(old.entry_id) is None
    assert not has_issue(hass)
    coordinator: ApplicationCoordinator = entry.runtime_data
    device = coordinator.roster.by_device_id(CLIMATE)
    assert device is not None
    moved = registry.async_get(ids["air_temperature"])
    assert moved is not None
    assert (moved.platform, moved.unique_id) == (DOMAIN, f"{device.key}/field/air.temperature")
    assert (moved.id, moved.name, moved.area_id) == (temperature.id, "Under glass", shed.id)
    assert moved.labels == {"plants"}
    assert (moved.device_id, moved.config_entry_id) == (device.registry_id, entry.entry_id)
    ours = devices.async_get(device.registry_id or "")
    assert ours is not None
    assert ours.name_by_user == "Glasshouse"
    await receive(hass, sim, entry, CLIMATE, {**PAYLOAD, "air": {"temperature": 22.5}})
    state = hass.states.get(ids["air_temperature"])
    assert state is not None
    assert (state.state, state.attributes["unit_of_measurement"]) == ("22.5", "°C")
    sensecap = coordinator.roster.by_device_id(SENSECAP)
    assert sensecap is not None
    assert unique_id_of(hass, ids["Air_Temperature_4097"]) == (
        DOMAIN,
        f"{sensecap.key}/field/messages.Air Temperature",
    )
    assert registry.async_get(ids["door"]) is None  # the one that can't move ends with its entry


async def test_what_has_not_been_received_here_waits_over_a_restart(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, old: MockConfigEntry
) -> None:
    """The other integration stays down meanwhile; the last entity to move ends its entry."""
    envelope = await receive(hass, sim, entry, CLIMATE, {"BatV": 3.1})
    ids = register(hass, old, envelope)
    later = {**envelope, "uplink_message": {"decoded_payload": {"rain": 0.4}}}
    ids |= register(hass, old, later)
    result = await go(hass, await open_repair(hass, entry))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert old.state is ConfigEntryState.NOT_LOADED
    assert unique_id_of(hass, ids["BatV"])[0] == DOMAIN
    assert unique_id_of(hass, ids["rain"]) == (OLD, f"{CLIMATE}_rain")

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.config_entries.async_setup(old.entry_id)  # as Home Assistant does when it starts
    await until(hass, lambda: old.state is ConfigEntryState.NOT_LOADED)
    await until(hass, lambda: entry.runtime_data.connected)
    assert (await open_repair(hass, entry))["type"] is FlowResultType.MENU

    await receive(hass, sim, entry, CLIMATE, {"BatV": 3.1, "rain": 0.4})
    await until(hass, lambda: hass.config_entries.async_get_entry(old.entry_id) is None)
    assert unique_id_of(hass, ids["rain"])[0] == DOMAIN
    await until(hass, lambda: hass.states.get(ids["rain"]).state == "0.4")  # type: ignore[union-attr]
    entry.runtime_data.application_status.write()
    assert not has_issue(hass)


@pytest.mark.parametrize("choice", ["finish", "take_back"])
async def test_waiting_can_be_ended(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, old: MockConfigEntry, choice: str
) -> None:
    """Either the rest is given up, or all is as before."""
    envelope = await receive(hass, sim, entry, CLIMATE, {"BatV": 3.1})
    ids = register(hass, old, envelope)
    later = {**envelope, "uplink_message": {"decoded_payload": {"rain": 0.4}}}
    ids |= register(hass, old, later)
    before = er.async_get(hass).async_get(ids["BatV"])
    assert before is not None
    await go(hass, await open_repair(hass, entry))
    result = await go(hass, await open_repair(hass, entry), next_step_id=choice)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    if choice == "finish":
        assert hass.config_entries.async_get_entry(old.entry_id) is None
        assert er.async_get(hass).async_get(ids["rain"]) is None
        assert unique_id_of(hass, ids["BatV"])[0] == DOMAIN
        return
    now = er.async_get(hass).async_get(ids["BatV"])
    assert now is not None
    assert (now.platform, now.unique_id) == (OLD, before.unique_id)
    assert (now.config_entry_id, now.device_id) == (old.entry_id, before.device_id)
    assert old.state is ConfigEntryState.SETUP_RETRY
    device = entry.runtime_data.roster.by_device_id(CLIMATE)
    assert er.async_get(hass).async_get_entity_id("sensor", DOMAIN, f"{device.key}/field/BatV")


async def test_closing_the_dialogue_changes_nothing(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, old: MockConfigEntry
) -> None:
    """Nothing was unloaded, nothing moved."""
    ids = register(hass, old, await receive(hass, sim, entry, CLIMATE, {"BatV": 3.1}))
    await open_repair(hass, entry)
    assert old.state is ConfigEntryState.SETUP_RETRY
    assert unique_id_of(hass, ids["BatV"]) == (OLD, f"{CLIMATE}_BatV")
    assert entry.state is ConfigEntryState.LOADED


async def test_an_integration_that_does_not_stop_keeps_all(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The dialogue says that nothing was taken over."""
    other = old_entry(sim, "thethingsnetwork_alt")
    other.add_to_hass(hass)
    other.mock_state(hass, ConfigEntryState.FAILED_UNLOAD)
    ids = register(hass, other, await receive(hass, sim, entry, CLIMATE, {"BatV": 3.1}))
    result = await go(hass, await open_repair(hass, entry))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "failed")
    assert unique_id_of(hass, ids["BatV"]) == (other.domain, f"{CLIMATE}_BatV")
    assert entry.state is ConfigEntryState.LOADED
    assert has_issue(hass)


async def test_others_are_left_alone(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Another application, or the same ID on another server."""
    (old,) = hass.config_entries.async_entries(OLD)
    envelope = await receive(hass, sim, entry, CLIMATE, {"BatV": 3.1})
    await hass.config_entries.async_remove(old.entry_id)
    for changes in ({"app_id": "field"}, {"host": "eu1.cloud.thethings.network"}):
        other = old_entry(sim, **changes)
        other.add_to_hass(hass)
        register(hass, other, envelope)
    entry.runtime_data.application_status.write()
    assert not has_issue(hass)


async def test_the_predecessor_names_no_server(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, old: MockConfigEntry
) -> None:
    """Its devices are identified by their ID alone."""
    await hass.config_entries.async_remove(old.entry_id)
    data = {"app_id": sim.application_id, "access_key": "ttn-account-v2.x"}
    other = MockConfigEntry(domain=OLD, title="Predecessor", data=data)
    other.add_to_hass(hass)
    await receive(hass, sim, entry, CLIMATE, {"BatV": 3.1})
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={(OLD, CLIMATE)}
    )
    battery = er.async_get(hass).async_get_or_create(
        "sensor", OLD, f"{CLIMATE}_BatV", config_entry=other, device_id=device.id
    )
    await go(hass, await open_repair(hass, entry))
    assert unique_id_of(hass, battery.entity_id)[0] == DOMAIN


async def test_ha_alt_has_binary_sensors_that_move(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Its code may be gone already: its entities are moved all the same."""
    other = old_entry(sim, "thethingsnetwork_alt")
    other.add_to_hass(hass)
    envelope = await receive(hass, sim, entry, CLIMATE, {"BatV": 3.1, "door_open": True})
    ids = register(hass, other, envelope, (TTNSensorValue, TTNBinarySensorValue))
    result = await go(hass, await open_repair(hass, entry))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert unique_id_of(hass, ids["BatV"])[0] == DOMAIN
    assert ids["door_open"].startswith("binary_sensor.")
    assert unique_id_of(hass, ids["door_open"])[0] == DOMAIN
    assert hass.config_entries.async_get_entry(other.entry_id) is None


async def test_ttn_mqtt_has_ids_that_begin_with_its_entry(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, old: MockConfigEntry
) -> None:
    """Fields move; what it shows of the radio exists here already, and is listed."""
    await hass.config_entries.async_remove(old.entry_id)
    data = {"host": "127.0.0.1", "port": sim.mqtt_port, "application_id": sim.application_id}
    other = MockConfigEntry(domain="ttn_mqtt", title="MQTT", data=data)
    other.add_to_hass(hass)
    await receive(hass, sim, entry, CLIMATE, {"air": {"temperature": 21.5}, "BatV": 3.1})
    start = f"{other.entry_id}_{CLIMATE}"
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("ttn_mqtt", start)}
    )
    ids = {
        key: er.async_get(hass)
        .async_get_or_create(
            "sensor", "ttn_mqtt", f"{start}_{key}", config_entry=other, device_id=device.id
        )
        .entity_id
        for key in ("air_temperature", "BatV", "rssi")
    }
    result = await open_repair(hass, entry)
    assert f"`{ids['rssi']}`" in result["description_placeholders"]["unknown"]
    await go(hass, result)
    for key in ("air_temperature", "BatV"):
        assert unique_id_of(hass, ids[key])[0] == DOMAIN
    assert hass.config_entries.async_get_entry(other.entry_id) is None
