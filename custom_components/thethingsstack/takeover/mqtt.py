"""Entities of Home Assistant's integration MQTT become ours, as the user chooses field by field."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
import logging
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.entity import entity_sources

from ..application import Removals
from ..const import DOMAIN
from ..end_devices import EndDeviceState, field_key
from ..payload import Kind
from .devices import follow_device

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

_LOGGER = logging.getLogger(__name__)

MQTT: Final = "mqtt"
KINDS: Final = (Kind.SENSOR, Kind.BINARY_SENSOR)
TIMEOUT = 30
"""Seconds until an entity that MQTT doesn't let go fails the move."""


@dataclass(frozen=True, slots=True)
class MqttMove:
    """An entity of MQTT, and the field whose entity it becomes."""

    entry: er.RegistryEntry
    device: EndDeviceState
    path: str

    @property
    def unique_id(self) -> str:
        """Return the unique ID that it gets."""
        return f"{self.device.key}/{field_key(self.path)}"


def mqtt_entities(hass: HomeAssistant) -> dict[str, er.RegistryEntry]:
    """Return the entities of MQTT that may show a field, by entity ID."""
    return {
        entry.entity_id: entry
        for entry in er.async_get(hass).entities.values()
        if entry.platform == MQTT
        and entry.domain in KINDS
        and entry.config_entry_id is not None
        and entry.config_subentry_id is None  # made in a dialogue: it would come back from there
    }


def fields_for(
    coordinator: ApplicationCoordinator, entry: er.RegistryEntry
) -> list[tuple[EndDeviceState, str]]:
    """Return the fields that an entity may become: those received, of its kind."""
    return [
        (device, path)
        for device in sorted(coordinator.roster.states.values(), key=lambda one: one.name)
        for path, meaning in device.decisions.items()
        if meaning.kind == entry.domain and not meaning.expected
    ]


async def async_move(coordinator: ApplicationCoordinator, moves: Sequence[MqttMove]) -> None:
    """Make these entities ours; nothing at the broker changes.

    If anything fails, all is as before, and the exception is raised: ValueError if an entity or a
    field has gone or Home Assistant refuses it, TimeoutError if MQTT doesn't let an entity go.
    """
    hass, registry = coordinator.hass, er.async_get(coordinator.hass)
    async with coordinator.fields.changing:
        _check(hass, moves)
        moved: list[MqttMove] = []
        try:
            await _async_release(hass, [move.entry for move in moves])
            await _async_remove_ours(coordinator, moves)
            for move in moves:
                _move(coordinator, move)
                moved.append(move)
        except BaseException:
            for move in moved:
                _move_back(registry, move)
            raise
        finally:
            for move in moves:
                _enable(registry, move.entry)
            if len(moved) < len(moves):
                for entry_id in {move.entry.config_entry_id for move in moves} - {None}:
                    hass.config_entries.async_schedule_reload(str(entry_id))
            for move in moves:
                meaning = move.device.decisions[move.path]
                async_dispatcher_send(
                    hass, coordinator.signals.new_fields, move.device, {move.path: meaning}
                )
    for move in moves:
        follow_device(hass, move.entry.device_id, move.device.registry_id)


def _check(hass: HomeAssistant, moves: Iterable[MqttMove]) -> None:
    entities = mqtt_entities(hass)
    for move in moves:
        if move.entry.entity_id not in entities or move.path not in move.device.decisions:
            raise ValueError(f"{move.entry.entity_id} or its field has gone")


async def _async_release(hass: HomeAssistant, entries: Iterable[er.RegistryEntry]) -> None:
    """Let MQTT remove its entities, which keep their place in the registry.

    Home Assistant doesn't reload an entry for what was disabled in the name of one.
    """
    registry = er.async_get(hass)
    for entry in entries:
        if entry.disabled_by is None:
            registry.async_update_entity(
                entry.entity_id, disabled_by=er.RegistryEntryDisabler.CONFIG_ENTRY
            )
    async with asyncio.timeout(TIMEOUT):
        while any(entry.entity_id in entity_sources(hass) for entry in entries):
            await asyncio.sleep(0.01)


async def _async_remove_ours(
    coordinator: ApplicationCoordinator, moves: Iterable[MqttMove]
) -> None:
    """Remove the entities that the fields have now."""
    removals: Removals = []
    for move in moves:
        async_dispatcher_send(
            coordinator.hass,
            coordinator.signals.removed_fields,
            move.device,
            frozenset([move.path]),
            removals,
        )
    for removal in removals:
        await removal


@callback
def _move(coordinator: ApplicationCoordinator, move: MqttMove) -> None:
    registry, entry = er.async_get(coordinator.hass), move.entry
    ours = registry.async_get_entity_id(entry.domain, DOMAIN, move.unique_id)
    if ours is not None:
        registry.async_remove(ours)
    registry.async_update_entity_platform(
        entry.entity_id,
        DOMAIN,
        new_config_entry_id=coordinator.entry.entry_id,
        new_unique_id=move.unique_id,
        new_device_id=move.device.registry_id,
    )
    _LOGGER.info("%s was taken over from MQTT", entry.entity_id)


@callback
def _move_back(registry: er.EntityRegistry, move: MqttMove) -> None:
    entry = move.entry
    registry.async_update_entity_platform(
        entry.entity_id,
        MQTT,
        new_config_entry_id=entry.config_entry_id or "",
        new_unique_id=entry.unique_id,
        new_device_id=entry.device_id,
    )


@callback
def _enable(registry: er.EntityRegistry, entry: er.RegistryEntry) -> None:
    """Undo what `_async_release` has disabled."""
    now = registry.async_get(entry.entity_id)
    if now is not None and now.disabled_by is not entry.disabled_by:
        registry.async_update_entity(entry.entity_id, disabled_by=entry.disabled_by)
