"""The panel in the sidebar, and the files that it loads."""

from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL, DATA_PANELS
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.thethingsstack.panel.registration import FRONTEND, FRONTEND_URL, PANEL_PATH
from tests.ha_fixtures import make_entry, set_up
from tests.panel.conftest import PanelClient
from tests.simulator import Simulator


def in_sidebar(hass: HomeAssistant) -> bool:
    return PANEL_PATH in hass.data.get(DATA_PANELS, {})


async def test_one_panel_for_all_applications(hass: HomeAssistant, sim: Simulator) -> None:
    """It stays through reloads, and goes with the last application that is shown."""
    first = await set_up(hass, sim)
    second = await set_up(hass, sim, make_entry(sim, "all", host="127.0.0.2"))
    assert in_sidebar(hass)
    assert await hass.config_entries.async_reload(second.entry_id)
    hass.config_entries.async_update_entry(first, options={"panel": False})
    await hass.async_block_till_done()
    assert in_sidebar(hass)
    await hass.config_entries.async_set_disabled_by(second.entry_id, ConfigEntryDisabler.USER)
    assert not in_sidebar(hass)
    await hass.config_entries.async_set_disabled_by(second.entry_id, None)
    assert in_sidebar(hass)
    await hass.config_entries.async_remove(second.entry_id)
    assert not in_sidebar(hass)


async def test_dashboards_may_use_strategy_and_card(hass: HomeAssistant, sim: Simulator) -> None:
    """Pages load them while there is an application, whether the panel shows it or not."""

    def loaded() -> list[str]:
        return [url for url in hass.data[DATA_EXTRA_MODULE_URL].urls if "dashboard.js" in url]

    assert await async_setup_component(hass, "frontend", {})
    entry = await set_up(hass, sim, make_entry(sim, options={"panel": False}))
    assert loaded() == [f"{hass.data[FRONTEND_URL]}/dashboard.js"]
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert len(loaded()) == 1
    await hass.config_entries.async_remove(entry.entry_id)
    assert not loaded()


async def test_its_files_are_served(
    hass: HomeAssistant, sim: Simulator, hass_client: ClientSessionGenerator
) -> None:
    """All from one folder, whose address is that of their content."""
    await set_up(hass, sim)
    panel = hass.data[DATA_PANELS][PANEL_PATH].to_response()
    assert panel["title"] == "LoRaWAN traffic"
    assert panel["require_admin"]
    assert panel["config"] is not None
    folder = panel["config"]["_panel_custom"]["module_url"].removesuffix("panel.js")
    client = await hass_client()
    for file in FRONTEND.iterdir():
        answer = await client.get(folder + file.name)
        assert await answer.text() == file.read_text("utf-8")
        assert "max-age" in answer.headers["Cache-Control"]


async def test_applications(hass: HomeAssistant, sim: Simulator, client: PanelClient) -> None:
    """With what their keys allow."""
    reading = await set_up(hass, sim)
    hidden = await set_up(hass, sim, make_entry(sim, "all", {"panel": False}, host="127.0.0.2"))
    expected = {
        "entry_id": reading.entry_id,
        "name": "Garden",
        "loaded": True,
        "connected": True,
        "may_send": False,
        "may_simulate": False,
    }
    assert (await client.ask("panel/applications"))["result"] == [expected]
    hass.config_entries.async_update_entry(hidden, options={})
    assert await hass.config_entries.async_unload(reading.entry_id)
    allowed = expected | {"entry_id": hidden.entry_id, "may_send": True, "may_simulate": True}
    stopped = expected | {"loaded": False, "connected": False}
    assert (await client.ask("panel/applications"))["result"] == [stopped, allowed]
