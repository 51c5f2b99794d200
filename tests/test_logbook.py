"""Home Assistant's logbook: joins and commands in words, and nothing of each uplink."""

from typing import Any

from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket, WebSocketGenerator

from custom_components.thethingsstack.client import Downlink
from custom_components.thethingsstack.const import DOMAIN
from tests.controls.cases import RADIATOR_KEY, add_control, entity_of, thermostat
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator

RADIATOR = "bath-radiator"


@pytest.fixture(autouse=True)
async def auto_enable_custom_integrations(
    recorder_mock: Recorder, hass: HomeAssistant, enable_custom_integrations: None
) -> None:
    """Let Home Assistant load the integration; the recorder must start before it."""
    assert await async_setup_component(hass, "logbook", {})


async def rows_of(
    hass: HomeAssistant, client: WebSocketGenerator, **asked: list[str]
) -> list[dict[str, Any]]:
    """Return the logbook's rows of today, as its page asks for them; or a device's page."""
    await async_wait_recording_done(hass)
    socket = await client(hass)
    start = dt_util.utcnow().replace(hour=0, minute=0).isoformat()
    await socket.send_json_auto_id({"type": "logbook/get_events", "start_time": start, **asked})
    answer = await socket.receive_json()
    rows: list[dict[str, Any]] = answer["result"]
    return rows


async def follow(hass: HomeAssistant, client: WebSocketGenerator) -> MockHAClientWebSocket:
    """Return a socket to which the logbook sends its rows as they come."""
    socket = await client(hass)
    await socket.send_json_auto_id(
        {"type": "logbook/event_stream", "start_time": dt_util.utcnow().isoformat()}
    )
    assert (await socket.receive_json())["success"]
    return socket


async def test_uplinks_leave_it_to_the_house(
    hass: HomeAssistant, sim: Simulator, hass_ws_client: WebSocketGenerator
) -> None:
    """Neither in the stream nor afterwards: the time of an uplink; but a door that opens."""
    entry = await set_up(hass, sim)
    socket = await follow(hass, hass_ws_client)
    for minute, opened in enumerate((False, False, True)):
        await sim.uplink(
            "weather-station",
            decoded={"door_open": opened, "temperature": 20 + minute},
            envelope={"uplink_message": {"received_at": f"2026-11-23T10:0{minute}:00Z"}},
        )
        await until(hass, lambda count=minute: entry.runtime_data.counters.uplinks_today > count)  # type: ignore[misc]
    rows: list[dict[str, Any]] = []
    while not any(row.get("state") == "on" for row in rows):
        rows += (await socket.receive_json())["event"]["events"]
    for found in (rows, await rows_of(hass, hass_ws_client)):
        named = {row["entity_id"] for row in found if "entity_id" in row}
        assert any("door" in name for name in named)
        assert not [name for name in named if "last_uplink" in name]


async def test_a_command_is_one_row_for_each_step_in_words(
    hass: HomeAssistant, sim: Simulator, hass_ws_client: WebSocketGenerator
) -> None:
    """In the whole logbook, on the device's page and in the control's dialogue."""
    entry = await set_up(hass, sim, make_entry(sim, "control"))
    await sim.uplink(RADIATOR)
    control = await add_control(hass, entry, thermostat())
    climate = entity_of(hass, control).entity_id
    await hass.services.async_call(
        "climate", "set_temperature", {"entity_id": climate, "temperature": 23}, blocking=True
    )
    record = entry.runtime_data.downlinks.newest(control)
    await until(hass, lambda: record.announced)
    await sim.uplink(RADIATOR)
    await until(hass, lambda: record.state == "sent")
    expected = [
        "23 °C waits for the next uplink",
        "23 °C was sent",
    ]
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, RADIATOR_KEY), entry.entry_id
    )
    assert device is not None
    entities = er.async_entries_for_device(er.async_get(hass), device.id)
    for asked in (
        {},
        {"device_ids": [device.id], "entity_ids": [e.entity_id for e in entities]},
        {"entity_ids": [climate]},
    ):
        rows = await rows_of(hass, hass_ws_client, **asked)
        assert [row["message"] for row in rows if row.get("domain") == DOMAIN] == expected
        named = {row["entity_id"] for row in rows if "entity_id" in row}
        assert not [name for name in named if "downlink" in name]


async def test_joins_and_downlinks_of_others(
    hass: HomeAssistant, sim: Simulator, hass_ws_client: WebSocketGenerator
) -> None:
    """A device joins; a downlink without a control is known by its port; one is refused."""
    entry = await set_up(hass, sim, make_entry(sim, "control"))
    await sim.join(RADIATOR)
    device = entry.runtime_data.roster.by_device_id(RADIATOR)
    await until(hass, lambda: device.last_seen)
    await entry.runtime_data.downlinks.async_send(device, Downlink(f_port=7, payload=b"\x01"))
    await until(hass, lambda: entry.runtime_data.downlinks.records_of(device)[-1].announced)
    await entry.runtime_data.downlinks.async_clear(device)
    rows = await rows_of(hass, hass_ws_client)
    assert [(row["name"], row["message"]) for row in rows if row.get("domain") == DOMAIN] == [
        ("Bathroom radiator", "joined the network"),
        ("Bathroom radiator", "A downlink on port 7 waits for the next uplink"),
        ("Bathroom radiator", "A downlink on port 7 was removed from the queue"),
    ]
