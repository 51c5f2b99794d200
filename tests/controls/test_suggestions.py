"""Controls of known models are suggested; a control takes the place of its read-only field."""

from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from tests.dialogs import go, start_repair
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator

from .cases import RADIATOR_KEY


def suggestions(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    """Return the active suggestions, by preset."""
    return {
        str(issue.data["preset"]): issue
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN and issue.active and issue.data and "preset" in issue.data
    }


def categories(hass: HomeAssistant) -> dict[str, EntityCategory | None]:
    """Return the categories of the radiator's fields, by path."""
    start = f"{RADIATOR_KEY}/field/"
    return {
        entity.unique_id.removeprefix(start): entity.entity_category
        for entity in er.async_get(hass).entities.values()
        if entity.unique_id.startswith(start)
    }


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application, whose radiator has sent something."""
    assert await async_setup_component(hass, "repairs", {})
    entry = await set_up(hass, sim, make_entry(sim, "control"))
    await sim.uplink("bath-radiator")
    await until(hass, lambda: "mclimate_vicki" in suggestions(hass))
    return entry


async def test_a_thermostat_is_suggested_and_made_by_one_click(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The end names all that was made; fields that controls set are diagnostic from then on."""
    await hass.async_block_till_done()
    before = categories(hass)
    assert before["childLock"] is None or before["childLock"] is EntityCategory.DIAGNOSTIC
    assert before["targetTemperature"] is None
    assert before["sensorTemperature"] is None
    issue = suggestions(hass)["mclimate_vicki"]
    assert issue.translation_key == "preset_climate"
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["devices_plain"] == "Bathroom radiator"
    result = await start_repair(hass, issue.issue_id)
    assert result["step_id"] == "confirm"
    assert result["description_placeholders"]["controls"].splitlines() == [
        "- Thermostat",
        "- Child lock (Switch)",
        "- Reporting interval (Number)",
    ]
    result = await go(hass, result)
    assert result["reason"] == "controls_added"
    assert "Child lock" in result["description_placeholders"]["controls"]
    await hass.async_block_till_done()
    titles = {subentry.title for subentry in entry.subentries.values()}
    assert "Bathroom radiator · Thermostat" in titles
    assert not suggestions(hass)
    after = categories(hass)
    assert after["targetTemperature"] is EntityCategory.DIAGNOSTIC
    assert after["childLock"] is EntityCategory.DIAGNOSTIC
    assert after["sensorTemperature"] is None  # a measurement of its own

    for subentry_id in list(entry.subentries):
        hass.config_entries.async_remove_subentry(entry, subentry_id)
    await hass.async_block_till_done()
    assert categories(hass) == before


async def test_what_is_ignored_stays_away(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """After a reload, too."""
    issue_id = suggestions(hass)["mclimate_vicki"].issue_id
    ir.async_ignore_issue(hass, DOMAIN, issue_id, True)
    await hass.async_block_till_done()
    assert entry.runtime_data.store.ignored_presets == {"mclimate_vicki"}
    assert await hass.config_entries.async_reload(entry.entry_id)
    await sim.uplink("pump-socket")
    await until(hass, lambda: bool(suggestions(hass)))
    assert suggestions(hass).keys() == {"milesight_ws52x"}


async def test_nothing_is_suggested_to_a_key_that_may_not_send(
    hass: HomeAssistant, sim: Simulator
) -> None:
    entry = await set_up(hass, sim, make_entry(sim, "read"))
    await sim.uplink("bath-radiator")
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    assert not suggestions(hass)
