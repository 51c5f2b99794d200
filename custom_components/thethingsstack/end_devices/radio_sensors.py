"""Sensors that every end device has: radio, last uplink, battery reported by LoRaWAN, status."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    MAX_LENGTH_STATE_STATE,
    PERCENTAGE,
    SIGNAL_STRENGTH_DECIBELS,
    SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
    EntityCategory,
    Platform,
    UnitOfTime,
)
from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from ..const import DOMAIN, NOT_IN_LOGBOOK
from ..entity import EndDeviceEntity
from ..payload import QUANTITIES, Meaning
from .kept_values import RECEPTION, data_rate_of, reception_of
from .listeners import AIRTIME_24H, BATTERY, LAST_UPLINK, STATUS, UPLINK_INTERVAL
from .overdue_number import NEVER
from .state import EndDeviceState
from .status import Status

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

ATTR_SEEN_BY = "seen_by"
ATTR_NEXT_STEP = "next_step"
SEEN_BY = frozenset({"gateways", "best_gateway"})
"""The sensors with an attribute that lists the gateways which received the last uplink."""

LAST_UPLINK_STEP = timedelta(seconds=10)
"""By how much the time of the last uplink has to move until it is shown."""

type Shown = float | int | str | datetime | None


@dataclass(frozen=True, kw_only=True)
class EndDeviceSensorDescription(SensorEntityDescription):
    """Description of a sensor that every end device has."""

    value_fn: Callable[[EndDeviceState], Shown]
    of_last_uplink: bool = True
    """Whether the value is that of the last uplink alone."""
    in_logbook: bool = True
    capability: str | None = None
    """What the network has to be able to do (see `client/capabilities.py`)."""


def _raw_payload(device: EndDeviceState) -> str | None:
    uplink = device.last_data_uplink
    return (
        uplink.frm_payload.hex()[:MAX_LENGTH_STATE_STATE] if uplink and uplink.frm_payload else None
    )


def _rssi(device: EndDeviceState) -> float | None:
    best = device.last_uplink.best_signal if device.last_uplink else None
    return best.rssi if best else None


def _snr(device: EndDeviceState) -> float | None:
    best = device.last_uplink.best_signal if device.last_uplink else None
    return best.snr if best else None


def _gateways(device: EndDeviceState) -> int | None:
    uplink = device.last_uplink
    return len(uplink.signals_by_gateway) if uplink else None


def _best_gateway(device: EndDeviceState) -> str | None:
    best = device.last_uplink.best_signal if device.last_uplink else None
    return best.gateway_id if best else None


def _airtime(device: EndDeviceState) -> float | None:
    airtime = device.last_uplink.consumed_airtime if device.last_uplink else None
    return None if airtime is None else airtime * 1000


def _error_rate(device: EndDeviceState) -> float | None:
    rate = device.last_uplink.packet_error_rate if device.last_uplink else None
    return None if rate is None else rate * 100


def _interval(device: EndDeviceState) -> float | None:
    """Return the interval, rounded so that it stays while the device sends as ever."""
    seconds = device.uplinks.interval.seconds
    if seconds is None:
        return None
    step = 60 if seconds >= 600 else 10 if seconds >= 60 else 1
    return max(round(seconds / step) * step, 1)


def _airtime_of_24_hours(device: EndDeviceState) -> float:
    return round(device.uplinks.airtime.in_24_hours(dt_util.utcnow()), 3)


LAST_UPLINK_SENSOR = EndDeviceSensorDescription(
    key=LAST_UPLINK,
    translation_key=LAST_UPLINK,
    device_class=SensorDeviceClass.TIMESTAMP,
    entity_category=EntityCategory.DIAGNOSTIC,
    value_fn=lambda device: device.last_seen,
    of_last_uplink=False,
    in_logbook=False,
)
RADIO_SENSORS = (
    EndDeviceSensorDescription(
        key="rssi",
        translation_key="rssi",
        device_class=SensorDeviceClass.SIGNAL_STRENGTH,
        native_unit_of_measurement=SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
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
        value_fn=data_rate_of,
    ),
    EndDeviceSensorDescription(
        key="gateways",
        translation_key="gateways",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_gateways,
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
        in_logbook=False,
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
        capability="packet_error_rate",
    ),
    EndDeviceSensorDescription(
        key="raw_payload",
        translation_key="raw_payload",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_raw_payload,
        in_logbook=False,
    ),
)
# Over all uplinks of some time, not of the last one.
RHYTHM_SENSORS = (
    EndDeviceSensorDescription(
        key=UPLINK_INTERVAL,
        translation_key=UPLINK_INTERVAL,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_unit_of_measurement=UnitOfTime.MINUTES,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_interval,
        of_last_uplink=False,
    ),
    EndDeviceSensorDescription(
        key=AIRTIME_24H,
        translation_key=AIRTIME_24H,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_airtime_of_24_hours,
        of_last_uplink=False,
    ),
)
HEALTH_SENSORS = (LAST_UPLINK_SENSOR, *RADIO_SENSORS, *RHYTHM_SENSORS)
HEALTH_KEYS = (STATUS, *(description.key for description in HEALTH_SENSORS))
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
ONLY_BATTERY_SENSOR = replace(BATTERY_SENSOR, translation_key="battery")
"""The same with the name of a field of that quantity."""
STATUS_SENSOR = SensorEntityDescription(
    key=STATUS,
    translation_key=STATUS,
    device_class=SensorDeviceClass.ENUM,
    options=[status.value for status in Status],
    entity_category=EntityCategory.DIAGNOSTIC,
)


def health_sensors(
    coordinator: ApplicationCoordinator, device: EndDeviceState, left_out: Container[str] = ()
) -> list[SensorEntity]:
    """Return the radio and status sensors of an end device, except those with `left_out` keys.

    Those for which the network reports nothing are left out, too.
    """
    capabilities = coordinator.stack.capabilities
    sensors: list[SensorEntity] = [
        _CLASSES.get(description.key, RadioSensor)(coordinator, device, description)
        for description in HEALTH_SENSORS
        if description.key not in left_out
        and (description.capability is None or getattr(capabilities, description.capability))
    ]
    if STATUS not in left_out:
        sensors.append(StatusSensor(coordinator, device))
    return sensors


class EndDeviceSensor(EndDeviceEntity, SensorEntity):
    """A sensor of an end device as a whole, after its description."""

    __slots__ = ("_value", "enabled_at_first", "of_last_uplink")

    entity_description: EndDeviceSensorDescription
    last_reset = None
    options = None

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        device: EndDeviceState,
        description: EndDeviceSensorDescription,
    ) -> None:
        """Create the sensor; in a large application most are disabled at first."""
        super().__init__(coordinator, device, description.key)
        self.entity_description = description
        self.of_last_uplink = description.of_last_uplink
        self._value: Shown = None
        self.enabled_at_first = description.entity_registry_enabled_default and not (
            coordinator.large and description.key != LAST_UPLINK
        )
        if not description.in_logbook:
            self._attr_extra_state_attributes = dict(NOT_IN_LOGBOOK)

    @property
    @override
    def entity_registry_enabled_default(self) -> bool:
        """Return whether it is enabled at first."""
        return self.enabled_at_first

    @property
    @override
    def native_value(self) -> Shown:
        """Return the value; it changes with each uplink, so it isn't worth caching."""
        return self._value

    @property
    @override
    def device_class(self) -> SensorDeviceClass | None:
        """Return the class that its description has."""
        return self.entity_description.device_class

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        """Return the unit that its description has."""
        return self.entity_description.native_unit_of_measurement

    @callback
    @override
    def read(self) -> bool:
        """Read the value; before the first uplink the restored one is kept."""
        value = self.entity_description.value_fn(self.device)
        if value is None and (self.device.last_uplink is None or self.key == BATTERY):
            return False
        if value == self._value:
            return False
        self._value = value
        return True


