"""What was missed is read again: over restarts, failures, and times that lie."""

import asyncio
from collections import Counter
from datetime import timedelta
import logging
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    mock_restore_cache,
)

from custom_components.thethingsstack.application.catch_up import PAUSES, Pauses
from custom_components.thethingsstack.application.client_factory import QUEUE_SIZE
from custom_components.thethingsstack.application.time_slices import SLICE
from custom_components.thethingsstack.const import DOMAIN, REMEMBERED_MESSAGES
from custom_components.thethingsstack.coordinator import STREAM_PAUSES, StreamPauses
from custom_components.thethingsstack.end_devices import EndDeviceState
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator
from tests.simulator.faults import RateLimit, StorageFailure

STATION = "weather-station"
STATION_KEY = "garden/70B3D57ED0060001"
PUMP_KEY = "garden/24E124148B000001"


@pytest.fixture(autouse=True)
def pauses(hass: HomeAssistant) -> None:
    """Read at once what is stored at once."""
    hass.data[PAUSES] = Pauses(retry=0.2, lag=0, between_devices=0)
    hass.data[STREAM_PAUSES] = StreamPauses(refused=0.2, broken=0.2)


@pytest.fixture
def expected_lingering_timers() -> bool:
    """A request that is cut off by unloading leaves its timer to the HTTP library."""
    return True


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """The application on a server with Storage Integration, after its first reading."""
    sim.faults.storage = True
    sim.switch_storage(on=True)
    return await set_up(hass, sim)


def station(entry: MockConfigEntry) -> EndDeviceState:
    """Return the end device that speaks."""
    device: EndDeviceState = entry.runtime_data.roster.states[STATION_KEY]
    return device


