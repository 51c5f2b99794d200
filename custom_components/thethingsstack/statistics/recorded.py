"""Read and correct entities' long-term statistics in the recorder.

Two mistakes here would destroy statistics of every entity in Home Assistant: a row for the hour
that isn't over, and rows written before the recorder has compiled hours that it missed. Therefore
only hours that are over are written, and only those that have a row already or are before the
entity's first row.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
import math
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from .hours import HOUR, Block, Sample, counted, hour_of, hours_between, mean_hours, sum_hours

if TYPE_CHECKING:
    from homeassistant.components.recorder.models import StatisticData, StatisticMetaData

FIVE_MINUTES = timedelta(minutes=5)
_NEGLIGIBLE = 1e-9
_SAME = 1e-6
"""Values of a counter that differ by less than this share differ only by a conversion of units."""
_BUSY: HassKey[asyncio.Lock] = HassKey(f"{DOMAIN}_statistics_lock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """The values reported of an entity in a period in which the recorder missed some of them."""

    entity_id: str
    samples: Sequence[Sample]
    """In order of time, in `unit`, from the first full hour on; may go beyond `until`."""
    unit: str | None
    may_reset: bool
    """Whether a counter was reset if its value falls; else the difference is subtracted."""
    since: datetime
    until: datetime
    """The entity showed its newest value again from here on."""
    fill: bool = False
    """Whether hours before the entity's first row are added."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the recorder's statistics."""

    start: datetime
    end: datetime
    mean: float | None
    min: float | None
    max: float | None
    state: float | None
    sum: float | None


@dataclass(frozen=True, slots=True)
class _Count:
    """A counter at the end of a row: its value, and the sum of all that it has counted."""

    start: datetime
    end: datetime
    state: float
    sum: float

    @classmethod
    def of(cls, row: _Row | None) -> _Count | None:
        """Return the counter of a row; None without a sum."""
        if row is None or row.state is None or row.sum is None:
            return None
        return cls(row.start, row.end, row.state, row.sum)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """The recorder's rows of an entity around a period that is to be corrected."""

    metadata: StatisticMetaData
    hours: Sequence[_Row]
    short: Sequence[_Row]
    first: _Row | None
    """The entity's first hourly row; its first row of five minutes if it has no hourly one yet.

    Only read if the time before is to be filled.
    """


def five_minutes_of(moment: datetime) -> datetime:
    """Return the beginning of the five minutes that the recorder calculates together."""
    return hour_of(moment) + moment.minute // 5 * FIVE_MINUTES


async def async_compiled(hass: HomeAssistant) -> None:
    """Wait until the recorder has compiled the hours that it missed while it was off."""
    from homeassistant.components.recorder import get_instance  # an optional integration

    # The task that compiles them is put into the recorder's queue before this is set.
    await get_instance(hass).async_recorder_ready.wait()
    await _async_synchronize(hass)


async def _async_synchronize(hass: HomeAssistant) -> None:
    """Wait until the recorder has finished all tasks in its queue."""
    from homeassistant.components.recorder import get_instance
    from homeassistant.components.recorder.tasks import SynchronizeTask

    # async_block_till_done doesn't wait for a task that is running already.
    done: asyncio.Future[None] = hass.loop.create_future()
    get_instance(hass).queue_task(SynchronizeTask(done))
    await done


async def async_correct_statistics(
    hass: HomeAssistant, corrections: Iterable[Correction]
) -> dict[str, int]:
    """Correct entities' hours by the values reported; a second time changes nothing.

    Returns how many hours were written, by entity ID; an entity is left out if it has no
    statistics, those of a direction (circular mean), or a unit that can't be converted.
    """
    written = {}
    async with hass.data.setdefault(_BUSY, asyncio.Lock()):
        for correction in corrections:
            if hours := await _async_correct(hass, correction):
                written[correction.entity_id] = hours
        await _async_synchronize(hass)
    return written


async def _async_correct(hass: HomeAssistant, correction: Correction) -> int:
    from homeassistant.components.recorder import get_instance

    if not correction.samples or correction.samples[-1].at <= correction.since:
        return 0
    instance = get_instance(hass)
    recorded = await instance.async_add_executor_job(_read, hass, correction)
    if recorded is None:
        return 0
    samples = _converted(correction.samples, correction.unit, recorded.metadata)
    if samples is None:
        return 0
    adjustment = None
    if recorded.metadata["has_sum"]:
        rows, adjustment = _Sums(recorded, correction, samples).corrected()
    else:
        rows = _means(recorded, correction, samples)
    if rows:
        _write(hass, recorded.metadata, rows)
    if adjustment is not None:
        unit = recorded.metadata["unit_of_measurement"] or ""
        instance.async_adjust_statistics(correction.entity_id, *adjustment, unit)
    return len(rows)


