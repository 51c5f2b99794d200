"""Messages over the event stream, over MQTT, and from one to the other."""

from datetime import timedelta
import json
from typing import Any

from homeassistant.components.diagnostics import REDACTED
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.application.catch_up import PAUSES, Pauses
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.coordinator import STREAM_PAUSES, StreamPauses
from custom_components.thethingsstack.diagnostics import async_get_config_entry_diagnostics
from custom_components.thethingsstack.doors import DOOR_PAUSES, DoorPauses
from tests.dialogs import go
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.recordings import load
from tests.setup_flow.steps import own_server, reconfigure
from tests.simulator import Simulator

LIVE = sum(
    "uplink_message" in message["payload"] and not message["payload"].get("simulated")
    for message in load("mqtt/messages.json")
)
STATION = "weather-station"
STATION_KEY = "garden/70B3D57ED0060001"
LAST = "garden/A84041000181C061/downlink_state"
"""What the last message of the recorded run changes."""


@pytest.fixture(autouse=True)
def pauses(hass: HomeAssistant) -> None:
    """Wait for nothing but what happens."""
    hass.data[PAUSES] = Pauses(retry=0.2, lag=0, between_devices=0)
    hass.data[STREAM_PAUSES] = StreamPauses(refused=0.2, broken=0.2)
    short = timedelta(seconds=0.1)
    hass.data[DOOR_PAUSES] = DoorPauses(before_events=short, refused=short, overlap=short)


@pytest.fixture
def stored(sim: Simulator) -> None:
    """Let the server keep uplinks."""
    sim.faults.storage = True
    sim.switch_storage(on=True)


def connection(hass: HomeAssistant) -> tuple[str, str]:
    """Return what the entity *Connection* says: connected or not, and by which door."""
    state = hass.states.get(entity_id(hass, "binary_sensor", "garden/connection"))
    assert state is not None
    return state.state, state.attributes["door"]


def reads_messages(sim: Simulator) -> bool:
    """Return whether somebody reads messages from the event stream."""
    return any("as.up.data.forward" in reader.names for reader in sim.events.subscribers)


def number(hass: HomeAssistant) -> str | None:
    """Return the number that the station sent last."""
    found = er.async_get(hass).async_get_entity_id("sensor", DOMAIN, f"{STATION_KEY}/field/number")
    state = hass.states.get(found) if found else None
    return state.state if state else None


def states(hass: HomeAssistant) -> dict[str, Any]:
    """Return the states of all entities; of events the kind, as their time is that of the test."""
    shown = {}
    for entry in er.async_get(hass).entities.values():
        if (state := hass.states.get(entry.entity_id)) is None:
            continue
        event = entry.domain == "event"
        shown[entry.unique_id] = state.attributes.get("event_type") if event else state.state
    return shown


async def test_the_recorded_run_gives_the_same_states_as_over_mqtt(
    hass: HomeAssistant, sim: Simulator
) -> None:
    entry = await set_up(hass, sim)
    for message in load("mqtt/messages.json"):
        await sim.publish(message["topic"], json.dumps(message["payload"]).encode())
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == LIVE)
    await until(hass, lambda: states(hass).get(LAST) == "failed")
    entry.runtime_data.application_status.write()
    over_mqtt = states(hass)
    assert len(over_mqtt) > 70
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not states(hass)

    entry = await set_up(hass, sim, make_entry(sim, door="events"))
    for item in load("events/day.json"):
        event = item.get("result", item)
        if "device_ids" in event["identifiers"][0]:
            sim.events.replay(event)
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == LIVE)
    entry.runtime_data.application_status.write()
    await until(hass, lambda: states(hass) == over_mqtt)


async def test_messages_come_by_the_event_stream(hass: HomeAssistant, sim: Simulator) -> None:
    """With the fate of downlinks, told in Connection, diagnostics and system health."""
    entry = await set_up(hass, sim, make_entry(sim, "control", door="events"))
    assert sim.mqtt_attempts == 0
    assert connection(hass) == ("on", "events")
    await sim.uplink(STATION, decoded={"number": 1})
    await until(hass, lambda: number(hass) == "1")
    sending = hass.async_create_task(
        hass.services.async_call(
            DOMAIN,
            "send_downlink",
            {
                "device_id": entry.runtime_data.roster.states[STATION_KEY].registry_id,
                "f_port": 1,
                "hex": "01",
                "wait_for": "sent",
            },
            blocking=True,
            return_response=True,
        )
    )
    session = sim.devices[STATION].session
    await until(hass, lambda: session is not None and session.queue)
    await sim.uplink(STATION, decoded={"number": 2})
    answer: Any = await sending
    assert [sent["state"] for sent in answer["downlinks"].values()] == ["sent"]
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["door"] == {"chosen": "events", "current": "events"}
    assert diagnostics["entry"]["data"]["door"] == "events"
    assert diagnostics["entry"]["data"]["api_key"] == REDACTED


