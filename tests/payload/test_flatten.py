"""The shapes of payloads."""

from typing import Any

import pytest

from thethingsstack.payload import understand
from thethingsstack.payload.flatten import flatten


def values(decoded: dict[str, Any]) -> dict[str, Any]:
    """Return the values of an uplink that is a device's first."""
    return understand(decoded, decisions={}).values


def test_paths_never_collide() -> None:
    """A dot in a key isn't a step of a path."""
    paths = [
        leaf.path
        for leaf in flatten({"a": {"b": 1}, "a.b": 2, "a\\.b": 3, "c": [4, 5], "c.0": 6}).leaves
    ]
    assert len(set(paths)) == len(paths) == 6


def test_a_unit_beside_a_value_is_its_unit() -> None:
    """The unit beside a value is the field's."""
    understanding = understand(
        {"x1": {"value": 3.3, "unit": "V", "displayName": "Cell"}}, decisions={}
    )
    assert understanding.values == {"x1.value": 3.3}
    assert understanding.new["x1.value"].unit == "V"
    assert understanding.new["x1.value"].quantity == "voltage"


@pytest.mark.parametrize(
    ("decoded", "expected"),
    [
        ({"co2": {"unit": "ppm", "values": [420, 421, 422]}}, {"co2.values": 420}),
        ({"temperatures": [21.5, 22.5]}, {"temperatures.0": 21.5, "temperatures.1": 22.5}),
        ({"options": ["fast", "safe"]}, {"options": "fast, safe"}),
        ({"history": [{"temperature": 1.5}], "temperature": 2.5}, {"temperature": 2.5}),
        ({"DATALOG": "[1,2,3]"}, {}),
        ({"bytes": [1, 2, 3]}, {}),
        ({"wave": list(range(100))}, {}),
        ({"matrix": [[1, 2], 3]}, {}),
        ({"empty": [], "nothing": {}}, {}),
        (
            {"data": [{"label": "Temperature", "value": 21.5}, {"label": "Humidity", "value": 40}]},
            {"data.Temperature": 21.5, "data.Humidity": 40},
        ),
        (
            {"channels": [{"channel": 2, "pulse": 7}, {"channel": 5, "pulse": 9}]},
            {"channels.channel2.pulse": 7, "channels.channel5.pulse": 9},
        ),
        (
            {"channels": [{"name": "A", "level": 1.5}, {"name": "A", "level": 2.5}]},
            {"channels.name:A.level": 1.5, "channels.name:A #2.level": 2.5},
        ),
        (
            {"listOfMeasurements": [{"name": "activePower", "alias": "p", "data": 100, "ts": 5}]},
            {"listOfMeasurements.activePower": 100},
        ),
        (
            {"OBIS": [{"OBIS_ID": "1_8_0", "unit": "Wh", "value": 55.5, "rawValue": 5}]},
            {"OBIS.1_8_0": 55.5},
        ),
        ({"list": [{"flag": True}, {"flag": False}]}, {"list.0.flag": True, "list.1.flag": False}),
    ],
)
def test_lists_become_fields(decoded: dict[str, Any], expected: dict[str, Any]) -> None:
    """Series, vectors, labels, channels; histories are nothing current."""
    assert values(decoded) == expected


def test_a_series_gives_its_newest_value() -> None:
    """Readings of the same things at different times are one field."""
    series = {
        "readings": [
            {"temperature": 20.5, "time": "2024-05-08T10:00:00Z"},
            {"temperature": 21.5, "time": "2024-05-08T11:00:00Z"},
        ]
    }
    assert values(series)["readings.0.temperature"] == 21.5
    assert "readings.1.temperature" not in values(series)


def test_labels_with_different_times_stay_apart() -> None:
    """Items that name different things are no series."""
    labelled = [
        {"label": "Temperature", "value": 1.5, "date": "2024-05-08T10:00:00Z"},
        {"label": "Humidity", "value": 40, "date": "2024-05-08T11:00:00Z"},
    ]
    assert values({"data": labelled}) == {"data.Temperature": 1.5, "data.Humidity": 40}


