"""The rows of the panel's table of end devices: what is known of each, of all applications."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er

from ..client import UplinkMessage
from ..const import DOMAIN
from ..end_devices import EndDeviceState, Status
from .applications import loaded_entries, shown_entries

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

type Row = dict[str, Any]

PROBLEMS_FIRST = (
    Status.OVERDUE,
    Status.NOT_DECODED,
    Status.HALF_CREATED,
    Status.NEVER_JOINED,
    Status.NOT_REGISTERED,
    Status.WAITING_FOR_FIRST_UPLINK,
    Status.WAITING_FOR_NEXT_UPLINK,
    Status.ACTIVE,
)
"""What needs a look comes first: of that, what has worked before."""
_BATTERY = "battery"


class Fleet:
    """The rows of all end devices, and which of them changed since they were read last."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Start with no rows, so that all are changes."""
        self._hass = hass
        self._applications: list[Row] = []
        self._rows: dict[str, Row] = {}
        self._radio: dict[str, tuple[UplinkMessage | None, Row]] = {}

    @callback
    def changes(self) -> Row:
        """Return what changed since the last call; empty if nothing did.

        `applications` are all of them if any changed, `devices` the rows that are new or changed,
        `removed` the IDs of those that are gone.
        """
        changes: Row = {}
        applications = application_rows(self._hass)
        if applications != self._applications:
            self._applications = changes["applications"] = applications
        before, self._rows = self._rows, self._read()
        if changed := [row for key, row in self._rows.items() if before.get(key) != row]:
            changes["devices"] = changed
        if removed := [key for key in before if key not in self._rows]:
            changes["removed"] = removed
        return changes

    def _read(self) -> dict[str, Row]:
        rows: dict[str, Row] = {}
        radio: dict[str, tuple[UplinkMessage | None, Row]] = {}
        for application, device, entry in end_devices(self._hass):
            known = self._radio.get(entry.id)
            if known is None or known[0] is not device.last_uplink:
                known = (device.last_uplink, radio_of(device.last_uplink))
            radio[entry.id] = known
            rows[entry.id] = {**row_of(self._hass, application, device, entry), **known[1]}
        self._radio = radio
        return rows


def end_devices(
    hass: HomeAssistant,
) -> Iterator[tuple[ApplicationCoordinator, EndDeviceState, dr.DeviceEntry]]:
    """Yield the end devices of the applications that the panel shows.

    Those that are disabled in Home Assistant are left out.
    """
    registry = dr.async_get(hass)
    for entry in loaded_entries(hass):
        application: ApplicationCoordinator = entry.runtime_data
        for device in application.roster.states.values():
            registered = registry.async_get(device.registry_id or "")
            if isinstance(registered, dr.DeviceEntry) and not registered.disabled:
                yield application, device, registered


def application_rows(hass: HomeAssistant) -> list[Row]:
    """Return the applications: their entries' IDs and titles, and whether messages come now."""
    return [
        {
            "entry_id": entry.entry_id,
            "title": entry.title,
            "connected": entry.state is ConfigEntryState.LOADED
            and entry.runtime_data.connection_state.connected,
        }
        for entry in shown_entries(hass)
    ]


def row_of(
    hass: HomeAssistant,
    application: ApplicationCoordinator,
    device: EndDeviceState,
    registered: dr.DeviceEntry,
) -> Row:
    """Return what is known of an end device besides its radio: docs/panel.md lists it all.

    Times are seconds since 1970, silences are seconds.
    """
    watch = application.overdue_watch
    status, after = watch.status_of(device), watch.overdue_after(device)
    area = ar.async_get(hass).async_get_area(registered.area_id) if registered.area_id else None
    return {
        "id": registered.id,
        "entry_id": application.entry.entry_id,
        "device_id": device.device_id,
        "name": registered.name_by_user or registered.name or device.name,
        "area": None if area is None else area.name,
        "model": registered.model,
        "status": status.value,
        "severity": PROBLEMS_FIRST.index(status),
        "since": _seconds(overdue_since(device, after)) if status is Status.OVERDUE else None,
        "last_seen": _seconds(device.last_seen),
        "interval": device.uplinks.interval.seconds,
        "overdue_after": None if after == timedelta.max else after.total_seconds(),
        "undecoded": device.undecoded,
        "battery": battery_of(hass, device),
        "downlinks": waiting_downlinks(application, device),
    }


def radio_of(uplink: UplinkMessage | None) -> Row:
    """Return how the last uplink was received: RSSI in dBm, SNR in dB, packet loss in per cent.

    What was not reported is None.
    """
    best = None if uplink is None else uplink.best_reception
    data_rate = None if uplink is None else uplink.data_rate
    loss = None if uplink is None else uplink.packet_error_rate
    return {
        "rssi": None if best is None else best.rssi,
        "snr": None if best is None else best.snr,
        "spreading_factor": None if data_rate is None else data_rate.spreading_factor,
        "data_rate": None if data_rate is None else data_rate.name,
        "packet_loss": None if loss is None else round(loss * 100, 1),
        "gateways": None if uplink is None else len(uplink.receptions_by_gateway),
    }


def overdue_since(device: EndDeviceState, after: timedelta) -> datetime | None:
    """Return since when the end device is overdue, by the silence that is allowed."""
    return None if device.last_seen is None else device.last_seen + after


def battery_of(hass: HomeAssistant, device: EndDeviceState) -> float | None:
    """Return the battery level in per cent: the payload's, else what the network was told.

    After a restart, that of its entity until it is reported again.
    """
    for path, meaning in device.decisions.items():
        value = device.values.get(path) if meaning.is_battery else None
        if isinstance(value, int | float):
            return value
    if device.last_battery is not None:
        return device.last_battery.value
    entity_id = er.async_get(hass).async_get_entity_id(
        Platform.SENSOR, DOMAIN, f"{device.key}/{_BATTERY}"
    )
    state = None if entity_id is None else hass.states.get(entity_id)
    return _number(None if state is None else state.state)


def waiting_downlinks(application: ApplicationCoordinator, device: EndDeviceState) -> int:
    """Return how many downlinks wait: the length of the queue, or what is known of it."""
    queue = application.downlinks.standing_of(device).queue
    if queue is not None:
        return queue
    return sum(record.waiting for record in application.downlinks.records_of(device))


def find(hass: HomeAssistant, ids: set[str]) -> Mapping[str, EndDeviceState]:
    """Return end devices by their IDs in the device registry, those that there are."""
    return {
        registered.id: device for _, device, registered in end_devices(hass) if registered.id in ids
    }


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else round(moment.timestamp(), 1)


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
