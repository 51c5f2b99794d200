"""In the browser: where decisions on fields come from, and a correction on an open device page."""

from pathlib import Path

from playwright.async_api import Browser, Page, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.check import speakers, wait_for_values
from scripts.dev.flow import add_entry
from scripts.dev.options import Application
from tests.e2e.test_browser import NARROW, TIMEOUT, WIDE, choose, open_page, press, snap
from tests.e2e.test_editing import registered

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

DEVICE = "Greenhouse climate"
SCRIPT = """function decodeUplink(input) {
  var bytes = input.bytes, data = {};
  if (input.fPort !== 7) return { data: { TempC_SHT: 20.5 } };
  data.TempC_SHT = bytes[0] / 10;
  data.head = bytes[1] / 10; // head, unit: kPa
  data.battery = bytes[2];
  data.outside_temperature = 12.5;
  return { data: data };
}"""


async def test_sources_and_a_correction_on_the_page(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """A field of the library, of the formatter, and of its name; the last one's values tell more."""
    # At the full hour Home Assistant makes statistics, and a field that has some isn't corrected.
    await home.post("/api/services/recorder/disable", {})
    await add_entry(home, application)
    await wait_for_values(home, await speakers(application), simulated=True, timeout=60)
    device_id = (await registered(home, DEVICE))["id"]
    await home.post(
        "/api/services/thethingsstack/set_payload_formatter?return_response",
        {"device_id": device_id, "uplink": "javascript", "uplink_script": SCRIPT},
    )
    page = await open_page(browser, WIDE)
    await page.goto(f"{home.url}/config/devices/device/{device_id}")
    cards = page.locator("ha-device-entities-card")
    await report(home, device_id, battery=4)
    rows = cards.locator("hui-sensor-entity-row")
    row = rows.filter(has=page.get_by_text("Battery", exact=True))
    await expect(row).to_contain_text("4", timeout=TIMEOUT)
    await expect(row).not_to_contain_text("%")
    head = rows.filter(has=page.get_by_text("Head", exact=True))
    await expect(head).to_contain_text("25.0 kPa", timeout=TIMEOUT)  # the formatter was read by now
    await snap(page, screenshots, "corrections_1_not_certain")
    await check_sources(await open_page(browser, WIDE), home, screenshots)
    await report(home, device_id, battery=97)
    await report(home, device_id, battery=96)
    await expect(row).to_contain_text("96%", timeout=TIMEOUT)
    await snap(page, screenshots, "corrections_2_corrected")


async def report(home: HomeAssistant, device_id: str, *, battery: int) -> None:
    """Act as if the device had sent."""
    await home.post(
        "/api/services/thethingsstack/simulate_uplink",
        {"device_id": device_id, "f_port": 7, "hex": f"D2 FA {battery:02X}"},
    )


async def check_sources(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """The Fields dialogue says of each field who decided."""
    await page.goto(f"{home.url}/config/integrations/integration/thethingsstack")
    await page.get_by_role("button", name="Configure").first.click()
    await page.get_by_text("Fields", exact=True).click()
    await choose(page, DEVICE)
    await press(page, "Next")
    for path, source in (
        ("TempC_SHT", "Model library"),
        ("head", "Payload formatter"),
        ("outside_temperature", "Name and values"),
        ("battery", "Not certain yet"),
    ):
        row = page.get_by_role("listitem").filter(has=page.get_by_text(path, exact=True))
        await expect(row).to_contain_text(source)
    await snap(page, screenshots, "corrections_sources")
    await page.set_viewport_size(NARROW)
    dialogue = page.locator("ha-markdown").filter(has=page.get_by_role("listitem")).last
    assert await dialogue.evaluate("shown => shown.scrollWidth <= shown.clientWidth")
    # What is not certain comes before what is known.
    paths = await dialogue.get_by_role("listitem").locator("strong").all_inner_texts()
    assert paths.index("battery") < paths.index("TempC_SHT")
    await snap(page, screenshots, "corrections_sources_phone")
