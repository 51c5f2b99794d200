"""Read and correct one entity's long-term statistics in the recorder.

Two mistakes here would destroy statistics of every entity in Home Assistant: a row for the hour
that isn't over, and rows written before the recorder has compiled hours that it missed. Therefore
only hours that are over are written, and only those that have a row already or are before the
entity's first row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .hours import HOUR, Block, Sample, counted, hour_of, hours_between, mean_hours, sum_hours

if TYPE_CHECKING:
    from homeassistant.components.recorder.models import StatisticData, StatisticMetaData

FIVE_MINUTES = timedelta(minutes=5)
_NEGLIGIBLE = 1e-9


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the recorder's statistics."""

    start: datetime
    mean: float | None
    min: float | None
    max: float | None
    state: float | None
    sum: float | None


@dataclass(frozen=True, slots=True)
class _Recorded:
    """The recorder's rows of an entity around a period that is to be corrected."""

    metadata: StatisticMetaData
    hours: Sequence[_Row]
    short: Sequence[_Row]
    first: _Row | None
    """The entity's first hourly row; its first row of five minutes if it has no hourly one yet."""


async def async_correct_statistics(
    hass: HomeAssistant,
    entity_id: str,
    samples: Sequence[Sample],
    *,
    unit: str | None,
    may_reset: bool,
    since: datetime,
    until: datetime,
    fill: bool = False,
) -> int:
    """Correct the hours between `since` and `until` by the values reported in that time.

    `samples` are in order of time, in `unit`; the value before `since` is read from the recorder.
    With `fill`, hours before the entity's first row are added, too. Returns how many hours were
    written: 0 if the entity has no statistics, or those of a direction (circular mean).
    """
    from homeassistant.components.recorder import get_instance  # an optional integration

    if not samples:
        return 0
    instance = get_instance(hass)
    recorded = await instance.async_add_executor_job(_read, hass, entity_id, since, until)
    if recorded is None:
        return 0
    converted = _converted(samples, unit, recorded.metadata)
    if converted is None:
        return 0
    now = dt_util.utcnow()
    known = {row.start for row in recorded.hours}
    hours = [
        hour
        for hour in hours_between(since, until)
        if hour + HOUR <= now
        and (
            hour in known
            or (fill and recorded.first is not None and hour < hour_of(recorded.first.start))
        )
    ]
    if recorded.metadata["has_sum"]:
        rows = _sums(recorded, converted, hours, since, until, may_reset=may_reset)
    else:
        rows = _means(recorded, converted, hours, since, until)
    if rows:
        _write(hass, recorded.metadata, rows)
    if recorded.metadata["has_sum"] and (
        missed := _missed_in_sum(recorded, converted, since, until, may_reset=may_reset)
    ):
        stored_unit = recorded.metadata["unit_of_measurement"] or ""
        instance.async_adjust_statistics(entity_id, *missed, stored_unit)
    await instance.async_block_till_done()
    return len(rows)


def _read(
    hass: HomeAssistant, entity_id: str, since: datetime, until: datetime
) -> _Recorded | None:
    """Return an entity's rows in the stored unit; to be called in the recorder's executor.

    None without statistics, or with those of a direction.
    """
    from homeassistant.components.recorder.models import StatisticMeanType
    from homeassistant.components.recorder.statistics import get_metadata, statistics_during_period

    found = get_metadata(hass, statistic_ids={entity_id}).get(entity_id)
    if found is None or found[1]["mean_type"] is StatisticMeanType.CIRCULAR:
        return None
    metadata = found[1]
    unit_class, unit = metadata["unit_class"], metadata["unit_of_measurement"]
    units = {unit_class: unit} if unit_class and unit else None
    read = partial(statistics_during_period, hass, units=units, statistic_ids={entity_id})

    def rows(period: Any, start: datetime, end: datetime | None) -> list[_Row]:
        types: Any = {"mean", "min", "max", "state", "sum"}
        listed = read(start_time=start, end_time=end, period=period, types=types)
        return [_row(row) for row in listed.get(entity_id, ())]

    every = rows("hour", datetime.fromtimestamp(0, UTC), until + HOUR)
    short = rows("5minute", hour_of(since) - HOUR, None)
    return _Recorded(
        metadata=metadata,
        hours=[row for row in every if row.start >= hour_of(since) - HOUR],
        short=short,
        first=next(iter(every or short), None),
    )


