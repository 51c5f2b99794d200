"""The dashboard that makes itself and the card, also for a user who is no administrator."""

from pathlib import Path
import re
from typing import Any

from playwright.async_api import Browser, Page, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.flow import add_entry
from scripts.dev.options import Application
from tests.e2e.test_browser import NARROW, WIDE, open_page, press, snap
from tests.e2e.test_controls import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CARDS = "lorawan-cards"


async def test_dashboard_and_card(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """Both are offered where one looks for them; the card is changed in its editor."""
    await add_entry(home, application)
    await until(home, "sensor.greenhouse_greenhouse_climate_last_uplink", heard)
    page = await open_page(browser, WIDE)
    await make_the_dashboard(page, home)
    await look_at_it(page)
    await snap(page, screenshots, "dashboard_wide")
    await change_the_card(page, home, screenshots)

    narrow = await open_page(browser, NARROW, dark=True)
    await log_in(narrow, home)
    await narrow.goto(f"{home.url}/lorawan-dashboard")
    await look_at_it(narrow)
    await narrow.get_by_role("button", name="Barn freezer").click()
    await expect(narrow.locator("ha-more-info-dialog")).to_contain_text("Barn freezer")
    await snap(narrow, screenshots, "dashboard_narrow")


def heard(state: dict[str, Any]) -> bool:
    """Return whether an uplink has come."""
    return "rssi" in state["attributes"]


async def make_the_dashboard(page: Page, home: HomeAssistant) -> None:
    """By the dialogue that Home Assistant has for it."""
    await page.goto(f"{home.url}/config/lovelace/dashboards")
    await page.get_by_role("button", name="Add dashboard").click()
    await page.get_by_role("button", name="LoRaWAN", exact=True).click()
    await page.get_by_role("textbox", name="Title").fill("LoRaWAN dashboard")
    await press(page, "Create")
    await expect(page.get_by_text("LoRaWAN dashboard").first).to_be_visible()
    await page.goto(f"{home.url}/lorawan-dashboard")


async def look_at_it(page: Page) -> None:
    """What needs a look, areas, and a card for each end device."""
    problems = page.locator("hui-entities-card")
    await expect(problems).to_contain_text("Needs a look")
    await expect(problems).to_contain_text("Barn freezer")
    card = page.locator("thethingsstack-device-card").filter(has_text="Greenhouse climate")
    await expect(card).to_contain_text("Active")
    await expect(card).to_contain_text("dBm")
    await expect(card).to_contain_text("°C")
    silent = page.locator("thethingsstack-device-card").filter(has_text="Barn freezer")
    await expect(silent).to_contain_text("Overdue · since")
    await expect(silent).to_contain_text("Check its battery")


async def change_the_card(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """On another dashboard: its editor asks for the end device, and what it is to show."""
    dashboard = {"url_path": CARDS, "title": "Cards", "mode": "storage"}
    await home.commands(
        {"type": "lovelace/dashboards/create", **dashboard},
        {
            "type": "lovelace/config/save",
            "url_path": CARDS,
            "config": {"views": [{"cards": [{"type": "custom:thethingsstack-device-card"}]}]},
        },
    )
    await page.goto(f"{home.url}/{CARDS}")
    await expect(page.get_by_text("Choose an end device.")).to_be_visible()
    await page.get_by_role("button", name="Edit dashboard").click()
    await page.locator("hui-card-options").get_by_role("button", name="Edit").first.click()
    dialogue = page.locator("hui-dialog-edit-card")
    await dialogue.get_by_text("Select a device").click()
    await page.get_by_placeholder("Search").last.fill("Greenhouse")
    await page.locator("ha-picker-combo-box ha-combo-box-item").first.click()
    preview = dialogue.locator("thethingsstack-device-card")
    await expect(preview).to_contain_text("Greenhouse climate")
    await dialogue.get_by_role("textbox", name=re.compile("Name")).fill("Orangery")
    await expect(preview).to_contain_text("Orangery")
    await expect(preview).to_contain_text("°C")
    await snap(page, screenshots, "card_editor")


async def log_in(page: Page, home: HomeAssistant) -> None:
    """As a user who is no administrator."""
    await home.commands(
        {"type": "config/auth/create", "name": "Guest", "group_ids": ["system-users"]}
    )
    await page.goto(home.url)
    await page.get_by_role("radio", name="Guest").click()
    await press(page, "Log in")
    await expect(page.get_by_role("button", name="Sidebar toggle")).to_be_visible()
