"""What is learned of how end devices send: their interval, and how long they are silent."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate, repeat
import random

import pytest

from custom_components.thethingsstack.end_devices.interval import UplinkInterval

START = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def learn(gaps: Iterable[float], interval: UplinkInterval | None = None) -> UplinkInterval:
    """Return what is learned from uplinks with these seconds between them."""
    interval = interval or UplinkInterval()
    for f_cnt, passed in enumerate(accumulate(gaps, initial=0.0)):
        interval.note(START + timedelta(seconds=passed), f_cnt)
    return interval


def every(seconds: float, during: float, *, jitter: float = 0.0) -> list[float]:
    """Return silences of a device that sends steadily for this long."""
    chance = random.Random(1)
    return [seconds + chance.uniform(-jitter, jitter) for _ in range(int(during / seconds))]


def bursts(number: int, apart: float, pause: float, during: float) -> list[float]:
    """Return silences of a device that sends so many at once."""
    return [*repeat(apart, number - 1), pause] * int(during / pause)


def nights(minutes: float, hours: float, days: int) -> list[float]:
    """Return silences of a device that is silent so many hours of each night."""
    return ([minutes * MINUTE] * int((24 - hours) * 60 / minutes) + [hours * HOUR]) * days


def false_alarms(gaps: Iterable[float]) -> Iterator[float]:
    """Yield the silences after which a device would have been called overdue for nothing."""
    interval = UplinkInterval()
    moment = START
    interval.note(moment, 0)
    for f_cnt, gap in enumerate(gaps, 1):
        if gap > (interval.overdue_after or timedelta(hours=25)).total_seconds():
            yield gap
        moment += timedelta(seconds=gap)
        interval.note(moment, f_cnt)


@pytest.mark.parametrize(
    ("gaps", "seconds", "overdue_after"),
    [
        pytest.param(every(20, 2 * DAY), 20, 15 * MINUTE + 20, id="each 20 seconds"),
        pytest.param(every(5 * MINUTE, 2 * DAY), 5 * MINUTE, 20 * MINUTE, id="each 5 minutes"),
        pytest.param(every(HOUR, 2 * DAY), HOUR, 3 * HOUR, id="hourly"),
        pytest.param(every(DAY, 5 * DAY), DAY, 3 * DAY, id="daily"),
        pytest.param(bursts(3, 4.0, HOUR, 2 * DAY), HOUR, 3 * HOUR, id="three at once"),
        pytest.param(bursts(3, 90.0, HOUR, 2 * DAY), HOUR, 3 * HOUR, id="three in a row"),
        pytest.param(
            [*every(HOUR, DAY), 8.0, 20.0, 45.0, 3500.0, *every(HOUR, 4 * HOUR)],
            HOUR,
            3 * HOUR,
            id="a join, and what is sent right after it",
        ),
        pytest.param(nights(10, 8, 3), 10 * MINUTE, 16 * HOUR, id="silent at night"),
        pytest.param(
            [*every(10 * MINUTE, 13 * DAY), 40 * HOUR, *every(10 * MINUTE, 3 * DAY)],
            10 * MINUTE,
            30 * MINUTE,
            id="away once in two weeks",
        ),
        pytest.param(
            [*every(5 * MINUTE, DAY), 40 * HOUR, *every(5 * MINUTE, 30 * MINUTE)],
            5 * MINUTE,
            80 * HOUR,
            id="away, a moment ago",
        ),
    ],
)
def test_what_is_learned(gaps: list[float], seconds: float, overdue_after: float) -> None:
    """The interval, and three of it; never so that the longest usual silence is too long."""
    interval = learn(gaps)
    assert interval.seconds == pytest.approx(seconds)
    assert interval.overdue_after == timedelta(seconds=overdue_after)


def test_jitter_hardly_moves_it() -> None:
    interval = learn(every(HOUR, 3 * DAY, jitter=60))
    assert interval.seconds == pytest.approx(HOUR, abs=60)
    assert interval.overdue_after is not None
    assert interval.overdue_after.total_seconds() == pytest.approx(3 * HOUR, abs=200)


@pytest.mark.parametrize(
    "gaps",
    [
        pytest.param(nights(10, 8, 30), id="nights"),
        pytest.param(
            [*nights(15, 10, 5)[:-1], 10 * HOUR + 2 * DAY] * 8, id="weekends, after the first"
        ),
        pytest.param(every(HOUR, 3 * DAY) + every(2.5 * HOUR, 10 * DAY), id="a bit slower"),
    ],
)
def test_usual_silence_is_no_alarm(gaps: list[float]) -> None:
    """Not even once, but for what nobody could know: the first weekend."""
    assert list(false_alarms(gaps)) in ([], [58 * HOUR])


def test_a_device_that_sends_on_events_only() -> None:
    """Its silences are of any length; hardly one of a hundred is taken for too long."""
    chance = random.Random(7)
    gaps = [chance.expovariate(1 / (9 * HOUR)) + 1 for _ in range(1000)]
    assert len(list(false_alarms(gaps))) < 10


def test_frames_lost_on_the_air_are_no_alarm() -> None:
    """A third is lost: silences of a few intervals are usual for it."""
    chance = random.Random(3)
    gaps, gap = [], 0.0
    for _ in range(6 * 24 * 30):
        gap += 10 * MINUTE
        if chance.random() > 0.3:
            gaps.append(gap)
            gap = 0.0
    assert len(list(false_alarms(gaps))) <= 1
    assert learn(gaps).seconds in (10 * MINUTE, 20 * MINUTE)


def test_another_rhythm_is_learned() -> None:
    """Slower after few uplinks; faster as soon as the long silences are two weeks ago."""
    interval = learn([*every(10 * MINUTE, 2 * DAY), *every(DAY, 3 * DAY)])
    assert (interval.seconds, interval.overdue_after) == (DAY, timedelta(days=3))
    faster = learn([*every(6 * HOUR, 10 * DAY), *every(10 * MINUTE, 4 * HOUR)])
    assert faster.seconds == 10 * MINUTE
    assert faster.overdue_after == timedelta(hours=12)
    faster = learn([*every(6 * HOUR, 10 * DAY), *every(10 * MINUTE, 15 * DAY)])
    assert faster.overdue_after == timedelta(minutes=30)


def test_not_before_a_day_and_three_silences() -> None:
    """A night belongs to it."""
    assert learn([HOUR, HOUR]).seconds is None
    interval = learn(every(HOUR, 23 * HOUR))
    assert interval.seconds == HOUR
    assert interval.overdue_after is None
    assert learn([10 * HOUR, 10 * HOUR]).overdue_after is None
    assert learn([10 * HOUR, 10 * HOUR, 10 * HOUR]).overdue_after == timedelta(hours=30)


def test_what_comes_late_or_twice_says_nothing() -> None:
    interval = learn(every(HOUR, 2 * DAY))
    for hours in (47.5, 48, 3, 48):
        interval.note(START + timedelta(hours=hours), 48)
    assert (interval.seconds, interval.overdue_after) == (HOUR, timedelta(hours=3))
    interval.note(START + timedelta(hours=49), 49)
    assert interval.overdue_after == timedelta(hours=3)


@pytest.mark.parametrize(
    "interrupted",
    [UplinkInterval.interrupt, lambda one: UplinkInterval.from_stored(one.as_stored())],
)
def test_what_may_have_been_missed_is_no_silence(
    interrupted: Callable[[UplinkInterval], UplinkInterval | None],
) -> None:
    """The frame counter says whether something is missing, while Home Assistant was away, too."""
    interval = learn(every(HOUR, 2 * DAY))
    interval = interrupted(interval) or interval
    interval.note(START + timedelta(days=4), 96)
    assert interval.overdue_after == timedelta(hours=3)
    interval = interrupted(interval) or interval
    interval.note(START + timedelta(days=4, hours=2), 97)
    assert interval.overdue_after == timedelta(hours=4)


def test_over_a_restart() -> None:
    interval = learn(nights(10, 8, 30))
    again = UplinkInterval.from_stored(interval.as_stored())
    assert again.seconds == interval.seconds == 10 * MINUTE
    assert again.overdue_after == interval.overdue_after
    assert again.as_stored() == interval.as_stored()
    assert len(str(interval.as_stored())) < 700


def test_an_interval_of_an_earlier_version() -> None:
    """It is used until there is a better one."""
    interval = UplinkInterval()
    interval.assume(600.0)
    again = UplinkInterval.from_stored(interval.as_stored())
    assert (again.seconds, again.overdue_after) == (600, None)
    assert learn(every(HOUR, 4 * HOUR), again).seconds == HOUR


def test_a_clock_that_was_wrong() -> None:
    """A latest uplink in the future doesn't stop the learning, nor do days to come."""
    interval = learn([*every(HOUR, 2 * DAY), 70 * 365 * DAY])
    interval.forget_future(START + timedelta(hours=5))
    for hours in range(5, 10):
        interval.note(START + timedelta(hours=hours), 100 + hours)
    stored = interval.as_stored()
    assert stored["last"] == (START + timedelta(hours=9)).isoformat()
    assert stored["days"] == [[START.toordinal(), HOUR]]
