"""What was missed where the server keeps no uplinks: read from its event history, or told once."""

from datetime import timedelta

from homeassistant.core import HomeAssistant, State
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.application.catch_up import PAUSES, Pauses
from custom_components.thethingsstack.const import DOMAIN
from tests.dialogs import go, start_repair
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator

STATION = "weather-station"
GREENHOUSE = "greenhouse-climate"


@pytest.fixture(autouse=True)
def pauses(hass: HomeAssistant) -> None:
    """Don't wait until uplinks are stored; the event history ends with the next live event."""
    hass.data[PAUSES] = Pauses(retry=0.2, lag=0, between_devices=0, history=1_000)


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """The application, after an uplink of two end devices."""
    assert await async_setup_component(hass, "repairs", {})
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    await send(hass, sim, entry, STATION, GREENHOUSE)
    return entry


async def send(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, *device_ids: str
) -> None:
    """Let end devices send, and wait until all has arrived."""
    before = entry.runtime_data.counters.uplinks_today
    for device_id in device_ids:
        await sim.uplink(device_id, decoded={"number": before})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == before + len(device_ids))


async def interrupt(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    *,
    history: bool = False,
    **uplinks: int,
) -> None:
    """Interrupt the connection while end devices send so many uplinks.

    With `history`, another end device sends until the past is read: that is its end.
    """
    sim.faults.mqtt_close = True
    await sim.drop_connections()
    await until(hass, lambda: not entry.runtime_data.connected)
    for name, count in uplinks.items():
        for number in range(count):
            await sim.uplink(name.replace("_", "-"), decoded={"number": 1000 + number})
    sim.faults.mqtt_close = False
    await until(hass, lambda: entry.runtime_data.connected)
    while history and not entry.runtime_data.caught_up:
        await send(hass, sim, entry, GREENHOUSE)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)


def shown(hass: HomeAssistant) -> State:
    """Return what the application's device shows of missed uplinks."""
    state = hass.states.get(entity_id(hass, "sensor", "garden/missed_uplinks"))
    assert state is not None
    return state


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    """Return the offer to switch the Storage Integration on."""
    return ir.async_get(hass).async_get_issue(DOMAIN, f"storage_off_{entry.entry_id}")


