"""Who an end device is, and what happens when the server's mind changes."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.thethingsstack.application.status import WRITE_INTERVAL
from custom_components.thethingsstack.client import Server
from custom_components.thethingsstack.const import DOMAIN, UNAVAILABLE_AFTER
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator

WEATHER = "garden/70B3D57ED0060001"


async def test_a_key_deleted_meanwhile_asks_for_another(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """An open connection goes on; the next one is refused, and that is confirmed over HTTP."""
    entry = await set_up(hass, sim)
    sim.revoke("read")
    await sim.drop_connections()

    def asked() -> bool:
        flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        return [flow["context"]["source"] for flow in flows] == ["reauth"]

    await until(hass, asked)
    assert not entry.runtime_data.connected


async def test_a_refusal_that_is_not_the_keys_fault_is_waited_out(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """The MQTT server says the same when it can't verify a key at the moment."""
    entry = await set_up(hass, sim)
    sim.faults.mqtt_refuse = 5
    await sim.drop_connections()
    await until(hass, lambda: not entry.runtime_data.connected)
    sim.faults.mqtt_refuse = None
    await until(hass, lambda: entry.runtime_data.connected)
    assert not hass.config_entries.flow.async_progress_by_handler(DOMAIN)


async def test_a_long_interruption_is_told_with_its_reason(
    hass: HomeAssistant, sim: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """A repair issue after 15 minutes, gone with the connection's return."""
    entry = await set_up(hass, sim)
    sim.faults.mqtt_close = True
    await sim.drop_connections()
    await until(hass, lambda: not entry.runtime_data.connected)
    freezer.tick(UNAVAILABLE_AFTER + timedelta(seconds=1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == "stream_lost"
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["error"]
    sim.faults.mqtt_close = False

    def connected() -> bool:
        freezer.tick(timedelta(milliseconds=200))
        return bool(entry.runtime_data.connected)

    await until(hass, connected)
    assert ir.async_get(hass).issues == {}


async def test_a_device_gets_its_dev_eui_later(hass: HomeAssistant, sim: Simulator) -> None:
    """Entities and decisions move along, entity ids stay."""
    entry = await set_up(hass, sim, make_entry(sim, "traffic"))

    async def sent(dev_eui: str | None, value: float) -> None:
        ids: dict[str, Any] = {
            "device_id": "old-abp-node",
            "application_ids": {"application_id": "garden"},
            "dev_eui": dev_eui,
            "join_eui": None,
        }
        await sim.uplink(
            "old-abp-node", decoded={"temperature_1": value}, envelope={"end_device_ids": ids}
        )

    await sent(None, 4.5)
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    before = entity_id(hass, "sensor", "garden/old-abp-node/field/temperature_1")
    await sent("70B3D57ED0060003", 5.5)
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 2)
    await hass.async_block_till_done()
    after = entity_id(hass, "sensor", "garden/70B3D57ED0060003/field/temperature_1")
    assert after == before
    assert hass.states.get(after).state == "5.5"  # type: ignore[union-attr]
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, "garden/70B3D57ED0060003"), entry.entry_id
    )
    assert device is not None
    assert device.serial_number == "70B3D57ED0060003"
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert list(entry.runtime_data.roster.states) == ["garden/70B3D57ED0060003"]


