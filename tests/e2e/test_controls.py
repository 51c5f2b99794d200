"""Controls in the browser: a switch by hand, a thermostat by preset, used, and one refused."""

import asyncio
from pathlib import Path
import re
from typing import Any

from playwright.async_api import Browser, Page, expect
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.flow import add_entry
from scripts.dev.options import Application
from tests.e2e.test_browser import NARROW, WIDE, open_page, press, snap

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PLUG = "switch.garden_garden_pump_plug"
THERMOSTAT = "climate.bathroom_bathroom_radiator_thermostat"
TARGET = "sensor.bathroom_bathroom_radiator_target_temperature"


async def test_add_controls_and_use_them(
    home: HomeAssistant, application: Application, browser: Browser, screenshots: Path
) -> None:
    """Two ways to a control; what is pending, reported and refused can be seen."""
    await add_entry(home, application)
    await until(home, "sensor.garden_garden_pump_last_uplink", lambda s: s["state"] != "unknown")
    page = await open_page(browser, WIDE)
    await switch_by_hand(page, home, screenshots)
    await thermostat_by_preset(page, home, screenshots)
    await use_the_thermostat(page, browser, home, screenshots)
    await use_the_switch(page, home, screenshots)
    await be_refused(page, home, screenshots)


async def add_control(page: Page, home: HomeAssistant, device: str) -> None:
    """Press "Add control" and choose the end device."""
    await page.goto(f"{home.url}/config/integrations/integration/thethingsstack")
    await page.get_by_role("button", name="Add control").click()
    await expect(page.get_by_text("What do you want to control?")).to_be_visible()
    await choose(page, device, f"{device} · ")
    await press(page, "Next")


async def choose(page: Page, typed: str, option: str) -> None:
    """Pick an option of the dialogue's first list by typing a part of it."""
    await page.locator("ha-selector-select").first.click()
    await page.get_by_placeholder("Add custom item").last.fill(typed)
    await page.get_by_text(option).last.click()


async def switch_by_hand(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """Payloads in two ways, a mistake, the field that reports, the preview."""
    await add_control(page, home, "Garden pump")
    await expect(page.get_by_text("Milesight WS52x")).to_be_visible()
    await page.get_by_text("By hand").click()
    await page.get_by_role("textbox", name="Name").fill("Plug")
    await press(page, "Next")
    await page.get_by_role("textbox", name="Payload for on").fill("08 01 F")
    await page.get_by_role("textbox", name="Payload for off").fill('{"socket_status": "off"}')
    await press(page, "Next")
    await expect(page.get_by_text("Bytes have two digits each")).to_be_visible()
    await snap(page, screenshots, "control_1_commands")
    await page.get_by_role("textbox", name="Payload for on").fill("08 01 FF")
    await press(page, "Next")
    await choose(page, "socket", "socket_status = ")
    await press(page, "Next")
    await expect(page.get_by_text("08 00 FF")).to_be_visible()
    await snap(page, screenshots, "control_2_preview")
    await press(page, "Save")
    await press(page, "Finish")


async def thermostat_by_preset(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """All controls of the model at once: its suggestion says so, and names what was added."""
    await page.goto(f"{home.url}/config/repairs")
    await page.get_by_text("Bathroom radiator can be a thermostat").click()
    await expect(page.get_by_text("Child lock (Switch)")).to_be_visible()
    await snap(page, screenshots, "control_3_suggestion")
    await press(page, "Submit")
    await expect(page.get_by_text("These controls were added:")).to_be_visible()
    await snap(page, screenshots, "control_3_added")


async def use_the_thermostat(
    page: Page, browser: Browser, home: HomeAssistant, screenshots: Path
) -> None:
    """Class A: the command waits for an uplink, and the page says so; then it is reported.

    What was asked for is shown at once; the field's own sensor keeps what was reported.
    """
    await open_device(page, home, "Bathroom radiator")
    # No twins: what the control takes the place of is diagnostic.
    cards = page.locator("ha-device-entities-card").filter(has_text="Target temperature")
    await expect(cards.get_by_role("heading", name="Diagnostic")).to_be_visible()
    await expect(cards).to_have_count(1)
    await call(home, "climate.set_temperature", THERMOSTAT, temperature=25)
    state = await home.get(f"/api/states/{THERMOSTAT}")
    target = await home.get(f"/api/states/{TARGET}")
    assert (state["attributes"]["temperature"], float(target["state"])) == (25, 21)
    assert state["attributes"]["pending"] == "25"
    activity = page.locator("ha-logbook")
    await expect(activity.get_by_text("25 °C waits for the next uplink")).to_be_visible()
    await snap(page, screenshots, "control_4_pending")
    await until(home, THERMOSTAT, lambda s: "pending" not in s["attributes"])
    state = await home.get(f"/api/states/{THERMOSTAT}")
    assert state["attributes"]["temperature"] == 25
    assert "last_error" not in state["attributes"]
    await expect(activity.get_by_text("25 °C was sent")).to_be_visible()
    await expect(activity.get_by_text("Last downlink")).to_have_count(0)
    await snap(page, screenshots, "control_5_reported")
    other = await open_page(browser, NARROW)
    await open_device(other, home, "Bathroom radiator")
    await other.get_by_role("link", name="Show more").scroll_into_view_if_needed()
    await expect(other.get_by_text("25 °C was sent").first).to_be_visible()
    await snap(other, screenshots, "control_5_reported_narrow")
    await other.close()


async def use_the_switch(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """Class C: a click, and the socket reports at once."""
    await open_device(page, home, "Garden pump")
    await page.locator("ha-device-entities-card ha-entity-toggle").first.click()
    await until(home, PLUG, lambda s: s["state"] == "off" and "pending" not in s["attributes"])
    await snap(page, screenshots, "control_6_switched")


async def be_refused(page: Page, home: HomeAssistant, screenshots: Path) -> None:
    """A device that never joined: the reason is on the screen."""
    await add_control(page, home, "Mailbox")
    await page.get_by_text("By hand").click()
    await page.get_by_role("textbox", name="Name").fill("Siren")
    await press(page, "Next")
    await page.get_by_role("textbox", name="Payload for on").fill("01")
    await page.get_by_role("textbox", name="Payload for off").fill("00")
    await press(page, "Next")
    await press(page, "Next")
    await press(page, "Save")
    await press(page, "Finish")
    await open_device(page, home, "Mailbox")
    await page.get_by_role("button", name=re.compile("Turn .* on")).first.click()
    await expect(page.get_by_text("never joined the network").first).to_be_visible()
    await snap(page, screenshots, "control_7_refused")


async def open_device(page: Page, home: HomeAssistant, name: str) -> None:
    """Show an end device's page."""
    (devices,) = await home.commands({"type": "config/device_registry/list"})
    device_id = next(device["id"] for device in devices if device["name"] == name)
    await page.goto(f"{home.url}/config/devices/device/{device_id}")
    await expect(page.get_by_role("heading", name="Controls")).to_be_visible()


async def call(home: HomeAssistant, action: str, entity_id: str, **data: Any) -> None:
    """Call an action on an entity."""
    domain, name = action.split(".")
    await home.post(f"/api/services/{domain}/{name}", {"entity_id": entity_id, **data})


async def until(home: HomeAssistant, entity_id: str, condition: Any) -> None:
    """Wait for a state."""
    async with asyncio.timeout(90):
        while not condition(await home.get(f"/api/states/{entity_id}")):
            await asyncio.sleep(0.5)
