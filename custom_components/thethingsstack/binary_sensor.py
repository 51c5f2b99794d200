"""Binary sensors: decoded states of end devices, and the application's connection."""

from typing import Any, override

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import ApplicationCoordinator, TtsConfigEntry
from .end_devices.state import EndDeviceState
from .entity import ApplicationEntity, FieldEntity, async_setup_fields
from .fields.descriptions import describe_binary_sensor
from .gateways.entities import async_add_gateway_connections
from .payload import Kind, Meaning

PARALLEL_UPDATES = 0
ATTR_DOOR = "door"
ATTR_CATCHING_UP = "catching_up"
ATTR_UPLINKS_READ = "uplinks_read"
ATTR_READ_UNTIL = "read_until"


async def async_setup_entry(
    hass: HomeAssistant, entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the binary sensors of known fields, and later those of new fields."""
    async_add_entities([ConnectionSensor(entry.runtime_data)])
    async_add_gateway_connections(entry, async_add_entities)
    await async_setup_fields(hass, entry, async_add_entities, Kind.BINARY_SENSOR, FieldBinarySensor)


class FieldBinarySensor(FieldEntity, BinarySensorEntity):
    """A decoded field with two states."""

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        device: EndDeviceState,
        path: str,
        meaning: Meaning,
    ) -> None:
        """Create the binary sensor with the class of the field's meaning."""
        super().__init__(coordinator, device, path, meaning)
        self.entity_description = describe_binary_sensor(path, meaning)

    @callback
    @override
    def read(self) -> bool:
        """Read the field's state; return whether it changed."""
        value = self.device.values.get(self.path)
        state = value if isinstance(value, bool) else None
        if state == self._attr_is_on:
            return False
        self._attr_is_on = state
        return True


class ConnectionSensor(ApplicationEntity, BinarySensorEntity):
    """A binary sensor that is on while the stream is connected, with the progress of catching up."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _unrecorded_attributes = frozenset({ATTR_CATCHING_UP, ATTR_UPLINKS_READ, ATTR_READ_UNTIL})

    def __init__(self, coordinator: ApplicationCoordinator) -> None:
        """Create the binary sensor."""
        super().__init__(coordinator, "connection")

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the stream is connected."""
        return (
            self.coordinator.connection_state.connected
            and self.coordinator.connection_state.readable
        )

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return by which way messages come, and how far missed uplinks have been read."""
        progress = self.coordinator.catch_up.progress
        return {
            ATTR_DOOR: self.coordinator.door.current,
            ATTR_CATCHING_UP: not self.coordinator.caught_up,
            ATTR_UPLINKS_READ: progress.uplinks,
            ATTR_READ_UNTIL: progress.until,
        }
