"""The dialogue that adds and changes controls."""

from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.controls.model import SUBENTRY_CONTROL, Control
from custom_components.thethingsstack.controls.preset import built_in
from tests.controls.cases import (
    RADIATOR_KEY,
    SOCKET,
    SOCKET_KEY,
    VALVE,
    add_control,
    entity_of,
    registry,
    state_of,
)
from tests.dialogs import Result, go, options, start_subentry, suggested
from tests.ha_fixtures import make_entry, set_up
from tests.simulator import Simulator


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application, with a key that may send downlinks."""
    entry = await set_up(hass, sim, make_entry(sim, "control"))
    await sim.uplink("pump-socket")
    await sim.uplink("bath-radiator")
    await hass.async_block_till_done()
    return entry


async def by_hand(
    hass: HomeAssistant, entry: MockConfigEntry, device: str, platform: str, name: str = "Thing"
) -> Result:
    """Go to the form for the commands."""
    result = await go(hass, await start_subentry(hass, entry, SUBENTRY_CONTROL), device=device)
    assert result["type"] is FlowResultType.MENU
    result = await go(hass, result, next_step_id="by_hand")
    assert result["step_id"] == "by_hand"
    result = await go(hass, result, platform=platform, name=name)
    assert result["step_id"] == "commands"
    return result


async def test_a_switch_by_hand(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Device, kind, commands, report, preview, done."""
    before = registry(hass)
    result = await start_subentry(hass, entry, SUBENTRY_CONTROL)
    assert result["step_id"] == "user"
    assert result["description_placeholders"]["warning"] == ""
    assert "Pump socket · pump-socket · WS523" in options(result, "device")
    result = await by_hand(hass, entry, "pump-socket", "switch", "Pump")
    result = await go(
        hass,
        result,
        on="08 01 FF",
        off="08 00 FF",
        f_port=85,
        confirmed=True,
        single={},
    )
    assert result["step_id"] == "reports"
    assert {"value": "socket_status", "label": "socket_status = on"} in options(result, "state")
    result = await go(hass, result, state="socket_status")
    assert result["step_id"] == "preview"
    frames = result["description_placeholders"]["frames"]
    assert "| On | 85 | `08 01 FF` |" in frames
    result = await go(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    (subentry,) = entry.subentries.values()
    assert subentry.title == "Pump socket · Pump"
    assert Control.from_dict(subentry.data).device == SOCKET_KEY
    assert state_of(hass, subentry.subentry_id).state == "on"
    assert registry(hass, (subentry.subentry_id,)) == before


async def test_all_controls_of_a_preset_in_one_step(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The preset of the model is chosen already; each control becomes a subentry."""
    before = registry(hass)
    result = await go(
        hass, await start_subentry(hass, entry, SUBENTRY_CONTROL), device="bath-radiator"
    )
    assert result["description_placeholders"]["preset"] == "MClimate Vicki"
    assert result["menu_options"] == ["preset_controls", "preset", "by_hand"]
    result = await go(hass, result, next_step_id="preset_controls")
    assert result["step_id"] == "preset_controls"
    assert "MClimate documentation" in result["description_placeholders"]["source"]
    result = await go(hass, result, controls=[])
    assert result["errors"] == {"controls": "no_controls"}
    result = await go(hass, result, controls=["Thermostat", "Child lock"])
    assert result["reason"] == "controls_added"
    assert result["description_placeholders"]["controls"] == "- Thermostat\n- Child lock"
    await hass.async_block_till_done()
    assert sorted(s.title for s in entry.subentries.values()) == [
        "Bathroom radiator · Child lock",
        "Bathroom radiator · Thermostat",
    ]
    domains = {entity_of(hass, i).domain for i in entry.subentries}
    assert domains == {"climate", "switch"}
    assert registry(hass, tuple(entry.subentries)) == before


async def test_a_model_without_preset_gets_the_whole_list(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Nothing is chosen already."""
    result = await go(hass, await start_subentry(hass, entry, SUBENTRY_CONTROL), device="lpp-node")
    result = await go(hass, result, next_step_id="preset")
    key = next(iter(result["data_schema"].schema))
    assert not callable(key.default)
    assert len(options(result, "preset")) == len(built_in())
    result = await go(hass, result)
    assert result["errors"] == {"preset": "preset_missing"}


async def test_errors_stand_at_their_field_and_what_was_typed_stays(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """In every step."""
    result = await start_subentry(hass, entry, SUBENTRY_CONTROL)
    result = await go(hass, result, device="no-such-device")
    assert result["errors"] == {"device": "device_unknown"}
    assert suggested(result)["device"] == "no-such-device"
    result = await go(hass, result)
    assert result["errors"] == {"device": "device_unknown"}
    result = await go(hass, result, device="Bathroom radiator · bath-radiator · VICKI")
    result = await go(hass, result, next_step_id="by_hand")
    result = await go(hass, result, platform="number", name="  ")
    assert result["errors"] == {"name": "name_empty"}
    result = await go(hass, result, platform="number", name="Target")
    typed = {"set": "0E {value}", "f_port": 1, "confirmed": True, "minimum": 5, "maximum": 300}
    typed["step"] = 1
    result = await go(hass, result, **typed)
    assert result["errors"] == {"set": "value_out_of_range"}
    assert result["description_placeholders"]["detail"] == "300.0, 1"
    assert suggested(result)["set"] == "0E {value}"
    result = await go(hass, result, **{**typed, "set": "{{ value | nothing }}"})
    assert result["errors"] == {"set": "template_failed"}
    result = await go(hass, result, **{**typed, "set": "0E {{ '%04X' | format(value | int) }}"})
    assert result["step_id"] == "reports"
    result = await go(hass, result, value="")
    assert result["step_id"] == "preview"
    assert "`0E 01 2C`" in result["description_placeholders"]["frames"]


async def test_objects_are_encoded_by_the_payload_formatter(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Bytes and port of the formatter, its warnings, and its refusal."""
    result = await by_hand(hass, entry, "bath-radiator", "number", "Target")
    typed: dict[str, Any] = {"f_port": 9, "confirmed": True, "minimum": 5, "step": 1}
    payload = '{"setTargetTemperature": "{value}"}'
    result = await go(hass, result, **{**typed, "set": '{"other": "{value}"}', "maximum": 30})
    assert result["errors"] == {"set": "not_encoded"}
    assert "unknown command" in result["description_placeholders"]["detail"]
    result = await go(hass, result, **{**typed, "set": payload, "maximum": 30})
    result = await go(hass, result, value="targetTemperature")
    frames = result["description_placeholders"]["frames"]
    assert "| Set: 5 | 1 | `0E 05` |" in frames
    assert "`0E 1E` ⚠" in frames
    assert "above the usual range" in frames


async def test_an_object_needs_a_payload_formatter(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The server would queue an empty frame."""
    result = await by_hand(hass, entry, "weather-station", "button")
    result = await go(hass, result, press='{"reboot": true}', f_port=9, confirmed=True)
    assert result["errors"] == {"press": "not_encoded"}


async def test_a_control_is_changed_and_keeps_its_entity(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Each form shows what there is."""
    control = await add_control(hass, entry, SOCKET)
    before = entity_of(hass, control).entity_id
    result = await start_subentry(
        hass, entry, SUBENTRY_CONTROL, source=SOURCE_RECONFIGURE, subentry_id=control
    )
    assert result["step_id"] == "reconfigure"
    label = "Pump socket · pump-socket · WS523"
    assert suggested(result) == {"device": label, "name": "Socket"}
    result = await go(hass, result, device="nowhere", name="Pump")
    assert result["errors"] == {"device": "device_unknown"}
    result = await go(hass, result, device="pump-socket", name="")
    assert result["errors"] == {"name": "name_empty"}
    result = await go(hass, result, device="bath-radiator", name="Pump")
    shown = suggested(result)
    assert (shown["on"], shown["f_port"], shown["confirmed"]) == ("08 01 FF", 85, True)
    result = await go(
        hass,
        result,
        on="01",
        off="00",
        f_port=3,
        confirmed=False,
        single={"on_f_port": 4, "on_confirmed": "confirmed", "off_confirmed": "same"},
    )
    assert suggested(result)["state"] == "socket_status"
    result = await go(hass, result)
    result = await go(hass, result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    changed = Control.from_dict(entry.subentries[control].data)
    assert (changed.device, changed.name, changed.assumed) == (RADIATOR_KEY, "Pump", True)
    assert (changed.commands["on"].f_port, changed.commands["on"].confirmed) == (4, True)
    assert (changed.commands["off"].f_port, changed.commands["off"].confirmed) == (3, False)
    assert entity_of(hass, control).entity_id == before
    assert entry.subentries[control].title == "Socket of a device", "the user's own"


async def test_a_key_that_may_not_send_is_told_at_once(hass: HomeAssistant, sim: Simulator) -> None:
    """Which right is missing, and where to grant it."""
    entry = await set_up(hass, sim, make_entry(sim, "read"))
    result = await start_subentry(hass, entry, SUBENTRY_CONTROL)
    warning = result["description_placeholders"]["warning"]
    assert "RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE" in warning


async def test_a_control_that_makes_no_sense_can_be_mended(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Its forms are empty."""
    control = await add_control(hass, entry, {**VALVE, "commands": {}})
    result = await start_subentry(
        hass, entry, SUBENTRY_CONTROL, source=SOURCE_RECONFIGURE, subentry_id=control
    )
    result = await go(hass, result, device="bath-radiator", name="Valve")
    assert result["step_id"] == "commands"
    result = await go(
        hass,
        result,
        open="01",
        close="00",
        f_port=2,
        confirmed=True,
        single={},
    )
    result = await go(hass, result)
    result = await go(hass, result)
    await hass.async_block_till_done()
    assert state_of(hass, control).state == "unknown"


async def test_without_connection_nothing_can_be_added(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """It says so, instead of an empty list."""
    await hass.config_entries.async_unload(entry.entry_id)
    result = await start_subentry(hass, entry, SUBENTRY_CONTROL)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")


async def test_unloaded_while_the_dialogue_is_open(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """It says so then, too."""
    result = await start_subentry(hass, entry, SUBENTRY_CONTROL)
    while result["type"] is FlowResultType.MENU:
        assert result["menu_options"] is not None
        result = await go(hass, result, next_step_id=list(result["menu_options"])[-1])
    await hass.config_entries.async_unload(entry.entry_id)
    result = await go(hass, result, device="bath-radiator")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")


async def test_without_end_devices_nothing_can_be_added(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """It says so, too."""
    for device_id in list(sim.devices):
        sim.remove_device(device_id)
    entry = await set_up(hass, sim, make_entry(sim, "control"))
    result = await start_subentry(hass, entry, SUBENTRY_CONTROL)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_devices")
