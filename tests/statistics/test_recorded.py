"""Correcting what the recorder has made of an outage, on a real recorder."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)

from custom_components.thethingsstack.statistics.hours import Sample
from custom_components.thethingsstack.statistics.recorded import (
    Correction,
    async_correct_statistics,
)

DAY = datetime(2026, 11, 27, tzinfo=UTC)
SINCE, UNTIL = DAY + timedelta(hours=5, minutes=51), DAY + timedelta(hours=10, minutes=51)
TEMPERATURE, METER, OTHER = "sensor.temperature", "sensor.meter", "sensor.other"
ATTRIBUTES: dict[str, dict[str, str]] = {
    TEMPERATURE: {
        "state_class": "measurement",
        "device_class": "temperature",
        "unit_of_measurement": "°C",
    },
    METER: {
        "state_class": "total_increasing",
        "device_class": "energy",
        "unit_of_measurement": "kWh",
    },
    OTHER: {"state_class": "measurement", "unit_of_measurement": "ppm"},
}
LIVE = {
    TEMPERATURE: {"05:00": 20.0, "05:30": 21.0, "10:51": 26.0},
    METER: {"05:00": 100.0, "05:30": 101.2, "10:51": 106.2},
    OTHER: {"05:00": 400.0, "08:20": 600.0},
}


@pytest.fixture(autouse=True)
async def auto_enable_custom_integrations(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    """Start a recorder that compiles statistics of sensors; our integration isn't needed."""
    assert await async_setup_component(hass, "sensor", {})


def at(clock: str) -> datetime:
    """Return a time of the day."""
    hours, minutes = clock.split(":")
    return DAY + timedelta(hours=int(hours), minutes=int(minutes))


def samples(values: Mapping[str, float]) -> list[Sample]:
    """Return what was reported at these times."""
    return [Sample(at(clock), value) for clock, value in values.items()]


async def lived_through(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    values: Mapping[str, Mapping[str, float]] = LIVE,
    until: str = "12:00",
) -> None:
    """Let the recorder see these states, and compile its statistics, as on that day."""
    moments = sorted(
        (at(clock), entity_id, value)
        for entity_id, listed in values.items()
        for clock, value in listed.items()
    )
    for moment, entity_id, value in moments:
        freezer.move_to(moment)
        hass.states.async_set(entity_id, str(value), ATTRIBUTES[entity_id])
        await async_wait_recording_done(hass)
    period = at("05:00")
    while period < at(until):
        freezer.move_to(period + timedelta(minutes=5, seconds=10))
        do_adhoc_statistics(hass, start=period)
        period += timedelta(minutes=5)
    await async_wait_recording_done(hass)


async def rows(hass: HomeAssistant, entity_id: str, period: Any = "hour") -> dict[str, Any]:
    """Return the statistics of an entity, by the clock's time, as they are stored."""
    listed = await get_instance(hass).async_add_executor_job(
        statistics_during_period, hass, DAY, None, {entity_id}, period, None,
        {"mean", "min", "max", "state", "sum"},
    )  # fmt: skip
    return {
        datetime.fromtimestamp(row["start"], UTC).strftime("%H:%M"): {
            key: round(value, 6)
            for key, value in row.items()
            if key in ("mean", "min", "max", "state", "sum") and isinstance(value, float)
        }
        for row in listed.get(entity_id, [])
    }


async def correct(
    hass: HomeAssistant, entity_id: str, values: Mapping[str, float], **changes: Any
) -> int:
    """Correct an entity's statistics of the outage."""
    arguments: dict[str, Any] = {
        "entity_id": entity_id,
        "samples": samples(values),
        "unit": ATTRIBUTES[entity_id]["unit_of_measurement"],
        "may_reset": ATTRIBUTES[entity_id]["state_class"] == "total_increasing",
        "since": SINCE,
        "until": UNTIL,
        **changes,
    }
    written = await async_correct_statistics(hass, [Correction(**arguments)])
    await async_wait_recording_done(hass)
    return written.get(entity_id, 0)


