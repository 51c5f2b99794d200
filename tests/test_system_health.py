"""What System information says."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import get_system_health_info

from custom_components.thethingsstack.const import DOMAIN
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator


async def health(hass: HomeAssistant) -> dict[str, Any]:
    """Return the information, with what has to be waited for."""
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    info = await get_system_health_info(hass, DOMAIN)
    return {
        key: await value if asyncio.iscoroutine(value) else value for key, value in info.items()
    }


async def test_counts_and_reach(hass: HomeAssistant, sim: Simulator) -> None:
    """An own server isn't named: people paste this into public reports."""
    entry = await set_up(hass, sim)
    await sim.uplink("greenhouse-climate", {"temperature": 21.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today)
    assert await health(hass) == {
        "applications": 1,
        "connected": 1,
        "doors": "mqtt: 1",
        "end_devices": 7,
        "uplinks_today": 1,
        "can_reach_own_server": "ok",
    }


async def test_public_network_and_private_ca(hass: HomeAssistant, sim: Simulator) -> None:
    """A public network is named, once; a server with a private CA can't be checked this way."""
    await set_up(hass, sim, make_entry(sim, network="ttn_eu1"))
    make_entry(sim, network="ttn_eu1").add_to_hass(hass)
    make_entry(sim, ca_certificate=sim.ca_pem).add_to_hass(hass)
    sim.faults.http_down = True
    info = await health(hass)
    assert info["applications"] == 3
    assert info["127.0.0.1"] == {"type": "failed", "error": "unreachable"}
    assert "can_reach_own_server" not in info
