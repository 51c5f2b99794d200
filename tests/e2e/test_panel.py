"""The sidebar panel in the browser: live data of a lively application, and of a large one."""

from collections.abc import AsyncIterator
import json
from pathlib import Path
import re

from playwright.async_api import Browser, Locator, Page, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.flow import add_entry
from scripts.dev.options import Application
from tests.e2e.test_browser import NARROW, WIDE, open_page, snap
from tests.simulator import Simulator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

DEVICES = 1000
BURST = 1500
IN_DOCUMENT = 80
"""Rows that may be in the document at once, of a list of thousands."""


WITHOUT_ELEMENTS = """
const get = customElements.get.bind(customElements);
customElements.get = (name) => (/^ha-(alert|button|icon-button|menu-button)$/.test(name) ? undefined : get(name));
"""
"""Lets the panel believe that Home Assistant has none of the elements that it uses."""


async def open_panel(page: Page, home: HomeAssistant) -> Locator:
    """Open the panel from the sidebar; return its first view."""
    await page.goto(home.url)
    await page.get_by_text("LoRaWAN traffic").first.click()
    view = page.locator("thethingsstack-traffic")
    await expect(view).to_be_visible()
    return view


async def test_watch_and_act(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """See what comes, open one by the keyboard, and do what can be done from there."""
    await add_entry(home, application)
    page = await open_page(browser, WIDE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    view = await open_panel(page, home)
    pump = view.get_by_role("row").filter(has_text="Garden pump").filter(has_text="voltage")
    await expect(pump.first).to_be_visible()
    await snap(page, screenshots, "panel_1_live")

    await view.get_by_role("searchbox").fill("garden pump")
    await expect(view.get_by_role("row").filter(has_not_text="Garden pump")).to_have_count(0)
    await pump.first.focus()
    await page.keyboard.press("Enter")
    entry = page.locator("thethingsstack-traffic-entry")
    await expect(entry.get_by_role("heading", name="Garden pump")).to_be_visible()
    await expect(entry.get_by_role("button", name="Close")).to_be_focused()
    await expect(entry.get_by_role("cell", name="voltage", exact=True)).to_be_visible()
    await expect(entry.get_by_text("dBm").first).to_be_visible()
    await snap(page, screenshots, "panel_2_entry")
    await entry.get_by_role("button", name=re.compile("^Voltage: ")).click()
    dialog = page.locator("ha-more-info-dialog")
    await expect(dialog.get_by_text("Voltage").first).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog.get_by_text("Voltage")).to_have_count(0)

    await try_a_formatter(page, entry, screenshots)
    await send(page, entry, view, screenshots)
    await copy(page, entry, application)
    await simulate_again(page, entry, view, screenshots)
    await page.keyboard.press("Escape")
    await expect(entry).to_have_count(0)
    await view.get_by_role("searchbox").fill("")
    await view.get_by_label("Kind").select_option("Downlinks")
    await expect(view.get_by_role("row").filter(has_text="Uplink")).to_have_count(0)
    await ask_for_mac_commands(page, view, screenshots)
    await see_it_narrow_and_dark(browser, home, screenshots)
    await open_the_device(page, entry, view)
    assert errors == []


async def try_a_formatter(page: Page, entry: Locator, screenshots: Path) -> None:
    """What a script makes of the open uplink is shown."""
    await entry.get_by_role("button", name="Try a formatter").click()
    script = "function decodeUplink(input) { return { data: { length: input.bytes.length } }; }"
    box = entry.get_by_role("textbox", name="Script in JavaScript")
    await expect(box).to_have_value(re.compile("decodeUplink"))
    await box.fill(script)
    await entry.get_by_role("button", name="Try", exact=True).click()
    await expect(entry.get_by_text(re.compile('"length": 11'))).to_be_visible()
    await snap(page, screenshots, "panel_3_formatter")
    await page.keyboard.press("Escape")
    await expect(box).to_have_count(0)


async def send(page: Page, entry: Locator, view: Locator, screenshots: Path) -> None:
    """A downlink is sent from the entry, refused first; its fate is in the list."""
    await entry.get_by_role("button", name="Send a downlink").click()
    hexadecimal = entry.get_by_role("textbox", name="Bytes as hexadecimal digits")
    await hexadecimal.fill("0")
    await page.keyboard.press("Enter")
    await expect(entry.get_by_text(re.compile("hexadecimal", re.IGNORECASE)).last).to_be_visible()
    await hexadecimal.fill("01 A0")
    await page.keyboard.press("Enter")
    await expect(entry.get_by_text("Queued. What becomes of it")).to_be_visible()
    await expect(view.get_by_role("row").filter(has_text="01 A0").first).to_be_visible()
    await snap(page, screenshots, "panel_4_downlink")
    await entry.locator("form").get_by_role("button", name="Close").click()


async def copy(page: Page, entry: Locator, application: Application) -> None:
    """The whole message is in the clipboard, without keys and tokens."""
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await entry.get_by_role("button", name="Copy as JSON").click()
    await expect(page.get_by_text("Copied", exact=True).first).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText()")
    uplink = json.loads(copied)["uplink_message"]
    assert uplink["decoded_payload"]["voltage"]
    assert uplink["frm_payload"]
    assert {item["uplink_token"] for item in uplink["rx_metadata"]} == {"**REDACTED**"}
    assert application.api_key not in copied


async def simulate_again(page: Page, entry: Locator, view: Locator, screenshots: Path) -> None:
    """The uplink comes once more, marked as simulated, and the list goes on."""
    simulated = view.get_by_role("row").filter(has_text="simulated")
    await expect(simulated).to_have_count(0)
    await entry.get_by_role("button", name="Simulate again").click()
    await expect(page.get_by_text("Simulated: the uplink comes again.").first).to_be_visible()
    await expect(simulated.first).to_contain_text("voltage")
    await expect(simulated.first.get_by_text("simulated")).to_be_visible()
    await snap(page, screenshots, "panel_4_simulated")


async def ask_for_mac_commands(page: Page, view: Locator, screenshots: Path) -> None:
    """They come for one end device only, which the page says until one is chosen."""
    await view.get_by_label("Kind").select_option("MAC commands")
    hint = view.get_by_text("The network reports MAC commands for one end device only")
    await expect(hint).to_be_visible()
    await snap(page, screenshots, "panel_5_mac_commands")
    await view.get_by_label("End device").select_option("Garden pump")
    await expect(hint).to_have_count(0)
    await view.get_by_role("button", name="Show all").click()


async def open_the_device(page: Page, entry: Locator, view: Locator) -> None:
    """From an entry to the page of its end device."""
    await view.get_by_role("row").filter(has_text="Garden pump").first.click()
    await entry.get_by_role("button", name="Open device").click()
    await expect(page.get_by_role("heading", name="Device info")).to_be_visible()
    await expect(page.get_by_text("Garden pump").first).to_be_visible()


async def see_it_narrow_and_dark(browser: Browser, home: HomeAssistant, screenshots: Path) -> None:
    """On a phone the entry covers the list, nothing is wider; also without Home Assistant's elements."""
    page = await open_page(browser, NARROW, dark=True)
    await page.add_init_script(WITHOUT_ELEMENTS)
    await page.goto(f"{home.url}/lorawan-traffic")
    row = page.get_by_role("row").filter(has_text="Garden pump").first
    await expect(row).to_be_visible()
    await snap(page, screenshots, "panel_5_narrow")
    await row.click()
    entry = page.locator("thethingsstack-traffic-entry")
    await expect(entry.get_by_role("heading", name="Garden pump")).to_be_visible()
    await snap(page, screenshots, "panel_6_narrow_entry")
    width = await entry.evaluate("element => element.scrollWidth")
    assert width <= NARROW["width"]
    await entry.get_by_role("button", name="Close").click()
    await expect(row).to_be_visible()


@pytest.fixture
async def large(socket_enabled: None) -> AsyncIterator[Simulator]:
    """Return a simulator with very many end devices."""
    async with Simulator(world="garden") as simulator:
        for number in range(DEVICES):
            simulator.add_device(f"node-{number:04}", name=f"Node {number:04}")
        yield simulator


async def test_a_burst_of_a_thousand_devices(
    home: HomeAssistant, large: Simulator, browser: Browser, screenshots: Path
) -> None:
    """All arrive, the newest on top, and few rows are in the document."""
    application = Application(
        server=large.server_url,
        identity_server=large.identity_server_url,
        application_id=large.application_id,
        api_key=large.key("manage"),
    )
    await add_entry(home, application)
    page = await open_page(browser, WIDE)
    view = await open_panel(page, home)
    await expect(view.get_by_role("row").filter(has_text="Connected").first).to_be_visible()
    for number in range(BURST):
        await large.uplink(f"node-{number % DEVICES:04}", decoded={"number": number})
    newest = view.get_by_role("row").first
    await expect(newest).to_contain_text(f"number: {BURST - 1}")
    await expect(view.get_by_text(re.compile(r"^1,50\d entries"))).to_be_visible()
    assert await view.get_by_role("row").count() < IN_DOCUMENT

    await view.get_by_label("End device").select_option("Node 0007")
    await expect(view.get_by_role("row")).to_have_count(2)
    await view.get_by_label("End device").select_option("All end devices")
    await newest.click()
    await large.uplink("node-0000", decoded={"number": -1})
    await expect(view.get_by_text(re.compile("^Paused"))).to_be_visible()
    await expect(newest).to_contain_text(f"number: {BURST - 1}")
    await snap(page, screenshots, "panel_7_many")
    await view.get_by_text(re.compile("^Paused")).click()
    await expect(newest).to_contain_text("number: -1")
