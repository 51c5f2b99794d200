"""Deleting an end device: one way for every door, which ends what it began."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.client import PartlyDeleted
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.provisioning import AfterDeletion, async_delete
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator

DEVICE = "lpp-node"
STATUS = "sensor.cellar_cellar_node_status"


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application, with a key that may manage end devices."""
    return await set_up(hass, sim, make_entry(sim, "manage"))


def status(hass: HomeAssistant) -> str | None:
    """Return what the status entity shows; None where there is none."""
    state = hass.states.get(STATUS)
    return None if state is None else state.state


async def test_deleting_ends_though_the_dialogue_was_closed(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """A dialogue that is closed half-way leaves no half of an end device behind."""
    sim.faults.answer_delays[f"ns/applications/garden/devices/{DEVICE}"] = 1.0
    caller = hass.async_create_task(async_delete(entry.runtime_data, DEVICE))
    path = f"/api/v3/ns/applications/garden/devices/{DEVICE}"
    await until(hass, lambda: ("DELETE", path) in sim.requests)
    assert "is" in sim.devices[DEVICE].documents
    caller.cancel()
    await until(hass, lambda: status(hass) == "not_registered")
    assert caller.cancelled()
    assert DEVICE not in sim.devices


async def test_a_failed_deletion_is_noted_though_the_dialogue_was_closed(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """It is shown and can be repaired, as if somebody had seen the error."""
    sim.faults.answer_delays[f"as/applications/garden/devices/{DEVICE}"] = 1.0
    sim.faults.http_status["DELETE /js/"] = 403
    caller = hass.async_create_task(async_delete(entry.runtime_data, DEVICE))
    path = f"/api/v3/as/applications/garden/devices/{DEVICE}"
    await until(hass, lambda: ("DELETE", path) in sim.requests)
    caller.cancel()
    await until(hass, lambda: DEVICE in entry.runtime_data.partial_devices.known)
    assert status(hass) == "half_created"
    assert "never retrieved" not in caplog.text


@pytest.mark.parametrize(
    ("afterwards", "shown"),
    [
        (AfterDeletion.MARKED, "not_registered"),
        (AfterDeletion.REMOVED, None),
        (AfterDeletion.UNTOUCHED, "never_joined"),
    ],
)
async def test_the_device_in_home_assistant_after_deletion(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    afterwards: AfterDeletion,
    shown: str | None,
) -> None:
    """It goes or stays, as whoever deletes it chose."""
    before = status(hass)
    removed = await async_delete(entry.runtime_data, DEVICE, afterwards=afterwards)
    assert removed == ("application", "network", "join", "identity")
    await hass.async_block_till_done()
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, "garden/70B3D57ED0060002"), entry.entry_id
    )
    assert (device is None) is (shown is None)
    assert status(hass) == (before if afterwards is AfterDeletion.UNTOUCHED else shown)


async def test_deleting_an_end_device_that_no_server_has(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """No server had it, and it is shown as deleted; one that failed is a partial device."""
    del sim.devices[DEVICE]
    assert await async_delete(entry.runtime_data, DEVICE) == ()
    await hass.async_block_till_done()
    assert status(hass) == "not_registered"
    sim.faults.http_status["DELETE /js/"] = 503
    with pytest.raises(PartlyDeleted):
        await async_delete(entry.runtime_data, "never-joined")
    assert "never-joined" in entry.runtime_data.partial_devices.known
    sim.faults.http_status.clear()
    await async_delete(entry.runtime_data, "never-joined")
    assert "never-joined" not in entry.runtime_data.partial_devices.known
