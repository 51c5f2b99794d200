"""Sensors: decoded fields, radio and health of each end device, and the application's own."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    PERCENTAGE,
    SIGNAL_STRENGTH_DECIBELS,
    SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
    EntityCategory,
    Platform,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .coordinator import ApplicationCoordinator, TtsConfigEntry
from .describe import describe_sensor
from .device import BATTERY, LAST_UPLINK, STATUS, EndDeviceState, Status, field_key
from .downlink_sensor import async_add_downlink_sensors
from .entity import (
    ApplicationEntity,
    EndDeviceEntity,
    FieldEntity,
    async_add_in_chunks,
    disabled_keys,
    unique_id,
)
from .gateway_entity import async_add_gateway_sensors
from .payload import NUMERIC_ROLES, Kind, Meaning, Position, Role

PARALLEL_UPDATES = 0
STATE_LENGTH = 255
ATTR_SEEN_BY = "seen_by"
SEEN_BY = frozenset({"gateways", "best_gateway"})
"""The sensors that list the gateways which heard the last uplink."""

type Shown = float | int | str | datetime | None


@dataclass(frozen=True, kw_only=True)
class EndDeviceSensorDescription(SensorEntityDescription):
    """A sensor that every end device has."""

    value_fn: Callable[[EndDeviceState], Shown]
    noisy: bool = True


@dataclass(frozen=True, kw_only=True)
class ApplicationSensorDescription(SensorEntityDescription):
    """A sensor of the application."""

    value_fn: Callable[[ApplicationCoordinator], int]


def _raw_payload(device: EndDeviceState) -> str | None:
    uplink = device.last_data_uplink
    return uplink.frm_payload.hex()[:STATE_LENGTH] if uplink and uplink.frm_payload else None


def _rssi(device: EndDeviceState) -> float | None:
    best = device.last_uplink.best_reception if device.last_uplink else None
    return best.rssi if best else None


def _snr(device: EndDeviceState) -> float | None:
    best = device.last_uplink.best_reception if device.last_uplink else None
    return best.snr if best else None


def _best_gateway(device: EndDeviceState) -> str | None:
    best = device.last_uplink.best_reception if device.last_uplink else None
    return best.gateway_id if best else None


def _data_rate(device: EndDeviceState) -> str | None:
    data_rate = device.last_uplink.data_rate if device.last_uplink else None
    return data_rate.name if data_rate else None


def _airtime(device: EndDeviceState) -> float | None:
    airtime = device.last_uplink.consumed_airtime if device.last_uplink else None
    return None if airtime is None else airtime * 1000


def _error_rate(device: EndDeviceState) -> float | None:
    uplink = device.last_uplink
    return None if uplink is None else uplink.packet_error_rate * 100


LAST_UPLINK_SENSOR = EndDeviceSensorDescription(
    key=LAST_UPLINK,
    translation_key=LAST_UPLINK,
    device_class=SensorDeviceClass.TIMESTAMP,
    entity_category=EntityCategory.DIAGNOSTIC,
    value_fn=lambda device: device.last_seen,
    noisy=False,
)
RADIO_SENSORS = (
    EndDeviceSensorDescription(
        key="rssi",
        translation_key="rssi",
        device_class=SensorDeviceClass.SIGNAL_STRENGTH,
        native_unit_of_measurement=SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        suggested_display_precision=0,
        value_fn=_rssi,
    ),
    EndDeviceSensorDescription(
        key="snr",
        translation_key="snr",
        device_class=SensorDeviceClass.SIGNAL_STRENGTH,
        native_unit_of_measurement=SIGNAL_STRENGTH_DECIBELS,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        suggested_display_precision=1,
        value_fn=_snr,
    ),
    EndDeviceSensorDescription(
        key="data_rate",
        translation_key="data_rate",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_data_rate,
    ),
    EndDeviceSensorDescription(
        key="gateways",
        translation_key="gateways",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda device: (
            len({r.gateway_id for r in device.last_uplink.receptions})
            if device.last_uplink
            else None
        ),
    ),
    EndDeviceSensorDescription(
        key="best_gateway",
        translation_key="best_gateway",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_best_gateway,
    ),
    EndDeviceSensorDescription(  # without a state class: the counter restarts at each join
        key="frame_counter",
        translation_key="frame_counter",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda device: device.last_uplink.f_cnt if device.last_uplink else None,
    ),
    EndDeviceSensorDescription(
        key="airtime",
        translation_key="airtime",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        suggested_display_precision=1,
        value_fn=_airtime,
    ),
    EndDeviceSensorDescription(
        key="packet_error_rate",
        translation_key="packet_error_rate",
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        suggested_display_precision=1,
        value_fn=_error_rate,
    ),
    EndDeviceSensorDescription(
        key="raw_payload",
        translation_key="raw_payload",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_raw_payload,
    ),
)
BUILT_IN = (LAST_UPLINK, STATUS, *(description.key for description in RADIO_SENSORS))
BATTERY_SENSOR = EndDeviceSensorDescription(
    key=BATTERY,
    translation_key="lorawan_battery",
    device_class=SensorDeviceClass.BATTERY,
    native_unit_of_measurement=PERCENTAGE,
    state_class=SensorStateClass.MEASUREMENT,
    entity_category=EntityCategory.DIAGNOSTIC,
    suggested_display_precision=0,
    value_fn=lambda device: device.last_battery.value if device.last_battery else None,
)
STATUS_SENSOR = SensorEntityDescription(
    key=STATUS,
    translation_key=STATUS,
    device_class=SensorDeviceClass.ENUM,
    options=[status.value for status in Status],
    entity_category=EntityCategory.DIAGNOSTIC,
)
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

    def built_in(device: EndDeviceState, disabled: Container[str] = ()) -> list[SensorEntity]:
        sensors: list[SensorEntity] = [
            (SeenBySensor if description.key in SEEN_BY else EndDeviceSensor)(
                coordinator, device, description
            )
            for description in (LAST_UPLINK_SENSOR, *RADIO_SENSORS)
            if description.key not in disabled
        ]
        if STATUS not in disabled:
            sensors.append(StatusSensor(coordinator, device))
        return sensors

    def fields(
        device: EndDeviceState, new: dict[str, Meaning], disabled: Container[str] = ()
    ) -> list[SensorEntity]:
        return [
            FieldSensor(coordinator, device, path, meaning)
            for path, meaning in new.items()
            if meaning.kind is Kind.SENSOR and field_key(path) not in disabled
        ]

    def battery(device: EndDeviceState) -> EndDeviceSensor:
        return BatterySensor(coordinator, device, BATTERY_SENSOR)

    def known(device: EndDeviceState) -> list[SensorEntity]:
        keys = [*BUILT_IN, *map(field_key, device.decisions)]
        disabled = disabled_keys(hass, Platform.SENSOR, device, keys)
        sensors = [*built_in(device, disabled), *fields(device, device.decisions, disabled)]
        if registry.async_get_entity_id(Platform.SENSOR, DOMAIN, unique_id(device, BATTERY)):
            sensors.append(battery(device))
            device.battery_announced = True
        return sensors

    @callback
    def add_device(device: EndDeviceState) -> None:
        async_add_entities(built_in(device))

    @callback
    def add_fields(device: EndDeviceState, new: dict[str, Meaning]) -> None:
        if sensors := fields(device, new):
            async_add_entities(sensors)

    @callback
    def add_battery(device: EndDeviceState) -> None:
        async_add_entities([battery(device)])

    async_add_entities(ApplicationSensor(coordinator, d) for d in APPLICATION_SENSORS)
    await async_add_in_chunks(async_add_entities, coordinator.roster.states.values(), known)
    await async_add_downlink_sensors(hass, entry, async_add_entities)
    async_add_gateway_sensors(entry, async_add_entities)
    entry.async_on_unload(
        async_dispatcher_connect(hass, coordinator.signals.new_device, add_device)
    )
    entry.async_on_unload(
        async_dispatcher_connect(hass, coordinator.signals.new_battery, add_battery)
    )
    entry.async_on_unload(
        async_dispatcher_connect(hass, coordinator.signals.new_fields, add_fields)
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
            value = value[:STATE_LENGTH]
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


class EndDeviceSensor(EndDeviceEntity, RestoreSensor):
    """Radio or health of an end device."""

    entity_description: EndDeviceSensorDescription

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        device: EndDeviceState,
        description: EndDeviceSensorDescription,
    ) -> None:
        """Describe the sensor; in a large application noisy ones start disabled."""
        super().__init__(coordinator, device, description.key)
        self.entity_description = description
        if description.noisy and coordinator.large:
            self._attr_entity_registry_enabled_default = False

    @override
    async def async_restore(self) -> None:
        """Show the value of before the restart."""
        if (stored := await self.async_get_last_sensor_data()) is None:
            return
        value = stored.native_value
        if self.key == LAST_UPLINK:
            if isinstance(value, datetime):
                self.device.seen_at(value)
        elif isinstance(value, (str, int, float)):
            self._attr_native_value = value

    @callback
    @override
    def read(self) -> bool:
        """Take over the value; before the first uplink the restored one stays."""
        value = self.entity_description.value_fn(self.device)
        if value is None and (self.device.last_uplink is None or self.key == BATTERY):
            return False
        if value == self._attr_native_value:
            return False
        self._attr_native_value = value
        return True


class SeenBySensor(EndDeviceSensor):
    """A sensor that tells which gateways heard the last uplink, the best first."""

    _unrecorded_attributes = frozenset({ATTR_SEEN_BY})
    _seen: Mapping[str, Any] | None = None

    @callback
    @override
    def read(self) -> bool:
        """Take over the value and the gateways."""
        changed = super().read()
        if self.device.last_uplink is None:
            return changed
        seen_by = [
            {
                "gateway_id": reception.gateway_id,
                "name": self.coordinator.gateways.name_of(reception.gateway_id),
                "rssi": reception.rssi,
                "snr": reception.snr,
            }
            for reception in self.device.last_uplink.receptions_by_gateway
        ]
        attributes = {ATTR_SEEN_BY: seen_by}
        changed = changed or attributes != self._seen
        self._attr_extra_state_attributes = self._seen = attributes
        return changed


class BatterySensor(EndDeviceSensor):
    """What the network asked the device for: the device's battery unless its payload tells it."""

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        device: EndDeviceState,
        description: EndDeviceSensorDescription,
    ) -> None:
        """Step back behind a battery that the payload tells."""
        super().__init__(coordinator, device, description)
        if any(meaning.is_battery for meaning in device.decisions.values()):
            self._attr_entity_registry_enabled_default = False
        else:
            self._attr_entity_category = None


class StatusSensor(EndDeviceEntity, SensorEntity):
    """Where an end device stands: never joined, waiting, active, overdue."""

    entity_description = STATUS_SENSOR

    def __init__(self, coordinator: ApplicationCoordinator, device: EndDeviceState) -> None:
        """Disabled at first in a large application."""
        super().__init__(coordinator, device, STATUS)
        self._attr_entity_registry_enabled_default = not coordinator.large

    @callback
    @override
    def read(self) -> bool:
        """Take over the status as of now."""
        status = self.device.status(dt_util.utcnow(), self.coordinator.overdue_after)
        if status == self._attr_native_value:
            return False
        self._attr_native_value = status
        return True


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
