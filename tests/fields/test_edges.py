"""What users' changes to fields meet: restarts, reloads, other changes, odd texts."""

import asyncio
import json
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.diagnostics import async_get_config_entry_diagnostics
from custom_components.thethingsstack.end_devices.listeners import LOCATION
from custom_components.thethingsstack.fields.apply_overrides import async_apply_overrides
from custom_components.thethingsstack.fields.overrides import (
    FieldOverride,
    FieldOverrides,
    OverrideError,
    read_yaml,
)
from custom_components.thethingsstack.payload import Override
from tests.dialogs import submit, suggested
from tests.fields.test_flow import FORM, HUMIDITY, open_field, opened
from tests.ha_fixtures import entity_id, make_entry, reload, set_up, until
from tests.simulator import Simulator
from tests.test_entities import GREENHOUSE, WEATHER, count, state_of

CODE = f"{GREENHOUSE}/field/code"
AS_INFERRED = {
    "platform": "sensor",
    "name": "Humidity",
    "unit": "%",
    "device_class": "humidity",
}


async def change(
    hass: HomeAssistant, entry: MockConfigEntry, path: str, **answers: Any
) -> dict[str, str] | None:
    """Change a field of the greenhouse device; returns the form's errors."""
    flow = await open_field(hass, entry, path)
    flow = await submit(hass, flow, **{**FORM, **answers})
    errors: dict[str, str] | None = flow.get("errors")
    return errors


