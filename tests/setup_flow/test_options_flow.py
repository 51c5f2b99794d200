"""General options: asked for in words, applied at once and without a reload."""

from datetime import timedelta

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.thethingsstack.core_lorawan import async_core_lorawan
from tests.dialogs import Result, submit
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator


async def open_general(hass: HomeAssistant, entry: ConfigEntry) -> Result:
    """Open the general options."""
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == [
        "fields",
        "general",
        "overrides",
        "local_decoding",
        "more_rights",
    ]
    return await submit(hass, result, next_step_id="general")


def device_names(hass: HomeAssistant, entry_id: str) -> set[str | None]:
    """Return the names of the entry's devices."""
    registry = dr.async_get(hass)
    return {d.name for d in dr.async_entries_for_config_entry(registry, entry_id)}


def choices(result: ConfigFlowResult) -> dict[str, str]:
    """Return the end devices that a form offers."""
    schema = result["data_schema"]
    assert schema is not None
    (selector,) = schema.schema.values()
    return {option["value"]: option["label"] for option in selector.config["options"]}


async def test_general_options_are_applied_in_place(hass: HomeAssistant, sim: Simulator) -> None:
    """No reload: with QoS 0 it would lose uplinks."""
    sim.update_device("lpp-node", attributes={"home-assistant": "ignore"})
    entry = await set_up(hass, sim)
    coordinator = entry.runtime_data
    assert "Cellar node" in device_names(hass, entry.entry_id)
    result = await open_general(hass, entry)
    assert result["step_id"] == "general"
    assert result["description_placeholders"] == {
        "attribute": "home-assistant",
        "value": "ignore",
        "overdue_attribute": "home-assistant-overdue",
    }
    result = await submit(
        hass, result, devices="not_ignored", overdue_after=48.0, plain_fields=True
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "devices": "not_ignored",
        "overdue_after": 48,
        "overdue_unavailable": False,
        "plain_fields": True,
        "forget_after": 30,
        "panel": True,
        **({"core_lorawan": True} if await async_core_lorawan(hass) else {}),
    }
    assert entry.runtime_data is coordinator
    assert coordinator.connected
    assert "Cellar node" not in device_names(hass, entry.entry_id)
    device = coordinator.roster.by_device_id("weather-station")
    assert coordinator.overdue_watch.overdue_after(device) == timedelta(hours=48)
    result = await open_general(hass, entry)
    await submit(hass, result, devices="not_ignored", plain_fields=True, forget_after=30)
    assert "overdue_after" not in entry.options
    assert coordinator.overdue_watch.overdue_after(device) == timedelta(hours=25)


async def test_choosing_end_devices(hass: HomeAssistant, sim: Simulator) -> None:
    """By name; those that are left out can be chosen again later."""
    entry = await set_up(hass, sim)
    result = await open_general(hass, entry)
    result = await submit(
        hass, result, devices="chosen", overdue_after=25, plain_fields=True, forget_after=30
    )
    assert result["step_id"] == "chosen_devices"
    offered = choices(result)
    assert set(offered) == set(sim.devices)
    assert offered["greenhouse-climate"] == "Greenhouse climate (greenhouse-climate)"
    result = await submit(hass, result, chosen_devices=["pump-socket", "greenhouse-climate"])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "devices": "chosen",
        "overdue_after": 25,
        "overdue_unavailable": False,
        "plain_fields": True,
        "forget_after": 30,
        "panel": True,
        "chosen_devices": ["pump-socket", "greenhouse-climate"],
        **({"core_lorawan": True} if await async_core_lorawan(hass) else {}),
    }
    assert device_names(hass, entry.entry_id) == {"Garden", "Pump socket", "Greenhouse climate"}

    result = await open_general(hass, entry)
    result = await submit(
        hass, result, devices="chosen", overdue_after=25, plain_fields=True, forget_after=30
    )
    assert choices(result) == offered
    await submit(hass, result, chosen_devices=["weather-station"])
    assert device_names(hass, entry.entry_id) == {"Garden", "Weather station"}

    result = await open_general(hass, entry)
    await submit(hass, result, devices="all", overdue_after=25, plain_fields=True, forget_after=30)
    assert len(device_names(hass, entry.entry_id)) == 1 + len(sim.devices)
    assert entry.options["chosen_devices"] == ["weather-station"]


