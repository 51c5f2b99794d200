"""Hourly figures, calculated from samples."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.thethingsstack.payload import understand
from custom_components.thethingsstack.statistics.hours import (
    HOUR,
    Block,
    MeanHour,
    Sample,
    SumHour,
    counted,
    hours_between,
    mean_hours,
    sum_hours,
)
from custom_components.thethingsstack.statistics.samples import shown_samples
from tests.properties import thorough

NINE = datetime(2026, 11, 28, 9, tzinfo=UTC)


def at(minutes: float, value: float) -> Sample:
    """Return a sample so many minutes after nine."""
    return Sample(NINE + timedelta(minutes=minutes), value)


def test_hours_are_those_of_both_ends_and_all_between() -> None:
    found = list(hours_between(NINE + timedelta(minutes=51), NINE + timedelta(hours=2, minutes=1)))
    assert found == [NINE, NINE + HOUR, NINE + 2 * HOUR]


def test_a_value_holds_until_the_next() -> None:
    (hour,) = mean_hours([at(15, 20), at(45, 24)], [NINE], before=10)
    assert hour == MeanHour(NINE, (10 * 15 + 20 * 30 + 24 * 15) / 60, 10, 24)


def test_a_value_holds_over_hours_without_samples() -> None:
    hours = mean_hours([at(30, 20)], [NINE, NINE + HOUR], before=None)
    assert [hour.mean for hour in hours] == [20, 20]


def test_an_hour_before_the_first_value_is_left_out() -> None:
    hours = mean_hours([at(90, 20)], [NINE, NINE + HOUR], before=None)
    assert [hour.start for hour in hours] == [NINE + HOUR]


def test_the_recorders_own_figures_count_where_they_are_right() -> None:
    own = Block(NINE, NINE + timedelta(minutes=30), 5, 1, 9)
    (hour,) = mean_hours([at(10, 100), at(45, 24)], [NINE], before=20, blocks=[own])
    # The sample inside the block is what holds behind it.
    assert hour == MeanHour(NINE, (5 * 30 + 100 * 15 + 24 * 15) / 60, 1, 100)


def test_a_counter_is_summed_up() -> None:
    hours = sum_hours(
        [at(10, 102), at(50, 103), at(70, 105)],
        [NINE, NINE + HOUR, NINE + 2 * HOUR],
        state=101, total=1.5, may_reset=True,
    )  # fmt: skip
    assert hours == [
        SumHour(NINE, 103, 3.5),
        SumHour(NINE + HOUR, 105, 5.5),
        SumHour(NINE + 2 * HOUR, 105, 5.5),
    ]


def test_a_counter_that_begins_anew_counts_from_zero() -> None:
    samples = [at(10, 109), at(20, 0.5), at(30, 3.5)]
    (hour,) = sum_hours(samples, [NINE], state=107, total=0, may_reset=True)
    assert hour == SumHour(NINE, 3.5, 2 + 0.5 + 3)
    assert counted(samples, before=107, may_reset=True) == 5.5


def test_values_that_are_not_shown_do_not_count() -> None:
    """They jump too far, and no second one confirms them."""
    decided = understand({"temperature": 20.5}, decisions={}).new["temperature"]
    meaning = replace(decided, max_jump=5)
    samples = [at(10, 20), at(20, 85), at(30, 21), at(40, 40), at(50, 41)]
    shown = shown_samples(meaning, samples)
    assert [sample.value for sample in shown] == [20, 21, 41]
    assert shown_samples(replace(meaning, max_jump=None), samples) == samples


def test_a_small_fall_is_no_new_beginning() -> None:
    (hour,) = sum_hours([at(10, 99)], [NINE], state=100, total=7, may_reset=True)
    assert hour == SumHour(NINE, 99, 6)


def test_a_total_that_may_fall_is_counted_back() -> None:
    (hour,) = sum_hours([at(10, 2)], [NINE], state=100, total=0, may_reset=False)
    assert hour == SumHour(NINE, 2, -98)


@thorough(100)
@given(
    st.lists(st.tuples(st.integers(0, 239), st.floats(-1e6, 1e6)), max_size=30),
    st.floats(-1e6, 1e6),
)
def test_means_lie_between_least_and_greatest(
    reported: list[tuple[int, float]], before: float
) -> None:
    samples = [at(minute, value) for minute, value in sorted(reported)]
    hours = [NINE + number * HOUR for number in range(4)]
    found = mean_hours(samples, hours, before=before)
    assert [hour.start for hour in found] == hours
    known = {before, *(sample.value for sample in samples)}
    for hour in found:
        assert {hour.min, hour.max} <= known
        assert hour.min <= hour.mean or hour.mean == pytest.approx(hour.min)
        assert hour.mean <= hour.max or hour.mean == pytest.approx(hour.max)
