"""The entities of an end device's fields: their entries in the registry, adding and removing."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_send

from ..application import Removals
from ..const import DOMAIN
from ..payload import Kind, Meaning
from .listeners import field_key
from .state import EndDeviceState

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator


def field_unique_id(device: EndDeviceState, path: str) -> str:
    """Return the unique ID of the entity that shows a field."""
    return f"{device.key}/{field_key(path)}"


@callback
def field_entry(hass: HomeAssistant, device: EndDeviceState, path: str) -> er.RegistryEntry | None:
    """Return the registry's entry of the entity that shows a field; None if none does."""
    meaning = device.decisions.get(path)
    if meaning is None or meaning.kind is Kind.IGNORE:
        return None
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(meaning.kind, DOMAIN, field_unique_id(device, path))
    return None if entity_id is None else registry.async_get(entity_id)


@callback
def async_add_field_entities(
    coordinator: ApplicationCoordinator, device: EndDeviceState, fields: dict[str, Meaning]
) -> None:
    """Let the platforms add the entities of these fields, unless the entry was unloaded meanwhile."""
    if not coordinator.stopped:  # set up again, it has added them itself
        async_dispatcher_send(coordinator.hass, coordinator.signals.new_fields, device, fields)


async def async_remove_field_entities(
    coordinator: ApplicationCoordinator, device: EndDeviceState, paths: Iterable[str]
) -> None:
    """Remove the entities of these fields, whatever their platform; the registry keeps them."""
    removals: Removals = []
    async_dispatcher_send(
        coordinator.hass, coordinator.signals.removed_fields, device, frozenset(paths), removals
    )
    for removal in removals:
        await removal
