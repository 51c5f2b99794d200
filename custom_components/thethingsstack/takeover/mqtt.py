"""Entities of Home Assistant's integration MQTT become ours, as the user chooses field by field."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
import logging
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.entity_platform import async_get_platforms
from homeassistant.util import slugify

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


def likely_field(
    hass: HomeAssistant,
    entry: er.RegistryEntry,
    fields: Iterable[tuple[EndDeviceState, str]],
    moves: Iterable[MqttMove],
) -> tuple[EndDeviceState, str] | None:
    """Return the field whose name, and that of its end device, are found in what names an entity.

    None if there is no such field, or if there are several. `moves` are those that were chosen
    already: entities of one device of MQTT are fields of one end device.
    """
    mqtt_device = dr.async_get(hass).async_get(entry.device_id or "")
    names = [entry.unique_id, entry.entity_id, entry.original_name, entry.name]
    if mqtt_device is not None:
        names += [mqtt_device.name, *(identifier for _, identifier in mqtt_device.identifiers)]
    named = " ".join(_comparable(name) for name in names if name)
    chosen = {move.device.key for move in moves if move.entry.device_id == entry.device_id}
    fitting: dict[int, list[tuple[EndDeviceState, str]]] = {}
    for device, path in fields:
        of_device = (device.device_id, device.ids.dev_eui, device.name)
        known = device.key in chosen or any(
            _comparable(name) in named for name in of_device if name
        )
        if known and (field := _comparable(path)) in named:
            fitting.setdefault(len(field), []).append((device, path))
    best = fitting[max(fitting)] if fitting else []
    return best[0] if len(best) == 1 else None


def _comparable(name: str) -> str:
    return slugify(name, separator="")


async def async_move(coordinator: ApplicationCoordinator, moves: Sequence[MqttMove]) -> None:
    """Make these entities ours; nothing at the broker changes.

    If anything fails, all is as before, and the exception is raised: ValueError if an entity or a
    field has gone, if MQTT has added the entity again meanwhile or Home Assistant refuses it.
    """
    hass, registry = coordinator.hass, er.async_get(coordinator.hass)
    async with coordinator.fields.changing:
        _check(hass, moves)
        moved: list[MqttMove] = []
        try:
            await _async_remove_of_mqtt(hass, [move.entry.entity_id for move in moves])
            try:
                await _async_remove_ours(coordinator, moves)
                for move in moves:
                    _move(coordinator, move)
                    moved.append(move)
            except BaseException:
                for move in moved:
                    _move_back(registry, move)
                raise
            finally:
                for device, path in ((move.device, move.path) for move in moves):
                    if (meaning := device.decisions.get(path)) is not None:
                        async_dispatcher_send(
                            hass, coordinator.signals.new_fields, device, {path: meaning}
                        )
        except BaseException:
            for entry_id in {move.entry.config_entry_id for move in moves} - {None}:
                hass.config_entries.async_schedule_reload(str(entry_id))  # which adds them again
            raise
    for move in moves:
        follow_device(hass, move.entry.device_id, move.device.registry_id)


def _check(hass: HomeAssistant, moves: Iterable[MqttMove]) -> None:
    entities = mqtt_entities(hass)
    for move in moves:
        if move.entry.entity_id not in entities or move.path not in move.device.decisions:
            raise ValueError(f"{move.entry.entity_id} or its field has gone")


async def _async_remove_of_mqtt(hass: HomeAssistant, entity_ids: Iterable[str]) -> None:
    """Let MQTT end its entities, which keep their place in the registry."""
    for platform in async_get_platforms(hass, MQTT):
        for entity_id in entity_ids:
            if entity_id in platform.entities:
                await platform.async_remove_entity(entity_id)


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
