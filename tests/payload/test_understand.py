"""Uplinks: known and new fields, sticky decisions, normalized payloads, anything at all."""

from datetime import UTC, datetime
import random
from typing import Any

import pytest

from thethingsstack.payload import (
    QUANTITIES,
    UNITS_OF_CLASS,
    Kind,
    Meaning,
    Position,
    Role,
    understand,
)


def decided(decoded: dict[str, Any]) -> dict[str, Meaning]:
    """Return the decisions that a first uplink leaves."""
    return dict(understand(decoded, decisions={}).new)


@pytest.mark.parametrize(
    ("key", "first", "absent"),
    [
        (
            "temperature",
            21.5,
            [
                327.67,
                -327.68,
                3276.7,
                6553.5,
                655.35,
                -999,
                32767,
                65535,
                85000,
                "NULL",
                "0x7FFF",
                3.4e38,
            ],
        ),
        ("battery_voltage", 3.6, [65.535, 655.35]),
        ("batteryVoltage", 3600, [65535]),
        ("humidity", 40, [655.35, 255, 127.5]),
        ("pm25", 5, [65535, 32767]),
        ("conductivity", 500, [65535, 4294967295]),
    ],
)
def test_full_scale_is_no_value(key: str, first: float, absent: list[Any]) -> None:
    """What counters show when nothing was measured is unknown, as a number and as a text."""
    decisions = decided({key: first})
    for value in absent:
        assert understand({key: value}, decisions=decisions).values == {key: None}, value
        assert understand({key: str(value)}, decisions=decisions).values == {key: None}, value
    fine = {"temperature": 32.767, "batteryVoltage": 3276, "conductivity": 327.67}
    if key in fine:
        assert understand({key: fine[key]}, decisions=decisions).values == {key: fine[key]}


def test_no_payload_has_no_fields() -> None:
    """No payload has no fields."""
    understanding = understand(None, decisions={})
    assert (understanding.values, understanding.new, understanding.skipped) == ({}, {}, 0)


@pytest.mark.parametrize(
    ("first", "later", "value"),
    [
        (21.5, "No Sensor", None),
        (21.5, "distance error", None),
        (21.5, True, None),
        (21.5, None, None),
        (21.5, {}, None),
        (21.5, 327.67, None),
        (21.5, 3.4e38, None),
        (21.5, float("nan"), None),
        (21.5, -300, None),
        (21.5, "22 ℃", 22),
        (21.5, "22,5", 22.5),
        (21.5, "2 V", None),
        (21.5, 22, 22),
    ],
)
def test_a_decision_outlives_odd_values(first: Any, later: Any, value: Any) -> None:
    """A value that doesn't fit is unknown; it never changes what the field is."""
    decisions = decided({"temperature": first})
    understanding = understand({"temperature": later}, decisions=decisions)
    assert understanding.new == {}
    assert understanding.values.get("temperature") == value


@pytest.mark.parametrize(
    ("key", "first", "later", "value"),
    [
        ("status_text", "all well", 5, 5),
        ("status_text", "all well", 5.0, 5),
        ("status_text", "all well", True, "true"),
        ("status_text", "all well", "x" * 300, None),
        ("status_text", "all well", " fine ", "fine"),
        ("door", True, "closed", False),
        ("door", True, 7, True),
        ("door", True, "purple", True),
        ("door", True, None, None),
        (
            "timestamp",
            1715186753,
            "2024-05-08T16:45:53Z",
            datetime(2024, 5, 8, 16, 45, 53, tzinfo=UTC),
        ),
        ("timestamp", 1715186753, 5, None),
        ("timestamp", 1715186753, None, None),
        ("battery_voltage", 3300, "3.3 V", 3300),
        ("battery", 0.5, "60 %", 60),
        ("x", 5, 65535, None),
        ("count", 5, 65535, 65535),
        ("scene", 1, [1], None),
    ],
)
def test_later_values_in_other_shapes_are_read(
    key: str, first: Any, later: Any, value: Any
) -> None:
    """Each role reads what it can of whatever comes."""
    assert understand({key: later}, decisions=decided({key: first})).values.get(key) == value


