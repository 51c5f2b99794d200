"""Sensors: decoded fields, radio and status of each end device, counts of the application."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import (
    DOMAIN as SENSOR_DOMAIN,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import MAX_LENGTH_STATE_STATE, EntityCategory, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_current_platform,
)
from homeassistant.helpers.typing import StateType

from .application.missed_sensor import MISSED_UPLINKS, UNRECORDED, missed_attributes, missed_uplinks
from .const import DOMAIN, NOT_IN_LOGBOOK
from .coordinator import ApplicationCoordinator, TtsConfigEntry
from .downlinks.sensors import async_add_downlink_sensors
from .end_devices.listeners import BATTERY
from .end_devices.radio_sensors import BATTERY_SENSOR, HEALTH_KEYS, BatterySensor, health_sensors
from .end_devices.state import EndDeviceState
from .entity import ApplicationEntity, FieldEntity, async_setup_fields, unique_id
from .fields.descriptions import describe_sensor
from .fields.suggested_units import suggestion_for, unit_and_precision
from .gateways.entities import async_add_gateway_sensors
from .payload import Kind, Meaning, Position, Role

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class ApplicationSensorDescription(SensorEntityDescription):
    """Description of a sensor of the application."""

    value_fn: Callable[[ApplicationCoordinator], int]
    attributes_fn: Callable[[ApplicationCoordinator], Mapping[str, Any] | None] = lambda _: None


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
    ApplicationSensorDescription(  # without a state class: so the logbook shows it
        key=MISSED_UPLINKS,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=missed_uplinks,
        attributes_fn=missed_attributes,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of known devices and fields, and later those of new ones."""
    coordinator = entry.runtime_data
    registry = er.async_get(hass)

    def battery(device: EndDeviceState) -> BatterySensor:
        return BatterySensor(coordinator, device, BATTERY_SENSOR)

    def built_in(device: EndDeviceState, left_out: Container[str]) -> list[Entity]:
        sensors: list[Entity] = [*health_sensors(coordinator, device, left_out)]
        if registry.async_get_entity_id(Platform.SENSOR, DOMAIN, unique_id(device, BATTERY)):
            device.battery_announced = True
            if BATTERY not in left_out:
                sensors.append(battery(device))
        return sensors

    @callback
    def add_battery(device: EndDeviceState) -> None:
        async_add_entities([battery(device)])

    platform = async_get_current_platform()
    renamed = set[str]()

    async def async_add_again(device: EndDeviceState, entity: Entity) -> None:
        await entity.async_remove(force_remove=True)
        async_add_entities([battery(device)])

    @callback
    def rename_battery(device: EndDeviceState, _new: Mapping[str, Meaning]) -> None:
        wanted = unique_id(device, BATTERY)
        entity_id = registry.async_get_entity_id(Platform.SENSOR, DOMAIN, wanted)
        entity = platform.entities.get(entity_id or "")
        if (
            device.key not in renamed
            and isinstance(entity, BatterySensor)
            and entity.shares_its_name()
        ):
            renamed.add(device.key)  # it never shares it again
            entry.async_create_task(hass, async_add_again(device, entity), f"{DOMAIN} battery")

    async_add_entities(ApplicationSensor(coordinator, d) for d in APPLICATION_SENSORS)
    await async_setup_fields(
        hass,
        entry,
        async_add_entities,
        Kind.SENSOR,
        FieldSensor,
        built_in=built_in,
        built_in_keys=(*HEALTH_KEYS, BATTERY),
    )
    await async_add_downlink_sensors(hass, entry, async_add_entities)
    async_add_gateway_sensors(entry, async_add_entities)
    entry.async_on_unload(
        async_dispatcher_connect(hass, coordinator.signals.new_battery, add_battery)
    )
    entry.async_on_unload(
        async_dispatcher_connect(hass, coordinator.signals.new_fields, rename_battery)
    )


