"""A newcomer's way: add the integration, look at a device, see it live."""

import asyncio
from pathlib import Path
import re

from playwright.async_api import Browser, Page, ViewportSize, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.check import Picture, look, speakers, wait_for_values
from scripts.dev.options import Application

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SEARCHED = "LoRaWAN, TTN: The Things Network, The Things Stack"
"""The name under which *Add integration* finds it, whatever one knows it by."""
DEVICE = "Greenhouse climate"
WIDE = ViewportSize(width=1280, height=1100)
NARROW = ViewportSize(width=390, height=844)
TIMEOUT = 60_000


async def test_from_the_add_button_to_a_living_device(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """The dialogue ends in devices with values, and the device page shows them."""
    page = await open_page(browser, WIDE)
    await connect(page, home, application, screenshots)
    picture, missing = await wait_for_values(
        home, await speakers(application), simulated=True, timeout=60
    )
    assert missing == []

    await page.goto(f"{home.url}/config/integrations/integration/thethingsstack")
    await expect(
        page.get_by_role("link", name=f"{len(picture.devices) - 1} devices")
    ).to_be_visible()
    await snap(page, screenshots, "integration")
    await page.get_by_role("button", name=DEVICE).first.click()
    await check_device_page(page, picture)
    await snap(page, screenshots, "device_wide_light")
    await check_it_lives(page, home)

    path = page.url
    for name, size, scheme in (
        ("device_wide_dark", WIDE, "dark"),
        ("device_narrow_light", NARROW, "light"),
        ("device_narrow_dark", NARROW, "dark"),
    ):
        other = await open_page(browser, size, dark=scheme == "dark")
        await other.goto(path)
        await check_device_page(other, picture)
        await snap(other, screenshots, name)
    await change_a_field(page, home, screenshots)


async def change_a_field(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """The Fields dialogue finds a field, previews the change, and the entity has it at once."""
    await page.goto(f"{home.url}/config/integrations/integration/thethingsstack")
    await page.get_by_role("button", name="Configure").first.click()
    await page.get_by_text("Fields", exact=True).click()
    await choose(page, "Greenhouse climate")
    await press(page, "Next")
    await expect(page.get_by_role("listitem").filter(has_text="Humidity").first).to_be_visible()
    await snap(page, screenshots, "fields_1_list")
    await choose(page, "Hum_SHT")
    await press(page, "Next")
    now = page.get_by_text(re.compile(r"Shown as: [\d.]+ % · Humidity"))
    await expect(now).to_be_in_viewport()  # the preview of what is typed is below the form
    await page.get_by_role("textbox", name="Name", exact=False).first.fill("Dampness")
    await page.get_by_role("spinbutton", name="Multiply by").fill("0")
    await expect(page.get_by_text("leaves nothing to see")).to_be_visible()
    await page.get_by_role("spinbutton", name="Multiply by").fill("1")
    await expect(page.get_by_text("leaves nothing to see")).to_have_count(0)
    preview = page.locator("entity-preview-row")
    await expect(preview).to_contain_text("Dampness")
    await expect(preview).to_contain_text("%")
    await snap(page, screenshots, "fields_2_form")
    await press(page, "Save")
    await expect(page.get_by_text("is now Dampness")).to_be_visible()
    await snap(page, screenshots, "fields_3_kept")
    rows = [row for row in (await look(home)).rows if row["device"] == DEVICE]
    assert "Dampness" in {row["name"] for row in rows}


async def choose(page: Page, text: str) -> None:
    """Pick from the dialogue's list what the search finds first; a short list has no search."""
    lists = page.locator("ha-selector-select")
    await expect(lists.first).to_be_visible()
    if not await lists.locator("ha-generic-picker").count():
        await lists.locator("ha-select").last.click()
        await page.locator("ha-dropdown-item").filter(has_text=text).first.click()
        return
    await page.locator("ha-generic-picker").last.click()
    await page.get_by_placeholder("Search").last.fill(text)
    found = page.locator("ha-picker-combo-box ha-combo-box-item").first
    await expect(found).to_contain_text(text)
    await found.click()


async def connect(
    page: Page, home: HomeAssistant, application: Application, screenshots: Path
) -> None:
    """Walk the dialogue, a wrong key included."""
    await page.goto(f"{home.url}/config/integrations/dashboard")
    await page.get_by_role("button", name="Add integration").last.click()
    search = page.get_by_placeholder("Search for a brand name")
    found = page.get_by_text(SEARCHED).first
    for words in ("lora", "LoRaWAN", "ttn", "the things network", "things stack"):
        await search.fill(words)
        await expect(found).to_be_visible()
    await snap(page, screenshots, "flow_0_search")
    await found.click()

    await page.get_by_role("radio", name="Own server").click()
    await snap(page, screenshots, "flow_1_network")
    await press(page, "Next")

    await fill_server(page, application)
    await snap(page, screenshots, "flow_2_server")
    await press(page, "Next")

    await page.get_by_role("textbox", name="API key").fill("NNSXS.NOT.AKEY")
    await press(page, "Next")
    await expect(page.get_by_text("know this key")).to_be_visible()
    await snap(page, screenshots, "flow_3_wrong_key")
    await page.get_by_role("textbox", name="API key").fill(application.api_key)
    await press(page, "Next")

    await expect(page.get_by_text("Ready to connect")).to_be_visible()
    await expect(page.get_by_text("send downlinks")).to_be_visible()
    await snap(page, screenshots, "flow_4_rights")
    await press(page, "Submit")
    await expect(page.get_by_text("Name and assign")).to_be_visible()
    await snap(page, screenshots, "flow_5_devices")
    await page.get_by_role("button", name="Finish").first.click()


async def fill_server(page: Page, application: Application) -> None:
    """Fill in the step for a server of one's own, with what is folded away."""
    assert application.identity_server is not None
    await page.get_by_role("textbox", name="Server URL").fill(application.server)
    await page.get_by_role("button", name="Advanced").click()
    await page.get_by_role("textbox", name="Identity Server URL").fill(application.identity_server)
    await page.get_by_role("switch").press("Space")


async def check_device_page(page: Page, picture: Picture) -> None:
    """Every enabled entity of the device stands on its page, by name, and none without a value."""
    await expect(page.get_by_role("heading", name="Device info")).to_be_visible()
    device = next(device for device in picture.devices if device["name"] == DEVICE)
    entities = page.locator("ha-device-entities-card")
    for row, _ in picture.rows_of(device["id"]):
        if row["enabled"]:
            await expect(entities.get_by_text(row["name"], exact=True).first).to_be_visible()
    sensors = entities.filter(has=page.get_by_role("heading", name="Sensors"))
    await expect(sensors).to_contain_text("°C")
    await expect(sensors).to_contain_text("%")
    for state in ("Unknown", "Unavailable"):
        await expect(entities.get_by_text(state, exact=True)).to_have_count(0)


async def check_it_lives(page: Page, home: HomeAssistant) -> None:
    """An uplink that arrives while the page is open moves the page."""
    entity_id = next(
        row["entity_id"]
        for row in (await look(home)).rows
        if row["device"] == DEVICE and row["entity_id"].endswith("last_uplink")
    )
    before = (await home.get(f"/api/states/{entity_id}"))["state"]
    async with asyncio.timeout(120):
        while (await home.get(f"/api/states/{entity_id}"))["state"] == before:
            await asyncio.sleep(0.5)
    diagnostic = page.locator("ha-device-entities-card").filter(has_text="Last uplink")
    await expect(diagnostic).to_contain_text("second")


async def open_page(browser: Browser, size: ViewportSize, *, dark: bool = False) -> Page:
    """Return a page as a device of this size and theme shows it."""
    context = await browser.new_context(
        viewport=size, color_scheme="dark" if dark else "light", locale="en-US"
    )
    page = await context.new_page()
    page.set_default_timeout(TIMEOUT)
    expect.set_options(timeout=TIMEOUT)
    return page


async def press(page: Page, name: str) -> None:
    """Click the dialogue's button."""
    await page.get_by_role("button", name=name, exact=True).click()


async def snap(page: Page, folder: Path, name: str) -> None:
    """Take a picture of the page as it is once its animations have ended."""
    await page.screenshot(path=folder / f"{name}.png", animations="disabled")
