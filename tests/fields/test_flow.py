"""The Fields dialogue: the user's say in what a field is, at once and without a reload."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.payload.observations import REVISABLE
from tests.dialogs import Result, submit, suggested
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator
from tests.test_entities import GREENHOUSE, WEATHER, count, state_of

HUMIDITY = f"{GREENHOUSE}/field/Hum_SHT"
PAYLOAD: dict[str, Any] = {"Hum_SHT": 37.4, "code": 17, "TempC_SHT": 28.29, "door": True}
FORM = {"state_class": "measurement", "scale": 1.0, "offset": 0.0, "scope": "device"}


async def opened(hass: HomeAssistant, sim: Simulator, **options: Any) -> MockConfigEntry:
    """Return an entry whose greenhouse device has said something."""
    entry = await set_up(hass, sim, make_entry(sim, options=options))
    await sim.uplink("greenhouse-climate", decoded=PAYLOAD)
    await count(hass, entry, 1)
    return entry


async def open_field(hass: HomeAssistant, entry: MockConfigEntry, path: str) -> Result:
    """Walk to the form of a field of the greenhouse device."""
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    flow = await submit(hass, flow, next_step_id="fields")
    assert flow["step_id"] == "fields"
    flow = await submit(hass, flow, device=GREENHOUSE)
    assert flow["step_id"] == "field"
    return await submit(hass, flow, field=path)


async def test_every_field_is_told_with_value_decision_and_reason(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """The user sees why, before changing anything."""
    entry = await opened(hass, sim)
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    flow = await submit(hass, flow, next_step_id="fields")
    flow = await submit(hass, flow, device="nonsense")
    assert flow["errors"] == {"device": "choose_from_list"}
    flow = await submit(hass, flow, device=GREENHOUSE)
    told = flow["description_placeholders"]
    assert told is not None
    assert told["count"] == str(len(PAYLOAD))
    row = next(line for line in told["table"].splitlines() if "Hum" in line)
    assert "37.4 %" in row
    assert "Humidity" in row
    assert row.endswith("· Model library")  # no list of sources, which is the same for all
    flow = await submit(hass, flow, field="nonsense")
    assert flow["errors"] == {"field": "choose_from_list"}
    flow = await submit(hass, flow, field="Hum_SHT")
    assert flow["step_id"] == "edit"
    assert flow["preview"] == DOMAIN
    assert suggested(flow) | {"reason": ""} == {
        "platform": "sensor", "name": "Humidity", "device_class": "humidity", "unit": "%", "reason": "",
        "state_class": "measurement", "scale": 1.0, "offset": 0.0, "value_map": "", "scope": "device", "pattern": "Hum_SHT",
        "max_jump": None,
    }  # fmt: skip


async def test_a_change_keeps_the_entity_and_counts_at_once(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Another name, unit and arithmetic: the same entity, the value of before, no reload."""
    entry = await opened(hass, sim)
    coordinator = entry.runtime_data
    before = entity_id(hass, "sensor", HUMIDITY)
    flow = await open_field(hass, entry, "Hum_SHT")
    flow = await submit(
        hass, flow, **FORM | {"scale": 0.1, "offset": 1.0}, platform="sensor", name="Wetness", unit="mm"
    )  # fmt: skip
    assert flow["type"] is FlowResultType.MENU
    assert flow["step_id"] == "kept"
    state = state_of(hass, "sensor", HUMIDITY)
    assert state.entity_id == before
    assert state.state == "4.74"
    assert state.name == "Greenhouse climate Wetness"
    assert state.attributes["unit_of_measurement"] == "mm"
    assert "device_class" not in state.attributes
    flow = await submit(hass, flow, next_step_id="done")
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert entry.runtime_data is coordinator
    await sim.uplink("greenhouse-climate", decoded={"Hum_SHT": 50})
    await count(hass, entry, 2)
    assert state_of(hass, "sensor", HUMIDITY).state == "6.0"

    # What was inferred counts again once everything is as it was.
    flow = await open_field(hass, entry, "Hum_SHT")
    await submit(
        hass, flow, **FORM, platform="sensor", name="Humidity", unit="%", device_class="humidity"
    )  # fmt: skip
    state = state_of(hass, "sensor", HUMIDITY)
    assert (state.state, state.attributes["unit_of_measurement"]) == ("50", "%")
    assert len(coordinator.fields.overrides) == 0