@pytest.mark.parametrize(
    "decoded",
    [
        {"air": {"temperature": 21.5, "humidity": {"value": 40, "unit": "%"}}, "battery": 3.1},
        {"air": {"temperature": 21.5}, "history": {"temperature": 3}, "log": {"log": {"rain": 1}}},
        {"air": {"temp.in": 21.5, "a\\b": 2}, "x.y": {"rain": 1.5}},
        {"gps": {"latitude": 52.1, "longitude": 4.9, "altitude": 3}, "air": {"co2": 400}},
        {"lat": {"value": 52.1}, "lon": {"value": 4.9}, "air": {"co2": 400}},
        {"air": {"temperature": "broken", "co2": 65535, "mode": "eco", "none": None, "on": True}},
        {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"rain": 1.5}}}}}}}}, "air": {"co2": 400}},
        {"air": {"co2": [400, 401], "tvoc": {}}, "soil": {"moisture": 12}},
    ],
)
def test_known_members_of_objects_are_read_as_with_others_beside_them(
    decoded: dict[str, Any],
) -> None:
    decisions = decided({**decoded, "air": {"temperature": 20.5, **decoded.get("air", {})}})
    alone = understand(decoded, decisions=decisions)
    beside = understand({**decoded, "nothing": []}, decisions=decisions)
    assert alone == beside
    assert alone.values or decisions.keys() <= {"air.temperature"}


def test_a_sentinel_decides_nothing() -> None:
    """Fields without a value wait for one; by name they can be decided at once."""
    decoded = {"temperature": 327.67, "humidity": None, "distance": "No Sensor"}
    assert understand(decoded, decisions={}).new == {}
    new = understand(decoded, decisions={}, decide_absent=True).new
    assert [meaning.quantity for meaning in new.values()] == ["temperature", "humidity", "distance"]


def test_ignored_fields_are_remembered() -> None:
    """What isn't shown is decided on once, too."""
    decisions = decided({"fPort": 2})
    assert decisions["fPort"].kind is Kind.IGNORE
    again = understand({"fPort": 3}, decisions=decisions)
    assert (again.new, again.values) == ({}, {})


@pytest.mark.parametrize(
    ("decoded", "path", "expected"),
    [
        ({"lat": 52.5, "lon": 4.25}, "lat", Position(52.5, 4.25)),
        (
            {"gps": {"latitude": 52.5, "longitude": 4.25, "altitude": 7, "accuracy": 3}},
            "gps.latitude",
            Position(52.5, 4.25, 7.0, 3.0),
        ),
        (
            {"gps_latitude_2": "52.5", "gps_longitude_1": 9, "gps_longitude_2": "4.25"},
            "gps_latitude_2",
            Position(52.5, 4.25),
        ),
        ({"position": "52.50,4.25"}, "position", Position(52.5, 4.25)),
        ({"lat": 0, "lon": 0}, "lat", None),
        ({"lat": 52.5}, "lat", None),
        ({"lat": 520, "lon": 4}, "lat", None),
        (
            {"lat": 52.5, "lon": 4.25, "altitude": 99999, "accuracy": -1},
            "lat",
            Position(52.5, 4.25),
        ),
    ],
)
def test_a_pair_of_coordinates_is_one_tracker(
    decoded: dict[str, Any], path: str, expected: Position | None
) -> None:
    """One tracker per pair, with altitude and accuracy where they are told."""
    understanding = understand(decoded, decisions={})
    trackers = [p for p, m in understanding.new.items() if m.kind is Kind.DEVICE_TRACKER]
    assert trackers == [path]
    assert understanding.values[path] == expected
    again = understand(decoded, decisions=understanding.new)
    assert again.values == understanding.values
    assert again.new == {}


