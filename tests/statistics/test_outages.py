"""After an outage, statistics are as if there had been none: on each database, for each outage."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from freezegun import freeze_time
from freezegun.api import TickingDateTimeFactory
from homeassistant import loader
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import get_metadata
from homeassistant.components.recorder.tasks import StatisticsTask
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import (
    area_registry,
    category_registry,
    device_registry,
    entity_registry as er,
    floor_registry,
    frame,
    issue_registry,
    label_registry,
    restore_state,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.thethingsstack.application.catch_up import PAUSES, Pauses
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.statistics.hours import HOUR, hour_of
from custom_components.thethingsstack.statistics.recorded import (
    FIVE_MINUTES,
    async_compiled,
    five_minutes_of,
)
from tests.ha_fixtures import entry_data, until
from tests.simulator import Simulator
from tests.statistics import mariadb, postgresql
from tests.statistics.test_recorded import ATTRIBUTES, METER, OTHER, at, rows

STATION, KEY = "weather-station", "garden/70B3D57ED0060001"
FIELDS = ("temperature", "soil_temperature", "energy_kwh", "water_total_m3")
LIVE = {"05:00": (20.0, 10.0, 100.2, 50.5), "05:30": (21.0, 11.0, 101.4, 57.5)}
MISSED = {
    "06:30": (15.0, 5.0, 102.4, 59.5),
    "07:30": (17.0, 6.0, 103.4, 0.5),  # the water meter begins anew
    "08:30": (19.0, 7.0, 104.4, 2.0),
    "09:30": (23.0, 8.0, 105.4, 3.0),
}
BACK = {"10:53": (26.0, 9.0, 106.4, 3.5), "11:30": (27.0, 10.0, 107.4, 4.5)}
# Of others, which nothing happened to.
THEIRS = {OTHER: 400.0, METER: 77.0}


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Home Assistant is started by the tests themselves."""


SERVERS = {
    "PostgreSQL": (postgresql.programs(), postgresql),
    "MariaDB": (mariadb.program(), mariadb),
}
INSTALLED = [name for name, (program, _) in SERVERS.items() if program is not None]


@pytest.fixture(scope="session")
def server_addresses() -> Iterator[Mapping[str, str]]:
    """Return the addresses of the servers of databases, which run until the end of all tests."""
    with ExitStack() as servers:
        yield {name: servers.enter_context(SERVERS[name][1].server()) for name in INSTALLED}


@pytest.fixture(params=["SQLite", *INSTALLED])
def recorder_db_url(
    request: pytest.FixtureRequest, tmp_path: Path, socket_enabled: None
) -> Iterator[str]:
    """Return the address of an empty database."""
    name: str = request.param
    if name == "SQLite":
        yield f"sqlite:///{tmp_path / 'home.db'}"
    else:
        address = request.getfixturevalue("server_addresses")[name]
        with SERVERS[name][1].database(address) as url:
            yield url


@pytest.fixture
def enable_missing_statistics() -> bool:
    """Let the recorder compile after a restart what it missed, as it does."""
    return True


@pytest.fixture
async def sim(socket_enabled: None) -> AsyncIterator[Simulator]:
    """Return a server with Storage Integration, on the morning of that day."""
    async with Simulator(world="garden", clock=lambda: at("04:56")) as simulator:
        simulator.faults.storage = True
        simulator.switch_storage(on=True)
        yield simulator


@pytest.fixture
def clock(sim: Simulator) -> Iterator[TickingDateTimeFactory]:
    """Return the time of day, which can be moved forward, for the server, too."""
    with freeze_time(at("04:57"), tick=True) as moved:
        assert isinstance(moved, TickingDateTimeFactory)
        sim.stack.now = lambda: datetime.now(UTC)
        yield moved


