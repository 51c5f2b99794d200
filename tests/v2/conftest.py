"""A stack of version 2, and an application of it in Home Assistant."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from tests.ha_fixtures import until
from tests.simulator.v2 import Simulator


@pytest.fixture
async def sim2(socket_enabled: None) -> AsyncIterator[Simulator]:
    """A running stack of version 2 with the recorded application `garden`."""
    async with Simulator("garden") as simulator:
        yield simulator


def entry_data(sim2: Simulator, role: str = "default", **changes: Any) -> dict[str, Any]:
    """Return what the config flow stores for the simulator's application."""
    return {
        "network": "ttn_v2",
        "server": sim2.handler_url,
        "identity_server": sim2.handler_url,
        "tenant_id": None,
        "application_id": sim2.application_id,
        "api_key": sim2.key(role),
        "mqtt_host": sim2.mqtt_host,
        "mqtt_port": sim2.mqtt_port,
        "mqtt_tls": False,
        "ca_certificate": None,
        **changes,
    }


def make_entry(
    sim2: Simulator, role: str = "default", options: Mapping[str, Any] | None = None, **changes: Any
) -> MockConfigEntry:
    """Return a config entry for the simulator's application."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="garden",
        unique_id=f"127.0.0.1/{sim2.application_id}",
        data=entry_data(sim2, role, **changes),
        options=dict(options or {}),
    )


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Set up an entry and wait until its stream is connected and caught up."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    return entry


@pytest.fixture
async def entry(hass: HomeAssistant, sim2: Simulator) -> MockConfigEntry:
    """The application, connected."""
    return await set_up(hass, make_entry(sim2))
