"""The stored decision on the meaning of each field of each end device."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from math import isfinite
import time
from types import MappingProxyType
import typing
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.json import json_bytes

from ..application import UNREADABLE, StoredData, TimeSlices
from ..const import DOMAIN
from ..payload import QUANTITIES, Kind, Meaning, Observations
from .awaited import Awaited
from .device_library import async_device_library
from .overrides import FieldOverride, FieldOverrides

VERSION = 1
SAVE_DELAY = 30
# Names of every end device's built-in entities: a decoded field so named gets a number added.
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
    """Return the English name of a field, used to tell two fields apart."""
    if meaning.name is not None:
        return meaning.name
    if meaning.quantity is not None:
        return QUANTITIES[meaning.quantity].name
    return ""


def shown(meaning: Meaning) -> bool:
    """Return whether a field becomes an entity."""
    return meaning.kind is not Kind.IGNORE


def free_name(name: str, taken: Collection[str]) -> str:
    """Return the name, with the first free number appended if it is taken."""
    candidate, number = name, 2
    while candidate.casefold() in taken:
        candidate = f"{name} {number}"
        number += 1
    return candidate


class FieldDecisions(StoredData):
    """Decisions by end device and path, kept over restarts, and the user's overrides.

    A decision is kept: entities must not change unit, class or name because of a later odd
    value. An override changes what is shown, never the decision itself.
    """

    def __init__(
        self, hass: HomeAssistant, entry_id: str, model_of: Callable[[str], str | None]
    ) -> None:
        """Prepare the store; `model_of` returns brand and model for a device key."""
        super().__init__(hass, f"{DOMAIN}.{entry_id}.fields", VERSION, delay=SAVE_DELAY)
        self.model_of = model_of
        """Returns brand and model for a device key, as overrides name them."""
        self._decisions: dict[str, dict[str, Meaning]] = {}
        self._automatic: dict[str, dict[str, Meaning]] = {}
        self._observations: dict[str, dict[str, Observations]] = {}
        self.awaited: dict[str, Awaited] = {}
        """How long those fields of end devices are awaited that only examples have, by key."""
        self._shared: dict[Meaning, Meaning] = {}
        self.library = async_device_library(hass)
        """What is known of the fields of single models."""
        self.overrides = FieldOverrides()
        self.changing = asyncio.Lock()
        """Held while entities are updated to changed decisions."""
        self.plain_enabled = True

    async def async_load(self, title: str, earlier: Mapping[str, Any] | None = None) -> None:
        """Read the stored decisions; `earlier` is the data of the application's version 1 file.

        A decision that can't be read is inferred again from the next uplink.
        """
        if await self._file.async_load():
            decisions = self._file.read_items("decisions", lambda _, fields: {**fields})
            overrides = self._file.part("overrides")
        elif earlier is not None:
            decisions, overrides = earlier["decisions"], earlier["overrides"]
        else:
            decisions, overrides = {}, None
        self._load_overrides(overrides)
        slices = TimeSlices(time.monotonic)
        known: dict[bytes, Meaning] = {}
        for key, fields in decisions.items():
            self._automatic[key] = self._read_fields(key, fields, known)
            self.apply_overrides(key)
            await slices.end()
        self._observations = self._file.read_items("observations", _observations)
        self.awaited = self._file.read_items("awaited", Awaited.from_stored)
        await self._file.async_end_reading(title)
        if earlier is not None:
            await self.async_save()

    def _read_fields(
        self, key: str, fields: Any, known: dict[bytes, Meaning]
    ) -> dict[str, Meaning]:
        """Return an end device's decisions; `known` has those read before, by how they are stored.

        Most end devices have equal fields, and to read a decision takes ten times as long as to
        look it up.
        """
        found: dict[str, Meaning] = {}
        if not isinstance(fields, Mapping):
            self._file.note_unreadable(f"decisions {key}", TypeError(type(fields).__name__))
            return found
        for path, stored in fields.items():
            try:
                text = json_bytes(stored)
                if (meaning := known.get(text)) is None:
                    meaning = known[text] = self._one(_meaning(stored))
                found[path] = meaning
            except UNREADABLE as err:
                self._file.note_unreadable(f"decisions {key} {path}", err)
        return found

    def _load_overrides(self, stored: Any) -> None:
        if not isinstance(stored, list | None):
            self._file.note_unreadable("overrides", TypeError(type(stored).__name__))
            return
        for number, item in enumerate(stored or ()):
            try:
                self.overrides.put(FieldOverride.from_dict(item))
            except UNREADABLE as err:
                self._file.note_unreadable(f"overrides {number}", err)

    def of(self, key: str) -> Mapping[str, Meaning]:
        """Return a live view of an end device's decisions, by path."""
        return MappingProxyType(self._of(key))

    def _of(self, key: str) -> dict[str, Meaning]:
        return self._decisions.setdefault(key, {})

    def observations(self, key: str) -> dict[str, Observations]:
        """Return what was reported of fields whose decision may still be corrected, by path.

        The end device keeps it up to date; it is stored with the decisions.
        """
        return self._observations.setdefault(key, {})

    def automatic(self, key: str, path: str) -> Meaning | None:
        """Return the inferred meaning of a field, without overrides."""
        return self._automatic.get(key, {}).get(path)

    def override(self, key: str, path: str) -> FieldOverride | None:
        """Return the override that applies to a field; None if there is none."""
        return self.overrides.find(key, self.model_of(key), path) if self.overrides else None

    def _one(self, meaning: Meaning) -> Meaning:
        """Return a shared instance of an equal decision, to save memory."""
        return self._shared.setdefault(meaning, meaning)

    def _decide(self, key: str, path: str, automatic: Meaning) -> Meaning:
        override = self.override(key, path)
        return automatic if override is None else override.change.apply(automatic)

    @callback
    def apply_overrides(self, key: str) -> dict[str, tuple[Meaning, Meaning]]:
        """Apply the overrides to an end device's decisions.

        Returns the earlier and the present decision of each field that changed.
        """
        decisions = self._of(key)
        changed: dict[str, tuple[Meaning, Meaning]] = {}
        for path, automatic in self._automatic.get(key, {}).items():
            before, now = decisions.get(path, automatic), self._decide(key, path, automatic)
            decisions[path] = now
            if now != before:
                changed[path] = (before, now)
        return changed

    @callback
    def remember(self, key: str, new: Mapping[str, Meaning]) -> dict[str, Meaning]:
        """Store new decisions; return them with names that are unique on the device.

        The user's overrides are applied to what is returned.
        """
        decisions, automatic = self._of(key), self._automatic.setdefault(key, {})
        taken = {
            *BUILT_IN_NAMES,
            *(
                display_name(meaning).casefold()
                for path, meaning in automatic.items()
                if shown(meaning) and path not in new
            ),
        }
        kept: dict[str, Meaning] = {}
        for path, meaning in new.items():
            if shown(meaning):
                wanted = display_name(meaning)
                name = free_name(wanted, taken)
                taken.add(name.casefold())
                if name != wanted:
                    meaning = replace(meaning, name=name)
            if meaning.quantity is None and not self.plain_enabled:
                meaning = replace(meaning, enabled=False)
            automatic[path] = meaning = self._one(meaning)
            kept[path] = decisions[path] = self._decide(key, path, meaning)
        self.save_soon()
        return kept

    @callback
    def drop(self, key: str, paths: Collection[str]) -> None:
        """Forget decisions on some fields of an end device."""
        for path in paths:
            self._of(key).pop(path, None)
            self._automatic.get(key, {}).pop(path, None)
        self.save_soon()

    @callback
    def stop_showing(self, key: str, path: str, reason: str) -> bool:
        """Stop showing a field; return whether it was shown until now."""
        inferred, before = self.automatic(key, path), self._of(key).get(path)
        if inferred is None or before is None or not shown(before):
            return False
        inferred = replace(inferred, kind=Kind.IGNORE, reason=reason)
        self._automatic[key][path] = self._of(key)[path] = inferred
        return True

    @callback
    def add_states(self, key: str, grown: Mapping[str, Meaning]) -> None:
        """Add newly seen states to the known states of fields."""
        decisions, automatic = self._of(key), self._automatic.setdefault(key, {})
        for path, meaning in grown.items():
            inferred, before = automatic.get(path), decisions.get(path)
            if inferred is not None and before is not None and inferred.options == before.options:
                # Overridden fields get them too: these are states that were observed.
                automatic[path] = replace(inferred, options=meaning.options)
            decisions[path] = meaning
        self.save_soon()

    @callback
    def correct(
        self, key: str, corrected: Mapping[str, Meaning]
    ) -> dict[str, tuple[Meaning, Meaning]]:
        """Replace decisions that later values contradict.

        Returns the earlier and the present decision of each field whose entity changes.
        """
        decisions, automatic = self._of(key), self._automatic.setdefault(key, {})
        changed: dict[str, tuple[Meaning, Meaning]] = {}
        for path, meaning in corrected.items():
            if path not in automatic:
                continue
            taken = BUILT_IN_NAMES | {
                display_name(other).casefold()
                for name, other in automatic.items()
                if name != path and shown(other)
            }
            name = free_name(display_name(meaning), taken)
            if shown(meaning) and name != display_name(meaning):
                meaning = replace(meaning, name=name)
            automatic[path] = meaning = self._one(meaning)
            before, now = decisions[path], self._decide(key, path, meaning)
            decisions[path] = now
            if now != before:
                changed[path] = (before, now)
        self.save_soon()
        return changed

    def corrected(self, key: str, path: str, meaning: Meaning) -> Meaning:
        """Return the decision that a correction would lead to, with the user's overrides."""
        return self._decide(key, path, meaning)

    @callback
    def keep(self, key: str, path: str, doubt: str) -> None:
        """Let no later value correct a decision any more; `doubt` says what spoke against it."""
        self._observations.get(key, {}).pop(path, None)
        automatic, decisions = self._automatic.get(key, {}), self._of(key)
        if path in automatic and path in decisions:
            automatic[path] = self._one(replace(automatic[path], doubt=doubt))
            decisions[path] = replace(decisions[path], doubt=doubt)
            self.save_soon()

    @callback
    def rename_device(self, old_key: str, new_key: str) -> None:
        """Move decisions to another device key."""
        for known in (self._decisions, self._automatic, self._observations, self.awaited):
            if old_key in known:
                known[new_key] = known.pop(old_key)  # type: ignore[assignment]
        self.overrides.rename(old_key, new_key)
        self.save_soon()

    @callback
    def forget(self, key: str) -> None:
        """Drop the decisions of an end device."""
        for known in (self._decisions, self._automatic, self._observations, self.awaited):
            known.pop(key, None)
        self.overrides.forget(key)
        self.save_soon()

    @typing.override  # the name alone is a method here
    def _data(self) -> dict[str, Any]:
        as_dict = lru_cache(maxsize=None)(Meaning.as_dict)  # most end devices have equal fields
        return {
            "overrides": [override.as_dict() for override in self.overrides],
            "decisions": {
                key: {path: as_dict(meaning) for path, meaning in fields.items()}
                for key, fields in self._automatic.items()
            },
            "observations": {
                key: {path: list(observed) for path, observed in fields.items()}
                for key, fields in self._observations.items()
                if fields
            },
            "awaited": {key: awaited.as_list() for key, awaited in self.awaited.items()},
        }