async def test_the_end_names_the_unit_that_the_entity_keeps(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Home Assistant goes on showing a sensor in its unit, and converts what is reported."""
    entry = await opened(hass, sim)
    unique_id = f"{GREENHOUSE}/field/code"
    answers = FORM | {"platform": "sensor", "name": "Level", "device_class": "distance"}
    flow = await open_field(hass, entry, "code")
    flow = await submit(hass, flow, **answers, unit="mm")
    assert (flow["description_placeholders"] or {})["value"] == "17 mm"
    flow = await submit(hass, flow, next_step_id="edit_again")
    flow = await submit(hass, flow, **answers, unit="cm")
    assert (flow["description_placeholders"] or {})["value"] == "17 cm = 170 mm"
    state = state_of(hass, "sensor", unique_id)
    assert (float(state.state), state.attributes["unit_of_measurement"]) == (170, "mm")


async def test_changes_survive_a_restart_and_a_new_uplink(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """They are stored with the decisions."""
    entry = await opened(hass, sim)
    flow = await open_field(hass, entry, "code")
    await submit(
        hass, flow, **FORM | {"state_class": "state"}, platform="sensor", name="Gate", value_map="17 = closed\n4=open"
    )  # fmt: skip
    unique_id = f"{GREENHOUSE}/field/code"
    assert state_of(hass, "sensor", unique_id).state == "closed"
    assert state_of(hass, "sensor", unique_id).attributes["options"] == ["closed", "open"]
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    state = state_of(hass, "sensor", unique_id)
    assert state.attributes["friendly_name"] == "Greenhouse climate Gate"
    await sim.uplink("greenhouse-climate", decoded={"code": 4})
    await count(hass, entry, 2)
    assert state_of(hass, "sensor", unique_id).state == "open"


async def test_after_a_restart_the_value_is_calculated(hass: HomeAssistant, sim: Simulator) -> None:
    """Nothing was heard yet: the value that is shown tells what was reported."""
    entry = await opened(hass, sim)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    flow = await open_field(hass, entry, "Hum_SHT")
    flow = await submit(
        hass, flow, **FORM | {"offset": 2.0}, platform="sensor", name="Humidity", unit="%", device_class="humidity"
    )  # fmt: skip
    assert state_of(hass, "sensor", HUMIDITY).state == "39.4"
    flow = await submit(hass, flow, next_step_id="field")
    flow = await submit(hass, flow, field="door")
    await submit(
        hass,
        flow,
        platform="binary_sensor",
        name="Door",
        device_class="door",
        invert=True,
        scope="device",
    )
    assert state_of(hass, "binary_sensor", f"{GREENHOUSE}/field/door").state == "off"


async def test_a_field_on_another_platform_and_back(hass: HomeAssistant, sim: Simulator) -> None:
    """The form of the other kind comes first; the old entity goes, and comes back with its id."""
    entry = await opened(hass, sim)
    unique_id = f"{GREENHOUSE}/field/code"
    sensor = entity_id(hass, "sensor", unique_id)
    flow = await open_field(hass, entry, "code")
    flow = await submit(hass, flow, **FORM, platform="binary_sensor", name="Code")
    assert flow["step_id"] == "edit"
    assert "invert" in suggested(flow)
    flow = await submit(
        hass, flow, platform="binary_sensor", name="Gate", device_class="door", invert=False, scope="device", value_map="17 = on\n4 = off"
    )  # fmt: skip
    state = state_of(hass, "binary_sensor", unique_id)
    assert (state.state, state.attributes["device_class"]) == ("on", "door")
    registry = er.async_get(hass)
    assert registry.async_get(sensor) is None
    assert hass.states.get(sensor) is None

    flow = await submit(hass, flow, next_step_id="edit_again")
    flow = await submit(hass, flow, platform="sensor", name="Gate", invert=False, scope="device")
    flow = await submit(hass, flow, **FORM, platform="sensor", name="Code")
    assert entity_id(hass, "sensor", unique_id) == sensor
    assert state_of(hass, "sensor", unique_id).state == "17"
    assert registry.async_get(state.entity_id) is None


async def test_a_field_as_an_event(hass: HomeAssistant, sim: Simulator) -> None:
    """The value of before is no occurrence now."""
    entry = await opened(hass, sim)
    flow = await open_field(hass, entry, "code")
    flow = await submit(hass, flow, **FORM, platform="event", name="Code")
    await submit(
        hass, flow, platform="event", name="Knock", scope="device", value_map="17 = knock\n3 = bang"
    )
    unique_id = f"{GREENHOUSE}/field/code"
    assert state_of(hass, "event", unique_id).state == "unknown"
    await sim.uplink("greenhouse-climate", decoded={"code": 3})
    await count(hass, entry, 2)
    assert state_of(hass, "event", unique_id).attributes["event_type"] == "bang"


async def test_hiding_a_field_and_showing_it_again(hass: HomeAssistant, sim: Simulator) -> None:
    """A hidden field has no entity, and gets the same one back."""
    entry = await opened(hass, sim)
    before = entity_id(hass, "sensor", HUMIDITY)
    flow = await open_field(hass, entry, "Hum_SHT")
    flow = await submit(hass, flow, **FORM, platform="hidden", name="Humidity")
    assert flow["step_id"] == "kept"
    assert hass.states.get(before) is None
    assert er.async_get(hass).async_get(before) is None
    await sim.uplink("greenhouse-climate", decoded={"Hum_SHT": 41})
    await count(hass, entry, 2)
    flow = await submit(hass, flow, next_step_id="edit_again")
    flow = await submit(
        hass, flow, **FORM, platform="sensor", name="Humidity", unit="%", device_class="humidity"
    )  # fmt: skip
    assert state_of(hass, "sensor", HUMIDITY).state == "41"
    assert entity_id(hass, "sensor", HUMIDITY) == before


async def test_a_setting_can_be_shown(hass: HomeAssistant, sim: Simulator) -> None:
    """What started disabled is enabled when the user changes it, without a reload."""
    entry = await set_up(hass, sim)
    coordinator = entry.runtime_data
    await sim.uplink("greenhouse-climate", decoded={"report_interval": 900})
    await count(hass, entry, 1)
    unique_id = f"{GREENHOUSE}/field/report_interval"
    setting = entity_id(hass, "sensor", unique_id)
    registered = er.async_get(hass).async_get(setting)
    assert registered is not None
    assert registered.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    flow = await open_field(hass, entry, "report_interval")
    await submit(
        hass, flow, **FORM, platform="sensor", name="Interval", unit="s", device_class="duration"
    )
    state = state_of(hass, "sensor", unique_id)
    assert (state.entity_id, state.state, state.attributes["unit_of_measurement"]) == (
        setting,
        "900",
        "s",
    )
    assert entry.runtime_data is coordinator


async def test_a_change_everywhere_by_pattern(hass: HomeAssistant, sim: Simulator) -> None:
    """Fields of other end devices follow, also new ones; the nearer change wins."""
    entry = await opened(hass, sim)
    await sim.uplink("weather-station", decoded={"Hum_out": 60})
    await count(hass, entry, 2)
    flow = await open_field(hass, entry, "Hum_SHT")
    everywhere = FORM | {"scope": "everywhere", "unit": "%", "device_class": "humidity"}
    flow = await submit(
        hass, flow, **everywhere, platform="sensor", name="Dampness", pattern="Temp*"
    )
    assert flow["errors"] == {"pattern": "pattern_misses"}
    assert suggested(flow)["name"] == "Dampness"
    await submit(hass, flow, **everywhere, platform="sensor", name="Dampness", pattern="Hum*")
    other = f"{WEATHER}/field/Hum_out"
    assert state_of(hass, "sensor", other).name == "Weather station Dampness"
    await sim.uplink("weather-station", decoded={"Hum_in": 61})
    await count(hass, entry, 3)
    assert state_of(hass, "sensor", f"{WEATHER}/field/Hum_in").name == "Weather station Dampness"

    flow = await open_field(hass, entry, "Hum_SHT")
    assert suggested(flow)["scope"] == "everywhere"
    await submit(hass, flow, **everywhere | {"scope": "device"}, platform="sensor", name="Mine")
    assert state_of(hass, "sensor", HUMIDITY).name == "Greenhouse climate Mine"
    assert state_of(hass, "sensor", other).name == "Weather station Dampness"


async def test_a_change_for_all_of_a_model(hass: HomeAssistant, sim: Simulator) -> None:
    """Only where the model is known, also where it becomes known later."""
    entry = await opened(hass, sim)
    flow = await open_field(hass, entry, "Hum_SHT")
    schema = flow["data_schema"]
    assert schema is not None
    fields = entry.runtime_data.fields
    assert fields.model_of(GREENHOUSE) == "dragino/lht65n"
    await submit(
        hass, flow, **FORM | {"scope": "model"}, platform="sensor", name="Damp", unit="%", device_class="humidity"
    )  # fmt: skip
    assert [item.model for item in fields.overrides] == ["dragino/lht65n"]
    assert state_of(hass, "sensor", HUMIDITY).name == "Greenhouse climate Damp"
    versions = {"brand_id": "dragino", "model_id": "lht65n"}
    await sim.uplink("weather-station", decoded={"Hum_SHT": 60})
    await count(hass, entry, 2)
    name = state_of(hass, "sensor", f"{WEATHER}/field/Hum_SHT").name
    assert name == "Weather station Humidity SHT"
    sim.devices["weather-station"].documents["as"]["version_ids"] = versions
    await sim.uplink("weather-station", decoded={"Hum_SHT": 61})
    await count(hass, entry, 3)
    name = state_of(hass, "sensor", f"{WEATHER}/field/Hum_SHT").name
    assert name == "Weather station Damp"


@pytest.mark.parametrize(
    ("answers", "errors"),
    [
        ({"scale": 0.0}, {"scale": "scale_zero"}),
        ({"value_map": "17: closed"}, {"value_map": "value_map_line"}),
        ({"unit": "°C", "device_class": "humidity"}, {"unit": "unit_not_of_class"}),
        ({"unit": "kWh", "device_class": "energy"}, {"state_class": "state_class_not_of_class"}),
        ({"device_class": "timestamp"}, {"device_class": "class_by_state_class"}),
        (
            {"device_class": "temperature", "unit": "°C", "state_class": "state"},
            {"state_class": "class_needs_numbers"},
        ),
    ],
)  # fmt: skip
async def test_what_home_assistant_would_refuse(
    hass: HomeAssistant, sim: Simulator, answers: dict[str, Any], errors: dict[str, str]
) -> None:
    """The form says what is wrong, keeps what was typed, and nothing changes."""
    entry = await opened(hass, sim)
    flow = await open_field(hass, entry, "code")
    flow = await submit(hass, flow, **FORM | answers, platform="sensor", name="Typed")
    assert flow["errors"] == errors
    assert suggested(flow)["name"] == "Typed"
    assert len(entry.runtime_data.fields.overrides) == 0
    assert state_of(hass, "sensor", f"{GREENHOUSE}/field/code").state == "17"


async def test_a_position_is_only_told(hass: HomeAssistant, sim: Simulator) -> None:
    """It is read from two fields."""
    entry = await set_up(hass, sim)
    await sim.uplink("greenhouse-climate", decoded={"latitude": 52.1, "longitude": 4.9})
    await count(hass, entry, 1)
    flow = await open_field(hass, entry, "latitude")
    assert flow["step_id"] == "tracker"
    flow = await submit(hass, flow)
    assert flow["step_id"] == "field"


async def test_the_dialogue_without_any_field(hass: HomeAssistant, sim: Simulator) -> None:
    """There is nothing to change yet."""
    entry = await set_up(hass, sim)
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    flow = await submit(hass, flow, next_step_id="fields")
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "no_fields")


async def preview(
    hass: HomeAssistant, ws: Any, flow: Result, number: int, **answers: Any
) -> dict[str, Any]:
    """Return what the form's preview shows."""
    await ws.send_json(
        {
            "id": number,
            "type": f"{DOMAIN}/start_preview",
            "flow_id": flow["flow_id"],
            "flow_type": "options_flow",
            "user_input": answers,
        }
    )
    assert (await ws.receive_json())["success"]
    shown: dict[str, Any] = (await ws.receive_json())["event"]
    return shown


async def test_the_preview_shows_values(
    hass: HomeAssistant, sim: Simulator, hass_ws_client: WebSocketGenerator
) -> None:
    """It shows the last value as the answers would have it, or what is wrong with them."""
    entry = await opened(hass, sim)
    flow = await open_field(hass, entry, "Hum_SHT")
    ws = await hass_ws_client(hass)
    shown = await preview(
        hass, ws, flow, 1, **FORM | {"scale": 2.0}, platform="sensor", name="Wet", unit="mm"
    )
    assert shown == {
        "state": "74.8",
        "attributes": {"friendly_name": "Wet", "unit_of_measurement": "mm", "device_class": None},
    }
    shown = await preview(
        hass, ws, flow, 2, **FORM, platform="sensor", name="Wet", unit="mm", device_class="humidity"
    )
    assert shown["error"].startswith("The device class humidity has one of these units: %")
    assert state_of(hass, "sensor", HUMIDITY).state == "37.4"


async def test_overrides_are_exported_and_imported(hass: HomeAssistant, sim: Simulator) -> None:
    """One text, with ids as in The Things Stack; a wrong one changes nothing and says why."""
    entry = await opened(hass, sim)
    flow = await open_field(hass, entry, "code")
    await submit(
        hass, flow, **FORM | {"state_class": "state"}, platform="sensor", name="Gate", value_map="17 = closed"
    )  # fmt: skip
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    flow = await submit(hass, flow, next_step_id="overrides")
    text = suggested(flow)["text"]
    assert "device: greenhouse-climate" in text
    for wrong, error, told in (
        ("a: [", "no_yaml", {}),
        ("just words", "no_list", {}),
        ("- 5", "no_override", {"number": "1"}),
        ("- path: x\n  device: nobody\n  name: y", "no_end_device", {"device": "nobody"}),
        ("- path: x", "no_change", {"number": "1", "path": "x"}),
        ("- path: x\n  model: a/b\n  device: c\n  name: y", "two_places", {}),
        ("- name: y", "missing", {"part": "path"}),
        ("- path: x\n  model: 5\n  name: y", "no_text", {"part": "model", "given": "5"}),
        ("x" * 300_000, "text_too_long", {}),
    ):
        flow = await submit(hass, flow, text=wrong)
        assert flow["errors"] == {"text": f"override_{error}"}
        placeholders = flow["description_placeholders"]
        assert placeholders is not None
        assert told.items() <= placeholders.items()
        assert suggested(flow)["text"] == wrong
    assert len(entry.runtime_data.fields.overrides) == 1
    await submit(hass, flow, text="- path: Hum_*\n  name: Damp\n")
    assert state_of(hass, "sensor", f"{GREENHOUSE}/field/code").name != "Greenhouse climate Gate"
    assert state_of(hass, "sensor", HUMIDITY).name == "Greenhouse climate Damp"
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    flow = await submit(hass, flow, next_step_id="overrides")
    await submit(hass, flow, text=text)
    assert state_of(hass, "sensor", f"{GREENHOUSE}/field/code").state == "closed"
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    flow = await submit(hass, flow, next_step_id="overrides")
    await submit(hass, flow)
    assert len(entry.runtime_data.fields.overrides) == 0


async def test_plain_fields_may_start_disabled(hass: HomeAssistant, sim: Simulator) -> None:
    """The user's choice for fields of unknown kind."""
    await opened(hass, sim, plain_fields=False)
    registry = er.async_get(hass)
    plain = registry.async_get(entity_id(hass, "sensor", f"{GREENHOUSE}/field/code"))
    assert plain is not None
    assert plain.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert state_of(hass, "sensor", HUMIDITY).state == "37.4"


async def test_odd_values_and_sources_are_named(hass: HomeAssistant, sim: Simulator) -> None:
    """Where a decision comes from, and a value that doesn't fit it, which stands first."""
    entry = await opened(hass, sim)
    coordinator = entry.runtime_data
    device = coordinator.roster.states[GREENHOUSE]
    for number in range(REVISABLE):
        await sim.uplink("greenhouse-climate", decoded={"Hum_SHT": 40 + number, "BatV": 3.1})
        await count(hass, entry, number + 2)
    await sim.uplink("greenhouse-climate", decoded={"Hum_SHT": 350})
    await until(hass, lambda: device.values.get("Hum_SHT") is None)
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    flow = await submit(hass, flow, next_step_id="fields")
    flow = await submit(hass, flow, device=GREENHOUSE)
    assert flow["description_placeholders"] is not None
    rows = flow["description_placeholders"]["table"].splitlines()
    row = next(line for line in rows if "Hum" in line)
    assert "Model library: reports 350, which is no humidity" in row
    flow = await submit(hass, flow, field="code")
    assert flow["description_placeholders"] is not None
    assert flow["description_placeholders"]["reason"].startswith("Name and values: ")


async def test_the_largest_step_holds_a_jump_back(hass: HomeAssistant, sim: Simulator) -> None:
    """One odd number is not shown; a second one near it is."""
    entry = await opened(hass, sim)
    flow = await open_field(hass, entry, "TempC_SHT")
    answers = FORM | {"platform": "sensor", "name": "Temperature", "unit": "°C"}
    answers |= {"device_class": "temperature"}
    flow = await submit(hass, flow, **answers, max_jump=0)
    assert flow["errors"] == {"max_jump": "jump_not_positive"}
    await submit(hass, flow, **answers, max_jump=5)
    unique_id = f"{GREENHOUSE}/field/TempC_SHT"
    for number, (sent, shown) in enumerate(
        ((21, "21"), (85, "21"), (22, "22"), (60, "22"), (61, "61"))
    ):
        await sim.uplink("greenhouse-climate", decoded={"TempC_SHT": sent})
        await count(hass, entry, number + 2)
        assert state_of(hass, "sensor", unique_id).state == shown
    flow = await open_field(hass, entry, "TempC_SHT")
    assert suggested(flow)["max_jump"] == 5


async def test_a_place_that_no_one_can_reach_is_not_shown(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """A tracker that jumps to another continent and back stays where it was."""
    entry = await set_up(hass, sim)
    unique_id = f"{WEATHER}/field/latitude"
    for number, latitude in enumerate((52.1, 22.5, 52.2), 1):
        await sim.uplink("weather-station", decoded={"latitude": latitude, "longitude": 5.1})
        await count(hass, entry, number)
        shown = state_of(hass, "device_tracker", unique_id).attributes["latitude"]
        assert shown == (latitude if latitude > 50 else 52.1)


async def test_fields_for_which_there_is_no_room_are_told(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Neighbours' addresses as keys: measurements that come later are shown, and the rest counted."""
    entry = await opened(hass, sim)
    device = entry.runtime_data.roster.states[GREENHOUSE]
    for number in range(3):
        neighbours = {f"aa:bb:cc:00:{number:02x}:{index:02x}": -70 for index in range(99)}
        await sim.uplink("greenhouse-climate", decoded=neighbours)
        await count(hass, entry, number + 2)
    measured = {f"zone {number} temperature": 20.5 for number in range(140)}
    await sim.uplink("greenhouse-climate", decoded=neighbours | measured)
    await until(hass, lambda: measured.keys() <= device.decisions.keys())
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    flow = await submit(hass, flow, next_step_id="fields")
    flow = await submit(hass, flow, device=GREENHOUSE)
    told = flow["description_placeholders"]
    assert told is not None
    assert f"{device.skipped} are left out" in told["left_out"]
    assert device.skipped >= 99