class Home:
    """Home Assistant with a recorder and the application; what it stores survives a restart."""

    def __init__(self, sim: Simulator, clock: TickingDateTimeFactory, recorder: Any) -> None:
        self._sim = sim
        self._clock = clock
        self._recorder = recorder
        self._compiled = at("05:00")
        self.hass: HomeAssistant
        self.entry: MockConfigEntry

    @asynccontextmanager
    async def running(self) -> AsyncIterator[HomeAssistant]:
        """Set everything up; the test starts it."""
        async with async_test_home_assistant(
            load_registries=False, initial_state=CoreState.not_running
        ) as hass:
            self.hass = hass
            hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            hass.data[PAUSES] = Pauses(retry=0.2, lag=0, between_devices=0)
            frame.async_setup(hass)
            self.entry = MockConfigEntry(
                domain=DOMAIN, entry_id="garden", unique_id="garden", data=entry_data(self._sim)
            )
            self.entry.add_to_hass(hass)
            device_registry.async_setup(hass)
            for stored in (
                area_registry, category_registry, device_registry, er, floor_registry,
                issue_registry, label_registry, restore_state,
            ):  # fmt: skip
                await stored.async_load(hass)
            async with self._recorder(hass):
                assert await async_setup_component(hass, "sensor", {})
                for entity_id, value in THEIRS.items():
                    hass.states.async_set(entity_id, str(value), ATTRIBUTES[entity_id])
                assert await hass.config_entries.async_setup(self.entry.entry_id)
                await until(hass, lambda: self.coordinator.connected and self.coordinator.caught_up)
                yield hass
                await hass.async_stop(force=True)
            # What a process's end would end; after the recorder's, which doesn't see it.
            await hass.config_entries.async_unload(self.entry.entry_id)
            await hass.async_block_till_done()

    @property
    def coordinator(self) -> Any:
        """Return the running application."""
        return self.entry.runtime_data

    def entity(self, path: str) -> str:
        """Return the entity of a field."""
        found = er.async_get(self.hass).async_get_entity_id("sensor", DOMAIN, f"{KEY}/field/{path}")
        assert found is not None
        return found

    async def live_until(self, clock: str) -> None:
        """Let time pass until then; the recorder compiles what there is to compile."""
        while self._compiled + FIVE_MINUTES <= at(clock):
            end = min(hour_of(self._compiled) + HOUR, five_minutes_of(at(clock)))
            self._clock.move_to(end + timedelta(seconds=10))
            await async_wait_recording_done(self.hass)
            while self._compiled < end:
                get_instance(self.hass).queue_task(StatisticsTask(self._compiled, True))
                self._compiled += FIVE_MINUTES
            await async_wait_recording_done(self.hass)
            await until(self.hass, lambda: self.coordinator.past_hours.done)
        self.pass_until(clock)

    def pass_until(self, clock: str) -> None:
        """Let time pass until then, without Home Assistant."""
        if datetime.now(UTC) < at(clock):
            self._clock.move_to(at(clock))

    def compiled_until(self, clock: str) -> None:
        """Home Assistant itself has compiled what it missed."""
        self._compiled = at(clock)

    async def send(self, values: tuple[float, ...]) -> None:
        """Let the station send."""
        await self._sim.uplink(STATION, decoded=dict(zip(FIELDS, values, strict=True)))

    async def receive(self, reported: Mapping[str, tuple[float, ...]]) -> None:
        """Let the station send at these times, and Home Assistant receive it."""
        for clock, values in reported.items():
            await self.live_until(clock)
            await self.send(values)
            await until(self.hass, lambda: self.shows(values))  # noqa: B023

    def shows(self, values: tuple[float, ...]) -> bool:
        """Return whether the temperature's entity has its value."""
        state = self.hass.states.get(self.entity("temperature"))
        return state is not None and state.state == str(values[0])

    async def show_in(self, path: str, unit: str) -> None:
        """Let the user choose a field's unit."""
        er.async_get(self.hass).async_update_entity_options(
            self.entity(path), "sensor", {"unit_of_measurement": unit}
        )
        await self.hass.async_block_till_done()

    async def lose_connection(self) -> None:
        """Interrupt the connection, and keep it so."""
        self._sim.faults.mqtt_close = self._sim.faults.http_down = True
        await self._sim.drop_connections()
        await until(self.hass, lambda: not self.coordinator.connected)

    async def come_back(self) -> None:
        """Let the connection come back, and what was missed be read."""
        self._sim.faults.mqtt_close = self._sim.faults.http_down = False
        self.coordinator.stack.reconnect()
        await until(
            self.hass, lambda: self.coordinator.connected and not self.coordinator.store.gaps
        )

    async def means(self, path: str) -> dict[str, float]:
        """Return the mean of each hour."""
        return {
            hour: row["mean"] for hour, row in (await rows(self.hass, self.entity(path))).items()
        }

    async def sums(self, path: str) -> dict[str, float]:
        """Return the sum of each hour."""
        return {
            hour: row["sum"] for hour, row in (await rows(self.hass, self.entity(path))).items()
        }

    async def stored_unit(self, path: str) -> str | None:
        """Return the unit that the recorder keeps a field's statistics in."""
        entity_id = self.entity(path)
        found = await get_instance(self.hass).async_add_executor_job(
            partial(get_metadata, self.hass, statistic_ids={entity_id})
        )
        unit: str | None = found[entity_id][1]["unit_of_measurement"]
        return unit

    async def begin(self) -> None:
        """Start, with some live uplinks; the recorder keeps one temperature in another unit."""
        await self.hass.async_start()
        await async_compiled(self.hass)
        await self.send((19.0, 9.0, 100.2, 50.5))
        await until(self.hass, lambda: self.hass.states.get("sensor.weather_station_energy"))
        await self.show_in("soil_temperature", "°F")
        self.pass_until("05:00")
        await self.receive(LIVE)
        await self.show_in("soil_temperature", "°C")
        await self.live_until("05:50")

    async def others(self, period: str) -> dict[str, Mapping[str, Any]]:
        """Return all rows of the others' statistics."""
        return {entity_id: await rows(self.hass, entity_id, period) for entity_id in THEIRS}


@pytest.fixture
def home(
    sim: Simulator,
    clock: TickingDateTimeFactory,
    async_test_recorder: Any,
    hass_storage: dict[str, Any],
) -> Home:
    """Return Home Assistant, not running yet."""
    return Home(sim, clock, async_test_recorder)


