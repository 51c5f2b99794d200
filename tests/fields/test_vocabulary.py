"""What payload understanding says of Home Assistant's classes and units, held against its own tables."""

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.sensor import (
    DEVICE_CLASS_STATE_CLASSES,
    DEVICE_CLASS_UNITS,
    SensorDeviceClass,
)
import pytest

from custom_components.thethingsstack.fields.descriptions import STATE_CLASSES
from custom_components.thethingsstack.payload import (
    QUANTITIES,
    UNITS_OF_CLASS,
    Kind,
    Role,
    quantities,
)


@pytest.mark.parametrize("device_class", UNITS_OF_CLASS)
def test_units_are_home_assistants(device_class: str) -> None:
    """A unit that payloads are given is one that the device class takes."""
    legal = DEVICE_CLASS_UNITS.get(SensorDeviceClass(device_class), {None})
    assert {str(unit) if unit else None for unit in legal} >= UNITS_OF_CLASS[device_class]


@pytest.mark.parametrize("key", QUANTITIES)
def test_classes_are_home_assistants(key: str) -> None:
    """Each quantity's device class exists, and takes the quantity's state class."""
    quantity = QUANTITIES[key]
    if quantity.device_class is None:
        return
    if quantity.kind is Kind.BINARY_SENSOR:
        assert quantity.device_class in BinarySensorDeviceClass
        return
    device_class = SensorDeviceClass(quantity.device_class)
    if quantity.role is not Role.TIMESTAMP:
        assert STATE_CLASSES[quantity.role] in DEVICE_CLASS_STATE_CLASSES[device_class]


def test_what_stands_instead_is_legal() -> None:
    """Conversions and quantities by unit end in what Home Assistant takes."""
    pairs = [(name, unit) for name, unit, _ in quantities.INSTEAD.values()]
    pairs += [(name, unit) for unit, name in quantities.BY_UNIT.items()]
    for name, unit in pairs:
        device_class = QUANTITIES[name].device_class
        if device_class is not None:
            assert unit in UNITS_OF_CLASS[device_class], (name, unit)
