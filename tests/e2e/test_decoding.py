"""Decoding in Home Assistant in the browser: a row of a table, and what becomes of the last uplink."""

import asyncio
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.flow import add_entry
from scripts.dev.options import Application
from tests.e2e.test_browser import WIDE, choose, open_page, press, snap

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

DEVICE = "attic-node"
NAME = "Attic node Loft temperature"


async def test_a_table_is_made_and_tried(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """A row that can't be is refused with the reason; then its value is shown, and saved."""
    await add_entry(home, application)
    await shown(home, "Attic node Temperature 1")
    page = await open_page(browser, WIDE)
    await page.goto(f"{home.url}/config/integrations/integration/thethingsstack")
    await page.get_by_role("button", name="Configure").first.click()
    await page.get_by_text("Decode in Home Assistant", exact=True).click()
    await choose(page, DEVICE)
    await press(page, "Next")
    await snap(page, screenshots, "decode_1_how")
    await page.get_by_text("A table of fields", exact=True).click()
    await page.get_by_role("switch").press("Space")
    await press(page, "Next")
    await expect(page.get_by_text("Table of fields", exact=True)).to_be_visible()
    await snap(page, screenshots, "decode_2_table")
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("textbox", name="Name").fill("loft_temperature")
    await page.get_by_role("spinbutton", name="First byte").fill("2")
    await page.get_by_role("spinbutton", name="Bytes").fill("2")
    await page.get_by_role("textbox", name="Bits").fill("20")
    await page.get_by_role("spinbutton", name="Multiply by").fill("0.1")
    await page.get_by_role("textbox", name="Unit").fill("°C")
    await snap(page, screenshots, "decode_3_row")
    await page.get_by_role("button", name="Add", exact=True).last.click()
    await press(page, "Next")
    await expect(page.get_by_text("Bits: 20 is neither")).to_be_visible()
    await snap(page, screenshots, "decode_4_refused")
    await page.get_by_role("button", name="Edit").last.click()
    await page.get_by_role("textbox", name="Bits").fill("")
    await page.get_by_role("button", name="Save").last.click()
    await press(page, "Next")
    await expect(page.get_by_text("Loft temperature: ")).to_be_visible()
    await snap(page, screenshots, "decode_5_preview")
    await press(page, "Submit")
    await expect(page.get_by_text("decodes the uplinks of these")).to_be_visible()
    state = await shown(home, NAME)
    assert state["attributes"]["unit_of_measurement"] == "°C"


async def shown(home: HomeAssistant, name: str) -> dict[str, Any]:
    """Wait until an entity of this name has a value, and return its state."""
    async with asyncio.timeout(60):
        while True:
            for state in await home.get("/api/states"):
                if state["attributes"].get("friendly_name") == name and state["state"] != "unknown":
                    found: dict[str, Any] = state
                    return found
            await asyncio.sleep(0.2)
