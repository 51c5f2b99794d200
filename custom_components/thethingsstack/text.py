"""Texts: controls that send a text."""

from typing import override

from homeassistant.components.text import TextEntity
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .controls.entity import ControlEntity, connect
from .controls.kinds import Role
from .coordinator import TtsConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the controls that are texts."""
    connect(entry, Platform.TEXT, ControlText, async_add_entities)


class ControlText(ControlEntity, TextEntity):
    """A text that is sent to an end device."""

    @property
    @override
    def native_value(self) -> str | None:
        """Return the reported text; the last one sent if no field reports it."""
        return self.text_of(Role.VALUE)

    @override
    async def async_set_value(self, value: str) -> None:
        """Queue the downlink with the text."""
        await self.async_command("set", value)
