"""Undecoded uplinks are repaired in Home Assistant, for all devices of a model at once."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from tests.dialogs import Result, go, start_repair
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator
from tests.simulator.formatters import WEATHER_SCRIPT

LHT65N = {"brand_id": "dragino", "model_id": "lht65n", "firmware_version": "1.0", "hardware_version": "1.0", "band_id": "EU_863_870"}  # fmt: skip
FRAME = bytes.fromhex("CBF60B0D0176010ADD")
WEATHER_FRAME = bytes.fromhex("00D73D57225A0C")
LPP_FRAME = bytes.fromhex("0367FFF6")


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application with devices that no formatter decodes, and a key that may mend it."""
    assert await async_setup_component(hass, "repairs", {})
    for number in (1, 2):
        sim.add_device(f"raw-{number}", name=f"Raw {number}", version_ids=LHT65N)
        sim.devices[f"raw-{number}"].documents["as"]["formatters"] = {}
    sim.add_device("home-made", name="Home made")
    sim.devices["home-made"].documents["as"]["formatters"] = {
        "up_formatter": "FORMATTER_NONE",
        "down_formatter": "FORMATTER_CAYENNELPP",
    }
    return await set_up(hass, sim, make_entry(sim, "manage"))


def issue(hass: HomeAssistant) -> ir.IssueEntry:
    """Return the issue."""
    (found,) = (i for i in ir.async_get(hass).issues.values() if i.domain == DOMAIN)
    return found


async def undecoded(
    hass: HomeAssistant, sim: Simulator, *devices: str, payload: bytes, f_port: int = 2
) -> None:
    """Let devices send what isn't decoded."""
    for device in devices:
        await sim.uplink(device, decoded=None, payload=payload, f_port=f_port)
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    states = [entry.runtime_data.roster.by_device_id(device) for device in devices]
    await until(hass, lambda: all(state.needs_formatter for state in states))
    await hass.async_block_till_done()


async def start(hass: HomeAssistant) -> Result:
    """Open the repair."""
    return await start_repair(hass, issue(hass).issue_id)


def formatters(sim: Simulator, device_id: str) -> Any:
    """Return a device's formatters on the server."""
    return sim.devices[device_id].documents["as"].get("formatters")


