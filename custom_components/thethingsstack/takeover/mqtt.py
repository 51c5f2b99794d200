"""Entities of Home Assistant's integration MQTT become ours, as the user chooses field by field."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
import logging
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity_platform import async_get_platforms
from homeassistant.util import slugify

from ..end_devices import (
    EndDeviceState,
    async_add_field_entities,
    async_remove_field_entities,
    field_unique_id,
)
from ..payload import Kind
from .registries import follow_device, give_back, make_ours

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
        return field_unique_id(self.device, self.path)


def mqtt_entities(hass: HomeAssistant) -> dict[str, er.RegistryEntry]:
    """Return the entities of MQTT that may show a field, by entity ID."""
    registry = er.async_get(hass)
    return {
        entry.entity_id: entry
        for mqtt in hass.config_entries.async_entries(MQTT)
        for entry in er.async_entries_for_config_entry(registry, mqtt.entry_id)
        if entry.domain in KINDS
        and entry.config_subentry_id is None  # made in a dialogue: it would come back from there
    }


def possible_moves(coordinator: ApplicationCoordinator, entry: er.RegistryEntry) -> list[MqttMove]:
    """Return what an entity may become: fields that were received, of its kind."""
    return [
        MqttMove(entry, device, path)
        for device in sorted(coordinator.roster.states.values(), key=lambda one: one.name)
        for path, meaning in device.decisions.items()
        if meaning.kind == entry.domain and not meaning.expected
    ]


def likely_move(
    hass: HomeAssistant, possible: Sequence[MqttMove], chosen: Iterable[MqttMove]
) -> MqttMove | None:
    """Return the move to a field whose name, and that of its end device, the entity's names have.

    `possible` are those of one entity, `chosen` those of others: entities of one device of MQTT
    are fields of one end device. None if there is no such field, or if there are several.
    """
    entry = possible[0].entry
    mqtt_device = dr.async_get(hass).async_get(entry.device_id or "")
    names = [entry.unique_id, entry.entity_id, entry.original_name, entry.name]
    if mqtt_device is not None:
        names += [mqtt_device.name, *(identifier for _, identifier in mqtt_device.identifiers)]
    named = " ".join(_comparable(name) for name in names if name)
    known = {move.device.key for move in chosen if move.entry.device_id == entry.device_id}
    fitting: dict[int, list[MqttMove]] = {}
    for move in possible:
        device, field = move.device, _comparable(move.path)
        of_device = filter(None, (device.device_id, device.ids.dev_eui, device.name))
        if field in named and (
            device.key in known or any(_comparable(name) in named for name in of_device)
        ):
            fitting.setdefault(len(field), []).append(move)
    best = fitting[max(fitting)] if fitting else []
    return best[0] if len(best) == 1 else None


def _comparable(name: str) -> str:
    return slugify(name, separator="")


async def async_move(coordinator: ApplicationCoordinator, moves: Sequence[MqttMove]) -> None:
    """Make these entities ours; nothing at the broker changes.

    If anything fails, all is as before, and the exception is raised: ValueError if an entity or a
    field has gone, if MQTT has added the entity again meanwhile or Home Assistant refuses it.
    """
    hass = coordinator.hass
    async with coordinator.fields.changing:
        _check(hass, moves)
        moved: list[MqttMove] = []
        try:
            await _async_remove_of_mqtt(hass, [move.entry.entity_id for move in moves])
            try:
                for move in moves:
                    await async_remove_field_entities(coordinator, move.device, [move.path])
                for move in moves:
                    make_ours(
                        hass, coordinator.entry, move.entry, move.unique_id, move.device.registry_id
                    )
                    moved.append(move)
                    _LOGGER.info("%s was taken over from MQTT", move.entry.entity_id)
            except BaseException:
                for move in moved:
                    give_back(hass, move.entry)
                raise
            finally:
                for device, path in ((move.device, move.path) for move in moves):
                    if (meaning := device.decisions.get(path)) is not None:
                        async_add_field_entities(coordinator, device, {path: meaning})
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
