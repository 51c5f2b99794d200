"""The model library in Home Assistant: read when a brand is met, also the user's own files."""

from pathlib import Path
import tracemalloc
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.thethingsstack.fields.device_library import (
    FOLDER,
    LIBRARY,
    DeviceLibrary,
    async_device_library,
    read_brand,
)
from custom_components.thethingsstack.payload import Source
from custom_components.thethingsstack.payload.observations import REVISABLE
from tests.ha_fixtures import entity_id, set_up, until
from tests.simulator import Simulator
from tests.test_entities import count

STATION = "weather-station"
PROBE: dict[str, Any] = {
    "version_ids": {"brand_id": "acme", "model_id": "probe-1"},
}


def _own_library(hass: HomeAssistant, folder: Path, text: str) -> None:
    hass.config.config_dir = str(folder)
    devices = folder / "thethingsstack" / "devices"
    devices.mkdir(parents=True)
    (devices / "acme.yaml").write_text(text, "utf-8")


OWN = """
name: Acme
models:
  - ids: probe-1
    source: the manual of the probe
    fields:
      gauge: water_level cm
      lid: {is: door, invert: true}
      odd: warmth
"""


async def test_a_brand_that_comes_with_an_uplink_corrects_the_first_decisions(
    hass: HomeAssistant, sim: Simulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The entities of the first uplink become what the library says, without a second one."""
    _own_library(hass, tmp_path, OWN)
    entry = await set_up(hass, sim)
    coordinator = entry.runtime_data
    await sim.uplink(STATION, decoded={"gauge": 40, "lid": True}, **PROBE)
    device = coordinator.roster.by_device_id(STATION)
    await until(
        hass,
        lambda: "lid" in device.decisions and device.decisions["lid"].source is Source.LIBRARY,
    )
    await hass.async_block_till_done()
    gauge = entity_id(hass, "sensor", f"{device.key}/field/gauge")
    lid = entity_id(hass, "binary_sensor", f"{device.key}/field/lid")
    await until(hass, lambda: hass.states.get(gauge) and hass.states.get(lid))
    for entity, state, attribute, value in (
        (gauge, "40", "unit_of_measurement", "cm"),
        (lid, "off", "device_class", "door"),
    ):
        shown = hass.states.get(entity)
        assert shown is not None
        assert (shown.state, shown.attributes[attribute]) == (state, value)
    assert "the manual of the probe" in device.decisions["gauge"].reason
    assert "odd: 'warmth' is no quantity" in caplog.text


async def test_each_entity_is_made_once_however_fast_the_library_is(
    hass: HomeAssistant, sim: Simulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A brand may be read before its uplink is through; what it corrects is announced first."""
    _own_library(hass, tmp_path, OWN)
    devices = tmp_path / "thethingsstack" / "devices"
    entry = await set_up(hass, sim)
    roster = entry.runtime_data.roster
    stations = [d for d in roster.states.values() if d.device_id != "never-joined"]
    assert len(stations) > 5
    for device in stations:
        brand = f"acme-{device.device_id}"
        (devices / f"{brand}.yaml").write_text(OWN, "utf-8")
        versions = {"brand_id": brand, "model_id": "probe-1"}
        await sim.uplink(device.device_id, decoded={"gauge": 40}, version_ids=versions)

    def corrected() -> bool:
        return all(
            (unit := hass.states.get(entity_id(hass, "sensor", f"{device.key}/field/gauge")))
            and unit.attributes.get("unit_of_measurement") == "cm"
            for device in stations
            if "gauge" in device.decisions
        )

    await until(hass, lambda: all("gauge" in device.decisions for device in stations))
    await hass.async_block_till_done()
    await until(hass, corrected)
    assert "does not generate unique IDs" not in caplog.text


async def test_entities_of_a_known_end_device_stay_what_they_are(
    hass: HomeAssistant, sim: Simulator, tmp_path: Path
) -> None:
    """A file that comes later changes no unit below a user's statistics."""
    entry = await set_up(hass, sim)
    coordinator = entry.runtime_data
    device = coordinator.roster.by_device_id(STATION)
    for number in range(REVISABLE):
        await sim.uplink(STATION, decoded={"gauge": 40 + number}, **PROBE)
        await count(hass, entry, number + 1)
    before = device.decisions["gauge"]
    assert await hass.config_entries.async_unload(entry.entry_id)
    _own_library(hass, tmp_path, OWN)
    hass.data.pop(LIBRARY)
    assert await hass.config_entries.async_setup(entry.entry_id)
    coordinator = entry.runtime_data
    await until(hass, lambda: coordinator.connected and coordinator.caught_up)
    assert coordinator.fields.library.fields_of("acme", "probe-1") is not None
    await sim.uplink(STATION, decoded={"gauge": 61, "new": 1.5, "lid": True}, **PROBE)
    device = coordinator.roster.by_device_id(STATION)
    await until(hass, lambda: "lid" in device.decisions)
    assert device.decisions["gauge"] == before
    assert device.decisions["lid"].source is Source.LIBRARY


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("acme.yaml", OWN, "odd: 'warmth' is no quantity"),
        ("acme.yaml", "[", "expected the node content"),
        ("acme.yaml", "- a", "a brand's file is an object"),
        ("acme.yaml", "name: Acme\nmodel: []", "unknown: model"),
        ("acme.yaml", "models:\n  - ids: LHT65N\n    source: a manual\n", "LHT65N: model ids"),
        ("acme.yaml", "models:\n  - ids: a\n    fields: {x: door}\n", "need ids, fields and"),
        ("acme.yaml", "models:\n  - {ids: a, source: b, feilds: {x: door}}\n", "unknown: feilds"),
        ("Acme.yaml", "name: Acme", "named by the id of a brand"),
        ("acme.yml", "name: Acme", "named by the id of a brand"),
    ],
)
async def test_a_mistake_in_an_own_file_is_told(
    hass: HomeAssistant, sim: Simulator, tmp_path: Path, *, name: str, text: str, reason: str
) -> None:
    """In Repairs, with the reason, also if no end device is of that brand; nothing else fails."""
    _own_library(hass, tmp_path, text)
    folder = tmp_path / "thethingsstack" / "devices"
    (folder / "acme.yaml").rename(folder / name)
    (folder / "README.md").write_text("What these files are for", "utf-8")
    entry = await set_up(hass, sim)
    issue = ir.async_get(hass).async_get_issue("thethingsstack", f"library_file_{name}")
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["file_plain"] == f"thethingsstack/devices/{name}"
    assert reason in issue.translation_placeholders["reason_plain"]
    assert entry.runtime_data.connected


