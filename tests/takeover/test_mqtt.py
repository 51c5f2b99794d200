"""Entities that came by MQTT discovery become ours, field by field, as the user chooses.

Home Assistant's own integration MQTT finds them at a real broker, where nothing may change.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
import json
from pathlib import Path
from typing import Any

import aiomqtt
from homeassistant.components.mqtt import (
    ReceiveMessage,
    async_publish,
    async_subscribe,
    is_connected,
)
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.history import state_changes_during_period
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
import voluptuous as vol

from custom_components.thethingsstack.const import DOMAIN
from tests.dialogs import Result, go, start_options
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator
from tests.takeover.broker import open_broker

CLIMATE = "greenhouse-climate"
TOPICS = {
    name: f"homeassistant/{platform}/climate/{name}/config"
    for name, platform in (("temperature", "sensor"), ("door_open", "binary_sensor"))
}


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(
    recorder_mock: Recorder, enable_custom_integrations: None
) -> None:
    """Let Home Assistant load the integration; the recorder must start before it."""


@pytest.fixture
async def port(socket_enabled: None) -> AsyncIterator[int]:
    """Run a broker that anybody may use."""
    async with open_broker() as number:
        yield number


async def announce(port: int) -> None:
    """Publish what another program has said of the end device: retained, as they do."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        for name, topic in TOPICS.items():
            config = {
                "name": name,
                "unique_id": f"climate_{name}",
                "state_topic": f"climate/{name}",
                "device": {"identifiers": ["climate"], "name": "Old climate"},
            }
            await client.publish(topic, json.dumps(config), retain=True)


async def retained(hass: HomeAssistant) -> set[str]:
    """Return the topics of the discovery messages at the broker; waits for all of them."""
    found = set()

    @callback
    def received(message: ReceiveMessage) -> None:
        if message.retain and message.payload:
            found.add(message.topic)

    ends = [await async_subscribe(hass, topic, received) for topic in TOPICS.values()]
    await until(hass, lambda: len(found) == len(TOPICS))
    for end in ends:
        end()
    return found


@pytest.fixture
async def mqtt(hass: HomeAssistant, port: int, tmp_path: Path) -> AsyncIterator[MockConfigEntry]:
    """Home Assistant's integration MQTT, which has found the entities."""
    await announce(port)
    (tmp_path / "configuration.yaml").touch()  # it looks for entities there, too
    hass.config.config_dir = str(tmp_path)
    entry = MockConfigEntry(
        domain="mqtt",
        version=2,
        minor_version=1,
        data={"broker": "127.0.0.1", "port": port, "protocol": "3.1.1"},
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: len(mqtt_ids(hass)) == len(TOPICS))
    await hass.async_block_till_done()
    yield entry
    # MQTT doesn't end a connection that it is just making.
    await until(hass, lambda: is_connected(hass))
    assert await hass.config_entries.async_unload(entry.entry_id)


def shows(hass: HomeAssistant, entity_id: str | None, value: str) -> bool:
    """Return whether an entity is there, with this state."""
    state = hass.states.get(entity_id or "")
    return state is not None and state.state == value


def mqtt_ids(hass: HomeAssistant) -> dict[str, str]:
    """Return the entities of MQTT by their unique ID."""
    entries = er.async_get(hass).entities.values()
    return {entry.unique_id: entry.entity_id for entry in entries if entry.platform == "mqtt"}


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator, mqtt: MockConfigEntry) -> MockConfigEntry:
    """Our application, with two fields of the same end device."""
    entry = await set_up(hass, sim, make_entry(sim))
    await sim.uplink(CLIMATE, decoded={"temperature": 21.5, "door_open": True})
    device = entry.runtime_data.roster.by_device_id(CLIMATE)
    await until(hass, lambda: device.values.get("temperature") == 21.5)
    await hass.async_block_till_done()
    return entry


def label(path: str) -> str:
    """Return how the dialogue names a field."""
    return f"{path} · Greenhouse climate ({CLIMATE})"


def suggested(result: Result) -> str | None:
    """Return the field that is preselected."""
    (field,) = result["data_schema"].schema
    return None if isinstance(field.default, vol.Undefined) else field.default()


async def recorded(hass: HomeAssistant, entity_id: str) -> list[str]:
    """Return the values in the history of an entity, oldest first."""
    await async_wait_recording_done(hass)
    start = dt_util.utcnow() - timedelta(days=1)
    history = await get_instance(hass).async_add_executor_job(
        state_changes_during_period, hass, start, None, entity_id
    )
    states = [state.state for state in history[entity_id]]
    return [state for state in states if state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)]


async def to_confirm(hass: HomeAssistant, entry: MockConfigEntry) -> Result:
    """Walk through the dialogue until it shows what will move."""
    ids = mqtt_ids(hass)
    chosen = [ids["climate_temperature"], ids["climate_door_open"]]
    result = await start_options(hass, entry, "mqtt")
    result = await go(hass, result, entities=[])
    assert result["errors"] == {"entities": "choose_from_list"}
    result = await go(hass, result, entities=chosen)
    assert result["description_placeholders"]["entity"] == chosen[0]
    result = await go(hass, result, field=label("door_open"))
    assert result["errors"] == {"field": "choose_from_list"}  # of another kind
    assert suggested(result) is None  # nothing names the end device
    result = await go(hass, result, field=label("temperature"))
    assert suggested(result) == label("door_open")  # of that end device, too, and of this name
    result = await go(hass, result, field=suggested(result))
    assert result["step_id"] == "mqtt_confirm"
    for entity_id in chosen:
        assert f"`{entity_id}`" in result["description_placeholders"]["moves"]
    return result


