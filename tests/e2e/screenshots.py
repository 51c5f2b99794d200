"""Take the pictures in docs/images: python -m tests.e2e.screenshots [NAME …]."""

import asyncio
from collections.abc import Awaitable, Callable
import io
import json
from pathlib import Path
import shutil
import sys

import aiomqtt
from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect
from yarl import URL

from scripts.dev.api import HomeAssistant
from scripts.dev.check import speakers, wait_for_values
from scripts.dev.flow import FLOW, add_entry
from scripts.dev.options import Application
from scripts.dev.processes import home_assistant, simulator
from scripts.dev.state import ROOT
from tests.e2e.conftest import CHROMIUM, FLAGS, FOLDER
from tests.e2e.test_browser import DEVICE, TIMEOUT, choose, fill_server, press
from tests.e2e.test_controls import THERMOSTAT, call, open_device
from tests.e2e.test_dashboard import look_at_it, make_the_dashboard
from tests.takeover.broker import open_broker

IMAGES = ROOT / "docs" / "images"
LARGEST = 150_000
"""Bytes of a picture"""
WINDOW = ViewportSize(width=1180, height=900)
MARGIN = 24
"""Pixels of the page around a dialogue"""
OTHER = "thethingsnetwork"
FIELDS_THERE = {
    "Hum_SHT": "humidity",
    "TempC_SHT": "temperature",
    "TempC_DS": "probe_temperature",
    "BatV": "battery_voltage",
    "Bat_status": "battery_status",
}
"""Fields of the other integration, and how its user has called their entities."""
INTEGRATION = "/config/integrations/integration/thethingsstack"


class Photographer:
    """Takes pictures of one page."""

    def __init__(self, page: Page, home: HomeAssistant, names: set[str]) -> None:
        """Take those of these names, or all if there is none."""
        self.page = page
        self.home = home
        self._names = names

    async def goto(self, path: str) -> None:
        """Show a page of Home Assistant."""
        await self.page.goto(f"{self.home.url}{path}")

    async def window(self, name: str) -> None:
        """Take a picture of all that is in the window."""
        await self._keep(name, await self.page.screenshot(animations="disabled"))

    async def dialogue(self, name: str) -> None:
        """Take a picture of the open dialogue, with a little of the page around it."""
        await self.page.wait_for_timeout(600)  # opening is an animation without a visible end
        box = await self.page.locator("dialog[open]").last.bounding_box()
        assert box is not None
        left, top = max(0, box["x"] - MARGIN), max(0, box["y"] - MARGIN)
        await self._keep(
            name,
            await self.page.screenshot(
                animations="disabled",
                clip={
                    "x": left,
                    "y": top,
                    "width": min(WINDOW["width"] - left, box["width"] + 2 * MARGIN),
                    "height": min(WINDOW["height"] - top, box["height"] + 2 * MARGIN),
                },
            ),
        )

    async def _keep(self, name: str, png: bytes) -> None:
        if self._names and name not in self._names:
            return
        path = IMAGES / f"{name}.webp"
        size = await asyncio.to_thread(compress, png, path)
        print(f"{path.relative_to(ROOT)}: {size // 1000} kB")


