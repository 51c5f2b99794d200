"""The last values of end devices, in a file of their own."""

from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.restore_state import STATE_DUMP_INTERVAL, STATE_EXPIRATION
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.thethingsstack.const import CONF_CHOSEN_DEVICES, CONF_DEVICES, DOMAIN
from tests.ha_fixtures import entity_id, make_entry, reload, set_up, until
from tests.simulator import Simulator

STATION = "garden/70B3D57ED0060001"
NODE = "garden/70B3D57ED0060002"
WRONG: list[Any] = [None, True, 0, -1, 2**63, 1.5, 1e308, "", "text", "2026-02-30 10:00:00", [], [[]], [None], {}, {"a": None}, {"a": []}]  # fmt: skip


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """An application of which two end devices have spoken."""
    entry = await set_up(hass, sim, make_entry(sim))
    await sim.uplink(
        "weather-station",
        decoded={
            "temperature": 20.5,
            "door": "open",
            "mode": "eco",
            "last_fix": "2026-11-28T05:00:00Z",
            "gps": {"latitude": 52.3, "longitude": 4.8},
        },
    )
    await sim.uplink("lpp-node", decoded={"temperature": 7.25})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 2)
    await hass.async_block_till_done()
    return entry


def state_of(hass: HomeAssistant, domain: str, unique_id: str) -> str:
    """Return what an entity shows."""
    state = hass.states.get(entity_id(hass, domain, unique_id))
    return "none" if state is None else state.state


def stored(hass_storage: dict[str, Any], entry: MockConfigEntry) -> dict[str, Any]:
    """Return what the file has, by device key."""
    devices: dict[str, Any] = hass_storage[f"{DOMAIN}.{entry.entry_id}.values"]["data"]["devices"]
    return devices


async def restart(hass: HomeAssistant, entry: MockConfigEntry, change: Any = None) -> None:
    """Stop the application, change what is stored, and start it again."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    if change is not None:
        change()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def test_they_are_written_as_often_as_home_assistant_writes_states(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    """A crash loses no more than it does there."""
    assert f"{DOMAIN}.{entry.entry_id}.values" not in hass_storage
    async_fire_time_changed(hass, dt_util.utcnow() + STATE_DUMP_INTERVAL + timedelta(seconds=1))
    await hass.async_block_till_done()
    kept = stored(hass_storage, entry)
    assert set(kept) >= {STATION, NODE}
    assert kept[NODE]["values"]["temperature"] == [7.25, "°C"]
    assert dt_util.parse_datetime(kept[NODE]["seen"]) is not None
    assert kept[NODE]["reception"]["gateways"] == 1
    assert "garden/70B3D57ED0060004" not in kept  # it has never spoken


async def test_each_kind_of_value_comes_back(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    device = entry.runtime_data.roster.states[STATION]
    values, seen = dict(device.values), device.last_seen
    assert len({type(value) for value in values.values()}) == 5
    await restart(hass, entry)
    again = entry.runtime_data.roster.states[STATION]
    assert again is not device
    assert again.values == values
    assert again.last_seen == seen
    assert state_of(hass, "sensor", f"{STATION}/field/temperature") == "20.5"


@pytest.mark.parametrize("wrong", WRONG, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize("part", ["device", "values", "seen", "reception", "dropped"])
async def test_what_is_damaged_costs_only_itself(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    part: str,
    wrong: Any,
) -> None:
    def damage() -> None:
        devices = stored(hass_storage, entry)
        if part == "device":
            devices[NODE] = wrong
        else:
            devices[NODE] = {**devices[NODE], part: wrong}

    await restart(hass, entry, damage)
    assert state_of(hass, "sensor", f"{STATION}/field/temperature") == "20.5"
    shown = state_of(hass, "sensor", f"{NODE}/field/temperature")
    unreadable = [
        issue
        for issue in ir.async_get(hass).issues.values()
        if issue.translation_key == "stored_file_unreadable"
    ]
    if part in ("device", "values"):
        assert shown == "unknown"
    else:
        assert (shown == "unknown") is bool(unreadable)
    empty = wrong in (None, {}, []) and part != "device"
    assert empty or unreadable or part == "reception"


@pytest.mark.parametrize("wrong", WRONG, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize(
    "field",
    ["sensor temperature", "sensor last_fix", "binary_sensor door", "device_tracker gps.latitude"],
)
async def test_a_value_that_its_field_can_not_have_is_unknown(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    field: str,
    wrong: Any,
) -> None:
    """It may have become another field since; what an uplink brings then is shown."""
    domain, path = field.split()

    def damage() -> None:
        stored(hass_storage, entry)[STATION]["values"][path][0] = wrong

    await restart(hass, entry, damage)
    assert state_of(hass, "sensor", f"{NODE}/field/temperature") == "7.25"
    shown = state_of(hass, domain, f"{STATION}/field/{path}")
    if path == "temperature" and type(wrong) in (int, float):
        assert float(shown) == float(wrong)
    elif path == "door" and wrong is True:
        assert shown == "on"
    else:
        assert shown == "unknown"


async def test_a_value_in_another_unit_is_unknown(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    def damage() -> None:
        stored(hass_storage, entry)[STATION]["values"]["temperature"][1] = "°F"

    await restart(hass, entry, damage)
    assert state_of(hass, "sensor", f"{STATION}/field/temperature") == "unknown"
    assert state_of(hass, "binary_sensor", f"{STATION}/field/door") == "on"


async def test_an_end_device_that_was_left_out_has_its_values_again(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Also after a restart in between."""
    only_node = {CONF_DEVICES: "chosen", CONF_CHOSEN_DEVICES: ["lpp-node"]}
    for between in (False, True):
        hass.config_entries.async_update_entry(entry, options=only_node)
        await hass.async_block_till_done()
        assert STATION not in entry.runtime_data.roster.states
        if between:
            await reload(hass, entry)
        hass.config_entries.async_update_entry(entry, options={})
        await hass.async_block_till_done()
        assert state_of(hass, "sensor", f"{STATION}/field/temperature") == "20.5"


