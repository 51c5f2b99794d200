"""Whether an end device is overdue: silent for longer than it ever is, or than the user allows."""

from collections.abc import Callable
from datetime import datetime, timedelta

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from ..const import CONF_OVERDUE_AFTER, CONF_OVERDUE_UNAVAILABLE
from .activity import Activity, async_report_occurrence
from .interval import MARGIN
from .listeners import STATUS
from .roster import EndDeviceRoster
from .state import EndDeviceState
from .status import Status

INTERVAL = timedelta(minutes=1)
UNTIL_LEARNED = timedelta(hours=25)
"""An end device is overdue after this silence until it is known how often it sends."""


class OverdueWatch:
    """Updates each end device's status; the triggers learn when it is overdue or sends again."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, roster: EndDeviceRoster) -> None:
        """Keep what the checks need; checks nothing yet."""
        self._hass = hass
        self._entry = entry
        self._roster = roster
        self.hides_values = False
        """Whether the options make the fields of overdue end devices unavailable."""
        self._read_options()

    def _read_options(self) -> None:
        self.hides_values = self._entry.options.get(CONF_OVERDUE_UNAVAILABLE, False)

    @callback
    def async_apply_options(self) -> None:
        """Check by changed options."""
        self._read_options()
        self.look()

    def overdue_after(self, device: EndDeviceState) -> timedelta:
        """Return after which silence an end device is overdue.

        First counts its attribute in The Things Stack, then the application's option, then what was
        learned.
        """
        number = device.overdue_number
        if number is not None and number.after is not None:
            return number.after
        hours = self._entry.options.get(CONF_OVERDUE_AFTER)
        if hours is not None:
            return timedelta(hours=hours)
        return device.uplinks.interval.overdue_after or UNTIL_LEARNED

    def is_overdue(self, device: EndDeviceState) -> bool:
        """Return whether an end device's last uplink is too old; False without any uplink."""
        last_seen = device.last_seen
        if last_seen is None:
            return False
        silence = dt_util.utcnow() - last_seen
        if silence <= MARGIN and device.overdue_number is None:
            return False  # right after each uplink: all but an attribute allow so much
        return silence > self.overdue_after(device)

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
            self.update(device, context)

    @callback
    def update(self, device: EndDeviceState, context: Context) -> None:
        """Update the status of an end device, and signal that it became overdue.

        No signal if it was overdue at the start.
        """
        before = device.overdue
        device.overdue = self.status_of(device) is Status.OVERDUE
        if device.overdue is not before and self.hides_values:
            device.refresh()
        else:
            device.write([STATUS], context)
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
        before, device.overdue = device.overdue, False
        if before is not False and self.hides_values:
            device.refresh()
        if before:
            async_report_occurrence(
                self._hass, device.registry_id, "heard_again", activity, context
            )
