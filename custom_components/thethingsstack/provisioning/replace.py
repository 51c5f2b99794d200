"""Replace an end device by another, which gets its entities, history, overrides and controls."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers import device_registry as dr
from homeassistant.util.hass_dict import HassKey

from ..client import UNCHANGED, DeviceChanges, EndDevice, EndDeviceIds, Registration
from ..const import CONF_CHOSEN_DEVICES, DOMAIN
from ..dialogs import running
from ..end_devices import (
    EndDeviceState,
    remove_controls,
    rename_in_controls,
    rename_in_registries,
    taking_in,
)
from .delete import AfterDeletion, async_delete
from .register import async_register

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator, TtsConfigEntry

USER_LOCATION = "user"
_REPLACING: HassKey[defaultdict[str, asyncio.Lock]] = HassKey(f"{DOMAIN}_replacing")
"""Locks by entry ID: only one end device of an entry is replaced at a time."""


@dataclass(slots=True)
class Replacement:
    """One replacement; after an error it can be called again, and continues where it stopped."""

    entry: TtsConfigEntry
    old: EndDeviceState
    new: EndDevice | Registration
    """The new end device: registered already, or to be registered."""
    place: str | None = None
    """Device registry ID of the new end device, if it is in Home Assistant already."""
    same_texts: bool = True
    """Whether the new one, if registered already, gets name, attributes and location of the old."""
    written: bool = False
    """Whether the new end device is registered or changed on the servers already."""

    async def async_replace(self, hass: HomeAssistant) -> EndDeviceIds:
        """Register the new end device, delete the old one, and move its data to the new one.

        Reloads the entry at the end. Raises StackError, after which nothing has changed in Home
        Assistant, but the new end device may be registered. Raises AbortFlow if the old one has
        been removed meanwhile, or the application isn't loaded.
        """
        async with hass.data.setdefault(_REPLACING, defaultdict(asyncio.Lock))[self.entry.entry_id]:
            coordinator = await self._async_current()
            if not self.written and self.place != place_of(coordinator, self.new_id):
                raise AbortFlow("taken_meanwhile", {"device": self.new.name or self.new_id})
            ids = await self._async_on_servers(coordinator)
            # The entry may have been reloaded meanwhile.
            coordinator = await self._async_current()
            await async_take_place(hass, coordinator, self.old, ids)
        return ids

    async def _async_current(self) -> ApplicationCoordinator:
        """Return the present coordinator, and update `old` to its state of the old end device."""
        async with self.entry.setup_lock:
            pass  # wait for the end of a reload
        coordinator = running(self.entry)
        old = coordinator.roster.states.get(self.old.key)
        if old is None:
            raise AbortFlow("replaced_meanwhile", {"device": self.old.name})
        self.old = old
        return coordinator

    async def _async_on_servers(self, coordinator: ApplicationCoordinator) -> EndDeviceIds:
        """Register or change the new end device, and delete the old one."""
        sync, old_id = coordinator.sync, self.old.device_id
        with sync.holding(old_id), sync.holding(self.new_id):
            try:
                await self._async_prepare(coordinator)
                await async_delete(coordinator, old_id, afterwards=AfterDeletion.UNTOUCHED)
            except BaseException:
                if self.written and isinstance(self.new, EndDevice):
                    coordinator.lifecycle.on_registered(self.new)
                raise
        assert isinstance(self.new, EndDevice)
        return self.new.ids

    @property
    def new_id(self) -> str:
        """Return the ID of the new end device."""
        return self.new.device_id if isinstance(self.new, Registration) else self.new.ids.device_id

    async def _async_prepare(self, coordinator: ApplicationCoordinator) -> None:
        if isinstance(self.new, Registration):
            self.new = (await async_register(coordinator, self.new, show=False)).end_device
        elif self.same_texts:
            changes = texts_of(self.old)
            self.new = await coordinator.stack.end_devices.update(self.new_id, changes)
        else:  # raises if it was deleted meanwhile, so that the old one is kept
            self.new = await coordinator.stack.device(self.new_id)
        self.same_texts, self.written = False, True


def place_of(coordinator: ApplicationCoordinator, device_id: str) -> str | None:
    """Return the device registry ID of an end device; None if it isn't in Home Assistant."""
    state = coordinator.roster.by_device_id(device_id)
    return None if state is None else state.registry_id


def texts_of(old: EndDeviceState) -> DeviceChanges:
    """Return changes that copy name, description, attributes and location of an end device."""
    registered = old.end_device
    if registered is None:
        return DeviceChanges(name=old.name, attributes=old.attributes)
    return DeviceChanges(
        name=registered.name or UNCHANGED,
        description=registered.description or UNCHANGED,
        attributes=registered.attributes,
        location=registered.locations.get(USER_LOCATION) or UNCHANGED,
    )


async def async_take_place(
    hass: HomeAssistant, coordinator: ApplicationCoordinator, old: EndDeviceState, new: EndDeviceIds
) -> None:
    """Move device, entities and stored data of one end device to another.

    What Home Assistant has stored for the other one is deleted. The entry is reloaded, because
    device keys change.
    """
    entry, key = coordinator.entry, coordinator.roster.key_of(new)
    await hass.config_entries.async_unload(entry.entry_id)
    try:
        _move(hass, coordinator, old, key)
        coordinator.downlinks.hand_over(old.device_id, new.device_id)
        _choose(hass, coordinator, old.device_id, new.device_id)
        await coordinator.store.async_save()
        await coordinator.fields.async_save()
        await coordinator.downlinks.async_save()
        await coordinator.roster.last_values.async_save()
    finally:
        if entry.state is ConfigEntryState.NOT_LOADED:
            await hass.config_entries.async_setup(entry.entry_id)


@callback
def _move(
    hass: HomeAssistant, coordinator: ApplicationCoordinator, old: EndDeviceState, key: str
) -> None:
    """Change the old end device's key to `key` in registries and stores."""
    registry = dr.async_get(hass)
    dropped = registry.async_get_device_by_identifier((DOMAIN, key), coordinator.entry.entry_id)
    if dropped is not None:
        remove_controls(hass, coordinator.entry, dropped)
        registry.async_remove_device(dropped.id)
    if old.registry_id is not None:
        rename_in_registries(hass, old.registry_id, old.key, key)
    rename_in_controls(hass, coordinator.entry, old.key, key)
    store, fields = coordinator.store, coordinator.fields
    values = coordinator.roster.last_values
    store.forget_device(key)
    fields.forget(key)
    values.forget_device(key)
    store.vanished.pop(old.key, None)
    store.uplinks.pop(old.key, None)  # the new one sends as it likes
    store.rename_device(old.key, key)
    fields.rename_device(old.key, key)
    values.rename_device(old.key, key)
    store.taken_over.add(key)


@callback
def _choose(
    hass: HomeAssistant, coordinator: ApplicationCoordinator, old_id: str, new_id: str
) -> None:
    """Replace the old end device by the new one in the options' lists of end devices."""
    options: Mapping[str, Any] = coordinator.entry.options
    if old_id in (chosen := options.get(CONF_CHOSEN_DEVICES, ())):
        others = [device_id for device_id in chosen if device_id not in (old_id, new_id)]
        options = {**options, CONF_CHOSEN_DEVICES: [*others, new_id]}
    hass.config_entries.async_update_entry(coordinator.entry, options=taking_in(options, new_id))
