"""Lights: controls that are on or off, and dimmed."""

from typing import Any, override

from homeassistant.components.light import ATTR_BRIGHTNESS, ColorMode, LightEntity
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .controls.entity import ControlEntity, connect
from .controls.kinds import Role
from .controls.model import Control
from .coordinator import ApplicationCoordinator, TtsConfigEntry
from .end_devices.state import EndDeviceState

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the controls that are lights."""
    connect(entry, Platform.LIGHT, ControlLight, async_add_entities)


class ControlLight(ControlEntity, LightEntity):
    """An end device's light."""

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        subentry_id: str,
        control: Control,
        device: EndDeviceState,
    ) -> None:
        """Create the light; it can be dimmed if the control has a command for it."""
        super().__init__(coordinator, subentry_id, control, device)
        dimmable = "brightness" in control.commands
        self._attr_color_mode = ColorMode.BRIGHTNESS if dimmable else ColorMode.ONOFF
        self._attr_supported_color_modes = {self._attr_color_mode}

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether it is on, or is going to be, as a pending command dims it."""
        if self.control.shows_requested and self.asked_for(Role.BRIGHTNESS):
            return True
        return self.truth_of()

    @property
    @override
    def brightness(self) -> int | None:
        """Return the brightness, 0 to 255, from the reported per cent."""
        percent = self.number_of(Role.BRIGHTNESS)
        return None if percent is None else round(max(0.0, min(100.0, percent)) * 255 / 100)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Queue the downlink that switches it on or dims it."""
        if ATTR_BRIGHTNESS in kwargs and "brightness" in self.control.commands:
            await self.async_command(
                "brightness", max(1, round(kwargs[ATTR_BRIGHTNESS] * 100 / 255))
            )
        else:
            await self.async_command("on")

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Queue the downlink that switches it off."""
        await self.async_command("off")