def hours(first: int, last: int) -> list[str]:
    """Return hours as rows name them."""
    return [f"{hour:02}:00" for hour in range(first, last + 1)]


def approx(values: Mapping[str, float]) -> Any:
    """Compare means: uplinks take a moment."""
    return pytest.approx(values, abs=0.1)


async def assert_others_untouched(home: Home, last: int) -> None:
    """None of their rows is missing, and each has the value that they always had."""
    for period, each in (("hour", 60), ("5minute", 5)):
        wanted = [at("05:00") + timedelta(minutes=n) for n in range(0, (last - 4) * 60, each)]
        found = await home.others(period)
        for entity_id, value in THEIRS.items():
            row = (
                {"mean": value, "min": value, "max": value}
                if entity_id == OTHER
                else {"state": value, "sum": 0.0}
            )
            assert found[entity_id] == {f"{moment:%H:%M}": row for moment in wanted}


async def test_a_restart(home: Home, sim: Simulator, caplog: pytest.LogCaptureFixture) -> None:
    async with home.running():
        await home.begin()
        home.pass_until("05:51")
    for clock, values in MISSED.items():
        home.pass_until(clock)
        await home.send(values)
    home.pass_until("10:51")
    async with home.running() as hass:
        # The recorder hasn't compiled yet what it missed: until then nothing is written.
        await until(hass, lambda: not home.coordinator.past_hours.done)
        assert await rows(hass, OTHER) == {}
        await hass.async_start()
        await until(hass, lambda: home.coordinator.past_hours.done)
        await async_wait_recording_done(hass)
        means = {"05:00": 20.5, "06:00": 18.0, "07:00": 16.0, "08:00": 18.0, "09:00": 21.0}
        assert await home.means("temperature") == approx(means)
        sums = dict(zip(hours(5, 9), (1.2, 2.2, 3.2, 4.2, 5.2), strict=True))
        assert await home.sums("energy_kwh") == pytest.approx(sums)
        home.compiled_until("10:50")
        await home.receive(BACK)
        await home.live_until("12:00")
        await assert_corrected(home)
        await assert_others_untouched(home, 11)
    assert not [record for record in caplog.records if "duplicate" in record.getMessage().lower()]


async def test_a_lost_connection(home: Home, sim: Simulator) -> None:
    """Within 15 minutes values stay as they are; then they are unavailable, and hours have no row."""
    async with home.running():
        await home.begin()
        await home.live_until("05:51")
        await home.lose_connection()
        await home.live_until("05:55")
        await home.send((15.0, 5.0, 102.4, 59.5))
        await home.live_until("06:03")
        await home.come_back()
        await until(home.hass, lambda: home.shows((15.0, 5.0, 102.4, 59.5)))
        await home.live_until("06:50")
        await home.lose_connection()
        await home.live_until("07:30")
        await home.send((17.0, 6.0, 103.4, 0.5))
        await home.live_until("09:30")
        await home.send((23.0, 8.0, 105.4, 3.0))
        await home.live_until("10:51")
        await home.come_back()
        await home.receive(BACK)
        await home.live_until("12:00")
        means = await home.means("temperature")
        wanted = (20.0, 15.0, 16.0, (23 * 53 + 26 * 7) / 60, 26.5)
        assert means == approx(dict(zip([*hours(5, 7), *hours(10, 11)], wanted, strict=True)))
        sums = await home.sums("water_total_m3")
        wanted = (9.0, 9.0, 9.5, 12.5, 13.5)
        assert sums == pytest.approx(dict(zip(means, wanted, strict=True)))
        assert list((await home.sums("energy_kwh")).values()) == pytest.approx(
            [2.2, 2.2, 3.2, 6.2, 7.2]
        )
        await assert_others_untouched(home, 11)


async def assert_corrected(home: Home) -> None:
    """All hours are as if nothing had been missed."""
    means = (20.5, 18.0, 16.0, 18.0, 21.0, (23 * 53 + 26 * 7) / 60, 26.5)
    assert await home.means("temperature") == approx(dict(zip(hours(5, 11), means, strict=True)))
    soil = (10.5, 8.0, 5.5, 6.5, 7.5, (8 * 53 + 9 * 7) / 60, 9.5)
    assert await home.means("soil_temperature") == approx(
        dict(zip(hours(5, 11), soil, strict=True))
    )
    assert await home.stored_unit("soil_temperature") == "°F"
    row = (await rows(home.hass, home.entity("temperature")))["09:00"]
    assert (row["min"], row["max"]) == (19.0, 23.0)
    sums = (1.2, 2.2, 3.2, 4.2, 5.2, 6.2, 7.2)
    assert await home.sums("energy_kwh") == pytest.approx(
        dict(zip(hours(5, 11), sums, strict=True))
    )
    sums = (7.0, 9.0, 9.5, 11.0, 12.0, 12.5, 13.5)
    found = await home.sums("water_total_m3")
    assert found == pytest.approx(dict(zip(hours(5, 11), sums, strict=True)))
