"""Entities before the first uplink, from the examples that a model's formatter has."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.thethingsstack.end_devices import EndDeviceState, Status
from custom_components.thethingsstack.fields.awaited import LONGEST, MOST_UPLINKS
from custom_components.thethingsstack.formatters.texts import READING_PAUSES, ReadingPauses
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator
from tests.simulator.device_repository import Model
from tests.test_entities import count

VERSIONS = {
    "brand_id": "acme",
    "model_id": "probe-1",
    "hardware_version": "1.0",
    "firmware_version": "1.0",
    "band_id": "EU_863_870",
}
SCRIPT = "function decodeUplink(input) { return { data: {} }; }"
EXAMPLE: dict[str, Any] = {"temperature": 77.7, "contact": "open", "rain": 3, "humidity": 1}


@pytest.fixture(autouse=True)
def _read_at_once(hass: HomeAssistant) -> None:
    hass.data[READING_PAUSES] = ReadingPauses(start=0.0, between=0.0)


def _publish(sim: Simulator, *examples: dict[str, Any]) -> None:
    """Add a new end device of a model with these examples; it has never sent anything."""
    model = Model("acme", "probe-1", "Probe", decoder=SCRIPT, codec="probe", examples=examples)
    sim.repository.publish(model)
    sim.add_device("probe", name="Probe", version_ids=VERSIONS, up_formatter="FORMATTER_REPOSITORY")


def _entity(hass: HomeAssistant, device: EndDeviceState, path: str) -> er.RegistryEntry | None:
    registry = er.async_get(hass)
    unique_id = f"{device.key}/field/{path}"
    for platform in ("sensor", "binary_sensor"):
        if found := registry.async_get_entity_id(platform, "thethingsstack", unique_id):
            return registry.async_get(found)
    return None


def _state(hass: HomeAssistant, device: EndDeviceState, path: str) -> str | None:
    """Return the state of a field; None without an entity."""
    entry = _entity(hass, device, path)
    state = hass.states.get(entry.entity_id) if entry is not None else None
    return None if state is None else state.state


async def test_fields_of_the_examples_are_there_before_the_first_uplink(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Unknown, never with the example's value; what is reported then decides on them anew."""
    _publish(sim, EXAMPLE, {}, {**EXAMPLE, "alarm_of_another_model": True})
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    device = entry.runtime_data.roster.by_device_id("probe")
    fields = tuple(EXAMPLE)
    await until(hass, lambda: {_state(hass, device, path) for path in fields} == {"unknown"})
    assert _state(hass, device, "alarm_of_another_model") is None
    temperature = _entity(hass, device, "temperature")
    assert temperature is not None
    assert temperature.unit_of_measurement == "°C"
    assert device.status(overdue=False) is Status.WAITING_FOR_FIRST_UPLINK

    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    device = entry.runtime_data.roster.by_device_id("probe")
    assert {_state(hass, device, path) for path in fields} == {"unknown"}

    reported = {"temperature": 21.25, "contact": 3.25, "humidity": 55, "extra": 7.5}
    await sim.uplink("probe", decoded=reported)
    await until(hass, lambda: _state(hass, device, "extra") == "7.5")
    await until(hass, lambda: _state(hass, device, "contact") == "3.25")
    await until(hass, lambda: _state(hass, device, "temperature") == "21.25")
    assert _state(hass, device, "humidity") == "55"
    assert _state(hass, device, "rain") == "unknown"
    again = _entity(hass, device, "temperature")
    assert again is not None
    assert again.id == temperature.id
    assert device.expected == {"rain"}
    names = [meaning.name for meaning in device.decisions.values()]
    assert not [name for name in names if name and name.endswith("2")]


async def test_what_never_comes_is_removed(hass: HomeAssistant, sim: Simulator) -> None:
    """After many uplinks and some days; but not what the user has done something with."""
    _publish(sim, EXAMPLE)
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    device = entry.runtime_data.roster.by_device_id("probe")
    await until(hass, lambda: _state(hass, device, "rain") == "unknown")
    contact = _entity(hass, device, "contact")
    assert contact is not None
    er.async_get(hass).async_update_entity(contact.entity_id, name="Front door")
    for number in range(MOST_UPLINKS):
        await sim.uplink("probe", decoded={"temperature": 20 + number / 10})
        await count(hass, entry, number + 1)
    assert device.expected == {"contact", "rain", "humidity"}
    entry.runtime_data.fields.awaited[device.key].since -= LONGEST  # as if it was over
    await sim.uplink("probe", decoded={"temperature": 25, "humidity": 50})
    await until(hass, lambda: _entity(hass, device, "rain") is None)
    assert device.expected == {"contact"}
    assert set(device.decisions) >= {"temperature", "humidity", "contact"}
    assert "rain" not in device.decisions
    assert _state(hass, device, "contact") == "unknown"
    await sim.uplink("probe", decoded={"temperature": 25, "rain": 2})
    await until(hass, lambda: _state(hass, device, "rain") == "2")


async def test_a_formatter_of_its_own_has_no_examples(hass: HomeAssistant, sim: Simulator) -> None:
    """Nor has an end device that has reported already any need of them."""
    _publish(sim, EXAMPLE)
    sim.add_device("own", version_ids=VERSIONS, up_formatter="FORMATTER_JAVASCRIPT", script=SCRIPT)
    sim.add_device("old", version_ids=VERSIONS, up_formatter="FORMATTER_REPOSITORY")
    hass.data[READING_PAUSES] = ReadingPauses(start=3600.0, between=0.0)
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    await sim.uplink("old", decoded={"temperature": 20.5})
    await count(hass, entry, 1)
    hass.data[READING_PAUSES] = ReadingPauses(start=0.0, between=0.0)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    roster = entry.runtime_data.roster
    sim.add_device("last", version_ids=VERSIONS, up_formatter="FORMATTER_REPOSITORY")
    await until(hass, lambda: (last := roster.by_device_id("last")) and last.expected)
    assert roster.by_device_id("probe").expected  # one is read after the other
    for device_id in ("own", "old"):
        assert not roster.by_device_id(device_id).expected