async def test_states_learned_beneath_a_name_survive_a_restart(
    hass: HomeAssistant, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """The user's name hides none of what is learned later."""
    entry = await set_up(hass, sim)
    await sim.uplink("greenhouse-climate", decoded={"mode": "Idle"})
    await count(hass, entry, 1)
    await change(hass, entry, "mode", state_class="state", platform="sensor", name="Doing")
    await sim.uplink("greenhouse-climate", decoded={"mode": "Heating"})
    await count(hass, entry, 2)
    await reload(hass, entry)
    state = state_of(hass, "sensor", f"{GREENHOUSE}/field/mode")
    assert (state.state, state.attributes["options"]) == ("Heating", ["Idle", "Heating"])
    assert state.name == "Greenhouse climate Doing"
    assert "Traceback" not in caplog.text


async def test_a_code_without_a_name_is_shown_as_such(
    hass: HomeAssistant, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Also after a restart, which knows only the names."""
    entry = await opened(hass, sim)
    await change(
        hass,
        entry,
        "code",
        platform="sensor",
        name="Gate",
        state_class="state",
        value_map="17 = closed\n4 = open",
    )
    await sim.uplink("greenhouse-climate", decoded={"code": 99})
    await count(hass, entry, 2)
    assert state_of(hass, "sensor", CODE).state == "99"
    await reload(hass, entry)
    state = state_of(hass, "sensor", CODE)
    assert (state.state, state.attributes["options"]) == ("99", ["closed", "open", "99"])
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"value_map": "17 = closed", "state_class": "state"}, {}),
        ({"unit": "mm"}, {"unit": "kg"}),
        ({}, {"state_class": "timestamp"}),
    ],
)
async def test_a_restored_value_fits_the_changed_field(
    hass: HomeAssistant,
    sim: Simulator,
    caplog: pytest.LogCaptureFixture,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    """A field changed while the user has its entity disabled: its value was read anew."""
    entry = await opened(hass, sim)
    await change(hass, entry, "code", platform="sensor", name="Code", **before)
    registry = er.async_get(hass)
    entity = entity_id(hass, "sensor", CODE)
    registry.async_update_entity(entity, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    await change(hass, entry, "code", platform="sensor", name="Code", **after)
    assert hass.states.get(entity) is None
    await hass.config_entries.async_unload(entry.entry_id)
    registry.async_update_entity(entity, disabled_by=None)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    no_time = after.get("state_class") == "timestamp"
    assert state_of(hass, "sensor", CODE).state == ("unknown" if no_time else "17")
    assert "Traceback" not in caplog.text


async def test_an_entry_reloaded_while_the_dialogue_is_open(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """The dialogue goes on with the application as it is now."""
    entry = await opened(hass, sim)
    flow = await open_field(hass, entry, "Hum_SHT")
    await reload(hass, entry)
    flow = await submit(hass, flow, **FORM, **AS_INFERRED | {"name": "Damp"})
    told = flow["description_placeholders"]
    assert told is not None
    assert told["decision"].startswith("Damp")
    assert told["reason"].startswith("Changed by you")
    assert state_of(hass, "sensor", HUMIDITY).name == "Greenhouse climate Damp"


async def test_an_entry_stopped_while_the_dialogue_is_open(
    hass: HomeAssistant, sim: Simulator, hass_ws_client: WebSocketGenerator
) -> None:
    """It ends, and says why; a preview of a closed dialogue is no fault."""
    entry = await opened(hass, sim)
    flow = await open_field(hass, entry, "Hum_SHT")
    assert await hass.config_entries.async_unload(entry.entry_id)
    flow = await submit(hass, flow, **FORM, **AS_INFERRED)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "not_loaded")
    ws = await hass_ws_client(hass)
    await ws.send_json(
        {
            "id": 1,
            "type": f"{DOMAIN}/start_preview",
            "flow_id": flow["flow_id"],
            "flow_type": "options_flow",
            "user_input": {},
        }
    )
    assert (await ws.receive_json())["error"]["code"] == "not_found"


async def test_device_removed_while_the_dialogue_is_open(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """There is nothing to change any more."""
    entry = await opened(hass, sim)
    flow = await open_field(hass, entry, "Hum_SHT")
    registry = dr.async_get(hass)
    device = registry.async_get_device_by_identifier((DOMAIN, GREENHOUSE), entry.entry_id)
    assert device is not None
    registry.async_remove_device(device.id)
    await hass.async_block_till_done()
    flow = await submit(hass, flow, **FORM, **AS_INFERRED)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "field_gone")


async def test_what_is_said_at_a_field_counts_there(hass: HomeAssistant, sim: Simulator) -> None:
    """A wider change takes the place of nearer ones of this field; others keep theirs."""
    entry = await opened(hass, sim)
    await sim.uplink("weather-station", decoded={"Hum_out": 60})
    await count(hass, entry, 2)
    overrides = entry.runtime_data.fields.overrides
    other = f"{WEATHER}/field/Hum_out"

    async def said(**answers: Any) -> str:
        assert await change(hass, entry, "Hum_SHT", **AS_INFERRED | answers) is None
        return str(state_of(hass, "sensor", HUMIDITY).attributes["friendly_name"])[19:]

    assert await said(name="Mine") == "Mine"
    assert await said(name="All", scope="everywhere", pattern="Hum*") == "All"
    assert await said(name="Other", scope="everywhere", pattern="H*") == "Other"
    assert [item.path for item in overrides] == ["H*"]
    assert await said() == "Humidity"  # for this end device: against the pattern
    assert state_of(hass, "sensor", other).name == "Weather station Other"
    assert {item.scope.name: bool(item.change) for item in overrides} == {
        "EVERYWHERE": True,
        "DEVICE": False,
    }
    stored = [FieldOverride.from_dict(item.as_dict()) for item in overrides]
    assert stored == list(overrides)
    assert await said(scope="everywhere", pattern="H*") == "Humidity"
    assert list(overrides) == []
    assert state_of(hass, "sensor", other).name == "Weather station Humidity out"


def test_of_two_patterns_the_latest_counts() -> None:
    """And a field's own path before any pattern; [ is no pattern."""
    overrides = FieldOverrides()
    for number, path in enumerate(("a*", "*b", "ab", "[ab]", "a[1].?")):
        overrides.put(FieldOverride(path=path, change=Override(name=str(number))))

    def found(path: str) -> str | None:
        override = overrides.find("device", None, path)
        return override.change.name if override else None

    assert [found(path) for path in ("axb", "ab", "ay", "b", "a[1].x")] == ["1", "2", "0", "1", "4"]
    overrides.put(FieldOverride(path="a*", change=Override(name="again")))
    assert found("axb") == "again"


async def test_events_have_the_type_that_was_named(hass: HomeAssistant, sim: Simulator) -> None:
    """A code without a name is none of the named ones; "off" counts where somebody named it."""
    entry = await opened(hass, sim)
    flow = await open_field(hass, entry, "code")
    flow = await submit(hass, flow, **FORM, platform="event", name="Code")
    await submit(
        hass, flow, platform="event", name="Knock", scope="device", value_map="17 = on\n3 = off"
    )
    for number, (code, event_type) in enumerate(((99, "triggered"), (3, "off"), (17, "on")), 2):
        await sim.uplink("greenhouse-climate", decoded={"code": code})
        await count(hass, entry, number)
        assert state_of(hass, "event", CODE).attributes["event_type"] == event_type


async def test_names_need_text_or_truth(hass: HomeAssistant, sim: Simulator) -> None:
    """What could never be shown is refused."""
    entry = await opened(hass, sim)
    words = {"platform": "sensor", "name": "Code", "value_map": "17 = closed"}
    errors = await change(hass, entry, "code", **words, state_class="total_increasing")
    assert errors == {"state_class": "names_need_text"}
    named = AS_INFERRED | {"value_map": "37.4 = damp"}
    assert await change(hass, entry, "Hum_SHT", **named) is None  # it is text from now on
    state = state_of(hass, "sensor", HUMIDITY)
    assert (state.state, state.attributes["device_class"]) == ("damp", "enum")
    flow = await open_field(hass, entry, "code")
    flow = await submit(hass, flow, **FORM, platform="binary_sensor", name="Code")
    flow = await submit(
        hass, flow, platform="binary_sensor", name="Code", invert=False, scope="device", value_map="17 = red\n4=off"
    )  # fmt: skip
    assert flow["errors"] == {"value_map": "name_not_on_or_off"}


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"scale": 1e300}, {"scale": "number_too_large"}),
        ({"offset": -1e13}, {"offset": "number_too_large"}),
        ({"name": "n" * 101}, {"name": "too_long"}),
        ({"unit": "m\u0000"}, {"unit": "too_long"}),
        ({"value_map": "1 = " + "n" * 101}, {"value_map": "too_long"}),
        ({"scope": "everywhere", "pattern": "*" * 201}, {"pattern": "too_long"}),
    ],
)
async def test_texts_and_numbers_beyond_limits_are_refused(
    hass: HomeAssistant, sim: Simulator, answers: dict[str, Any], error: dict[str, str]
) -> None:
    """What couldn't be stored or shown is refused at once."""
    entry = await opened(hass, sim)
    assert await change(hass, entry, "code", **{"platform": "sensor", "name": "C"} | answers) == (
        error
    )
    assert len(entry.runtime_data.fields.overrides) == 0


