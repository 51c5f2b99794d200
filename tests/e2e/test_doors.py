"""A user whose firewall lets no MQTT through: set up by the event stream, later back to MQTT."""

from pathlib import Path

from playwright.async_api import Browser, Page, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.check import Picture, look, speakers, wait_for_values
from scripts.dev.options import Application
from tests.e2e.test_browser import SEARCHED, WIDE, open_page, press, snap

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

BLOCKED = "9"
"""A port on which nothing listens."""


async def test_the_event_stream_instead_of_mqtt_and_back(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """Devices live by the event stream; by MQTT they are the same ones."""
    page = await open_page(browser, WIDE)
    await connect_blocked(page, home, application, screenshots)
    by_events = await values(home, application, "events")
    await see_the_way(page, home, "HTTPS event stream", screenshots / "door_3_events.png")

    await reconfigure_to_mqtt(page, home, screenshots)
    by_mqtt = await values(home, application, "mqtt")
    await see_the_way(page, home, "MQTT", screenshots / "door_5_mqtt.png")
    assert entities(by_mqtt) >= entities(by_events)


async def values(home: HomeAssistant, application: Application, door: str) -> Picture:
    """Wait until all devices have values and messages come by this door."""
    picture, missing = await wait_for_values(
        home, await speakers(application), simulated=True, timeout=60, door=door
    )
    assert missing == []
    return picture


def entities(picture: Picture) -> set[str]:
    """Return the ids of all entities."""
    return {row["entity_id"] for row in picture.rows}


async def connect_blocked(
    page: Page, home: HomeAssistant, application: Application, screenshots: Path
) -> None:
    """Walk the dialogue to the event stream, which it offers."""
    await page.goto(f"{home.url}/config/integrations/dashboard")
    await page.get_by_role("button", name="Add integration").last.click()
    await page.get_by_placeholder("Search for a brand name").fill("things stack")
    await page.get_by_text(SEARCHED).first.click()
    await page.get_by_role("radio", name="Own server").click()
    await press(page, "Next")
    assert application.identity_server is not None
    await page.get_by_role("textbox", name="Server URL").fill(application.server)
    await page.get_by_role("button", name="Advanced").click()
    await page.get_by_role("textbox", name="Identity Server URL").fill(application.identity_server)
    await page.get_by_role("textbox", name="MQTT host").fill("127.0.0.1")
    await page.get_by_role("spinbutton", name="MQTT port").fill(BLOCKED)
    await page.get_by_role("switch").press("Space")
    await press(page, "Next")
    await page.get_by_role("textbox", name="API key").fill(application.api_key)
    await press(page, "Next")

    await expect(page.get_by_text("MQTT can't be reached")).to_be_visible()
    await expect(page.get_by_text(f"127.0.0.1:{BLOCKED}")).to_be_visible()
    await snap(page, screenshots, "door_1_offered")
    await page.get_by_text("Receive messages by the HTTPS event stream").click()
    await expect(page.get_by_text("Ready to connect")).to_be_visible()
    await expect(page.get_by_role("radio", name="HTTPS event stream")).to_be_checked()
    await snap(page, screenshots, "door_2_summary")
    await press(page, "Submit")
    await expect(page.get_by_text("Name and assign")).to_be_visible()
    await page.get_by_role("button", name="Finish").first.click()


async def see_the_way(page: Page, home: HomeAssistant, way: str, picture: Path) -> None:
    """Read in the entity *Connection* by which way messages come."""
    rows = (await look(home)).rows
    connection = next(row["entity_id"] for row in rows if row["name"] == "Connection")
    await page.goto(f"{home.url}/profile?more-info-entity-id={connection}")
    dialog = page.locator("ha-more-info-dialog")
    await dialog.locator("ha-dropdown ha-icon-button").first.click()
    await page.get_by_role("menuitem", name="Details").click()
    attribute = page.get_by_role("listitem").filter(has_text="Way to connect")
    await expect(attribute).to_contain_text(way)
    await page.screenshot(path=picture, animations="disabled")


async def open_reconfigure(page: Page, home: HomeAssistant) -> None:
    """Open *Reconfigure* from the menu of the application."""
    await page.goto(f"{home.url}/config/integrations/integration/thethingsstack")
    row = page.locator("ha-config-entry-row").first
    await row.locator("ha-dropdown ha-icon-button").first.click()
    await row.get_by_role("menuitem", name="Reconfigure").first.click()


async def reconfigure_to_mqtt(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """Correct the port, and choose MQTT."""
    await open_reconfigure(page, home)
    await expect(page.get_by_role("radio", name="HTTPS event stream")).to_be_checked()
    await page.get_by_role("button", name="Advanced").click()
    await page.get_by_role("textbox", name="MQTT host").fill("")
    await page.get_by_role("spinbutton", name="MQTT port").fill("")
    await page.get_by_role("radio", name="MQTT").click()
    await snap(page, screenshots, "door_4_reconfigure")
    await press(page, "Submit")
    await expect(page.get_by_text("successful", exact=False).first).to_be_visible()
