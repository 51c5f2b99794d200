"""Messages by a webhook, in the browser: with a key, without one, and when something is wrong."""

from pathlib import Path

from aiohttp import ClientSession
from playwright.async_api import Browser, Page, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.check import speakers, wait_for_values
from scripts.dev.options import Application
from tests.e2e.test_browser import SEARCHED, WIDE, connect, fill_server, open_page, press, snap
from tests.e2e.test_doors import entities, open_reconfigure, see_the_way, values

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_a_webhook_alone_is_enough(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """What the dialogue shows is filled in in the Console; end devices come with their uplinks."""
    page = await open_page(browser, WIDE)
    await begin(page, home, "By webhook only, without an API key")
    await snap(page, screenshots, "webhook_1_network")
    await press(page, "Next")
    assert application.application_id is not None
    await page.get_by_role("textbox", name="Server").fill(application.server)
    await page.get_by_role("textbox", name="Application ID").fill(application.application_id)
    await press(page, "Next")
    await expect(page.get_by_text("Make the webhook in the Console")).to_be_visible()
    await snap(page, screenshots, "webhook_2_values")
    shown = await page.locator("ha-markdown code").all_inner_texts()
    address = next(text for text in shown if text.startswith("http"))
    header = next(text for text in shown if text.startswith("X-"))
    secret = shown[shown.index(header) + 1]
    await press(page, "Submit")
    await page.get_by_role("button", name="Finish").first.click()

    async with ClientSession() as console:
        await make_webhook(console, application, address, {header: secret})
        picture, missing = await wait_for_values(
            home, await speakers(application), simulated=True, timeout=120, door="webhook"
        )
        assert missing == []
        await page.goto(f"{home.url}/config/integrations/integration/thethingsstack")
        number = len(picture.devices) - 1
        await expect(page.get_by_role("link", name=f"{number} devices")).to_be_visible()
        await snap(page, screenshots, "webhook_3_devices")

        for _ in range(60):
            async with console.post(address, json={}, headers={header: "guess"}) as answer:
                assert answer.status == 401
    await page.goto(f"{home.url}/config/repairs")
    await page.get_by_text("deliveries with a wrong secret").click()
    await expect(page.get_by_text("were refused")).to_be_visible()
    await snap(page, screenshots, "webhook_4_repair")


async def test_a_webhook_is_chosen_with_a_key(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """It is made in The Things Stack, and values come by it."""
    page = await open_page(browser, WIDE)
    await begin(page, home, "Own server")
    await press(page, "Next")
    await fill_server(page, application)
    await press(page, "Next")
    await page.get_by_role("textbox", name="API key").fill(application.api_key)
    await press(page, "Next")
    await expect(page.get_by_text("Ready to connect")).to_be_visible()
    await page.get_by_role("radio", name="Webhook: the server posts to Home Assistant").click()
    await snap(page, screenshots, "webhook_5_chosen")
    await press(page, "Submit")
    await page.get_by_role("button", name="Finish").first.click()
    _, missing = await wait_for_values(
        home, await speakers(application), simulated=True, timeout=120, door="webhook"
    )
    assert missing == []
    url = f"{application.server}/api/v3/as/webhooks/{application.application_id}"
    key = {"Authorization": f"Bearer {application.api_key}"}
    async with ClientSession() as console, console.get(url, headers=key) as answer:
        (made,) = (await answer.json())["webhooks"]
    assert made["ids"]["webhook_id"].startswith("home-assistant-")
    assert made["base_url"].startswith(f"{home.url}/api/webhook/")


async def test_the_way_is_changed_to_a_webhook(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """By *Reconfigure*: devices and entities stay, and messages come by the webhook."""
    page = await open_page(browser, WIDE)
    await connect(page, home, application, screenshots)
    by_mqtt = await values(home, application, "mqtt")
    await open_reconfigure(page, home)
    await expect(page.get_by_role("radio", name="MQTT")).to_be_checked()
    await page.get_by_role("radio", name="Webhook: the server posts to Home Assistant").click()
    await snap(page, screenshots, "webhook_6_reconfigure")
    await press(page, "Submit")
    await expect(page.get_by_text("successful", exact=False).first).to_be_visible()
    by_webhook = await values(home, application, "webhook")
    await see_the_way(page, home, "Webhook", screenshots / "webhook_7_changed.png")
    assert entities(by_webhook) >= entities(by_mqtt)


async def begin(page: Page, home: HomeAssistant, network: str) -> None:
    """Add the integration, and choose the network."""
    await page.goto(f"{home.url}/config/integrations/dashboard")
    await page.get_by_role("button", name="Add integration").last.click()
    await page.get_by_placeholder("Search for a brand name").fill("things stack")
    await page.get_by_text(SEARCHED).first.click()
    await page.get_by_role("radio", name=network).click()


async def make_webhook(
    console: ClientSession, application: Application, address: str, headers: dict[str, str]
) -> None:
    """Fill in the Console's form."""
    body = {
        "webhook": {
            "ids": {"webhook_id": "home-assistant"},
            "base_url": address,
            "format": "json",
            "headers": headers,
            "uplink_message": {"path": ""},
            "join_accept": {"path": ""},
        },
        "field_mask": {"paths": ["base_url", "format", "headers", "uplink_message", "join_accept"]},
    }
    url = f"{application.server}/api/v3/as/webhooks/{application.application_id}"
    key = {"Authorization": f"Bearer {application.api_key}"}
    async with console.post(url, json=body, headers=key) as answer:
        assert answer.status == 200, await answer.text()
