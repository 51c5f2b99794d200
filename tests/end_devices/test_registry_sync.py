"""What changes in The Things Stack's registry appears in Home Assistant by itself."""

from datetime import timedelta
import logging

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.thethingsstack.const import CONF_DEVICES, DEVICES_NOT_IGNORED, DOMAIN
from custom_components.thethingsstack.end_devices import registry_sync as sync
from custom_components.thethingsstack.end_devices.cleanup import forget_vanished
from custom_components.thethingsstack.end_devices.registry_sync import RECONCILE_INTERVAL
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator

EUI = "70B3D57ED00600AA"


async def follow(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry | None = None
) -> MockConfigEntry:
    """Set up the entry and wait until its registry events come."""
    entry = await set_up(hass, sim, entry)
    await until(hass, lambda: entry.runtime_data.sync.live)
    return entry


def device_of(hass: HomeAssistant, key: str) -> dr.DeviceEntry | None:
    """Return the device with this key."""
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    identifier = (DOMAIN, f"garden/{key}")
    return dr.async_get(hass).async_get_device_by_identifier(identifier, entry.entry_id)


def status_of(hass: HomeAssistant, key: str) -> str | None:
    """Return what its status entity shows."""
    state = hass.states.get(entity_id(hass, "sensor", f"garden/{key}/status"))
    return None if state is None else state.state


async def test_new_device_appears(hass: HomeAssistant, sim: Simulator) -> None:
    await follow(hass, sim)
    sim.add_device("new-one", dev_eui=EUI, name="New one", joined=False)
    await until(hass, lambda: device_of(hass, EUI))
    await hass.async_block_till_done()
    device = device_of(hass, EUI)
    assert device is not None
    assert device.name == "New one"
    assert status_of(hass, EUI) == "never_joined"


async def test_join_is_noticed(hass: HomeAssistant, sim: Simulator) -> None:
    await follow(hass, sim)
    key = "70B3D57ED0060004"
    assert status_of(hass, key) == "never_joined"
    await sim.join("never-joined")
    await until(hass, lambda: status_of(hass, key) == "waiting_for_next_uplink")


async def test_change_appears(hass: HomeAssistant, sim: Simulator) -> None:
    await follow(hass, sim)
    key = "70B3D57ED0060002"
    sim.update_device("lpp-node", name="Attic node")
    await until(hass, lambda: (found := device_of(hass, key)) and found.name == "Attic node")


async def test_vanished_device_stays_and_says_so(hass: HomeAssistant, sim: Simulator) -> None:
    entry = await follow(hass, sim)
    key = "70B3D57ED0060002"
    sim.remove_device("lpp-node")
    await until(hass, lambda: status_of(hass, key) == "not_registered")
    device = device_of(hass, key)
    assert device is not None
    # Also after a restart.
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert status_of(hass, key) == "not_registered"
    component = entry.runtime_data.roster
    assert component.by_registry_id(device.id) is not None


async def test_vanished_device_keeps_its_name_and_model(
    hass: HomeAssistant, sim: Simulator
) -> None:
    entry = await follow(hass, sim)
    key = "A84041000181C061"
    before = device_of(hass, key)
    sim.remove_device("greenhouse-climate")
    await until(hass, lambda: status_of(hass, key) == "not_registered")
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    after = device_of(hass, key)
    assert before is not None
    assert after is not None
    assert before.manufacturer is not None
    for known in ("name", "manufacturer", "model", "sw_version", "hw_version"):
        assert getattr(after, known) == getattr(before, known), known
    state = entry.runtime_data.roster.by_registry_id(after.id)
    assert state is not None
    assert state.name == before.name


async def test_returning_device_is_the_same(hass: HomeAssistant, sim: Simulator) -> None:
    await follow(hass, sim)
    key = "70B3D57ED0060002"
    before = device_of(hass, key)
    sim.remove_device("lpp-node")
    await until(hass, lambda: status_of(hass, key) == "not_registered")
    sim.add_device("other-id", dev_eui=key, name="Back again")
    await until(hass, lambda: status_of(hass, key) == "waiting_for_first_uplink")
    after = device_of(hass, key)
    assert before is not None
    assert after is not None
    assert after.id == before.id
    assert after.name == "Back again"
    await sim.uplink("other-id", payload=bytes.fromhex("01670110"), f_port=1)
    await until(hass, lambda: status_of(hass, key) == "active")


async def test_id_that_is_given_to_another_device(hass: HomeAssistant, sim: Simulator) -> None:
    await follow(hass, sim)
    old = "70B3D57ED0060002"
    sim.remove_device("lpp-node")
    sim.add_device("lpp-node", dev_eui=EUI, name="Replacement")
    await until(hass, lambda: device_of(hass, EUI))
    await until(hass, lambda: status_of(hass, old) == "not_registered")
    device = device_of(hass, EUI)
    assert device is not None
    assert device.name == "Replacement"


async def test_ignored_device_stays_out(hass: HomeAssistant, sim: Simulator) -> None:
    entry = make_entry(sim, options={CONF_DEVICES: DEVICES_NOT_IGNORED})
    entry = await follow(hass, sim, entry)
    sim.add_device("new-one", dev_eui=EUI, attributes={"home-assistant": "ignore"})
    await until(hass, lambda: "new-one" in entry.runtime_data.roster.excluded)
    assert device_of(hass, EUI) is None
    sim.update_device("new-one", attributes={"home-assistant": "show"})
    await until(hass, lambda: device_of(hass, EUI))
    sim.update_device("new-one", attributes={"home-assistant": "ignore"})
    await until(hass, lambda: device_of(hass, EUI) is None)


