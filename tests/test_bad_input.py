"""Odd devices, payloads and messages: none breaks another device, each is visible."""

import json
from typing import Any

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from tests.ha_fixtures import entity_id, set_up, until
from tests.simulator import Simulator

WEATHER = "garden/70B3D57ED0060001"
PUMP = "garden/24E124148B000001"


async def others_still_work(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, voltage: float = 231.5
) -> None:
    """Send an ordinary uplink of another device and see it arrive."""
    await sim.uplink("pump-socket", decoded={"voltage": voltage})
    pump = entry.runtime_data.roster.states[PUMP]
    await until(hass, lambda: pump.values.get("voltage") == voltage)
    await hass.async_block_till_done()
    state = hass.states.get(entity_id(hass, "sensor", f"{PUMP}/field/voltage"))
    assert state is not None
    assert float(state.state) == voltage


def nested(depth: int) -> list[Any]:
    """Return lists in lists."""
    value: list[Any] = [1]
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "decoded",
    [
        pytest.param({"a": nested(60)}, id="lists in lists"),
        pytest.param({"a": [[1, [2, {"b": [3]}]], None, "x"]}, id="mixed lists"),
        pytest.param({"temperature": 1e400, "humidity": -1e400}, id="infinite"),
        pytest.param({"temperature": 1e300, "count": 10**400}, id="huge numbers"),
        pytest.param({"text": "x" * 100_000}, id="long text"),
        pytest.param({f"key{n}": n for n in range(5000)}, id="thousands of keys"),
        pytest.param({"": 1, " ": 2, "\x00": 3, "a.b": 4, "a": {"b": 5}}, id="odd keys"),
        pytest.param({"temperature": {"value": None, "unit": 5}}, id="odd value object"),
        pytest.param({"latitude": "north", "longitude": None}, id="odd position"),
        pytest.param({"time": "never", "timestamp": 10**30}, id="odd times"),
        pytest.param({}, id="empty"),
    ],
)
async def test_any_payload_is_survived(
    hass: HomeAssistant, sim: Simulator, decoded: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a formatter returns, the next uplink is read and no state is out of bounds."""
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded=decoded)
    await others_still_work(hass, sim, entry)
    counters = entry.runtime_data.counters
    # What is no JSON (an infinite number) is an error, all else an uplink.
    assert counters.uplinks_today + counters.errors == 2
    assert "Traceback" not in caplog.text
    for state in hass.states.async_all():
        assert len(state.state) <= 255
        assert state.state not in ("nan", "inf", "-inf")


async def test_a_message_with_nan_counts_as_an_error(hass: HomeAssistant, sim: Simulator) -> None:
    """It is not JSON, strictly: no value comes of it, and the next message is read."""
    entry = await set_up(hass, sim)
    envelope = (
        b'{"end_device_ids":{"device_id":"weather-station","application_ids":'
        b'{"application_id":"garden"}},"uplink_message":{"f_port":2,"frm_payload":"AQ==",'
        b'"decoded_payload":{"temperature":NaN}}}'
    )
    await sim.publish("v3/garden/devices/weather-station/up", envelope)
    await others_still_work(hass, sim, entry)
    counters = entry.runtime_data.counters
    assert (counters.errors, counters.uplinks_today) == (1, 1)
    (problem,) = entry.runtime_data.application_status.problems
    assert problem["kind"] == "unreadable"
    assert "temperature" not in entry.runtime_data.roster.states[WEATHER].values


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'"text"',
        b'{"end_device_ids":{}}',
        b'{"end_device_ids":{"device_id":"weather-station"}}',
        b'{"end_device_ids":[],"uplink_message":[]}',
    ],
)
async def test_unreadable_messages_are_counted_and_logged_once(
    hass: HomeAssistant, sim: Simulator, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Invalid JSON, or no message of the stack."""
    entry = await set_up(hass, sim)
    topic = "v3/garden/devices/weather-station/up"
    for _ in range(3):
        await sim.publish(topic, data)
    await others_still_work(hass, sim, entry)
    assert entry.runtime_data.counters.errors == 3
    assert sum("logged once" in record.getMessage() for record in caplog.records) == 1
    assert len(entry.runtime_data.application_status.problems) == 3


async def test_a_message_of_another_application(hass: HomeAssistant, sim: Simulator) -> None:
    """It makes no device."""
    entry = await set_up(hass, sim)
    envelope = {
        "end_device_ids": {
            "device_id": "stranger",
            "application_ids": {"application_id": "neighbour"},
            "dev_eui": "70B3D57ED0AA0001",
        },
        "received_at": "2026-11-23T10:00:00Z",
        "uplink_message": {
            "f_port": 1,
            "frm_payload": "AQ==",
            "decoded_payload": {"temperature": 1},
        },
    }
    await sim.publish("v3/garden/devices/stranger/up", json.dumps(envelope).encode())
    await others_still_work(hass, sim, entry)
    assert entry.runtime_data.counters.errors == 1
    assert len(entry.runtime_data.roster.states) == 7


async def test_a_field_that_changes_type_stays_what_it_is(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """An odd value is unknown; unit and class never flip."""
    entry = await set_up(hass, sim)
    weather = entry.runtime_data.roster.states[WEATHER]
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: weather.values.get("temperature") == 20.5)
    await hass.async_block_till_done()
    temperature = entity_id(hass, "sensor", f"{WEATHER}/field/temperature")
    for odd in ("NULL", True, {"x": 1}, [1, 2]):
        await sim.uplink("weather-station", decoded={"temperature": odd, "humidity": 50})
        await sim.uplink("weather-station", decoded={"humidity": 51})
        await until(hass, lambda: weather.values.get("humidity") == 51)
        state = hass.states.get(temperature)
        assert state is not None
        assert state.attributes["device_class"] == "temperature"
        assert state.attributes["unit_of_measurement"] == "°C"
        await sim.uplink("weather-station", decoded={"temperature": 21.5, "humidity": 52})
        await until(hass, lambda: weather.values.get("humidity") == 52)
        assert hass.states.get(temperature).state == "21.5"  # type: ignore[union-attr]
    await sim.uplink("weather-station", decoded={"temperature": "NULL", "humidity": 53})
    await until(hass, lambda: weather.values.get("humidity") == 53)
    assert hass.states.get(temperature).state == STATE_UNKNOWN  # type: ignore[union-attr]


async def test_duplicates_and_late_messages(hass: HomeAssistant, sim: Simulator) -> None:
    """The same message counts once; an older one never overwrites a newer one."""
    entry = await set_up(hass, sim)
    weather = entry.runtime_data.roster.states[WEATHER]

    def at(moment: str) -> dict[str, Any]:
        return {"received_at": moment, "uplink_message": {"received_at": moment}}

    await sim.uplink(
        "weather-station", decoded={"temperature": 2}, envelope=at("2026-11-23T10:10:00Z")
    )
    await sim.uplink(
        "weather-station", decoded={"temperature": 2}, envelope=at("2026-11-23T10:10:00Z")
    )
    await sim.uplink(
        "weather-station",
        decoded={"temperature": 1, "humidity": 44},
        envelope=at("2026-11-23T10:00:00Z"),
    )
    await until(hass, lambda: weather.values.get("humidity") == 44)
    await hass.async_block_till_done()
    assert entry.runtime_data.counters.uplinks_today == 2
    assert weather.values["temperature"] == 2
    humidity = hass.states.get(entity_id(hass, "sensor", f"{WEATHER}/field/humidity"))
    assert humidity is not None
    assert humidity.state == "44"


async def test_repeated_frame_counters_are_no_duplicates(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """ABP nodes start over at each power cycle."""
    entry = await set_up(hass, sim)
    for value in (1, 2):
        await sim.uplink(
            "old-abp-node",
            decoded={"temperature_1": value},
            envelope={"uplink_message": {"f_cnt": 3}},
        )
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 2)


async def test_frames_without_data_move_no_values(hass: HomeAssistant, sim: Simulator) -> None:
    """MAC-only and empty frames update radio and last seen only."""
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await sim.uplink("weather-station", decoded={"temperature": 0}, payload=b"", f_port=2)
    await sim.uplink("weather-station", decoded=None, payload=b"", f_port=0)
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 3)
    assert entry.runtime_data.roster.states[WEATHER].values == {"temperature": 20.5}
    assert ir.async_get(hass).issues == {}


