"""Moving an entry of version 2 to an application of The Things Stack: the same world on both."""

from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.client import EndDevice
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.fields.apply_overrides import async_apply_overrides
from custom_components.thethingsstack.fields.overrides import FieldOverride
from custom_components.thethingsstack.payload import Override
from custom_components.thethingsstack.setup_flow.move import KnownDevice, match
from tests.controls.cases import SOCKET, SOCKET_KEY, add_control
from tests.dialogs import Result, go
from tests.ha_fixtures import entity_id, until
from tests.setup_flow.steps import own_server
from tests.simulator import Simulator as Version3
from tests.simulator.v2 import Simulator

from .conftest import make_entry, set_up


async def to_version_3(
    hass: HomeAssistant, entry: MockConfigEntry, sim: Version3, key: str = "manage"
) -> Result:
    """Go through the dialogue as far as the comparison."""
    context: Any = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    result = await hass.config_entries.flow.async_init(DOMAIN, context=context)
    result = await go(hass, result, next_step_id="move")
    assert result["step_id"] == "user"
    (selector,) = result["data_schema"].schema.values()
    assert not {"ttn_v2", "webhook_only"} & set(selector.config["options"])
    result = await go(hass, result, network="own_server")
    result = await go(
        hass, result, **own_server(sim, mqtt_host=sim.mqtt_host, mqtt_port=sim.mqtt_port)
    )
    result = await go(hass, result, api_key=sim.key(key))
    assert result["step_id"] == "rights", result.get("errors")
    return await go(hass, result, door="mqtt")