def test_a_position_that_is_lost() -> None:
    """No fix is no position."""
    decisions = decided({"lat": 52.5, "lon": 4.25})
    assert understand({"lat": None, "lon": None}, decisions=decisions).values == {"lat": None}


def test_a_normalized_payload_alone_has_certain_units() -> None:
    """The schema's units are certain."""
    normalized = [
        {
            "air": {"temperature": 20.5, "location": "indoor"},
            "soil": {"ec": 1.5, "moisture": 30},
            "battery": 3.6,
            "action": {"motion": {"detected": True, "count": 3}, "contactState": "open"},
            "water": {"leak": "true", "temperature": {"min": 3.5}},
            "position": {"latitude": 52.5, "longitude": 4.25},
            "wind": {"direction": 90},
            "time": "2024-05-08T10:00:00Z",
        }
    ]
    understanding = understand(None, normalized, decisions={})
    told = {path: understanding.new[path].quantity for path in understanding.values}
    assert told == {
        "air.temperature": "temperature",
        "air.location": None,
        "soil.ec": "conductivity",
        "soil.moisture": "soil_moisture",
        "battery": "battery_voltage",
        "action.motion.detected": "motion",
        "action.motion.count": "count",
        "action.contactState": "opening",
        "water.leak": "leak",
        "water.temperature.min": "water_temperature",
        "position.latitude": "position",
        "wind.direction": "wind_direction",
    }
    assert understanding.values["water.leak"] is True
    assert understanding.values["position.latitude"] == Position(52.5, 4.25)
    assert understanding.new["air.location"].options == ("indoor", "outdoor")
    assert understanding.new["soil.ec"].unit == "mS/cm"
    assert understanding.new["water.temperature.min"].name == "Water temperature min"
    assert understanding.new["time"].kind is Kind.IGNORE
    again = understand(None, normalized, decisions=understanding.new)
    assert (again.new, again.values) == ({}, understanding.values)


def test_a_normalized_payload_adds_what_the_decoded_one_lacks() -> None:
    """What the decoded payload tells isn't told twice; the rest is added."""
    decoded = {"TempC_SHT": 20.5, "battery_voltage": 3600, "x": "y z"}
    normalized = [{"air": {"temperature": 20.5, "co2": 500}, "battery": 3.6}]
    understanding = understand(decoded, normalized, decisions={})
    assert set(understanding.values) == {"TempC_SHT", "battery_voltage", "x", "air.co2"}
    assert understanding.new["air.temperature"].kind is Kind.IGNORE
    assert understanding.new["battery"].kind is Kind.IGNORE
    again = understand(decoded, normalized, decisions=understanding.new)
    assert (again.new, again.values) == ({}, understanding.values)


def test_a_decoded_payload_that_is_normalized_already() -> None:
    """The same fields are the same entities, in the schema's units."""
    payload = {"soil": {"ec": 30}, "air": {"temperature": 20.5}}
    understanding = understand(payload, [payload], decisions={})
    assert understanding.new["soil.ec"].unit == "mS/cm"
    assert understanding.values == {"soil.ec": 30, "air.temperature": 20.5}


def test_of_normalized_measurements_the_newest_counts() -> None:
    """Several measurements are in order of their time, without times the first is the newest."""
    items = [
        {"time": "2024-05-08T10:00:00Z", "air": {"temperature": 1.5}},
        {"time": "2024-05-08T11:00:00Z", "air": {"temperature": 2.5}},
    ]
    assert understand(None, items, decisions={}).values == {"air.temperature": 2.5}
    bare = [{"air": {"temperature": 1.5}}, {"air": {"temperature": 2.5}}]
    assert understand(None, bare, decisions={}).values == {"air.temperature": 1.5}


def test_a_percentage_in_the_normalized_battery_is_one() -> None:
    """The schema says volts; some formatters say percent."""
    assert understand(None, [{"battery": 87}], decisions={}).new["battery"].quantity == "battery"


