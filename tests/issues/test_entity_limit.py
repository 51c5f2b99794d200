"""Home Assistant leaves out further entities of an application without a word to the user."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir

from custom_components.thethingsstack.const import DOMAIN, ENTITY_LIMIT, ENTITY_LIMIT_WARNING
from tests.ha_fixtures import set_up, until
from tests.simulator import Simulator

STATION = "garden/70B3D57ED0060001"


async def test_entities_left_out_at_run_time_have_an_issue(
    hass: HomeAssistant, sim: Simulator
) -> None:
    entry = await set_up(hass, sim)
    registry = er.async_get(hass)
    count = registry.entities.get_enabled_count_for_config_entry_id

    def issue() -> str | None:
        found = ir.async_get(hass).async_get_issue(DOMAIN, f"too_many_entities_{entry.entry_id}")
        return found.translation_key if found else None

    def add(total: int) -> None:
        for number in range(total - count(entry.entry_id)):
            registry.async_get_or_create(
                "sensor", DOMAIN, f"filler-{total}-{number}", config_entry=entry
            )

    add(ENTITY_LIMIT_WARNING - 1)
    await hass.async_block_till_done()
    assert issue() is None
    add(ENTITY_LIMIT_WARNING)
    await hass.async_block_till_done()
    assert issue() == "too_many_entities"
    add(ENTITY_LIMIT - 1)
    device = entry.runtime_data.roster.states[STATION]
    await sim.uplink("weather-station", decoded={"temperature": 20, "humidity": 50})
    await until(hass, lambda: {"temperature", "humidity"} <= set(device.decisions))
    await hass.async_block_till_done()
    shown = [
        path
        for path in ("temperature", "humidity")
        if registry.async_get_entity_id("sensor", DOMAIN, f"{STATION}/field/{path}")
    ]
    assert len(shown) == 1
    assert issue() == "entities_left_out"
    for number in range(ENTITY_LIMIT - ENTITY_LIMIT_WARNING + 1):
        registry.async_remove(f"sensor.thethingsstack_filler_{ENTITY_LIMIT_WARNING - 1}_{number}")
    await hass.async_block_till_done()
    assert issue() is None
