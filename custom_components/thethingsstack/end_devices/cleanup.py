"""Clean-up for end devices removed by the user or after the grace period."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from ..const import CONF_FORGET_AFTER, DEFAULT_FORGET_AFTER, DOMAIN
from ..webhook import forget_downlink_address
from .state import EndDeviceState

if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry

INTERVAL = timedelta(hours=6)


@callback
def async_watch_vanished(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Remove end devices that stay unregistered longer than the options allow."""

    @callback
    def look(_now: datetime | None = None) -> None:
        forget_vanished(hass, entry)

    entry.async_on_unload(async_track_time_interval(hass, look, INTERVAL))
    look()


@callback
def forget_vanished(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Note when end devices became unregistered; remove those past the grace period."""
    coordinator = entry.runtime_data
    days = entry.options.get(CONF_FORGET_AFTER, DEFAULT_FORGET_AFTER)
    since = coordinator.store.vanished
    now = dt_util.utcnow()
    for device in list(coordinator.roster.states.values()):
        if not device.vanished:
            if since.pop(device.key, None) is not None:
                coordinator.store.save_soon()
            continue
        if device.key not in since:
            since[device.key] = now
            coordinator.store.save_soon()
        if days and now - since[device.key] >= timedelta(days=days):
            forget(hass, entry, device)
            coordinator.roster.remove(device)


@callback
def forget(hass: HomeAssistant, entry: TtsConfigEntry, device: EndDeviceState) -> None:
    """Delete decisions, downlinks, their key, formatter and controls of an end device that is removed."""
    coordinator = entry.runtime_data
    coordinator.store.forget_device(device.key)
    coordinator.fields.forget(device.key)
    coordinator.downlinks.forget_device(device.device_id)
    forget_downlink_address(hass, entry, device.device_id)
    coordinator.formatter_texts.forget(device.device_id)
    if device.registry_id is not None:
        registered = dr.async_get(hass).async_get(device.registry_id)
        if registered is not None:
            remove_controls(hass, entry, registered)


@callback
def remove_controls(hass: HomeAssistant, entry: TtsConfigEntry, device: dr.AnyDeviceEntry) -> None:
    """Remove the controls of an end device; Home Assistant doesn't do it by itself."""
    keys = {key for domain, key in device.identifiers if domain == DOMAIN}
    for subentry in list(entry.subentries.values()):
        if subentry.data.get("device") in keys:
            hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
