"""The panel's fleet and gateways in the browser, with 1,000 end devices."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, ViewportSize, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.flow import add_entry
from scripts.dev.options import Application
from tests.e2e.test_browser import NARROW, WIDE, open_page, snap
from tests.e2e.test_controls import until
from tests.simulator import Simulator
from tests.simulator.demo import GATEWAYS
from tests.simulator.traffic import ROOF, reception

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NODES = 993
"""Beside the seven that are there."""
IN_VIEW = 60
"""More rows are never in the document."""


@pytest.fixture
async def many(socket_enabled: None) -> AsyncIterator[Simulator]:
    """Return a running The Things Stack with 1,000 end devices in one application."""
    async with Simulator(world="garden") as simulator:
        for number in range(NODES):
            simulator.add_device(
                f"node-{number:03}", name=f"Node {number:03}", attributes={"room": "Hall"}
            )
        yield simulator


async def test_fleet_and_gateways(
    home: HomeAssistant, many: Simulator, browser: Browser, screenshots: Path
) -> None:
    """Problems first; search, filter, sort, keyboard, click; who receives whom."""
    await add_entry(
        home,
        Application(
            server=many.server_url,
            identity_server=many.identity_server_url,
            application_id=many.application_id,
            api_key=many.key("manage"),
        ),
    )
    await until(home, "binary_sensor.garden_connection", lambda state: state["state"] == "on")
    await send(many)
    page = await open_page(browser, WIDE)
    await page.goto(f"{home.url}/lorawan-traffic/fleet")
    await problems_first(page)
    await snap(page, screenshots, "fleet_wide")
    await it_fits(page)
    await search_and_filter(page)
    await sort_and_go_by_keys(page)
    await it_lives(page, many)
    await who_receives_whom(page, screenshots)
    await page.get_by_role("tab", name="Fleet").click()
    await page.get_by_role("link", name="Node 500").click()
    await expect(page.get_by_role("heading", name="Device info")).to_be_visible()

    narrow = await open_page(browser, NARROW, dark=True)
    await narrow.goto(f"{home.url}/lorawan-traffic/fleet")
    await expect(rows(narrow).first).to_contain_text("Node 500")
    assert await narrow.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    await narrow.get_by_label("Sort by").select_option("Name")
    await expect(rows(narrow).first).to_contain_text("ABP node")
    await snap(narrow, screenshots, "fleet_narrow")


async def send(many: Simulator) -> None:
    """Let one end device be heard by two gateways, one be overdue, and one not be decoded."""
    two = [reception(many.stack, ROOF, -61, 8.5), reception(many.stack, GATEWAYS[0], -110, -12)]
    await many.uplink("node-007", decoded={"temperature": 21}, rx_metadata=two)
    long_ago = (datetime.now(UTC) - timedelta(days=3)).isoformat().replace("+00:00", "Z")
    await many.uplink("node-500", decoded={"temperature": 4}, received_at=long_ago)
    await many.uplink("node-600", decoded=None, payload=b"\x01")


def rows(page: Page) -> Locator:
    """Return the end devices' rows in the document."""
    return page.locator("thethingsstack-fleet .row")


async def problems_first(page: Page) -> None:
    """Of 1,000 end devices, few rows are in the document: those that need a look."""
    await expect(page.get_by_text("End devices: 1,000")).to_be_visible()
    await expect(rows(page).nth(0)).to_contain_text("Node 500")
    await expect(rows(page).nth(0)).to_contain_text("Overdue")
    await expect(rows(page).nth(0)).to_contain_text("Since")
    await expect(rows(page).nth(1)).to_contain_text("Node 600")
    await expect(rows(page).nth(1)).to_contain_text("Not decoded")
    assert await rows(page).count() < IN_VIEW


async def it_fits(page: Page) -> None:
    """On screens between the widest and the narrowest, too: fewer columns, then blocks."""
    for width, layout in ((1100, "medium"), (900, "small")):
        await page.set_viewport_size(ViewportSize(width=width, height=WIDE["height"]))
        scroller = page.locator(f"thethingsstack-fleet .scroller.{layout}")
        assert await scroller.evaluate("element => element.scrollWidth <= element.clientWidth")
    await page.set_viewport_size(WIDE)


