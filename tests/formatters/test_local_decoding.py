"""Uplinks that the server doesn't decode are decoded in Home Assistant, as a dialogue says."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.application.catch_up import PAUSES, Pauses
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.end_devices import EndDeviceState, Status
from custom_components.thethingsstack.payload.decoders import Decoder, DecoderKind
from tests.dialogs import Result, go, start_options, start_repair, submit, suggested
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator

NODE = "home-made"
DOOR_SENSOR = {"brand_id": "browan", "model_id": "tbdw100", "firmware_version": "1.0", "hardware_version": "1.0", "band_id": "EU_863_870"}  # fmt: skip
DOOR_FRAME = bytes.fromhex("01CB350000000000")
LPP = bytes.fromhex("036700E1056700FF")
BATTERY_AND_PROBE = [
    {"name": "battery", "byte": 0, "bytes": 2, "factor": 0.001, "unit": "V"},
    {"name": "probe", "byte": -2, "bytes": 2, "type": "signed", "factor": 0.1, "unit": "°C"},
]


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application with an end device that no formatter decodes; the key may only read."""
    assert await async_setup_component(hass, "repairs", {})
    hass.data[PAUSES] = Pauses(retry=0.2, lag=0, between_devices=0)
    sim.faults.storage = True
    sim.switch_storage(on=True)
    sim.add_device(NODE, name="Home made")
    sim.devices[NODE].documents["as"]["formatters"] = {}
    return await set_up(hass, sim)


def node(entry: MockConfigEntry) -> EndDeviceState:
    """Return the state of the end device."""
    state: EndDeviceState | None = entry.runtime_data.roster.by_device_id(NODE)
    assert state is not None
    return state


async def send(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    payload: bytes,
    *,
    decoded: Any = None,
    f_port: int = 2,
) -> None:
    """Let it send, and wait until that is here."""
    await sim.uplink(NODE, decoded=decoded, payload=payload, f_port=f_port)

    def is_here() -> bool:
        last = node(entry).last_data_uplink
        return last is not None and (last.f_port, last.frm_payload) == (f_port, payload)

    await until(hass, is_here)
    await hass.async_block_till_done()


def shown(hass: HomeAssistant, name: str) -> tuple[str, str | None]:
    """Return state and unit of an entity of the end device, by its name."""
    (state,) = (s for s in hass.states.async_all() if s.name == f"Home made {name}")
    return state.state, state.attributes.get("unit_of_measurement")


def names(hass: HomeAssistant) -> set[str]:
    """Return the names of its fields' entities."""
    found = {s.name.removeprefix("Home made ") for s in hass.states.async_all("sensor")}
    return found & {
        "Temperature 3",
        "Temperature 5",
        "Temperature probe",
        "Battery voltage",
        "Probe",
    }


def issues(hass: HomeAssistant) -> list[ir.IssueEntry]:
    """Return the issues about uplinks that aren't decoded."""
    registry = ir.async_get(hass)
    return [i for i in registry.issues.values() if i.issue_id.startswith("undecoded_")]


async def start(hass: HomeAssistant, entry: MockConfigEntry) -> Result:
    """Walk to the choice of how to decode."""
    result = await start_options(hass, entry, "local_decoding")
    assert result["step_id"] == "local_decoding"
    result = await go(hass, result, device=f"Home made · {NODE}")
    assert result["step_id"] == "local_decoder"
    return result


async def test_cayenne_lpp(hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry) -> None:
    """Previewed, saved, and used at once: entities with units, no issue, another status; until it is taken back."""
    await send(hass, sim, entry, LPP)
    assert node(entry).status(overdue=False) is Status.NOT_DECODED
    assert len(issues(hass)) == 1
    result = await start(hass, entry)
    assert suggested(result) == {"decoder": "cayenne_lpp", "always": False}
    result = await go(hass, result, decoder="cayenne_lpp", always=False)
    assert result["step_id"] == "local_decoder_result"
    preview = result["description_placeholders"]["preview"]
    assert "f_port 2: `03 67 00 E1 05 67 00 FF`" in preview
    assert "- `temperature_3` → Temperature 3: **22.5 °C**" in preview
    assert not names(hass)
    result = await submit(hass, result)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "local_decoder_saved")
    await until(hass, lambda: "Temperature 5" in names(hass))
    assert shown(hass, "Temperature 3") == ("22.5", "°C")
    assert node(entry).status(overdue=False) is Status.ACTIVE
    assert issues(hass) == []
    await send(hass, sim, entry, bytes.fromhex("036700E2"))
    assert shown(hass, "Temperature 3") == ("22.6", "°C")
    # It is still so after a restart.
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    await send(hass, sim, entry, bytes.fromhex("036700E3"))
    assert shown(hass, "Temperature 3") == ("22.7", "°C")
    # Bytes that are something else are named, and the value stays.
    await send(hass, sim, entry, b"\x09\xfe\x01")
    assert shown(hass, "Temperature 3") == ("22.7", "°C")
    assert node(entry).undecoded == 1
    problem = entry.runtime_data.application_status.problems[0]
    assert problem["text"] == "byte 1: fe is no type of CayenneLPP"
    result = await go(hass, await start(hass, entry), decoder="server", always=False)
    assert result["reason"] == "local_decoder_removed"
    assert entry.runtime_data.store.decoders == {}
    await send(hass, sim, entry, bytes.fromhex("036700E4"))
    assert shown(hass, "Temperature 3") == ("22.7", "°C")


