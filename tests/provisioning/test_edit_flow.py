"""Editing an end device on the server from the options."""

from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import area_registry as ar, device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from tests.dialogs import Result, fields, go, options, start_options, suggested
from tests.ha_fixtures import make_entry, set_up
from tests.simulator import Simulator

GREENHOUSE = "garden/A84041000181C061"
PRESENT: dict[str, Any] = {
    "name": "Greenhouse climate",
    "description": "on the north wall",
    "attributes": ["room = Greenhouse"],
    "overdue": "",
    "location": {"latitude": 52.3731, "longitude": 4.8922},
}
ANSWERS = {**PRESENT, "no_location": False}


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application, with a key that may manage end devices."""
    return await set_up(hass, sim, make_entry(sim, "manage"))


async def form(
    hass: HomeAssistant, entry: MockConfigEntry, device: str = "greenhouse-climate"
) -> Result:
    """Walk to the form."""
    result = await start_options(hass, entry, "change")
    result = await go(hass, result, end_device=device)
    if result["type"] is not FlowResultType.MENU:
        return result
    assert result["menu_options"] == ["change_what", "change_model", "formatter"]
    return await go(hass, result, next_step_id="change_what")


def registered(hass: HomeAssistant, entry: MockConfigEntry) -> dr.DeviceEntry:
    """Return the device in Home Assistant."""
    found = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, GREENHOUSE), entry.entry_id)
    assert found is not None
    return found


def on_server(sim: Simulator, device_id: str = "greenhouse-climate") -> dict[str, Any]:
    """Return what the Identity Server has of a device."""
    return sim.devices[device_id].documents["is"]


def named_here(hass: HomeAssistant, entry: MockConfigEntry, name: str = "Mine") -> None:
    """Give the device another name in Home Assistant."""
    dr.async_get(hass).async_update_device(registered(hass, entry).id, name_by_user=name)


def placed_in(hass: HomeAssistant, entry: MockConfigEntry, area: str | None) -> None:
    """Move the device in Home Assistant."""
    area_id = ar.async_get(hass).async_get_or_create(area).id if area else None
    dr.async_get(hass).async_update_device(registered(hass, entry).id, area_id=area_id)


def area_name(hass: HomeAssistant, entry: MockConfigEntry) -> str | None:
    """Return where the device is in Home Assistant."""
    area_id = registered(hass, entry).area_id
    found = ar.async_get(hass).async_get_area(area_id) if area_id else None
    return found.name if found else None


async def test_edited_values_are_saved_on_the_server_and_here(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Name, description, place, attributes and area: on the server and here."""
    named_here(hass, entry)
    placed_in(hass, entry, "Attic")
    result = await form(hass, entry)
    assert result["step_id"] == "change_what"
    assert suggested(result) == PRESENT
    assert result["description_placeholders"] == {
        "device_id": "greenhouse-climate",
        "area": "Attic",
        "told_area": "Greenhouse",
        "home_name": "Mine",
        "overdue_attribute": "home-assistant-overdue",
    }
    result = await go(
        hass,
        result,
        name="North wall",
        names="to_home",
        description="",
        attributes=["room = Greenhouse", "shelf=2 = left", "  "],
        area="to_server",
        location={"latitude": 50.5, "longitude": 4.5},
        no_location=False,
    )
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "changed")
    assert result["description_placeholders"] == {"device": "North wall"}
    found = on_server(sim)
    assert found["name"] == "North wall"
    assert not found.get("description")
    assert found["locations"]["user"]["latitude"] == 50.5
    assert found["locations"]["user"]["altitude"] == 2
    assert found["attributes"] == {
        "room": "Greenhouse",
        "shelf": "2 = left",
        "home-assistant-area": "Attic",
    }
    device = registered(hass, entry)
    assert (device.name, device.name_by_user) == ("North wall", None)