class RadioSensor(EndDeviceSensor, RestoreSensor):
    """A sensor of an end device's radio or battery; Home Assistant keeps its last value."""

    @override
    async def async_restore(self) -> None:
        """Show the value from before the restart, unless it was another end device's."""
        stored = await self.async_get_last_sensor_data()
        if stored is None or self.device.taken_over:
            return
        if isinstance(value := stored.native_value, str | int | float):
            self._value = value


class LastUplinkSensor(EndDeviceSensor):
    """The time of the last uplink; others within ten seconds of the one shown don't move it.

    Its attributes say how it was received, and when the next one is due: for cards, which can't
    ask for what sensors that are disabled would show.
    """

    _unrecorded_attributes = frozenset({*RECEPTION, "uplink_interval", "overdue_after"})
    _reception: Mapping[str, Any] = {}

    @callback
    @override
    def read(self) -> bool:
        """Read the time; return whether it moved by enough to be shown."""
        shown, seen = self._value, self.device.last_seen
        same = isinstance(shown, datetime) and seen is not None and seen - shown < LAST_UPLINK_STEP
        # The time alone may have come before, from the registration.
        first = self.device.reception.latest is not None and not self._reception
        if same and not first:
            return False
        if changed := super().read() or first:
            self._attr_extra_state_attributes = {**NOT_IN_LOGBOOK, **self._about_uplinks()}
        return changed

    def _about_uplinks(self) -> dict[str, Any]:
        """Return dBm, dB and seconds; what isn't known yet is left out."""
        device = self.device
        self._reception = reception_of(device)
        overdue_after = self.coordinator.overdue_watch.overdue_after(device)
        known = {
            **self._reception,
            "uplink_interval": _interval(device),
            "overdue_after": (
                None if overdue_after == NEVER else round(overdue_after.total_seconds())
            ),
        }
        return {name: value for name, value in known.items() if value is not None}


