"""The sensors of the floor: registered, with device and unit, and nothing else."""

from typing import Any

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import CONF_DEVICES
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from tests.benchmarks.workload import SHAPES, dev_eui, device_id, unique_id

from . import FloorConfigEntry

DOMAIN = "uplink_floor"


def _descriptions(shape: str) -> list[SensorEntityDescription]:
    return [
        SensorEntityDescription(
            key=path,
            name=path.replace("_", " ").replace(".", " ").capitalize(),
            device_class=SensorDeviceClass(field.device_class) if field.device_class else None,
            native_unit_of_measurement=field.unit,
            state_class=SensorStateClass(field.state_class),
        )
        for path, (_, field) in SHAPES[shape].fields.items()
    ]


async def async_setup_entry(
    hass: HomeAssistant, entry: FloorConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of all end devices."""
    sensors = []
    descriptions = _descriptions(entry.data["shape"])
    for device in range(*entry.data[CONF_DEVICES]):
        own = [FloorSensor(device, description) for description in descriptions]
        entry.runtime_data.sensors[device_id(device)] = {
            sensor.entity_description.key: sensor.receive for sensor in own
        }
        sensors += own
    async_add_entities(sensors)


class FloorSensor(SensorEntity):
    """One field of one end device."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, device: int, description: SensorEntityDescription) -> None:
        """Describe it."""
        self.entity_description = description
        self._attr_unique_id = unique_id(device, description.key)
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, dev_eui(device))},
            name=f"Node {device}",
            manufacturer="Dragino",
            model="LHT65N",
            serial_number=dev_eui(device),
        )

    def receive(self, value: Any, context: Context) -> None:
        """Show a value."""
        self._attr_native_value = value
        self.async_set_context(context)
        self.async_write_ha_state()