async def test_the_formatter_of_the_repository_repairs_all_end_devices_of_the_model(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The model's own formatter, tried first, for both devices."""
    await undecoded(hass, sim, "raw-1", "raw-2", payload=FRAME)
    assert issue(hass).is_fixable
    result = await start(hass)
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "missing")
    assert result["menu_options"] == ["repository", "brand", "cayenne_lpp", "javascript", "here"]
    assert result["description_placeholders"]["devices"] == "- Raw 1\n- Raw 2"
    result = await go(hass, result, next_step_id="repository")
    assert result["step_id"] == "result"
    told = result["description_placeholders"]["results"]
    assert '"TempC_SHT": 28.29' in told
    assert "**Raw 2** `CBF60B0D0176010ADD`" in told
    assert formatters(sim, "raw-1") == {}
    result = await go(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    for device in ("raw-1", "raw-2"):
        assert formatters(sim, device)["up_formatter"] == "FORMATTER_REPOSITORY"
        assert formatters(sim, device)["down_formatter"] == "FORMATTER_REPOSITORY"
    assert not [i for i in ir.async_get(hass).issues.values() if i.domain == DOMAIN]
    await sim.uplink("raw-1", payload=FRAME)
    await until(hass, lambda: any(s.name == "Raw 1 Temperature" for s in hass.states.async_all()))


async def test_a_model_can_be_chosen(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Of a device of no model; a wrong one doesn't fit, and is forgotten. Saved with its formatter."""
    await undecoded(hass, sim, "home-made", payload=FRAME)
    result = await go(hass, await start(hass), next_step_id="brand")
    result = await go(hass, result, brand="nobody")
    assert result["errors"] == {"brand": "choose_from_list"}
    result = await go(hass, await go(hass, result, brand="Milesight IoT"), model="ws523")
    assert result["step_id"] == "unfit"
    result = await go(hass, result, next_step_id="brand")
    result = await go(hass, await go(hass, result, brand="Dragino"), model="LHT65N")
    assert result["step_id"] == "result_of_model"
    assert result["description_placeholders"]["model"] == "Dragino LHT65N"
    assert '"TempC_SHT": 28.29' in result["description_placeholders"]["results"]
    assert not sim.devices["home-made"].documents["is"]["version_ids"]
    assert (await go(hass, result))["type"] is FlowResultType.CREATE_ENTRY
    for server in ("is", "ns", "as"):
        assert sim.devices["home-made"].documents[server]["version_ids"]["model_id"] == "lht65n"
    assert formatters(sim, "home-made")["up_formatter"] == "FORMATTER_REPOSITORY"


async def test_cayenne_lpp_leaves_the_downlink_formatter(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """A device of no model; its formatter for downlinks stays."""
    await undecoded(hass, sim, "home-made", payload=LPP_FRAME)
    assert issue(hass).translation_placeholders is not None
    result = await start(hass)
    assert result["menu_options"] == ["brand", "cayenne_lpp", "javascript", "here"]
    result = await go(hass, result, next_step_id="cayenne_lpp")
    assert '"temperature_3": -1' in result["description_placeholders"]["results"]
    await go(hass, result)
    assert formatters(sim, "home-made") == {
        "up_formatter": "FORMATTER_CAYENNELPP",
        "down_formatter": "FORMATTER_CAYENNELPP",
    }


async def test_devices_of_no_model_are_mended_apart(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """They have little in common: the user says which belong together; the issue stays for others."""
    await undecoded(hass, sim, "weather-station", payload=b"\x01", f_port=9)
    await undecoded(hass, sim, "home-made", payload=LPP_FRAME)
    result = await start(hass)
    assert result["step_id"] == "which"
    result = await go(hass, result, devices=[])
    assert result["errors"] == {"devices": "choose_one"}
    result = await go(hass, result, devices=["home-made"])
    assert result["step_id"] == "missing"
    assert result["description_placeholders"]["devices"] == "- Home made"
    result = await go(hass, await go(hass, result, next_step_id="cayenne_lpp"))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert formatters(sim, "home-made")["up_formatter"] == "FORMATTER_CAYENNELPP"
    assert formatters(sim, "weather-station")["up_formatter"] == "FORMATTER_JAVASCRIPT"
    await hass.async_block_till_done()
    placeholders = issue(hass).translation_placeholders
    assert placeholders is not None
    assert placeholders["subject"] == "Weather station"


async def test_a_formatter_that_does_not_fit_is_not_saved(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Its reason is told, nothing is changed, and another one can be chosen."""
    await undecoded(hass, sim, "home-made", payload=WEATHER_FRAME)
    before = dict(formatters(sim, "home-made"))
    result = await go(hass, await start(hass), next_step_id="cayenne_lpp")
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "unfit")
    assert "unknown type" in result["description_placeholders"]["reason"]
    result = await go(hass, result, next_step_id="javascript")
    result = await go(hass, result, script="function f() {}")
    assert result["errors"] == {"script": "formatter_failed"}
    assert "is not defined" in result["description_placeholders"]["reason"]
    key = next(iter(result["data_schema"].schema))
    assert key.description == {"suggested_value": "function f() {}"}
    assert formatters(sim, "home-made") == before
    result = await go(hass, result, script=WEATHER_SCRIPT)
    assert '"humidity": 61' in result["description_placeholders"]["results"]
    await go(hass, result)
    assert formatters(sim, "home-made")["up_formatter_parameter"] == WEATHER_SCRIPT


async def test_a_formatter_that_fails_is_told_with_its_reason(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """In the server's own words."""
    await undecoded(hass, sim, "weather-station", payload=b"\x01", f_port=9)
    result = await start(hass)
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "failing")
    assert "unknown frame type" in result["description_placeholders"]["reason"]


async def test_writing_begins_with_the_failing_script_beside_the_last_frames(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """And leads back to the other formatters, from the script as from what it gives."""
    own = {"up_formatter": "FORMATTER_JAVASCRIPT", "up_formatter_parameter": WEATHER_SCRIPT}
    sim.devices["weather-station"].documents["as"]["formatters"] = own
    await undecoded(hass, sim, "weather-station", payload=b"\x01\xab", f_port=9)
    result = await go(hass, await start(hass), next_step_id="javascript")
    key = next(iter(result["data_schema"].schema))
    assert key.description == {"suggested_value": WEATHER_SCRIPT}
    frames = result["description_placeholders"]["frames"]
    assert frames.startswith("- Weather station, f_port 9: `01 AB` → ")
    assert "unknown frame type" in frames
    result = await go(hass, result, script="function f() {}", another=True)
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "failing")
    assert "unknown frame type" in result["description_placeholders"]["reason"]
    result = await go(hass, result, next_step_id="javascript")
    key = next(iter(result["data_schema"].schema))
    assert key.description == {"suggested_value": "function f() {}"}  # what was typed stays
    decodes = "function decodeUplink(input) { return { data: { first: input.bytes[0] } }; }"
    result = await go(hass, result, script=decodes)
    assert result["step_id"] == "result"
    result = await go(hass, result, another=True)
    assert result["step_id"] == "failing"
    assert formatters(sim, "weather-station") == own


async def test_saving_fails_half_way(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It says so; trying again does the rest."""
    await undecoded(hass, sim, "raw-1", "raw-2", payload=FRAME)
    result = await go(hass, await start(hass), next_step_id="repository")
    sim.faults.http_status["PUT /as/applications/garden/devices/raw-2"] = 503
    result = await go(hass, result)
    assert result["errors"] == {"base": "not_saved"}
    assert formatters(sim, "raw-1")["up_formatter"] == "FORMATTER_REPOSITORY"
    assert issue(hass)
    sim.faults.http_status.clear()
    result = await go(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert formatters(sim, "raw-2")["up_formatter"] == "FORMATTER_REPOSITORY"


async def test_the_dry_run_can_not_be_made(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Nothing is saved unseen."""
    await undecoded(hass, sim, "home-made", payload=LPP_FRAME)
    result = await start(hass)
    sim.faults.http_status["POST /as/"] = 503
    result = await go(hass, result, next_step_id="cayenne_lpp")
    assert result["step_id"] == "unfit"
    result = await go(hass, result, next_step_id="javascript")
    result = await go(hass, result, script=WEATHER_SCRIPT)
    assert result["errors"] == {"script": "formatter_failed"}


async def test_a_missing_right_is_named(hass: HomeAssistant, sim: Simulator) -> None:
    """It says which right is missing."""
    assert await async_setup_component(hass, "repairs", {})
    await set_up(hass, sim)
    await undecoded(hass, sim, "pump-socket", payload=b"\x01")
    result = await start(hass)
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "missing_rights")
    told = result["description_placeholders"]
    assert told["rights"] == "“Create devices in application”"
    assert told["reason"] == "short payload"


async def test_a_formatter_without_result(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """One that decodes nothing doesn't fit."""
    await undecoded(hass, sim, "home-made", payload=LPP_FRAME)
    result = await start(hass)
    sim.faults.http_body["POST /as/"] = b'{"uplink": {"f_port": 2}}'
    result = await go(hass, result, next_step_id="cayenne_lpp")
    assert result["step_id"] == "unfit"
    assert result["description_placeholders"]["reason"] == "0367FFF6 → {}"


async def test_the_application_is_gone(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The repair was still open."""
    await undecoded(hass, sim, "home-made", payload=LPP_FRAME)
    found = issue(hass)
    entry.runtime_data.roster.by_device_id("home-made").undecoded = 0
    result = await start_repair(hass, found.issue_id)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")


async def test_the_application_is_unloaded_meanwhile(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The dialogue ends and says so."""
    await undecoded(hass, sim, "home-made", payload=LPP_FRAME)
    result = await start(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await go(hass, result, next_step_id="cayenne_lpp")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")
