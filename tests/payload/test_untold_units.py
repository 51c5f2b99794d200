"""Numbers whose unit nothing tells: none is made up where makers use several."""

from typing import Any

import pytest

from tests.payload.sequences import sent
from thethingsstack.payload import understand


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("gate_open_duration", 12),
        ("LastMotionDuration", 300),
        ("leak_time_total_duration", 4),
        ("coolant_flow", 18),
    ],
)
def test_there_is_no_unit_unless_it_is_told(key: str, value: float) -> None:
    """Seconds or minutes, litres or cubic metres: a plain number."""
    found = understand({key: value}, decisions={}).new[key]
    assert (found.quantity, found.unit) == (None, None)


@pytest.mark.parametrize(
    ("key", "unit"),
    [
        ("gate_open_duration_s", "s"),
        ("motion_duration_minutes", "min"),
        ("uptime", "s"),
        ("days_since_service", "d"),
        ("hours_until_empty", "h"),
        ("time_to_fix", "s"),
    ],
)
def test_durations_with_a_unit_have_it(key: str, unit: str) -> None:
    """And those that all makers give in seconds."""
    found = understand({key: 12}, decisions={}).new[key]
    assert (found.quantity, found.unit) == ("duration", unit)


@pytest.mark.parametrize(
    ("decoded", "key"),
    [
        ({"steps": 2210, "calories": 88, "distance": 1650}, "distance"),
        ({"energy": 88120, "volume": 1204.5, "power": 12}, "energy"),
        ({"smoke": 0, "temperature": 21, "energyUsage": 12, "battery": 88}, "energyUsage"),
        ({"river_flow_speed": 0.75, "temperature": 8.5}, "river_flow_speed"),
    ],
)
def test_its_company_makes_a_usual_unit_unlikely(decoded: dict[str, Any], key: str) -> None:
    """What was walked, a meter of heat, a share of the battery, a current of water."""
    found = understand(decoded, decisions={}).new[key]
    assert (found.quantity, found.unit) == (None, None)


def test_a_flow_of_zero_waits_for_its_unit() -> None:
    """Whichever comes first, a whole number tells none, and decimals that of meters."""
    for values, unit in ((0, 18), None), ((18, 0), None), ((0, 0.75), "m³/h"), ((0.75, 0), "m³/h"):
        assert sent("flow", values).decisions["flow"].unit == unit


@pytest.mark.parametrize(
    ("key", "values", "on"),
    [
        ("fan_on", [0, 1], True),
        ("screen_off", [1, 0], False),
        ("test_alarm", [0, 1], True),
        ("gate_contact_door", [0, 1], True),
        ("Fensterkontakt", [1, 0], False),
    ],
)
def test_names_of_states_are_states(key: str, values: list[int], on: bool) -> None:
    """A word for on, a contact of something that opens."""
    for order in (values, values[::-1]):
        assert sent(key, order).decisions[key].kind == "binary_sensor"
    assert sent(key, values).values[key] is on


SIZES = (0, 1, 4, 9, 35, 84, 99, 350, 999, 1001, 4123, 7500, 20_000, 101_325, 5_000_000)
NUMBERS = (*SIZES, 0.256, 1.2, 4.5, 12.75, 84.5, 1234.5, 98_765.4)


@pytest.mark.parametrize(
    "key",
    [
        *("energy", "active_energy", "volume", "water_volume", "gas_volume", "water_level"),
        *("Wasserstand", "current", "voltage", "power", "weight", "soil_ec", "conductivity"),
        *("distance", "level", "flow", "speed", "wind_speed", "rain", "duration", "uptime"),
        *("light", "noise", "temperature", "humidity", "frequency", "charge", "mass", "depth"),
    ],
)
def test_no_number_chooses_between_units(key: str) -> None:
    """Nor do its decimals: it is the usual unit, or none."""
    decided = [understand({key: number}, decisions={}).new.get(key) for number in NUMBERS]
    units = {meaning.unit for meaning in decided if meaning is not None} - {None}
    assert len(units) <= 1, units


@pytest.mark.parametrize(
    ("key", "number", "unit"),
    [
        ("air_pressure", 101_325, "Pa"),
        ("air_pressure", 1013, "hPa"),
        ("battery_voltage", 3300, "mV"),
        ("battery_voltage", 3.3, "V"),
    ],
)
def test_where_physics_allows_one_unit_alone_it_is_that(key: str, number: float, unit: str) -> None:
    """There is no other air, and no battery of 3,300 V."""
    assert understand({key: number}, decisions={}).new[key].unit == unit
