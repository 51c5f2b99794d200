"""Device trackers: one for each position from a payload, a location service or a registration."""

from typing import override

from homeassistant.components.device_tracker import (
    SourceType,
    TrackerEntity,
    TrackerEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

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


class FieldTracker(FieldEntity, TrackerEntity):
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
        """Show where the end device was put up until there is a fix."""
        if (position := self.device.registered_position) is not None:
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