async def search_and_filter(page: Page) -> None:
    """By a part of the name or the area, and by status; there is a way back."""
    search = page.get_by_role("searchbox")
    await search.fill("node 12")
    await expect(rows(page)).to_have_count(10)
    await search.fill("greenhouse")
    await expect(rows(page)).to_have_count(1)
    await search.fill("no such thing")
    await page.get_by_role("button", name="Show all").click()
    await expect(page.get_by_text("End devices: 1,000")).to_be_visible()
    await page.get_by_role("button", name="Not decoded").click()
    await expect(rows(page)).to_have_count(1)
    await page.get_by_role("button", name="All 1,000").click()


async def sort_and_go_by_keys(page: Page) -> None:
    """A click on a column sorts, a second one the other way; keys go from row to row."""
    header = page.get_by_role("columnheader", name="Name")
    await header.get_by_role("button").click()
    await expect(rows(page).first).to_contain_text("ABP node")
    await expect(header).to_have_attribute("aria-sort", "ascending")
    await page.get_by_role("link", name="ABP node").focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("link", name="Bathroom radiator")).to_be_focused()
    await page.keyboard.press("End")
    await expect(page.get_by_role("link", name="Weather station")).to_be_focused()
    assert await rows(page).count() < IN_VIEW
    await header.get_by_role("button").click()
    await expect(header).to_have_attribute("aria-sort", "descending")
    await page.get_by_role("columnheader", name="Status").get_by_role("button").click()


async def it_lives(page: Page, many: Simulator) -> None:
    """An uplink that arrives while the page is open changes its row, with its signal."""
    await page.get_by_role("searchbox").fill("node 008")
    row = rows(page).first
    await expect(row).to_contain_text("Waiting for its first uplink")
    await many.uplink("node-008", decoded={"temperature": 20})
    await expect(row).to_contain_text("Active")
    await expect(row).to_contain_text("-61 dBm")
    await expect(row.get_by_role("img", name="RSSI of the last day")).to_be_attached()


async def who_receives_whom(page: Page, screenshots: Path) -> None:
    """As a table and as a map."""
    await page.get_by_role("tab", name="Gateways").click()
    table = page.get_by_role("table", name="Gateways")
    await expect(table.get_by_role("columnheader", name="roof-gw")).to_be_visible()
    await page.get_by_role("searchbox").fill("node 007")
    cells = table.get_by_role("row").filter(has_text="Node 007").get_by_role("cell")
    await expect(cells.filter(has_text="-61 dBm")).to_contain_text("100 %")
    await expect(cells.filter(has_text="-110 dBm")).to_be_visible()
    await snap(page, screenshots, "gateways_table")
    sort = table.get_by_role("columnheader", name="roof-gw").get_by_role("button")
    await it_stays_focused(page, sort)
    await page.get_by_role("searchbox").fill("")
    await page.get_by_role("button", name="Map", exact=True).click()
    area = page.get_by_role("group", name="Map")
    await it_stays_focused(page, area.get_by_role("link", name="roof-gw"))
    await expect(area).to_have_class("map only")
    await page.get_by_role("searchbox").focus()
    await expect(area).to_have_class("map")
    await area.get_by_role("link", name="roof-gw").hover()
    await expect(area).to_have_class("map only")
    await shown_anew(page)
    await page.get_by_role("searchbox").hover()
    await expect(area).to_have_class("map")
    await expect(area.get_by_role("link", name="roof-gw")).to_be_visible()
    await expect(area.get_by_role("link", name="Greenhouse climate")).to_be_visible()
    await expect(area.locator("text", has_text="Greenhouse climate")).to_be_visible()
    await snap(page, screenshots, "gateways_map")


async def it_stays_focused(page: Page, element: Locator) -> None:
    """Also when what was read anew is shown."""
    await element.focus()
    await shown_anew(page)
    await expect(element).to_be_focused()


async def shown_anew(page: Page) -> None:
    """Let the gateways' tab show all once more, as it does after it has read them again."""
    await page.get_by_role("searchbox").dispatch_event("input")
