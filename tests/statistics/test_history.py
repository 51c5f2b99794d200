"""The action that fills long-term statistics with what the network has kept."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)

from custom_components.thethingsstack.const import DOMAIN
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator

METER = "sensor.cellar_water_meter_water"


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(
    recorder_mock: Recorder, enable_custom_integrations: None
) -> None:
    """Let Home Assistant load the integration; the recorder must start before it."""


@pytest.fixture
async def entry(hass: HomeAssistant, demo_sim: Simulator) -> MockConfigEntry:
    """The demonstration, with statistics of the present five minutes."""
    entry = await set_up(hass, demo_sim, make_entry(demo_sim))
    await until(hass, lambda: entry.runtime_data.caught_up)
    await async_wait_recording_done(hass)
    now = dt_util.utcnow().replace(second=0, microsecond=0)
    do_adhoc_statistics(hass, start=now - timedelta(minutes=now.minute % 5))
    await async_wait_recording_done(hass)
    return entry


def counters(entry: MockConfigEntry) -> dict[str, str]:
    """Return device ids with the paths of what they count."""
    return {
        device.registry_id: path
        for device in entry.runtime_data.roster.states.values()
        for path, meaning in device.decisions.items()
        if meaning.quantity == "water" and isinstance(device.values.get(path), int | float)
    }


async def imported(hass: HomeAssistant, **data: Any) -> Any:
    """Call the action."""
    answer = await hass.services.async_call(
        DOMAIN, "import_history", data, blocking=True, return_response=True
    )
    await async_wait_recording_done(hass)
    return answer


async def rows(hass: HomeAssistant, entity_id: str) -> list[Any]:
    """Return the hourly statistics of an entity."""
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period, hass, datetime.fromtimestamp(0, UTC), None, {entity_id}, "hour",
        None, {"mean", "state", "sum"},
    )  # fmt: skip
    return found.get(entity_id, [])


async def test_the_hours_before_an_entity_existed_are_added(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """As far as the network kept them; the running hour is left to the recorder."""
    (device_id, *_) = counters(entry)
    answer = await imported(hass, device_id=device_id)
    assert answer["hours"]
    this_hour = dt_util.utcnow().replace(minute=0, second=0, microsecond=0).timestamp()
    for entity_id, hours in answer["hours"].items():
        # In its last five minutes the recorder has compiled the running hour already.
        found = [row for row in await rows(hass, entity_id) if row["start"] < this_hour]
        assert len(found) == hours > 2
        assert [row["start"] for row in found] == sorted({row["start"] for row in found})
        if found[0].get("sum") is not None:
            steps = [row["sum"] - before["sum"] for before, row in pairwise(found)]
            shown = [row["state"] - before["state"] for before, row in pairwise(found)]
            assert steps == pytest.approx(shown)
    before = {entity_id: await rows(hass, entity_id) for entity_id in answer["hours"]}
    await imported(hass, device_id=device_id)  # a second time changes nothing
    for entity_id, found in before.items():
        for row, now in zip(found, await rows(hass, entity_id), strict=True):
            assert now == pytest.approx(row)


async def test_a_fresh_setup_counts_nothing(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Of 24 stored hours only the newest values come in: no counter has counted anything."""
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period, hass, datetime.fromtimestamp(0, UTC), None, None, "5minute",
        None, {"sum", "state"},
    )  # fmt: skip
    sums = [
        (entity_id, row["sum"])
        for entity_id, listed in found.items()
        for row in listed
        if row.get("sum") is not None and row.get("state")
    ]
    assert len(sums) > len(counters(entry))
    assert [total for total in sums if total[1] != 0] == []


async def test_what_cannot_be_imported_is_refused_with_the_reason(
    hass: HomeAssistant, entry: MockConfigEntry, demo_sim: Simulator
) -> None:
    (device_id, *_) = counters(entry)
    now = dt_util.utcnow()
    for data, key in (
        (
            {"device_id": device_id, "start": now, "end": now - timedelta(hours=1)},
            "history_period_empty",
        ),
        ({"device_id": "nothing"}, "management_no_end_device"),
    ):
        with pytest.raises(ServiceValidationError) as refused:
            await imported(hass, **data)
        assert refused.value.translation_key == key
    demo_sim.faults.storage = False
    with pytest.raises(ServiceValidationError) as refused:
        await imported(hass, device_id=device_id)
    assert refused.value.translation_key == "history_without_storage"
