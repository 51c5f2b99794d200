"""Climate: controls with a target temperature and modes."""

from typing import TYPE_CHECKING, Any, override

from homeassistant.components.climate import (
    ATTR_HVAC_MODE,
    ClimateEntity,
    ClimateEntityFeature,
    HVACMode,
)
from homeassistant.const import ATTR_TEMPERATURE, Platform, UnitOfTemperature
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
    """Add the controls that are thermostats."""
    connect(entry, Platform.CLIMATE, ControlClimate, async_add_entities)


class ControlClimate(ControlEntity, ClimateEntity):
    """An end device's thermostat."""

    _attr_native_temperature_unit = UnitOfTemperature.CELSIUS

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        subentry_id: str,
        control: Control,
        device: EndDeviceState,
    ) -> None:
        """Create the thermostat with the control's range and the modes that have a command."""
        super().__init__(coordinator, subentry_id, control, device)
        assert control.minimum is not None
        assert control.maximum is not None
        self._attr_min_temp = control.minimum
        self._attr_max_temp = control.maximum
        self._attr_target_temperature_step = control.step or 1
        self._attr_hvac_modes = [HVACMode(mode) for mode in control.choices] or [HVACMode.HEAT]
        features = ClimateEntityFeature.TARGET_TEMPERATURE
        if HVACMode.OFF in self._attr_hvac_modes:
            features |= ClimateEntityFeature.TURN_OFF
        if HVACMode.OFF in self._attr_hvac_modes and len(self._attr_hvac_modes) > 1:
            features |= ClimateEntityFeature.TURN_ON
        self._attr_supported_features = features

    @property
    def native_target_temperature(self) -> float | None:
        """Return the target temperature in °C."""
        return self.number_of(Role.TARGET_TEMPERATURE)

    @property
    def native_current_temperature(self) -> float | None:
        """Return the measured temperature in °C."""
        temperature = self.number_of(Role.CURRENT_TEMPERATURE)
        return None if temperature is None else round(temperature, 2)

    if not TYPE_CHECKING and not hasattr(ClimateEntity, "native_temperature_unit"):
        # Before 2026.11 they have other names.
        _attr_temperature_unit = _attr_native_temperature_unit
        target_temperature = native_target_temperature
        current_temperature = native_current_temperature

    @property
    @override
    def current_humidity(self) -> float | None:
        """Return the measured relative humidity in per cent."""
        humidity = self.number_of(Role.CURRENT_HUMIDITY)
        return None if humidity is None else round(humidity, 1)

    @property
    @override
    def hvac_mode(self) -> HVACMode | None:
        """Return its mode; a thermostat without modes always heats."""
        mode = self.text_of(Role.MODE)
        if mode is None:
            return None if self.control.choices else HVACMode.HEAT
        return HVACMode(mode) if mode in HVACMode else None

    @override
    async def async_set_temperature(self, **kwargs: Any) -> None:
        """Queue the downlink with the temperature, after that of the mode if one is given."""
        mode = kwargs.get(ATTR_HVAC_MODE)
        if mode is not None:
            await self.async_set_hvac_mode(mode)
        if (temperature := kwargs.get(ATTR_TEMPERATURE)) is not None:
            await self.async_command("temperature", temperature)

    @override
    async def async_set_hvac_mode(self, hvac_mode: HVACMode) -> None:
        """Queue the downlink of the mode; nothing for the only mode of a thermostat without modes."""
        if self.control.choices:
            await self.async_command(str(hvac_mode))
