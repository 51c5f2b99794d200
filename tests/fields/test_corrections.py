"""A first value is only a hint: later ones correct what a field was taken for, in place."""

from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.end_devices import EndDeviceState, state as state_module
from custom_components.thethingsstack.payload.observations import REVISABLE
from tests.ha_fixtures import entity_id, set_up, until
from tests.simulator import Simulator
from tests.test_entities import count, state_of

STATION = "weather-station"
FIELD = "garden/70B3D57ED0060001/field/"


def shown(hass: HomeAssistant, entity: str) -> State:
    """Return an entity's state; an empty one while it is exchanged."""
    return hass.states.get(entity) or State(entity, "")


async def has(hass: HomeAssistant, device: EndDeviceState, path: str, value: int) -> None:
    """Wait until a field has a value."""
    await until(hass, lambda: device.values.get(path) == value)


async def test_a_battery_is_known_when_its_values_tell(hass: HomeAssistant, sim: Simulator) -> None:
    """4 may be volts, a level or per cent; 100 can't be the others."""
    entry = await set_up(hass, sim)
    device = entry.runtime_data.roster.by_device_id(STATION)
    await sim.uplink(STATION, decoded={"battery": 4})
    await until(hass, lambda: device.values.get("battery") == 4)
    await hass.async_block_till_done()
    entity = entity_id(hass, "sensor", f"{FIELD}battery")
    before = hass.states.get(entity)
    assert before is not None
    assert "device_class" not in before.attributes
    for value in (97, 100, 96):
        await sim.uplink(STATION, decoded={"battery": value})
        await has(hass, device, "battery", value)
        await hass.async_block_till_done()
    await until(hass, lambda: "device_class" in shown(hass, entity).attributes)
    after = hass.states.get(entity)
    assert after is not None
    assert (after.attributes["device_class"], after.attributes["unit_of_measurement"]) == (
        "battery",
        "%",
    )
    assert after.state == "96"
    assert entity_id(hass, "sensor", f"{FIELD}battery") == entity
    assert len([e for e in er.async_get(hass).entities if e.startswith(entity)]) == 1


async def test_a_code_that_looked_like_a_switch(hass: HomeAssistant, sim: Simulator) -> None:
    """Home Assistant is caught up with, too: what is new then comes as it is at the end."""
    entry = await set_up(hass, sim)
    device = entry.runtime_data.roster.by_device_id(STATION)
    for number, value in enumerate((0, 1, 7), 1):
        await sim.uplink(STATION, decoded={"leak": value, "number": number})
        await has(hass, device, "number", number)
        await hass.async_block_till_done()
    decision = device.decisions["leak"]
    entity = entity_id(hass, decision.kind, f"{FIELD}leak")
    await until(hass, lambda: shown(hass, entity).state == "on")


