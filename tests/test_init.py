"""Setting up, unloading, removing and changing an application."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_ON, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.thethingsstack.const import (
    CONF_CHOSEN_DEVICES,
    CONF_DEVICES,
    DEVICES_ALL,
    DEVICES_CHOSEN,
    DEVICES_NOT_IGNORED,
    DOMAIN,
)
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator

GREENHOUSE = "garden/A84041000181C061"


def devices_of(hass: HomeAssistant, entry_id: str) -> dict[str, dr.DeviceEntry]:
    """Return the devices of an entry by name."""
    registry = dr.async_get(hass)
    return {
        device.name or "": device
        for device in dr.async_entries_for_config_entry(registry, entry_id)
    }


async def test_every_end_device_appears_also_silent_ones(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Devices are named as in The Things Stack and know what they are."""
    entry = await set_up(hass, sim)
    devices = devices_of(hass, entry.entry_id)
    assert set(devices) == {
        "Garden",
        "Bathroom radiator",
        "Greenhouse climate",
        "Cellar node",
        "Never joined",
        "ABP node",
        "Pump socket",
        "Weather station",
    }
    greenhouse = devices["Greenhouse climate"]
    assert greenhouse.manufacturer == "Dragino"
    assert (greenhouse.model, greenhouse.model_id) == ("LHT65N", "lht65n")
    assert devices["Bathroom radiator"].manufacturer == "MClimate"
    assert greenhouse.sw_version == "1.0"
    assert greenhouse.hw_version == "1.0"
    assert greenhouse.serial_number == "A84041000181C061"
    assert (DOMAIN, GREENHOUSE) in greenhouse.identifiers
    assert greenhouse.configuration_url == (
        f"{sim.server_url}/console/applications/garden/devices/greenhouse-climate"
    )
    assert greenhouse.via_device_id == devices["Garden"].id
    assert devices["Garden"].entry_type is dr.DeviceEntryType.SERVICE
    assert devices["Pump socket"].manufacturer == "Milesight"


async def test_status_says_what_a_silent_device_waits_for(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """One that never joined, one that waits for its first uplink."""
    await set_up(hass, sim)
    never = hass.states.get(entity_id(hass, "sensor", "garden/70B3D57ED0060004/status"))
    assert never is not None
    assert never.state == "never_joined"
    last = hass.states.get(entity_id(hass, "sensor", "garden/70B3D57ED0060004/last_uplink"))
    assert last is not None
    assert last.state == STATE_UNKNOWN


async def test_unload_and_reload_leave_nothing_open(hass: HomeAssistant, sim: Simulator) -> None:
    """The connection goes with the entry and comes back with it."""
    entry = await set_up(hass, sim)
    assert sim.connections == 1
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    await until(hass, lambda: sim.connections == 0)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: sim.connections == 1)


async def test_removing_the_entry_removes_its_store(
    hass: HomeAssistant, sim: Simulator, hass_storage: dict[str, object]
) -> None:
    """No file stays behind."""
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.config_entries.async_unload(entry.entry_id)
    assert f"{DOMAIN}.{entry.entry_id}" in hass_storage
    assert f"{DOMAIN}.{entry.entry_id}.values" in hass_storage
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not [name for name in hass_storage if entry.entry_id in name]
    assert devices_of(hass, entry.entry_id) == {}


async def test_a_dead_server_is_tried_again(hass: HomeAssistant, sim: Simulator) -> None:
    """Setup waits for a server that isn't there."""
    sim.faults.http_down = True
    entry = make_entry(sim)
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY


async def test_a_refused_key_starts_reauthentication(hass: HomeAssistant, sim: Simulator) -> None:
    """Only the user can give another key."""
    entry = make_entry(sim, "wrong")
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert [flow["context"]["source"] for flow in flows] == ["reauth"]


