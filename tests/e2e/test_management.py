"""End devices in the browser: registered in three ways, replaced, mended, deleted."""

from pathlib import Path
import re
from typing import Any

from playwright.async_api import Browser, Page, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.flow import add_entry
from scripts.dev.options import Application
from tests.e2e.test_browser import WIDE, choose, open_page, press, snap
from tests.e2e.test_decoding import shown

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

QR_CODE = "LW:D0:70B3D57ED0000000:70B3D57ED0060077:AABB1122"


async def test_the_console_is_not_needed(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """All that the Console is used for every day."""
    await add_entry(home, application)
    page = await open_page(browser, WIDE)
    await register_by_hand(page, home, screenshots)
    await register_from_the_repository(page, home, screenshots)
    await register_by_qr_code(page, home, screenshots)
    await replace(page, home, screenshots)
    await delete(page, home, screenshots)
    await mend_the_formatter(page, home, screenshots)


async def add_end_device(page: Page, home: HomeAssistant, way: str) -> None:
    """Press "Add end device" and choose the way."""
    await page.goto(f"{home.url}/config/integrations/integration/thethingsstack")
    await page.get_by_role("button", name="Add end device").click()
    await page.get_by_text(way, exact=True).click()


async def close(page: Page) -> None:
    """Close the dialogue that has told its end; its cross is called so, too."""
    await page.locator("ha-dialog-footer").get_by_role("button", name="Close").click()


async def finish(page: Page, screenshots: Path, picture: str) -> None:
    """Look at what will be registered, register it, and close."""
    await expect(page.get_by_text("Register this end device?")).to_be_visible()
    await snap(page, screenshots, f"{picture}_review")
    await page.get_by_text("Register it", exact=True).click()
    await expect(page.get_by_text("is registered in The Things Stack")).to_be_visible()
    await snap(page, screenshots, f"{picture}_registered")
    await close(page)


async def register_by_hand(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """A mistake is told at its field, and what was typed is still there."""
    await add_end_device(page, home, "By hand")
    await press(page, "Next")
    await page.get_by_role("textbox", name="Name").fill("Loft sensor")
    await page.get_by_role("textbox", name="DevEUI").fill("70:b3:d5:7e:d0:06:00")
    await press(page, "Next")
    await expect(page.get_by_text("An EUI has 16 digits")).to_be_visible()
    await snap(page, screenshots, "register_1_mistake")
    await page.get_by_role("textbox", name="DevEUI").fill("70:b3:d5:7e:d0:06:00:75")
    await expect(page.get_by_role("textbox", name="Name")).to_have_value("Loft sensor")
    await press(page, "Next")
    await finish(page, screenshots, "register_2_by_hand")
    assert await status_of(home, "Loft sensor") == "never_joined"


async def register_from_the_repository(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """Maker, model and band; all else comes with it but the DevEUI, which is asked for."""
    await add_end_device(page, home, "From the Device Repository")
    await choose(page, "Dragino")
    await press(page, "Next")
    await expect(page.get_by_text("Which model is it?")).to_be_visible()
    await choose(page, "LDS02")
    await press(page, "Next")
    await expect(
        page.get_by_label("Band").get_by_text("EU_863_870")
    ).to_be_visible()  # as its other end devices
    await press(page, "Next")
    await page.get_by_role("textbox", name="Name").fill("Back door")
    await page.get_by_role("textbox", name="AppKey").fill("00112233445566778899AABBCCDDEEFF")
    await press(page, "Next")
    await expect(page.get_by_text("A device that was bought has its own")).to_be_visible()
    await snap(page, screenshots, "register_3_without_dev_eui")
    await page.get_by_text("Change something", exact=True).click()
    await page.get_by_role("textbox", name="DevEUI").fill("A84041A241182099")
    await snap(page, screenshots, "register_3_facts")
    await press(page, "Next")
    await finish(page, screenshots, "register_4_repository")
    assert await status_of(home, "Back door") == "never_joined"


async def register_by_qr_code(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """The code tells the EUIs; it stands in the form."""
    await add_end_device(page, home, "By its QR code")
    await page.get_by_role("textbox", name="Text of the QR code").fill(QR_CODE)
    await press(page, "Next")
    await page.get_by_text("By hand", exact=True).click()
    await press(page, "Next")
    await expect(page.get_by_role("textbox", name="DevEUI")).to_have_value("70B3D57ED0060077")
    await page.get_by_role("textbox", name="Name").fill("Scanned thing")
    await press(page, "Next")
    await finish(page, screenshots, "register_5_qr_code")
    assert await status_of(home, "Scanned thing") == "never_joined"


async def options(page: Page, home: HomeAssistant, item: str) -> None:
    """Open the gear of the application, and choose from its menu."""
    await page.goto(f"{home.url}/config/integrations/integration/thethingsstack")
    await page.get_by_role("button", name="Configure").first.click()
    await page.get_by_text(item, exact=True).click()


async def replace(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """The device with its entities goes on under another DevEUI."""
    before = await device_named(home, "Greenhouse climate")
    await options(page, home, "Replace a broken end device")
    await choose(page, "Greenhouse climate")
    await press(page, "Next")
    await page.get_by_text("Register the new one now").click()
    await page.get_by_role("textbox", name="DevEUI").fill("a8-40-41-00-01-81-c0-99")
    await snap(page, screenshots, "replace_1_facts")
    await press(page, "Next")
    await expect(page.get_by_text("Replace it?")).to_be_visible()
    await expect(page.get_by_text("If Home Assistant has the new one already")).to_have_count(0)
    await snap(page, screenshots, "replace_2_sure")
    await page.get_by_role("switch").press("Space")
    await press(page, "Replace it")
    await expect(page.get_by_text("goes on with the new end device")).to_be_visible()
    await snap(page, screenshots, "replace_3_done")
    await close(page)
    after = await device_named(home, "Greenhouse climate")
    assert after["id"] == before["id"]
    assert after["serial_number"] == "A84041000181C099"


async def delete(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """Twice confirmed; the device stays here, and is marked."""
    await options(page, home, "Delete an end device on the server")
    await choose(page, "Scanned thing")
    await press(page, "Next")
    await expect(page.get_by_text("Its keys and its session are lost")).to_be_visible()
    await page.get_by_role("switch").first.press("Space")
    await snap(page, screenshots, "delete_1_lost")
    await press(page, "Next")
    await page.get_by_role("textbox", name="End device ID").fill("scanned-thing")
    await press(page, "Delete it")
    await expect(page.get_by_text("is deleted in The Things Stack")).to_be_visible()
    await close(page)
    assert await status_of(home, "Scanned thing") == "not_registered"


async def open_issue(page: Page, home: HomeAssistant, title: str) -> None:
    """Open a repair issue by a part of its title."""
    await page.goto(f"{home.url}/config/repairs")
    await page.get_by_text(title).first.click(timeout=60_000)


async def mend_the_formatter(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """The issue tells the server's reason; what becomes of the last uplink is shown before."""
    # It asks which end device only when both have sent.
    await open_issue(page, home, "Beehive scale, Pool thermometer")
    await page.get_by_role("checkbox", name="Pool thermometer").press("Space")
    await snap(page, screenshots, "formatter_1_which")
    await press(page, "Submit")
    await expect(page.get_by_text("Its reason:")).to_be_visible()
    await expect(page.get_by_text("It is a model that I know")).to_be_visible()
    await snap(page, screenshots, "formatter_2_reason")
    # The formatter of the wrong model doesn't decode it, and changes nothing.
    await page.get_by_text("It is a model that I know").click()
    await choose(page, "MClimate")
    await press(page, "Next")
    await expect(page.get_by_text("Which model is it?")).to_be_visible()
    await choose(page, "Vicki")
    await press(page, "Next")
    await expect(page.get_by_text("That one doesn't fit")).to_be_visible()
    await snap(page, screenshots, "formatter_2_wrong_model")
    await page.get_by_text("A JavaScript formatter").click()
    await expect(page.get_by_text("The last uplinks, and what they give now")).to_be_visible()
    await page.get_by_role("switch").press("Space")  # choose another one
    await press(page, "Submit")
    await page.get_by_text("A JavaScript formatter").click()
    # It begins with the present script, which fails.
    script = page.get_by_role("textbox", name="Script")
    await expect(script).to_have_value(re.compile("decodeUplink"))
    await script.fill("function decodeUplink(input) { return {data: {temperature: 21.5}}; }")
    await snap(page, screenshots, "formatter_3_script")
    await press(page, "Submit")
    await expect(page.get_by_text("What becomes of the last uplinks")).to_be_visible()
    await snap(page, screenshots, "formatter_4_result")
    await press(page, "Submit")
    await expect(page.get_by_text("The issue is repaired")).to_be_visible()
    assert (await shown(home, "Pool thermometer Temperature"))["state"] == "21.5"
    (issues,) = await home.commands({"type": "repairs/list_issues"})
    assert "Pool thermometer" not in str(issues)


async def device_named(home: HomeAssistant, name: str) -> dict[str, Any]:
    """Return the only device of this name in Home Assistant's registry."""
    (devices,) = await home.commands({"type": "config/device_registry/list"})
    (found,) = [device for device in devices if device["name"] == name]
    return dict(found)


async def status_of(home: HomeAssistant, name: str) -> str:
    """Return the state of an end device's status."""
    device = await device_named(home, name)
    (entities,) = await home.commands({"type": "config/entity_registry/list"})
    entity_id = next(
        entity["entity_id"]
        for entity in entities
        if entity["device_id"] == device["id"] and entity["translation_key"] == "status"
    )
    return str((await home.get(f"/api/states/{entity_id}"))["state"])
