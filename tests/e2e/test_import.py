"""Several end devices in the browser: a file is uploaded or pasted, looked at, and registered."""

from pathlib import Path

from playwright.async_api import Browser, FilePayload, Page, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.flow import add_entry
from scripts.dev.options import Application
from tests.e2e.test_browser import NARROW, WIDE, open_page, press, snap
from tests.e2e.test_management import add_end_device, close

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

KEY = "00112233445566778899AABBCCDDEEFF"
FILE = f"""id;dev_eui;join_eui;name;app_key;frequency_plan_id;lorawan_version
attic-door;70B3D57ED0A60001;70B3D57ED0000000;Attic door;{KEY};EU_863_870_TTN;1.0.3
cellar-door;70B3D57ED0A60002;70B3D57ED0000000;Cellar door;{KEY};EU_863_870_TTN;1.0.3
garage-door;70B3D57ED0A6;70B3D57ED0000000;Garage door;{KEY[:-1]};EU_863_870_TTN;1.0.3
shed-door;70B3D57ED0A60004;;Shed door;;EU_NO_PLAN;1.0.3
"""


async def test_a_file_of_end_devices(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """What is wrong is shown before anything is registered, on a phone, too; the report stays."""
    await add_entry(home, application)
    phone = await open_page(browser, NARROW)
    await add_end_device(phone, home, "Several at once, from a file")
    await phone.locator("textarea").fill(FILE)
    await snap(phone, screenshots, "import_1_narrow_file")
    await press(phone, "Check them")
    await expect(phone.get_by_text("Can be registered: ")).to_be_visible(timeout=15_000)
    await expect_preview(phone)
    await snap(phone, screenshots, "import_2_narrow_preview")

    page = await open_page(browser, WIDE)
    await add_end_device(page, home, "Several at once, from a file")
    file = FilePayload(name="devices.csv", mimeType="text/csv", buffer=FILE.encode())
    await page.locator("ha-file-upload input[type=file]").set_input_files(file)
    await expect(page.get_by_text("devices.csv")).to_be_visible()
    await snap(page, screenshots, "import_3_wide_file")
    await press(page, "Check them")
    await expect_preview(page)
    await snap(page, screenshots, "import_4_wide_preview")
    await page.get_by_text("Register those that can be", exact=True).click()
    await expect(page.get_by_text("Registered: 2.")).to_be_visible()
    await snap(page, screenshots, "import_5_wide_report")
    await close(page)
    await page.goto(f"{home.url}/config/devices/dashboard")
    await expect(page.get_by_text("Attic door").first).to_be_visible()
    await page.get_by_text("Notifications").first.click()
    await expect(page.get_by_text("Registered: 2.")).to_be_visible()
    await snap(page, screenshots, "import_6_wide_notification")


async def expect_preview(page: Page) -> None:
    """Wait for the table of the four end devices."""
    await expect(page.get_by_text("Register these end devices?")).to_be_visible()
    for name in ("Attic door", "Cellar door", "Garage door", "Shed door"):
        await expect(page.get_by_text(name, exact=True)).to_be_visible()
    await expect(page.get_by_text("Can be registered", exact=True)).to_have_count(2)