async def test_unread_change_is_read_later(
    hass: HomeAssistant, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, sync.__name__)
    await follow(hass, sim)
    sim.faults.http_status["GET /applications/garden/devices/batch"] = 503
    sim.update_device("lpp-node", name="Attic node")
    await until(hass, lambda: "changed devices can't be read" in caplog.text)
    sim.faults.http_status.clear()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=sync.Pauses().retry + 1))
    key = "70B3D57ED0060002"
    await until(hass, lambda: (found := device_of(hass, key)) and found.name == "Attic node")


def add_many(sim: Simulator) -> str:
    """Register more end devices than are read one by one; returns the key of the last one."""
    for number in range(sync.MANY + 1):
        sim.add_device(f"new-{number}", dev_eui=f"70B3D57ED1{number:06X}")
    return f"70B3D57ED1{sync.MANY:06X}"


async def test_many_changes_are_read_from_the_list(hass: HomeAssistant, sim: Simulator) -> None:
    hass.data[sync.PAUSES] = sync.Pauses(gather=2)
    await follow(hass, sim)
    sim.requests.clear()
    last = add_many(sim)
    await until(hass, lambda: device_of(hass, last))
    reads = [path for _, path in sim.requests if "/applications/garden/devices" in path]
    assert not any("batch" in path for path in reads)


async def test_unread_list_is_read_later(
    hass: HomeAssistant, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, sync.__name__)
    hass.data[sync.PAUSES] = sync.Pauses(gather=2)
    await follow(hass, sim)
    sim.faults.http_status["GET /applications/garden/devices"] = 503
    last = add_many(sim)
    await until(hass, lambda: "the list can't be read" in caplog.text)
    assert device_of(hass, last) is None
    sim.faults.http_status.clear()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=sync.Pauses().retry + 1))
    await until(hass, lambda: device_of(hass, last))


async def test_gap_without_history_is_reconciled(hass: HomeAssistant, sim: Simulator) -> None:
    await follow(hass, sim)
    sim.events.history = False
    sim.devices["lpp-node"].documents["is"]["name"] = "Changed unseen"
    sim.events.close()
    key = "70B3D57ED0060002"
    await until(hass, lambda: (found := device_of(hass, key)) and found.name == "Changed unseen")


@pytest.mark.parametrize("status", [403, 404])
async def test_list_serves_where_no_events_come(
    hass: HomeAssistant, sim: Simulator, status: int
) -> None:
    sim.faults.http_status["/events"] = status
    entry = await set_up(hass, sim)
    sim.add_device("new-one", dev_eui=EUI, name="New one")
    sim.update_device("pump-socket", name="Well pump")
    sim.remove_device("lpp-node")
    async_fire_time_changed(hass, dt_util.utcnow() + RECONCILE_INTERVAL * 1.1)
    await until(hass, lambda: device_of(hass, EUI))
    await until(hass, lambda: status_of(hass, "70B3D57ED0060002") == "not_registered")
    pump = device_of(hass, "24E124148B000001")
    assert pump is not None
    assert pump.name == "Well pump"
    assert not entry.runtime_data.sync.live


async def test_without_the_right_nothing_is_asked(hass: HomeAssistant, sim: Simulator) -> None:
    entry = make_entry(sim, key="traffic")
    entry = await set_up(hass, sim, entry)
    await entry.runtime_data.sync.async_reconcile()
    assert not any("/devices" in path for _, path in sim.requests)
    assert not any("/events" in path for _, path in sim.requests)


async def test_a_vanished_device_is_forgotten_after_a_grace_period(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Counted from when it was noticed, over restarts; never if the options say so."""
    entry = await follow(hass, sim)
    key = "70B3D57ED0060001"
    sim.remove_device("weather-station")
    await until(hass, lambda: status_of(hass, key) == "not_registered")
    forget_vanished(hass, entry)
    entry.runtime_data.store.vanished[f"garden/{key}"] -= timedelta(days=29)
    forget_vanished(hass, entry)
    assert device_of(hass, key) is not None
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    hass.config_entries.async_update_entry(entry, options={"forget_after": 0})
    await hass.async_block_till_done()
    entry.runtime_data.store.vanished[f"garden/{key}"] -= timedelta(days=2)
    forget_vanished(hass, entry)
    assert device_of(hass, key) is not None
    hass.config_entries.async_update_entry(entry, options={"forget_after": 30})
    await hass.async_block_till_done()
    forget_vanished(hass, entry)
    await hass.async_block_till_done()
    assert device_of(hass, key) is None
    assert f"garden/{key}" not in entry.runtime_data.store.known_devices


async def test_one_that_comes_back_starts_anew(hass: HomeAssistant, sim: Simulator) -> None:
    """It is not gone any more."""
    entry = await follow(hass, sim)
    device = entry.runtime_data.roster.states["garden/70B3D57ED0060001"]
    device.vanished = True
    forget_vanished(hass, entry)
    assert device.key in entry.runtime_data.store.vanished
    device.vanished = False
    forget_vanished(hass, entry)
    assert device.key not in entry.runtime_data.store.vanished