async def test_one_that_stays_left_out_is_forgotten_after_a_week(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    """Values of any age would look like present ones if it returned."""
    hass.config_entries.async_update_entry(
        entry, options={CONF_DEVICES: "chosen", CONF_CHOSEN_DEVICES: ["lpp-node"]}
    )
    await hass.async_block_till_done()
    await reload(hass, entry)
    values = entry.runtime_data.roster.last_values
    await values.async_save()
    dropped = dt_util.parse_datetime(
        stored(hass_storage, entry)[STATION]["dropped"], raise_on_error=True
    )
    assert dt_util.utcnow() - timedelta(minutes=5) < dropped

    def age() -> None:
        ago = dt_util.utcnow() - STATE_EXPIRATION - timedelta(seconds=1)
        stored(hass_storage, entry)[STATION]["dropped"] = ago.isoformat()

    await restart(hass, entry, age)
    await entry.runtime_data.roster.last_values.async_save()
    assert STATION not in stored(hass_storage, entry)
    assert NODE in stored(hass_storage, entry)


async def test_one_that_is_deleted_for_good_is_forgotten(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    sim.remove_device("weather-station")
    await reload(hass, entry)
    assert STATION in stored(hass_storage, entry)  # it may come back
    coordinator = entry.runtime_data
    device = coordinator.roster.states[STATION]
    assert device.vanished
    hass.config_entries.async_update_entry(entry, options={"forget_after": 30})
    await hass.async_block_till_done()
    coordinator.store.vanished[STATION] = dt_util.utcnow() - timedelta(days=31)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(days=1))
    await until(hass, lambda: STATION not in coordinator.roster.states)
    await coordinator.roster.last_values.async_save()
    assert STATION not in stored(hass_storage, entry)
    assert NODE in stored(hass_storage, entry)
