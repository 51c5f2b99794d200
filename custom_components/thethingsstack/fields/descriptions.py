"""Map a field's meaning to Home Assistant's device classes, units and state classes."""

from functools import lru_cache
from typing import Required, TypedDict

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntityDescription,
)
from homeassistant.components.sensor import (
    DEVICE_CLASS_STATE_CLASSES,
    DEVICE_CLASS_UNITS,
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory

from ..payload import NO_CLASS, NUMERIC_ROLES, QUANTITIES, Category, Meaning, Role

STATE_CLASSES = {
    Role.MEASUREMENT: SensorStateClass.MEASUREMENT,
    Role.TOTAL: SensorStateClass.TOTAL_INCREASING,
    Role.AMOUNT: SensorStateClass.TOTAL,
    Role.ANGLE: SensorStateClass.MEASUREMENT_ANGLE,
}
NOT_NUMERIC = (SensorDeviceClass.TIMESTAMP, SensorDeviceClass.DATE, SensorDeviceClass.ENUM)


class Common(TypedDict, total=False):
    """Properties that the descriptions of all platforms share."""

    key: Required[str]
    translation_key: str | None
    entity_category: EntityCategory | None
    entity_registry_enabled_default: bool


def common(key: str, meaning: Meaning) -> Common:
    """Return the properties that don't depend on the platform."""
    return Common(
        key=key,
        translation_key=meaning.quantity,
        entity_category=None if meaning.category is Category.PRIMARY else EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=meaning.enabled,
    )


def device_class_of(meaning: Meaning) -> str | None:
    """Return the name of the device class: the user's choice, else the quantity's."""
    if meaning.device_class is not None:
        return None if meaning.device_class == NO_CLASS else meaning.device_class
    return QUANTITIES[meaning.quantity].device_class if meaning.quantity in QUANTITIES else None


def sensor_class(meaning: Meaning) -> SensorDeviceClass | None:
    """Return the sensor's device class; None if its unit doesn't fit the class."""
    if meaning.role is Role.TIMESTAMP:
        return SensorDeviceClass.TIMESTAMP
    if meaning.role not in NUMERIC_ROLES:
        return SensorDeviceClass.ENUM if meaning.options else None
    name = device_class_of(meaning)
    if name is None or name not in SensorDeviceClass:
        return None
    device_class = SensorDeviceClass(name)
    if device_class in NOT_NUMERIC:
        return None
    units = DEVICE_CLASS_UNITS.get(device_class)
    if units is not None and meaning.unit not in units:
        return None
    state_classes = DEVICE_CLASS_STATE_CLASSES.get(device_class)
    if state_classes is not None and (
        (state_class := STATE_CLASSES.get(meaning.role)) and state_class not in state_classes
    ):
        return None
    return device_class


@lru_cache(maxsize=1024)
def describe_sensor(key: str, meaning: Meaning) -> SensorEntityDescription:
    """Return the description of a field's sensor."""
    device_class = sensor_class(meaning)
    numeric = meaning.role in NUMERIC_ROLES
    return SensorEntityDescription(
        **common(key, meaning),
        device_class=device_class,
        native_unit_of_measurement=meaning.unit if numeric else None,
        state_class=STATE_CLASSES.get(meaning.role),
        options=list(meaning.options) if device_class is SensorDeviceClass.ENUM else None,
        suggested_display_precision=meaning.precision if numeric else None,
    )


@lru_cache(maxsize=1024)
def describe_binary_sensor(key: str, meaning: Meaning) -> BinarySensorEntityDescription:
    """Return the description of a field's binary sensor."""
    name = device_class_of(meaning)
    return BinarySensorEntityDescription(
        **common(key, meaning),
        device_class=(
            BinarySensorDeviceClass(name)
            if name is not None and name in BinarySensorDeviceClass
            else None
        ),
    )
