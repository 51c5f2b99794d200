"""What the user made of another integration's device, for ours."""

from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr


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
