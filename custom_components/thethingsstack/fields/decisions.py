"""The stored decisions: what each field of each end device is, once and for all."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
import logging
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..payload import QUANTITIES, Category, Kind, Meaning
from .overrides import FieldOverride, FieldOverrides

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION = 1
SAVE_DELAY = 30
# Names that every end device's own entities have: a decoded field gets a number behind them.
BUILT_IN_NAMES = frozenset(
    {
        "activity",
        "airtime",
        "best gateway",
        "data rate",
        "downlink",
        "downlink queue",
        "downlinks in 24 hours",
        "frame counter",
        "gateways",
        "last downlink",
        "last uplink",
        "lorawan battery",
        "packet error rate",
        "raw payload",
        "rssi",
        "snr",
        "status",
    }
)


def display_name(meaning: Meaning) -> str:
    """Return the English name of a field, for telling two fields apart."""
    if meaning.name is not None:
        return meaning.name
    if meaning.quantity is not None:
        return QUANTITIES[meaning.quantity].name
    return ""


def shown(meaning: Meaning) -> bool:
    """Return whether a field becomes an entity."""
    return meaning.kind is not Kind.IGNORE


def free_name(name: str, taken: Collection[str]) -> str:
    """Return the name, with the first free number behind it where it is taken."""
    candidate, number = name, 2
    while candidate.casefold() in taken:
        candidate = f"{name} {number}"
        number += 1
    return candidate


class FieldStore:
    """Decisions per (end device, path), kept over restarts, and what users say against them.

    A decision made stays: entities must never change unit, class or name because of
    a later odd value. An override changes what is shown, never the decision beneath it.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Prepare the store of one config entry."""
        self._store: Store[dict[str, Any]] = Store(hass, STORAGE_VERSION, f"{DOMAIN}.{entry_id}")
        self._decisions: dict[str, dict[str, Meaning]] = {}
        self._automatic: dict[str, dict[str, Meaning]] = {}
        self._shared: dict[Meaning, Meaning] = {}
        self.overrides = FieldOverrides()
        self.changing = asyncio.Lock()
        """Held while entities follow changed decisions."""
        self.plain_enabled = True
        self.vanished: dict[str, datetime] = {}
        """Since when The Things Stack has not had an end device, by device key."""
        self.half_created: dict[str, dict[str, Any]] = {}
        """Which servers have an end device that not all have, by device id."""
        self.taken_over: set[str] = set()
        """The device keys that were another device's until now; noted for the next start only."""
        self.sensors: dict[str, tuple[str, ...]] = {}
        """What each model measures, as the Device Repository says, by brand and model."""
        self._ids: dict[str, dict[str, str]] = {}
        self.received_until: datetime | None = None
        self.scope: str | None = None
        self.today: tuple[str, int] | None = None
        self._closed = False

    async def async_load(self) -> None:
        """Read what was stored; a decision that can't be read is made anew."""
        data = await self._store.async_load()
        if data is None:
            return
        if isinstance(until := data.get("received_until"), str):
            self.received_until = dt_util.parse_datetime(until)
        self.scope = data.get("scope")
        if (today := data.get("today")) is not None:
            self.today = (str(today[0]), int(today[1]))
        for key, since in data.get("vanished", {}).items():
            if (moment := dt_util.parse_datetime(since)) is not None:
                self.vanished[key] = moment
        self.taken_over = set(data.get("taken_over", ()))
        self.sensors |= {
            str(model): tuple(map(str, sensors))
            for model, sensors in data.get("sensors", {}).items()
        }
        self.half_created |= data.get("half_created", {})
        self._load_overrides(data.get("overrides", ()))
        for key, device in data.get("devices", {}).items():
            self._ids[key] = dict(device.get("ids", {}))
            self._automatic[key] = automatic = {}
            for path, stored in device.get("fields", {}).items():
                try:
                    automatic[path] = self._one(Meaning.from_dict(stored))
                except (KeyError, TypeError, ValueError) as err:
                    _LOGGER.warning(
                        "The stored decision on %s of %s is unreadable: %r", path, key, err
                    )
            self.redecide(key)

    def _load_overrides(self, stored: Iterable[Mapping[str, Any]]) -> None:
        for item in stored:
            try:
                self.overrides.put(FieldOverride.from_dict(item))
            except (TypeError, ValueError) as err:
                _LOGGER.warning("The stored override %r is unreadable: %s", item.get("path"), err)

    @property
    def known_devices(self) -> Mapping[str, Mapping[str, str]]:
        """Return the ids of each end device that was ever stored, by device key."""
        return self._ids

    def decisions(self, key: str) -> dict[str, Meaning]:
        """Return the live decisions of an end device."""
        return self._decisions.setdefault(key, {})

    def automatic(self, key: str, path: str) -> Meaning | None:
        """Return what was inferred of a field, whatever the user says."""
        return self._automatic.get(key, {}).get(path)

    def model(self, key: str) -> str | None:
        """Return brand and model of an end device, as overrides name it."""
        return self._ids.get(key, {}).get("model")

    def override(self, key: str, path: str) -> FieldOverride | None:
        """Return the override that counts for a field, if there is one."""
        return self.overrides.find(key, self.model(key), path) if self.overrides else None

    def _one(self, meaning: Meaning) -> Meaning:
        """Return the one copy of a decision: the end devices of a model have the same ones."""
        return self._shared.setdefault(meaning, meaning)

    def _decide(self, key: str, path: str, automatic: Meaning) -> Meaning:
        override = self.override(key, path)
        return automatic if override is None else override.change.apply(automatic)

    @callback
    def redecide(self, key: str) -> dict[str, tuple[Meaning, Meaning]]:
        """Bring an end device's decisions in line with the overrides.

        Returns the earlier and the present decision of each field that changed.
        """
        decisions = self.decisions(key)
        changed: dict[str, tuple[Meaning, Meaning]] = {}
        for path, automatic in self._automatic.get(key, {}).items():
            before, now = decisions.get(path, automatic), self._decide(key, path, automatic)
            decisions[path] = now
            if now != before:
                changed[path] = (before, now)
        return changed

    @callback
    def remember_device(self, key: str, ids: Mapping[str, str | None]) -> None:
        """Store under which ids an end device is known."""
        known = {name: value for name, value in ids.items() if value}
        if self._ids.get(key) != known:
            self._ids[key] = known
            self.save_soon()

    @callback
    def remember(self, key: str, new: Mapping[str, Meaning]) -> dict[str, Meaning]:
        """Keep new decisions; returns them with names that no other field of the device has.

        The user's overrides are in what is returned.
        """
        decisions, automatic = self.decisions(key), self._automatic.setdefault(key, {})
        taken = BUILT_IN_NAMES | {
            display_name(meaning).casefold() for meaning in automatic.values() if shown(meaning)
        }
        battery = None
        if not any(meaning.is_battery for meaning in automatic.values()):
            batteries = [path for path, meaning in new.items() if meaning.is_battery]
            battery = min(batteries, key=lambda path: (new[path].name or "", path), default=None)
        kept: dict[str, Meaning] = {}
        for path, meaning in new.items():
            if shown(meaning):
                name = free_name(display_name(meaning), taken)
                taken |= {name.casefold()}
                if name != display_name(meaning):
                    meaning = replace(meaning, name=name)
            if path == battery:  # the one that users look for
                meaning = replace(meaning, category=Category.PRIMARY)
            if meaning.quantity is None and not self.plain_enabled:
                meaning = replace(meaning, enabled=False)
            automatic[path] = meaning = self._one(meaning)
            kept[path] = decisions[path] = self._decide(key, path, meaning)
        self.save_soon()
        return kept

    @callback
    def retire(self, key: str, path: str, reason: str) -> bool:
        """Show a field no more; returns whether it was shown until now."""
        inferred, before = self.automatic(key, path), self.decisions(key).get(path)
        if inferred is None or before is None or not shown(before):
            return False
        inferred = replace(inferred, kind=Kind.IGNORE, reason=reason)
        self._automatic[key][path] = self.decisions(key)[path] = inferred
        return True

    @callback
    def grow(self, key: str, grown: Mapping[str, Meaning]) -> None:
        """Take over states that fields turned out to have besides those known."""
        decisions, automatic = self.decisions(key), self._automatic.setdefault(key, {})
        for path, meaning in grown.items():
            inferred, before = automatic.get(path), decisions.get(path)
            if inferred is not None and before is not None and inferred.options == before.options:
                # Also beneath an override: the states are those that were learned.
                automatic[path] = replace(inferred, options=meaning.options)
            decisions[path] = meaning
        self.save_soon()

    @callback
    def rename_device(self, old_key: str, new_key: str) -> None:
        """Move decisions to another device key."""
        for decisions in (self._decisions, self._automatic):
            if old_key in decisions:
                decisions[new_key] = decisions.pop(old_key)
        if old_key in self._ids:
            self._ids[new_key] = self._ids.pop(old_key)
        self.overrides.rename(old_key, new_key)
        self.save_soon()

    @callback
    def forget(self, key: str) -> None:
        """Drop an end device and its decisions."""
        for decisions in (self._decisions, self._automatic):
            decisions.pop(key, None)
        self._ids.pop(key, None)
        self.vanished.pop(key, None)
        self.overrides.forget(key)
        self.save_soon()

    @callback
    def received(self, moment: datetime) -> None:
        """Note up to when messages were received; written with the next save."""
        if self.received_until is None or moment > self.received_until:
            self.received_until = moment

    @callback
    def save_soon(self) -> None:
        """Write to disk after a while, at the latest when Home Assistant stops."""
        if not self._closed:
            self._store.async_delay_save(self._data, SAVE_DELAY)

    async def async_save(self) -> None:
        """Write to disk now."""
        await self._store.async_save(self._data())

    async def async_close(self) -> None:
        """Write to disk now, and not by itself any more: others may, from here on."""
        self._closed = True
        await self.async_save()

    async def async_remove(self) -> None:
        """Delete the stored decisions."""
        await self._store.async_remove()

    def _data(self) -> dict[str, Any]:
        return {
            "received_until": self.received_until.isoformat() if self.received_until else None,
            "scope": self.scope,
            "today": self.today,
            "sensors": self.sensors,
            "vanished": {key: since.isoformat() for key, since in self.vanished.items()},
            "half_created": self.half_created,
            "taken_over": sorted(self.taken_over),
            "overrides": [override.as_dict() for override in self.overrides],
            "devices": {
                key: {
                    "ids": ids,
                    "fields": {p: m.as_dict() for p, m in self._automatic.get(key, {}).items()},
                }
                for key, ids in self._ids.items()
            },
        }
