"""After a restart and after a gap: values are there, and caught up."""

from datetime import timedelta
from typing import Any

from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
    async_mock_restore_state_shutdown_restart,
)

from custom_components.thethingsstack.const import DOMAIN
from tests.ha_fixtures import entity_id, make_entry, register_enabled, set_up, until
from tests.simulator import Simulator

WEATHER = "garden/70B3D57ED0060001"


@pytest.mark.parametrize("restarted", [True, False], ids=["restarted", "reloaded"])
async def test_values_are_there_after_a_restart(
    hass: HomeAssistant, sim: Simulator, hass_storage: dict[str, Any], restarted: bool
) -> None:
    """All kinds, before any uplink; the next uplink replaces them."""
    entry = make_entry(sim)
    register_enabled(hass, entry, "sensor", f"{WEATHER}/rssi")
    await set_up(hass, sim, entry)
    await sim.uplink(
        "weather-station",
        decoded={
            "temperature": 20.5,
            "door": "open",
            "gps": {"latitude": 52.3, "longitude": 4.8, "altitude": 3},
        },
    )
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    temperature = entity_id(hass, "sensor", f"{WEATHER}/field/temperature")
    door = entity_id(hass, "binary_sensor", f"{WEATHER}/field/door")
    rssi = entity_id(hass, "sensor", f"{WEATHER}/rssi")
    last_uplink = entity_id(hass, "sensor", f"{WEATHER}/last_uplink")
    tracker = entity_id(hass, "device_tracker", f"{WEATHER}/field/gps.latitude")
    ids = (temperature, door, rssi, last_uplink, tracker)
    before = {found: hass.states.get(found) for found in ids}
    assert before[temperature].state == "20.5"  # type: ignore[union-attr]
    assert before[door].state == "on"  # type: ignore[union-attr]

    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    if restarted:  # what the entities left is read from the file
        await async_mock_restore_state_shutdown_restart(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    for found in ids:
        state = hass.states.get(found)
        assert state is not None
        assert (state.state, dict(state.attributes)) == (
            before[found].state,  # type: ignore[union-attr]
            dict(before[found].attributes),  # type: ignore[union-attr]
        )

    await until(hass, lambda: entry.runtime_data.connected)
    assert entry.runtime_data.counters.uplinks_today == 1
    await sim.uplink("weather-station", decoded={"temperature": 22.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 2)
    assert hass.states.get(temperature).state == "22.5"  # type: ignore[union-attr]


@pytest.mark.parametrize("disabled", ["", "last_uplink", "field/temperature"])
async def test_the_status_is_the_same_whatever_is_restored_first(
    hass: HomeAssistant, sim: Simulator, hass_storage: dict[str, Any], disabled: str
) -> None:
    """Also where the user has disabled an entity that would restore its value."""
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    status = entity_id(hass, "sensor", f"{WEATHER}/status")
    before = hass.states.get(status)
    assert before is not None
    assert before.state == "active"
    await async_mock_restore_state_shutdown_restart(hass)
    await hass.config_entries.async_unload(entry.entry_id)
    if disabled:
        er.async_get(hass).async_update_entity(
            entity_id(hass, "sensor", f"{WEATHER}/{disabled}"),
            disabled_by=er.RegistryEntryDisabler.USER,
        )
    states: list[str] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        if event.data["entity_id"] == status and event.data["new_state"] is not None:
            states.append(event.data["new_state"].state)

    await hass.async_block_till_done()
    hass.bus.async_listen("state_changed", note)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    entry.runtime_data.overdue_watch.look()
    await hass.async_block_till_done()
    assert states == ["active"]


async def test_first_minutes_come_from_the_storage(
    hass: HomeAssistant, demo_sim: Simulator
) -> None:
    """Right after setup there are values, before any device speaks."""
    entry = await set_up(hass, demo_sim)
    await until(hass, lambda: entry.runtime_data.caught_up)
    await hass.async_block_till_done()
    assert entry.runtime_data.catch_up.storage is True
    assert entry.runtime_data.counters.uplinks_today == 0
    with_values = [d for d in entry.runtime_data.roster.states.values() if d.values]
    assert len(with_values) >= 8
    shown = [
        s
        for s in hass.states.async_all("sensor")
        if s.attributes.get("device_class") == "temperature" and s.state != "unknown"
    ]
    assert len(shown) >= 4


async def test_a_server_without_storage_is_asked_once_a_connection(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """The open-source stack has none; elsewhere it may be switched on meanwhile."""
    entry = await set_up(hass, sim)
    await until(hass, lambda: entry.runtime_data.catch_up.storage is False)

    def asked() -> int:
        return sum("/packages/storage/" in path for _, path in sim.requests)

    assert asked() == 1
    await sim.drop_connections()
    await until(hass, lambda: not entry.runtime_data.connected)
    await until(hass, lambda: entry.runtime_data.connected)
    await until(hass, lambda: asked() == 2)


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


async def test_a_gap_stays_owed_until_it_was_read(hass: HomeAssistant, demo_sim: Simulator) -> None:
    """The Storage Integration may be out of order just then; old occurrences fire nothing."""
    entry = await set_up(hass, demo_sim)
    device = next(d for d in entry.runtime_data.roster.states.values() if d.values)
    await demo_sim.uplink(device.device_id, decoded={"temperature": 3.5, "click": "short"})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    event = entity_id(hass, "event", f"{device.key}/field/click")
    before = hass.states.get(event)
    assert before is not None
    demo_sim.faults.http_status = {"/api/v3/as/applications/riverside/packages/storage": 503}
    demo_sim.faults.mqtt_close = True
    await demo_sim.drop_connections()
    await until(hass, lambda: not entry.runtime_data.connected)
    await demo_sim.uplink(device.device_id, decoded={"temperature": -11.5, "click": "long"})
    demo_sim.faults.mqtt_close = False
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.counters.errors)
    assert device.values["temperature"] == 3.5
    demo_sim.faults.http_status = {}
    await demo_sim.drop_connections()
    await until(hass, lambda: device.values.get("temperature") == -11.5)
    await hass.async_block_till_done()
    temperature = hass.states.get(entity_id(hass, "sensor", f"{device.key}/field/temperature"))
    assert temperature is not None
    assert temperature.state == "-11.5"
    after = hass.states.get(event)
    assert after is not None
    assert after.state == before.state


async def test_a_gap_is_read_later_without_another_loss(
    hass: HomeAssistant, demo_sim: Simulator
) -> None:
    """After some minutes, though the stream stays there."""
    entry = await set_up(hass, demo_sim)
    device = next(d for d in entry.runtime_data.roster.states.values() if d.values)
    await demo_sim.uplink(device.device_id, decoded={"temperature": 3.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    demo_sim.faults.http_status = {"/api/v3/as/applications/riverside/packages/storage": 503}
    demo_sim.faults.mqtt_close = True
    await demo_sim.drop_connections()
    await until(hass, lambda: not entry.runtime_data.connected)
    await demo_sim.uplink(device.device_id, decoded={"temperature": -11.5})
    demo_sim.faults.mqtt_close = False
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.counters.errors)
    demo_sim.faults.http_status = {}
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=5, seconds=1))
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
