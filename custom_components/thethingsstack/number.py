"""Numbers: controls that send a value within a range."""

from typing import override

from homeassistant.components.number import NumberEntity
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
    """Add the controls that are numbers."""
    connect(entry, Platform.NUMBER, ControlNumber, async_add_entities)


class ControlNumber(ControlEntity, NumberEntity):
    """A number that is sent to an end device."""

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        subentry_id: str,
        control: Control,
        device: EndDeviceState,
    ) -> None:
        """Create the number with the control's range."""
        super().__init__(coordinator, subentry_id, control, device)
        assert control.minimum is not None
        assert control.maximum is not None
        self._attr_native_min_value = control.minimum
        self._attr_native_max_value = control.maximum
        self._attr_native_step = control.step or 1
        self._attr_native_unit_of_measurement = control.unit

    @property
    @override
    def native_value(self) -> float | None:
        """Return the reported number; the last one sent if no field reports it."""
        return self.number_of(Role.VALUE)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Queue the downlink with the number."""
        await self.async_command("set", value)