async def test_a_hidden_field_is_shown_only_when_asked(hass: HomeAssistant, sim: Simulator) -> None:
    """Looking at one and submitting changes nothing."""
    entry = await set_up(hass, sim)
    await sim.uplink("greenhouse-climate", decoded={"latitude": 52.1, "longitude": 4.9})
    await count(hass, entry, 1)
    flow = await open_field(hass, entry, "longitude")
    assert suggested(flow)["platform"] == "hidden"
    await submit(hass, flow, **FORM, platform="hidden", name="Longitude")
    assert len(entry.runtime_data.fields.overrides) == 0
    await change(hass, entry, "longitude", platform="sensor", name="Longitude")
    assert state_of(hass, "sensor", f"{GREENHOUSE}/field/longitude").state == "4.9"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- path: x\n  name: &a [lol, lol]\n  unit: *a", "Aliases"),
        ('- path: x\n  name: "\\uD800"', "can't be shown"),
        ("- path: x\n  scale: 0", "zero"),
        ("- path: x\n  scale: .inf", "no number"),
        ("- path: x\n  name: " + "n" * 5000, "longer than 100"),
        ("- path: " + "p" * 5000 + "\n  name: x", "longer than 200"),
        ("- path: !!python/object/apply:os.system ['id']\n  name: x", "tag"),
        ("- ? [a]\n  : b", "unhashable"),
        ("- path: x\n  value_map: {" + ", ".join(f"{i}: a" for i in range(101)) + "}", "value_map"),
        ("\n".join(f"- path: x{i}*\n  name: y" for i in range(201)), "200 entries"),
        ("[" * 5000, ""),
    ],
)
def test_harmful_texts_are_refused(text: str, problem: str) -> None:
    """With a short reason; what could grow beyond measure, as aliases do, is never expanded."""
    with pytest.raises(OverrideError) as refused:
        read_yaml(text, lambda device_id: device_id)
    assert problem in str(refused.value)
    assert len(str(refused.value)) < 500