@pytest.mark.usefixtures("stored")
async def test_an_event_stream_that_breaks_off_is_caught_up(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Also where the server keeps no events."""
    sim.events.history = False
    await set_up(hass, sim, make_entry(sim, door="events"))
    await sim.uplink(STATION, decoded={"number": 1})
    await until(hass, lambda: number(hass) == "1")
    sim.faults.http_down = True
    sim.events.close()
    await sim.uplink(STATION, decoded={"number": 2})
    await until(hass, lambda: connection(hass) == ("off", "events"))
    sim.faults.http_down = False
    await until(hass, lambda: connection(hass) == ("on", "events"))
    await until(hass, lambda: number(hass) == "2")


@pytest.mark.usefixtures("stored")
async def test_a_key_loses_the_right_to_read_and_gets_it_back(
    hass: HomeAssistant, sim: Simulator
) -> None:
    entry = await set_up(hass, sim, make_entry(sim, door="events"))
    sim.remove_rights("read", "TRAFFIC_READ")
    await entry.runtime_data.connection_state.async_check_rights()
    assert connection(hass) == ("off", "events")
    entry.runtime_data.door.reconnect()
    await until(hass, lambda: not entry.runtime_data.connected)
    await sim.uplink(STATION, decoded={"number": 3})
    sim.add_rights("read", "RIGHT_APPLICATION_TRAFFIC_READ")
    await entry.runtime_data.connection_state.async_check_rights()
    await until(hass, lambda: connection(hass) == ("on", "events"))
    await until(hass, lambda: number(hass) == "3")


async def test_a_key_without_the_right_is_told(hass: HomeAssistant, sim: Simulator) -> None:
    entry = make_entry(sim, "info", door="events")
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "missing_traffic_right"


@pytest.mark.usefixtures("stored")
async def test_the_event_stream_stands_in_for_mqtt_until_it_is_back(
    hass: HomeAssistant, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await set_up(hass, sim)
    assert connection(hass) == ("on", "mqtt")
    await sim.uplink(STATION, decoded={"number": 1})
    await until(hass, lambda: number(hass) == "1")
    sim.faults.mqtt_close = True
    await sim.drop_connections()
    await sim.uplink(STATION, decoded={"number": 2})
    await until(hass, lambda: connection(hass) == ("on", "events"))
    await until(hass, lambda: number(hass) == "2")
    await sim.uplink(STATION, decoded={"number": 3})
    await until(hass, lambda: number(hass) == "3")
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["door"] == {"chosen": "mqtt", "current": "events"}

    sim.faults.mqtt_close = False
    await until(hass, lambda: connection(hass) == ("on", "mqtt"))
    await until(hass, lambda: not reads_messages(sim))
    await sim.uplink(STATION, decoded={"number": 4})
    await until(hass, lambda: number(hass) == "4")
    assert entry.runtime_data.connection_state.available
    assert caplog.text.count("messages come over the event stream") == 1
    assert caplog.text.count("messages come over MQTT again") == 1


@pytest.mark.usefixtures("stored")
async def test_neither_mqtt_nor_the_event_stream(hass: HomeAssistant, sim: Simulator) -> None:
    """Both are tried; what works first is taken, and the whole gap is read."""
    entry = await set_up(hass, sim)
    sim.faults.http_status["/events"] = 404
    sim.faults.mqtt_close = True
    await sim.drop_connections()
    await until(hass, lambda: ("POST", "/api/v3/events") in sim.requests)
    await until(hass, lambda: connection(hass) == ("off", "mqtt"))
    await sim.uplink(STATION, decoded={"number": 7})
    sim.faults.mqtt_close = False
    await until(hass, lambda: connection(hass) == ("on", "mqtt"))
    await until(hass, lambda: number(hass) == "7")
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.usefixtures("stored")
async def test_the_event_stream_that_stands_in_is_lost_too(
    hass: HomeAssistant, sim: Simulator
) -> None:
    await set_up(hass, sim)
    sim.faults.mqtt_close = True
    await sim.drop_connections()
    await until(hass, lambda: connection(hass) == ("on", "events"))
    sim.faults.http_down = True
    sim.events.close()
    await until(hass, lambda: connection(hass) == ("off", "mqtt"))
    sim.faults.http_down = False
    await until(hass, lambda: connection(hass) == ("on", "events"))


@pytest.mark.usefixtures("stored")
async def test_a_change_of_door_loses_nothing(hass: HomeAssistant, sim: Simulator) -> None:
    """Every uplink of before, during and after arrives once; entities are the same."""
    entry: MockConfigEntry = await set_up(hass, sim)
    sent = 0

    async def arrives() -> None:
        """Wait for what was sent last."""
        await until(hass, lambda: number(hass) == str(sent))

    async def connected(door: str) -> None:
        """Wait until messages come by this door."""
        await until(hass, lambda: connection(hass) == ("on", door))

    for door in ("events", "mqtt", "events"):
        sent += 1
        await sim.uplink(STATION, decoded={"number": sent})
        await arrives()
        entities = set(states(hass))
        result = await reconfigure(hass, entry)
        assert result["description_placeholders"]["application"] == "garden"
        result = await go(hass, result, **own_server(sim), door=door)
        assert result["reason"] == "reconfigure_successful"
        sent += 1
        await sim.uplink(STATION, decoded={"number": sent})
        await hass.async_block_till_done()
        await connected(door)
        await arrives()
        assert entry.data["door"] == door
        assert set(states(hass)) == entities
