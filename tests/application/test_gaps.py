"""Times in which messages may have been missed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.thethingsstack.application.gaps import LIMIT, Gaps
from tests.properties import thorough

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """Return a time so many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def gaps(*pairs: tuple[float, float | None]) -> Gaps:
    """Return gaps between these minutes."""
    made = Gaps()
    for since, until in pairs:
        made.add(at(since), None if until is None else at(until))
    return made


def minutes(found: Gaps) -> list[tuple[float, float | None]]:
    """Return gaps as minutes."""
    return [
        (
            (gap.since - NOON).total_seconds() / 60,
            None if gap.until is None else (gap.until - NOON).total_seconds() / 60,
        )
        for gap in found
    ]


def test_a_gap_that_lasts_is_not_read_before_it_ends() -> None:
    found = gaps()
    found.begin(at(1))
    assert found
    assert found.next_ended() is None
    found.end(at(5))
    assert found.next_ended() == (at(1), at(5))


def test_gaps_are_read_one_after_the_other() -> None:
    """What was read is no more returned, though it is kept until it is shown."""
    found = gaps((1, 5), (8, 9), (12, None))
    assert found.next_ended(at(3)) == (at(3), at(5))
    assert found.next_ended(at(5)) == (at(8), at(9))
    assert found.next_ended(at(9)) is None
    found.read_until(at(8.5))
    assert minutes(found) == [(8.5, 9), (12, None)]


def test_a_gap_that_begins_while_another_is_owed_is_kept_apart() -> None:
    found = gaps((1, 5))
    found.begin(at(9))
    assert minutes(found) == [(1, 5), (9, None)]
    found.read_until(at(5))
    assert minutes(found) == [(9, None)]


def test_gaps_that_touch_become_one() -> None:
    assert minutes(gaps((1, 5), (8, 9), (4, 8))) == [(1, 9)]
    assert minutes(gaps((1, None), (3, 4))) == [(1, None)]
    assert minutes(gaps((3, 4), (1, None))) == [(1, None)]


def test_what_was_read_is_owed_no_more() -> None:
    found = gaps((1, 5), (8, 9))
    found.read_until(at(3))
    found.read_until(at(2))
    assert minutes(found) == [(3, 5), (8, 9)]
    found.read_until(at(5))
    assert minutes(found) == [(8, 9)]


def test_an_end_without_a_gap_changes_nothing() -> None:
    found = gaps((1, 5))
    found.end(at(9))
    assert minutes(found) == [(1, 5)]


def test_a_clock_that_went_back_makes_no_gap_that_ends_before_it_begins() -> None:
    found = gaps((5, None))
    found.end(at(1))
    assert minutes(found) == [(5, 5)]


def test_times_that_cannot_be_are_cut_off() -> None:
    found = gaps((-10_000, -9_000), (-50, 5), (500, 600), (700, None))
    found.clamp(at(-60), at(10))
    assert minutes(found) == [(-50, 5), (10, None)]


def test_many_gaps_are_kept_as_few_and_none_is_lost() -> None:
    found = gaps(*((10 * number, 10 * number + 1) for number in range(LIMIT)), (2.0, 3.0))
    listed = minutes(found)
    assert len(listed) == LIMIT
    assert listed[0] == (0, 3)


def test_they_are_stored_and_read() -> None:
    found = gaps((1, 5), (8, None))
    assert minutes(Gaps.from_stored(found.as_stored())) == [(1, 5), (8, None)]


@pytest.mark.parametrize(
    "stored", [{}, {"since": "x", "until": None}, {"since": "2026-01-01T00:00:00", "until": None}]
)
def test_what_is_no_gap_is_refused(stored: dict[str, str]) -> None:
    with pytest.raises((ValueError, KeyError)):
        Gaps.from_stored([stored])


@thorough(100)
@given(
    st.lists(st.tuples(st.integers(0, 500), st.one_of(st.none(), st.integers(0, 500))), max_size=90)
)
def test_no_time_is_ever_lost(pairs: list[tuple[int, int | None]]) -> None:
    found = minutes(gaps(*pairs))
    assert len(found) <= LIMIT
    assert found == sorted(found)
    for since, until in pairs:
        assert any(
            begin <= since and (end is None or (until is not None and until <= end))
            for begin, end in found
        ), (since, until)


def test_a_gap_that_has_grown_is_not_removed() -> None:
    found = gaps((0, 5), (10, 15))
    found.add(at(15), at(20))
    found.remove(at(10), at(15))
    assert minutes(found) == [(0, 5), (10, 20)]
    found.remove(at(10), at(20))
    assert minutes(found) == [(0, 5)]
    found.clear()
    assert not found
