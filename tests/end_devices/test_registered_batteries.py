"""The battery level that the network keeps is shown before the first uplink."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.end_devices.registered_batteries import PAUSE
from tests.ha_fixtures import entity_id, set_up, until
from tests.simulator import Simulator

RADIATOR = "garden/70B3D52DD3000001/battery"
SOCKET = "garden/24E124148B000001/battery"
RECEIVED_AT = "2026-11-23T09:32:02.730409631Z"


@pytest.fixture(autouse=True)
def no_pause(hass: HomeAssistant) -> None:
    """Read all levels at once."""
    hass.data[PAUSE] = 0.0


def asked(sim: Simulator) -> list[str]:
    """Return the paths of the Network Server that were read."""
    return [path for method, path in sim.requests if method == "GET" and "/ns/" in path]


async def test_level_is_read_once_at_setup(hass: HomeAssistant, sim: Simulator) -> None:
    """Of those that have joined; on external power there is none."""
    for device_id, power in (("bath-radiator", "BATTERY"), ("pump-socket", "EXTERNAL")):
        sim.devices[device_id].documents["ns"] |= {
            "battery_percentage": 0.42125,
            "last_dev_status_received_at": RECEIVED_AT,
            "power_state": f"POWER_{power}",
        }
    entry = await set_up(hass, sim)

    def shown() -> str | None:
        found = er.async_get(hass).async_get_entity_id("sensor", DOMAIN, RADIATOR)
        state = hass.states.get(found) if found else None
        return state.state if state else None

    await until(hass, lambda: shown() == "42.125")
    await until(hass, lambda: any("weather-station" in path for path in asked(sim)))  # the last
    assert any("pump-socket" in path for path in asked(sim))
    assert not any("never-joined" in path for path in asked(sim))
    assert er.async_get(hass).async_get_entity_id("sensor", DOMAIN, SOCKET) is None

    sim.requests.clear()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await until(hass, lambda: entry.runtime_data.connected)
    assert shown() == "42.125"
    assert asked(sim) == []


async def test_what_an_uplink_reports_replaces_it(hass: HomeAssistant, sim: Simulator) -> None:
    """The newer level counts."""
    sim.devices["bath-radiator"].documents["ns"] |= {
        "battery_percentage": 0.42,
        "last_dev_status_received_at": RECEIVED_AT,
    }
    await set_up(hass, sim)
    await until(hass, lambda: er.async_get(hass).async_get_entity_id("sensor", DOMAIN, RADIATOR))
    await sim.uplink(
        "bath-radiator",
        envelope={
            "uplink_message": {
                "last_battery_percentage": {"value": 41.5, "received_at": "2026-11-24T10:00:00Z"}
            }
        },
    )

    def level() -> str | None:
        state = hass.states.get(entity_id(hass, "sensor", RADIATOR))
        return state.state if state else None

    await until(hass, lambda: level() == "41.5")


async def test_there_is_a_pause_after_one_that_the_network_does_not_have(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """A refusal is an answer like others: many of them must not come at once."""
    hass.data[PAUSE] = 3600.0
    for device_id, device in sim.devices.items():
        if device_id != "weather-station":
            device.documents.pop("ns", None)
    entry = await set_up(hass, sim)
    await until(hass, lambda: asked(sim) != [])
    for temperature in (20.5, 21.5, 22.5):
        await sim.uplink("weather-station", decoded={"temperature": temperature})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today >= 3)
    assert len(asked(sim)) == 1
    assert "weather-station" not in asked(sim)[0]
