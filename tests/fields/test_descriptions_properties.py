"""What payloads become in Home Assistant is legal in its own tables, whatever they contain."""

from typing import Any

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.sensor import (
    DEVICE_CLASS_STATE_CLASSES,
    DEVICE_CLASS_UNITS,
    STATE_CLASS_UNITS,
    SensorDeviceClass,
    SensorStateClass,
)
from homeassistant.core import HomeAssistant
from hypothesis import given, strategies as st

from custom_components.thethingsstack.fields.decisions import FieldDecisions, display_name, shown
from custom_components.thethingsstack.fields.descriptions import (
    describe_binary_sensor,
    describe_sensor,
    sensor_class,
)
from custom_components.thethingsstack.payload import Kind, Meaning, understand
from custom_components.thethingsstack.payload.vocabulary import CONCEPTS
from tests.properties import thorough

_words = st.lists(st.sampled_from(sorted(CONCEPTS)), min_size=1, max_size=4)
_units = (
    "",
    "°C",
    "%",
    "V",
    "mV",
    "A",
    "W",
    "kWh",
    "m³",
    "L/h",
    "mm",
    "hPa",
    "dBm",
    "lx",
    "°",
    "ppb",
    "s",
    "Ω",
)
_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 70_000),
    st.floats(-300, 2000, allow_nan=False),
    st.sampled_from(["open", "offen", "NULL", "some text", "2024-05-08T10:00:00Z"]),
    st.tuples(st.floats(0, 100), st.sampled_from(_units)).map(lambda two: f"{two[0]:.2f} {two[1]}"),
)
_payloads = st.dictionaries(_words.map("_".join), _values, min_size=1, max_size=12)
_thorough = thorough(150)


def _check(meaning: Meaning) -> None:
    if meaning.kind is Kind.BINARY_SENSOR:
        flag = describe_binary_sensor("key", meaning).device_class
        assert flag is None or flag in BinarySensorDeviceClass
    if meaning.kind is not Kind.SENSOR:
        return
    description = describe_sensor("key", meaning)
    unit, state_class = description.native_unit_of_measurement, description.state_class
    device_class = sensor_class(meaning)
    assert description.device_class is device_class
    if device_class is not None:
        assert unit in DEVICE_CLASS_UNITS.get(device_class, {unit}), meaning
        allowed = DEVICE_CLASS_STATE_CLASSES.get(device_class)
        assert allowed is None or state_class is None or state_class in allowed, meaning
    if isinstance(state_class, SensorStateClass):
        assert unit in STATE_CLASS_UNITS.get(state_class, {unit}), meaning
    if description.options is not None:
        assert device_class is SensorDeviceClass.ENUM
        assert (state_class, unit) == (None, None)


@_thorough
@given(_payloads)
def test_class_unit_and_state_class_of_any_payload_are_legal(payload: dict[str, Any]) -> None:
    """Every description that a payload leads to is one that Home Assistant takes."""
    for meaning in understand(payload, decisions={}, decide_absent=True).new.values():
        _check(meaning)


async def test_no_two_fields_of_a_device_have_one_name(hass: HomeAssistant) -> None:
    """Names that fields would share are told apart when they are kept."""

    @_thorough
    @given(_payloads, _payloads)
    def kept_names(first: dict[str, Any], second: dict[str, Any]) -> None:
        store = FieldDecisions(hass, "entry", lambda _key: None)
        for payload in (first, second, {"outer": first}):
            new = understand(payload, decisions=store.of("device")).new
            store.remember("device", new)
        names = [
            display_name(meaning).casefold()
            for meaning in store.of("device").values()
            if shown(meaning)
        ]
        assert len(names) == len(set(names))
        assert all(len(name) <= 100 for name in names)

    kept_names()
