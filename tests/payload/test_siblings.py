"""Units that stand beside fields: whose they are, and whose they aren't."""

from typing import Any

import pytest

from thethingsstack.payload import understand


def units(decoded: dict[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    """Return quantity and unit of each field that has a unit, by path."""
    new = understand(decoded, decisions={}).new
    return {path: (m.quantity, m.unit) for path, m in new.items() if m.unit is not None}


@pytest.mark.parametrize(
    ("decoded", "expected"),
    [
        (
            {"air_temperature": 68.5, "humidity": 41, "unit": "F"},
            {"air_temperature": ("temperature", "°F"), "humidity": ("humidity", "%")},
        ),
        (
            {"level": 85, "unit": "cm", "temperature": 11.5},
            {"level": ("distance", "cm"), "temperature": ("temperature", "°C")},
        ),
        (
            {"value": 3.5, "data": 7, "attempts": 2, "unit": "bar"},
            {"value": ("pressure", "bar")},
        ),
        (
            {"probe": {"value": 40.5, "min": 38.5, "max": 44, "count": 12, "unit": "°F"}},
            {
                "probe.value": ("temperature", "°F"),
                "probe.min": ("temperature", "°F"),
                "probe.max": ("temperature", "°F"),
            },
        ),
        (
            {"temp_low": 50.5, "temp_high": 71, "temp_unit": "F", "tempo": 3},
            {"temp_low": ("temperature", "°F"), "temp_high": ("temperature", "°F")},
        ),
        (
            {"flow": 12, "flow_unit": "l/min", "flow_temperature": 20.5},
            {"flow": ("volume_flow_rate", "L/min"), "flow_temperature": ("temperature", "°C")},
        ),
        (
            {"velocity": {"x": 1.25, "y": 0.5, "z": 2.5, "unit": "mm/s", "rpm": 1480}},
            {
                "velocity.x": ("vibration_speed", "mm/s"),
                "velocity.y": ("vibration_speed", "mm/s"),
                "velocity.z": ("vibration_speed", "mm/s"),
            },
        ),
        ({"count": 5, "floor": 2, "unit": "C"}, {}),
        ({"level": 85, "input": 3, "unit": "mm"}, {}),
        ({"LEVEL": {"v": 880, "unit": "mm", "q": "good"}}, {"LEVEL.v": ("distance", "mm")}),
        ({"n": {"value": 2.5, "unit": "bar"}}, {"n.value": ("pressure", "bar")}),
    ],
)
def test_a_unit_is_that_of_the_fields_that_are_measured_in_it(
    decoded: dict[str, Any], expected: dict[str, tuple[str | None, str | None]]
) -> None:
    """Of the value where there is one; else of what fits, and of nothing where several may."""
    for order in (decoded, dict(reversed(decoded.items()))):
        assert units(order) == expected


@pytest.mark.parametrize(
    ("key", "quantity", "unit"),
    [
        ("temp[1]", "temperature", "°C"),
        ("Humidity (2)", "humidity", "%"),
        ("T[3]", "temperature", "°C"),
        ("Temp (1) [F]", "temperature", "°F"),
        ("Tank_Prozent", None, "%"),
        ("mixing_ms", None, None),
        ("response_time_ms", "duration", "ms"),
        ("heizung_verbrauch_w", "power", "W"),
        ("panel_v", "voltage", "V"),
        ("peak_g", "acceleration", "g"),
        ("gust_ms", "wind_gust", "m/s"),
        ("wind_bft", "wind_speed", "Beaufort"),
        ("boat_speed_kn", "speed", "kn"),
        ("consumed_units", None, None),
        ("inflow_m3h", "volume_flow_rate", "m³/h"),
        ("salt_g_l", "salinity", "g/L"),
        ("Hertz", "frequency", "Hz"),
    ],
)
def test_a_number_in_brackets_is_no_unit(key: str, quantity: str | None, unit: str | None) -> None:
    """What numbers a field says nothing of its unit; a letter behind a quantity does."""
    found = understand({key: 12.5}, decisions={}).new[key]
    assert (found.quantity, found.unit) == (quantity, unit)


def test_a_unit_in_the_value_of_a_type_is_none_of_the_field() -> None:
    """A kind of container, of cable."""
    found = understand({"container_type": "120L"}, decisions={})
    assert found.new["container_type"].unit is None
    assert found.values == {"container_type": "120L"}
