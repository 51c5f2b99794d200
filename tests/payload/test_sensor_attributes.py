"""What a decoded payload says itself of its fields: `_sensor_attr`, and units beside fields."""

from typing import Any

from hypothesis import given, strategies as st
import pytest

from tests.payload.test_properties import payloads
from tests.properties import json_values, thorough
from thethingsstack.payload import (
    Category,
    Context,
    FieldHint,
    Kind,
    KnownField,
    Meaning,
    ModelFields,
    Role,
    Source,
    raw_values,
    understand,
)
from thethingsstack.payload.library import Block, Brand
from thethingsstack.payload.units import Unit


def decided(fields: dict[str, Any], attributes: Any, context: Context | None = None) -> Any:
    """Return the decisions on a payload's fields with what it says of them."""
    payload = {**fields, "_sensor_attr": attributes}
    return understand(payload, decisions={}, context=context or Context()).new


def one(value: Any, attributes: Any, name: str = "x1", context: Context | None = None) -> Meaning:
    """Return the decision on one field."""
    new = decided({name: value}, {name: attributes}, context)
    assert list(new) == [name]
    meaning: Meaning = new[name]
    return meaning


def test_as_ttn_client_reads_it() -> None:
    """The example of its tests: attributes of two fields, and an entry that is none."""
    new = decided(
        {"BatV": 3.016, "TempC_SHT": 24.6, "boolean_1": True},
        {
            "BatV": {
                "unit": "V",
                "device_class": "voltage",
                "state_class": "measurement",
                "entity_category": "diagnostic",
            },
            "TempC_SHT": {"unit": "°C", "device_class": "temperature"},
            "invalid_entry": "not_a_dict",
        },
    )
    assert set(new) == {"BatV", "TempC_SHT", "boolean_1"}
    battery, temperature = new["BatV"], new["TempC_SHT"]
    assert (battery.quantity, battery.unit) == ("battery_voltage", "V")
    assert battery.category is Category.DIAGNOSTIC
    assert (temperature.quantity, temperature.unit) == ("temperature", "°C")
    assert {battery.source, temperature.source} == {Source.FORMATTER}
    assert new["boolean_1"].source is Source.INFERRED


def test_a_name_that_says_nothing_gets_unit_class_and_looks() -> None:
    """All that Home Assistant knows of a sensor; what is no attribute of one is left alone."""
    meaning = one(
        7,
        {
            "unit_of_measurement": "kPa",
            "device_class": "pressure",
            "friendly_name": "Boiler",
            "icon": "mdi:gauge",
            "suggested_display_precision": 2,
            "colour": "red",
        },
    )
    assert (meaning.quantity, meaning.unit, meaning.name) == ("pressure", "kPa", "Boiler")
    assert (meaning.icon, meaning.precision) == ("mdi:gauge", 2)
    assert Meaning.from_dict(meaning.as_dict()) == meaning
    assert "not used" not in meaning.reason
    assert one(7, {"unit": "kPa", "device_class": "pressure"}, "adc").name == "ADC"


@pytest.mark.parametrize(
    ("value", "device_class", "expected"),
    [
        (True, "door", (Kind.BINARY_SENSOR, "door")),
        (0, "window", (Kind.BINARY_SENSOR, "window")),
        ("on", "lock", (Kind.BINARY_SENSOR, "lock")),
        (17, "door", (Kind.SENSOR, None)),
        ("long text", "temperature", (Kind.SENSOR, None)),
        (12.5, "humidity", (Kind.SENSOR, "humidity")),
        (True, "temperature", (Kind.BINARY_SENSOR, None)),
    ],
)
def test_a_class_counts_where_the_value_can_have_it(
    value: Any, device_class: str, expected: tuple[Kind, str | None]
) -> None:
    """A truth can be a door, a number can't; what isn't used is named."""
    meaning = one(value, {"device_class": device_class})
    assert (meaning.kind, meaning.quantity) == expected
    used = expected[1] is not None
    assert ("not used" in meaning.reason) is not used
    assert (meaning.source is Source.FORMATTER) is used


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        ({"unit": 7}, "unit “7”"),
        ({"unit": "x" * 50}, "unit “xxx"),
        ({"unit": "V\n"}, "unit “V"),
        ({"device_class": "warmth"}, "device_class “warmth”"),
        ({"device_class": ["door"]}, "device_class"),
        ({"state_class": "often"}, "state_class “often”"),
        ({"entity_category": "config"}, "entity_category “config”"),
        ({"icon": "<script>"}, "icon"),
        ({"name": ""}, "name"),
        ({"suggested_display_precision": True}, "suggested_display_precision “True”"),
        ({"unit": "V", "device_class": "temperature"}, "device_class “temperature”"),
        ({"unit": "kWh", "state_class": "measurement"}, "state_class “measurement”"),
        ({"state_class": "measurement_angle"}, "state_class “measurement_angle”"),
        ("V", "attributes “V”"),
    ],
    ids=repr,
)
def test_what_makes_no_sense_is_left_out_and_named(attributes: Any, what: str) -> None:
    """The field is there all the same; the reason in the Fields dialogue begins with it."""
    meaning = one(5, attributes)
    assert meaning.kind is Kind.SENSOR
    assert meaning.reason.partition("”: ")[2].startswith(f"_sensor_attr, not used: {what}")


