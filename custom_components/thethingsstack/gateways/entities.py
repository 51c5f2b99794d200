"""The entities of a gateway; its device belongs to the gateway's subentry."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, override

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
from homeassistant.components.device_tracker import SourceType, TrackerEntity
from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfTime
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from ..client import GatewayConnection, Location
from ..const import NOT_IN_LOGBOOK
from .coordinator import GatewayCoordinator

if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry

ATTR_ALTITUDE = "altitude"
ATTR_SUB_BANDS = "sub_bands"
LAST_SEEN = "gateway_last_seen"

type Shown = int | float | datetime | None


@dataclass(frozen=True, kw_only=True)
class GatewaySensorDescription(SensorEntityDescription):
    """Description of a sensor that every gateway has."""

    value_fn: Callable[[GatewayConnection], Shown]


def _last_seen(connection: GatewayConnection) -> datetime | None:
    """Return when the gateway last sent a status or an uplink; None if it never did."""
    times = (connection.last_status_received_at, connection.last_uplink_received_at)
    return max((time for time in times if time is not None), default=None)


def _round_trip_time(connection: GatewayConnection) -> float | None:
    trip = connection.round_trip_time
    return None if trip is None else trip * 1000


def _duty_cycle(connection: GatewayConnection) -> float | None:
    """Return the used share of the allowed airtime in per cent, of the sub-band where it is most."""
    used = [band.used / band.limit for band in connection.sub_bands if band.limit]
    return max(used) * 100 if used else None


GATEWAY_SENSORS = (
    GatewaySensorDescription(
        key=LAST_SEEN,
        translation_key=LAST_SEEN,
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_last_seen,
    ),
    GatewaySensorDescription(
        key="gateway_uplinks",
        translation_key="gateway_uplinks",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda connection: connection.uplink_count,
    ),
    GatewaySensorDescription(
        key="gateway_downlinks",
        translation_key="gateway_downlinks",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda connection: connection.downlink_count,
    ),
    GatewaySensorDescription(
        key="gateway_round_trip_time",
        translation_key="gateway_round_trip_time",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        suggested_display_precision=1,
        value_fn=_round_trip_time,
    ),
    GatewaySensorDescription(
        key="gateway_duty_cycle",
        translation_key="gateway_duty_cycle",
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        suggested_display_precision=1,
        value_fn=_duty_cycle,
    ),
)


@callback
def async_add_gateway_sensors(
    entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of each gateway, also of later ones."""

    def sensors(gateway: GatewayCoordinator) -> Iterable[GatewaySensor]:
        return [GatewaySensor(gateway, description) for description in GATEWAY_SENSORS]

    entry.runtime_data.gateways.async_connect(sensors, async_add_entities)


@callback
def async_add_gateway_connections(
    entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a binary sensor for the connection of each gateway, also of later ones."""
    entry.runtime_data.gateways.async_connect(
        lambda gateway: [GatewayConnectivity(gateway)], async_add_entities
    )


@callback
def async_add_gateway_trackers(
    entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a tracker for each gateway as soon as its location is known."""

    def tracker(gateway: GatewayCoordinator) -> Iterable[GatewayTracker]:
        def add_located() -> None:
            if _location(gateway) is not None:
                stop()
                async_add_entities(
                    [GatewayTracker(gateway)], config_subentry_id=gateway.subentry_id
                )

        stop = gateway.async_add_listener(add_located)
        return ()

    entry.runtime_data.gateways.async_connect(tracker, async_add_entities)


class GatewayEntity(CoordinatorEntity[GatewayCoordinator]):
    """Base of the entities of a gateway."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: GatewayCoordinator, key: str) -> None:
        """Create the entity in the gateway's device; `key` ends its unique ID."""
        super().__init__(coordinator)
        self._attr_unique_id = f"{coordinator.key}/{key}"
        self._attr_device_info = coordinator.device_info

    @property
    @override
    def available(self) -> bool:
        """Return whether the last reading of the gateway succeeded."""
        return super().available and self.coordinator.data is not None

    @property
    def connection(self) -> GatewayConnection | None:
        """Return the gateway's present connection; None if it isn't connected."""
        data = self.coordinator.data
        connection = data.connection if data is not None else None
        return connection if connection is not None and connection.connected else None


class GatewayConnectivity(GatewayEntity, BinarySensorEntity):
    """A binary sensor that is on while a gateway is connected to the network."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_translation_key = "connection"

    def __init__(self, coordinator: GatewayCoordinator) -> None:
        """Create the binary sensor."""
        super().__init__(coordinator, "gateway_connection")

    @property
    @override
    def is_on(self) -> bool:
        """Return whether it is connected."""
        return self.connection is not None


class GatewaySensor(GatewayEntity, RestoreSensor):
    """A sensor of a gateway's connection; its last-seen time is kept without a connection."""

    entity_description: GatewaySensorDescription
    _unrecorded_attributes = frozenset({ATTR_SUB_BANDS})

    def __init__(
        self, coordinator: GatewayCoordinator, description: GatewaySensorDescription
    ) -> None:
        """Create the sensor from its description."""
        super().__init__(coordinator, description.key)
        self.entity_description = description

    @override
    async def async_added_to_hass(self) -> None:
        """Restore the last-seen time from before the restart."""
        await super().async_added_to_hass()
        if self.entity_description.key == LAST_SEEN:
            stored = await self.async_get_last_sensor_data()
            if stored is not None and isinstance(stored.native_value, datetime):
                self._attr_native_value = stored.native_value
        self._read()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._read()
        super()._handle_coordinator_update()

    @callback
    def _read(self) -> None:
        if self.entity_description.key == LAST_SEEN:
            data = self.coordinator.data
            connection = data.connection if data is not None else None
            if connection is not None and (seen := _last_seen(connection)) is not None:
                self._attr_native_value = seen
            return
        connection = self.connection
        self._attr_native_value = (
            self.entity_description.value_fn(connection) if connection is not None else None
        )

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return the sub-bands with a duty cycle limit: frequencies in Hz, use in per cent."""
        if self.entity_description.key == LAST_SEEN:
            return NOT_IN_LOGBOOK
        connection = self.connection
        if self.entity_description.key != "gateway_duty_cycle" or connection is None:
            return None
        return {
            ATTR_SUB_BANDS: [
                {
                    "from": band.min_frequency,
                    "to": band.max_frequency,
                    "limit": round(band.limit * 100, 4),
                    "used": round(band.used * 100, 4),
                }
                for band in connection.sub_bands
                if band.max_frequency is not None
            ]
        }


class GatewayTracker(GatewayEntity, TrackerEntity):
    """A tracker at the registered location of a gateway's antenna."""

    _attr_source_type = SourceType.GPS
    _attr_translation_key = "position"

    def __init__(self, coordinator: GatewayCoordinator) -> None:
        """Create the tracker."""
        super().__init__(coordinator, "gateway_location")

    @property
    @override
    def latitude(self) -> float | None:
        """Return the latitude in degrees."""
        location = _location(self.coordinator)
        return location.latitude if location is not None else None

    @property
    @override
    def longitude(self) -> float | None:
        """Return the longitude in degrees."""
        location = _location(self.coordinator)
        return location.longitude if location is not None else None

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Return the altitude in metres."""
        location = _location(self.coordinator)
        if location is None or location.altitude is None:
            return {}
        return {ATTR_ALTITUDE: location.altitude}


def _location(gateway: GatewayCoordinator) -> Location | None:
    return gateway.data.gateway.location if gateway.data is not None else None