async def test_the_event_history_is_read_where_there_is_no_storage(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    await interrupt(hass, sim, entry, history=True, weather_station=5)
    station = entry.runtime_data.roster.by_device_id(STATION)
    assert station.values["number"] == 1004
    await send(hass, sim, entry, STATION)
    assert shown(hass).state == "0"
    assert shown(hass).attributes["end_devices"] == {}


async def test_what_the_history_lacks_is_counted(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """A server keeps a hundred events; some are those of the other end device."""
    await interrupt(hass, sim, entry, history=True, weather_station=105)
    await send(hass, sim, entry, STATION)
    assert 5 <= shown(hass).attributes["end_devices"]["Weather station"] < 105


async def test_what_is_missed_is_said_once(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """How long, and of which end devices, as soon as their frame counters tell."""
    sim.events.history = False
    store = entry.runtime_data.store
    last_message = store.received_until
    await interrupt(hass, sim, entry, weather_station=5, greenhouse_climate=2)
    assert shown(hass).state == "0"
    since = shown(hass).attributes["last_message"]
    assert timedelta() <= last_message - since < timedelta(seconds=2)  # by the server's clock
    assert shown(hass).attributes["connected_again"] >= since
    await send(hass, sim, entry, STATION)
    assert shown(hass).state == "5"
    await send(hass, sim, entry, STATION, GREENHOUSE)
    await send(hass, sim, entry, STATION, GREENHOUSE)
    assert shown(hass).state == "7"
    assert shown(hass).attributes["end_devices"] == {"Weather station": 5, "Greenhouse climate": 2}
    assert issue(hass, entry) is None  # this server has no Storage Integration to switch on


async def test_a_short_interruption_hides_no_earlier_one(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    sim.events.history = False
    await interrupt(hass, sim, entry, weather_station=5)
    await send(hass, sim, entry, STATION)
    for _ in range(2):
        await interrupt(hass, sim, entry)
        await send(hass, sim, entry, STATION)
    assert shown(hass).state == "0"
    (earlier,) = shown(hass).attributes["earlier"]
    assert earlier["end_devices"] == {"Weather station": 5}


async def test_a_restart_is_an_interruption(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    sim.events.history = False
    assert await hass.config_entries.async_unload(entry.entry_id)
    for _ in range(3):
        await sim.uplink(STATION, decoded={"number": 1})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    await send(hass, sim, entry, STATION)
    assert shown(hass).attributes["end_devices"] == {"Weather station": 3}
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    assert shown(hass).attributes["earlier"][0]["end_devices"] == {"Weather station": 3}


async def test_a_new_session_tells_nothing(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    sim.events.history = False
    sim.faults.mqtt_close = True
    await sim.drop_connections()
    await until(hass, lambda: not entry.runtime_data.connected)
    await sim.join(STATION)
    for _ in range(5):
        await sim.uplink(STATION, decoded={"number": 1})
    sim.faults.mqtt_close = False
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    await send(hass, sim, entry, STATION, STATION)
    assert shown(hass).state == "0"


async def test_one_interruption_after_another_counts_all(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The second begins before it is known what can be read of the first."""
    sim.faults.storage = True
    sim.events.history = False
    sim.faults.http_status = {"/api/v3/as/applications/garden/packages/storage": 503}
    await interrupt(hass, sim, entry, weather_station=2)
    await send(hass, sim, entry, STATION)
    await interrupt(hass, sim, entry, weather_station=3)
    sim.faults.storage = False
    sim.faults.http_status = {}
    await until(hass, lambda: entry.runtime_data.catch_up.storage is False)
    await until(hass, lambda: entry.runtime_data.caught_up)
    await send(hass, sim, entry, STATION)
    assert shown(hass).attributes["end_devices"] == {"Weather station": 5}


async def test_one_click_lets_the_server_keep_uplinks(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    sim.faults.storage = True
    sim.switch_storage(on=False)
    sim.events.history = False
    await interrupt(hass, sim, entry)
    await send(hass, sim, entry, STATION)
    assert issue(hass, entry) is None  # nothing was missed
    await interrupt(hass, sim, entry, weather_station=5)
    await send(hass, sim, entry, STATION)
    found = issue(hass, entry)
    assert found is not None
    assert found.is_fixable
    assert found.translation_key == "storage_off"
    result = await start_repair(hass, found.issue_id)
    assert result["description_placeholders"]["missed"] == "- Weather station: 5"
    sim.faults.http_status = {"PUT /as/": 503}
    result = await go(hass, result)
    assert result["errors"] == {"base": "refused"}
    sim.faults.http_status = {}
    result = await go(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert sim.application.stores_uplinks
    assert issue(hass, entry) is None
    await interrupt(hass, sim, entry, weather_station=3)
    station = entry.runtime_data.roster.by_device_id(STATION)
    await until(hass, lambda: station.values["number"] == 1002)
    await send(hass, sim, entry, STATION)
    assert shown(hass).attributes["end_devices"] == {"Weather station": 5}
    assert issue(hass, entry) is None


async def test_a_key_that_may_not_gets_told_what_to_do_once(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Where the user ignores it, it stays so, also after a reload and the next interruption."""
    sim.faults.storage = True
    sim.switch_storage(on=False)
    sim.events.history = False
    sim.remove_rights("manage", "SETTINGS_PACKAGES")
    await entry.runtime_data.connection_state.async_check_rights()
    await interrupt(hass, sim, entry, weather_station=5)
    await send(hass, sim, entry, STATION)
    found = issue(hass, entry)
    assert found is not None
    assert not found.is_fixable
    assert found.translation_key == "storage_off_no_right"
    assert found.translation_placeholders is not None
    assert "packages" in found.translation_placeholders["right"]
    ir.async_ignore_issue(hass, DOMAIN, found.issue_id, True)
    await hass.async_block_till_done()
    await interrupt(hass, sim, entry, weather_station=1)
    await send(hass, sim, entry, STATION)
    found = issue(hass, entry)
    assert found is not None
    assert found.dismissed_version is not None
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    await interrupt(hass, sim, entry, weather_station=2)
    await send(hass, sim, entry, STATION)
    assert shown(hass).state == "2"
    assert issue(hass, entry) is None
    sim.switch_storage(on=True)
    await interrupt(hass, sim, entry)
    assert entry.runtime_data.catch_up.kept
    assert not entry.runtime_data.store.storage_offer_ignored