def test_words_in_overrides_stay_words() -> None:
    """Only true and false are truths: "on" is what many end devices report."""
    (item,) = read_yaml(
        "- path: x\n  invert: true\n  value_map: {on: offen, 1: no}", lambda _: None
    )
    assert item.change.value_map == (("on", "offen"), ("1", "no"))
    assert item.change.invert is True


async def test_an_unknown_device_class_is_refused(hass: HomeAssistant, sim: Simulator) -> None:
    """Home Assistant would not know it."""
    entry = await opened(hass, sim)
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    flow = await submit(hass, flow, next_step_id="overrides")
    flow = await submit(hass, flow, text="- path: code\n  device_class: nonsense")
    told = flow["description_placeholders"]
    assert told is not None
    assert told["device_class"] == "nonsense"


async def test_a_field_changed_many_times_during_uplinks(
    hass: HomeAssistant, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """The last change counts; no entity is lost, doubled, or left as it was in between."""
    entry = await opened(hass, sim)
    coordinator = entry.runtime_data
    overrides = coordinator.fields.overrides

    async def say(number: int) -> None:
        overrides.put(FieldOverride(path="*", change=Override(name=f"N{number}", unit="mm")))
        await async_apply_overrides(hass, coordinator)

    uplinks = [sim.uplink("greenhouse-climate", decoded={"code": n}) for n in range(20)]
    await asyncio.gather(*(say(n) for n in range(10)), *uplinks)
    await count(hass, entry, 21)
    await hass.async_block_till_done()
    state = state_of(hass, "sensor", CODE)
    assert state.name == "Greenhouse climate N9"
    assert state.state == "19"
    assert "already exists" not in caplog.text
    assert "Traceback" not in caplog.text


async def test_the_user_s_own_settings_in_home_assistant_stay(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Entity id, name, unit and icon that the user gave in Home Assistant, over any change."""
    entry = await opened(hass, sim)
    registry = er.async_get(hass)
    unique_id = f"{GREENHOUSE}/field/TempC_SHT"
    entity = entity_id(hass, "sensor", unique_id)
    registry.async_update_entity(entity, new_entity_id="sensor.mine", name="My own", icon="mdi:cat")
    registry.async_update_entity_options("sensor.mine", "sensor", {"unit_of_measurement": "°F"})
    await hass.async_block_till_done()
    answers = {"platform": "sensor", "name": "T", "unit": "°C", "device_class": "temperature"}
    await change(hass, entry, "TempC_SHT", **answers, offset=1.0)
    state = state_of(hass, "sensor", unique_id)
    assert state.entity_id == "sensor.mine"
    assert "My own" in state.name
    assert state.attributes["icon"] == "mdi:cat"
    assert state.attributes["unit_of_measurement"] == "°F"
    assert float(state.state) == pytest.approx(29.29 * 1.8 + 32, abs=0.1)
    await change(hass, entry, "TempC_SHT", platform="hidden", name="T")
    await change(hass, entry, "TempC_SHT", **answers)
    state = state_of(hass, "sensor", unique_id)
    assert state.entity_id == "sensor.mine"
    assert "My own" in state.name


async def test_a_model_that_changes_while_home_assistant_is_off(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Overrides of the model that it has now count."""
    entry = await opened(hass, sim)
    entry.runtime_data.fields.overrides.put(
        FieldOverride(path="Hum_SHT", model="acme/roof", change=Override(name="Roof"))
    )
    await hass.config_entries.async_unload(entry.entry_id)
    versions = {"brand_id": "acme", "model_id": "roof"}
    sim.devices["greenhouse-climate"].documents["is"]["version_ids"] = versions
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, "sensor", HUMIDITY).name == "Greenhouse climate Roof"


async def test_a_field_changed_while_its_device_is_left_out(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """It comes back with the change."""
    entry = await opened(hass, sim)
    hass.config_entries.async_update_entry(
        entry, options={"devices": "chosen", "chosen_devices": ["weather-station"]}
    )
    await hass.async_block_till_done()
    assert GREENHOUSE not in entry.runtime_data.roster.states
    entry.runtime_data.fields.overrides.put(
        FieldOverride(path="Hum_SHT", change=Override(name="Meanwhile"))
    )
    await async_apply_overrides(hass, entry.runtime_data)
    hass.config_entries.async_update_entry(entry, options={})
    await hass.async_block_till_done()
    assert state_of(hass, "sensor", HUMIDITY).name == "Greenhouse climate Meanwhile"


async def test_hundreds_of_fields_change_without_stalling(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """A pattern over many end devices: other things have their turn in between."""
    for number in range(100):
        sim.add_device(f"many-{number:03}", dev_eui=f"70B3D57ED1{number:06X}")
    entry = await set_up(hass, sim, make_entry(sim))
    coordinator = entry.runtime_data
    for number in range(100):
        await sim.uplink(f"many-{number:03}", decoded={f"code_{n}": n for n in range(5)})
    await until(hass, lambda: coordinator.counters.uplinks_today == 100)
    await hass.async_block_till_done()
    turns, ticking = 0, True

    @callback
    def turn() -> None:
        nonlocal turns
        turns += 1
        if ticking:
            hass.loop.call_soon(turn)

    turn()
    coordinator.fields.overrides.put(FieldOverride(path="code_*", change=Override(unit="mm")))
    assert await async_apply_overrides(hass, coordinator) >= 500
    assert turns >= 5
    ticking = False
    assert await async_apply_overrides(hass, coordinator) == 0


async def test_any_key_of_a_payload_can_be_changed_kept_and_passed_on(
    hass: HomeAssistant, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Also what looks like a pattern, a template, Markdown, HTML, or nothing at all."""
    keys = (
        "**b**", "<script>alert(1)</script>", "{device}", "{{ states('x') }}", "| a | b", "%s", "\\location", "\\", ".",
        "", "a..b", "[0]", "*", "ключ 🔥", "__proto__", "new\nline", "x" * 199,
    )  # fmt: skip
    entry = await set_up(hass, sim)
    await sim.uplink("greenhouse-climate", decoded=dict.fromkeys(keys, 7))
    await count(hass, entry, 1)
    fields = entry.runtime_data.fields
    paths = list(entry.runtime_data.roster.states[GREENHOUSE].decisions)
    shown = [path for path in paths if path != LOCATION]
    assert len(shown) == len(keys)
    for number, path in enumerate(shown):
        assert await change(hass, entry, path, platform="sensor", name=f"N{number}") is None
    assert len(fields.overrides) == len(keys)
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    flow = await submit(hass, flow, next_step_id="overrides")
    before = list(fields.overrides)
    flow = await submit(hass, flow, text=suggested(flow)["text"])
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    await reload(hass, entry)
    now = entry.runtime_data.fields.overrides
    assert {(item.path, item.change) for item in now} == {(i.path, i.change) for i in before}
    assert len(now) == len(keys)
    for number, path in enumerate(shown):
        name = state_of(hass, "sensor", f"{GREENHOUSE}/field/{path}").name
        assert name == f"Greenhouse climate N{number}"
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("typed", "device_class", "unit"),
    [
        ("\u00b5g/m³", "pm25", "\u03bcg/m³"),
        ("m3", "volume_storage", "m³"),
        ("C", "temperature", "°C"),
        ("frogs", None, "frogs"),
    ],
)
async def test_units_as_people_type_them(
    hass: HomeAssistant, sim: Simulator, typed: str, device_class: str | None, unit: str
) -> None:
    """They become what Home Assistant has; a unit of one's own stays."""
    entry = await opened(hass, sim)
    answers = {"device_class": device_class} if device_class else {}
    assert await change(
        hass, entry, "code", platform="sensor", name="C", unit=typed, **answers
    ) is (None)
    assert state_of(hass, "sensor", CODE).attributes["unit_of_measurement"] == unit


async def test_diagnostics_keep_what_users_wrote_to_themselves(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Names may tell of people and places; what was learned may be an id."""
    entry = await opened(hass, sim)
    await change(
        hass,
        entry,
        "code",
        platform="sensor",
        name="Grandma's bedroom",
        state_class="state",
        value_map="17 = Grandma",
    )
    await sim.uplink("greenhouse-climate", decoded={"who": "greenhouse-climate"})
    await count(hass, entry, 2)
    told = json.dumps(await async_get_config_entry_diagnostics(hass, entry), default=str)
    assert '"kind": "sensor"' in told
    assert "Grandma" not in told
    assert "greenhouse-climate" not in told


async def test_one_tracker_whatever_tells_the_position(
    hass: HomeAssistant, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """The registry's position first, then the payload's: the same tracker goes on."""
    entry = await set_up(hass, sim)
    (tracker,) = [
        entity.entity_id
        for entity in er.async_get(hass).entities.values()
        if entity.unique_id == f"{GREENHOUSE}/field/{LOCATION}"
    ]
    assert hass.states.get(tracker) is not None
    er.async_get(hass).async_update_entity(tracker, icon="mdi:cat")
    await hass.async_block_till_done()
    for number, latitude in enumerate((52.1, 52.3), 1):
        decoded = {"latitude": latitude, "longitude": 4.9, "battery": 80}
        await sim.uplink("greenhouse-climate", decoded=decoded)
        await count(hass, entry, number)
        assert [
            (state.entity_id, state.attributes["latitude"], state.attributes["icon"])
            for state in hass.states.async_all("device_tracker")
            if state.entity_id.startswith("device_tracker.greenhouse")
        ] == [(tracker, latitude, "mdi:cat")]
    await reload(hass, entry)
    state = state_of(hass, "device_tracker", f"{GREENHOUSE}/field/latitude")
    assert (state.entity_id, state.attributes["latitude"]) == (tracker, 52.3)
    assert len(hass.states.async_entity_ids("device_tracker")) == len(
        {state.split("_location")[0] for state in hass.states.async_entity_ids("device_tracker")}
    )
    assert "Traceback" not in caplog.text


async def test_a_field_of_another_kind_keeps_its_name(hass: HomeAssistant, sim: Simulator) -> None:
    """Also where only the first kind has a translated one."""
    entry = await opened(hass, sim)
    flow = await open_field(hass, entry, "door")
    name = suggested(flow)["name"]
    flow = await submit(hass, flow, platform="sensor", name=name, invert=False, scope="device")
    assert suggested(flow)["name"] == name
    await submit(hass, flow, **FORM | {"state_class": "state"}, platform="sensor", name=name)
    assert state_of(hass, "sensor", f"{GREENHOUSE}/field/door").name == f"Greenhouse climate {name}"
