"""Changes of the options by which single end devices are left out of Home Assistant, or taken in."""

from collections.abc import Mapping
from typing import Any

from ..const import (
    CONF_CHOSEN_DEVICES,
    CONF_DEVICES,
    CONF_LEFT_OUT_DEVICES,
    DEFAULT_DEVICES,
    DEVICES_ALL,
    DEVICES_ALL_BUT,
    DEVICES_CHOSEN,
)


def leaving_out(options: Mapping[str, Any], device_id: str) -> dict[str, Any]:
    """Return the options with which this end device isn't in Home Assistant."""
    choice = options.get(CONF_DEVICES, DEFAULT_DEVICES)
    if choice == DEVICES_CHOSEN:
        chosen = [other for other in options.get(CONF_CHOSEN_DEVICES, ()) if other != device_id]
        return {**options, CONF_CHOSEN_DEVICES: chosen}
    if choice == DEVICES_ALL:
        return {**options, CONF_DEVICES: DEVICES_ALL_BUT, CONF_LEFT_OUT_DEVICES: [device_id]}
    left_out = dict.fromkeys((*options.get(CONF_LEFT_OUT_DEVICES, ()), device_id))
    return {**options, CONF_LEFT_OUT_DEVICES: list(left_out)}


def taking_in(options: Mapping[str, Any], device_id: str) -> dict[str, Any]:
    """Return the options with which this end device is in Home Assistant, by its ID at least."""
    taken = dict(options)
    if device_id in (left_out := options.get(CONF_LEFT_OUT_DEVICES, ())):
        taken[CONF_LEFT_OUT_DEVICES] = [other for other in left_out if other != device_id]
    chosen = options.get(CONF_CHOSEN_DEVICES, ())
    if options.get(CONF_DEVICES) == DEVICES_CHOSEN and device_id not in chosen:
        taken[CONF_CHOSEN_DEVICES] = [*chosen, device_id]
    return taken
