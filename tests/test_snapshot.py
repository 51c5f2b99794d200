"""Every entity of the demonstration as Home Assistant registers it, compared with a kept listing.

A change of names, classes, units or defaults shows up in `__snapshots__` as a difference to read.
Where it is intended: `pytest tests/test_snapshot.py --snapshot-update`.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

from freezegun import freeze_time
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.end_devices.registered_batteries import PAUSE
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator

SILENT = "A81758FFFE0B4D19"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
STORED = Path(__file__).parent / "fixtures" / "stored_world" / "core.config_entries.json"


@pytest.fixture
async def simulator(socket_enabled: None) -> AsyncIterator[Simulator]:
    """Return the demonstration at a fixed time, with the same 24 hours behind it each time."""
    async with Simulator(world="demo", clock=lambda: NOW, seed=1) as running:
        yield running


async def test_entities_of_the_demonstration(
    hass: HomeAssistant, simulator: Simulator, snapshot: SnapshotAssertion
) -> None:
    """With all fields that the stored uplinks have, and the controls of the stored application."""
    entry = make_entry(simulator, key="manage")
    entry.add_to_hass(hass)
    add_controls(hass, entry)
    registry = er.async_get(hass)
    hass.data[PAUSE] = 0.0
    with freeze_time(NOW, tick=True):  # pauses pass
        await set_up(hass, simulator, entry)
        # Of the one that was silent for more than a day, it is read in the background.
        battery = f"{simulator.application_id}/{SILENT}/battery"
        await until(hass, lambda: registry.async_get_entity_id("sensor", DOMAIN, battery))
        await hass.async_block_till_done()
    entities = er.async_entries_for_config_entry(registry, entry.entry_id)
    assert {entity.unique_id for entity in entities if not entity.disabled_by} == {
        entity.unique_id for entity in entities if hass.states.get(entity.entity_id)
    }
    shown = [described(hass, entity) for entity in entities]
    assert sorted(shown, key=lambda one: (one["unique_id"], one["platform"])) == snapshot


def add_controls(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Give the application the controls of the stored one."""
    stored = json.loads(STORED.read_text(encoding="utf-8"))["data"]["entries"][0]
    for item in stored["subentries"]:
        subentry = ConfigSubentry(
            data=MappingProxyType(item["data"]),
            subentry_id=item["subentry_id"],
            subentry_type=item["subentry_type"],
            title=item["title"],
            unique_id=item["unique_id"],
        )
        hass.config_entries.async_add_subentry(entry, subentry)


def described(hass: HomeAssistant, entity: er.RegistryEntry) -> dict[str, Any]:
    """Return what the user sees of an entity and what Home Assistant builds on, without None.

    The name of a disabled entity is without that of its device.
    """
    capabilities = dict(entity.capabilities or {})
    device = dr.async_get(hass).async_get(entity.device_id or "")
    state = hass.states.get(entity.entity_id)
    everything = {
        "unique_id": entity.unique_id,
        "platform": entity.domain,
        "entity_id": entity.entity_id,
        "name": state.name if state else entity.original_name,
        "device": device.name if device else None,
        "class": entity.device_class or entity.original_device_class,
        "unit": entity.unit_of_measurement,
        "state_class": capabilities.pop("state_class", None),
        "options": capabilities.pop("options", None),
        "capabilities": capabilities or None,
        "category": entity.entity_category,
        "disabled_by": entity.disabled_by,
        "hidden_by": entity.hidden_by,
        "translation_key": entity.translation_key,
        "icon": entity.original_icon,
    }
    plain = json.loads(json.dumps(everything))  # enumerations are of no interest
    return {name: value for name, value in plain.items() if value is not None}
