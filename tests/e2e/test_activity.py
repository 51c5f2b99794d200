"""Activity, status and battery in the browser: what the house cares about, and what to do next."""

import asyncio
from pathlib import Path
import re

from playwright.async_api import Browser, Page, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.flow import add_entry
from scripts.dev.options import Application
from tests.e2e.test_browser import NARROW, WIDE, open_page, snap
from tests.e2e.test_controls import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

UPLINKS = "sensor.riverside_house_uplinks_today"


async def test_activity_status_and_battery(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """On a wide and on a narrow screen."""
    await add_entry(home, application)
    await until(home, "sensor.garden_pool_thermometer_status", lambda s: s["state"] != "unknown")
    before = float((await home.get(f"/api/states/{UPLINKS}"))["state"])
    await until(home, UPLINKS, lambda s: float(s["state"]) >= before + 20)
    for size, name in ((WIDE, "wide"), (NARROW, "narrow")):
        page = await open_page(browser, size)
        await uplinks_fill_no_activity(page, home)
        await snap(page, screenshots, f"activity_{name}")
        await not_decoded_says_what_to_do(page, home)
        await snap(page, screenshots, f"status_{name}")
        await battery_is_there_without_uplink(page, home)


async def uplinks_fill_no_activity(page: Page, home: HomeAssistant) -> None:
    """Statuses and what the house reports have lines; the times of twenty uplinks have none.

    A line may name the uplink as its cause.
    """
    await page.goto(f"{home.url}/logbook")
    entries = page.locator("ha-logbook")
    await expect(entries.get_by_text("Not decoded").first).to_be_visible()
    await expect(entries.get_by_text(re.compile(r"\d{4} at \d"))).to_have_count(0)


async def not_decoded_says_what_to_do(page: Page, home: HomeAssistant) -> None:
    """The status of its own, on the device's page and in the dialogue with its attributes."""
    await open_device(page, home, "Pool thermometer")
    await expect(page.get_by_text("Not decoded").first).to_be_visible()
    await page.get_by_text("Status", exact=True).first.click()
    dialogue = page.locator("ha-more-info-dialog")
    await expect(dialogue.get_by_text("Not decoded").first).to_be_visible()
    await dialogue.get_by_label("Menu").last.click()
    await page.get_by_text("Details", exact=True).first.click()
    await expect(dialogue).to_match_aria_snapshot(
        """
        - list "Attributes":
          - listitem: /Next step Choose a payload formatter for it/
        """
    )


async def battery_is_there_without_uplink(page: Page, home: HomeAssistant) -> None:
    """Of a device that has been silent since before the set-up."""
    await open_device(page, home, "Barn freezer")
    await expect(page.get_by_text("LoRaWAN battery").first).to_be_visible()


async def open_device(page: Page, home: HomeAssistant, name: str) -> None:
    """Show an end device's page."""
    async with asyncio.timeout(60):
        while True:
            (devices,) = await home.commands({"type": "config/device_registry/list"})
            found = [device["id"] for device in devices if device["name"] == name]
            if found:
                break
            await asyncio.sleep(0.5)
    await page.goto(f"{home.url}/config/devices/device/{found[0]}")
    await expect(page.get_by_role("heading", name="Device info")).to_be_visible()