class SeenBySensor(RadioSensor):
    """A sensor with the gateways that received the last uplink, the best reception first."""

    _unrecorded_attributes = frozenset({ATTR_SEEN_BY})
    _seen: Mapping[str, Any] | None = None

    @callback
    @override
    def read(self) -> bool:
        """Read the value and the gateways."""
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


_CLASSES = dict.fromkeys(SEEN_BY, SeenBySensor) | {LAST_UPLINK: LastUplinkSensor}


class BatterySensor(RadioSensor):
    """The battery level that an end device reports to the Network Server (DevStatusAns).

    It is called *Battery* where no field of the payload is, else *LoRaWAN battery*; one that is
    registered by that name keeps it.
    """

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        device: EndDeviceState,
        description: EndDeviceSensorDescription,
    ) -> None:
        """Create the sensor; it is disabled at first if the payload has a battery level, too."""
        super().__init__(coordinator, device, description)
        if any(m.is_battery and not m.expected for m in device.decisions.values()):
            self.enabled_at_first = False
        registry = er.async_get(coordinator.hass)
        entity_id = registry.async_get_entity_id(Platform.SENSOR, DOMAIN, self.unique_id or "")
        entry = registry.async_get(entity_id) if entity_id is not None else None
        may_be_only = (
            device.has_fields
            if entry is None
            else entry.translation_key == ONLY_BATTERY_SENSOR.translation_key
        )
        if may_be_only and not any(map(_is_called_battery, device.decisions.values())):
            self.entity_description = ONLY_BATTERY_SENSOR

    def shares_its_name(self) -> bool:
        """Return whether a field of the same name has come since it was created."""
        return self.entity_description is ONLY_BATTERY_SENSOR and any(
            map(_is_called_battery, self.device.decisions.values())
        )


def _is_called_battery(meaning: Meaning) -> bool:
    """Return whether a field has the name that the network's battery level has if it is the only one."""
    quantity = QUANTITIES.get(meaning.quantity or "")
    name = meaning.name or (quantity.name if quantity is not None else "")
    return meaning.is_battery or name.casefold() == ONLY_BATTERY_SENSOR.translation_key


class StatusSensor(EndDeviceEntity, SensorEntity):
    """The status of an end device: never joined, waiting, active, overdue and others.

    An attribute says what the user can do about each but active.
    """

    __slots__ = ("enabled_at_first",)

    entity_description = STATUS_SENSOR
    last_reset = None
    _unrecorded_attributes = frozenset({ATTR_NEXT_STEP})

    @property
    @override
    def available(self) -> bool:
        """Return whether the application is connected; it says so where the device is deleted."""
        return self.coordinator.connection_state.available

    def __init__(self, coordinator: ApplicationCoordinator, device: EndDeviceState) -> None:
        """Create the sensor; it is disabled at first in a large application."""
        super().__init__(coordinator, device, STATUS)
        self.enabled_at_first = not coordinator.large

    @property
    @override
    def entity_registry_enabled_default(self) -> bool:
        """Return whether it is enabled at first."""
        return self.enabled_at_first

    @callback
    @override
    def read(self) -> bool:
        """Read the present status."""
        status = self.coordinator.overdue_watch.status_of(self.device)
        if status == self._attr_native_value:
            return False
        self._attr_native_value = status
        # Its values are translated as the states are, so each has the name of its status.
        steps = {} if status is Status.ACTIVE else {ATTR_NEXT_STEP: status.value}
        self._attr_extra_state_attributes = steps
        return True
