"""Whether an end device is overdue: silent for longer than the options allow."""

from collections.abc import Callable
from datetime import datetime, timedelta

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from ..const import CONF_OVERDUE_AFTER, DEFAULT_OVERDUE_AFTER
from .activity import Activity, async_report_occurrence
from .roster import EndDeviceRoster
from .state import STATUS, EndDeviceState, Status

INTERVAL = timedelta(minutes=1)


class OverdueWatch:
    """Updates each end device's status; the triggers learn when it is overdue or sends again."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, roster: EndDeviceRoster) -> None:
        """Keep what the checks need; checks nothing yet."""
        self._hass = hass
        self._entry = entry
        self._roster = roster

    @property
    def overdue_after(self) -> timedelta:
        """Return how long after its last uplink an end device is overdue."""
        hours = self._entry.options.get(CONF_OVERDUE_AFTER, DEFAULT_OVERDUE_AFTER)
        return timedelta(hours=hours)

    def is_overdue(self, device: EndDeviceState) -> bool:
        """Return whether an end device's last uplink is too old; False without any uplink."""
        last_seen = device.last_seen
        return last_seen is not None and dt_util.utcnow() - last_seen > self.overdue_after

    def status_of(self, device: EndDeviceState) -> Status:
        """Return the current status of an end device."""
        return device.status(overdue=self.is_overdue(device))

    @callback
    def async_start(self) -> None:
        """Check every minute until the entry is unloaded."""
        self._entry.async_on_unload(async_track_time_interval(self._hass, self.look, INTERVAL))

    @callback
    def look(self, _now: datetime | None = None) -> None:
        """Update the status of each end device."""
        context = Context()
        for device in self._roster.states.values():
            device.write([STATUS], context)
            self._notice_overdue(device, context)

    def _notice_overdue(self, device: EndDeviceState, context: Context) -> None:
        """Signal that an end device became overdue; not if it was overdue at the start."""
        before = device.overdue
        device.overdue = self.status_of(device) is Status.OVERDUE
        if device.overdue and before is False:
            silent_since = device.last_seen.isoformat() if device.last_seen else None
            activity = Activity("overdue", {"last_seen": silent_since})
            async_report_occurrence(
                self._hass, device.registry_id, "overdue", lambda: activity, context
            )

    @callback
    def on_uplink(
        self, device: EndDeviceState, activity: Callable[[], Activity], context: Context
    ) -> None:
        """Signal to the triggers that an end device sends again, if it was overdue."""
        if device.overdue:
            device.overdue = False
            async_report_occurrence(
                self._hass, device.registry_id, "heard_again", activity, context
            )