def registered(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return the entity IDs of an entry's entities, by unique ID."""
    found = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {item.unique_id: item.entity_id for item in found}


async def test_devices_entities_controls_and_overrides_stay(
    hass: HomeAssistant, sim2: Simulator, sim: Version3
) -> None:
    """The recorded worlds of both versions have the same DevEUIs."""
    options = {"devices": "chosen", "chosen_devices": ["pump_socket", "greenhouse-climate", "old"]}
    sim2.add_device("old", dev_eui="70B3D57ED00600AB", description="Old sensor")
    device = sim2.devices.pop("pump-socket")
    device.device_id = "pump_socket"  # version 3 allows no underscore
    sim2.devices["pump_socket"] = device
    entry = await set_up(hass, make_entry(sim2, options=options))
    await sim2.uplink("greenhouse-climate")
    await sim2.uplink("pump_socket", decoded={"socket_status": "on"})
    coordinator = entry.runtime_data
    await until(hass, lambda: coordinator.roster.by_device_id("pump_socket").decisions)
    await hass.async_block_till_done()
    control = await add_control(hass, entry, SOCKET)
    change = FieldOverride(
        path="socket_status", change=Override(name="Pump power"), device=SOCKET_KEY
    )
    coordinator.fields.overrides.put(change)
    await async_apply_overrides(hass, coordinator)
    before = registered(hass, entry)
    devices = {
        item.id for item in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    }

    result = await to_version_3(hass, entry, sim)
    assert result["step_id"] == "move_sure"
    said = result["description_placeholders"]
    assert "→ pump-socket" in said["found"]
    assert "Old sensor (70B3D57ED00600AB)" in said["missing"]
    assert said["missing_count"] == "1"
    assert "weather-station" in said["new"].lower().replace(" ", "-")
    result = await go(hass, result)
    assert result["reason"] == "moved"
    await until(
        hass,
        lambda: (
            entry.state is ConfigEntryState.LOADED
            and entry.runtime_data is not coordinator
            and entry.runtime_data.connected
        ),
    )
    assert entry.data["network"] == "own_server"
    assert entry.unique_id == f"127.0.0.1/{sim.uid}"
    assert entry.options["chosen_devices"] == ["pump-socket", "greenhouse-climate", "old"]
    after = registered(hass, entry)
    assert before.items() <= after.items()
    assert devices <= {
        item.id for item in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    }
    roster = entry.runtime_data.roster
    assert roster.by_device_id("pump-socket").key == SOCKET_KEY
    assert roster.by_device_id("old").vanished
    override = entry.runtime_data.fields.override(SOCKET_KEY, "socket_status")
    assert override is not None
    assert override.change.name == "Pump power"
    switch = entity_id(hass, "switch", control)
    await hass.services.async_call("switch", "turn_off", {"entity_id": switch}, blocking=True)
    session = sim.devices["pump-socket"].session
    assert session is not None
    assert session.queue
    await sim.uplink("pump-socket", {"socket_status": "off"}, f_port=85)
    await until(hass, lambda: state(hass, switch) == "off")


def state(hass: HomeAssistant, entity: str) -> str | None:
    """Return the state of an entity."""
    found = hass.states.get(entity)
    return None if found is None else found.state


async def test_an_entry_whose_stack_is_gone_can_be_moved(
    hass: HomeAssistant, sim2: Simulator, sim: Version3
) -> None:
    entry = await set_up(hass, make_entry(sim2))
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await to_version_3(hass, entry, sim)
    assert int(result["description_placeholders"]["count"]) > 2
    result = await go(hass, result)
    assert result["reason"] == "moved"
    await until(hass, lambda: entry.state is ConfigEntryState.LOADED)


async def test_a_key_that_lists_nothing_moves_without_comparison(
    hass: HomeAssistant, sim2: Simulator, sim: Version3
) -> None:
    entry = await set_up(hass, make_entry(sim2))
    sim.set_rights("read", ["RIGHT_APPLICATION_TRAFFIC_READ"])
    context: Any = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    result = await hass.config_entries.flow.async_init(DOMAIN, context=context)
    result = await go(hass, result, next_step_id="move")
    result = await go(hass, result, network="own_server")
    address = own_server(sim, mqtt_host=sim.mqtt_host, mqtt_port=sim.mqtt_port)
    result = await go(hass, result, **address)
    result = await go(hass, result, api_key=sim.key("read"))
    if result["step_id"] == "application":
        result = await go(hass, result, application_id=sim.application_id)
    result = await go(hass, result, door="mqtt")
    assert result["step_id"] == "move_unseen"
    assert (await go(hass, result))["reason"] == "moved"


async def test_an_application_that_is_connected_already_is_not_taken(
    hass: HomeAssistant, sim2: Simulator, sim: Version3
) -> None:
    entry = await set_up(hass, make_entry(sim2))
    hass.config_entries.async_update_entry(entry, unique_id="handler.example.org/garden")
    other = MockConfigEntry(domain=DOMAIN, unique_id=f"127.0.0.1/{sim.uid}", data=dict(entry.data))
    other.add_to_hass(hass)
    context: Any = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    result = await hass.config_entries.flow.async_init(DOMAIN, context=context)
    result = await go(hass, result, next_step_id="move")
    result = await go(hass, result, network="own_server")
    address = own_server(sim, mqtt_host=sim.mqtt_host, mqtt_port=sim.mqtt_port)
    result = await go(hass, result, **address)
    result = await go(hass, result, api_key=sim.key("manage"))
    assert result["reason"] == "already_configured"
    assert entry.data["network"] == "ttn_v2"


def device(device_id: str, dev_eui: str | None) -> EndDevice:
    """Return a registered end device."""
    return EndDevice.from_json(
        {
            "ids": {
                "device_id": device_id,
                "application_ids": {"application_id": "garden"},
                **({"dev_eui": dev_eui} if dev_eui else {}),
            }
        }
    )


@pytest.mark.parametrize(
    ("known", "there", "found"),
    [
        (("a", "01" * 8), ("b", "01" * 8), True),
        (("a", "01" * 8), ("a", "02" * 8), False),
        (("a", None), ("a", "02" * 8), True),
        (("a", None), ("b", "02" * 8), False),
        (("a", "01" * 8), ("a", None), False),
    ],
)
def test_end_devices_are_matched_by_dev_eui(
    known: tuple[str, str | None], there: tuple[str, str | None], found: bool
) -> None:
    """The ID only counts for one that has none here."""
    matches = match([KnownDevice("A", *known)], [device(*there)])
    assert bool(matches.found) is found
    assert bool(matches.missing) is bool(matches.new) is not found