def _observations(_key: str, stored: Any) -> dict[str, Observations]:
    """Return stored observations by path; raises one of `UNREADABLE` for invalid data."""
    found: dict[str, Observations] = {}
    for path, (numbers, others, low, high, whole, *newer) in stored.items():
        last, fell = newer or (None, False)
        if not all(isfinite(number) for number in (numbers, others, low, high, last or 0)):
            raise ValueError("an observation is no number")
        found[path] = Observations(int(numbers), int(others), low, high, bool(whole), last, fell)
    return found


def _meaning(stored: Any) -> Meaning:
    """Return a stored decision; raises one of `UNREADABLE` for invalid data."""
    meaning = Meaning.from_dict(stored)
    if meaning.quantity is not None and meaning.quantity not in QUANTITIES:
        raise ValueError(f"{meaning.quantity!r} is no quantity")
    texts = (meaning.unit, meaning.name, meaning.device_class, meaning.icon)
    if not all(isinstance(text, str | None) for text in texts):
        raise TypeError("unit, name, device class or icon is no text")
    if not all(isinstance(text, str) for text in (*meaning.options, meaning.rule, meaning.reason)):
        raise TypeError("a state, the rule or the reason is no text")
    if not isinstance(meaning.precision, int | None):
        raise TypeError("the precision is no number")
    if not (isfinite(meaning.scale) and isfinite(meaning.offset)):
        raise ValueError("scale or offset is no number")
    return meaning
