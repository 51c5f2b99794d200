"""Take entities over from another integration's entry, wait for the rest, or take all back."""

from collections.abc import Mapping
from dataclasses import replace
import logging
from typing import TYPE_CHECKING

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..const import DOMAIN
from ..payload import Meaning
from .plan import Move, move_of, plan_of
from .registries import follow_device, make_ours
from .sources import entries_of_application, old_entities
from .store import Origin, TakeoverStore

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator
    from ..end_devices import EndDeviceState

_LOGGER = logging.getLogger(__name__)

_RUNNING = frozenset({ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY})


class Takeover:
    """Takes an application's entities over from one entry of another integration.

    That entry is unloaded, and stays so over restarts, until each of its entities was moved, or the
    user ends it. Until then all can be taken back.
    """

    def __init__(self, coordinator: ApplicationCoordinator) -> None:
        """Keep the coordinator; nothing is read yet."""
        self._coordinator = coordinator
        self._hass, self._entry = coordinator.hass, coordinator.entry
        self._store = TakeoverStore(coordinator.hass, coordinator.entry.entry_id)

    async def async_load(self, title: str) -> None:
        """Read what was begun before a restart."""
        await self._store.async_load(title)

    async def async_close(self) -> None:
        """Write to disk now."""
        await self._store.async_close()

    @property
    def candidates(self) -> list[ConfigEntry]:
        """Return the entries of other integrations for the same application."""
        connection = self._coordinator.stack.connection
        return entries_of_application(
            self._hass, connection.application_id or "", connection.server
        )

    @property
    def under_way(self) -> ConfigEntry | None:
        """Return the entry whose entities are being taken over; None if there is none."""
        entry_id = self._store.old_entry_id
        return None if entry_id is None else self._hass.config_entries.async_get_entry(entry_id)

    @callback
    def async_start(self) -> None:
        """Keep the other entry unloaded until the takeover ends, or this one is unloaded."""
        self._entry.async_on_unload(
            async_dispatcher_connect(
                self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._other_entry_changed
            )
        )
        if (old := self.under_way) is not None:
            self._other_entry_changed(ConfigEntryChange.UPDATED, old)
            self._finish_if_done(old)

    @callback
    def _other_entry_changed(self, _change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.entry_id == self._store.old_entry_id and entry.state in _RUNNING:
            self._entry.async_create_background_task(
                self._hass, self._async_keep_down(entry), f"{DOMAIN} takeover"
            )

    async def _async_keep_down(self, old: ConfigEntry) -> None:
        """Unload the other entry, and remove what it made anew for entities that were moved."""
        if old.state in _RUNNING:
            await self._hass.config_entries.async_unload(old.entry_id)
        moved = {origin.unique_id for origin in self._store.moved.values()}
        registry = er.async_get(self._hass)
        for item in er.async_entries_for_config_entry(registry, old.entry_id):
            if item.unique_id in moved:
                registry.async_remove(item.entity_id)

    # A field that comes for the first time

    @callback
    def on_new_fields(self, device: EndDeviceState, new: Mapping[str, Meaning]) -> None:
        """Move the entities that wait for these fields, before ours are added."""
        old_entry = self.under_way
        if old_entry is None or old_entry.state in _RUNNING:
            return
        for old in old_entities(self._hass, old_entry):
            move = move_of(device, old) if old.device_id == device.device_id else None
            if move is not None and move.path in new and old.entry.domain == new[move.path].kind:
                self._move(move, old_entry)
        self._finish_if_done(old_entry)

    @callback
    def _finish_if_done(self, old_entry: ConfigEntry) -> None:
        if not plan_of(self._coordinator, old_entry).waiting:
            self._entry.async_create_background_task(
                self._hass, self.async_finish(), f"{DOMAIN} takeover"
            )

    # The dialogue

    async def async_take_over(self, old_entry: ConfigEntry) -> bool:
        """Move all that can be moved; return whether nothing waits, so that it is done.

        Both entries are unloaded meanwhile. If anything fails, all is as before, and the exception
        is raised.
        """
        entries = self._hass.config_entries
        if not await entries.async_unload(old_entry.entry_id):
            raise RuntimeError("the other integration can't be unloaded")
        await entries.async_unload(self._entry.entry_id)
        try:
            self._move_all(old_entry)
            await self._coordinator.fields.async_save()
            await self._store.async_save()
        except BaseException:
            self._move_back()
            await self._store.async_save()
            await entries.async_setup(old_entry.entry_id)
            raise
        finally:
            await entries.async_setup(self._entry.entry_id)
        if plan_of(self._coordinator, old_entry).waiting:
            return False
        if self._entry.state is not ConfigEntryState.LOADED:
            return False  # it ends with the next start
        takeover: Takeover = self._entry.runtime_data.takeover
        await takeover.async_finish()
        return True

    async def async_finish(self) -> None:
        """Remove the other entry with what it has left."""
        old, self._store.old_entry_id = self.under_way, None
        self._store.moved.clear()
        await self._store.async_save()
        if old is not None:
            await self._hass.config_entries.async_remove(old.entry_id)

    async def async_take_back(self) -> None:
        """Give all entities back to the other entry, and set that up again."""
        old, entries = self.under_way, self._hass.config_entries
        await entries.async_unload(self._entry.entry_id)
        try:
            self._move_back()
            await self._store.async_save()
            if old is not None and old.state is ConfigEntryState.NOT_LOADED:
                await entries.async_setup(old.entry_id)
        finally:
            await entries.async_setup(self._entry.entry_id)

    # The registries

    @callback
    def _move_all(self, old_entry: ConfigEntry) -> None:
        self._store.old_entry_id = old_entry.entry_id
        for move in plan_of(self._coordinator, old_entry).moves:
            self._move(move, old_entry)
            follow_device(self._hass, move.old.entry.device_id, move.device.registry_id)

    @callback
    def _move(self, move: Move, old_entry: ConfigEntry) -> None:
        """Make an entity ours; one that we have for the field already is removed first."""
        item = move.old.entry
        make_ours(self._hass, self._entry, item, move.unique_id, move.device.registry_id)
        self._store.moved[item.id] = Origin(item.unique_id, item.device_id)
        self._store.save_soon()
        self._note_reported(move)
        _LOGGER.info("%s was taken over from %s", item.entity_id, old_entry.title)

    @callback
    def _note_reported(self, move: Move) -> None:
        """Keep a field that is only expected here: the other integration has received it."""
        fields, key = self._coordinator.fields, move.device.key
        automatic = fields.automatic(key, move.path)
        if automatic is not None and automatic.expected:
            fields.correct(key, {move.path: replace(automatic, expected=False)})
            move.device.forget_fields([move.path])

    @callback
    def _move_back(self) -> None:
        registry, old = er.async_get(self._hass), self.under_way
        for registry_id, origin in self._store.moved.items():
            item = registry.async_get(er.async_resolve_entity_id(registry, registry_id) or "")
            if item is not None and old is not None:
                registry.async_update_entity_platform(
                    item.entity_id,
                    old.domain,
                    new_config_entry_id=old.entry_id,
                    new_unique_id=origin.unique_id,
                    new_device_id=origin.device_id,
                )
        self._store.moved.clear()
        self._store.old_entry_id = None


async def async_remove_takeover(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Delete what is stored of an entry's takeover."""
    await TakeoverStore(hass, entry.entry_id).async_remove()
