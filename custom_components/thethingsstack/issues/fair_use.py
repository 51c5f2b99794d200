"""Issues about end devices that come near the limits of The Things Network's fair use policy."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from ..client import NETWORKS
from ..const import CONF_NETWORK
from ..end_devices import AIRTIME_LIMIT, DOWNLINK_LIMIT, WARN_FROM
from .report import application_name, listed, update_issue

if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry

INTERVAL = timedelta(minutes=5)
NETWORK_DOMAIN = ".cloud.thethings.network"


@callback
def async_watch_fair_use(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Warn of end devices near a limit while the entry is loaded; on The Things Network only."""
    coordinator = entry.runtime_data
    host = coordinator.stack.connection.server_host
    if entry.data[CONF_NETWORK] not in NETWORKS and not host.endswith(NETWORK_DOMAIN):
        return

    @callback
    def update_downlinks() -> None:
        used = (
            (device.name, coordinator.downlinks.standing_of(device).in_24_hours)
            for device in coordinator.roster.states.values()
        )
        near = [f"{name}: {count}" for name, count in used if _near(count, DOWNLINK_LIMIT)]
        _update(hass, entry, "downlink_limit", near, DOWNLINK_LIMIT)

    @callback
    def update_airtime(_now: datetime | None = None) -> None:
        now = dt_util.utcnow()
        used = (
            (device.name, device.uplinks.airtime.in_24_hours(now))
            for device in coordinator.roster.states.values()
        )
        near = [
            f"{name}: {seconds:.0f} s" for name, seconds in used if _near(seconds, AIRTIME_LIMIT)
        ]
        _update(hass, entry, "airtime_limit", near, AIRTIME_LIMIT)

    changed = coordinator.signals.downlink_count_changed
    entry.async_on_unload(async_dispatcher_connect(hass, changed, update_downlinks))
    entry.async_on_unload(async_track_time_interval(hass, update_airtime, INTERVAL))
    update_downlinks()
    update_airtime()


def _near(used: float, limit: int) -> bool:
    return used >= WARN_FROM * limit


@callback
def _update(
    hass: HomeAssistant, entry: TtsConfigEntry, key: str, devices: Collection[str], limit: int
) -> None:
    placeholders = {
        "application": application_name(entry),
        "devices": listed(sorted(devices)),
        "limit": str(limit),
    }
    update_issue(hass, f"{key}_{entry.entry_id}", key, placeholders if devices else None)
