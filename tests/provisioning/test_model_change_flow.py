"""Saying which model an end device is that was registered by hand."""

from pathlib import Path
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.client import VersionIds
from custom_components.thethingsstack.client.rights import TRAFFIC_DOWN_WRITE
from custom_components.thethingsstack.const import DOMAIN
from tests.dialogs import Result, fields, go, start_options, submit
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator

EUI = "A84041000181C0AA"
FRAME = bytes.fromhex("CBF60B0D0176010ADD")
DECODED = {"Bat_status": 3, "TempC_DS": 26.53, "TempC_SHT": 28.29}
SCRIPT = "function decodeUplink() { return {data: {Bat_status: 3, TempC_DS: 26.53}}; }"
LIBRARY = """
name: Backyard Works
models:
  - ids: [owl-1]
    source: its manual
    fields:
      hoots: {is: count, name: Hoots}
"""


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application with an end device that was registered by hand."""
    sim.add_device("by-hand", dev_eui=EUI, name="Shed climate")
    sim.devices["by-hand"].documents["as"]["formatters"] = {
        "up_formatter": "FORMATTER_JAVASCRIPT",
        "up_formatter_parameter": SCRIPT,
    }
    return await set_up(hass, sim, make_entry(sim, "manage"))


async def choose_model(
    hass: HomeAssistant, entry: MockConfigEntry, brand: str, model: str
) -> Result:
    """Walk to what comes with a model."""
    result = await go(hass, await start_options(hass, entry, "change"), end_device="by-hand")
    result = await go(hass, result, next_step_id="change_model")
    assert result["step_id"] == "brand"
    result = await go(hass, result, brand=brand)
    assert result["step_id"] == "model"
    return await go(hass, result, model=model)


def name_of(hass: HomeAssistant, path: str, platform: str = Platform.SENSOR) -> str:
    """Return the name of a field's entity."""
    state = hass.states.get(entity_id(hass, platform, f"garden/{EUI}/field/{path}"))
    assert state is not None
    return state.name


def versions(sim: Simulator, server: str) -> dict[str, Any]:
    """Return which model a server says that it is."""
    found: dict[str, Any] = sim.devices["by-hand"].documents[server]["version_ids"]
    return found


async def test_a_model_brings_its_formatter_and_fields(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Model on all servers, formatter and names; entity IDs stay. The band is that of the plan."""
    await sim.uplink("by-hand", decoded=DECODED, payload=FRAME, f_port=2)
    probe = f"garden/{EUI}/field/TempC_DS"
    await until(hass, lambda: bool(hass.states.async_all(Platform.SENSOR)))
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    before = entity_id(hass, Platform.SENSOR, probe)
    assert name_of(hass, "TempC_DS") != "Shed climate Probe temperature"
    result = await choose_model(hass, entry, "Dragino", "LHT65N")
    assert result["step_id"] == "model_sure"
    assert fields(result) == {"use_formatter", "use_fields"}
    placeholders = result["description_placeholders"]
    assert placeholders["model"] == "Dragino LHT65N"
    assert placeholders["version"] == "1.0, EU_863_870"
    assert '"TempC_SHT": 28.29' in placeholders["notes"]
    result = await submit(hass, result, use_formatter=True, use_fields=True)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "model_saved")
    for server in ("is", "ns", "as"):
        assert versions(sim, server)["model_id"] == "lht65n"
        assert versions(sim, server)["band_id"] == "EU_863_870"
    formatters = sim.devices["by-hand"].documents["as"]["formatters"]
    assert formatters["up_formatter"] == "FORMATTER_REPOSITORY"
    await until(hass, lambda: name_of(hass, "TempC_DS") == "Shed climate Probe temperature")
    assert entity_id(hass, Platform.SENSOR, probe) == before
    status = hass.states.get(entity_id(hass, Platform.SENSOR, f"garden/{EUI}/field/Bat_status"))
    assert status is not None
    assert status.state == "good"
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, f"garden/{EUI}"), entry.entry_id
    )
    assert device is not None
    assert (device.manufacturer, device.model) == ("Dragino", "LHT65N")


async def test_what_is_not_wanted_stays(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """A formatter that can't decode it isn't chosen beforehand; neither it nor fields change."""
    await sim.uplink("by-hand", decoded=DECODED, payload=b"\x01", f_port=9)
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    result = await choose_model(hass, entry, "Dragino", "LHT65N")
    defaults = {str(key): key.default() for key in result["data_schema"].schema}
    assert defaults == {"use_formatter": False, "use_fields": True}
    assert "may be another model" in result["description_placeholders"]["notes"]
    name = name_of(hass, "TempC_DS")
    await submit(hass, result, use_formatter=False, use_fields=False)
    assert versions(sim, "as")["brand_id"] == "dragino"
    formatters = sim.devices["by-hand"].documents["as"]["formatters"]
    assert formatters["up_formatter"] == "FORMATTER_JAVASCRIPT"
    assert name_of(hass, "TempC_DS") == name


async def test_a_model_with_a_preset_is_suggested_its_controls(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """As for one that was registered with its model."""
    await sim.uplink("by-hand", decoded={"targetTemperature": 21}, payload=b"\x01", f_port=2)
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    sim.add_rights("manage", TRAFFIC_DOWN_WRITE)
    assert await hass.config_entries.async_reload(entry.entry_id)
    result = await choose_model(hass, entry, "MClimate", "Vicki")
    assert fields(result) == {"use_fields"}  # the repository has no formatter of it
    await submit(hass, result, use_fields=True)

    def suggested() -> bool:
        return any(
            "Shed climate" in (issue.translation_placeholders or {}).get("devices_plain", "")
            for issue in ir.async_get(hass).issues.values()
            if issue.translation_key == "preset_climate"
        )

    await until(hass, suggested)


async def test_a_model_of_the_library_alone(
    hass: HomeAssistant, sim: Simulator, tmp_path: Path
) -> None:
    """The user's own file names it; it has neither version nor formatter of the repository."""
    folder = tmp_path / DOMAIN / "devices"
    folder.mkdir(parents=True)
    (folder / "backyard-works.yaml").write_text(LIBRARY, "utf-8")
    hass.config.config_dir = str(tmp_path)
    sim.add_device("by-hand", dev_eui=EUI, name="Shed climate")
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    result = await choose_model(hass, entry, "Backyard Works", "owl-1")
    assert result["step_id"] == "model_sure"
    assert fields(result) == {"use_fields"}
    await submit(hass, result, use_fields=True)
    assert VersionIds.from_json(versions(sim, "is")) == VersionIds(
        brand_id="backyard-works", model_id="owl-1"
    )
    await sim.uplink("by-hand", decoded={"hoots": 4})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    assert name_of(hass, "hoots") == "Shed climate Hoots"


async def test_nothing_is_saved_where_a_server_refuses(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The form says why."""
    result = await choose_model(hass, entry, "dragino", "lht65n")
    sim.devices["by-hand"].documents.pop("as")
    result = await go(hass, result, use_formatter=True, use_fields=True)
    assert result["step_id"] == "model_sure"
    assert result["errors"] == {"base": "formatter_not_saved"}
    assert not versions(sim, "is")