async def test_the_example_for_contributors_works(
    hass: HomeAssistant, sim: Simulator, tmp_path: Path
) -> None:
    """As it stands there: no mistake is found, and it says what the fields are."""
    text = Path(__file__).parents[2].joinpath(".github", "CONTRIBUTING.md").read_text("utf-8")
    example = next(block for block in text.split("```yaml") if "ids: [model-1" in block)
    _own_library(hass, tmp_path, example.split("```")[0])
    entry = await set_up(hass, sim)
    assert not [key for _, key in ir.async_get(hass).issues if key.startswith("library_file_")]
    versions: dict[str, Any] = {"version_ids": {"brand_id": "acme", "model_id": "model-1"}}
    await sim.uplink(STATION, decoded={"TempC": 4, "lid": True, "pump": 1}, **versions)
    device = entry.runtime_data.roster.by_device_id(STATION)
    await until(hass, lambda: device.values.get("pump") == "filling")
    assert device.values["lid"] is False
    assert device.decisions["TempC"].unit == "°C"


async def test_the_twenty_largest_brands_need_little_memory(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Less than two megabytes; `scripts/bench` shows how long they take."""
    files = sorted(FOLDER.glob("*.yaml"), key=lambda path: -path.stat().st_size)[:20]
    library = DeviceLibrary(tmp_path)
    tracemalloc.start()
    try:
        await library.async_load(hass, [path.stem for path in files])
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(library.name_of(path.stem) for path in files)
    assert kept < 2_000_000


async def test_what_cannot_be_read_costs_only_itself(
    hass: HomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A broken file, one of another kind, a name that would leave the folder."""
    for name, text in (("broken", "["), ("list", "- a"), ("odd", "models: [1]")):
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    library = DeviceLibrary(tmp_path)
    await library.async_load(hass, ["broken", "list", "odd", "../list", "missing", None])
    for brand in ("broken", "list", "odd", "../list", "missing", None):
        assert library.fields_of(brand, "a") is None
        assert library.has(brand)
    assert caplog.text.count("can't be read") == 3
    assert read_brand(tmp_path / "folder", "../list") is None


async def test_the_library_is_shared_and_knows_brands_as_shipped(hass: HomeAssistant) -> None:
    """Each file is read once, in the background."""
    library = async_device_library(hass)
    assert async_device_library(hass) is library
    assert library.fields_of("elsys", "ers") is None
    await library.async_load(hass, ["elsys"])
    fields = library.fields_of("elsys", "ers")
    assert fields is not None
    assert fields is library.fields_of("elsys", "ers")
    assert fields.exact["vdd"].quantity == "battery_voltage"
