"""Keeps an application's controls in sync with its config subentries without a reload."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..const import DOMAIN
from ..end_devices import EndDeviceRoster, EndDeviceState
from ..issues import application_name, raise_issue
from .kinds import KINDS, Role
from .model import SUBENTRY_CONTROL, Control, InvalidControlError, threads_of

MEASURED = frozenset({Role.CURRENT_TEMPERATURE, Role.CURRENT_HUMIDITY})
"""Roles whose field is a measurement of its own, besides what the control sets."""

type ControlFactory = Callable[[str, Control, EndDeviceState], Entity]


def title_of(control: Control, device_name: str) -> str:
    """Return the title of a control's subentry: the end device first, by which lists sort."""
    return f"{device_name} · {control.name}"


@callback
def add_controls(
    hass: HomeAssistant, entry: ConfigEntry, device_name: str, controls: Iterable[Control]
) -> None:
    """Add a subentry for each control of an end device."""
    for control in controls:
        subentry = ConfigSubentry(
            data=MappingProxyType(control.as_dict()),
            subentry_type=SUBENTRY_CONTROL,
            title=title_of(control, device_name),
            unique_id=None,
        )
        hass.config_entries.async_add_subentry(entry, subentry)


class Controls:
    """One entity per control; a repair issue for each control without its end device.

    The entity gets its `device_entry`, never `device_info`: with that, Home Assistant would
    move the end device into the subentry and delete all its other entities.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        roster: EndDeviceRoster,
        forget: Callable[[str], None],
    ) -> None:
        """Start empty; `forget` is called with the threads of each removed control."""
        self._hass = hass
        self._entry = entry
        self._roster = roster
        self._forget = forget
        self._platforms: dict[Platform, tuple[ControlFactory, AddConfigEntryEntitiesCallback]] = {}
        self._data = self._read_data()
        self._entities: dict[str, Entity] = {}
        self._applying = asyncio.Lock()
        self._set_fields = self._read_set_fields()

    @callback
    def async_connect(
        self, platform: Platform, factory: ControlFactory, add: AddConfigEntryEntitiesCallback
    ) -> None:
        """Add the existing controls of a platform, and new ones when they are created."""
        self._platforms[platform] = (factory, add)
        for subentry in self._subentries():
            if subentry.data.get("platform") == platform:
                self._add_missing(subentry)

    @property
    def platforms(self) -> set[Platform]:
        """Return the platforms of all controls."""
        named = {subentry.data.get("platform") for subentry in self._subentries()}
        return {platform for platform in KINDS if platform in named}

    async def async_apply(self) -> dict[str, frozenset[str]]:
        """Apply changed subentries to the entities; a new title alone changes nothing.

        Returns the fields, by the key of their end device, that controls set now and didn't
        before, or the other way round.
        """
        async with self._applying:
            now = self._read_data()
            before, self._data = self._data, now
            for removed in before.keys() - now.keys():
                # Home Assistant has removed the entity with its subentry.
                self._entities.pop(removed, None)
                ir.async_delete_issue(self._hass, DOMAIN, self._issue_id(removed))
                for thread in threads_of(removed):
                    self._forget(thread)
            changed = [i for i in before.keys() & now.keys() if before[i] != now[i]]
            await self._async_remove_entities(changed)
            for subentry_id in [*changed, *(now.keys() - before.keys())]:
                if (subentry := self._entry.subentries.get(subentry_id)) is not None:
                    self._add_missing(subentry)  # a platform set up just now has added its own
        fields_before, self._set_fields = self._set_fields, self._read_set_fields()
        none: frozenset[str] = frozenset()
        return {
            key: differing
            for key in fields_before.keys() | self._set_fields.keys()
            if (differing := fields_before.get(key, none) ^ self._set_fields.get(key, none))
        }

    def sets(self, key: str, path: str) -> bool:
        """Return whether a control sets this field of an end device, so that it shows its value."""
        return path in self._set_fields.get(key, ())

    def _read_data(self) -> dict[str, dict[str, Any]]:
        return {subentry.subentry_id: dict(subentry.data) for subentry in self._subentries()}

    def _read_set_fields(self) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for subentry in self._subentries():
            try:
                control = Control.from_dict(subentry.data)
            except InvalidControlError:
                continue  # it has an issue, see `_add`
            paths = [
                path
                for role, report in control.reports.items()
                if role not in MEASURED
                for path in report.paths
            ]
            found[control.device] = found.get(control.device, frozenset()).union(paths)
        return found

    async def async_on_device_removed(self, key: str) -> None:
        """Remove the controls of an end device that was removed from Home Assistant."""
        async with self._applying:
            await self._async_remove_entities([s.subentry_id for s in self.of_device(key)])
            for subentry in self.of_device(key):
                self._add(subentry)

    @callback
    def async_on_device_added(self, device: EndDeviceState) -> None:
        """Add the controls of an end device that was added to Home Assistant."""
        for subentry in self.of_device(device.key):
            self._add_missing(subentry)

    def of_device(self, key: str) -> list[ConfigSubentry]:
        """Return the subentries of an end device's controls."""
        return [s for s in self._subentries() if s.data.get("device") == key]

    def _subentries(self) -> Iterator[ConfigSubentry]:
        return (
            subentry
            for subentry in list(self._entry.subentries.values())
            if subentry.subentry_type == SUBENTRY_CONTROL
        )

    async def _async_remove_entities(self, subentry_ids: Iterable[str]) -> None:
        """Remove entities, but keep their registry entries."""
        for subentry_id in subentry_ids:
            entity = self._entities.pop(subentry_id, None)
            if entity is not None and entity.hass is not None:
                await entity.async_remove(force_remove=True)

    @callback
    def _add_missing(self, subentry: ConfigSubentry) -> None:
        if subentry.subentry_id not in self._entities:
            self._add(subentry)

    @callback
    def _add(self, subentry: ConfigSubentry) -> None:
        issue_id = self._issue_id(subentry.subentry_id)
        try:
            control = Control.from_dict(subentry.data)
        except InvalidControlError as err:
            raise_issue(
                self._hass,
                issue_id,
                "control_invalid",
                {"control": subentry.title, "error": str(err)},
            )
            return
        if control.platform not in self._platforms:
            return
        device = self._roster.states.get(control.device)
        device_entry = dr.async_get(self._hass).async_get_device_by_identifier(
            (DOMAIN, control.device), self._entry.entry_id
        )
        if device is None or device_entry is None:
            raise_issue(
                self._hass,
                issue_id,
                "control_without_device",
                {"control": subentry.title, "application": application_name(self._entry)},
            )
            return
        ir.async_delete_issue(self._hass, DOMAIN, issue_id)
        factory, add = self._platforms[control.platform]
        entity = factory(subentry.subentry_id, control, device)
        entity.device_entry = device_entry
        self._entities[subentry.subentry_id] = entity
        add([entity], config_subentry_id=subentry.subentry_id)

    def _issue_id(self, subentry_id: str) -> str:
        return f"control_{self._entry.entry_id}_{subentry_id}"
