"""After a restart and after a gap: values are there, and caught up."""

from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_restore_cache_with_extra_data,
)

from custom_components.thethingsstack.const import DOMAIN
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator

WEATHER = "garden/70B3D57ED0060001"


async def prepared(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return an entry that knows sensors, a state and a position, and is unloaded."""
    entry = await set_up(hass, sim)
    await sim.uplink(
        "weather-station",
        decoded={
            "temperature": 20.5,
            "door": "closed",
            "gps": {"latitude": 52.3, "longitude": 4.8, "altitude": 3},
        },
    )
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    return entry


def remembered(hass: HomeAssistant, temperature: float, door: str) -> None:
    """Let Home Assistant recall these states of before its restart."""
    (tracker,) = [e for e in er.async_get(hass).entities.values() if e.domain == "device_tracker"]
    sensor: dict[str, Any] = {"native_value": temperature, "native_unit_of_measurement": "°C"}
    mock_restore_cache_with_extra_data(
        hass,
        [
            (
                State(entity_id(hass, "sensor", f"{WEATHER}/field/temperature"), str(temperature)),
                sensor,
            ),
            (State(entity_id(hass, "binary_sensor", f"{WEATHER}/field/door"), door), {}),
            (
                State(
                    tracker.entity_id,
                    "not_home",
                    {"latitude": 52.25, "longitude": 4.75, "gps_accuracy": 5, "altitude": 7},
                ),
                {},
            ),
            (
                State(entity_id(hass, "sensor", f"{WEATHER}/rssi"), "-97"),
                {"native_value": -97, "native_unit_of_measurement": "dBm"},
            ),
        ],
    )


async def test_values_are_there_after_a_restart(hass: HomeAssistant, sim: Simulator) -> None:
    """All kinds, before any uplink; the next uplink replaces them."""
    entry = await prepared(hass, sim)
    remembered(hass, 19.25, "on")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    temperature = entity_id(hass, "sensor", f"{WEATHER}/field/temperature")
    assert hass.states.get(temperature).state == "19.25"  # type: ignore[union-attr]
    door = entity_id(hass, "binary_sensor", f"{WEATHER}/field/door")
    assert hass.states.get(door).state == "on"  # type: ignore[union-attr]
    (tracker,) = hass.states.async_all("device_tracker")
    assert tracker.attributes["latitude"] == 52.25
    assert tracker.attributes["altitude"] == 7
    rssi = entity_id(hass, "sensor", f"{WEATHER}/rssi")
    assert float(hass.states.get(rssi).state) == -97  # type: ignore[union-attr]

    await until(hass, lambda: entry.runtime_data.connected)
    await sim.uplink("weather-station", decoded={"temperature": 22.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    assert hass.states.get(temperature).state == "22.5"  # type: ignore[union-attr]


async def test_first_minutes_come_from_the_storage(
    hass: HomeAssistant, demo_sim: Simulator
) -> None:
    """Right after setup there are values, before any device speaks."""
    entry = await set_up(hass, demo_sim)
    await until(hass, lambda: entry.runtime_data.caught_up)
    await hass.async_block_till_done()
    assert entry.runtime_data.storage is True
    assert entry.runtime_data.counters.uplinks_today == 0
    with_values = [d for d in entry.runtime_data.roster.states.values() if d.values]
    assert len(with_values) >= 8
    shown = [
        s
        for s in hass.states.async_all("sensor")
        if s.attributes.get("device_class") == "temperature" and s.state != "unknown"
    ]
    assert len(shown) >= 4


async def test_a_server_without_storage_is_asked_once(hass: HomeAssistant, sim: Simulator) -> None:
    """The open-source stack has none."""
    entry = await set_up(hass, sim)
    await until(hass, lambda: entry.runtime_data.storage is False)

    def asked() -> int:
        return sum("/packages/storage/" in path for _, path in sim.requests)

    assert asked() == 1
    await sim.drop_connections()
    await until(hass, lambda: not entry.runtime_data.connected)
    await until(hass, lambda: entry.runtime_data.connected)
    assert asked() == 1


async def test_a_gap_is_caught_up(hass: HomeAssistant, demo_sim: Simulator) -> None:
    """What was sent while the stream was interrupted arrives after all."""
    entry = await set_up(hass, demo_sim)
    await until(hass, lambda: entry.runtime_data.caught_up)
    device = next(d for d in entry.runtime_data.roster.states.values() if d.values)
    demo_sim.faults.mqtt_close = True
    await demo_sim.drop_connections()
    await until(hass, lambda: not entry.runtime_data.connected)
    await demo_sim.uplink(device.device_id, decoded={"temperature": -11.5})
    demo_sim.faults.mqtt_close = False
    await until(hass, lambda: entry.runtime_data.connected)
    await until(hass, lambda: device.values.get("temperature") == -11.5)


async def test_decisions_survive_with_their_names(
    hass: HomeAssistant, sim: Simulator, hass_storage: dict[str, Any]
) -> None:
    """A stored decision wins over a new inference; an unreadable one is made anew."""
    entry = make_entry(sim)
    hass_storage[f"{DOMAIN}.{entry.entry_id}"] = {
        "version": 1,
        "key": f"{DOMAIN}.{entry.entry_id}",
        "data": {
            "received_until": (dt_util.utcnow() - timedelta(hours=1)).isoformat(),
            "devices": {
                WEATHER: {
                    "ids": {"device_id": "weather-station", "dev_eui": "70B3D57ED0060001"},
                    "fields": {
                        "temperature": {
                            "kind": "sensor",
                            "quantity": "temperature",
                            "unit": "°F",
                            "role": "measurement",
                            "category": "primary",
                            "enabled": True,
                            "name": "Greenhouse heat",
                            "rule": "test",
                            "reason": "stored before",
                        },
                        "humidity": {"kind": "nonsense"},
                    },
                }
            },
        },
    }
    await set_up(hass, sim, entry)
    await sim.uplink("weather-station", decoded={"temperature": 50, "humidity": 60})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    state = hass.states.get(entity_id(hass, "sensor", f"{WEATHER}/field/temperature"))
    assert state is not None
    assert state.name == "Weather station Greenhouse heat"
    assert state.state == "10.0"  # Home Assistant shows °C
    humidity = hass.states.get(entity_id(hass, "sensor", f"{WEATHER}/field/humidity"))
    assert humidity is not None
    assert humidity.attributes["device_class"] == "humidity"