def _read(hass: HomeAssistant, correction: Correction) -> _Recorded | None:
    """Return an entity's rows in the stored unit; to be called in the recorder's executor.

    None without statistics, or with those of a direction.
    """
    from homeassistant.components.recorder.models import StatisticMeanType
    from homeassistant.components.recorder.statistics import get_metadata, statistics_during_period

    entity_id, since = correction.entity_id, hour_of(correction.since)
    found = get_metadata(hass, statistic_ids={entity_id}).get(entity_id)
    if found is None or found[1]["mean_type"] is StatisticMeanType.CIRCULAR:
        return None
    metadata = found[1]
    unit_class, unit = metadata["unit_class"], metadata["unit_of_measurement"]
    units = {unit_class: unit} if unit_class and unit else None
    read = partial(statistics_during_period, hass, units=units, statistic_ids={entity_id})

    def rows(period: Any, length: timedelta, start: datetime, end: datetime | None) -> list[_Row]:
        types: Any = {"mean", "min", "max", "state", "sum"}
        listed = read(start_time=start, end_time=end, period=period, types=types)
        return [_row(row, length) for row in listed.get(entity_id, ())]

    beginning = datetime.fromtimestamp(0, UTC) if correction.fill else since - HOUR
    hours = rows("hour", HOUR, beginning, correction.until + HOUR)
    short = rows("5minute", FIVE_MINUTES, since - HOUR, correction.until + HOUR)
    return _Recorded(
        metadata=metadata,
        hours=[row for row in hours if row.start >= since - HOUR],
        short=short,
        first=next(iter(hours or short), None) if correction.fill else None,
    )


def _row(row: Any, length: timedelta) -> _Row:
    start = datetime.fromtimestamp(row["start"], UTC)
    return _Row(
        start=start,
        end=start + length,
        mean=row.get("mean"),
        min=row.get("min"),
        max=row.get("max"),
        state=row.get("state"),
        sum=row.get("sum"),
    )


def _converted(
    samples: Sequence[Sample], unit: str | None, metadata: StatisticMetaData
) -> list[Sample] | None:
    """Return the samples in the unit of the statistics; None if they can't be converted."""
    from homeassistant.components.recorder.statistics import UNIT_CLASS_TO_UNIT_CONVERTER

    stored = metadata["unit_of_measurement"]
    if unit == stored:
        return list(samples)
    converter = UNIT_CLASS_TO_UNIT_CONVERTER.get(metadata["unit_class"])
    if converter is None or unit not in converter.VALID_UNITS:
        return None
    convert = converter.converter_factory(unit, stored)
    return [Sample(sample.at, convert(sample.value)) for sample in samples]


def _hours(
    recorded: _Recorded, correction: Correction, first: datetime, until: datetime
) -> list[datetime]:
    """Return the hours that may be written, from the hour of the first sample on.

    Before that, the recorder is right: the value was still the last one.
    """
    now = dt_util.utcnow()
    known = {row.start for row in recorded.hours}
    return [
        hour
        for hour in hours_between(max(hour_of(correction.since), first), until)
        if hour + HOUR <= now
        and (hour in known or (recorded.first and hour < hour_of(recorded.first.start)))
    ]


def _means(
    recorded: _Recorded, correction: Correction, samples: Sequence[Sample]
) -> list[StatisticData]:
    since = five_minutes_of(correction.since)
    blocks = [
        Block(row.start, row.end, row.mean, row.min, row.max)
        for row in recorded.short
        if row.mean is not None
        and row.min is not None
        and row.max is not None
        and (row.end <= since or row.start >= correction.until)
    ]
    first = samples[0].at
    # While nothing was received, the recorder has repeated the value from before.
    earlier = [r.mean for r in recorded.short if r.end <= first and r.mean is not None]
    hours = _hours(recorded, correction, first, correction.until)
    return [
        {"start": hour.start, "mean": hour.mean, "min": hour.min, "max": hour.max}
        for hour in mean_hours(
            samples, hours, before=earlier[-1] if earlier else None, blocks=blocks
        )
    ]