async def test_a_device_that_comes_back_under_another_id_is_the_same(
    hass: HomeAssistant, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Same EUIs, same device, same history."""
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    registered = len(er.async_get(hass).entities)
    sim.remove_device("weather-station")
    sim.add_device(
        "station-2",
        dev_eui="70B3D57ED0060001",
        join_eui="0000000000000000",
        name="Weather station 2",
    )
    await sim.uplink("station-2", decoded={"temperature": 21.5})
    state = entry.runtime_data.roster.states[WEATHER]
    await until(hass, lambda: state.values.get("temperature") == 21.5)
    assert state.device_id == "station-2"
    await hass.async_block_till_done()
    assert len(er.async_get(hass).entities) == registered
    assert "unique IDs" not in caplog.text


async def test_a_dev_eui_learnt_while_away(
    hass: HomeAssistant, sim: Simulator, hass_storage: dict[str, Any]
) -> None:
    """What was known by its id is taken up under its DevEUI."""
    entry = make_entry(sim)
    hass_storage[f"{DOMAIN}.{entry.entry_id}"] = {
        "version": 1,
        "key": f"{DOMAIN}.{entry.entry_id}",
        "data": {
            "scope": "garden",
            "devices": {"garden/weather-station": {"ids": {"device_id": "weather-station"}}},
        },
    }
    await set_up(hass, sim, entry)
    names = [device.name for device in entry.runtime_data.roster.states.values()]
    assert names.count("Weather station") == 1
    assert "garden/weather-station" not in entry.runtime_data.store.known_devices


async def test_two_devices_that_share_a_dev_eui_stay_apart(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Their JoinEUIs tell them apart."""
    for number in (1, 2):
        sim.add_device(
            f"twin-{number}",
            dev_eui="70B3D57ED00600AA",
            join_eui=f"70B3D57ED000000{number}",
            name=f"Twin {number}",
        )
    entry = await set_up(hass, sim)
    twins = {
        key: state.device_id
        for key, state in entry.runtime_data.roster.states.items()
        if "70B3D57ED00600AA" in key
    }
    assert twins == {
        "garden/70B3D57ED00600AA": "twin-1",
        "garden/70B3D57ED00600AA/70B3D57ED0000002": "twin-2",
    }


async def test_an_excluded_device_stays_out_whatever_it_sends(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Also one that appears after setup."""
    entry = await set_up(
        hass,
        sim,
        make_entry(sim, options={"devices": "chosen", "chosen_devices": ["pump-socket"]}),
    )
    sim.add_device("late", dev_eui="70B3D57ED00600BB", name="Late")
    await sim.uplink("late", decoded={"temperature": 1})
    await sim.uplink("late", decoded={"temperature": 2})
    await sim.uplink("pump-socket", decoded={"voltage": 231})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    assert list(entry.runtime_data.roster.states) == ["garden/24E124148B000001"]


async def test_an_occurrence_is_an_event(hass: HomeAssistant, sim: Simulator) -> None:
    """A button fires each time it is pressed, also twice the same way, and not when released."""
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded={"click": "short"})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    event = entity_id(hass, "event", f"{WEATHER}/field/click")
    await sim.uplink("weather-station", decoded={"click": "short"})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 2)
    first = hass.states.get(event)
    assert first is not None
    assert first.attributes["device_class"] == "button"
    assert first.attributes["event_type"] == "press_end"
    assert first.attributes["value"] == "short"
    await sim.uplink("weather-station", decoded={"click": "short"})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 3)
    second = hass.states.get(event)
    assert second is not None
    assert second.state != first.state
    await sim.uplink("weather-station", decoded={"click": None})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 4)
    await sim.uplink("weather-station", decoded={"click": False})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 5)
    assert hass.states.get(event).state == second.state  # type: ignore[union-attr]


async def test_many_undecoded_devices_make_one_issue(hass: HomeAssistant, sim: Simulator) -> None:
    """Not one for each: the cause is the same."""
    for number in range(12):
        sim.add_device(
            f"raw-{number:02}", dev_eui=f"70B3D57ED00700{number:02X}", name=f"Raw {number}"
        )
    entry = await set_up(hass, sim)
    for number in range(12):
        await sim.uplink(f"raw-{number:02}", decoded=None, payload=b"\x01")
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 12)
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["devices"].endswith("- … (12)")


async def test_a_right_taken_away_shows(hass: HomeAssistant, sim: Simulator) -> None:
    """The MQTT server goes on saying yes; the rights say what is true."""
    entry = await set_up(hass, sim)
    connection = entity_id(hass, "binary_sensor", "garden/connection")
    sim.set_rights("read", ["RIGHT_APPLICATION_INFO", "RIGHT_APPLICATION_DEVICES_READ"])
    await sim.drop_connections()
    await until(hass, lambda: not entry.runtime_data.connection_state.readable)
    assert hass.states.get(connection).state == "off"  # type: ignore[union-attr]
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == "missing_right"
    sim.set_rights("read", ["RIGHT_APPLICATION_TRAFFIC_READ", "RIGHT_APPLICATION_INFO"])
    await sim.drop_connections()
    await until(hass, lambda: entry.runtime_data.connection_state.readable)
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == "rights_lost"
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["rights"] == "“View devices in application”"
    sim.set_rights("read", ["TRAFFIC_READ", "INFO", "DEVICES_READ"])
    await entry.runtime_data.connection_state.async_check_rights()
    assert ir.async_get(hass).issues == {}


async def test_an_answer_that_comes_late_starts_nothing(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """After unloading, no timer is left that would ask an unreachable server again."""
    entry = await set_up(hass, sim)
    link = entry.runtime_data.connection_state
    assert await hass.config_entries.async_unload(entry.entry_id)
    link.note_reachable(False)
    assert link.reachable


async def test_unusable_settings_say_so(hass: HomeAssistant, sim: Simulator) -> None:
    """No traceback, but what to do."""
    entry = make_entry(sim, ca_certificate="no certificate")
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.error_reason_translation_key == "unusable_settings"


async def test_applications_of_one_name_on_two_servers(hass: HomeAssistant, sim: Simulator) -> None:
    """The second keeps out of the first one's way, and stays the same after a reload."""
    first = await set_up(hass, sim)
    async with Simulator(world="garden", seed=7) as other:
        second = make_entry(other, host="elsewhere")
        await set_up(hass, other, second)
        await other.uplink("weather-station", decoded={"temperature": 3.5})
        await until(hass, lambda: second.runtime_data.counters.uplinks_today == 1)
        await hass.async_block_till_done()
        unique_id = "elsewhere/garden/70B3D57ED0060001/field/temperature"
        state = hass.states.get(entity_id(hass, "sensor", unique_id))
        assert state is not None
        assert state.state == "3.5"
        registry = er.async_get(hass)
        counts = [
            len(
                [
                    found
                    for found in er.async_entries_for_config_entry(registry, entry.entry_id)
                    if "/field/" not in found.unique_id
                ]
            )
            for entry in (first, second)
        ]
        assert counts[0] == counts[1]
        await hass.config_entries.async_unload(second.entry_id)


async def test_one_that_is_removed_before_its_name_is_known(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """An answer that comes late doesn't bring it back."""
    entry = await set_up(hass, sim)
    roster = entry.runtime_data.roster
    registry = dr.async_get(hass)
    sync = entry.runtime_data.sync
    with sync.holding("stranger"), sync.holding("later"):  # no event brings them
        sim.add_device("stranger", name="Stranger", dev_eui="70B3D57ED00600BB")
        sim.add_device("later", name="Later", dev_eui="70B3D57ED00600BC")
        for device_id in ("stranger", "later"):
            sim.faults.answer_delays[f"applications/garden/devices/{device_id}"] = 0.3
        await sim.uplink("stranger", decoded={"temperature": 1})
        await until(hass, lambda: roster.by_device_id("stranger"))
        await until(hass, lambda: any("/devices/stranger" in path for _, path in sim.requests))
        registry_id = roster.by_device_id("stranger").registry_id
        assert registry_id is not None
        registry.async_remove_device(registry_id)
        # When a question asked after it is answered, its own answer was here too.
        await sim.uplink("later", decoded={"temperature": 1})

        def found(key: str) -> dr.DeviceEntry | None:
            return registry.async_get_device_by_identifier((DOMAIN, key), entry.entry_id)

        await until(
            hass,
            lambda: (
                (later := found("garden/70B3D57ED00600BC")) is not None and later.name == "Later"
            ),
        )
        await hass.async_block_till_done()
        assert found("garden/70B3D57ED00600BB") is None


async def test_what_ends_after_unloading_starts_and_writes_nothing(
    hass: HomeAssistant, sim: Simulator, hass_storage: dict[str, Any]
) -> None:
    """Work of a dialogue may be undone for a while yet; the application is set up anew by then."""
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    before = entry.runtime_data
    await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    await sim.uplink("pump-socket", decoded={"unheard_of": 3}, f_port=85)
    device = entry.runtime_data.roster.by_device_id("pump-socket")
    await until(hass, lambda: "unheard_of" in device.decisions)
    await entry.runtime_data.fields.async_save()
    before.partial_devices.mark_partial("pump-socket", [Server.NETWORK])
    before.application_status.record_problem("rollback", "pump-socket", "it failed")
    written: list[None] = []
    before.application_status.async_listen(lambda: written.append(None))
    async_fire_time_changed(hass, dt_util.utcnow() + 2 * WRITE_INTERVAL)
    assert written == []
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    stored = hass_storage[f"{DOMAIN}.{entry.entry_id}.fields"]["data"]["decisions"]
    assert "unheard_of" in stored[device.key]
