"""The stored data of an application, except the decisions on its fields."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..payload.decoders import Decoder
from .gaps import Gaps
from .interruptions import Interruption, read_interruptions
from .stored_file import StoredData

if TYPE_CHECKING:
    from ..end_devices import UplinkHistory

VERSION = 2
"""Files of version 1 hold the decisions on fields, too, which now have their own file."""
SAVE_DELAY = 30

type FrameCounter = tuple[str, int]
"""A session of an end device, and its last frame counter."""


class ApplicationStore(StoredData):
    """Data of an application and its end devices that is needed after a restart."""

    def __init__(
        self, hass: HomeAssistant, entry_id: str, read_history: Callable[[Any], UplinkHistory]
    ) -> None:
        """Prepare the store of one config entry; `read_history` raises one of `UNREADABLE`."""
        super().__init__(hass, f"{DOMAIN}.{entry_id}", VERSION, delay=SAVE_DELAY)
        self._read_history = read_history
        self.uplinks: dict[str, UplinkHistory] = {}
        """What is kept of the uplinks of each end device, by device key."""
        self.scope: str | None = None
        """First part of the application's device keys; None until it is decided."""
        self.received_until: datetime | None = None
        self.ended_well = True
        """Whether Home Assistant had time to write its states when the application ended."""
        self.running = False
        self.gaps = Gaps()
        """When messages may have been missed that were not read from the Storage Integration yet."""
        self.uncorrected = Gaps()
        """When uplinks were missed that were read since, but statistics are not corrected yet."""
        self.frame_counters: dict[str, FrameCounter] = {}
        """The newest of each end device, by device key."""
        self.interruptions: list[Interruption] = []
        """The last ones of which nothing could be read back, newest first."""
        self.storage_offer_ignored = False
        """Whether the user ignores the offer to switch the Storage Integration on."""
        self.ignored_presets: set[str] = set()
        """IDs of the presets whose suggestion the user ignores."""
        self.uplinks_today: tuple[str, int] | None = None
        """A day in ISO format, and the number of uplinks received on it."""
        self.vanished: dict[str, datetime] = {}
        """Since when an end device has not been registered, by device key."""
        self.partial_devices: dict[str, dict[str, Any]] = {}
        """The presence of each half created end device on the servers, by device ID."""
        self.taken_over: set[str] = set()
        """Keys of end devices that replaced another, until their first uplink.

        States that are restored until then are not theirs.
        """
        self.model_sensors: dict[str, tuple[str, ...]] = {}
        """Sensors of each model in the Device Repository, by "brand/model"."""
        self.decoders: dict[str, Decoder] = {}
        """How uplinks of end devices are decoded in Home Assistant, by device key."""
        self.model_names: dict[str, str] = {}
        """Names of these models; "" of one that the Device Repository doesn't have."""
        self._devices: dict[str, dict[str, str]] = {}
        self.decisions_of_version_1: Mapping[str, Any] | None = None
        """Decisions and overrides in a file of version 1; None in a later one."""

    async def async_load(self, title: str) -> None:
        """Read the stored data; unreadable parts are set aside and raise a repair issue."""
        file = self._file
        if await file.async_load():
            self.scope = file.read("scope", _text, None)
            self.received_until = file.read("received_until", _moment, None)
            self.ended_well = file.read("ended_well", _flag, True)
            self.gaps = file.read("gaps", Gaps.from_stored, self.gaps)
            self.uncorrected = file.read("uncorrected", Gaps.from_stored, self.uncorrected)
            self.frame_counters = file.read_items(
                "frame_counters", lambda _, counter: (_text(counter[0]), _count(counter[1]))
            )
            self.interruptions = file.read("interruptions", read_interruptions, [])
            self.storage_offer_ignored = file.read("storage_offer_ignored", _flag, False)
            self.ignored_presets = file.read("ignored_presets", lambda ids: set(_texts(ids)), set())
            self.uplinks_today = file.read(
                "today", lambda day: (_text(day[0]), _count(day[1])), None
            )
            self.vanished = file.read_items("vanished", lambda _, since: _moment(since))
            self.partial_devices = file.read_items("half_created", lambda _, servers: {**servers})
            self.taken_over = file.read("taken_over", lambda keys: set(_texts(keys)), set())
            self.model_sensors = file.read_items(
                "sensors", lambda _, sensors: tuple(_texts(sensors))
            )
            self.decoders = file.read_items("decoders", lambda _, kept: Decoder.from_dict(kept))
            self.model_names = file.read_items("model_names", lambda _, name: _text(name))
            self.uplinks = file.read_items("uplinks", lambda _, kept: self._read_history(kept))
            if file.part("devices") is not None:
                self._load_version_1()
            else:
                self._devices = file.read_items("known_devices", lambda _, ids: _ids(ids))
        await file.async_end_reading(title)

    def _load_version_1(self) -> None:
        self._devices = self._file.read_items(
            "devices", lambda _, device: _ids(device.get("ids", {}))
        )
        self.decisions_of_version_1 = {
            "decisions": self._file.read_items(
                "devices", lambda _, device: device.get("fields", {})
            ),
            "overrides": self._file.part("overrides"),
        }

    @property
    def known_devices(self) -> Mapping[str, Mapping[str, str]]:
        """Return the ids of each end device that was ever stored, by device key."""
        return self._devices

    def model_of(self, key: str) -> str | None:
        """Return "brand/model" of an end device; None if unknown."""
        return self._devices.get(key, {}).get("model")

    @callback
    def remember_device(self, key: str, ids: Mapping[str, str | None]) -> None:
        """Store the ids of an end device."""
        known = {name: value for name, value in ids.items() if value}
        if self._devices.get(key) != known:
            self._devices[key] = known
            self.save_soon()

    @callback
    def rename_device(self, old_key: str, new_key: str) -> None:
        """Move the data of an end device to another device key."""
        if old_key in self._devices:
            self._devices[new_key] = self._devices.pop(old_key)
        if old_key in self.uplinks:
            self.uplinks[new_key] = self.uplinks.pop(old_key)
        if old_key in self.decoders:
            self.decoders[new_key] = self.decoders.pop(old_key)
        if old_key in self.frame_counters:
            self.frame_counters[new_key] = self.frame_counters.pop(old_key)
        self.save_soon()

    @callback
    def forget_device(self, key: str) -> None:
        """Remove the data of an end device."""
        self._devices.pop(key, None)
        self.uplinks.pop(key, None)
        self.vanished.pop(key, None)
        self.frame_counters.pop(key, None)
        self.decoders.pop(key, None)
        self.save_soon()

    @callback
    def note_received(self, moment: datetime) -> None:
        """Note up to when messages were received; written with the next save."""
        if self.received_until is None or moment > self.received_until:
            self.received_until = moment

    @override
    def _data(self) -> dict[str, Any]:
        return {
            "scope": self.scope,
            "received_until": self.received_until.isoformat() if self.received_until else None,
            "ended_well": not self.running,
            "gaps": self.gaps.as_stored(),
            "uncorrected": self.uncorrected.as_stored(),
            "frame_counters": self.frame_counters,
            "interruptions": [item.as_stored() for item in self.interruptions],
            "storage_offer_ignored": self.storage_offer_ignored,
            "ignored_presets": sorted(self.ignored_presets),
            "today": self.uplinks_today,
            "sensors": self.model_sensors,
            "model_names": self.model_names,
            "vanished": {key: since.isoformat() for key, since in self.vanished.items()},
            "half_created": self.partial_devices,
            "taken_over": sorted(self.taken_over),
            "known_devices": self._devices,
            "decoders": {key: decoder.as_dict() for key, decoder in self.decoders.items()},
            "uplinks": {key: history.as_stored() for key, history in self.uplinks.items()},
        }


def _text(stored: Any) -> str:
    if not isinstance(stored, str):
        raise TypeError(f"{stored!r} is no text")
    return stored


def _texts(stored: Any) -> list[str]:
    if not isinstance(stored, list):
        raise TypeError(f"{stored!r} is no list")
    return list(map(_text, stored))


def _count(stored: Any) -> int:
    if not isinstance(stored, int) or isinstance(stored, bool) or not 0 <= stored < 2**53:
        raise TypeError(f"{stored!r} is no count")
    return stored


def _flag(stored: Any) -> bool:
    if not isinstance(stored, bool):
        raise TypeError(f"{stored!r} is neither true nor false")
    return stored


def _moment(stored: Any) -> datetime:
    moment = dt_util.parse_datetime(_text(stored), raise_on_error=True)
    if moment.tzinfo is None:
        raise ValueError(f"{stored!r} has no time zone")
    return moment


def _ids(stored: Any) -> dict[str, str]:
    ids = {_text(name): _text(value) for name, value in stored.items()}
    if "device_id" not in ids:
        raise ValueError("an end device has no id")
    return ids
