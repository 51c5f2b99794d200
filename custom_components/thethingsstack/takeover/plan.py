"""What of another integration can be taken over: entity by entity."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntry

from ..end_devices import EndDeviceState, field_unique_id
from .sources import OldEntity, is_own, is_split, old_entities, path_of

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator


@dataclass(frozen=True, slots=True)
class Move:
    """An entity of another integration, and the field whose entity it becomes."""

    old: OldEntity
    device: EndDeviceState
    path: str

    @property
    def unique_id(self) -> str:
        """Return the unique ID that it gets."""
        return field_unique_id(self.device, self.path)


@dataclass(slots=True)
class Plan:
    """What becomes of each entity of another integration's entry."""

    moves: list[Move] = field(default_factory=list)
    other_kind: list[Move] = field(default_factory=list)
    """Their field is of another kind here, such as a binary sensor, or is not shown."""
    waiting: list[OldEntity] = field(default_factory=list)
    """Their field has not been received here yet."""
    unknown: list[OldEntity] = field(default_factory=list)
    """Their end device is not here, their field is split here, or they show no field."""


def plan_of(coordinator: ApplicationCoordinator, entry: ConfigEntry) -> Plan:
    """Return what can be taken over from an entry of another integration."""
    plan, taken = Plan(), set[str]()
    for old in old_entities(coordinator.hass, entry):
        device = coordinator.roster.by_device_id(old.device_id)
        if device is None:
            plan.unknown.append(old)
            continue
        move = move_of(device, old)
        if move is None:
            never = is_own(old) or is_split(old.field, device.decisions)
            (plan.unknown if never else plan.waiting).append(old)
        elif move.unique_id in taken or old.entry.domain != device.decisions[move.path].kind:
            plan.other_kind.append(move)
        else:
            taken.add(move.unique_id)
            plan.moves.append(move)
    return plan


def move_of(device: EndDeviceState, old: OldEntity) -> Move | None:
    """Return where an entity goes; None while its field is unknown."""
    versions = device.version_ids
    path = path_of(old.field, device.decisions, versions.brand_id if versions else None)
    return None if path is None else Move(old, device, path)


def described(moves: Sequence[Move]) -> list[tuple[str, str]]:
    """Return for each entity its ID and the field that it becomes, in words."""
    return [(move.old.entry.entity_id, f"{move.device.name}: {move.path}") for move in moves]
