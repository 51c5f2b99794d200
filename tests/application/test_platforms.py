"""Only platforms with entities are set up: at the start, and when their first entity comes."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import async_get_platforms
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from tests.controls.cases import SOCKET, VALVE, add_control, entity_of, subentry
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator

PUMP = "garden/24E124148B000001"
ALWAYS = {"binary_sensor", "event", "sensor"}
CHOSEN = {"devices": "chosen", "chosen_devices": ["pump-socket", "bath-radiator"]}
"""Without those whose place is registered."""
PLACE = {"gps": {"latitude": 52.3, "longitude": 4.8}}


def loaded(hass: HomeAssistant, entry: MockConfigEntry) -> set[str]:
    """Return the platforms that are set up for the entry."""
    platforms = async_get_platforms(hass, DOMAIN)
    return {platform.domain for platform in platforms if platform.config_entry is entry}


async def test_a_platform_comes_with_its_first_entity(hass: HomeAssistant, sim: Simulator) -> None:
    """Of a control and of a field; after a restart those are set up that have entities."""
    entry = await set_up(hass, sim, make_entry(sim, "control", options=CHOSEN))
    assert loaded(hass, entry) == ALWAYS
    switch = await add_control(hass, entry, SOCKET)
    assert hass.states.get(entity_of(hass, switch).entity_id) is not None
    assert loaded(hass, entry) == {*ALWAYS, "switch"}
    await sim.uplink("pump-socket", decoded=PLACE)
    tracker = f"{PUMP}/field/gps.latitude"
    await until(
        hass, lambda: er.async_get(hass).async_get_entity_id("device_tracker", DOMAIN, tracker)
    )
    await hass.async_block_till_done()
    assert hass.states.get(entity_id(hass, "device_tracker", tracker)) is not None
    needed = {*ALWAYS, "switch", "device_tracker"}
    assert loaded(hass, entry) == needed

    assert await hass.config_entries.async_reload(entry.entry_id)
    assert loaded(hass, entry) == needed
    assert hass.states.get(entity_of(hass, switch).entity_id) is not None
    hass.config_entries.async_remove_subentry(entry, switch)
    await hass.async_block_till_done()
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert loaded(hass, entry) == needed - {"switch"}


async def test_several_controls_come_at_once(
    hass: HomeAssistant, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is there once, also where its platform is still being set up for another."""
    entry = await set_up(hass, sim, make_entry(sim, "control", options=CHOSEN))
    added = [subentry(data) for data in (SOCKET, {**SOCKET, "name": "Other"}, VALVE)]
    for control in added:
        hass.config_entries.async_add_subentry(entry, control)
    await hass.async_block_till_done()
    for control in added:
        assert hass.states.get(entity_of(hass, control.subentry_id).entity_id) is not None
    assert "does not generate unique IDs" not in caplog.text
    assert loaded(hass, entry) == {*ALWAYS, "switch", "valve"}


async def test_a_platform_that_comes_too_late_stays_away(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """The entry is unloaded at the moment of the first position; the next start has it."""
    entry = await set_up(hass, sim, make_entry(sim, options=CHOSEN))
    assert loaded(hass, entry) == ALWAYS
    await sim.uplink("pump-socket", decoded=PLACE)
    path = "gps.latitude"
    decided = entry.runtime_data.roster.states[PUMP].decisions
    await until(hass, lambda: path in decided)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert loaded(hass, entry) == set()
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert "device_tracker" in loaded(hass, entry)
