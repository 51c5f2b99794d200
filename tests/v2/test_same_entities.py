"""The same world gives the same entities, whether its stack is of version 3 or 2."""

from datetime import UTC, datetime
from typing import Any

from freezegun import freeze_time
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests import ha_fixtures
from tests.ha_fixtures import until
from tests.simulator import Simulator as Version3
from tests.simulator.v2 import Simulator

from .conftest import make_entry, set_up

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ONLY_V3 = {
    "riverside/70B3D5D72FF30A41/field/air.location",
    "riverside/70B3D5D72FF30A41/field/metering.water.total",
    "riverside/70B3D5D72FF30A41/field/water.leak",
}
"""The water meter's normalized payload, which version 2 doesn't know."""
WITH_UNIT_IN_V3 = ("sensor", "riverside/70B3D5D72FF30A41/field/totalVolume")
"""The normalized payload has the same number, and tells that it is water, and its unit."""

type Entities = dict[tuple[str, str], dict[str, Any]]


async def _entities(
    hass: HomeAssistant, sim: Simulator | Version3, entry: MockConfigEntry
) -> Entities:
    """Set the entry up, let each end device send once, and return what came of it."""
    with freeze_time(NOW, tick=True):
        await set_up(hass, entry)
        senders = [item.device_id for item in sim.devices.values() if item.sample is not None]
        for device_id in senders:
            await sim.uplink(device_id)
        today = er.async_get(hass).async_get_entity_id(
            "sensor", "thethingsstack", f"{sim.application_id}/uplinks_today"
        )
        assert today is not None
        await until(hass, lambda: hass.states.is_state(today, str(len(senders))))
        await hass.async_block_till_done()
    found = {
        (entity.domain, entity.unique_id): _described(hass, entity)
        for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    }
    await hass.config_entries.async_remove(entry.entry_id)
    return found


def _described(hass: HomeAssistant, entity: er.RegistryEntry) -> dict[str, Any]:
    """Return what a user sees of an entity."""
    state = hass.states.get(entity.entity_id)
    device = dr.async_get(hass).async_get(entity.device_id or "")
    assert isinstance(device, dr.DeviceEntry)
    return {
        # The application's own device has the name that only version 3 knows. Models have the
        # names of the Device Repository there, and names made of their IDs here.
        "device": "/" in entity.unique_id.partition("/")[2] and (device.name, device.model_id),
        "name": entity.original_name,
        "category": entity.entity_category,
        "device_class": entity.original_device_class,
        "unit": entity.unit_of_measurement,
        "capabilities": entity.capabilities,
        "disabled": entity.disabled_by,
        "state": state and state.state,
    }


def _is_of_v3_alone(entity: tuple[str, str]) -> bool:
    """Return whether an entity is of what only a stack of version 3 says.

    The battery as the network asks end devices for it, lost frames, and normalized payloads.
    """
    _, _, path = entity[1].split("/", 1)[1].partition("/")
    return path in ("battery", "packet_error_rate") or entity[1] in ONLY_V3


async def test_the_same_world_gives_the_same_entities(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    """Names, units, classes, defaults and states are equal, but for what version 2 can't say."""
    async with Version3("demo", clock=lambda: NOW) as sim:
        # The day before, which version 2 can't have, would show fields of other frames.
        sim.faults.storage = False
        v3 = await _entities(hass, sim, ha_fixtures.make_entry(sim, "manage"))
    async with Simulator("demo", clock=lambda: NOW) as sim2:
        v2 = await _entities(hass, sim2, make_entry(sim2))
    assert v3.pop(WITH_UNIT_IN_V3)["unit"] == "m³"
    assert v2.pop(WITH_UNIT_IN_V3)["unit"] is None
    assert {key: item for key, item in v3.items() if not _is_of_v3_alone(key)} == v2
