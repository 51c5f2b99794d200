"""Downlink sensors of end devices: last downlink, queue length, count in 24 hours."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..const import NOT_IN_LOGBOOK
from ..end_devices import DOWNLINK_COUNT, DOWNLINK_QUEUE, DOWNLINK_STATE, EndDeviceState
from ..entity import EndDeviceEntity, async_add_in_chunks
from .record import DownlinkState

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator, TtsConfigEntry

STATES = [state.value for state in DownlinkState if state is not DownlinkState.TIMED_OUT]

STATE_SENSOR = SensorEntityDescription(
    key=DOWNLINK_STATE,
    translation_key=DOWNLINK_STATE,
    device_class=SensorDeviceClass.ENUM,
    options=STATES,
    entity_category=EntityCategory.DIAGNOSTIC,
)
QUEUE_SENSOR = SensorEntityDescription(
    key=DOWNLINK_QUEUE,
    translation_key=DOWNLINK_QUEUE,
    state_class=SensorStateClass.MEASUREMENT,
    entity_category=EntityCategory.DIAGNOSTIC,
)
COUNT_SENSOR = SensorEntityDescription(
    key=DOWNLINK_COUNT,
    translation_key=DOWNLINK_COUNT,
    state_class=SensorStateClass.MEASUREMENT,
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
)
DOWNLINK_SENSORS = (STATE_SENSOR, QUEUE_SENSOR, COUNT_SENSOR)


async def async_add_downlink_sensors(
    hass: HomeAssistant, entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of devices that had a downlink; of others at their first downlink."""
    coordinator = entry.runtime_data

    def sensors(device: EndDeviceState) -> list[SensorEntity]:
        if not coordinator.downlinks.standing_of(device).seen:
            return []
        return [
            LastDownlinkSensor(coordinator, device),
            CountSensor(coordinator, device, QUEUE_SENSOR),
            CountSensor(coordinator, device, COUNT_SENSOR),
        ]

    @callback
    def add(device: EndDeviceState) -> None:
        if new := sensors(device):
            async_add_entities(new)

    await async_add_in_chunks(async_add_entities, coordinator.roster.states.values(), sensors)
    entry.async_on_unload(async_dispatcher_connect(hass, coordinator.signals.new_device, add))
    entry.async_on_unload(async_dispatcher_connect(hass, coordinator.signals.first_downlink, add))


class LastDownlinkSensor(EndDeviceEntity, SensorEntity):
    """The state of the newest downlink of an end device; the logbook has it in words instead."""

    entity_description = STATE_SENSOR
    _attr_native_value: str | None = None
    _unrecorded_attributes = frozenset({"correlation_id", "expected", "changed"})

    def __init__(self, coordinator: ApplicationCoordinator, device: EndDeviceState) -> None:
        """Create the sensor."""
        super().__init__(coordinator, device, DOWNLINK_STATE)
        self._details: dict[str, Any] = {}

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Return the downlink's details: why it failed, when it can be sent at the earliest."""
        return {**self._details, **NOT_IN_LOGBOOK}

    @callback
    @override
    def read(self) -> bool:
        """Update from the newest downlink; return whether anything changed."""
        last = self.coordinator.downlinks.standing_of(self.device).last
        if last is None:
            return False
        expected = self.coordinator.downlinks.expected_at(self.device) if last.waiting else None
        details = {
            "f_port": last.f_port,
            "confirmed": last.confirmed,
            "attempt": last.attempt,
            "correlation_id": last.id,
            "error": last.error,
            "reason": last.reason,
            # Rounded to the minute: an estimate, which must not cause a new state at each read.
            "expected": expected.replace(second=0, microsecond=0).isoformat() if expected else None,
            "changed": last.updated.isoformat(),
        }
        if (last.state.value, details) == (self._attr_native_value, self._details):
            return False
        self._attr_native_value, self._details = last.state.value, details
        return True


class CountSensor(EndDeviceEntity, SensorEntity):
    """How many downlinks are queued, or were transmitted in 24 hours."""

    _attr_native_value: int | None = None

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        device: EndDeviceState,
        description: SensorEntityDescription,
    ) -> None:
        """Create the sensor from its description."""
        super().__init__(coordinator, device, description.key)
        self.entity_description = description

    @callback
    @override
    def read(self) -> bool:
        """Update the count; return whether it changed."""
        standing = self.coordinator.downlinks.standing_of(self.device)
        value = standing.queue if self.key == DOWNLINK_QUEUE else standing.in_24_hours
        if value == self._attr_native_value:
            return False
        self._attr_native_value = value
        return True
