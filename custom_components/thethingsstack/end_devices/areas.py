"""The area of an end device in Home Assistant, and the attribute that suggests it."""

from collections.abc import Mapping

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr

from ..const import AREA_ATTRIBUTES


def area_from_attributes(attributes: Mapping[str, str]) -> str | None:
    """Return the name of the area in an end device's attributes; None without one."""
    names = (attributes.get(name, "").strip() for name in AREA_ATTRIBUTES)
    return next(filter(None, names), None)


@callback
def area_of(hass: HomeAssistant, registry_id: str | None) -> str | None:
    """Return the name of the area where a device is in Home Assistant."""
    device = dr.async_get(hass).async_get(registry_id) if registry_id is not None else None
    if device is None or device.area_id is None:
        return None
    area = ar.async_get(hass).async_get_area(device.area_id)
    return None if area is None else area.name


@callback
def move(hass: HomeAssistant, registry_id: str, name: str) -> None:
    """Move a device into the area of this name; creates the area if needed."""
    area = ar.async_get(hass).async_get_or_create(name)
    dr.async_get(hass).async_update_device(registry_id, area_id=area.id)


@callback
def follow(hass: HomeAssistant, device: dr.DeviceEntry, before: str | None, now: str) -> None:
    """Move a device when its area attribute changed, unless the user moved it elsewhere."""
    if now == before:
        return
    if before is None:
        untouched = device.area_id is None
    else:
        area = ar.async_get(hass).async_get_area_by_name(before)
        untouched = area is not None and device.area_id == area.id
    if untouched:
        move(hass, device.id, now)
