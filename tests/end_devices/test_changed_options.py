"""Changed options are applied in slices; what happens meanwhile isn't lost."""

from collections.abc import Iterator
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.end_devices import field_key
from custom_components.thethingsstack.end_devices.listeners import LOCATION
from custom_components.thethingsstack.end_devices.model_sensors import PATIENCE
from tests.end_devices.test_many_end_devices import COUNT, states_of_nodes
from tests.ha_fixtures import entity_id, make_entry, reload, set_up, until
from tests.simulator import Simulator

ALL = {"devices": "all"}
CHOSEN = {"devices": "chosen", "chosen_devices": ["weather-station"]}
PLACE = {"user": {"latitude": 52.1, "longitude": 4.3, "source": "SOURCE_REGISTRY"}}


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return an entry with one chosen end device of an application that has many."""
    for number in range(COUNT):
        sim.add_device(
            f"node-{number}",
            dev_eui=f"70B3D57ED1{number:06X}",
            name=f"Node {number}",
        )
    return await set_up(hass, sim, make_entry(sim, options=CHOSEN))


def nodes_of(hass: HomeAssistant, entry: MockConfigEntry) -> Iterator[dr.DeviceEntry]:
    """Yield the devices of nodes in the device registry."""
    for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id):
        if (device.name or "").startswith("Node "):
            yield device


async def test_a_reload_ends_applying_them(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """The application that is set up again applies them, alone."""
    before = entry.runtime_data
    hass.config_entries.async_update_entry(entry, options=ALL)
    await reload(hass, entry)
    assert len(before.roster.states) < len(sim.devices), "the others are left to the next one"
    await until(hass, lambda: states_of_nodes(hass, entry).total() == COUNT)
    assert "unavailable" not in states_of_nodes(hass, entry)
    assert "ID already exists" not in caplog.text
    await sim.uplink("node-7", decoded={"temperature": 21.5})
    await until(hass, lambda: entry.runtime_data.roster.by_device_id("node-7").values)

    before = entry.runtime_data
    hass.config_entries.async_update_entry(entry, options=CHOSEN)
    await reload(hass, entry)
    assert len(before.roster.states) > 1
    assert list(entry.runtime_data.roster.states) == ["garden/70B3D57ED0060001"]
    assert not list(nodes_of(hass, entry))


async def test_options_that_are_saved_during_setup(hass: HomeAssistant, sim: Simulator) -> None:
    """They are applied at its end, since nobody listens before."""
    hass.data[PATIENCE] = 1.0
    sim.faults.answer_delays["/models/lht65n"] = 60
    options = {"devices": "chosen", "chosen_devices": ["greenhouse-climate"]}
    entry = make_entry(sim, options=options)
    entry.add_to_hass(hass)
    setup = hass.async_create_task(hass.config_entries.async_setup(entry.entry_id))
    await until(hass, lambda: any("/dr/" in path for _, path in sim.requests))
    hass.config_entries.async_update_entry(entry, options=ALL)
    assert await setup
    await until(hass, lambda: len(entry.runtime_data.roster.states) == len(sim.devices))


async def test_uplinks_of_end_devices_that_were_just_taken_in(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """They come before their end devices' turn, and their registration is known."""
    await sim.uplink("weather-station", decoded={"voltage": 3.5})
    roster, numbers = entry.runtime_data.roster, range(0, COUNT, 20)
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    sim.requests.clear()
    hass.config_entries.async_update_entry(entry, options=ALL)
    for number in numbers:
        await sim.uplink(f"node-{number}", decoded={"temperature": 21.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1 + len(numbers))
    await until(hass, lambda: len(roster.states) == len(sim.devices))
    await hass.async_block_till_done()
    for number in numbers:
        key = f"garden/70B3D57ED1{number:06X}"
        assert hass.states.get(entity_id(hass, "sensor", f"{key}/field/temperature"))
        assert roster.states[key].name == f"Node {number}"
    assert not [
        path for _, path in sim.requests if path.startswith("/api/v3/applications/garden/d")
    ]


async def test_an_end_device_that_was_taken_in_has_its_place(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Also where it had one before: it isn't unknown until a restart."""
    sim.update_device("lpp-node", locations=PLACE)
    entry = await set_up(hass, sim, make_entry(sim, options=ALL))
    tracker = entity_id(hass, "device_tracker", f"garden/70B3D57ED0060002/{field_key(LOCATION)}")

    def latitude() -> Any:
        state = hass.states.get(tracker)
        return None if state is None else state.attributes.get("latitude")

    assert latitude() == 52.1
    hass.config_entries.async_update_entry(entry, options=CHOSEN)
    await until(hass, lambda: hass.states.get(tracker) is None)
    hass.config_entries.async_update_entry(entry, options=ALL)
    await until(hass, lambda: latitude() == 52.1)
