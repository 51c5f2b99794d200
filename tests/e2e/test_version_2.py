"""A stack of version 2 as a user meets it: set up, a device, a downlink's fate, the move to version 3."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Browser, Page, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.check import look, speakers, wait_for_values
from scripts.dev.options import Application
from scripts.dev.processes import simulator_v2
from tests.e2e.test_browser import SEARCHED, WIDE, fill_server, open_page, press, snap
from tests.e2e.test_doors import open_reconfigure
from tests.e2e.test_fleet import rows

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

PUMP = "Garden pump"


@pytest.fixture
async def handler(socket_enabled: None) -> AsyncIterator[Application]:
    """Return the lively application on a stack of version 2."""
    async with simulator_v2() as running:
        yield running


async def test_from_a_handler_to_version_3(
    home: HomeAssistant,
    handler: Application,
    application: Application,
    browser: Browser,
    screenshots: Path,
) -> None:
    """Both stacks have the same end devices, which keep their entities."""
    page = await open_page(browser, WIDE)
    await connect(page, home, handler, screenshots)
    picture, missing = await wait_for_values(
        home, await speakers(handler), simulated=True, timeout=90, door="mqtt"
    )
    assert missing == []
    await send_a_downlink(page, home, screenshots)
    await see_what_is_left_out(page, home, screenshots)
    await move(page, home, application, screenshots)
    after, missing = await wait_for_values(
        home, await speakers(application), simulated=True, timeout=90, door="mqtt"
    )
    assert missing == []
    before = {row["entity_id"] for row in picture.rows}
    assert before <= {row["entity_id"] for row in after.rows}


async def connect(page: Page, home: HomeAssistant, handler: Application, screenshots: Path) -> None:
    """Walk the dialogue, a key of the other version included."""
    assert handler.mqtt is not None
    host, _, port = handler.mqtt.rpartition(":")
    await page.goto(f"{home.url}/config/integrations/dashboard")
    await page.get_by_role("button", name="Add integration").last.click()
    await page.get_by_placeholder("Search for a brand name").fill("things stack")
    await page.get_by_text(SEARCHED).first.click()
    await page.get_by_role("radio", name="The Things Network v2").click()
    await press(page, "Next")
    await page.get_by_role("textbox", name="Handler URL").fill(handler.server)
    await page.get_by_role("textbox", name="MQTT host").fill(host)
    await page.get_by_role("textbox", name="Application ID").fill(handler.application_id or "")
    await page.get_by_role("textbox", name="Access key").fill("NNSXS.NOT.AKEY")
    await page.get_by_role("spinbutton", name="MQTT port").fill(port)
    await page.get_by_role("switch").press("Space")
    await snap(page, screenshots, "v2_1_handler")
    await press(page, "Next")
    await expect(page.get_by_text("Give an access key of version 2")).to_be_visible()
    await page.get_by_role("textbox", name="Access key").fill(handler.api_key)
    await press(page, "Next")
    await expect(page.get_by_text("Ready to connect")).to_be_visible()
    await expect(page.get_by_text("found by trying")).to_be_visible()
    await snap(page, screenshots, "v2_2_rights")
    await press(page, "Submit")
    await expect(page.get_by_text("Name and assign")).to_be_visible()
    await page.get_by_role("button", name="Finish").first.click()


async def send_a_downlink(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """See on the device's page what becomes of a downlink."""
    device = next(item for item in (await look(home)).devices if item["name"] == PUMP)
    await home.post(
        "/api/services/thethingsstack/send_downlink",
        {"device_id": device["id"], "hex": "0801ff", "f_port": 85, "confirmed": True},
    )
    await page.goto(f"{home.url}/config/devices/device/{device['id']}")
    await expect(page.get_by_role("heading", name="Device info")).to_be_visible()
    diagnostic = page.locator("ha-device-entities-card").filter(has_text="Last uplink")
    await expect(diagnostic).to_contain_text("Last downlink")
    async with asyncio.timeout(120):
        while not await said(home, "last_downlink", "acknowledged"):
            await asyncio.sleep(0.5)
    await expect(diagnostic).to_contain_text("Acknowledged")
    await snap(page, screenshots, "v2_3_device")


async def see_what_is_left_out(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """What version 2 doesn't have is not offered, and lost frames have no number."""
    await page.goto(f"{home.url}/config/integrations/integration/thethingsstack")
    await expect(page.get_by_role("button", name="Add control")).to_be_visible()
    await expect(page.get_by_role("button", name="Add gateway")).to_have_count(0)
    await snap(page, screenshots, "v2_3_application")
    await page.goto(f"{home.url}/lorawan-traffic/fleet")
    row = rows(page).filter(has_text=PUMP)
    await expect(row).to_contain_text("SF7")
    await expect(row).to_contain_text("dBm")
    await expect(row.locator(".loss")).to_have_text("\N{EN DASH}")
    await snap(page, screenshots, "v2_3_fleet")


async def said(home: HomeAssistant, entity: str, state: str) -> bool:
    """Return whether an entity of the pump has a state."""
    for row in (await look(home)).rows:
        if row["device"] == PUMP and row["entity_id"].endswith(entity):
            found = await home.get(f"/api/states/{row['entity_id']}")
            return bool(found["state"] == state)
    return False


async def move(
    page: Page, home: HomeAssistant, application: Application, screenshots: Path
) -> None:
    """Reconfigure to an application of version 3, after a look at the comparison."""
    await open_reconfigure(page, home)
    await expect(page.get_by_text("Move it to The Things Stack, version 3")).to_be_visible()
    await snap(page, screenshots, "v2_4_reconfigure")
    await page.get_by_text("Move it to The Things Stack, version 3").click()
    await page.get_by_role("radio", name="Own server").click()
    await press(page, "Next")
    await fill_server(page, application)
    await press(page, "Next")
    await page.get_by_role("textbox", name="API key").fill(application.api_key)
    await press(page, "Next")
    await expect(page.get_by_text("Ready to connect")).to_be_visible()
    await press(page, "Submit")
    await expect(page.get_by_text("Not found there: 0")).to_be_visible()
    await expect(page.get_by_role("listitem").filter(has_text=PUMP).last).to_be_visible()
    await snap(page, screenshots, "v2_5_comparison")
    await press(page, "Submit")
    await expect(page.get_by_text("come from the other application now")).to_be_visible()
