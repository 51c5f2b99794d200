"""Apply changed field overrides to entities at once, without a reload."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN
from ..end_devices import (
    LOCATION,
    async_add_field_entities,
    async_remove_field_entities,
    field_entry,
    field_unique_id,
)
from ..payload import Kind, Meaning
from .touched import is_touched

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator
    from ..end_devices import EndDeviceState

CHUNK = 20


async def async_apply_overrides(
    hass: HomeAssistant,
    coordinator: ApplicationCoordinator,
    devices: Iterable[EndDeviceState] | None = None,
) -> int:
    """Apply the overrides to decisions and entities; return how many fields changed.

    A field keeps its registry entry unless the override moves it to another platform.
    """
    fields, states = coordinator.fields, coordinator.roster.states
    count = 0
    async with fields.changing:
        if devices is None:
            devices = list(states.values())
            for key in coordinator.store.known_devices.keys() - states.keys():
                fields.apply_overrides(key)  # not shown now, but it may be added again
        for number, device in enumerate(devices, 1):
            if coordinator.stopped:
                return count
            if states.get(device.key) is device and (changed := fields.apply_overrides(device.key)):
                await _async_show(hass, coordinator, device, changed)
                count += len(changed)
            if number % CHUNK == 0:  # yield to the event loop
                await asyncio.sleep(0)
    fields.save_soon()
    return count


async def async_show_corrected(
    hass: HomeAssistant,
    coordinator: ApplicationCoordinator,
    device: EndDeviceState,
    changed: dict[str, tuple[Meaning, Meaning]],
) -> None:
    """Update the entities of fields whose decisions were corrected by later values."""
    async with coordinator.fields.changing:
        if coordinator.roster.states.get(device.key) is device and not coordinator.stopped:
            await _async_show(hass, coordinator, device, changed)


async def async_show_again(
    hass: HomeAssistant,
    coordinator: ApplicationCoordinator,
    fields: Mapping[str, Iterable[str]],
) -> None:
    """Make the entities of fields anew, by device key: something but their meaning changed."""
    async with coordinator.fields.changing:
        for key, paths in fields.items():
            if coordinator.stopped:
                return
            if (device := coordinator.roster.states.get(key)) is None:
                continue
            shown = {
                path: meaning
                for path in paths
                if (meaning := device.decisions.get(path)) and meaning.kind is not Kind.IGNORE
            }
            await async_remove_field_entities(coordinator, device, shown)
            async_add_field_entities(coordinator, device, shown)


async def async_take_position_over(
    hass: HomeAssistant,
    coordinator: ApplicationCoordinator,
    device: EndDeviceState,
    path: str,
) -> None:
    """Hand the device tracker of another position source over to the payload's position."""
    registry = er.async_get(hass)
    async with coordinator.fields.changing:
        await async_remove_field_entities(coordinator, device, [LOCATION])
        old, new = (field_unique_id(device, field) for field in (LOCATION, path))
        platform = Kind.DEVICE_TRACKER
        entity_id = registry.async_get_entity_id(platform, DOMAIN, old)
        if entity_id is not None and not registry.async_get_entity_id(platform, DOMAIN, new):
            registry.async_update_entity(entity_id, new_unique_id=new)
    if device.decisions[path].kind is not Kind.IGNORE:
        async_add_field_entities(coordinator, device, {path: device.decisions[path]})


async def async_drop_expected(
    hass: HomeAssistant,
    coordinator: ApplicationCoordinator,
    device: EndDeviceState,
) -> None:
    """Drop those expected fields of an end device that the user has done nothing with."""
    registry = er.async_get(hass)
    async with coordinator.fields.changing:
        entries = {path: field_entry(hass, device, path) for path in device.expected}
        dropped = {
            path: entry
            for path, entry in entries.items()
            if coordinator.fields.override(device.key, path) is None and not _is_changed(entry)
        }
        await async_remove_field_entities(coordinator, device, dropped)
        for entry in filter(None, dropped.values()):
            registry.async_remove(entry.entity_id)
        coordinator.fields.drop(device.key, dropped)
        device.forget_fields(dropped)


def _is_changed(entry: er.RegistryEntry | None) -> bool:
    """Return whether the user has done something with an entity."""
    return entry is not None and (is_touched(entry) or entry.disabled or entry.hidden)


async def _async_show(
    hass: HomeAssistant,
    coordinator: ApplicationCoordinator,
    device: EndDeviceState,
    changed: dict[str, tuple[Meaning, Meaning]],
) -> None:
    registry = er.async_get(hass)
    await async_remove_field_entities(coordinator, device, changed)
    for path, (before, now) in changed.items():
        unique_id = field_unique_id(device, path)
        if (entity_id := registry.async_get_entity_id(before.kind, DOMAIN, unique_id)) is None:
            continue
        if before.kind is not now.kind:
            registry.async_remove(entity_id)
        elif now.enabled and not before.enabled:
            _enable(registry, entity_id)
    device.read_again(changed)
    shown = {path: now for path, (_, now) in changed.items() if now.kind is not Kind.IGNORE}
    async_add_field_entities(coordinator, device, shown)


def _enable(registry: er.EntityRegistry, entity_id: str) -> None:
    """Enable an entity in two steps: a single one makes Home Assistant reload the entry."""
    entry = registry.async_get(entity_id)
    if entry is not None and entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION:
        for disabler in (er.RegistryEntryDisabler.CONFIG_ENTRY, None):
            registry.async_update_entity(entity_id, disabled_by=disabler)
