"""The latest downlinks of each end device, kept over restarts."""

from collections import deque
from collections.abc import Container, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..application import UNREADABLE, StoredData
from ..const import DOMAIN
from .record import SERVER_TAG, DownlinkRecord, DownlinkState

VERSION = 1
SAVE_DELAY = 10
REMEMBERED_DOWNLINKS = 20
FAIR_USE_WINDOW = timedelta(hours=24)


class DownlinkLedger(StoredData):
    """The tracked downlinks by correlation ID; the latest of each device survive a restart.

    Payloads are not stored: they may be secret.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Prepare the store of one config entry."""
        super().__init__(hass, f"{DOMAIN}.{entry_id}.downlinks", VERSION, delay=SAVE_DELAY)
        self._of_device: dict[str, deque[DownlinkRecord]] = {}
        self._by_name: dict[str, DownlinkRecord] = {}
        self._transmitted: dict[str, deque[datetime]] = {}
        self.intervals_of_0_1: Mapping[str, float] = {}
        """Learned intervals in a file of version 0.1; later they are in the application's store."""

    async def async_load(self, title: str) -> None:
        """Read the stored downlinks; unreadable ones are set aside and raise a repair issue."""
        file = self._file
        if await file.async_load():
            items: list[Any] = file.read("downlinks", _list, [])
            for number, stored in enumerate(items):
                try:
                    self.add(DownlinkRecord.from_dict(stored))
                except UNREADABLE as err:
                    file.note_unreadable(f"downlinks {number}", err)
            self._transmitted = file.read_items(
                "transmitted", lambda _, moments: deque(map(_moment, _list(moments)))
            )
            self.intervals_of_0_1 = file.read_items(
                "intervals", lambda _, seconds: _seconds(seconds)
            )
        await file.async_end_reading(title)

    @property
    def device_ids(self) -> Iterable[str]:
        """Return the end devices that ever had a downlink, not counting refused ones."""
        return [
            device_id
            for device_id, records in self._of_device.items()
            if any(record.announced for record in records)
        ]

    def of(self, device_id: str) -> list[DownlinkRecord]:
        """Return an end device's downlinks, oldest first."""
        return list(self._of_device.get(device_id, ()))

    def has_open(self, device_id: str) -> bool:
        """Return whether one of an end device's downlinks may still be transmitted."""
        records = self._of_device.get(device_id)
        return records is not None and any(record.open for record in records)

    def last(self, device_id: str) -> DownlinkRecord | None:
        """Return the newest downlink of an end device."""
        records = self._of_device.get(device_id)
        return records[-1] if records else None

    def newest(
        self, control: str, *, without: Container[DownlinkState] = ()
    ) -> DownlinkRecord | None:
        """Return the newest downlink of a control, apart from those in the states `without`."""
        for records in self._of_device.values():
            for record in reversed(records):
                if record.control == control and record.state not in without:
                    return record
        return None

    @callback
    def release(self, control: str) -> None:
        """Detach the downlinks of a removed control: they no longer belong to one."""
        for records in self._of_device.values():
            for record in records:
                if record.control == control:
                    record.control = None

    def find(self, correlation_ids: Iterable[str]) -> DownlinkRecord | None:
        """Return the downlink with one of these correlation IDs; None if unknown."""
        for name in correlation_ids:
            if (record := self._by_name.get(name)) is not None:
                return record
        return None

    @callback
    def add(self, record: DownlinkRecord) -> None:
        """Track a downlink; drops the device's oldest finished one if there are too many."""
        records = self._of_device.setdefault(record.device_id, deque())
        records.append(record)
        for name in record.names():
            self._by_name[name] = record
        if len(records) > REMEMBERED_DOWNLINKS:
            leaving = next((r for r in records if not r.open), records[0])
            records.remove(leaving)
            for name in leaving.names():
                self._by_name.pop(name, None)

    @callback
    def learn(self, record: DownlinkRecord, correlation_ids: Iterable[str]) -> None:
        """Add the server's correlation IDs; the server sets new ones when a queue is replaced."""
        for name in correlation_ids:
            if name.startswith(SERVER_TAG) and name not in self._by_name:
                record.server_ids.add(name)
                self._by_name[name] = record

    @callback
    def remove(self, record: DownlinkRecord) -> None:
        """Remove a downlink that was never queued."""
        records = self._of_device.get(record.device_id)
        if records is not None and record in records:
            records.remove(record)
            if not records:
                del self._of_device[record.device_id]
        for name in record.names():
            self._by_name.pop(name, None)

    @callback
    def hand_over(self, old_id: str, new_id: str) -> None:
        """Move the downlinks of a replaced end device to the new one.

        Downlinks that waited for the old end device were deleted with its queue.
        """
        self.forget(new_id)
        records = self._of_device.pop(old_id, deque())
        for record in records:
            record.device_id, record.control = new_id, None
            if record.open:
                record.move(DownlinkState.CLEARED)
        if records:
            self._of_device[new_id] = records
        if old_id in self._transmitted:
            self._transmitted[new_id] = self._transmitted.pop(old_id)

    @callback
    def forget(self, device_id: str) -> None:
        """Remove the downlinks of an end device."""
        for record in self._of_device.pop(device_id, ()):
            for name in record.names():
                self._by_name.pop(name, None)
        self._transmitted.pop(device_id, None)

    @callback
    def transmitted(self, device_id: str, moment: datetime | None) -> None:
        """Count a transmitted frame."""
        self._transmitted.setdefault(device_id, deque()).append(moment or dt_util.utcnow())

    def in_24_hours(self, device_id: str) -> int:
        """Return how many frames were transmitted to an end device in the last 24 hours."""
        moments = self._transmitted.get(device_id)
        if moments is None:
            return 0
        oldest = dt_util.utcnow() - FAIR_USE_WINDOW
        while moments and moments[0] < oldest:
            moments.popleft()
        return len(moments)

    @override
    def _data(self) -> dict[str, Any]:
        return {
            "downlinks": [r.as_dict() for records in self._of_device.values() for r in records],
            "transmitted": {
                device_id: [moment.isoformat() for moment in moments]
                for device_id, moments in self._transmitted.items()
                if moments
            },
        }


def _list(stored: Any) -> list[Any]:
    if not isinstance(stored, list):
        raise TypeError(f"{stored!r} is no list")
    return stored


def _seconds(stored: Any) -> float:
    if not isinstance(stored, int | float) or isinstance(stored, bool) or not 0 < stored < 1e9:
        raise ValueError(f"{stored!r} is no interval")
    return float(stored)


def _moment(stored: Any) -> datetime:
    moment = datetime.fromisoformat(stored)
    if moment.tzinfo is None:
        raise ValueError(f"{stored!r} has no time zone")
    return moment