async def test_choosing_while_the_entry_does_not_run(hass: HomeAssistant, sim: Simulator) -> None:
    """What was chosen stays choosable; nothing else is known."""
    entry = make_entry(sim, options={"devices": "chosen", "chosen_devices": ["pump-socket"]})
    entry.add_to_hass(hass)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await submit(
        hass, result, devices="chosen", overdue_after=25, plain_fields=True, forget_after=30
    )
    assert choices(result) == {"pump-socket": "pump-socket"}
    result = await submit(hass, result, chosen_devices=["pump-socket"])
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_what_more_rights_would_allow(hass: HomeAssistant, sim: Simulator) -> None:
    """The menu says that there is more; once the rights are added, that item is gone."""
    entry = await set_up(hass, sim)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert "replace" not in result["menu_options"]
    result = await submit(hass, result, next_step_id="more_rights")
    text = result["description_placeholders"]
    assert (
        "edit, replace and delete end devices (*Create devices in application*" in text["missing"]
    )
    assert text["console"] == f"{sim.server_url}/console/applications/garden"
    result = await submit(hass, result, next_step_id="check_rights")
    assert result["description_placeholders"] == text  # nothing was added yet
    sim.set_rights("read", ["RIGHT_APPLICATION_ALL"])
    result = await submit(hass, result, next_step_id="check_rights")
    assert result["step_id"] == "all_rights"
    result = await submit(hass, result, next_step_id="init")
    assert {"change", "replace", "remove"} < set(result["menu_options"])
    assert "more_rights" not in result["menu_options"]


async def test_deleting_a_device_on_its_page_leaves_it_out(
    hass: HomeAssistant, sim: Simulator, hass_ws_client: WebSocketGenerator
) -> None:
    """It stays away, whatever it sends; the options bring it back with its decisions."""
    assert await async_setup_component(hass, "config", {})
    entry = await set_up(hass, sim)
    coordinator = entry.runtime_data
    await sim.uplink("lpp-node", decoded={"temperature": 21.5})
    await until(hass, lambda: coordinator.counters.uplinks_today == 1)
    client = await hass_ws_client(hass)

    async def delete(name: str) -> None:
        (device,) = (
            device
            for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
            if device.name == name
        )
        await client.send_json_auto_id(
            {
                "type": "config/device_registry/remove_config_entry",
                "config_entry_id": entry.entry_id,
                "device_id": device.id,
            }
        )
        answer = await client.receive_json()
        assert answer["success"], answer
        await hass.async_block_till_done()
        assert name not in device_names(hass, entry.entry_id)

    await delete("Cellar node")
    await delete("Pump socket")
    assert entry.options["devices"] == "all_but"
    assert entry.options["left_out_devices"] == ["lpp-node", "pump-socket"]
    await sim.uplink("lpp-node", decoded={"temperature": 22.5})
    await sim.uplink("weather-station", decoded={"voltage": 3.5})
    await until(hass, lambda: coordinator.counters.uplinks_today >= 2)
    assert coordinator.roster.by_device_id("lpp-node") is None
    assert "lpp-node" in sim.devices

    general = {"overdue_after": 25, "plain_fields": True, "forget_after": 30}
    result = await submit(hass, await open_general(hass, entry), devices="all_but", **general)
    assert result["step_id"] == "left_out_devices"
    assert set(choices(result)) == set(sim.devices)
    await submit(hass, result, left_out_devices=["pump-socket"])
    assert "Cellar node" in device_names(hass, entry.entry_id)
    assert coordinator.roster.by_device_id("lpp-node").decisions
    assert "Pump socket" not in device_names(hass, entry.entry_id)

    await submit(hass, await open_general(hass, entry), devices="all", **general)
    assert "left_out_devices" not in entry.options
    result = await submit(hass, await open_general(hass, entry), devices="chosen", **general)
    await submit(hass, result, chosen_devices=["pump-socket", "lpp-node"])
    await delete("Pump socket")
    assert entry.options["chosen_devices"] == ["lpp-node"]

    result = await submit(hass, await open_general(hass, entry), devices="not_ignored", **general)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await delete("Pump socket")
    result = await submit(hass, await open_general(hass, entry), devices="not_ignored", **general)
    await submit(hass, result, left_out_devices=[])
    assert "Pump socket" in device_names(hass, entry.entry_id)
