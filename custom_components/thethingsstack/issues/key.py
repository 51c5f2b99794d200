"""Repair issues about the key, its rights, and where application and end devices live."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from ..application.client_factory import host_of, same_place
from ..client import AuthenticationFailed, StackError
from ..client.rights import INFO, TRAFFIC_DOWN_WRITE
from ..const import DOMAIN
from ..controls.model import SUBENTRY_CONTROL
from ..coordinator import TtsConfigEntry
from .report import application_name, raise_issue

INTERVAL = timedelta(hours=6)
WARN_BEFORE = timedelta(days=14)
LISTED_DEVICES = 10


@callback
def async_watch_key(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Look now and four times a day, for as long as the entry runs."""

    @callback
    def look(_now: datetime | None = None) -> None:
        entry.async_create_background_task(hass, async_look(hass, entry), f"{DOMAIN} key")

    entry.async_on_unload(async_track_time_interval(hass, look, INTERVAL))
    look()


async def async_look(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Ask for the key and the application; what can't be asked stays as it was told."""
    coordinator = entry.runtime_data
    try:
        expires_at = (await coordinator.stack.auth_info()).expires_at
        address = None
        if INFO in coordinator.rights:
            address = (await coordinator.stack.application()).application_server_address
    except AuthenticationFailed:
        entry.async_start_reauth(hass)
        return
    except StackError:
        return  # the stream's own loss tells of a server that is gone
    raise_issue(hass, f"key_expires_{entry.entry_id}", "key_expires", _expiry(entry, expires_at))
    raise_issue(
        hass, f"control_right_{entry.entry_id}", "control_right", _missing_for_controls(entry)
    )
    raise_issue(
        hass, f"application_moved_{entry.entry_id}", "application_moved", _moved(entry, address)
    )
    raise_issue(hass, f"devices_elsewhere_{entry.entry_id}", "devices_elsewhere", _elsewhere(entry))


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
    if same_place(entry.data, address, host):
        return None
    return {"chosen": host, "cluster": host_of(address)}


def _elsewhere(entry: TtsConfigEntry) -> Mapping[str, str] | None:
    """Return the end devices that another cluster serves: their messages never come here."""
    coordinator = entry.runtime_data
    host = coordinator.stack.connection.server_host
    found: dict[str, str] = {}
    for device in coordinator.roster.states.values():
        registered = device.end_device
        address = registered.application_server_address if registered else None
        if not same_place(entry.data, address, host):
            found[device.name] = host_of(address)
    if not found:
        return None
    return {
        "application": application_name(entry),
        "chosen": host,
        "devices": listed([f"{name}: {found[name]}" for name in sorted(found)]),
    }


def listed(devices: Sequence[str]) -> str:
    """Return the first end devices as a Markdown list, and how many there are if not all."""
    lines = [f"- {device}" for device in devices[:LISTED_DEVICES]]
    if len(devices) > LISTED_DEVICES:
        lines.append(f"- … ({len(devices)})")
    return "\n".join(lines)
