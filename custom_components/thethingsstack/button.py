"""Buttons: controls that send one frame."""

from typing import override

from homeassistant.components.button import ButtonEntity
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .controls.entity import ControlEntity, connect
from .coordinator import TtsConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the controls that are buttons."""
    connect(entry, Platform.BUTTON, ControlButton, async_add_entities)


class ControlButton(ControlEntity, ButtonEntity):
    """A button that sends an end device a command."""

    @override
    async def async_press(self) -> None:
        """Queue the downlink of the button's command."""
        await self.async_command("press")