def test_an_unknown_unit_is_kept_where_no_quantity_forbids_it() -> None:
    """Home Assistant shows any unit, but not with the class of another quantity."""
    assert one(4, {"unit": "drops"}).unit == "drops"
    temperature = one(21.5, {"unit": "drops"}, "temperature")
    assert (temperature.quantity, temperature.unit) == ("temperature", "°C")
    assert "not used: unit “drops”" in temperature.reason


def test_impossible_numbers_are_of_no_class() -> None:
    """What the values contradict is not believed."""
    assert one(400, {"device_class": "humidity", "unit": "%"}).quantity is None


def test_fields_in_objects_are_named_as_ttn_client_names_them() -> None:
    """Joined with an underscore; a path is understood as well."""
    co2 = {"unit": "ppm", "device_class": "carbon_dioxide"}
    for name in ("air_q", "air.q"):
        new = decided({"air": {"q": 417}}, {name: co2})
        assert new["air.q"].quantity == "carbon_dioxide"


def test_sums_and_counters() -> None:
    """The state class says how values behave over time."""
    assert one(5, {"unit": "L", "device_class": "water"}).role is Role.TOTAL
    assert one(5, {"state_class": "total"}).role is Role.AMOUNT
    assert one(5, {"state_class": "total_increasing"}).role is Role.TOTAL


def test_the_library_wins_for_its_own_paths_only() -> None:
    """A path is said of this field, a pattern of many: what the payload says is nearer."""
    block = Block(
        models=frozenset({"m"}),
        source="a manual of theirs",
        fields={"x1": "voltage mV", "*": "humidity %"},
    )
    known = Brand(name="B", blocks=(block,)).fields_of("m")
    context = Context(known=known)
    said = {"unit": "A", "device_class": "current"}
    assert one(5, said, "x1", context).source is Source.LIBRARY
    other = one(5, said, "x2", context)
    assert (other.source, other.quantity) == (Source.FORMATTER, "current")
    new = understand({"x3": 5}, decisions={}, context=context).new
    assert new["x3"].source is Source.LIBRARY
    assert isinstance(known, ModelFields)
    assert isinstance(known.exact["x1"], KnownField)


def test_the_payload_is_nearer_than_the_text_of_its_formatter() -> None:
    """Both are the formatter's: what it sends now counts."""
    context = Context(formatter={"x1": FieldHint(unit=Unit("V"))})
    assert one(5, {"unit": "A"}, "x1", context).unit == "A"
    assert one(5, {"name": "Cell"}, "x1", context).unit == "V"


def test_attributes_are_no_fields() -> None:
    """Neither at first nor later, nor in the list of what was reported; none are in `raw_values`."""
    payload = {"x1": 5, "_sensor_attr": {"x1": {"unit": "V"}, "gone": {"unit": "A"}}}
    first = understand(payload, decisions={})
    assert list(first.new) == ["x1"]
    later = understand({**payload, "x1": 6}, decisions=first.new)
    assert (later.new, later.values) == ({}, {"x1": 6})
    assert list(raw_values(payload)) == ["x1"]


def test_a_unit_beside_a_field() -> None:
    """It counts as before; one that isn't known is named, and is no field either way."""
    new = understand(
        {"flow": 3, "flowUnit": "l/min", "x1": 5, "x1_unit": "blorp"}, decisions={}
    ).new
    assert (new["flow"].unit, new["flow"].source) == ("L/min", Source.HINTS)
    assert new["x1"].unit is None
    assert "unknown unit “blorp”" in new["x1"].reason
    assert {path for path, m in new.items() if m.kind is not Kind.IGNORE} == {"flow", "x1"}


_attributes = st.dictionaries(
    st.sampled_from(["unit", "device_class", "state_class", "entity_category", "name", "icon"]),
    st.one_of(
        json_values,
        st.sampled_from(["V", "°C", "%", "kWh", "°", "drops", "", "temperature", "door", "energy"]),
        st.sampled_from(["battery", "water", "total", "measurement", "measurement_angle"]),
    ),
)


@thorough(150)
@given(payloads, st.one_of(json_values, st.dictionaries(st.text(max_size=5), _attributes)))
def test_whatever_is_said_breaks_nothing(payload: dict[str, Any], said: Any) -> None:
    """Any attributes of any fields: the same fields, each readable again."""
    if isinstance(said, dict):
        keys = list(payload)
        said = {keys[i] if i < len(keys) else k: v for i, (k, v) in enumerate(said.items())}
    plain = understand(payload, decisions={}, decide_absent=True)
    payload = {key: value for key, value in payload.items() if key != "_sensor_attr"}
    found = understand({**payload, "_sensor_attr": said}, decisions={}, decide_absent=True)
    assert found.new.keys() == plain.new.keys()
    for meaning in found.new.values():
        assert Meaning.from_dict(meaning.as_dict()) == meaning
    again = understand({**payload, "_sensor_attr": said}, decisions=found.new)
    assert not again.new
