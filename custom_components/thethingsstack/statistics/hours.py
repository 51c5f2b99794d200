"""Calculate hourly statistics from reported values, in the same way as Home Assistant's recorder."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
RESET = 0.9
"""A counter below this share of its last value was reset; the recorder has the same rule."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A value, and when it was reported."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Block:
    """A period with its figures as the recorder has calculated them."""

    start: datetime
    end: datetime
    mean: float
    min: float
    max: float


@dataclass(frozen=True, slots=True)
class MeanHour:
    """Mean, least and greatest value of one hour."""

    start: datetime
    mean: float
    min: float
    max: float


@dataclass(frozen=True, slots=True)
class SumHour:
    """A counter at the end of one hour: its value, and the sum of all that it has counted."""

    start: datetime
    state: float
    sum: float


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the hour of a moment."""
    return moment.replace(minute=0, second=0, microsecond=0)


def hours_between(since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the beginning of each hour that has a part between `since` and `until`."""
    start = hour_of(since)
    while start < until:
        yield start
        start += HOUR


def mean_hours(
    samples: Sequence[Sample],
    hours: Iterable[datetime],
    *,
    before: float | None,
    blocks: Sequence[Block] = (),
) -> list[MeanHour]:
    """Return mean, least and greatest value of these hours, weighted by time.

    Samples are in order of time; each value is valid until the next one, and `before` until the
    first. Blocks replace the samples of their period. Hours without any value are omitted.
    """
    found = []
    for start in hours:
        pieces = list(_pieces(samples, start, start + HOUR, before, blocks))
        if not pieces:
            continue
        length = sum((piece.end - piece.start).total_seconds() for piece in pieces)
        weighed = sum(piece.mean * (piece.end - piece.start).total_seconds() for piece in pieces)
        found.append(
            MeanHour(
                start=start,
                mean=weighed / length,
                min=min(piece.min for piece in pieces),
                max=max(piece.max for piece in pieces),
            )
        )
    return found


def _pieces(
    samples: Sequence[Sample],
    start: datetime,
    end: datetime,
    before: float | None,
    blocks: Sequence[Block],
) -> Iterator[Block]:
    """Yield the parts of an hour in which the value is constant, and the blocks in it."""
    inside = sorted(
        (block for block in blocks if start <= block.start and block.end <= end),
        key=lambda block: block.start,
    )
    yield from inside
    free, moment = [], start
    for block in inside:
        free.append((moment, block.start))
        moment = block.end
    free.append((moment, end))
    value = before
    position = 0
    for begin, stop in free:
        while position < len(samples) and samples[position].at <= begin:
            value = samples[position].value
            position += 1
        while begin < stop:
            following = samples[position].at if position < len(samples) else stop
            until = min(following, stop)
            if value is not None and until > begin:
                yield Block(begin, until, value, value, value)
            begin = until
            if begin < stop:
                value = samples[position].value
                position += 1


def counted(samples: Iterable[Sample], *, before: float | None, may_reset: bool) -> float:
    """Return how much a counter has counted from the value `before` to the last sample."""
    total = 0.0
    for sample in samples:
        total += _step(before, sample.value, may_reset)
        before = sample.value
    return total


def sum_hours(
    samples: Sequence[Sample],
    hours: Iterable[datetime],
    *,
    state: float,
    total: float,
    may_reset: bool,
) -> list[SumHour]:
    """Return a counter's value and sum at the end of each of these hours.

    `state` and `total` are its value and its sum before the first sample. If the value falls, the
    counter was reset and counts from zero (`may_reset`), or the difference is subtracted.
    """
    found, position = [], 0
    for start in hours:
        while position < len(samples) and samples[position].at < start + HOUR:
            value = samples[position].value
            total += _step(state, value, may_reset)
            state = value
            position += 1
        found.append(SumHour(start=start, state=state, sum=total))
    return found


def _step(before: float | None, now: float, may_reset: bool) -> float:
    if before is None:
        return 0.0
    if may_reset and now < RESET * before:
        return now
    return now - before