def compress(png: bytes, path: Path) -> int:
    """Write a picture as WebP, as good as the size allows; return its size in bytes."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in (90, 80, 70, 60, 50):
        packed = io.BytesIO()
        picture.save(packed, "WEBP", quality=quality, method=6)
        if packed.tell() <= LARGEST:
            break
    path.write_bytes(packed.getvalue())
    return packed.tell()


async def set_up(shot: Photographer, application: Application) -> None:
    """Walk the dialogue that connects an application."""
    page = shot.page
    await shot.goto("/_my_redirect/config_flow_start?domain=thethingsstack")
    await page.get_by_role("button", name="OK").click()
    await page.get_by_role("radio", name="Own server").click()
    await press(page, "Next")
    await fill_server(page, application)
    await press(page, "Next")
    await page.get_by_role("textbox", name="API key").fill(application.api_key)
    await shot.dialogue("api_key")
    await press(page, "Next")
    await expect(page.get_by_text("Ready to connect")).to_be_visible()
    await shot.dialogue("setup")
    await page.keyboard.press("Escape")


async def device(shot: Photographer, application: Application) -> None:
    """Show an end device with its values."""
    await wait_for_values(shot.home, await speakers(application), simulated=True, timeout=120)
    await open_device(shot.page, shot.home, DEVICE)
    await expect(shot.page.locator("ha-device-entities-card").first).to_contain_text("°C")
    await shot.window("device")


async def gear(shot: Photographer, application: Application) -> None:
    """Open the menu of options, and change a field."""
    page = shot.page
    await shot.goto(INTEGRATION)
    await page.get_by_role("button", name="Configure").first.click()
    await expect(page.get_by_text("Export or import changes")).to_be_visible()
    await shot.dialogue("options")
    await page.get_by_text("Fields", exact=True).click()
    await choose(page, DEVICE)
    await press(page, "Next")
    await expect(page.get_by_role("listitem").filter(has_text="Humidity").first).to_be_visible()
    await choose(page, "Hum_SHT")
    await press(page, "Next")
    await expect(page.locator("entity-preview-row")).to_contain_text("%")
    await shot.dialogue("field")
    await page.keyboard.press("Escape")


async def end_device(shot: Photographer, application: Application) -> None:
    """Open the dialogue that registers an end device."""
    page = shot.page
    await shot.goto(INTEGRATION)
    await page.get_by_role("button", name="Add end device").click()
    await expect(page.get_by_text("From the Device Repository")).to_be_visible()
    await shot.dialogue("add_end_device")
    await page.keyboard.press("Escape")


async def repair(shot: Photographer, application: Application) -> None:
    """Open the issue about a formatter that fails."""
    page = shot.page
    await shot.goto("/config/repairs")
    await page.get_by_text("aren't decoded").first.click()
    await page.get_by_role("checkbox", name="Pool thermometer").press("Space")
    await press(page, "Submit")
    await expect(page.get_by_text("Its reason:")).to_be_visible()
    await shot.dialogue("repair")
    await page.keyboard.press("Escape")


async def panel(shot: Photographer, application: Application) -> None:
    """Watch the live data, open an uplink, and see the fleet and its gateways."""
    page = shot.page
    await shot.goto("/lorawan-traffic")
    pump = page.get_by_role("row").filter(has_text="Garden pump").filter(has_text="voltage").first
    await expect(pump).to_be_visible()
    await expect(page.get_by_role("option", name="Garden pump")).to_have_count(1)
    await page.wait_for_timeout(300)  # lists of choices are drawn a moment after they are filled
    await shot.window("live_data")
    await pump.click()
    entry = page.locator("thethingsstack-traffic-entry")
    await expect(entry.get_by_role("heading", name="Garden pump")).to_be_visible()
    await shot.window("live_data_entry")
    await page.keyboard.press("Escape")
    for tab, name in (("Fleet", "fleet"), ("Gateways", "gateways")):
        await page.get_by_role("tab", name=tab).click()
        await expect(page.get_by_text("Garden pump").first).to_be_visible()
        await shot.window(name)


async def control(shot: Photographer, application: Application) -> None:
    """Make a thermostat as a repair issue suggests, and ask it for another temperature."""
    page = shot.page
    await shot.goto("/config/repairs")
    await page.get_by_text("Bathroom radiator can be a thermostat").click()
    await expect(page.get_by_text("Child lock (Switch)")).to_be_visible()
    await shot.dialogue("suggestion")
    await press(page, "Submit")
    await expect(page.get_by_text("These controls were added:")).to_be_visible()
    await page.keyboard.press("Escape")
    await call(shot.home, "climate.set_temperature", THERMOSTAT, temperature=23)
    await open_device(page, shot.home, "Bathroom radiator")
    await expect(page.get_by_text("23 °C waits for the next uplink").first).to_be_visible()
    await shot.window("control")


async def dashboard(shot: Photographer, application: Application) -> None:
    """Make the dashboard by Home Assistant's dialogue."""
    await make_the_dashboard(shot.page, shot.home)
    await look_at_it(shot.page)
    await shot.window("dashboard")


async def takeover(shot: Photographer, application: Application) -> None:
    """Open the issue that offers the entities of the other integration."""
    page = shot.page
    await shot.goto("/config/repairs")
    await page.get_by_text("Cloud Storage").first.click()
    await expect(page.get_by_text("greenhouse_climate_humidity")).to_be_visible()
    await shot.dialogue("takeover")


