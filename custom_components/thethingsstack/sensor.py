"""Sensors: decoded fields, radio and health of each end device, and the application's own."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import datetime
from typing import override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import MAX_LENGTH_STATE_STATE, EntityCategory, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .coordinator import ApplicationCoordinator, TtsConfigEntry
from .downlinks.sensors import async_add_downlink_sensors
from .end_devices.radio_sensors import BATTERY_SENSOR, HEALTH_KEYS, BatterySensor, health_sensors
from .end_devices.state import BATTERY, EndDeviceState
from .entity import ApplicationEntity, FieldEntity, async_setup_fields, unique_id
from .fields.descriptions import describe_sensor
from .gateways.entities import async_add_gateway_sensors
from .payload import NUMERIC_ROLES, Kind, Meaning, Position, Role

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class ApplicationSensorDescription(SensorEntityDescription):
    """A sensor of the application."""

    value_fn: Callable[[ApplicationCoordinator], int]


APPLICATION_SENSORS = (
    ApplicationSensorDescription(
        key="uplinks_today",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda coordinator: coordinator.counters.uplinks_today,
    ),
    ApplicationSensorDescription(
        key="devices",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda coordinator: len(coordinator.roster.states),
    ),
    ApplicationSensorDescription(
        key="errors",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda coordinator: coordinator.counters.errors,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors that are known, and from now on those of new devices and fields."""
    coordinator = entry.runtime_data
    registry = er.async_get(hass)

    def battery(device: EndDeviceState) -> BatterySensor:
        return BatterySensor(coordinator, device, BATTERY_SENSOR)

    def built_in(device: EndDeviceState, disabled: Container[str]) -> list[Entity]:
        sensors: list[Entity] = [*health_sensors(coordinator, device, disabled)]
        if registry.async_get_entity_id(Platform.SENSOR, DOMAIN, unique_id(device, BATTERY)):
            sensors.append(battery(device))
            device.battery_announced = True
        return sensors

    @callback
    def add_device(device: EndDeviceState) -> None:
        async_add_entities(health_sensors(coordinator, device))

    @callback
    def add_battery(device: EndDeviceState) -> None:
        async_add_entities([battery(device)])

    async_add_entities(ApplicationSensor(coordinator, d) for d in APPLICATION_SENSORS)
    await async_setup_fields(
        hass,
        entry,
        async_add_entities,
        Kind.SENSOR,
        FieldSensor,
        built_in=built_in,
        built_in_keys=HEALTH_KEYS,
    )
    await async_add_downlink_sensors(hass, entry, async_add_entities)
    async_add_gateway_sensors(entry, async_add_entities)
    entry.async_on_unload(
        async_dispatcher_connect(hass, coordinator.signals.new_device, add_device)
    )
    entry.async_on_unload(
        async_dispatcher_connect(hass, coordinator.signals.new_battery, add_battery)
    )


class FieldSensor(FieldEntity, RestoreSensor):
    """A decoded field; its value stays until an uplink brings another."""

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        device: EndDeviceState,
        path: str,
        meaning: Meaning,
    ) -> None:
        """Describe the sensor by the field's meaning."""
        super().__init__(coordinator, device, path, meaning)
        self.entity_description = describe_sensor(path, meaning)

    @override
    async def async_restore(self) -> None:
        """Show the value of before the restart, unless an uplink came first."""
        if self.path in self.device.values:
            return
        stored = await self.async_get_last_sensor_data()
        if stored is None or stored.native_unit_of_measurement != self.native_unit_of_measurement:
            return  # it was another field then: the user changed it meanwhile
        if self._fits(value := stored.native_value):
            self.device.restore(self.path, value)  # type: ignore[arg-type]

    def _fits(self, value: object) -> bool:
        """Return whether a restored value is one that the field can have now."""
        role = self.device.decisions[self.path].role
        if role in NUMERIC_ROLES:
            return isinstance(value, int | float)
        if role is Role.TIMESTAMP:
            return isinstance(value, datetime)
        return isinstance(value, str | int | float)

    @callback
    @override
    def read(self) -> bool:
        """Take over the field's value."""
        value = self.device.values.get(self.path)
        if isinstance(value, Position):
            value = None
        elif isinstance(value, str):
            value = value[:MAX_LENGTH_STATE_STATE]
        if value == self._attr_native_value:
            return False
        if value is not None and self.options is not None and value not in self.options:
            value = self._state_of(str(value))
        self._attr_native_value = value
        return True

    def _state_of(self, state: str) -> str:
        """Take over the states that the field has by now; none if it is no enumeration.

        A state that is restored may be none of them: it becomes one, or Home Assistant
        would refuse the entity.
        """
        description = describe_sensor(self.path, self.device.decisions[self.path])
        self._attr_device_class = description.device_class
        options = self._attr_options = description.options
        if options is not None and state not in options:
            self._attr_options = [*options, state]
        return state


class ApplicationSensor(ApplicationEntity, SensorEntity):
    """A count of the application."""

    entity_description: ApplicationSensorDescription

    def __init__(
        self, coordinator: ApplicationCoordinator, description: ApplicationSensorDescription
    ) -> None:
        """Describe the sensor."""
        super().__init__(coordinator, description.key)
        self.entity_description = description

    @property
    @override
    def native_value(self) -> int:
        """Return the count."""
        return self.entity_description.value_fn(self.coordinator)