def test_a_normalized_payload_has_limits_too() -> None:
    """Nothing, too long and too much."""
    odd = [{"air": {"temperature": None}, "text": "x" * 300, "one": 1}]
    assert set(understand(None, odd, decisions={}).new) == {"one"}
    full = decided({f"f{n}": n for n in range(200)})
    assert understand(None, [{"one": 1}], decisions=full).skipped == 1


_KEYS = [
    "temperature",
    "temp",
    "hum",
    "battery",
    "bat",
    "lat",
    "lon",
    "latitude",
    "longitude",
    "value",
    "unit",
    "data",
    "values",
    "history",
    "readings",
    "messages",
    "measurementId",
    "type",
    "measurementValue",
    "label",
    "name",
    "time",
    "pm2.5",
    "a.b",
    "\\",
    ".",
    "1",
    "alarm",
    "door",
    "GPS",
    "position",
    "channels",
    "payload",
    "温度",
    "TempC_DS",
    "count",
    "BatV",
]
_TEXTS = (
    "23,5 °C",
    "OPEN",
    "0xFFFF",
    "2024-05-08T10:00:00Z",
    "2024-99-99",
    "99999-01-01",
    "1e999",
    "52.1,4.2",
    "NULL",
    "x" * 300,
    "",
    "No Sensor",
    "12.5 V",
    "²",
    "٣",
    "1" * 60,
    "Wed, 16 Dec 2020 11:22:33 GMT",
    "\ud800",
    "%",
    "report_telemetry",
)


def _anything(chance: random.Random, depth: int = 0) -> Any:
    match chance.randrange(14 if depth < 6 else 10):
        case 0:
            return chance.choice([None, True, False])
        case 1 | 2:
            return chance.randrange(-70_000, 70_000)
        case 3 | 4:
            return chance.random() * 100
        case 5:
            return chance.choice([float("nan"), float("inf"), 10**400, -(10**20), 65535, -999])
        case 6 | 7 | 8 | 9:
            return chance.choice(_TEXTS)
        case 10 | 11:
            return _object(chance, depth + 1)
        case _:
            return [_anything(chance, depth + 1) for _ in range(chance.randrange(4))]


def _object(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    return {
        chance.choice(_KEYS) + chance.choice(("", "", "_1", "C", " ")): _anything(chance, depth)
        for _ in range(chance.randrange(6))
    }


def _legal(meaning: Meaning) -> bool:
    if meaning.quantity is None or meaning.kind is not Kind.SENSOR:
        return True
    device_class = QUANTITIES[meaning.quantity].device_class
    if meaning.role not in (Role.MEASUREMENT, Role.TOTAL, Role.ANGLE):
        return True
    return device_class not in UNITS_OF_CLASS or meaning.unit in UNITS_OF_CLASS[device_class]


@pytest.mark.parametrize("seed", range(8))
def test_random_json_is_understood(seed: int) -> None:
    """Nothing raises, decisions stay, are legal, storable, and don't depend on the order."""
    chance = random.Random(seed)
    for _ in range(300):
        payload, normalized = _object(chance), [_object(chance)]
        first = understand(payload, normalized, decisions={})
        turned = dict(reversed(payload.items()))
        assert understand(turned, normalized, decisions={}).new == first.new
        for path, meaning in first.new.items():
            assert len(path) <= 255
            assert _legal(meaning)
            assert Meaning.from_dict(meaning.as_dict()) == meaning
            assert meaning.name is None or 0 < len(meaning.name) <= 80
        known = dict(first.new)
        second = understand(_object(chance) | payload, [_object(chance)], decisions=known)
        assert not second.new.keys() & known.keys()
        for value in (*first.values.values(), *second.values.values()):
            assert value is None or isinstance(value, float | int | str | datetime | Position)
            assert not isinstance(value, str) or len(value) <= 255
