"""Every quantity that payloads can mean has a description that Home Assistant accepts."""

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.sensor import (
    DEVICE_CLASS_STATE_CLASSES,
    DEVICE_CLASS_UNITS,
    SensorDeviceClass,
)
from homeassistant.const import EntityCategory
import pytest

from custom_components.thethingsstack.fields.descriptions import (
    STATE_CLASSES,
    describe_binary_sensor,
    describe_sensor,
)
from custom_components.thethingsstack.payload import (
    QUANTITIES,
    Category,
    Kind,
    Meaning,
    Role,
    understand,
)


def meaning(**changes: object) -> Meaning:
    """Return a meaning with what the test is about."""
    values: dict[str, object] = {
        "kind": Kind.SENSOR,
        "quantity": "temperature",
        "unit": "°C",
        "role": Role.MEASUREMENT,
        "category": Category.PRIMARY,
        "enabled": True,
        "name": None,
        "rule": "test",
        "reason": "test",
        **changes,
    }
    return Meaning(**values)  # type: ignore[arg-type]


def of_kind(kind: Kind) -> list[str]:
    """Return the keys of the quantities that are shown as entities of a kind."""
    return sorted(key for key, quantity in QUANTITIES.items() if quantity.kind is kind)


@pytest.mark.parametrize("key", of_kind(Kind.SENSOR))
def test_a_sensor_has_the_class_of_its_quantity(key: str) -> None:
    """Nothing of a quantity is lost because Home Assistant's own tables contradict it."""
    quantity = QUANTITIES[key]
    description = describe_sensor(
        key, meaning(quantity=key, unit=quantity.unit, role=quantity.role)
    )
    assert description.translation_key == key
    assert description.device_class == quantity.device_class
    assert description.state_class == STATE_CLASSES.get(quantity.role)
    if description.device_class is not None and description.state_class is not None:
        state_classes = DEVICE_CLASS_STATE_CLASSES[description.device_class]
        assert description.state_class in state_classes


@pytest.mark.parametrize("key", of_kind(Kind.BINARY_SENSOR))
def test_a_binary_sensor_has_the_class_of_its_quantity(key: str) -> None:
    """A class that Home Assistant doesn't know would vanish silently."""
    quantity = QUANTITIES[key]
    description = describe_binary_sensor(
        key, meaning(kind=quantity.kind, quantity=key, unit=None, role=quantity.role)
    )
    assert description.translation_key == key
    assert description.device_class == quantity.device_class


def test_a_sensor_by_its_meaning() -> None:
    """Class, unit, state class, precision, name and category."""
    description = describe_sensor("t", meaning(precision=2))
    assert description.device_class is SensorDeviceClass.TEMPERATURE
    assert description.native_unit_of_measurement == "°C"
    assert description.state_class == "measurement"
    assert description.suggested_display_precision == 2
    assert description.translation_key == "temperature"
    assert description.entity_category is None


def test_no_class_is_better_than_one_that_the_unit_contradicts() -> None:
    """Home Assistant would refuse it, and statistics would suffer."""
    description = describe_sensor("t", meaning(unit="V"))
    assert description.device_class is None
    assert description.native_unit_of_measurement == "V"


def test_texts_and_times_have_no_unit_or_state_class() -> None:
    """Also where the decision has a unit."""
    text = describe_sensor("t", meaning(role=Role.STATE, quantity=None, name="Mode"))
    assert (text.device_class, text.native_unit_of_measurement, text.state_class) == (
        None,
        None,
        None,
    )
    choice = describe_sensor("t", meaning(role=Role.STATE, options=("a", "b")))
    assert choice.device_class is SensorDeviceClass.ENUM
    assert choice.options == ["a", "b"]
    time = describe_sensor("t", meaning(role=Role.TIMESTAMP, unit=None))
    assert time.device_class is SensorDeviceClass.TIMESTAMP


def test_settings_are_diagnostic_and_disabled() -> None:
    """Category and default come from the meaning of the field."""
    description = describe_binary_sensor(
        "x",
        meaning(
            kind=Kind.BINARY_SENSOR,
            role=Role.FLAG,
            quantity="door",
            category=Category.CONFIGURATION,
            enabled=False,
        ),
    )
    assert description.device_class is BinarySensorDeviceClass.DOOR
    assert description.entity_category is EntityCategory.DIAGNOSTIC
    assert description.entity_registry_enabled_default is False


def test_units_come_in_home_assistants_spelling() -> None:
    """Units and state classes of all fields of a typical payload fit their classes."""
    decoded = {
        "temperature": 21.5,
        "humidity": 40,
        "co2": 600,
        "pm2_5": 12,
        "pressure": 1013.2,
        "battery_mv": 3300,
        "light_lux": 120,
        "wind_speed": 3.2,
        "energy_kwh": 12.5,
    }
    for path, found in understand(decoded, decisions={}).new.items():
        description = describe_sensor(path, found)
        if description.device_class is not None:
            assert (
                description.native_unit_of_measurement
                in DEVICE_CLASS_UNITS[description.device_class]
            ), path
            assert (
                description.state_class in DEVICE_CLASS_STATE_CLASSES[description.device_class]
            ), path
