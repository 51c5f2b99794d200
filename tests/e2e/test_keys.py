"""What a key may do, in the browser: from a user's key to one that only watches, and more rights."""

from pathlib import Path

from playwright.async_api import Browser, Page, expect
import pytest

from scripts.dev.api import HomeAssistant
from tests.e2e.test_browser import NARROW, WIDE, choose, open_page, press, snap
from tests.e2e.test_doors import open_reconfigure
from tests.e2e.test_webhook import begin
from tests.simulator import Simulator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

LEFT_OUT = (
    "Send downlinks",
    "Register, change and delete end devices",
    "Change payload formatters",
    "Switch the Storage Integration",
)


async def test_what_a_key_may_do(
    home: HomeAssistant, sim: Simulator, browser: Browser, screenshots: Path
) -> None:
    """What is missing is said before and after, with the way to add it to the same key."""
    page = await open_page(browser, WIDE)
    await begin(page, home, "Own server")
    await press(page, "Next")
    await find_the_accounts(page, sim, screenshots)
    await let_it_watch(page, sim, screenshots)
    await add_rights(page, home, sim, screenshots)
    await open_reconfigure(page, home)
    await expect(page.get_by_text("The application stays Garden")).to_be_visible()
    await snap(page, screenshots, "keys_6_reconfigure")


async def find_the_accounts(page: Page, sim: Simulator, screenshots: Path) -> None:
    """Without the Identity Server's address, the dialogue says that it may be elsewhere."""
    await page.get_by_role("textbox", name="Server URL").fill(sim.server_url)
    await page.get_by_role("button", name="Advanced").click()
    await page.get_by_role("switch").press("Space")
    await press(page, "Next")
    await expect(page.get_by_text("Identity Server URL: both under Advanced")).to_be_visible()
    await snap(page, screenshots, "keys_1_elsewhere")
    identity = page.get_by_role("textbox", name="Identity Server URL")
    await identity.fill(sim.identity_server_url)
    await press(page, "Next")


async def let_it_watch(page: Page, sim: Simulator, screenshots: Path) -> None:
    """Three groups of rights to copy; of a user's key, what nothing uses is not ticked."""
    for group in ("Watch", "Command", "Manage"):
        await expect(page.get_by_text(group, exact=True)).to_be_visible()
    await page.set_viewport_size(NARROW)
    await snap(page, screenshots, "keys_2_groups_narrow")
    await page.set_viewport_size(WIDE)
    await page.get_by_role("textbox", name="API key").fill(sim.key("user"))
    await press(page, "Next")
    await choose(page, "Garden (garden)")
    await press(page, "Next")
    simulate = page.get_by_role("checkbox", name="Simulate uplinks")
    await expect(simulate).not_to_be_checked()
    for feature in LEFT_OUT:
        ticked = page.get_by_role("checkbox", name=feature)
        await expect(ticked).to_be_checked()
        await ticked.press("Space")
    await snap(page, screenshots, "keys_3_grant")
    await press(page, "Next")
    await expect(page.get_by_text("Ready to connect")).to_be_visible()
    await expect(page.get_by_text("More with these rights")).to_be_visible()
    await expect(page.get_by_text("Write downlink application traffic")).to_be_visible()
    await snap(page, screenshots, "keys_4_summary")
    await press(page, "Submit")
    await expect(page.get_by_text("Name and assign")).to_be_visible()
    await page.get_by_role("button", name="Finish").first.click()


async def add_rights(page: Page, home: HomeAssistant, sim: Simulator, screenshots: Path) -> None:
    """The gear has no item that can't work, and says what would bring them."""
    await page.goto(f"{home.url}/config/integrations/integration/thethingsstack")
    await page.get_by_role("button", name="Configure").first.click()
    await page.get_by_text("More with these rights", exact=True).click()
    await expect(page.get_by_text("edit, replace and delete end devices")).to_be_visible()
    await expect(
        page.get_by_role("link", name="open the application in the Console")
    ).to_be_visible()
    await snap(page, screenshots, "keys_5_more_rights")
    *_, made = sim.stack.keys.values()
    made.rights = ["RIGHT_APPLICATION_ALL"]
    await page.get_by_text("I have added them", exact=True).click()
    await page.get_by_text("Back to the options", exact=True).click()
    await expect(page.get_by_text("Edit an end device", exact=True)).to_be_visible()
    await expect(page.get_by_text("More with these rights", exact=True)).to_have_count(0)