def test_sensecap_messages_are_named_by_type() -> None:
    """The type names the field, or else the measurement's number does; lists of lists too."""
    messages = [
        [
            {"measurementId": 4097, "type": "Air Temperature", "measurementValue": "21.5"},
            {"measurementId": "4098", "type": "report_telemetry", "measurementValue": 55},
        ],
        [{"type": "unknown_thing", "measurementId": 9999, "measurementValue": 3}],
    ]
    assert values({"messages": messages, "valid": True}) == {
        "messages.Air Temperature": 21.5,
        "messages.Air Humidity": 55,
        "messages.unknown_thing": 3,
        "valid": True,
    }


def test_sensecap_numbers_have_units() -> None:
    """The measurement's number fixes the unit, whatever the name and size suggest."""
    messages = [
        {
            "measurementId": number,
            "type": label,
            "measurementValue": 101325 if number == 4101 else 1.25,
        }
        for number, label in (
            (4101, "Barometric Pressure"),
            (4108, "Soil EC"),
            (4117, "Liquid Level"),
            (4106, "pH"),
        )
    ]
    units = [m.unit for m in understand({"messages": messages}, decisions={}).new.values()]
    assert units == ["Pa", "mS/cm", "cm", None]


def test_histories_have_no_current_value() -> None:
    """Lists of what was, by any word of their name."""
    for name in (
        "history",
        "logVolumes",
        "dataLogCO2",
        "fdr",
        "records",
        "past_values",
        "datalog1",
    ):
        assert values({name: [{"volume": 12.5}]}) == {}
        assert values({name: [1, 2, 3]}) == {}
    assert values({"past_volume": 12.5, "logger_temperature": 3}) != {}


def test_what_names_an_item_is_no_field() -> None:
    """Name and unit of a list's items are read, not shown."""
    channels = [
        {"name": "A", "unit": "mA", "alias": "in", "reading": 4.5},
        {"name": "B", "unit": "V", "reading": 2.5},
    ]
    assert set(values({"channels": channels})) == {
        "channels.name:A.reading",
        "channels.name:B.reading",
    }


def test_a_parallel_list_gives_units() -> None:
    """Parallel lists give each item its unit."""
    new = understand(
        {"meter": {"Power": [7000.5, 4.5], "Power_Unit": ["W", "kW"]}}, decisions={}
    ).new
    assert new["meter.Power.0"].unit == "W"
    assert new["meter.Power.1"].unit == "kW"


def test_a_list_of_coordinates_is_one_place() -> None:
    """A list of two is a position where its name says so; GeoJSON has the longitude first."""
    first = values({"location": [52.5, 4.25]})["location"]
    second = values({"location": {"type": "Point", "coordinates": [4.25, 52.5]}})
    assert (first.latitude, first.longitude) == (52.5, 4.25)
    assert second["location.coordinates"] == first
    assert values({"location": ["x", 1]}) == {}


def test_limits_of_depth_and_number_are_kept() -> None:
    """What is too deep, too long or too much is counted, not kept."""
    deep: dict[str, Any] = {"x": 1}
    for _ in range(30):
        deep = {"d": deep}
    deep_list: Any = [1]
    for _ in range(30):
        deep_list = [{"d": deep_list}]
    assert understand({"deep": deep, "list": deep_list}, decisions={}).skipped == 2
    assert understand({"k" * 300: 1, "ok": 2}, decisions={}).skipped == 1
    assert understand({"text": "x" * 100_000}, decisions={}).skipped == 1
    many = understand({f"field{n}": n for n in range(5000)}, decisions={})
    assert len(many.new) == 200
    assert many.skipped == 4800
    assert understand({"a": [{"x": n} for n in range(100)]}, decisions={}).skipped == 68
    assert understand({"a" * 150: {"b" * 150: 1}}, decisions={}).skipped == 1


def test_keys_that_are_no_texts_are_read() -> None:
    """Keys of other types than JSON has don't stop the others."""
    odd: dict[Any, Any] = {1: 2.5, None: {"3": 4}}
    assert set(understand(odd, decisions={}).values) == {"1", "None.3"}