class Seen:
    """Counts which numbers reached an end device, live or caught up, through its frame counter."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.numbers = Counter[int]()

    def watch(self, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch) -> None:
        """Count from now on."""
        device = station(entry)
        receive = device.receive

        def counting(uplink: Any, *others: Any) -> Any:
            if (number := (uplink.decoded_payload or {}).get("number")) is not None:
                self.numbers[number] += 1
            return receive(uplink, *others)

        monkeypatch.setattr(device, "receive", counting)


@pytest.fixture
def seen(hass: HomeAssistant) -> Seen:
    """What reached the end device."""
    return Seen(hass)


async def send(sim: Simulator, first: int, count: int) -> None:
    """Let the station send numbered uplinks."""
    for number in range(first, first + count):
        await sim.uplink(STATION, decoded={"number": number})


async def lose(hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry) -> None:
    """Interrupt the connection, and keep it so."""
    sim.faults.mqtt_close = True
    await sim.drop_connections()
    await until(hass, lambda: not entry.runtime_data.connected)


async def come_back(hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry) -> None:
    """Let the connection come back."""
    sim.faults.mqtt_close = False
    await until(hass, lambda: entry.runtime_data.connected)


async def test_a_gap_is_kept_over_a_restart_though_live_uplinks_followed_it(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, *, seen: Seen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    sim.faults.storage_failure = StorageFailure(status=500)
    await lose(hass, sim, entry)
    await send(sim, 1, 30)
    await come_back(hass, sim, entry)
    await send(sim, 31, 3)
    await until(hass, lambda: station(entry).values.get("number") == 33)
    await until(hass, lambda: entry.runtime_data.counters.errors)
    assert entry.runtime_data.store.gaps
    assert await hass.config_entries.async_unload(entry.entry_id)
    sim.faults.storage_failure = None
    with monkeypatch.context() as patched:
        original = EndDeviceState.receive

        def counting(device: EndDeviceState, uplink: Any, *others: Any) -> Any:
            if (number := (uplink.decoded_payload or {}).get("number")) is not None:
                seen.numbers[number] += 1
            return original(device, uplink, *others)

        patched.setattr(EndDeviceState, "receive", counting)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await until(hass, lambda: not entry.runtime_data.store.gaps)
    assert set(range(1, 31)) <= set(seen.numbers)
    assert max(seen.numbers.values()) == 1


async def test_a_restart_while_reading_loses_nothing(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, *, seen: Seen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    seen.watch(entry, monkeypatch)
    await lose(hass, sim, entry)
    await send(sim, 1, 30)
    sim.faults.storage_failure = StorageFailure(message_seconds=0.2)
    await come_back(hass, sim, entry)
    await until(hass, lambda: len(seen.numbers) >= 5)
    store = entry.runtime_data.store
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert len(seen.numbers) < 30
    assert store.gaps
    sim.faults.storage_failure = None
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: not entry.runtime_data.store.gaps)
    await until(hass, lambda: station(entry).values.get("number") == 30)


async def test_what_was_read_and_not_shown_is_read_again(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, *, seen: Seen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """An end device whose only uplink was in the part that was read would show nothing."""
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    seen.watch(entry, monkeypatch)
    await lose(hass, sim, entry)
    await sim.uplink("pump-socket", decoded={"voltage": 229})
    await send(sim, 1, 30)
    sim.faults.storage_failure = StorageFailure(message_seconds=0.2)
    await come_back(hass, sim, entry)
    await until(hass, lambda: len(seen.numbers) >= 5)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert len(seen.numbers) < 30
    sim.faults.storage_failure = None
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: not entry.runtime_data.store.gaps)
    await until(hass, lambda: station(entry).values.get("number") == 30)
    assert entry.runtime_data.roster.states[PUMP_KEY].values["voltage"] == 229


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=1)], ids=["new", "old"])
async def test_what_came_after_the_states_were_written_is_read_after_a_crash(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    age: timedelta,
) -> None:
    """Values are written every 15 minutes: after a crash older ones are shown."""
    object.__setattr__(entry, "created_at", dt_util.utcnow() - age)
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    await sim.uplink("pump-socket", decoded={"voltage": 229})
    await send(sim, 1, 1)
    await until(hass, lambda: station(entry).values.get("number") == 1)
    assert await hass.config_entries.async_unload(entry.entry_id)
    stored = hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]
    assert stored["ended_well"]
    stored["ended_well"] = False
    mock_restore_cache(hass, [])
    del hass_storage[f"{DOMAIN}.{entry.entry_id}.values"]
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: station(entry).values.get("number") == 1)
    pump = entry.runtime_data.roster.states[PUMP_KEY]
    await until(hass, lambda: pump.values.get("voltage") == 229)


async def test_what_was_caught_up_outlives_a_crash(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    """It is written before its gap counts as read: nobody would read it again."""
    sim.faults.mqtt_close = True
    await sim.drop_connections()
    await until(hass, lambda: not entry.runtime_data.connected)
    await sim.uplink("pump-socket", decoded={"voltage": 229})
    sim.faults.mqtt_close = False
    await until(hass, lambda: not entry.runtime_data.store.gaps and entry.runtime_data.connected)
    values = hass_storage[f"{DOMAIN}.{entry.entry_id}.values"]["data"]["devices"]
    assert values[PUMP_KEY]["values"]["voltage"] == [229, "V"]


async def test_a_first_reading_that_was_not_shown_is_made_again(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """What comes live meanwhile does not count as all that was received."""
    sim.faults.storage = True
    sim.switch_storage(on=True)
    await sim.uplink("pump-socket", decoded={"voltage": 229})
    sim.faults.storage_failure = StorageFailure(status=500)
    entry = make_entry(sim)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    await until(hass, lambda: entry.runtime_data.counters.errors)
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    assert await hass.config_entries.async_unload(entry.entry_id)
    sim.faults.storage_failure = None
    assert await hass.config_entries.async_setup(entry.entry_id)
    pump = entry.runtime_data.roster.states[PUMP_KEY]
    await until(hass, lambda: pump.values.get("voltage") == 229)


async def test_a_reading_that_breaks_off_goes_on_where_it_was(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, *, seen: Seen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    seen.watch(entry, monkeypatch)
    await lose(hass, sim, entry)
    await send(sim, 1, 60)
    sim.faults.storage_failure = StorageFailure(breaks_after=20, times=2)
    await come_back(hass, sim, entry)
    await until(hass, lambda: not entry.runtime_data.store.gaps)
    assert set(seen.numbers) == set(range(1, 61))
    assert max(seen.numbers.values()) <= 2


async def test_a_gap_that_opens_while_another_is_read_is_read_too(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, *, seen: Seen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    seen.watch(entry, monkeypatch)
    await lose(hass, sim, entry)
    await send(sim, 1, 10)
    sim.faults.storage_failure = StorageFailure(message_seconds=0.05)
    await come_back(hass, sim, entry)
    await until(hass, lambda: seen.numbers)
    await lose(hass, sim, entry)
    await send(sim, 11, 10)
    sim.faults.storage_failure = None
    await come_back(hass, sim, entry)
    await until(hass, lambda: not entry.runtime_data.store.gaps)
    assert set(seen.numbers) == set(range(1, 21))


async def test_many_stored_uplinks_bring_no_newer_one_twice(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, *, seen: Seen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """More than are remembered of an end device, read after live ones that the storage has too."""
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    seen.watch(entry, monkeypatch)
    sim.faults.storage_failure = StorageFailure(status=500)
    await lose(hass, sim, entry)
    await send(sim, 1, REMEMBERED_MESSAGES + 8)
    await come_back(hass, sim, entry)
    live = REMEMBERED_MESSAGES + 9
    await send(sim, live, 5)
    await until(hass, lambda: station(entry).values.get("number") == live + 4)
    sim.faults.storage_failure = None
    await until(hass, lambda: not entry.runtime_data.store.gaps)
    assert seen.numbers == dict.fromkeys(range(1, live + 5), 1)


async def test_a_late_uplink_leaves_the_payload_that_overrides_are_tried_on(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    await sim.uplink(STATION, decoded={"number": 7, "rain": 3}, f_port=2)
    await until(hass, lambda: station(entry).values.get("number") == 7)
    for f_port in (2, 3):
        earlier = (dt_util.utcnow() - timedelta(hours=f_port)).isoformat()
        await sim.uplink(
            STATION, decoded={"number": 5, f"late_{f_port}": 1}, f_port=f_port, received_at=earlier
        )
    await until(hass, lambda: {"late_2", "late_3"} <= set(station(entry).values))
    assert station(entry).raw_values() == {"late_3": 1, "number": 7, "rain": 3}


async def test_a_rate_limit_pauses_the_reading(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    await lose(hass, sim, entry)
    await send(sim, 1, 3)
    sim.faults.storage_failure = StorageFailure(status=429, retry_seconds=1, times=2)
    await come_back(hass, sim, entry)
    await until(hass, lambda: not entry.runtime_data.store.gaps)
    assert station(entry).values["number"] == 3


async def test_a_rate_limit_pauses_for_as_long_as_the_server_says(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Not for as long as after a failure, and it counts as none."""
    hass.data[PAUSES] = Pauses(retry=100_000, lag=0)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    await lose(hass, sim, entry)
    await send(sim, 1, 3)
    sim.faults.rate_limits["/packages/storage/uplink_message"] = RateLimit(1, 120)
    await come_back(hass, sim, entry)
    await until(hass, lambda: not entry.runtime_data.store.gaps)
    assert station(entry).values["number"] == 3
    assert entry.runtime_data.counters.errors == 0


