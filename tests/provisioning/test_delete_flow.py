"""Deleting an end device on the server: twice confirmed, on all servers, told where it fails."""

from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from tests.dialogs import Result, go, start_options
from tests.ha_fixtures import make_entry, set_up
from tests.simulator import Simulator

KEY = "garden/70B3D57ED0060002"


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application, with a key that may manage end devices."""
    return await set_up(hass, sim, make_entry(sim, "manage"))


async def choose(hass: HomeAssistant, entry: MockConfigEntry, device: str = "lpp-node") -> Result:
    """Walk to what will be lost."""
    result = await start_options(hass, entry, "remove")
    assert result["step_id"] == "remove"
    return await go(hass, result, end_device=device)


async def sure(hass: HomeAssistant, entry: MockConfigEntry, *, also_here: bool = False) -> Result:
    """Walk to the last question."""
    result = await choose(hass, entry)
    assert result["step_id"] == "remove_what"
    result = await go(hass, result, understood=True, also_here=also_here)
    assert result["step_id"] == "remove_sure"
    return result


def registered(hass: HomeAssistant, entry: MockConfigEntry) -> dr.DeviceEntry | None:
    """Return the device in Home Assistant."""
    return dr.async_get(hass).async_get_device_by_identifier((DOMAIN, KEY), entry.entry_id)


async def test_deleted_on_the_server_only(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Nothing happens before both confirmations; its history stays here, and it is marked."""
    result = await choose(hass, entry, "Cellar node · lpp-node")
    told = result["description_placeholders"]
    assert told == {"device": "Cellar node", "device_id": "lpp-node"}
    result = await go(hass, result, understood=False, also_here=False)
    assert result["errors"] == {"understood": "not_understood"}
    result = await go(hass, result, understood=True, also_here=False)
    result = await go(hass, result, device_id="Cellar node")
    assert result["errors"] == {"device_id": "id_differs"}
    assert set(sim.devices["lpp-node"].documents) == {"is", "js", "ns", "as"}
    result = await go(hass, result, device_id="lpp-node")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "removed")
    assert "lpp-node" not in sim.devices
    state = hass.states.get("sensor.cellar_cellar_node_status")
    assert state is not None
    assert state.state == "not_registered"
    assert registered(hass, entry) is not None


async def test_deleted_here_too(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Where the user wants it: device, entities and decisions go."""
    result = await sure(hass, entry, also_here=True)
    await go(hass, result, device_id="lpp-node")
    assert "lpp-node" not in sim.devices
    assert registered(hass, entry) is None
    assert hass.states.get("sensor.cellar_cellar_node_status") is None
    assert KEY not in entry.runtime_data.store.known_devices
    assert KEY not in entry.runtime_data.roster.states


async def test_an_end_device_deleted_by_somebody_else_is_no_error(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Somebody was faster: that is what was wanted."""
    result = await sure(hass, entry)
    sim.remove_device("lpp-node")
    result = await go(hass, result, device_id="lpp-node")
    assert result["reason"] == "removed"


async def test_an_unknown_end_device_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Free text is possible in a list with a search box."""
    result = await choose(hass, entry, "nothing")
    assert result["errors"] == {"end_device": "choose_from_list"}


REFUSALS: list[tuple[Callable[[Simulator], Any], str]] = [
    (lambda sim: sim.faults.http_status.update({"DELETE /": 503}), "cannot_connect"),
    (lambda sim: sim.faults.http_status.update({"DELETE /js/": 503}), "partly_deleted"),
    (lambda sim: sim.faults.http_status.update({"DELETE /applications/": 403}), "partly_deleted"),
    (lambda sim: sim.faults.http_status.update({"DELETE /": 429}), "rate_limited"),
    (lambda sim: sim.faults.http_status.update({"DELETE /": 422}), "refused"),
    (lambda sim: sim.set_rights("manage", ["INFO", "DEVICES_READ"]), "missing_rights"),
    (lambda sim: sim.revoke("manage"), "key_refused"),
]


@pytest.mark.parametrize(("fault", "error"), REFUSALS)
async def test_a_refused_deletion_can_be_tried_again(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    fault: Callable[[Simulator], Any],
    error: str,
) -> None:
    """The reason is told, what was typed stays, and it can be tried again."""
    result = await sure(hass, entry)
    fault(sim)
    result = await go(hass, result, device_id="lpp-node")
    assert (result["step_id"], result["errors"]) == ("remove_sure", {"base": error})
    assert "is" in sim.devices["lpp-node"].documents
    if error == "partly_deleted":
        sim.faults.http_status.clear()
        result = await go(hass, result, device_id="lpp-node")
        assert result["reason"] == "removed"
        assert "lpp-node" not in sim.devices


async def test_deleting_is_offered_with_the_right_only(hass: HomeAssistant, sim: Simulator) -> None:
    """Not otherwise."""
    entry = await set_up(hass, sim)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["menu_options"] == [
        "fields",
        "general",
        "overrides",
        "local_decoding",
        "more_rights",
    ]
