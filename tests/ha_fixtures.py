"""Fixtures for tests that run in Home Assistant against the simulator over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
import inspect
import logging
import time
from typing import Any, override

from freezegun.api import real_monotonic
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

# Before `hass` starts: the test plugin brings a package of the same name.
import custom_components.thethingsstack
from custom_components.thethingsstack.const import DOMAIN
from tests.simulator import Simulator

assert custom_components.thethingsstack

TIMEOUT = 60
"""Seconds until a test gives up: only a test that fails waits so long, on a busy machine too."""


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant load the integration."""


class DeprecatedUse(logging.Handler):
    """Keeps what Home Assistant logs where the integration uses what is going to be removed."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record about a deprecated use."""
        text = record.getMessage()
        if "Detected that custom integration" in text or "provides the deprecated" in text:
            self.found.append(text)


# From now on, since a class may be defined while tests are collected.
DEPRECATED_USE = DeprecatedUse()
logging.getLogger().addHandler(DEPRECATED_USE)


@pytest.fixture(autouse=True)
def no_deprecated_use() -> Iterator[None]:
    """Fail a test in which the integration uses what Home Assistant is going to remove."""
    yield
    found, DEPRECATED_USE.found = DEPRECATED_USE.found, []
    assert not found


@pytest.fixture
async def sim(socket_enabled: None) -> AsyncIterator[Simulator]:
    """Return a running The Things Stack with the recorded application `garden`."""
    async with Simulator(world="garden") as simulator:
        yield simulator


@pytest.fixture
async def demo_sim(socket_enabled: None) -> AsyncIterator[Simulator]:
    """Return a running The Things Stack with the application of the demonstration."""
    async with Simulator(world="demo") as simulator:
        yield simulator


def entry_data(sim: Simulator, key: str = "read", **changes: Any) -> dict[str, Any]:
    """Return what the config flow stores for the simulator's application."""
    return {
        "network": "own_server",
        "server": sim.server_url,
        "identity_server": sim.identity_server_url,
        "tenant_id": None,
        "application_id": sim.application_id,
        "api_key": sim.key(key),
        "mqtt_host": sim.mqtt_host,
        "mqtt_port": sim.mqtt_port,
        "mqtt_tls": False,
        "ca_certificate": None,
        **changes,
    }


def make_entry(
    sim: Simulator,
    key: str = "read",
    options: Mapping[str, Any] | None = None,
    host: str = "127.0.0.1",
    **changes: Any,
) -> MockConfigEntry:
    """Return a config entry for the simulator's application."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Garden",
        unique_id=f"{host}/{sim.uid}",
        data=entry_data(sim, key, **changes),
        options=dict(options or {}),
    )


def register_enabled(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    platform: str,
    unique_id: str,
    object_id: str | None = None,
) -> None:
    """Register an entity as enabled before it is added; the entry is added, too."""
    if hass.config_entries.async_get_entry(entry.entry_id) is None:
        entry.add_to_hass(hass)
    er.async_get(hass).async_get_or_create(
        platform,
        DOMAIN,
        unique_id,
        config_entry=entry,
        disabled_by=None,
        suggested_object_id=object_id,
    )


async def set_up(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry | None = None
) -> MockConfigEntry:
    """Set up the entry and wait until its stream is connected and caught up."""
    if entry is None:
        entry = make_entry(sim)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    return entry


async def reload(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Stop and start an application, as a restart does, and wait until it has caught up."""
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)


async def until(hass: HomeAssistant, condition: Callable[[], Any]) -> None:
    """Let things happen until the condition holds; fails the test if it never does.

    Waits in real time, also where the test has frozen it: sockets know nothing of that.
    """
    deadline = real_monotonic() + TIMEOUT
    while not condition():
        if real_monotonic() > deadline:
            pytest.fail(f"waited {TIMEOUT} seconds in vain for: {_source(condition)}")
        await hass.async_add_executor_job(time.sleep, 0.002)
        await asyncio.sleep(0)


def _source(condition: Callable[[], Any]) -> str:
    """Return a condition as it stands in the test."""
    try:
        return " ".join(inspect.getsource(condition).split())
    except OSError, TypeError:  # a condition without a text of its own, as a bound method has none
        return repr(condition)


def entity_id(hass: HomeAssistant, platform: str, unique_id: str) -> str:
    """Return the entity with this unique id; fails the test if there is none."""
    found = er.async_get(hass).async_get_entity_id(platform, DOMAIN, unique_id)
    assert found is not None, f"no {platform} {unique_id}"
    return found