async def test_the_start_waits_for_no_reading_and_shows_how_far_it_is(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await send(sim, 1, 9)
    sim.faults.storage_failure = StorageFailure(message_seconds=0.5)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert not entry.runtime_data.catch_up.progress.uplinks
    await until(hass, lambda: entry.runtime_data.connected)
    await send(sim, 10, 1)
    await until(hass, lambda: station(entry).values.get("number") == 10)
    await until(hass, lambda: entry.runtime_data.catch_up.progress.uplinks)
    shown = await connection_attributes(hass, entry)
    assert shown["catching_up"] is True
    assert 0 < shown["uplinks_read"] < 10
    sim.faults.storage_failure = None
    await until(hass, lambda: entry.runtime_data.caught_up)
    shown = await connection_attributes(hass, entry)
    assert shown["catching_up"] is False
    assert shown["uplinks_read"] >= 9
    assert shown["read_until"] <= dt_util.utcnow()


async def connection_attributes(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Return what the application's connection shows when it is written next."""
    entry.runtime_data.application_status.write()
    state = hass.states.get(entity_id(hass, "binary_sensor", "garden/connection"))
    assert state is not None
    return dict(state.attributes)


async def test_reading_gives_others_their_turn_after_each_slice_of_time(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, *,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """By a clock on which each uplink takes a 512th of a second."""
    turn, taken = 0, Counter[int]()

    def next_turn() -> None:
        nonlocal turn
        turn += 1
        ticking[0] = hass.loop.call_soon(next_turn)

    hass.data[PAUSES] = Pauses(lag=0, clock=lambda: taken.total() / 512)
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    assert await hass.config_entries.async_unload(entry.entry_id)
    speaking = [device_id for device_id, device in sim.devices.items() if device.session]
    for device_id in speaking:
        for number in range(100):
            await sim.uplink(device_id, decoded={"number": number})
    receive = EndDeviceState.receive

    def counting(device: EndDeviceState, uplink: Any, *others: Any) -> Any:
        taken[turn] += 1
        return receive(device, uplink, *others)

    monkeypatch.setattr(EndDeviceState, "receive", counting)
    ticking = [hass.loop.call_soon(next_turn)]
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: taken.total() >= 100 * len(speaking))
    ticking[0].cancel()
    assert max(taken.values()) <= SLICE * 512 + 1


async def test_what_is_stored_late_is_read_again(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """A gap is not closed before its last uplinks can be read."""
    hass.data[PAUSES] = Pauses(retry=0.2, lag=1.5, between_devices=0)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    await lose(hass, sim, entry)
    await send(sim, 1, 1)
    sim.faults.storage_lag = timedelta(seconds=1)
    await come_back(hass, sim, entry)
    await until(hass, lambda: station(entry).values.get("number") == 1)
    await until(hass, lambda: not entry.runtime_data.store.gaps)


async def test_a_right_that_comes_back_brings_the_stream_and_the_gap(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The server has fixed the rights when the connection began."""
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    sim.remove_rights("read", "TRAFFIC_READ")
    await sim.drop_connections()
    await entry.runtime_data.connection_state.async_check_rights()
    await until(hass, lambda: not entry.runtime_data.connection_state.readable)
    await send(sim, 1, 5)
    sim.add_rights("read", "TRAFFIC_READ")
    await entry.runtime_data.connection_state.async_check_rights()
    await until(hass, lambda: station(entry).values.get("number") == 5)
    await send(sim, 6, 1)
    await until(hass, lambda: station(entry).values.get("number") == 6)


@pytest.mark.parametrize("fault", ["keys_refused", "rights_empty"])
async def test_a_key_that_is_refused_for_a_while_is_tried_again(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, fault: str
) -> None:
    """The dialogue that asks for another one closes by itself."""
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    with sim.faults.during(**{fault: True}):
        await sim.drop_connections()
        await until(hass, lambda: list(entry.async_get_active_flows(hass, {SOURCE_REAUTH})))
        await send(sim, 1, 3)
    await until(hass, lambda: entry.runtime_data.connected)
    await until(hass, lambda: station(entry).values.get("number") == 3)
    await until(hass, lambda: not list(entry.async_get_active_flows(hass, {SOURCE_REAUTH})))


async def test_a_message_from_the_future_freezes_nothing(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    with sim.faults.during(message_skew=timedelta(days=365 * 70)):
        await send(sim, 0, 1)
        await until(hass, lambda: station(entry).values.get("number") == 0)
    await send(sim, 1, 1)
    await until(hass, lambda: station(entry).values.get("number") == 1)
    last_seen = station(entry).last_seen
    assert last_seen is not None
    assert last_seen <= dt_util.utcnow() + timedelta(minutes=1)
    await lose(hass, sim, entry)
    await send(sim, 2, 2)
    await come_back(hass, sim, entry)
    await until(hass, lambda: station(entry).values.get("number") == 3)


async def test_a_gap_after_a_message_from_the_future_is_read(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    with sim.faults.during(message_skew=timedelta(days=365 * 70)):
        await send(sim, 0, 1)
        await until(hass, lambda: station(entry).values.get("number") == 0)
    await lose(hass, sim, entry)
    await sim.uplink("pump-socket", decoded={"voltage": 229})
    await come_back(hass, sim, entry)
    pump = entry.runtime_data.roster.states[PUMP_KEY]
    await until(hass, lambda: pump.values.get("voltage") == 229)


async def test_a_time_from_the_future_on_disk_stops_nothing(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    store = entry.runtime_data.store
    assert await hass.config_entries.async_unload(entry.entry_id)
    store.received_until = dt_util.utcnow() + timedelta(days=365 * 70)
    await store.async_save()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    await send(sim, 1, 1)
    await until(hass, lambda: station(entry).values.get("number") == 1)
    await lose(hass, sim, entry)
    await send(sim, 2, 2)
    await come_back(hass, sim, entry)
    await until(hass, lambda: station(entry).values.get("number") == 3)


async def test_the_servers_clock_counts_not_ours(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Home Assistant's may be days behind, on a board without a battery for it."""
    ahead = timedelta(days=3)
    with sim.faults.during(date_skew=ahead, message_skew=ahead):
        await entry.runtime_data.connection_state.async_check_rights()
        sent = await sim.uplink(STATION, decoded={"number": 1})
        await until(hass, lambda: station(entry).values.get("number") == 1)
    received_at = dt_util.parse_datetime(sent["uplink_message"]["received_at"], raise_on_error=True)
    assert station(entry).last_seen == received_at > dt_util.utcnow() + timedelta(days=2)


async def test_storage_that_is_switched_on_later_is_noticed(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    sim.faults.storage = False
    await lose(hass, sim, entry)
    await come_back(hass, sim, entry)
    await until(hass, lambda: entry.runtime_data.catch_up.storage is False)
    sim.faults.storage = True
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(hours=1, seconds=1))
    await until(hass, lambda: entry.runtime_data.catch_up.storage is True)
    await until(hass, lambda: not entry.runtime_data.store.gaps)


async def test_the_log_names_an_interruption_and_its_end_once_as_information(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """Connection resets bring nothing else into it, also where several attempts fail."""
    caplog.clear()
    await lose(hass, sim, entry)
    attempts = sim.mqtt_attempts
    await until(hass, lambda: sim.mqtt_attempts > attempts + 1)
    await come_back(hass, sim, entry)
    ours = [
        (record.levelname, record.getMessage().removeprefix("Garden: ").partition(":")[0])
        for record in caplog.records
        if record.name.startswith("custom_components.thethingsstack")
        and record.levelno >= logging.INFO
    ]
    assert ours == [("INFO", "the connection is lost"), ("INFO", "the connection is back")]
    assert not [record for record in caplog.records if "paho" in record.name]


async def test_statistics_are_no_matter_without_a_recorder(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    await lose(hass, sim, entry)
    await send(sim, 1, 1)
    await come_back(hass, sim, entry)
    await until(hass, lambda: station(entry).values.get("number") == 1)
    await until(hass, lambda: not entry.runtime_data.store.gaps)
    await until(hass, lambda: not entry.runtime_data.store.uncorrected)


async def test_messages_that_came_too_fast_are_read_again(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, *, seen: Seen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The queue between the socket and us really overflows."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.data[QUEUE_SIZE] = 1
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    seen.watch(entry, monkeypatch)
    await send(sim, 0, 1)
    await until(hass, lambda: station(entry).values.get("number") == 0)
    last = 0
    while not entry.runtime_data.counters.dropped:
        await asyncio.gather(*(send(sim, number, 1) for number in range(last + 1, last + 51)))
        last += 50
    await until(hass, lambda: len(seen.numbers) == last + 1)
    await until(hass, lambda: not entry.runtime_data.store.gaps)


async def test_a_fresh_setup_writes_one_state_for_each_field_and_none_of_it_old(
    hass: HomeAssistant, demo_sim: Simulator
) -> None:
    """An old water meter's state followed by the newest would be consumption."""
    written = Counter[str]()
    states: dict[str, str] = {}

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        if (state := event.data["new_state"]) is not None:
            written[state.entity_id] += 1
            states[state.entity_id] = state.state

    hass.bus.async_listen("state_changed", note)
    entry = await set_up(hass, demo_sim, make_entry(demo_sim))
    await until(hass, lambda: entry.runtime_data.caught_up)
    await hass.async_block_till_done()
    registry = er.async_get(hass)
    fields = {
        item.entity_id
        for item in er.async_entries_for_config_entry(registry, entry.entry_id)
        # A tracker shows where the registry has the device until its payload says more.
        if "/field/" in item.unique_id
        and item.entity_id in written
        and item.domain != "device_tracker"
    }
    assert len(fields) > 50
    assert {name: written[name] for name in fields if written[name] > 1} == {}
    newest = {name: hass.states.get(name) for name in fields}
    assert all(state is not None and state.state == states[name] for name, state in newest.items())
    water = entity_id(hass, "sensor", water_of(entry))
    assert written[water] == 1
    assert entry.domain == DOMAIN


def water_of(entry: MockConfigEntry) -> str:
    """Return the unique id of a field that a meter counts with."""
    return next(
        f"{device.key}/field/{path}"
        for device in entry.runtime_data.roster.states.values()
        for path, meaning in device.decisions.items()
        if meaning.quantity == "water" and isinstance(device.values.get(path), int | float)
    )