class _Sums:
    """Calculates a counter's rows from its values since a row that is right."""

    def __init__(
        self, recorded: _Recorded, correction: Correction, samples: Sequence[Sample]
    ) -> None:
        """Leave out values that the recorder leaves out."""
        self._recorded = recorded
        self._correction = correction
        self._may_reset = correction.may_reset
        self._samples = [s for s in samples if s.value >= 0 or not correction.may_reset]

    def corrected(self) -> tuple[list[StatisticData], tuple[datetime, float] | None]:
        """Return the rows to write, and from when on the recorder's sums are wrong by how much."""
        rows: list[StatisticData] = []
        base = self._base()
        if base is None and (base := _Count.of(self._recorded.first)) is not None:
            rows = self._before(base)
        samples = [s for s in self._samples if base is not None and s.at >= base.end]
        if base is None or not samples:
            return rows, None
        check = self._check(base, samples)
        until = self._correction.until if check is None else check.start
        first = samples[0].at
        hours = _hours(self._recorded, self._correction, first, hour_of(until))
        rows += self._rows(samples, hours, base.state, base.sum)
        return rows, None if check is None else self._missed(base, samples, check)

    def _base(self) -> _Count | None:
        """Return the last row before the gap; rather an hour's, which may be corrected already.

        Without one, because the entity is new, the first row with the value reported last.
        """
        since = five_minutes_of(self._correction.since)
        ended = [row for row in self._recorded.short if row.end <= since]
        ended += [row for row in self._recorded.hours if row.end <= since]
        if counts := [count for row in ended if (count := _Count.of(row))]:
            return max(counts, key=lambda count: (count.end, count.end - count.start))
        if self._correction.fill:
            return None
        return next(self._right(self._recorded.short, self._samples, None), None)

    @staticmethod
    def _right(
        rows: Iterable[_Row], samples: Sequence[Sample], before: float | None
    ) -> Iterator[_Count]:
        """Yield the rows with the value that was reported last until their end."""
        for row in rows:
            reported = [sample.value for sample in samples if sample.at < row.end]
            expected = reported[-1] if reported else before
            count = _Count.of(row)
            if (
                count is not None
                and expected is not None
                and math.isclose(count.state, expected, rel_tol=_SAME, abs_tol=_NEGLIGIBLE)
            ):
                yield count

    def _before(self, first: _Count) -> list[StatisticData]:
        """Return hours before the first row: its sum less what was counted until then."""
        earlier = [sample for sample in self._samples if sample.at < first.start]
        if not earlier:
            return []
        state = earlier[0].value
        steps = [*earlier[1:], Sample(first.start, first.state)]
        total = first.sum - counted(steps, before=state, may_reset=self._may_reset)
        hours = _hours(self._recorded, self._correction, earlier[0].at, hour_of(first.start))
        return self._rows(earlier, hours, state, total)

    def _rows(
        self, samples: Sequence[Sample], hours: Iterable[datetime], state: float, total: float
    ) -> list[StatisticData]:
        return [
            {"start": hour.start, "state": hour.state, "sum": hour.sum}
            for hour in sum_hours(
                samples, hours, state=state, total=total, may_reset=self._may_reset
            )
        ]

    def _check(self, base: _Count, samples: Sequence[Sample]) -> _Count | None:
        """Return the first row after the gap with the value that was reported last until then.

        Without one, sums after the gap must not be touched: it isn't known what they include.
        """
        until = self._correction.until
        near = [r for r in self._recorded.short if until < r.end <= until + 2 * FIVE_MINUTES]
        return next(self._right(near, samples, base.state), None)

    def _missed(
        self, base: _Count, samples: Sequence[Sample], check: _Count
    ) -> tuple[datetime, float] | None:
        """Return from when on the recorder's sum is wrong, and by how much; None if it is right.

        It is wrong if a counter was reset while nothing was received: the recorder knows only the
        values before and after that time.
        """
        steps = [sample for sample in samples if sample.at < check.end]
        missed = counted(steps, before=base.state, may_reset=self._may_reset)
        missed -= check.sum - base.sum
        if abs(missed) <= _NEGLIGIBLE * max(1.0, abs(check.sum)):
            return None
        return check.start, missed


def _write(hass: HomeAssistant, metadata: StatisticMetaData, rows: Sequence[StatisticData]) -> None:
    from homeassistant.components.recorder.statistics import async_import_statistics

    async_import_statistics(
        hass,
        {
            "statistic_id": metadata["statistic_id"],
            "source": metadata["source"],
            "name": metadata["name"],
            "mean_type": metadata["mean_type"],
            "has_sum": metadata["has_sum"],
            "unit_class": metadata["unit_class"],
            "unit_of_measurement": metadata["unit_of_measurement"],
        },
        rows,
    )
