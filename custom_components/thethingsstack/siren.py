"""Sirens: controls that make noise."""

from typing import Any, override

from homeassistant.components.siren import SirenEntity, SirenEntityFeature
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .controls.entity import ControlEntity, connect
from .coordinator import TtsConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the controls that are sirens."""
    connect(entry, Platform.SIREN, ControlSiren, async_add_entities)


class ControlSiren(ControlEntity, SirenEntity):
    """An end device's siren."""

    _attr_supported_features = SirenEntityFeature.TURN_ON | SirenEntityFeature.TURN_OFF

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether it sounds."""
        return self.truth_of()

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Queue the downlink that starts it."""
        await self.async_command("on")

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Queue the downlink that stops it."""
        await self.async_command("off")
