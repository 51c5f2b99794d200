"""What moves in Home Assistant's registries when an entity of another integration becomes ours."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import DOMAIN


@callback
def make_ours(
    hass: HomeAssistant,
    entry: ConfigEntry,
    item: er.RegistryEntry,
    unique_id: str,
    device_id: str | None,
) -> None:
    """Give an entity to our entry and device; one of ours with its new unique ID is removed first.

    Raises ValueError where Home Assistant refuses it, such as for an entity that is loaded.
    """
    registry = er.async_get(hass)
    ours = registry.async_get_entity_id(item.domain, DOMAIN, unique_id)
    if ours is not None:
        registry.async_remove(ours)
    registry.async_update_entity_platform(
        item.entity_id,
        DOMAIN,
        new_config_entry_id=entry.entry_id,
        new_unique_id=unique_id,
        new_device_id=device_id,
    )


@callback
def give_back(hass: HomeAssistant, before: er.RegistryEntry) -> None:
    """Undo `make_ours`: `before` is the entity's entry as it was."""
    er.async_get(hass).async_update_entity_platform(
        before.entity_id,
        before.platform,
        new_config_entry_id=before.config_entry_id or "",
        new_unique_id=before.unique_id,
        new_device_id=before.device_id,
    )


@callback
def follow_device(hass: HomeAssistant, old_id: str | None, new_id: str | None) -> None:
    """Give our device the user's name, area and labels of the other one, if it has none."""
    devices = dr.async_get(hass)
    old, new = devices.async_get(old_id or ""), devices.async_get(new_id or "")
    if old is None or new is None:
        return
    changes: dict[str, Any] = {}
    if new.name_by_user is None and old.name_by_user is not None:
        changes["name_by_user"] = old.name_by_user
    if new.area_id is None and old.area_id is not None:
        changes["area_id"] = old.area_id
    if old.labels - new.labels:
        changes["labels"] = new.labels | old.labels
    if changes:
        devices.async_update_device(new.id, **changes)