async def test_what_was_reported_so_far_survives_a_restart(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """A device that sends once a day is not asked to begin anew."""
    entry = await set_up(hass, sim)
    device = entry.runtime_data.roster.by_device_id(STATION)
    await sim.uplink(STATION, decoded={"battery": 4})
    await has(hass, device, "battery", 4)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    device = entry.runtime_data.roster.by_device_id(STATION)
    await sim.uplink(STATION, decoded={"battery": 97})
    await has(hass, device, "battery", 97)
    assert device.decisions["battery"].quantity == "battery"
    await hass.async_block_till_done()
    entity = entity_id(hass, "sensor", f"{FIELD}battery")
    await until(hass, lambda: shown(hass, entity).attributes.get("unit_of_measurement") == "%")


@pytest.mark.parametrize("stored_before", [False, True])
async def test_a_count_that_fell_is_no_total(
    hass: HomeAssistant,
    sim: Simulator,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    stored_before: bool,
) -> None:
    """Also where it fell over a restart, or from a number that an earlier version stored."""
    entry = await set_up(hass, sim)
    device = entry.runtime_data.roster.by_device_id(STATION)
    await sim.uplink(STATION, decoded={"visits": 1, "room_count": 12})
    await has(hass, device, "room_count", 12)
    assert device.decisions["room_count"].role == "total_increasing"
    assert await hass.config_entries.async_unload(entry.entry_id)
    if stored_before:
        stored = hass_storage[f"{DOMAIN}.{entry.entry_id}.fields"]["data"]
        for fields in stored["observations"].values():
            fields |= {path: observed[:5] for path, observed in fields.items()}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    monkeypatch.setattr(state_module, "STATISTICS_PAUSE", timedelta(0))  # as if it was over
    device = entry.runtime_data.roster.by_device_id(STATION)
    values = (15, 9) if stored_before else (9,)
    for value in values:
        await sim.uplink(STATION, decoded={"visits": 2, "room_count": value})
        await has(hass, device, "room_count", value)
    entity = entity_id(hass, "sensor", f"{FIELD}room_count")
    await until(hass, lambda: shown(hass, entity).attributes.get("state_class") == "measurement")


async def test_no_statistics_in_a_unit_that_may_be_another(
    hass: HomeAssistant, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A meter that is no more in Wh when it has decimals must not have counted any before."""
    entry = await set_up(hass, sim)
    station = entry.runtime_data.roster.by_device_id("weather-station")
    unique_id = f"{station.key}/field/energy"
    for number, value in enumerate((99, 100, 101.2, 101.3), 1):
        await sim.uplink("weather-station", decoded={"energy": value})
        await count(hass, entry, number)
        await hass.async_block_till_done()
        assert "state_class" not in state_of(hass, "sensor", unique_id).attributes
    assert station.decisions["energy"].unit is None
    monkeypatch.setattr(state_module, "STATISTICS_PAUSE", timedelta(0))  # as if it was over
    for number in range(5, REVISABLE + 2):
        await sim.uplink("weather-station", decoded={"energy": 100.5 + number})
        await count(hass, entry, number)
    state = state_of(hass, "sensor", unique_id)
    assert state.state == "111.5"
    assert state.attributes["state_class"] == "measurement"
    assert "unit_of_measurement" not in state.attributes


async def test_statistics_begin_when_a_unit_is_certain_enough(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """After as many uplinks as a decision may be corrected by."""
    entry = await set_up(hass, sim)
    station = entry.runtime_data.roster.by_device_id("weather-station")
    for number in range(REVISABLE + 1):
        await sim.uplink("weather-station", decoded={"energy": 5000 + number, "temperature": 21.5})
        await count(hass, entry, number + 1)
        known = number >= REVISABLE - 1
        energy = state_of(hass, "sensor", f"{station.key}/field/energy")
        assert ("state_class" in energy.attributes) is known
        temperature = state_of(hass, "sensor", f"{station.key}/field/temperature")
        assert temperature.attributes["state_class"] == "measurement"


async def test_the_state_of_an_led_moves_no_tracker(hass: HomeAssistant, sim: Simulator) -> None:
    """A field called LON beside the coordinates; then a place in objects of their own."""
    entry = await set_up(hass, sim)
    await sim.uplink(STATION, decoded={"LON": "ON", "Latitude": 47.5, "Longitude": 8.25})
    await count(hass, entry, 1)
    tracker = entity_id(hass, "device_tracker", f"{FIELD}Latitude")
    await until(hass, lambda: shown(hass, tracker).attributes.get("longitude") == 8.25)
    assert state_of(hass, "binary_sensor", f"{FIELD}LON").state == "on"
    place = {"lat": {"value": 47.25, "unit": "deg"}, "lon": {"value": 8.5, "unit": "deg"}}
    await sim.uplink(STATION, decoded={"fix": place})
    await count(hass, entry, 2)
    tracker = entity_id(hass, "device_tracker", f"{FIELD}fix.lat.value")
    await until(hass, lambda: shown(hass, tracker).attributes.get("longitude") == 8.5)
