"""Counts that go on and on, those of an interval, and those of what is there now."""

import pytest

from tests.payload.sequences import sent
from thethingsstack.payload import Role, understand


@pytest.mark.parametrize(
    ("values", "role"),
    [
        ([12, 7], Role.MEASUREMENT),
        ([3, 1, 2], Role.MEASUREMENT),
        ([2, 1, 3], Role.MEASUREMENT),
        ([7, 12], Role.TOTAL),
        ([40, 0, 3], Role.TOTAL),
        ([3, 0, 40], Role.TOTAL),
        ([5120, 4, 9], Role.TOTAL),
        ([9, 9, 10], Role.TOTAL),
    ],
)
@pytest.mark.parametrize("key", ["gate_count", "pulses", "Counter[2]"])
def test_a_count_that_falls_is_no_total(key: str, values: list[int], role: Role) -> None:
    """Unless it begins anew, at zero or little more."""
    assert sent(key, values).decisions[key].role is role


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("people", Role.MEASUREMENT),
        ("people_count", Role.MEASUREMENT),
        ("persons_in_room", Role.MEASUREMENT),
        ("people_in", Role.TOTAL),
        ("total_people", Role.TOTAL),
        ("visitor_counter", Role.TOTAL),
        ("pulses_since_uplink", Role.MEASUREMENT),
        ("delta_count", Role.MEASUREMENT),
        ("interval_pulses", Role.MEASUREMENT),
        ("count_last_hour", Role.MEASUREMENT),
        ("count_24h", Role.MEASUREMENT),
        ("daily_count", Role.TOTAL),
        ("count_3", Role.TOTAL),
    ],
)
def test_names_say_what_kind_of_count_it_is(key: str, role: Role) -> None:
    """People who are there now, and what is counted in an interval, are no totals."""
    assert understand({key: 6}, decisions={}).new[key].role is role


@pytest.mark.parametrize("key", ["water_last_hour_l", "energy_delta_wh", "gas_last_day_m3"])
def test_an_amount_in_an_interval_is_no_total(key: str) -> None:
    """Home Assistant has no statistics for it but those of totals: it has none."""
    meaning = understand({key: 6}, decisions={}).new[key]
    assert meaning.role is Role.NUMBER
    assert meaning.unit is not None


def test_rain_of_the_last_hour_is_no_total_once_it_fell() -> None:
    """What some call so is counted from hour to hour; a total that falls begins anew."""
    assert sent("rain_last_hour", [0.4, 1.2]).decisions["rain_last_hour"].role is Role.TOTAL
    assert sent("rain_last_hour", [1.2, 0.4]).decisions["rain_last_hour"].role is Role.MEASUREMENT
    assert sent("rain", [1.2, 0.4]).decisions["rain"].role is Role.TOTAL