async def test_a_key_without_traffic_right_waits_for_it(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """The right may be added in the Console; no new key is needed."""
    entry = make_entry(sim, "info")
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "missing_traffic_right"


async def test_without_the_right_to_list_devices_they_come_from_uplinks(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """The least right is to read traffic."""
    entry = await set_up(hass, sim, make_entry(sim, "traffic"))
    assert set(devices_of(hass, entry.entry_id)) == {"Garden"}
    await sim.uplink("greenhouse-climate", decoded={"TempC_SHT": 20.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    devices = devices_of(hass, entry.entry_id)
    assert set(devices) == {"Garden", "LHT65N C061"}
    assert (DOMAIN, GREENHOUSE) in devices["LHT65N C061"].identifiers
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert "garden/A84041000181C061" in entry.runtime_data.roster.states


async def test_a_new_device_appears_with_its_first_uplink(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Registered after setup: it is named as in The Things Stack soon after."""
    entry = await set_up(hass, sim)
    sim.add_device("barn-door", dev_eui="70B3D57ED0060099", name="Barn door")
    await sim.uplink("barn-door", decoded={"door": "open"})
    await until(hass, lambda: "Barn door" in devices_of(hass, entry.entry_id))
    state = hass.states.get(entity_id(hass, "binary_sensor", "garden/70B3D57ED0060099/field/door"))
    assert state is not None
    assert state.state == STATE_ON


async def test_options_apply_without_a_reload(hass: HomeAssistant, sim: Simulator) -> None:
    """Devices go and come while the stream stays connected."""
    sim.add_device(
        "test-node",
        dev_eui="70B3D57ED0060077",
        name="Test node",
        attributes={"home-assistant": "ignore"},
    )
    entry = await set_up(hass, sim)
    coordinator = entry.runtime_data
    assert "Test node" in devices_of(hass, entry.entry_id)

    hass.config_entries.async_update_entry(entry, options={CONF_DEVICES: DEVICES_NOT_IGNORED})
    await hass.async_block_till_done()
    assert "Test node" not in devices_of(hass, entry.entry_id)
    assert "Weather station" in devices_of(hass, entry.entry_id)

    hass.config_entries.async_update_entry(
        entry, options={CONF_DEVICES: DEVICES_CHOSEN, CONF_CHOSEN_DEVICES: ["pump-socket"]}
    )
    await hass.async_block_till_done()
    assert set(devices_of(hass, entry.entry_id)) == {"Garden", "Pump socket"}
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await sim.uplink("pump-socket", decoded={"voltage": 231})
    await until(hass, lambda: coordinator.counters.uplinks_today == 1)
    assert set(devices_of(hass, entry.entry_id)) == {"Garden", "Pump socket"}

    hass.config_entries.async_update_entry(entry, options={CONF_DEVICES: DEVICES_ALL})
    await hass.async_block_till_done()
    assert {"Weather station", "Test node"} <= set(devices_of(hass, entry.entry_id))
    assert entry.runtime_data is coordinator
    await sim.uplink("weather-station", decoded={"temperature": 21.5})
    await until(hass, lambda: coordinator.counters.uplinks_today == 2)
    await hass.async_block_till_done()
    state = hass.states.get(entity_id(hass, "sensor", "garden/70B3D57ED0060001/field/temperature"))
    assert state is not None
    assert state.state == "21.5"


async def test_another_server_reloads(hass: HomeAssistant, sim: Simulator) -> None:
    """Only the connection's own data needs it."""
    entry = await set_up(hass, sim)
    before = entry.runtime_data
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "api_key": sim.key("control")}
    )

    def reconnected() -> bool:
        now = getattr(entry, "runtime_data", before)
        return now is not before and bool(now.connected)

    await until(hass, reconnected)


async def test_a_device_disabled_in_home_assistant_costs_nothing(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Its uplinks are not looked at."""
    entry = await set_up(hass, sim)
    device = devices_of(hass, entry.entry_id)["Weather station"]
    registry = dr.async_get(hass)
    registry.async_update_device(device.id, disabled_by=dr.DeviceEntryDisabler.USER)
    await hass.async_block_till_done()
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await sim.uplink("pump-socket", decoded={"voltage": 230})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    assert entry.runtime_data.roster.states["garden/70B3D57ED0060001"].values == {}
    registry.async_update_device(device.id, disabled_by=None)
    await hass.async_block_till_done()
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 2)


async def test_a_vanished_device_is_removed_for_good(
    hass: HomeAssistant, sim: Simulator, hass_ws_client: WebSocketGenerator
) -> None:
    """One that The Things Stack no longer has isn't left out by the options: nothing is."""
    assert await async_setup_component(hass, "config", {})
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    device = devices_of(hass, entry.entry_id)["Weather station"]
    client = await hass_ws_client(hass)

    sim.remove_device("weather-station")
    await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    assert "Weather station" in devices_of(hass, entry.entry_id)
    answer = await client.remove_device(device.id)
    assert answer["success"]
    await hass.async_block_till_done()
    assert "Weather station" not in devices_of(hass, entry.entry_id)
    assert "left_out_devices" not in entry.options


async def test_removing_and_adding_again_keeps_ids(hass: HomeAssistant, sim: Simulator) -> None:
    """History belongs to the end device, not to the config entry."""
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    registry = er.async_get(hass)
    before = {
        (e.unique_id, e.entity_id)
        for e in er.async_entries_for_config_entry(registry, entry.entry_id)
    }
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    again = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: again.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    after = {
        (e.unique_id, e.entity_id)
        for e in er.async_entries_for_config_entry(registry, again.entry_id)
    }
    assert after == before


async def test_an_attribute_suggests_the_area(hass: HomeAssistant, sim: Simulator) -> None:
    """The recorded greenhouse has a room."""
    entry = await set_up(hass, sim)
    assert devices_of(hass, entry.entry_id)["Greenhouse climate"].area_id == "greenhouse"