async def takeover_of_mqtt(shot: Photographer, application: Application) -> None:
    """Let MQTT have an entity of an end device, and walk to the form that says what will move."""
    page = shot.page
    config = {
        "name": "TempC_SHT",
        "unique_id": "greenhouse_tempc",
        "state_topic": "greenhouse/tempc",
        "device": {"identifiers": ["greenhouse"], "name": "Greenhouse climate"},
    }
    async with open_broker() as port:
        async with aiomqtt.Client("127.0.0.1", port) as client:
            topic = "homeassistant/sensor/greenhouse/tempc/config"
            await client.publish(topic, json.dumps(config), retain=True)
        flow = await shot.home.post(FLOW, {"handler": "mqtt"})
        other = {"set_client_cert": False, "set_ca_cert": "off", "transport": "tcp"}
        address = {"broker": "127.0.0.1", "port": port, "protocol": "3.1.1"}
        await shot.home.post(f"{FLOW}/{flow['flow_id']}", {**address, "other_settings": other})
        await shot.goto("/config/entities?domain=mqtt")
        await expect(page.get_by_text("TempC_SHT")).to_be_visible()
        await shot.goto(INTEGRATION)
        await page.get_by_role("button", name="Configure").first.click()
        await page.get_by_text("Take over entities of MQTT", exact=True).click()
        await page.locator("ha-entities-picker ha-entity-picker").last.click()
        await page.get_by_text("TempC_SHT", exact=True).first.click()
        await press(page, "Next")
        await expect(page.get_by_text("Which field does")).to_be_visible()
        await press(page, "Next")
        await expect(page.get_by_text("Take over these entities?")).to_be_visible()
        await shot.dialogue("takeover_mqtt")


STEPS: tuple[Callable[[Photographer, Application], Awaitable[None]], ...] = (
    device,
    gear,
    end_device,
    repair,
    control,
    panel,
    dashboard,
    takeover,
    takeover_of_mqtt,
)


def seed_the_other_integration(folder: Path, application: Application) -> None:
    """Write what core's integration leaves in Home Assistant: an entry, a device, entities."""
    address = URL(application.server)
    data = {
        "host": f"{address.host}:{address.port}",
        "app_id": application.application_id,
        "api_key": "NNSXS.OTHER.KEY",
    }
    entry = {"entry_id": OTHER, "domain": OTHER, "title": "Cloud Storage", "data": data}
    known = {"config_entry_id": OTHER, "device_id": OTHER, "platform": OTHER}
    device = "greenhouse-climate"
    files = {
        "core.config_entries": {
            "entries": [{**entry, "version": 1, "source": "user", "options": {}, "unique_id": None}]
        },
        "core.device_registry": {
            "devices": [
                {
                    "id": OTHER,
                    "name": device,
                    "config_entries": [OTHER],
                    "identifiers": [[OTHER, f"{application.application_id}_{device}"]],
                    "connections": [],
                    "manufacturer": None,
                    "model": None,
                    "sw_version": None,
                    "entry_type": None,
                    "via_device_id": None,
                }
            ],
            "deleted_devices": [],
        },
        "core.entity_registry": {
            "entities": [
                {
                    **known,
                    "entity_id": f"sensor.{device.replace('-', '_')}_{name}",
                    "unique_id": f"{device}_{field}",
                }
                for field, name in FIELDS_THERE.items()
            ]
        },
    }
    (folder / ".storage").mkdir(parents=True)
    for key, content in files.items():
        document = {"version": 1, "minor_version": 1, "key": key, "data": content}
        (folder / ".storage" / key).write_text(json.dumps(document), "utf-8")


async def photograph(browser: Browser, names: set[str]) -> None:
    """Start the demo world and Home Assistant, and take the pictures."""
    FOLDER.mkdir(exist_ok=True)
    IMAGES.mkdir(exist_ok=True)
    expect.set_options(timeout=TIMEOUT)
    folder = FOLDER / "home"
    shutil.rmtree(folder, ignore_errors=True)
    with (FOLDER / "home-assistant.log").open("wb") as log:
        async with simulator() as application:
            await asyncio.to_thread(seed_the_other_integration, folder, application)
            async with home_assistant(folder, port=None, keep=True, log=log) as home:
                context = await browser.new_context(
                    viewport=WINDOW,
                    color_scheme="light",
                    locale="en-US",
                    timezone_id="Europe/Amsterdam",
                    device_scale_factor=2,
                )
                page = await context.new_page()
                page.set_default_timeout(TIMEOUT)
                shot = Photographer(page, home, names)
                await set_up(shot, application)
                await add_entry(home, application)
                for step in STEPS:
                    await step(shot, application)


async def main(names: set[str]) -> None:
    """Take the pictures of these names, or all of them."""
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if executable is None:
        sys.exit("✗ chromium is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        await photograph(browser, names)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(set(sys.argv[1:])))
