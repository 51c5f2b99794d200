"""What payload understanding says of Home Assistant's classes and units, held against its own tables."""

from homeassistant.components.sensor import DEVICE_CLASS_UNITS, SensorDeviceClass
import pytest

from custom_components.thethingsstack.payload import QUANTITIES, UNITS_OF_CLASS, quantities


@pytest.mark.parametrize("device_class", UNITS_OF_CLASS)
def test_units_are_home_assistants(device_class: str) -> None:
    """A unit that payloads are given is one that the device class takes."""
    legal = DEVICE_CLASS_UNITS.get(SensorDeviceClass(device_class), {None})
    assert {str(unit) if unit else None for unit in legal} >= UNITS_OF_CLASS[device_class]


def test_units_after_conversion_are_home_assistants() -> None:
    """The unit that a value is converted to, or that a quantity is found by, fits its class."""
    pairs = [(name, unit) for name, unit, _ in quantities.INSTEAD.values()]
    pairs += [(name, unit) for unit, name in quantities.BY_UNIT.items()]
    for name, unit in pairs:
        device_class = QUANTITIES[name].device_class
        if device_class is not None:
            assert unit in UNITS_OF_CLASS[device_class], (name, unit)
