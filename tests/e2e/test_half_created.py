"""What is registered only in part: found, completed and removed in the browser."""

from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.flow import add_entry
from scripts.dev.options import Application
from tests.e2e.test_browser import WIDE, open_page, press, snap

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ADDRESSES = {
    f"{server}_server_address": "localhost" for server in ("network", "application", "join")
}
ATTIC: dict[str, Any] = {
    "ids": {
        "device_id": "attic-sensor",
        "dev_eui": "70B3D57ED00600AA",
        "join_eui": "0000000000000000",
    },
    "name": "Attic sensor",
    **ADDRESSES,
}


async def test_found_completed_and_removed(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """One that another client began, and one whose deletion ended half-way."""
    await add_entry(home, application)
    await leave_partial_devices(application)
    page = await open_page(browser, WIDE)
    await look_for_them(page, home, screenshots)

    await page.goto(f"{home.url}/config/repairs")
    await page.get_by_text("Attic sensor is registered only in part").click()
    await expect(
        page.get_by_text("Join Server, Network Server, Application Server")
    ).to_be_visible()
    await snap(page, screenshots, "half_2_issue")
    await page.get_by_text("Complete it").click()
    await expect(page.get_by_text("How does it speak LoRaWAN?")).to_be_visible()
    await press(page, "Submit")
    await expect(page.get_by_text("What is missing")).to_be_visible()
    await snap(page, screenshots, "half_3_form")
    await press(page, "Submit")
    await expect(page.get_by_text("shows them only now")).to_be_visible()
    await snap(page, screenshots, "half_4_keys")
    await press(page, "Submit")
    await expect(page.get_by_text("The issue is repaired!")).to_be_visible()
    await press(page, "Finish")
    await expect(page.get_by_text("Attic sensor is registered only in part")).to_have_count(0)

    await page.get_by_text("Mailbox is registered only in part").click()
    await page.get_by_text("Remove it").click()
    await page.get_by_role("switch").first.press("Space")
    await snap(page, screenshots, "half_5_remove")
    await press(page, "Remove it")
    await expect(page.get_by_text("The issue is repaired!")).to_be_visible()
    states = {state["entity_id"]: state["state"] for state in await home.get("/api/states")}
    assert states["sensor.attic_sensor_status"] == "never_joined"
    found = {value for key, value in states.items() if key.endswith("mailbox_status")}
    assert found == {"not_registered"}


async def leave_partial_devices(application: Application) -> None:
    """Let one be only registered, and another one lose its part on the Application Server."""
    headers = {"Authorization": f"Bearer {application.api_key}"}
    identity = f"{application.identity_server}/api/v3/applications"
    own = f"{application.application_id}/devices"
    async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as session:
        body = {"end_device": ATTIC, "field_mask": {"paths": ["name", *ADDRESSES]}}
        await session.post(f"{identity}/{own}", json=body)
        await session.delete(f"{application.server}/api/v3/as/applications/{own}/mailbox")


async def look_for_them(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """The options find both."""
    await page.goto(f"{home.url}/config/integrations/integration/thethingsstack")
    await page.get_by_role("button", name="Configure").first.click()
    await page.get_by_text("Look for half-created end devices").click()
    await expect(page.get_by_text("Only some servers know")).to_be_visible()
    dialog = page.locator("dialog-data-entry-flow")
    await expect(dialog).to_contain_text("Mailbox (mailbox): Application Server")
    await expect(dialog).to_contain_text("Attic sensor")
    await snap(page, screenshots, "half_1_found")
