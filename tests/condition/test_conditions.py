"""The conditions, as automations check them."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, condition, device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.thethingsstack.client import Downlink
from custom_components.thethingsstack.const import DOMAIN
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator

VICKI, WEATHER, SILENT = "bath-radiator", "weather-station", "never-joined"


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """The application with a key that may send."""
    return await set_up(hass, sim, make_entry(sim, "control"))


def registry_id(entry: MockConfigEntry, device_id: str) -> str:
    """Return the id that Home Assistant gave an end device."""
    found: str = entry.runtime_data.roster.by_device_id(device_id).registry_id
    return found


async def check(hass: HomeAssistant, name: str, target: Any, behavior: str | None = None) -> bool:
    """Return what a condition of an automation says now."""
    assert await async_setup_component(hass, "automation", {})
    config: dict[str, Any] = {"condition": f"{DOMAIN}.{name}", "target": target}
    if behavior is not None:
        config["options"] = {"behavior": behavior}
    valid = await condition.async_validate_condition_config(hass, config)
    checker = await condition.async_from_config(hass, valid)
    result = checker.async_check()
    checker.async_unload()
    assert isinstance(result, bool)
    return result


async def test_overdue_for_any_or_all(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Of two devices one goes on sending; one that never sent is not overdue."""
    for device_id in (VICKI, WEATHER):
        await sim.uplink(device_id, f_port=1, decoded={"a": 1})
    roster = entry.runtime_data.roster
    await until(hass, lambda: roster.by_device_id(WEATHER).last_seen)
    both = {"device_id": [registry_id(entry, VICKI), registry_id(entry, WEATHER)]}
    assert not await check(hass, "is_overdue", both)

    device = entry.runtime_data.roster.by_device_id(VICKI)
    device.last_seen -= entry.runtime_data.overdue_watch.overdue_after(device) * 2
    assert await check(hass, "is_overdue", both)
    assert await check(hass, "is_overdue", both, "any")
    assert not await check(hass, "is_overdue", both, "all")
    assert not await check(hass, "is_overdue", {"device_id": registry_id(entry, SILENT)})


async def test_a_downlink_is_pending_by_area(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """From the request to the acknowledgement; the application's own device doesn't count."""
    area = ar.async_get(hass).async_create("Bath")
    devices = dr.async_get(hass)
    devices.async_update_device(registry_id(entry, VICKI), area_id=area.id)
    application = devices.async_get_device_by_identifier(
        entry.runtime_data.roster.application_identifier, entry.entry_id
    )
    assert application is not None
    devices.async_update_device(application.id, area_id=area.id)
    target = {"area_id": area.id}
    assert not await check(hass, "downlink_is_pending", target, "all")

    device = entry.runtime_data.roster.by_device_id(VICKI)
    await entry.runtime_data.downlinks.async_send(
        device, Downlink(f_port=1, payload=b"\x0e\x14", confirmed=True)
    )
    assert await check(hass, "downlink_is_pending", target, "all")

    await sim.uplink(VICKI)
    await sim.uplink(VICKI)
    record = entry.runtime_data.downlinks.records_of(device)[-1]
    await until(hass, lambda: not record.open)
    assert not await check(hass, "downlink_is_pending", target, "all")


async def test_connected_by_entity_of_an_end_device(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Until the broker goes; an application that isn't loaded is not connected either."""
    target = {"device_id": registry_id(entry, VICKI)}
    state = entry.runtime_data.connection_state
    await until(hass, lambda: state.connected)
    assert await check(hass, "is_connected", target)
    assert not await check(hass, "is_connected", {"entity_id": "sun.sun"})

    await sim.stop_broker()
    await until(hass, lambda: not state.connected)
    assert not await check(hass, "is_connected", target)

    await sim.start_broker()
    await until(hass, lambda: state.connected)
    assert await check(hass, "is_connected", target)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert not await check(hass, "is_connected", target)


async def test_a_condition_needs_a_target(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    with pytest.raises(vol.Invalid, match="target"):
        await condition.async_validate_condition_config(hass, {"condition": f"{DOMAIN}.is_overdue"})
