"""The triggers, in automations."""

from datetime import timedelta
from functools import partial
from typing import Any

from homeassistant.core import Context, Event, HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    trigger as trigger_helper,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.thethingsstack.client import Downlink
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.trigger import TRIGGERS
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator

VICKI = "bath-radiator"


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """The application with a key that may send."""
    return await set_up(hass, sim, make_entry(sim, "control"))


def registry_id(entry: MockConfigEntry, device_id: str = VICKI) -> str:
    """Return the id that Home Assistant gave an end device."""
    found: str = entry.runtime_data.roster.by_device_id(device_id).registry_id
    return found


async def automate(
    hass: HomeAssistant, name: str, target: dict[str, Any], options: dict[str, Any] | None = None
) -> list[Event[Any]]:
    """Save an automation with a trigger; returns what it does."""
    events: list[Event[Any]] = []
    hass.bus.async_listen("told", events.append)
    config: dict[str, Any] = {"trigger": f"{DOMAIN}.{name}", "target": target}
    if options is not None:
        config["options"] = options
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "id": "test",
                "triggers": [config],
                "actions": [{"event": "told", "event_data_template": {"told": "{{ trigger }}"}}],
            }
        },
    )
    await hass.async_block_till_done()
    return events


async def test_an_uplink_fires_its_trigger(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """A fresh user's automation works, though the activity event is disabled."""
    events = await automate(hass, "uplink_received", {"device_id": registry_id(entry)})
    await sim.uplink("weather-station")
    await sim.uplink(VICKI, f_port=1, decoded={"targetTemperature": 21})
    await until(hass, lambda: events)
    told = events[0].data["told"]
    assert told["device_id"] == registry_id(entry)
    assert told["decoded_payload"] == {"targetTemperature": 21}
    assert told["f_port"] == 1
    assert told["description"] == "uplink received"
    assert len(events) == 1


async def test_uplinks_of_one_port_only(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    events = await automate(
        hass, "uplink_received", {"device_id": registry_id(entry)}, {"f_port": 7}
    )
    await sim.uplink(VICKI, f_port=1, decoded={"a": 1})
    await sim.uplink(VICKI, f_port=7, decoded={"a": 2})
    await until(hass, lambda: events)
    assert [event.data["told"]["f_port"] for event in events] == [7]


async def test_a_join_fires_its_trigger(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    events = await automate(
        hass, "device_joined", {"device_id": registry_id(entry, "never-joined")}
    )
    await sim.join("never-joined")
    await until(hass, lambda: events)
    assert events[0].data["told"]["dev_addr"]


async def test_downlink_acknowledged_the_first_time(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Before the device ever had a downlink there is no entity to target, and none is needed."""
    events = await automate(hass, "downlink_acknowledged", {"device_id": registry_id(entry)})
    device = entry.runtime_data.roster.by_device_id(VICKI)
    context = Context(user_id=None)
    await entry.runtime_data.downlinks.async_send(
        device, Downlink(f_port=1, payload=b"\x0e\x14", confirmed=True), context=context
    )
    await sim.uplink(VICKI)
    await sim.uplink(VICKI)
    await until(hass, lambda: events)
    assert events[0].data["told"]["payload"] == "0e14"


async def test_downlink_failed_by_area_and_entity(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Targets may be areas and entities, too; refused ones count as failed once."""
    area = ar.async_get(hass).async_get_or_create("Bath")
    dr.async_get(hass).async_update_device(registry_id(entry), area_id=area.id)
    events = await automate(hass, "downlink_failed", {"area_id": area.id})
    await entry.runtime_data.stack.downlinks.push(
        VICKI, [Downlink(f_port=1, payload=b"\1", confirmed=True, max_attempts=1)]
    )
    sim.devices[VICKI].acknowledges = False
    for _ in range(3):
        await sim.uplink(VICKI)
    await until(hass, lambda: events)
    assert events[0].data["told"]["error"] == "max_retries_reached"
    await hass.async_block_till_done()
    assert len(events) == 1


async def test_an_entity_as_target(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    await sim.uplink(VICKI)
    device = registry_id(entry)
    await until(hass, lambda: er.async_entries_for_device(er.async_get(hass), device))
    found = er.async_entries_for_device(er.async_get(hass), device)[0].entity_id
    events = await automate(hass, "uplink_received", {"entity_id": found})
    await sim.uplink(VICKI)
    await until(hass, lambda: events)


@pytest.mark.parametrize("name", ["device_overdue", "device_heard_again"])
async def test_overdue_and_heard_again(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, name: str
) -> None:
    """Told once when it turns overdue, and when it is back."""
    device = entry.runtime_data.roster.by_device_id(VICKI)
    await sim.uplink(VICKI)
    await until(hass, lambda: device.last_seen)
    # Not by the clock of the test: it would time out the sockets, too.
    a_minute_passes = partial(entry.runtime_data.overdue_watch.look, dt_util.utcnow())
    a_minute_passes()
    assert device.overdue is False
    events = await automate(hass, name, {"device_id": registry_id(entry)})
    device.last_seen -= timedelta(hours=26)
    for _ in range(2):
        a_minute_passes()
    await hass.async_block_till_done()
    assert len(events) == (name == "device_overdue")
    for _ in range(2):
        await sim.uplink(VICKI)
    await until(hass, lambda: len(events) == 1 and device.overdue is False)


async def test_every_trigger_is_described(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """As the editor of automations asks for them."""
    await async_setup_component(hass, "automation", {})
    await hass.async_block_till_done()
    described = await trigger_helper.async_get_all_descriptions(hass)
    for name in TRIGGERS:
        description = described[f"{DOMAIN}.{name}"]
        assert description is not None
        assert description["target"]["entity"]


@pytest.mark.parametrize("name", TRIGGERS)
async def test_target_is_needed(hass: HomeAssistant, name: str) -> None:
    with pytest.raises(vol.Invalid):
        await TRIGGERS[name].async_validate_config(hass, {})