async def test_the_recorder_makes_the_outage_flat(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """This is what has to be corrected; should Home Assistant do better one day, this fails."""
    await lived_through(hass, freezer)
    found = await rows(hass, TEMPERATURE)
    assert [found[f"{hour:02}:00"]["mean"] for hour in range(6, 10)] == [21.0] * 4
    assert (await rows(hass, METER))["09:00"]["sum"] == 1.2


async def test_means_are_corrected(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    await lived_through(hass, freezer)
    before = await rows(hass, TEMPERATURE)
    other = await rows(hass, OTHER)
    missed = {"06:30": 15.0, "08:00": 22.0, "10:30": 25.0}
    assert await correct(hass, TEMPERATURE, missed) == 5
    found = await rows(hass, TEMPERATURE)
    assert found["05:00"] == before["05:00"]
    assert found["06:00"] == {"mean": 18.0, "min": 15.0, "max": 21.0}
    assert found["07:00"] == {"mean": 15.0, "min": 15.0, "max": 15.0}
    assert found["08:00"] == {"mean": 22.0, "min": 22.0, "max": 22.0}
    # The gap ends in this hour: 30 minutes of 22, 21 of 25, 4 more until the recorder's next row.
    last = found["10:00"]
    assert (last["min"], last["max"]) == (22.0, 26.0)
    assert last["mean"] == pytest.approx((22 * 30 + 25 * 25 + 26 * 5) / 60, abs=0.01)
    assert found["11:00"] == before["11:00"]
    assert await rows(hass, OTHER) == other


async def test_sums_are_corrected_and_nothing_is_counted_twice(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    await lived_through(hass, freezer)
    before = await rows(hass, METER)
    missed = {"06:40": 102.2, "07:40": 103.2, "08:40": 104.2, "09:40": 105.2}
    for _ in range(2):  # a second time changes nothing
        assert await correct(hass, METER, missed) == 4
        found = await rows(hass, METER)
        assert [found[f"{hour:02}:00"]["sum"] for hour in range(5, 10)] == [1.2, 2.2, 3.2, 4.2, 5.2]
        assert found["08:00"]["state"] == 104.2
        assert found["10:00"] == before["10:00"]
        assert found["11:00"] == before["11:00"]


async def test_a_meter_that_began_anew_in_the_outage(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    live = {METER: {"05:00": 100.0, "05:30": 107.0, "10:51": 3.5, "11:30": 4.5}}
    await lived_through(hass, freezer, live)
    before = await rows(hass, METER)
    assert before["10:00"]["sum"] == 10.5  # 7 until the outage, then 3.5: the rest is not known
    missed = {"06:40": 109.0, "07:40": 0.5, "08:40": 2.0, "10:50": 3.5, "11:30": 4.5}
    for _ in range(2):
        await correct(hass, METER, missed)
        found = await rows(hass, METER)
        assert found["06:00"]["sum"] == 9.0
        assert found["07:00"]["sum"] == 9.5
        assert found["09:00"]["sum"] == 11.0
        assert found["10:00"]["sum"] == 12.5
        assert found["11:00"]["sum"] == 13.5
    short = await rows(hass, METER, "5minute")
    assert short["11:55"]["sum"] == 13.5  # from here the recorder goes on


async def test_a_gap_of_a_minute_counts_nothing_twice(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """The recorder's five minutes have the gap and what followed it; a small fall is no new cycle."""
    live = {METER: {"05:00": 1.0, "05:31": 10.0, "05:34": 10.4, "05:50": 10.5}}
    await lived_through(hass, freezer, live, until="07:00")
    before = await rows(hass, METER), await rows(hass, METER, "5minute")
    reported = {"05:31": 10.0, "05:32": 10.2, "05:33": 10.3, "05:34": 10.4}
    for since, until in (("05:31", "05:34"), ("05:33", "05:36")):
        await correct(hass, METER, reported, since=at(since), until=at(until))
        assert (await rows(hass, METER), await rows(hass, METER, "5minute")) == before


async def test_sums_are_left_alone_where_the_entity_shows_something_else(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Where it isn't known what the recorder has counted, nothing is added to it."""
    live = {METER: {"05:00": 100.0, "05:30": 107.0, "10:51": 5.0}}
    await lived_through(hass, freezer, live)
    short = await rows(hass, METER, "5minute")
    assert await correct(hass, METER, {"06:40": 109.0, "07:40": 0.5, "08:40": 2.0}) == 4
    assert await rows(hass, METER, "5minute") == short


async def test_a_value_below_zero_is_no_count(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """The recorder leaves it out, too."""
    await lived_through(hass, freezer)
    assert await correct(hass, METER, {"06:40": 102.2, "07:40": -1.0, "09:40": 105.2}) == 4
    found = await rows(hass, METER)
    assert [found[f"{hour:02}:00"]["sum"] for hour in range(6, 10)] == [2.2, 2.2, 2.2, 5.2]


async def test_the_running_hour_is_left_alone(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    await lived_through(hass, freezer, until="10:55")
    assert "10:00" not in await rows(hass, TEMPERATURE)
    assert await correct(hass, TEMPERATURE, {"06:30": 15.0, "10:30": 25.0}) == 4
    assert "10:00" not in await rows(hass, TEMPERATURE)


async def test_hours_that_the_recorder_has_not_compiled_are_left_alone(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    await lived_through(hass, freezer, until="07:00")
    freezer.move_to(at("12:00"))
    assert await correct(hass, TEMPERATURE, {"06:30": 15.0, "08:30": 25.0}) == 1
    assert set(await rows(hass, TEMPERATURE)) == {"05:00", "06:00"}


async def test_another_unit_is_converted(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    hass.config.units = US_CUSTOMARY_SYSTEM
    await lived_through(hass, freezer)
    assert await correct(hass, TEMPERATURE, {"06:00": 59.0}, unit="°F") == 5
    assert await correct(hass, TEMPERATURE, {"06:00": 5.0}, unit="bar") == 0
    listed = await get_instance(hass).async_add_executor_job(
        statistics_during_period, hass, at("07:00"), at("08:00"), {TEMPERATURE}, "hour",
        {"temperature": "°C"}, {"mean"},
    )  # fmt: skip
    assert listed[TEMPERATURE][0]["mean"] == pytest.approx(15.0)


async def test_an_entity_without_statistics_has_nothing_to_correct(hass: HomeAssistant) -> None:
    assert await correct(hass, TEMPERATURE, {"06:30": 15.0}) == 0
    assert await rows(hass, TEMPERATURE) == {}


async def test_the_time_before_the_first_row_is_filled_on_request(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    await lived_through(hass, freezer)
    period = {"since": at("02:10"), "until": at("05:00")}
    assert await correct(hass, TEMPERATURE, {"02:30": 10.0, "03:30": 12.0}, **period) == 0
    reported = {"02:30": 10.0, "03:30": 12.0}
    assert await correct(hass, TEMPERATURE, reported, fill=True, **period) == 3
    found = await rows(hass, TEMPERATURE)
    assert found["02:00"]["mean"] == 10.0
    assert found["03:00"]["mean"] == 11.0
    assert found["04:00"]["mean"] == 12.0
    assert await correct(hass, METER, {"02:30": 97.0, "03:30": 99.0}, fill=True, **period) == 3
    found = await rows(hass, METER)
    assert [found[clock]["sum"] for clock in ("02:00", "03:00", "04:00")] == [-3.0, -1.0, -1.0]
    assert found["05:00"]["sum"] == 1.2


async def test_hours_missing_from_the_outage_of_the_recorder_are_not_invented(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    await lived_through(hass, freezer)
    late = {"since": at("12:10"), "until": at("15:00")}
    freezer.move_to(at("16:00"))
    assert await correct(hass, TEMPERATURE, {"13:00": 3.0}, fill=True, **late) == 0
