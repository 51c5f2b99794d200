"""Locks: controls that are locked or unlocked."""

from typing import Any, override

from homeassistant.components.lock import LockEntity
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .controls.entity import ControlEntity, connect
from .coordinator import TtsConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the controls that are locks."""
    connect(entry, Platform.LOCK, ControlLock, async_add_entities)


class ControlLock(ControlEntity, LockEntity):
    """An end device's lock."""

    _moves = True

    @property
    @override
    def is_locked(self) -> bool | None:
        """Return whether it is locked."""
        return self.truth_of()

    @property
    @override
    def is_locking(self) -> bool:
        """Return whether a command to lock it is pending."""
        return not self.assumed_state and self.asked_for() is True

    @property
    @override
    def is_unlocking(self) -> bool:
        """Return whether a command to unlock it is pending."""
        return not self.assumed_state and self.asked_for() is False

    @override
    async def async_lock(self, **kwargs: Any) -> None:
        """Queue the downlink that locks it."""
        await self.async_command("lock")

    @override
    async def async_unlock(self, **kwargs: Any) -> None:
        """Queue the downlink that unlocks it."""
        await self.async_command("unlock")