class FieldSensor(FieldEntity, SensorEntity):
    """A sensor of a decoded field; it keeps its value until an uplink has another."""

    __slots__ = (
        "_counts",
        "_value",
        "device_class",
        "native_unit_of_measurement",
        "options",
        "state_class",
        "suggested_display_precision",
        "suggested_unit_of_measurement",
    )

    last_reset = None

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        device: EndDeviceState,
        path: str,
        meaning: Meaning,
    ) -> None:
        """Create the sensor with class and unit of the field's meaning."""
        super().__init__(coordinator, device, path, meaning)
        self.entity_description = description = describe_sensor(path, meaning)
        self.device_class = description.device_class
        self.native_unit_of_measurement = description.native_unit_of_measurement
        self.options = description.options
        self.suggested_display_precision = description.suggested_display_precision
        self.suggested_unit_of_measurement = description.suggested_unit_of_measurement
        self._value: StateType | datetime = None
        self._counts: bool | None = None
        self._read_state_class(device.counts_in_statistics(path))
        if meaning.role is Role.TIMESTAMP:
            self._attr_extra_state_attributes = dict(NOT_IN_LOGBOOK)
        if suggestion_for(meaning) is not None:
            self._suggest(meaning)

    def _suggest(self, meaning: Meaning) -> None:
        """Suggest a better unit than the reported one, where it is shown in none yet."""
        suggested = unit_and_precision(
            meaning,
            self.device.values.get(self.path),
            self._registered_unit(),
            self.coordinator.hass.config.units,
        )
        if suggested is not None:
            # Not in the description, which is shared by sensors of any age.
            self.suggested_unit_of_measurement, self.suggested_display_precision = suggested

    def _registered_unit(self) -> str | None:
        """Return the unit in which it is shown; None if it is new."""
        registry = er.async_get(self.coordinator.hass)
        entity_id = registry.async_get_entity_id(
            Platform.SENSOR, DOMAIN, unique_id(self.device, self.key)
        )
        entry = registry.async_get(entity_id) if entity_id is not None else None
        return None if entry is None else entry.unit_of_measurement or ""

    @override
    def get_initial_entity_options(self) -> er.EntityOptionsType | None:
        """Return the options that a new sensor is registered with, its precision included.

        Home Assistant would add the precision at once, which writes entry and state once more. It
        corrects it where another unit is shown.
        """
        options = super().get_initial_entity_options()
        precision = self.suggested_display_precision
        unit = self.suggested_unit_of_measurement or self.native_unit_of_measurement
        if precision is None or self.unit_of_measurement != unit:
            return options
        return {**(options or {}), SENSOR_DOMAIN: {"suggested_display_precision": precision}}

    @callback
    @override
    def read(self) -> bool:
        """Read the field's value; return whether it changed."""
        device, path = self.device, self.path
        if (counts := device.counts_in_statistics(path)) is not self._counts:
            self._read_state_class(counts)
        value = device.values.get(path)
        if isinstance(value, Position):
            value = None
        elif isinstance(value, str):
            value = value[:MAX_LENGTH_STATE_STATE]
        if value == self._value:
            return False
        if value is not None and self.options is not None and value not in self.options:
            value = self._state_of(str(value))
        self._value = value
        return True

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """Return the value; it changes with each uplink, so it isn't worth caching."""
        return self._value

    def _read_state_class(self, counts: bool) -> None:
        """Read how its values behave over time: None while its unit may turn out to be another."""
        self._counts = counts
        self.state_class = self.entity_description.state_class if counts else None

    def _state_of(self, state: str) -> str:
        """Update the sensor's options to the field's known states, and return `state`.

        A restored state that isn't known any more is added, since Home Assistant would raise an
        error for it. There are no options if the field is no enumeration.
        """
        description = describe_sensor(self.path, self.device.decisions[self.path])
        self.device_class = description.device_class
        options = self.options = description.options
        if options is not None and state not in options:
            self.options = [*options, state]
        return state


class ApplicationSensor(ApplicationEntity, SensorEntity):
    """A sensor with a count of the application."""

    entity_description: ApplicationSensorDescription
    _unrecorded_attributes = UNRECORDED

    def __init__(
        self, coordinator: ApplicationCoordinator, description: ApplicationSensorDescription
    ) -> None:
        """Create the sensor from its description."""
        super().__init__(coordinator, description.key)
        self.entity_description = description

    @property
    @override
    def native_value(self) -> int:
        """Return the count."""
        return self.entity_description.value_fn(self.coordinator)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what belongs to the count."""
        return self.entity_description.attributes_fn(self.coordinator)
