"""Selects: controls with a command for each option."""

from typing import override

from homeassistant.components.select import SelectEntity
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
    """Add the controls that are selects."""
    connect(entry, Platform.SELECT, ControlSelect, async_add_entities)


class ControlSelect(ControlEntity, SelectEntity):
    """A select whose option is sent to an end device."""

    @property
    @override
    def options(self) -> list[str]:
        """Return the options that have a command."""
        return list(self.control.choices)

    @property
    @override
    def current_option(self) -> str | None:
        """Return the reported option, spelled as in the control."""
        current = self.text_of(Role.OPTION)
        if current is None:
            return None
        return next((o for o in self.options if o.casefold() == current.casefold()), None)

    @override
    async def async_select_option(self, option: str) -> None:
        """Queue the downlink of the option."""
        await self.async_command(option)
