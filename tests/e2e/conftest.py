"""A simulated The Things Stack, a Home Assistant of its own process, and a headless browser."""

from collections.abc import AsyncIterator
from pathlib import Path
import shutil

from playwright.async_api import Browser, async_playwright
import pytest

from scripts.dev.api import HomeAssistant
from scripts.dev.options import Application
from scripts.dev.processes import home_assistant, simulator
from scripts.dev.state import ROOT

FOLDER = ROOT / ".e2e"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Home Assistant isn't in this process: there is nothing to enable."""


@pytest.fixture(autouse=True)
def verify_cleanup() -> None:
    """Likewise nothing of it to look for afterwards."""


@pytest.fixture
async def application(socket_enabled: None) -> AsyncIterator[Application]:
    """Return the simulator's lively application."""
    async with simulator() as running:
        yield running


@pytest.fixture
async def home(socket_enabled: None) -> AsyncIterator[HomeAssistant]:
    """Return a Home Assistant whose owner has finished the welcome screens."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "home-assistant.log").open("wb") as log:
        async with home_assistant(FOLDER / "home", port=None, log=log) as running:
            yield running


@pytest.fixture
async def browser(socket_enabled: None) -> AsyncIterator[Browser]:
    """Return the system's chromium."""
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert executable, "chromium is not installed"
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield chromium
        await chromium.close()


@pytest.fixture
def screenshots() -> Path:
    """Return the folder for pictures, which git ignores."""
    folder = FOLDER / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
