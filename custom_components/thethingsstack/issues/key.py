"""Issues about the API key, its rights, and the cluster of application and end devices."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_point_in_utc_time, async_track_time_interval
from homeassistant.util import dt as dt_util

from ..application import host_of, is_address_of
from ..client import AuthenticationFailed, StackError
from ..client.rights import INFO, TRAFFIC_DOWN_WRITE
from ..const import DOMAIN
from ..controls import SUBENTRY_CONTROL
from .report import application_name, listed, update_issue

if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry

INTERVAL = timedelta(hours=6)
WARN_BEFORE = timedelta(days=14)
# If the server's clock is slow, a key that has expired by ours is still valid for a while.
EXPIRED_INTERVAL = timedelta(minutes=1)


@callback
def async_watch_key(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Check the key now, four times a day, and at its expiry, while the entry is loaded."""
    KeyWatch(hass, entry).async_start()


class KeyWatch:
    """Checks the API key of an application, and schedules the next check."""

    def __init__(self, hass: HomeAssistant, entry: TtsConfigEntry) -> None:
        """Prepare; makes no request yet."""
        self._hass = hass
        self._entry = entry
        self._cancel_expiry: CALLBACK_TYPE | None = None
        self._stopped = False

    @callback
    def async_start(self) -> None:
        """Check now and regularly, until the entry is unloaded."""
        self._entry.async_on_unload(
            async_track_time_interval(self._hass, self._check_soon, INTERVAL)
        )
        self._entry.async_on_unload(self._stop)
        self._check_soon()

    @callback
    def _check_soon(self, _now: datetime | None = None) -> None:
        self._entry.async_create_background_task(self._hass, self._async_check(), f"{DOMAIN} key")

    async def _async_check(self) -> None:
        self._check_at_expiry(await async_check_key(self._hass, self._entry))

    @callback
    def _check_at_expiry(self, expires_at: datetime | None) -> None:
        if expires_at is None or self._stopped:
            return
        self._cancel_timer()
        now = dt_util.utcnow()
        when = expires_at if expires_at > now else now + EXPIRED_INTERVAL
        self._cancel_expiry = async_track_point_in_utc_time(self._hass, self._check_soon, when)

    @callback
    def _cancel_timer(self) -> None:
        if self._cancel_expiry is not None:
            self._cancel_expiry()
            self._cancel_expiry = None

    @callback
    def _stop(self) -> None:
        self._stopped = True
        self._cancel_timer()


async def async_check_key(hass: HomeAssistant, entry: TtsConfigEntry) -> datetime | None:
    """Read the key and the application from the server, and update the issues about them.

    Returns when the key expires; None if it doesn't, or couldn't be read. Starts
    reauthentication if the key is refused. Issues whose data can't be read stay as they are.
    """
    coordinator = entry.runtime_data
    if not coordinator.connection_state.has_key:
        return None
    try:
        expires_at = (await coordinator.stack.auth_info()).expires_at
        address = None
        if INFO in coordinator.rights:
            address = (await coordinator.stack.application()).application_server_address
    except AuthenticationFailed:
        entry.async_start_reauth(hass)
        return None
    except StackError:
        return None  # a server that can't be reached has an issue of its own
    for key, placeholders in (
        ("key_expires", _expiry(entry, expires_at)),
        ("control_right", _missing_for_controls(entry)),
        ("application_moved", _moved(entry, address)),
        ("devices_elsewhere", _elsewhere(entry)),
    ):
        update_issue(hass, f"{key}_{entry.entry_id}", key, placeholders)
    return expires_at


def _expiry(entry: TtsConfigEntry, expires_at: datetime | None) -> Mapping[str, str] | None:
    if expires_at is None or expires_at - dt_util.utcnow() > WARN_BEFORE:
        return None
    return {
        "application": application_name(entry),
        "date": dt_util.as_local(expires_at).strftime("%Y-%m-%d %H:%M"),
    }


def _missing_for_controls(entry: TtsConfigEntry) -> Mapping[str, str] | None:
    controls = [s for s in entry.subentries.values() if s.subentry_type == SUBENTRY_CONTROL]
    if not controls or TRAFFIC_DOWN_WRITE in entry.runtime_data.rights:
        return None
    return {"application": application_name(entry), "count": str(len(controls))}


def _moved(entry: TtsConfigEntry, address: str | None) -> Mapping[str, str] | None:
    host = entry.runtime_data.stack.connection.server_host
    if is_address_of(entry.data, address, host):
        return None
    return {"chosen": host, "cluster": host_of(address)}


def _elsewhere(entry: TtsConfigEntry) -> Mapping[str, str] | None:
    """Return issue placeholders for end devices of another cluster, which send nothing here."""
    coordinator = entry.runtime_data
    host = coordinator.stack.connection.server_host
    found: dict[str, str] = {}
    for device in coordinator.roster.states.values():
        registered = device.end_device
        address = registered.application_server_address if registered else None
        if not is_address_of(entry.data, address, host):
            found[device.name] = host_of(address)
    if not found:
        return None
    return {
        "application": application_name(entry),
        "chosen": host,
        "devices": listed([f"{name}: {found[name]}" for name in sorted(found)]),
    }
