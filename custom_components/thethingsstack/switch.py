"""Switches: controls with two states."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .controls.entity import ControlEntity, connect
from .coordinator import TtsConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the controls that are switches."""
    connect(entry, Platform.SWITCH, ControlSwitch, async_add_entities)


class ControlSwitch(ControlEntity, SwitchEntity):
    """An end device's switch."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether it is on."""
        return self.truth_of()

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Queue the downlink that switches it on."""
        await self.async_command("on")

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Queue the downlink that switches it off."""
        await self.async_command("off")