async def test_all_that_the_user_made_of_them_stays(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, mqtt: MockConfigEntry
) -> None:
    """IDs, names, areas, labels and history; MQTT goes on, and its messages stay at the broker."""
    registry, devices = er.async_get(hass), dr.async_get(hass)
    shed = ar.async_get(hass).async_create("Shed")
    ids = mqtt_ids(hass)
    before = registry.async_update_entity(
        ids["climate_temperature"], name="Under glass", area_id=shed.id, labels={"plants"}
    )
    devices.async_update_device(before.device_id or "", name_by_user="Glasshouse")
    # Retained, since MQTT may not have subscribed yet.
    await async_publish(hass, "climate/temperature", "19.5", retain=True)
    await until(hass, partial(shows, hass, before.entity_id, "19.5"))
    result = await go(hass, await to_confirm(hass, entry))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "mqtt_moved")
    await hass.async_block_till_done()
    device = entry.runtime_data.roster.by_device_id(CLIMATE)
    after = registry.async_get(before.entity_id)
    assert after is not None
    assert (after.platform, after.unique_id) == (DOMAIN, f"{device.key}/field/temperature")
    assert (after.id, after.name, after.area_id) == (before.id, "Under glass", shed.id)
    assert (after.labels, after.disabled_by) == ({"plants"}, None)
    assert (after.device_id, after.config_entry_id) == (device.registry_id, entry.entry_id)
    ours = devices.async_get(device.registry_id)
    assert ours is not None
    assert ours.name_by_user == "Glasshouse"
    await sim.uplink(CLIMATE, decoded={"temperature": 22.5, "door_open": False})
    for entity_id, state in ((before.entity_id, "22.5"), (ids["climate_door_open"], "off")):
        await until(hass, partial(shows, hass, entity_id, state))
    values = await recorded(hass, before.entity_id)
    assert (values[0], values[-1]) == ("19.5", "22.5")
    # Ours from before are replaced, and nothing else of MQTT is touched.
    of_fields = [
        item.unique_id.rpartition("/")[2]
        for item in er.async_entries_for_device(registry, device.registry_id)
        if "/field/" in item.unique_id and item.domain != "device_tracker"
    ]
    assert sorted(of_fields) == ["door_open", "temperature"]
    assert mqtt.state is ConfigEntryState.LOADED
    assert await retained(hass) == set(TOPICS.values())


async def test_if_one_fails_all_is_as_before(
    hass: HomeAssistant, entry: MockConfigEntry, mqtt: MockConfigEntry, monkeypatch: Any
) -> None:
    """Also those that were moved already; MQTT has its entities again, and we ours."""
    registry = er.async_get(hass)
    result = await to_confirm(hass, entry)
    before = {entity_id: registry.async_get(entity_id) for entity_id in mqtt_ids(hass).values()}
    original, calls = registry.async_update_entity_platform, 0

    def refusing(*args: Any, **changes: Any) -> er.RegistryEntry:
        nonlocal calls
        calls += 1
        if calls == len(TOPICS):
            raise ValueError("refused")
        return original(*args, **changes)

    monkeypatch.setattr(registry, "async_update_entity_platform", refusing)
    result = await go(hass, result)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "mqtt_failed")
    assert calls == len(TOPICS) + 1  # and one back
    await hass.async_block_till_done()
    for entity_id, item in before.items():
        now = registry.async_get(entity_id)
        assert now is not None
        assert item is not None
        for part in ("id", "platform", "unique_id", "device_id", "config_entry_id", "disabled_by"):
            assert getattr(now, part) == getattr(item, part), part
    await until(hass, lambda: mqtt.state is ConfigEntryState.LOADED)
    for entity_id in before:
        await until(hass, partial(shows, hass, entity_id, STATE_UNKNOWN))
    device = entry.runtime_data.roster.by_device_id(CLIMATE)
    ours = registry.async_get_entity_id("sensor", DOMAIN, f"{device.key}/field/temperature")
    await until(hass, partial(shows, hass, ours, "21.5"))


async def test_an_entity_that_has_gone_meanwhile(
    hass: HomeAssistant, entry: MockConfigEntry, mqtt: MockConfigEntry
) -> None:
    """Then the others aren't moved either, as the dialogue has shown another list."""
    result = await to_confirm(hass, entry)
    registry, ids = er.async_get(hass), mqtt_ids(hass)
    registry.async_remove(ids["climate_door_open"])
    result = await go(hass, result)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "mqtt_failed")
    left = registry.async_get(ids["climate_temperature"])
    assert left is not None
    assert (left.platform, left.disabled_by) == ("mqtt", None)
    assert shows(hass, left.entity_id, STATE_UNKNOWN)
