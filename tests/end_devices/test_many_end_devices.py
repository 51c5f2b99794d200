"""What concerns all entities is done in slices; what changes meanwhile counts."""

from collections import Counter

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import async_get_platforms
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.thethingsstack.client import StackError
from custom_components.thethingsstack.const import DOMAIN, UNAVAILABLE_AFTER
from custom_components.thethingsstack.entity import EndDeviceEntity
from tests.ha_fixtures import set_up, until
from tests.simulator import Simulator

COUNT = 400


def states_of_nodes(hass: HomeAssistant, entry: MockConfigEntry) -> Counter[str]:
    """Return how many nodes have which state of their status."""
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    nodes = (e.entity_id for e in entities if e.unique_id.startswith("garden/70B3D57ED1"))
    found = (hass.states.get(entity_id) for entity_id in nodes if entity_id.endswith("_status"))
    return Counter(state.state for state in found if state is not None)


async def test_an_entity_takes_little_memory(hass: HomeAssistant, sim: Simulator) -> None:
    """A dictionary of more than 42 values would take 1.6 kB instead of 0.8."""
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded={"temperature": 20.5, "humidity": 50, "door": "on"})
    station = entry.runtime_data.roster.by_device_id("weather-station")
    await until(hass, lambda: len(station.values) == 3)
    await hass.async_block_till_done()
    await sim.uplink("weather-station", decoded={"temperature": 21, "humidity": 55, "door": "off"})
    await until(hass, lambda: station.values.get("humidity") == 55)
    entities = [
        entity
        for platform in async_get_platforms(hass, DOMAIN)
        for entity in platform.entities.values()
        if isinstance(entity, EndDeviceEntity)
    ]
    assert len(entities) > 3
    assert max(len(vars(entity)) for entity in entities) <= 42


async def test_a_connection_that_is_back_at_once_is_back_for_all(
    hass: HomeAssistant, sim: Simulator
) -> None:
    for number in range(COUNT):
        sim.add_device(f"node-{number}", dev_eui=f"70B3D57ED1{number:06X}", name=f"Node {number}")
    entry = await set_up(hass, sim)
    before = states_of_nodes(hass, entry)
    assert before.total() == COUNT
    assert STATE_UNAVAILABLE not in before
    connection = entry.runtime_data.connection_state

    connection.on_lost(StackError("gone", name="gone"))
    async_fire_time_changed(hass, dt_util.utcnow() + UNAVAILABLE_AFTER)
    await until(hass, lambda: not connection.available)
    assert states_of_nodes(hass, entry)[STATE_UNAVAILABLE] > 0
    connection.on_connected()  # while the last are still to become unavailable
    await until(hass, lambda: states_of_nodes(hass, entry) == before)

    connection.on_lost(StackError("gone", name="gone"))
    async_fire_time_changed(hass, dt_util.utcnow() + UNAVAILABLE_AFTER)
    await until(hass, lambda: states_of_nodes(hass, entry) == {STATE_UNAVAILABLE: COUNT})

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert states_of_nodes(hass, entry) == {STATE_UNAVAILABLE: COUNT}
