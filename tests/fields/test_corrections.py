"""A first value is only a hint: later ones correct what a field was taken for, in place."""

from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er

from custom_components.thethingsstack.end_devices import EndDeviceState
from tests.ha_fixtures import entity_id, set_up, until
from tests.simulator import Simulator

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
