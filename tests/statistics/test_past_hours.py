"""What is still to be corrected is kept until it is, and no longer."""

from datetime import datetime, timedelta

from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.const import EVENT_RECORDER_HOURLY_STATISTICS_GENERATED
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.application import ApplicationStore
from custom_components.thethingsstack.statistics.hours import HOUR, hour_of
from tests.ha_fixtures import set_up, until
from tests.simulator import Simulator, StorageFailure


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(
    recorder_mock: Recorder, enable_custom_integrations: None
) -> None:
    """Let Home Assistant load the integration; the recorder must start before it."""


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """The application on a server with Storage Integration, which has just received something."""
    sim.faults.storage = True
    sim.switch_storage(on=True)
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today)
    return entry


def pending(entry: MockConfigEntry) -> list[tuple[datetime, datetime | None]]:
    """Return the gaps that aren't corrected yet."""
    store: ApplicationStore = entry.runtime_data.store
    return [(gap.since, gap.until) for gap in store.uncorrected]


async def hour_compiled(hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry) -> None:
    """Let the recorder have compiled an hour, and wait until the storage was asked."""
    sim.requests.clear()
    hass.bus.async_fire(EVENT_RECORDER_HOURLY_STATISTICS_GENERATED)
    await until(hass, lambda: any("storage" in path for _, path in sim.requests))
    await until(hass, lambda: entry.runtime_data.past_hours.done)


async def test_a_gap_is_kept_until_its_hour_is_over_and_the_storage_answers(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    this_hour, store = hour_of(dt_util.utcnow()), entry.runtime_data.store
    over = (this_hour - 5 * HOUR, this_hour - 4 * HOUR - timedelta(minutes=20))
    running = (this_hour + timedelta(seconds=1), this_hour + timedelta(seconds=2))
    store.uncorrected.add(*over)
    store.uncorrected.add(*running)
    sim.faults.storage_failure = StorageFailure(status=500)
    await hour_compiled(hass, sim, entry)
    assert entry.runtime_data.application_status.problems[-1]["kind"] == "statistics"
    assert pending(entry) == [over, running]
    sim.faults.storage_failure = None
    await hour_compiled(hass, sim, entry)
    assert pending(entry) == [running]


async def test_a_gap_is_kept_while_the_next_may_begin_in_its_hour(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """An hour with two outages can only be corrected as a whole."""
    this_hour, store = hour_of(dt_util.utcnow()), entry.runtime_data.store
    first = (this_hour - 5 * HOUR, this_hour - 4 * HOUR - timedelta(minutes=40))
    second = (first[1] + timedelta(minutes=20), this_hour - 3 * HOUR - timedelta(minutes=20))
    store.uncorrected.add(*first)
    store.received_until = second[0]
    await hour_compiled(hass, sim, entry)
    assert pending(entry) == [first]
    store.uncorrected.add(*second)
    await hour_compiled(hass, sim, entry)
    assert pending(entry) == [first, second]
    store.received_until = this_hour
    hass.bus.async_fire(EVENT_RECORDER_HOURLY_STATISTICS_GENERATED)
    await until(hass, lambda: not pending(entry))
