"""An end device's own page in the browser: *Delete* leaves it out, and the options take it in."""

import asyncio
from pathlib import Path

from playwright.async_api import Browser, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.flow import add_entry
from scripts.dev.options import Application
from tests.e2e.test_activity import open_device
from tests.e2e.test_browser import WIDE, open_page, press, snap

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_delete_on_the_page_of_a_device(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """It is gone from Home Assistant, and the general options say where it is."""
    await add_entry(home, application)
    page = await open_page(browser, WIDE)
    await open_device(page, home, "Attic node")
    menu = page.locator("ha-config-device-page").get_by_role("button", name="Menu").last
    delete = page.get_by_text("Delete", exact=True).last
    async with asyncio.timeout(60):
        while not await delete.is_visible():  # the page closes its menu where it is drawn anew
            await menu.click()
            await page.wait_for_timeout(500)
    await delete.click()
    await press(page, "Delete")
    async with asyncio.timeout(60):
        while "Attic node" in await names(home):
            await asyncio.sleep(0.5)

    await page.goto(f"{home.url}/config/integrations/integration/thethingsstack")
    await page.get_by_role("button", name="Configure").first.click()
    await page.get_by_text("General options", exact=True).click()
    await expect(page.get_by_text("All but those that I choose")).to_be_visible()
    await snap(page, screenshots, "general_options")
    await press(page, "Save")
    await expect(page.get_by_text("Attic node").first).to_be_visible()
    await snap(page, screenshots, "left_out")


async def names(home: HomeAssistant) -> set[str]:
    """Return the names of all devices."""
    (devices,) = await home.commands({"type": "config/device_registry/list"})
    return {device["name"] for device in devices}
