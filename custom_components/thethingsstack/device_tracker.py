"""Device trackers: one for each position from a payload, a location service or a registration."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.components.device_tracker import (
    SourceType,
    TrackerEntity,
    TrackerEntityDescription,
)
from homeassistant.const import ATTR_GPS_ACCURACY, ATTR_LATITUDE, ATTR_LONGITUDE, EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import RestoreEntity

from .coordinator import ApplicationCoordinator, TtsConfigEntry
from .end_devices.listeners import LOCATION
from .end_devices.state import EndDeviceState
from .entity import FieldEntity, async_setup_fields
from .fields.descriptions import common
from .gateways.entities import async_add_gateway_trackers
from .payload import Kind, Meaning, Position

PARALLEL_UPDATES = 0
ATTR_ALTITUDE = "altitude"


async def async_setup_entry(
    hass: HomeAssistant, entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the trackers of known positions, and later those of new ones."""
    async_add_gateway_trackers(entry, async_add_entities)
    await async_setup_fields(hass, entry, async_add_entities, Kind.DEVICE_TRACKER, FieldTracker)


class FieldTracker(FieldEntity, TrackerEntity, RestoreEntity):
    """A tracker of an end device; without a new fix it keeps the last position."""

    _attr_source_type = SourceType.GPS
    _position: Position | None = None

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        device: EndDeviceState,
        path: str,
        meaning: Meaning,
    ) -> None:
        """Create the tracker for a field that is a position."""
        super().__init__(coordinator, device, path, meaning)
        self.entity_description = TrackerEntityDescription(**common(path, meaning))

    @property
    @override
    def entity_category(self) -> EntityCategory | None:
        """Return None for a position in the payload; the place of a fixed device is diagnostic."""
        if self.path == LOCATION:
            return EntityCategory.DIAGNOSTIC
        return self.entity_description.entity_category

    @override
    async def async_restore(self) -> None:
        """Restore the position from before the restart, unless an uplink was received since."""
        if self.path in self.device.values:
            return
        state = await self.async_get_last_state()
        position = _position_of(state.attributes) if state else None
        if position is None:  # no fix yet: where it was put up
            position = self.device.registered_position
        if position is not None:
            self.device.restore(self.path, position)

    @callback
    @override
    def read(self) -> bool:
        """Read the position; return whether it changed."""
        position = self.device.values.get(self.path)
        if not isinstance(position, Position) or position == self._position:
            return False
        self._position = position
        self._attr_latitude = position.latitude
        self._attr_longitude = position.longitude
        self._attr_location_accuracy = position.accuracy or 0
        self._attr_extra_state_attributes = (
            {} if position.altitude is None else {ATTR_ALTITUDE: position.altitude}
        )
        return True


def _position_of(attributes: Mapping[str, Any]) -> Position | None:
    latitude, longitude = attributes.get(ATTR_LATITUDE), attributes.get(ATTR_LONGITUDE)
    if latitude is None or longitude is None:
        return None
    return Position(
        latitude, longitude, attributes.get(ATTR_ALTITUDE), attributes.get(ATTR_GPS_ACCURACY)
    )
