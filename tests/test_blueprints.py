"""The blueprints: valid, and they do in Home Assistant what they say."""

from pathlib import Path
import shutil
from typing import Any

from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.core import Event, HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from tests.controls.cases import VALVE, add_control, attribute, entity_of, state_of
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator

FOLDER = Path(__file__).parent.parent / "blueprints" / "automation" / "thethingsstack"
FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_blueprints_are_valid(path: Path) -> None:
    """By Home Assistant's own schema; each input has a name, each text ends as it should."""
    blueprint = Blueprint(
        dict(load_yaml_dict(str(path))),
        expected_domain="automation",
        path=str(path),
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )
    assert blueprint.validate() is None
    assert blueprint.name.startswith("LoRaWAN ")
    assert all(given and given["name"] for given in blueprint.inputs.values())


@pytest.fixture
def config_folder(hass: HomeAssistant, tmp_path: Path) -> None:
    """Put the blueprints where Home Assistant looks for them."""
    hass.config.config_dir = str(tmp_path)
    shutil.copytree(FOLDER, tmp_path / "blueprints" / "automation" / "thethingsstack")


async def automate(hass: HomeAssistant, blueprint: str, **given: Any) -> None:
    """Set up one automation from a blueprint."""
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "alias": blueprint,
                "use_blueprint": {"path": f"thethingsstack/{blueprint}.yaml", "input": given},
            }
        },
    )
    await hass.async_block_till_done()
    assert hass.states.get(f"automation.{blueprint}").state == "on"  # type: ignore[union-attr]


def events(hass: HomeAssistant, event_type: str) -> list[Event]:
    """Collect events."""
    found: list[Event] = []
    hass.bus.async_listen(event_type, found.append)
    return found


@pytest.mark.usefixtures("config_folder")
async def test_a_button_does_something(hass: HomeAssistant) -> None:
    """Each press of the chosen kind; not a restart, not another kind."""
    pressed = events(hass, "pressed")
    await automate(
        hass,
        "button_to_action",
        button="event.doorbell",
        press="long",
        actions=[{"event": "pressed"}],
    )

    def press(moment: str, value: str) -> None:
        hass.states.async_set(
            "event.doorbell", moment, {"event_type": "triggered", "value": value}, force_update=True
        )

    hass.states.async_set("event.doorbell", "unavailable")
    press("2026-11-24T12:00:00.000+00:00", "long")  # restored, not pressed
    await hass.async_block_till_done()
    assert not pressed
    press("2026-11-24T12:00:01.000+00:00", "short")
    press("2026-11-24T12:00:02.000+00:00", "long")
    press("2026-11-24T12:00:03.000+00:00", "Long")
    await hass.async_block_till_done()
    assert len(pressed) == 2


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application, with a key that may send downlinks."""
    entry = await set_up(hass, sim, make_entry(sim, "control"))
    await sim.uplink("bath-radiator")
    return entry


async def _leak(
    hass: HomeAssistant, valve: str, patience: float = 60
) -> tuple[list[Event], list[Event], list[Event]]:
    told = events(hass, "leak"), events(hass, "closed"), events(hass, "failed")
    hass.states.async_set("binary_sensor.cellar", "off")
    await automate(
        hass,
        "leak_close_valve",
        leak=["binary_sensor.cellar"],
        valve=valve,
        patience={"seconds": patience},
        leak_actions=[{"event": "leak"}],
        closed_actions=[{"event": "closed"}],
        failed_actions=[{"event": "failed", "event_data": {"reason": "{{ reason }}"}}],
    )
    hass.states.async_set("binary_sensor.cellar", "on")
    return told


@pytest.mark.usefixtures("config_folder")
async def test_a_leak_closes_the_valve(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Told at once, and once more when the frame has gone out."""
    valve = await add_control(hass, entry, VALVE)
    leak, closed, failed = await _leak(hass, entity_of(hass, valve).entity_id)
    await until(hass, lambda: leak and attribute(hass, valve, "pending")() == "closed")
    assert not closed
    await sim.uplink("bath-radiator")
    await until(hass, lambda: closed)
    assert state_of(hass, valve).state == "closed"
    assert not failed


@pytest.mark.usefixtures("config_folder")
async def test_a_valve_that_is_not_closed_in_time_is_told(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The valve doesn't speak: its command still waits."""
    valve = await add_control(hass, entry, VALVE)
    leak, closed, failed = await _leak(hass, entity_of(hass, valve).entity_id, 1)
    await until(hass, lambda: leak and attribute(hass, valve, "pending")() == "closed")
    await until(hass, lambda: failed)
    assert failed[0].data["reason"] == "queued"
    assert not closed


@pytest.mark.usefixtures("config_folder")
async def test_a_refused_command_is_told(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The server takes no command for a device that never joined; the automation goes on."""
    never = {**VALVE, "device": "garden/70B3D57ED0060004"}
    valve = await add_control(hass, entry, never)
    leak, closed, failed = await _leak(hass, entity_of(hass, valve).entity_id, 1)
    await until(hass, lambda: leak)
    await until(hass, lambda: failed)
    assert not closed


@pytest.mark.usefixtures("config_folder")
async def test_frost_turns_the_heating_up_and_down(hass: HomeAssistant) -> None:
    """One command when it gets cold, one when it is warm, none between."""
    calls: list[ServiceCall] = async_mock_service(hass, "climate", "set_temperature")
    hass.states.async_set("climate.barn", "heat", {"temperature": 7})
    hass.states.async_set("sensor.barn", "9")
    await automate(hass, "frost_protection", temperature="sensor.barn", heater="climate.barn")
    for value in ("6", "4.5", "4", "6", "7.9"):
        hass.states.async_set("sensor.barn", value)
        await hass.async_block_till_done()
    assert [call.data["temperature"] for call in calls] == [10]
    hass.states.async_set("climate.barn", "heat", {"temperature": 10})
    hass.states.async_set("sensor.barn", "8.5")
    await hass.async_block_till_done()
    assert [call.data["temperature"] for call in calls] == [10, 7]
    hass.states.async_set("climate.barn", "heat", {"temperature": 10})
    hass.states.async_set("sensor.barn", "3")
    await hass.async_block_till_done()
    assert len(calls) == 2, "it is set to that already"


@pytest.mark.usefixtures("config_folder")
async def test_frost_switches_a_heater(hass: HomeAssistant) -> None:
    """A switch instead of a thermostat."""
    on = async_mock_service(hass, "switch", "turn_on")
    off = async_mock_service(hass, "switch", "turn_off")
    hass.states.async_set("sensor.barn", "9")
    await automate(hass, "frost_protection", temperature="sensor.barn", heater="switch.heater")
    for value, expected in (("4", (1, 0)), ("6", (1, 0)), ("9", (1, 1))):
        hass.states.async_set("sensor.barn", value)
        await hass.async_block_till_done()
        assert (len(on), len(off)) == expected
