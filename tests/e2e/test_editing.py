"""Editing in the browser: a mistake, a tracker's place, an area, and a payload formatter."""

from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.check import speakers, wait_for_values
from scripts.dev.flow import add_entry
from scripts.dev.options import Application
from tests.e2e.test_browser import WIDE, choose, open_page, press, snap

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

DEVICE = "attic-node"
SCRIPT = """function decodeUplink(input) {
  return { data: { length: input.bytes.length } };
}"""


async def test_edit_an_end_device(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """What is wrong is told at its field; what is saved is there when it is opened again."""
    await add_entry(home, application)
    await wait_for_values(home, await speakers(application), simulated=True, timeout=60)
    page = await open_page(browser, WIDE)
    await edit_texts(page, home, screenshots)
    await choose_a_model(page, home, screenshots)
    await choose_a_formatter(page, home, screenshots)


async def open_dialogue(page: Page, home: HomeAssistant, what: str) -> None:
    """Find the end device, and choose what to edit."""
    await page.goto(f"{home.url}/config/integrations/integration/thethingsstack")
    await page.get_by_role("button", name="Configure").first.click()
    await page.get_by_text("Edit an end device", exact=True).click()
    await choose(page, DEVICE)
    await press(page, "Next")
    await page.get_by_text(what, exact=True).click()


async def edit_texts(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """An attribute and a number for overdue that can't be; then area, overdue and place.

    No map shows a place that it doesn't have, and nothing is asked that changes nothing.
    """
    await open_dialogue(page, home, "Name, place and more")
    await snap(page, screenshots, "edit_0_form")
    await expect(page.get_by_text("Choose its place on a map").first).to_be_visible()
    await expect(page.locator("ha-selector-location")).to_have_count(0)
    await expect(page.get_by_text("Name in Home Assistant")).to_have_count(0)
    await page.get_by_role("textbox", name="Name", exact=True).fill("Loft node")
    await page.get_by_role("button", name="Add Attribute").click()
    attribute = page.get_by_role("textbox", name="Attribute").last
    await attribute.fill("home-assistant-area: Loft")
    await press(page, "Save")
    await expect(page.get_by_text("This one is different")).to_be_visible()
    await snap(page, screenshots, "edit_1_refused")
    await attribute.fill("home-assistant-area = Loft")
    overdue = page.get_by_role("textbox", name="Overdue after")
    await overdue.fill("a while")
    await press(page, "Save")
    await expect(page.get_by_text("Write a number of minutes")).to_be_visible()
    await snap(page, screenshots, "edit_2_overdue_refused")
    await overdue.fill("90 min")
    await page.locator("ha-entity-picker").click()
    await page.get_by_placeholder("Search").last.fill("Delivery van")
    await page.locator("ha-picker-combo-box ha-combo-box-item").first.click()
    await snap(page, screenshots, "edit_2_filled_in")
    await press(page, "Save")
    await expect(page.get_by_text("is saved")).to_be_visible()
    device = await registered(home, "Loft node")
    assert device["area_id"] == "loft"


async def choose_a_model(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """It is said to be a radiator's valve, whose formatter can't decode it: only the model is saved."""
    await open_dialogue(page, home, "Model")
    await choose(page, "MClimate")
    await press(page, "Next")
    await expect(page.get_by_text("Which model is it?")).to_be_visible()
    await choose(page, "Vicki")
    await snap(page, screenshots, "edit_3_model")
    await press(page, "Next")
    await expect(page.get_by_text("Is it this model?")).to_be_visible()
    await snap(page, screenshots, "edit_3_model_sure")
    await expect(page.get_by_text("Use what is known of the model's fields").first).to_be_visible()
    await press(page, "Save")
    await expect(page.get_by_text("MClimate VICKI now")).to_be_visible()
    device = await registered(home, "Loft node")
    assert (device["manufacturer"], device["model_id"]) == ("MClimate", "vicki")
    await expect(page.get_by_role("button", name="Add application")).to_be_visible()


async def choose_a_formatter(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """A script that fails, then one that is tried and saved, and is the present one then."""
    await open_dialogue(page, home, "Payload formatter")
    await expect(page.get_by_text("Now it has a formatter of its own: CayenneLPP")).to_be_visible()
    await snap(page, screenshots, "edit_3_formatter")
    await page.get_by_text("JavaScript: see").click()
    await press(page, "Next")
    script = page.get_by_role("textbox", name="Script")
    await script.fill("function nothing() {}")
    await press(page, "Next")
    await expect(page.get_by_text("is not defined")).to_be_visible()
    await snap(page, screenshots, "edit_4_script_fails")
    await script.fill(SCRIPT)
    await press(page, "Next")
    await expect(page.get_by_text('"length":')).to_be_visible()
    await snap(page, screenshots, "edit_5_dry_run")
    await press(page, "Submit")
    await expect(page.get_by_text("is saved")).to_be_visible()
    await open_dialogue(page, home, "Payload formatter")
    await expect(page.get_by_text("Now it has a formatter of its own: JavaScript")).to_be_visible()


async def registered(home: HomeAssistant, name: str) -> dict[str, Any]:
    """Return the device of this name."""
    (devices,) = await home.commands({"type": "config/device_registry/list"})
    return next(device for device in devices if device["name"] == name)