async def test_a_table_is_made_with_a_preview(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Wrong rows are refused with the row and why; what was typed stays."""
    await send(hass, sim, entry, bytes.fromhex("0B0D01FF38"))
    result = await go(hass, await start(hass, entry), decoder="table", always=False)
    assert result["step_id"] == "local_decoder_table"
    assert "  0: 0B 0D 01 FF 38" in result["description_placeholders"]["frames"]
    for rows, error, reason in (
        ([], "decoder_wrong", "the table has no rows"),
        (
            [{"name": "battery", "byte": 1.5}],
            "decoder_wrong",
            "1 (battery): First byte: 1.5 is no whole number from -255 to 254",
        ),
        (
            [{"name": "battery", "byte": 0, "bytes": 9}],
            "decoder_wrong",
            "1 (battery): Number without sign can't have 9 bytes",
        ),
        (
            [{"name": "battery", "byte": 4, "bytes": 2}],
            "decoder_unfit",
            "battery: bytes 4 to 5 are needed, and there are 5",
        ),
    ):
        result = await go(hass, result, rows=rows)
        assert result["errors"] == {"rows": error}
        assert result["description_placeholders"]["reason"] == reason
        assert suggested(result)["rows"] == rows
    result = await go(hass, result, rows=BATTERY_AND_PROBE)
    preview = result["description_placeholders"]["preview"]
    assert "- `probe` → Probe: **-20 °C**" in preview
    result = await go(hass, result, another=True)
    assert suggested(result)["rows"] == BATTERY_AND_PROBE
    result = await submit(hass, await go(hass, result, rows=BATTERY_AND_PROBE))
    assert result["reason"] == "local_decoder_saved"
    await until(hass, lambda: len(names(hass)) == 2)
    assert shown(hass, "Battery voltage") == ("2.829", "V")
    assert shown(hass, "Probe") == ("-20.0", "°C")
    stored = entry.runtime_data.store.decoders[node(entry).key].as_dict()
    assert stored["rows"] == BATTERY_AND_PROBE


async def test_an_edited_table_changes_its_entities(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Another unit and factor of a row: the same entity, with the new unit."""
    await send(hass, sim, entry, bytes.fromhex("0B0D0102C6"))
    result = await go(hass, await start(hass, entry), decoder="table", always=False)
    await submit(hass, await go(hass, result, rows=BATTERY_AND_PROBE))
    await until(hass, lambda: "Probe" in names(hass))
    assert shown(hass, "Probe") == ("71.0", "°C")
    before = {e.entity_id for e in er.async_get(hass).entities.values() if e.platform == DOMAIN}
    rows = [BATTERY_AND_PROBE[0], {**BATTERY_AND_PROBE[1], "unit": "%"}]
    result = await start(hass, entry)
    assert suggested(result) == {"decoder": "table", "always": False}
    result = await go(hass, result, decoder="table", always=False)
    assert suggested(result)["rows"] == BATTERY_AND_PROBE
    await submit(hass, await go(hass, result, rows=rows))
    await until(hass, lambda: shown(hass, "Probe") == ("71.0", "%"))
    after = {e.entity_id for e in er.async_get(hass).entities.values() if e.platform == DOMAIN}
    assert after == before


async def test_what_the_server_decodes_counts_unless_the_user_wants_it_otherwise(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The server's payload is left alone; with *always* it is replaced."""
    await send(hass, sim, entry, LPP)
    result = await go(hass, await start(hass, entry), decoder="cayenne_lpp", always=False)
    await submit(hass, result)
    await send(hass, sim, entry, bytes.fromhex("036700E2"), decoded={"temperature_3": 1})
    assert shown(hass, "Temperature 3")[0] == "1"
    result = await go(hass, await start(hass, entry), decoder="cayenne_lpp", always=True)
    await submit(hass, result)
    await until(hass, lambda: shown(hass, "Temperature 3")[0] == "22.6")
    await send(hass, sim, entry, bytes.fromhex("036700E4"), decoded={"temperature_3": 1})
    assert shown(hass, "Temperature 3")[0] == "22.8"


async def test_missed_uplinks_are_decoded_too(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """What the Storage Integration has kept comes with its bytes only."""
    await send(hass, sim, entry, LPP)
    result = await go(hass, await start(hass, entry), decoder="cayenne_lpp", always=False)
    await submit(hass, result)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await sim.uplink(NODE, decoded=None, payload=bytes.fromhex("036700F0"))
    await sim.uplink(NODE, decoded=None, payload=bytes.fromhex("0767FFF6"))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    await until(hass, lambda: shown(hass, "Temperature 3") == ("24.0", "°C"))
    assert shown(hass, "Temperature 7") == ("-1.0", "°C")


async def test_it_goes_with_the_end_device(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """To another key when it is replaced, and away with it."""
    store, key = entry.runtime_data.store, node(entry).key
    store.decoders[key] = chosen = Decoder(kind=DecoderKind.CAYENNE_LPP)
    store.rename_device(key, "garden/other")
    assert store.decoders == {"garden/other": chosen}
    store.forget_device("garden/other")
    assert store.decoders == {}


async def test_the_repair_can_decode_here(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """A key that may not set a formatter is no hindrance; the issue goes away."""
    await send(hass, sim, entry, LPP)
    (issue,) = issues(hass)
    result = await start_repair(hass, issue.issue_id)
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "missing_rights")
    assert "Create devices" in result["description_placeholders"]["rights"]
    result = await go(hass, result, next_step_id="here")
    assert result["step_id"] == "local_decoder"
    result = await go(hass, result, decoder="cayenne_lpp", always=False)
    assert result["step_id"] == "local_decoder_result"
    result = await submit(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert issues(hass) == []
    await until(hass, lambda: "Temperature 3" in names(hass))


async def test_it_is_a_choice_beside_the_formatters(hass: HomeAssistant, sim: Simulator) -> None:
    """In the dialogue of an end device's payload formatter, and in the repair with all rights."""
    assert await async_setup_component(hass, "repairs", {})
    sim.add_device(NODE, name="Home made")
    sim.devices[NODE].documents["as"]["formatters"] = {}
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    await send(hass, sim, entry, LPP)
    result = await start_repair(hass, issues(hass)[0].issue_id)
    assert "here" in result["menu_options"]
    result = await start_options(hass, entry, "change")
    result = await go(hass, result, end_device=NODE)
    result = await go(hass, result, next_step_id="formatter")
    result = await go(hass, result, formatter="home_assistant")
    assert result["step_id"] == "local_decoder"
    result = await go(hass, result, decoder="cayenne_lpp", always=False)
    result = await submit(hass, result)
    assert result["reason"] == "local_decoder_saved"
    assert sim.devices[NODE].documents["as"]["formatters"] == {}


async def test_a_payload_says_what_its_fields_are(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """`_sensor_attr` from the server's formatter: units, classes and icons of entities."""
    said = {
        "t1": {"unit": "°C", "device_class": "temperature", "icon": "mdi:pipe", "name": "Probe"}
    }
    await send(hass, sim, entry, b"\x01", decoded={"t1": 21.5, "_sensor_attr": said})
    await until(hass, lambda: "Probe" in names(hass))
    (state,) = (s for s in hass.states.async_all() if s.name == "Home made Probe")
    assert state.state == "21.5"
    assert state.attributes["device_class"] == "temperature"
    assert state.attributes["icon"] == "mdi:pipe"
    assert list(node(entry).decisions) == ["t1"]


async def test_the_table_of_the_model_library(hass: HomeAssistant, sim: Simulator) -> None:
    """It comes first where the model has one; a table of one's own begins with it."""
    for number in (1, 2):
        sim.add_device(f"door-{number}", name=f"Door {number}", version_ids=DOOR_SENSOR)
        sim.devices[f"door-{number}"].documents["as"]["formatters"] = {}
    assert await async_setup_component(hass, "repairs", {})
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    for number in (1, 2):
        await sim.uplink(f"door-{number}", decoded=None, payload=DOOR_FRAME, f_port=100)
    states = [entry.runtime_data.roster.by_device_id(f"door-{n}") for n in (1, 2)]
    await until(hass, lambda: all(state.needs_formatter for state in states))
    await hass.async_block_till_done()
    (issue,) = issues(hass)
    result = await go(hass, await start_repair(hass, issue.issue_id), next_step_id="here")
    assert result["data_schema"].schema["decoder"].config["options"][0] == "model"
    assert suggested(result)["decoder"] == "model"
    result = await go(hass, result, decoder="table", always=False)
    assert suggested(result)["rows"][0]["name"] == "status"
    result = await go(hass, result, rows=[], another=True)
    result = await go(hass, result, decoder="model", always=False)
    assert "**Door 2**" in result["description_placeholders"]["preview"]
    await submit(hass, result)
    assert issues(hass) == []
    for number in (1, 2):
        found = entity_id(hass, "binary_sensor", f"{states[number - 1].key}/field/status")
        state = hass.states.get(found)
        assert state is not None
        assert (state.state, state.attributes["device_class"]) == ("on", "door")


async def test_the_event_stream_is_decoded_as_mqtt_is(hass: HomeAssistant, sim: Simulator) -> None:
    """It is where an uplink is applied, whatever way it came."""
    sim.add_device(NODE, name="Home made")
    sim.devices[NODE].documents["as"]["formatters"] = {}
    entry = await set_up(hass, sim, make_entry(sim, door="events"))
    await send(hass, sim, entry, LPP)
    await submit(hass, await go(hass, await start(hass, entry), decoder="cayenne_lpp"))
    await send(hass, sim, entry, bytes.fromhex("036700E2"))
    assert shown(hass, "Temperature 3") == ("22.6", "°C")