def _row(row: Any) -> _Row:
    return _Row(
        start=datetime.fromtimestamp(row["start"], UTC),
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


def _means(
    recorded: _Recorded,
    samples: Sequence[Sample],
    hours: Sequence[datetime],
    since: datetime,
    until: datetime,
) -> list[StatisticData]:
    blocks = [
        Block(row.start, row.start + FIVE_MINUTES, row.mean, row.min, row.max)
        for row in recorded.short
        if row.mean is not None
        and row.min is not None
        and row.max is not None
        and (row.start + FIVE_MINUTES <= since or row.start >= until)
    ]
    # While nothing was received, the recorder has repeated the value from before.
    soon = since + 2 * FIVE_MINUTES
    before = next((row.mean for row in recorded.short if since <= row.start < soon), None)
    return [
        {"start": hour.start, "mean": hour.mean, "min": hour.min, "max": hour.max}
        for hour in mean_hours(samples, hours, before=before, blocks=blocks)
    ]


def _base(recorded: _Recorded, since: datetime) -> _Row | None:
    """Return the row with the counter's value and sum at `since`; None without one."""
    for rows in (recorded.short, [row for row in recorded.hours if row.start + HOUR <= since]):
        usable = [
            row
            for row in rows
            if row.start <= since and row.state is not None and row.sum is not None
        ]
        if usable:
            return usable[-1]
    return None


def _sums(
    recorded: _Recorded,
    samples: Sequence[Sample],
    hours: Sequence[datetime],
    since: datetime,
    until: datetime,
    *,
    may_reset: bool,
) -> list[StatisticData]:
    """Return the corrected hours of a counter.

    The hour in which messages arrived again is left out: the recorder's sum at its end includes
    all that was counted before.
    """
    base = _base(recorded, since)
    if base is not None and base.state is not None and base.sum is not None:
        state, total = base.state, base.sum
        hours = [hour for hour in hours if hour < hour_of(until)]
    else:
        first = recorded.first
        if first is None or first.state is None or first.sum is None:
            return []
        # The sum of hours before the first row: its sum less what was counted until then.
        earlier = [sample for sample in samples if sample.at < first.start]
        if not earlier:
            return []
        state = earlier[0].value
        steps = [*earlier[1:], Sample(first.start, first.state)]
        total = first.sum - counted(steps, before=state, may_reset=may_reset)
        hours = [hour for hour in hours if hour_of(earlier[0].at) <= hour < first.start]
        samples = earlier
    return [
        {"start": hour.start, "state": hour.state, "sum": hour.sum}
        for hour in sum_hours(samples, hours, state=state, total=total, may_reset=may_reset)
    ]


def _missed_in_sum(
    recorded: _Recorded,
    samples: Sequence[Sample],
    since: datetime,
    until: datetime,
    *,
    may_reset: bool,
) -> tuple[datetime, float] | None:
    """Return from when on the recorder's sum is wrong, and by how much; None if it is right.

    It is wrong if a counter was reset while nothing was received: the recorder knows only the
    values before and after that time.
    """
    base = _base(recorded, since)
    if base is None or base.state is None or base.sum is None:
        return None
    after = next(
        (
            row
            for row in recorded.short
            if row.start >= until - FIVE_MINUTES
            and row.state is not None
            and row.state != base.state
        ),
        None,
    )
    if after is None or after.state is None or after.sum is None:
        return None
    steps = [*samples, Sample(after.start, after.state)]
    missed = counted(steps, before=base.state, may_reset=may_reset) - (after.sum - base.sum)
    if abs(missed) <= _NEGLIGIBLE * max(1.0, abs(after.sum)):
        return None
    return after.start, missed


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