async def test_an_unchanged_form_saves_nothing(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Nothing is written; a name that was given in Home Assistant stays."""
    named_here(hass, entry)
    before = len([m for m, _ in sim.requests if m == "PUT"])
    result = await go(hass, await form(hass, entry), **ANSWERS)
    assert result["reason"] == "changed"
    assert len([m for m, _ in sim.requests if m == "PUT"]) == before
    assert registered(hass, entry).name_by_user == "Mine"


async def test_the_picker_knows_both_names(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """That of Home Assistant first, then that of The Things Stack, the ID, the model."""
    named_here(hass, entry)
    result = await start_options(hass, entry, "change")
    schema = result["data_schema"]
    assert schema is not None
    (selector,) = schema.schema.values()
    labels = selector.config["options"]
    assert "Mine · Greenhouse climate · greenhouse-climate · lht65n" in labels
    assert "Cellar node · lpp-node" in labels
    assert labels == sorted(labels, key=str.casefold)


# Attributes


async def test_attributes_are_added_and_changed(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Changed, added and removed; what somebody else adds meanwhile stays."""
    on_server(sim)["attributes"] = {"room": "Greenhouse", "shelf": "2", "owner": "me"}
    result = await form(hass, entry)
    assert suggested(result)["attributes"] == ["owner = me", "room = Greenhouse", "shelf = 2"]
    on_server(sim)["attributes"]["elsewhere"] = "yes"
    attributes = ["room = Greenhouse", "shelf = 3", "row = 1"]
    await go(hass, result, **ANSWERS | {"attributes": attributes})
    assert on_server(sim)["attributes"] == {
        "room": "Greenhouse",
        "shelf": "3",
        "row": "1",
        "elsewhere": "yes",
    }


async def test_all_attributes_replaced(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Ten that go and ten that come aren't twenty."""
    on_server(sim)["attributes"] = {f"old-{n}": "x" for n in range(10)}
    attributes = [f"new-{n} = x" for n in range(10)]
    await go(hass, await form(hass, entry), **ANSWERS | {"attributes": attributes})
    assert on_server(sim)["attributes"] == {f"new-{n}": "x" for n in range(10)}


@pytest.mark.parametrize(
    ("attributes", "refusal"),
    [
        (["room"], ("attribute_line", {"line": "room"})),
        (["Room = x"], ("attribute_key", {"attribute": "Room"})),
        (["ab = x"], ("attribute_key", {"attribute": "ab"})),
        (["= x"], ("attribute_key", {"attribute": ""})),
        (["room = x", "room = y"], ("attribute_twice", {"attribute": "room"})),
        (["room = " + "x" * 201], ("attribute_too_long", {"attribute": "room", "longest": "200"})),
        ([f"key-{n} = x" for n in range(11)], ("too_many_attributes", {"longest": "10"})),
    ],
)
async def test_impossible_attributes_are_refused(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    attributes: list[str],
    refusal: tuple[str, dict[str, str]],
) -> None:
    """It says which and why; what was typed stays, and nothing is sent."""
    error, told = refusal
    answers = ANSWERS | {"attributes": attributes, "name": "Other"}
    result = await go(hass, await form(hass, entry), **answers)
    assert result["errors"] == {"attributes": error}
    assert told.items() <= (result["description_placeholders"] or {}).items()
    assert suggested(result) == answers
    assert on_server(sim)["name"] == "Greenhouse climate"


# The place


async def test_the_location_is_forgotten(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Where it shouldn't be on a map."""
    await go(hass, await form(hass, entry), **ANSWERS | {"no_location": True})
    assert not on_server(sim).get("locations")


TRACKER = "device_tracker.phone"
HERE = {"latitude": 50.85, "longitude": 4.35}


@pytest.mark.parametrize(
    ("attributes", "place"),
    [
        (
            {**HERE, "gps_accuracy": 12.4, "altitude": 77.7},
            {**HERE, "accuracy": 12, "altitude": 78},
        ),
        (HERE, {**HERE, "altitude": 2}),
    ],
)
async def test_the_place_of_a_tracker(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    attributes: dict[str, Any],
    place: dict[str, Any],
) -> None:
    """Accuracy and altitude where it tells them; an altitude that was known stays."""
    hass.states.async_set(TRACKER, "not_home", attributes)
    await go(hass, await form(hass, entry), **ANSWERS | {"place_of": TRACKER})
    assert on_server(sim)["locations"]["user"] == {**place, "source": "SOURCE_REGISTRY"}


async def test_the_place_of_a_zone(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Also for a device that had none."""
    hass.states.async_set("zone.barn", "0", {**HERE, "radius": 100})
    result = await form(hass, entry, "pump-socket")
    assert "location" not in suggested(result)
    assert not fields(result) & {"location", "no_location"}
    answers = suggested(result) | {"place_of": "zone.barn", "on_map": True}
    result = await go(hass, result, **answers)
    assert result["errors"] == {"place_of": "map_too"}
    await go(hass, result, **answers | {"on_map": False})
    place = {**HERE, "source": "SOURCE_REGISTRY"}
    assert on_server(sim, "pump-socket")["locations"]["user"] == place


async def test_a_first_place_is_chosen_on_a_map(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It isn't in the form, where it would be that of Home Assistant; a mistake is said before."""
    result = await form(hass, entry, "pump-socket")
    answers = suggested(result) | {"on_map": True, "description": "by the pond"}
    result = await go(hass, result, **answers | {"attributes": ["pond"]})
    assert result["errors"] == {"attributes": "attribute_line"}
    result = await go(hass, result, **answers)
    assert result["step_id"] == "change_place"
    assert "locations" not in on_server(sim, "pump-socket")
    result = await go(hass, result, location=HERE)
    assert result["reason"] == "changed"
    found = on_server(sim, "pump-socket")
    assert found["locations"]["user"]["latitude"] == HERE["latitude"]
    assert found["description"] == "by the pond"


async def test_choices_that_change_nothing_are_not_offered(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Names and areas that are the same on both sides, or that one side lacks."""
    assert not fields(await form(hass, entry)) & {"names", "area", "on_map"}
    named_here(hass, entry)
    placed_in(hass, entry, "Kitchen")
    result = await form(hass, entry)
    assert options(result, "names") == options(result, "area") == ["apart", "to_home", "to_server"]
    placed_in(hass, entry, None)
    assert options(await form(hass, entry), "area") == ["apart", "to_home"]


@pytest.mark.parametrize(
    ("state", "attributes"),
    [
        (None, {}),
        ("not_home", {}),
        ("unavailable", HERE),
        ("unknown", HERE),
        ("home", {"latitude": 91, "longitude": 4}),
        ("home", {"latitude": "north", "longitude": 4}),
        ("home", {"latitude": True, "longitude": 4}),
        ("home", {"latitude": float("nan"), "longitude": 4}),
    ],
)
async def test_a_tracker_without_position(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    state: str | None,
    attributes: dict[str, Any],
) -> None:
    """Nothing is written, and it says why."""
    if state is not None:
        hass.states.async_set(TRACKER, state, {"friendly_name": "My phone", **attributes})
    result = await go(hass, await form(hass, entry), **ANSWERS | {"place_of": TRACKER})
    assert result["errors"] == {"place_of": "no_position"}
    told = result["description_placeholders"]
    assert told is not None
    assert told["entity"] == (TRACKER if state is None else "My phone")
    assert on_server(sim)["locations"]["user"]["latitude"] == 52.3731


@pytest.mark.parametrize(
    ("answers", "errors"),
    [
        (
            {"place_of": TRACKER, "location": {"latitude": 1, "longitude": 2}},
            {"place_of": "two_places"},
        ),
        ({"place_of": TRACKER, "no_location": True}, {"no_location": "place_and_none"}),
        (
            {"location": {"latitude": 1, "longitude": 2}, "no_location": True},
            {"no_location": "place_and_none"},
        ),
    ],
)
async def test_two_locations(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    answers: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """Nobody guesses which is meant."""
    hass.states.async_set(TRACKER, "home", HERE)
    answers = ANSWERS | answers
    result = await go(hass, await form(hass, entry), **answers)
    assert result["errors"] == errors
    assert suggested(result) == answers


# Names


async def test_names_stay_apart(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Each side keeps its own."""
    named_here(hass, entry)
    await go(hass, await form(hass, entry), **ANSWERS | {"name": "North wall"})
    assert on_server(sim)["name"] == "North wall"
    assert registered(hass, entry).name_by_user == "Mine"


@pytest.mark.parametrize("typed", ["Greenhouse climate", "", "Mine"])
async def test_the_name_from_home_assistant(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, typed: str
) -> None:
    """The server gets it, and Home Assistant keeps it."""
    named_here(hass, entry)
    answers = ANSWERS | {"names": "to_server", "name": typed}
    result = await go(hass, await form(hass, entry), **answers)
    assert result["description_placeholders"] == {"device": "Mine"}
    assert on_server(sim)["name"] == "Mine"
    device = registered(hass, entry)
    assert (device.name, device.name_by_user) == ("Mine", "Mine")


async def test_two_names(hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry) -> None:
    """Typed here, and wanted from Home Assistant; or one that the server can't take."""
    named_here(hass, entry, "y" * 51)
    answers = ANSWERS | {"names": "to_server", "name": "Other"}
    result = await go(hass, await form(hass, entry), **answers)
    assert result["errors"] == {"names": "two_names"}
    assert suggested(result) == answers
    result = await go(hass, result, **ANSWERS | {"names": "to_server"})
    assert result["errors"] == {"names": "text_too_long"}
    assert on_server(sim)["name"] == "Greenhouse climate"


# The area


async def test_the_area_of_home_assistant(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It is written as the attribute that counts most; the device stays where it is."""
    placed_in(hass, entry, "Attic")
    await go(hass, await form(hass, entry), **ANSWERS | {"area": "to_server"})
    assert on_server(sim)["attributes"] == {"room": "Greenhouse", "home-assistant-area": "Attic"}
    assert area_name(hass, entry) == "Attic"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [(["room = Greenhouse"], "Greenhouse"), (["area = Orangery", "room = Attic"], "Orangery")],
)
async def test_the_area_of_the_attribute(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    attributes: list[str],
    expected: str,
) -> None:
    """The device moves there, also though the user had moved it; the area is made."""
    placed_in(hass, entry, "Kitchen")
    answers = ANSWERS | {"area": "to_home", "attributes": attributes}
    await go(hass, await form(hass, entry), **answers)
    assert area_name(hass, entry) == expected


async def test_the_area_is_left(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It follows an edited attribute like one that was changed elsewhere."""
    await go(hass, await form(hass, entry), **ANSWERS | {"attributes": ["room = Orangery"]})
    assert area_name(hass, entry) == "Orangery"
    placed_in(hass, entry, "Kitchen")
    answers = ANSWERS | {"attributes": ["room = Attic"]}
    await go(hass, await form(hass, entry), **answers)
    assert area_name(hass, entry) == "Kitchen"


async def test_an_area_that_is_gone_meanwhile(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """It has no area to write to the server, or without the attribute none to move to."""
    placed_in(hass, entry, "Attic")
    result = await form(hass, entry)
    placed_in(hass, entry, None)
    result = await go(hass, result, **ANSWERS | {"area": "to_server"})
    assert result["errors"] == {"area": "no_area"}
    result = await go(hass, result, **ANSWERS | {"area": "to_home", "attributes": []})
    assert result["errors"] == {"area": "no_area_attribute"}


@pytest.mark.parametrize("field", ["names", "area"])
async def test_an_end_device_that_is_left_out_meanwhile_is_edited(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, field: str
) -> None:
    """Its registration can be edited, but it has no name and no area here."""
    named_here(hass, entry)
    placed_in(hass, entry, "Attic")
    result = await form(hass, entry)
    options = {"devices": "chosen", "chosen_devices": ["lpp-node"]}
    hass.config_entries.async_update_entry(entry, options=options)
    await hass.async_block_till_done()
    result = await go(hass, result, **ANSWERS | {field: "to_server"})
    assert result["errors"] == {"base": "not_here"}
    assert not fields(result) & {"names", "area"}
    result = await go(hass, result, **ANSWERS | {"name": "Other"})
    assert result["reason"] == "changed"
    assert on_server(sim)["name"] == "Other"


async def test_an_attribute_takes_an_end_device_out_of_home_assistant(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """With the attribute that the options ask for it is saved, and leaves."""
    entry = await set_up(hass, sim, make_entry(sim, "manage", {"devices": "not_ignored"}))
    attributes = ["room = Attic", "home-assistant = ignore"]
    named_here(hass, entry)
    placed_in(hass, entry, "Kitchen")
    answers = ANSWERS | {"attributes": attributes, "area": "to_home", "names": "to_home"}
    result = await go(hass, await form(hass, entry), **answers)
    assert result["reason"] == "changed"
    registry = dr.async_get(hass)
    assert registry.async_get_device_by_identifier((DOMAIN, GREENHOUSE), entry.entry_id) is None
    assert ar.async_get(hass).async_get_area_by_name("Attic") is None


# Refusals


async def test_an_unknown_end_device_is_refused(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
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
async def test_texts_that_are_too_long_are_refused(
    hass: HomeAssistant, entry: MockConfigEntry, changes: dict[str, str], errors: dict[str, str]
) -> None:
    """What was typed stays."""
    answers = ANSWERS | changes
    result = await go(hass, await form(hass, entry), **answers)
    assert result["errors"] == errors
    assert suggested(result) == answers


@pytest.mark.parametrize(
    ("status", "error"),
    [(503, "cannot_connect"), (422, "refused"), (429, "rate_limited"), (404, "not_found")],
)
async def test_a_refused_change_keeps_what_was_typed(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, status: int, error: str
) -> None:
    """The reason is told, and it can be tried again."""
    result = await form(hass, entry)
    sim.faults.http_status["PUT /applications/"] = status
    answers = ANSWERS | {"name": "North wall"}
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
    result = await go(hass, result, **ANSWERS | {"name": "North wall"})
    assert result["errors"] == {"base": "missing_rights"}


async def test_the_application_is_unloaded(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The dialogue was still open."""
    result = await form(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await go(hass, result, **ANSWERS)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")


async def test_changed_elsewhere_meanwhile(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """What wasn't touched in the form isn't put back to what it was when the form was opened."""
    result = await form(hass, entry)
    sim.update_device("greenhouse-climate", name="Tomatoes", description="moved")
    result = await go(hass, result, **{**ANSWERS, "attributes": ["room = Cellar"]})
    assert result["reason"] == "changed"
    found = on_server(sim)
    assert (found["name"], found["description"]) == ("Tomatoes", "moved")
    assert found["attributes"]["room"] == "Cellar"


@pytest.mark.parametrize(
    "line", ["Room = Cellar", "ab = x", f"{'a' * 37} = x", "a--b = x", " = x", "größe = x"]
)
async def test_odd_attributes(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, line: str
) -> None:
    """They are refused at their field."""
    result = await go(hass, await form(hass, entry), **{**ANSWERS, "attributes": [line]})
    assert result["errors"] == {"attributes": "attribute_key"}


async def test_a_removed_area(hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry) -> None:
    """Nothing is left to tell the server."""
    placed_in(hass, entry, "Attic")
    area_id = registered(hass, entry).area_id
    assert area_id is not None
    result = await form(hass, entry)
    ar.async_get(hass).async_delete(area_id)
    result = await go(hass, result, **{**ANSWERS, "area": "to_server"})
    assert result["errors"] == {"area": "no_area"}


async def test_a_long_name_of_home_assistant(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """50 characters count, not bytes."""
    named_here(hass, entry, "ü" * 51)
    result = await go(hass, await form(hass, entry), **{**ANSWERS, "names": "to_server"})
    assert result["errors"] == {"names": "text_too_long"}
    named_here(hass, entry, "ü" * 50)
    result = await go(hass, result, **{**ANSWERS, "names": "to_server"})
    assert result["reason"] == "changed"
    assert on_server(sim)["name"] == "ü" * 50


async def test_overdue_is_an_attribute_with_a_field_of_its_own(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It is written in plain units, can be removed, and counts at once."""
    overdue_after = entry.runtime_data.overdue_watch.overdue_after
    device = entry.runtime_data.roster.states[GREENHOUSE]
    result = await go(hass, await form(hass, entry), **{**ANSWERS, "overdue": " 1,5 H"})
    assert result["reason"] == "changed"
    attributes = {"room": "Greenhouse", "home-assistant-overdue": "90 min"}
    assert on_server(sim)["attributes"] == attributes
    assert overdue_after(device) == timedelta(minutes=90)
    result = await form(hass, entry)
    assert suggested(result) == {**PRESENT, "overdue": "90 min"}
    result = await go(hass, result, **ANSWERS)
    assert on_server(sim)["attributes"] == {"room": "Greenhouse"}
    assert overdue_after(device) == timedelta(hours=25)


async def test_what_is_no_number_for_overdue_is_refused(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """But what the server has already doesn't stand in the way of other changes."""
    result = await form(hass, entry)
    result = await go(hass, result, **{**ANSWERS, "overdue": "soon"})
    assert result["errors"] == {"overdue": "overdue_number"}
    lines = ["room = Greenhouse", "home-assistant-overdue = 2 d"]
    result = await go(hass, result, **{**ANSWERS, "attributes": lines})
    assert result["errors"] == {"attributes": "attribute_has_field"}
    attributes = {"room": "Greenhouse", "home-assistant-overdue": "soon"}
    sim.update_device("greenhouse-climate", attributes=attributes)
    result = await form(hass, entry)
    assert suggested(result)["overdue"] == "soon"
    result = await go(hass, result, **{**ANSWERS, "overdue": "soon", "name": "North wall"})
    assert result["reason"] == "changed"
    assert on_server(sim)["name"] == "North wall"
    assert on_server(sim)["attributes"] == attributes
