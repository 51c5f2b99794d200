"""Editing an end device on the server from the options."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from tests.ha_fixtures import make_entry, set_up
from tests.simulator import Simulator

GREENHOUSE = "garden/A84041000181C061"
NOTHING = {"same_name": False, "no_location": False, "write_area": False}
PRESENT: dict[str, Any] = {
    "name": "Greenhouse climate",
    "description": "on the north wall",
    "location": {"latitude": 52.3731, "longitude": 4.8922},
}


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application, with a key that may manage end devices."""
    return await set_up(hass, sim, make_entry(sim, "manage"))


async def go(hass: HomeAssistant, result: ConfigFlowResult, **given: Any) -> ConfigFlowResult:
    """Fill in a form, or choose from the menu."""
    result = await hass.config_entries.options.async_configure(result["flow_id"], given)
    await hass.async_block_till_done()
    return result


async def form(
    hass: HomeAssistant, entry: MockConfigEntry, device: str = "greenhouse-climate"
) -> ConfigFlowResult:
    """Walk to the form."""
    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await go(hass, result, next_step_id="change")
    return await go(hass, result, end_device=device)


def suggested(result: ConfigFlowResult) -> dict[str, Any]:
    """Return what a form is filled in with."""
    schema = result["data_schema"]
    assert schema is not None
    return {
        str(key): key.description["suggested_value"]
        for key in schema.schema
        if key.description and "suggested_value" in key.description
    }


def registered(hass: HomeAssistant, entry: MockConfigEntry) -> dr.DeviceEntry:
    """Return the device in Home Assistant."""
    found = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, GREENHOUSE), entry.entry_id)
    assert found is not None
    return found


async def test_edited(hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry) -> None:
    """Name, description, place and area: on the server and here."""
    registry = dr.async_get(hass)
    registry.async_update_device(registered(hass, entry).id, name_by_user="Mine")
    result = await form(hass, entry)
    assert result["step_id"] == "change_what"
    assert suggested(result) == PRESENT
    place = {"latitude": 50.5, "longitude": 4.5}
    result = await go(
        hass,
        result,
        name="North wall",
        description="",
        location=place,
        same_name=True,
        no_location=False,
        write_area=True,
    )
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "changed")
    found = sim.devices["greenhouse-climate"].documents["is"]
    assert found["name"] == "North wall"
    assert not found.get("description")
    assert found["locations"]["user"]["latitude"] == 50.5
    assert found["locations"]["user"]["altitude"] == 2
    assert found["attributes"] == {"room": "Greenhouse", "home-assistant-area": "Greenhouse"}
    device = registered(hass, entry)
    assert (device.name, device.name_by_user) == ("North wall", None)


async def test_nothing_changed(hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry) -> None:
    """Nothing is written; a name that was given in Home Assistant stays."""
    registry = dr.async_get(hass)
    registry.async_update_device(registered(hass, entry).id, name_by_user="Mine")
    before = len([m for m, _ in sim.requests if m == "PUT"])
    result = await go(hass, await form(hass, entry), **PRESENT, **NOTHING)
    assert result["reason"] == "changed"
    assert len([m for m, _ in sim.requests if m == "PUT"]) == before
    assert registered(hass, entry).name_by_user == "Mine"


async def test_the_location_is_forgotten(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Where it shouldn't be on a map."""
    await go(hass, await form(hass, entry), **PRESENT, **NOTHING | {"no_location": True})
    assert not sim.devices["greenhouse-climate"].documents["is"].get("locations")


async def test_unknown_device(hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry) -> None:
    """Not in the list, or gone meanwhile."""
    result = await form(hass, entry, "nothing")
    assert result["errors"] == {"end_device": "choose_from_list"}
    sim.faults.http_status["GET /applications/garden/devices/lpp-node"] = 404
    result = await go(hass, result, end_device="lpp-node")
    assert result["errors"] == {"base": "not_found"}


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"name": "x" * 51}, {"name": "text_too_long"}),
        ({"description": "x" * 2001}, {"description": "text_too_long"}),
    ],
)
async def test_too_long(
    hass: HomeAssistant, entry: MockConfigEntry, changes: dict[str, str], errors: dict[str, str]
) -> None:
    """What was typed stays."""
    answers = {**PRESENT, **NOTHING, **changes}
    result = await go(hass, await form(hass, entry), **answers)
    assert result["errors"] == errors
    assert suggested(result) == answers


async def test_no_area(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """A device without one has nothing to write."""
    dr.async_get(hass).async_update_device(registered(hass, entry).id, area_id=None)
    answers = {**PRESENT, **NOTHING, "write_area": True}
    result = await go(hass, await form(hass, entry), **answers)
    assert result["errors"] == {"write_area": "no_area"}


@pytest.mark.parametrize(
    ("status", "error"),
    [(503, "cannot_connect"), (422, "refused"), (429, "rate_limited"), (404, "not_found")],
)
async def test_refused(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, status: int, error: str
) -> None:
    """The reason is told, and it can be tried again."""
    result = await form(hass, entry)
    sim.faults.http_status["PUT /applications/"] = status
    answers = {**PRESENT, **NOTHING, "name": "North wall"}
    result = await go(hass, result, **answers)
    assert result["errors"] == {"base": error}
    sim.faults.http_status.clear()
    result = await go(hass, result, **answers)
    assert result["reason"] == "changed"


async def test_the_right_is_gone(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It was taken from the key meanwhile."""
    result = await form(hass, entry)
    sim.set_rights("manage", ["INFO", "DEVICES_READ"])
    result = await go(hass, result, **{**PRESENT, **NOTHING, "name": "North wall"})
    assert result["errors"] == {"base": "missing_rights"}