async def test_a_device_without_formatter_is_told_to_the_user(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """One issue for its model, gone when payloads are decoded again."""
    entry = await set_up(hass, sim)
    await sim.uplink("pump-socket", decoded=None, payload=b"\x01")
    await until(hass, lambda: ir.async_get(hass).issues)
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.domain == DOMAIN
    assert issue.translation_key == "undecoded"
    assert issue.translation_placeholders is not None
    assert "Pump socket" in issue.translation_placeholders["devices"]
    await others_still_work(hass, sim, entry)
    assert ir.async_get(hass).issues == {}


async def test_one_refused_frame_is_no_issue_three_in_a_row_are(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """A formatter may not know every port."""
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await sim.uplink("weather-station", decoded=None, payload=b"\x01", f_port=7)
    await until(hass, lambda: entry.runtime_data.counters.errors == 1)
    assert ir.async_get(hass).issues == {}
    await sim.uplink("weather-station", decoded=None, payload=b"\x01", f_port=7)
    await sim.uplink("weather-station", decoded=None, payload=b"\x01", f_port=7)
    await until(hass, lambda: ir.async_get(hass).issues)
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["subject"] == "Weather station"
    await hass.config_entries.async_unload(entry.entry_id)
    assert ir.async_get(hass).issues == {}


async def test_a_simulated_uplink_without_counters(hass: HomeAssistant, sim: Simulator) -> None:
    """No session, no counter, no network time: never dropped as a duplicate."""
    entry = await set_up(hass, sim)
    weather = entry.runtime_data.roster.states[WEATHER]
    await sim.uplink("weather-station", decoded={"temperature": 23}, simulated=True)
    await sim.uplink("weather-station", decoded={"temperature": 24}, simulated=True)
    await until(hass, lambda: weather.values.get("temperature") == 24)


async def test_a_flood_is_taken_in(hass: HomeAssistant, sim: Simulator) -> None:
    """Nothing is lost silently: what is not shown is counted."""
    entry = await set_up(hass, sim)
    for number in range(300):
        await sim.uplink("weather-station", decoded={"temperature": number / 10})
    await until(
        hass,
        lambda: (
            entry.runtime_data.counters.uplinks_today + entry.runtime_data.counters.dropped == 300
        ),
    )
    await others_still_work(hass, sim, entry)
