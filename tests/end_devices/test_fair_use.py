"""How much of The Things Network's fair use policy end devices use, over real sockets."""

from datetime import UTC, datetime, timedelta

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.end_devices import UplinkHistory
from custom_components.thethingsstack.end_devices.fair_use import Airtime
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator

WEATHER = "garden/70B3D57ED0060001"
SENSOR = f"{WEATHER}/airtime_24h"
NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def test_airtime_of_24_hours_rolls_on() -> None:
    """Each hour counts for as much of it as lies in the last 24 hours."""
    airtime = Airtime()
    for hour in range(48):
        airtime.note(NOON + timedelta(hours=hour, minutes=30), 0.5)
        airtime.note(NOON + timedelta(hours=hour, minutes=30), 0.5)
    end = NOON + timedelta(hours=48)
    assert airtime.in_24_hours(end) == pytest.approx(24)
    assert airtime.in_24_hours(end + timedelta(minutes=15)) == pytest.approx(23.75)
    assert airtime.in_24_hours(end + timedelta(hours=12)) == pytest.approx(12)
    assert airtime.in_24_hours(end + timedelta(days=3)) == 0


def test_airtime_over_a_restart_and_with_late_uplinks() -> None:
    """What comes late counts in its own hour; what is older than a day or impossible, nowhere."""
    airtime = Airtime()
    for hours, seconds in ((20, 2.0), (3, 1.0), (-40, 4.0), (5, float("nan")), (6, -1), (7, 1e9)):
        airtime.note(NOON + timedelta(hours=hours), seconds)
    now = NOON + timedelta(hours=21)
    assert airtime.in_24_hours(now) == 3
    assert Airtime.from_stored(airtime.as_stored()).in_24_hours(now) == 3
    airtime.forget_future(NOON + timedelta(hours=19))
    assert airtime.in_24_hours(now) == 1


def test_what_is_read_again_after_a_restart_counts_once() -> None:
    history = UplinkHistory()
    for minute in range(5):
        history.note(NOON + timedelta(minutes=minute), minute, 1.0)
    history = UplinkHistory.from_stored(history.as_stored())
    for minute in range(3, 7):
        history.note(NOON + timedelta(minutes=minute), minute, 1.0)
    assert history.airtime.in_24_hours(NOON + timedelta(hours=1)) == 7
    history.forget_future(NOON - timedelta(hours=1))
    history.note(NOON, 7, 1.0)
    assert history.airtime.in_24_hours(NOON + timedelta(hours=1)) == 1


def test_airtime_is_kept_small() -> None:
    airtime = Airtime()
    for minute in range(60 * 24 * 30):
        airtime.note(NOON + timedelta(minutes=minute), 0.01)
    assert len(airtime.as_stored()) == 25


async def sends(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, *seconds: float
) -> None:
    """Let the weather station send frames that take so long, and wait for them."""
    airtime = entry.runtime_data.roster.states[WEATHER].uplinks.airtime
    now = dt_util.utcnow()
    expected = airtime.in_24_hours(now) + sum(seconds)
    for number, airtime_of_one in enumerate(seconds):
        moment = now - timedelta(seconds=number)
        await sim.uplink(
            "weather-station",
            decoded={"temperature": 20.5},
            received_at=moment.isoformat().replace("+00:00", "Z"),
            consumed_airtime=f"{airtime_of_one}s",
        )
    await until(hass, lambda: airtime.in_24_hours(now) == pytest.approx(expected))
    await hass.async_block_till_done()


async def test_airtime_is_a_sensor(hass: HomeAssistant, sim: Simulator) -> None:
    """Summed up, with what came late, not twice, and kept over a restart."""
    entry = make_entry(sim)
    entry.add_to_hass(hass)
    registry = er.async_get(hass)
    registry.async_get_or_create("sensor", DOMAIN, SENSOR, config_entry=entry, disabled_by=None)
    await set_up(hass, sim, entry)

    def shown() -> float:
        state = hass.states.get(entity_id(hass, "sensor", SENSOR))
        assert state is not None
        assert state.attributes["unit_of_measurement"] == "s"
        return float(state.state)

    before = shown()
    await sends(hass, sim, entry, 1.5, 0.25)
    assert shown() == pytest.approx(before + 1.5)  # the second one was older
    await sends(hass, sim, entry, 1.0)
    assert shown() == pytest.approx(before + 2.75)
    await sim.uplink("weather-station", decoded={"temperature": 1.5}, simulated=True)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    await hass.async_block_till_done()
    assert shown() == pytest.approx(before + 2.75)
    async_fire_time_changed(hass, dt_util.utcnow().replace(minute=0, second=2) + timedelta(hours=1))
    await hass.async_block_till_done()
    assert shown() == pytest.approx(before + 2.75)
    registered = registry.async_get(
        entity_id(hass, "sensor", "garden/A84041000181C061/airtime_24h")
    )
    assert registered is not None
    assert registered.disabled_by is er.RegistryEntryDisabler.INTEGRATION


@pytest.mark.parametrize(
    ("network", "frames", "warned"),
    [("ttn_eu1", 11, False), ("ttn_eu1", 12, True), ("own_server", 20, False)],
)
async def test_much_airtime_is_an_issue_on_the_things_network(
    hass: HomeAssistant, sim: Simulator, network: str, frames: int, warned: bool
) -> None:
    """Before the limit is reached, with the end device; elsewhere nobody minds."""
    entry = await set_up(hass, sim, make_entry(sim, network=network))
    await sends(hass, sim, entry, *[2.0] * frames)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=5, seconds=1))
    await hass.async_block_till_done()
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"airtime_limit_{entry.entry_id}")
    if not warned:
        assert issue is None
        return
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["devices"] == "- Weather station: 24 s"
    assert issue.translation_placeholders["limit"] == "30"
