"""Replacing an end device: all that Home Assistant has of it goes on with another one."""

import asyncio
from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.client import Downlink
from custom_components.thethingsstack.const import CONF_CHOSEN_DEVICES, CONF_DEVICES, DOMAIN
from custom_components.thethingsstack.fields.overrides import FieldOverride
from custom_components.thethingsstack.payload import Override
from tests.controls.cases import SOCKET, SOCKET_KEY, add_control, entity_of
from tests.dialogs import Result, go, start_options
from tests.ha_fixtures import entity_id, make_entry, register_enabled, set_up, until
from tests.simulator import Simulator

EUI = "24E124148B000099"
NEW_KEY = f"garden/{EUI}"
APP_KEY = "00112233445566778899AABBCCDDEEFF"
SOCKET_ON: dict[str, Any] = {"decoded": {"socket_status": "on", "power": 12.5}, "f_port": 85}


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application, with a key that may manage end devices."""
    return await set_up(hass, sim, make_entry(sim, "manage"))


async def which(hass: HomeAssistant, entry: MockConfigEntry, device: str = "pump-socket") -> Result:
    """Choose the broken one."""
    result = await start_options(hass, entry, "replace")
    return await go(hass, result, end_device=device)


async def by_registered(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, **fields: Any
) -> Result:
    """Walk to the last question, with a new one that was registered before."""
    roster = entry.runtime_data.roster
    sim.add_device("new-socket", dev_eui=EUI, name="Fresh from the box", **fields)
    await until(hass, lambda: "new-socket" in roster.registrations)
    result = await which(hass, entry)
    assert result["menu_options"] == ["replace_new", "replace_registered"]
    told = result["description_placeholders"]
    assert told is not None
    assert told["model"] == "Milesight WS523 Smart Socket"  # as on the device's page
    result = await go(hass, result, next_step_id="replace_registered")
    return await go(hass, result, end_device="new-socket")


async def by_new(
    hass: HomeAssistant, entry: MockConfigEntry, device: str = "pump-socket", **given: Any
) -> Result:
    """Walk to what comes of EUIs and keys."""
    result = await which(hass, entry, device)
    result = await go(hass, result, next_step_id="replace_new")
    assert result["step_id"] == "replace_new"
    return await go(hass, result, **given)


async def sure(hass: HomeAssistant, result: Result, **given: Any) -> Result:
    """Say yes."""
    assert result["step_id"] in ("replace_sure", "replace_sure_new"), result["errors"]
    return await go(hass, result, understood=True, **given)


def device_with(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> dr.DeviceEntry | None:
    """Return the device with this key."""
    return dr.async_get(hass).async_get_device_by_identifier((DOMAIN, key), entry.entry_id)


def entities_of(hass: HomeAssistant, device: dr.DeviceEntry | None) -> dict[str, str]:
    """Return the entities of a device, and what they are of."""
    assert device is not None
    found = er.async_entries_for_device(er.async_get(hass), device.id, True)
    return {entity.entity_id: entity.unique_id.rpartition("/")[2] for entity in found}


def state_of(hass: HomeAssistant, entity_id: str) -> str:
    """Return a state."""
    state = hass.states.get(entity_id)
    assert state is not None
    return state.state


async def test_all_goes_on_with_a_registered_one(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Device, entities, decisions, changes to fields and controls; the other's own are gone."""
    await sim.uplink("pump-socket", **SOCKET_ON)
    power = "sensor.pump_socket_power"
    await until(hass, lambda: hass.states.get(power))
    control = await add_control(hass, entry, SOCKET)
    change = FieldOverride(path="power", change=Override(name="Load"), device=SOCKET_KEY)
    entry.runtime_data.fields.overrides.put(change)
    old = device_with(hass, entry, SOCKET_KEY)
    assert old is not None
    dr.async_get(hass).async_update_device(old.id, area_id="cellar")
    before = entities_of(hass, old)
    assert {"power", control} <= {*before.values(), entity_of(hass, control).unique_id}

    result = await by_registered(hass, sim, entry)
    await sim.uplink("new-socket", decoded={"humidity": 50}, f_port=1)
    await until(hass, lambda: entities_of(hass, device_with(hass, entry, NEW_KEY)))
    told = result["description_placeholders"]
    assert told is not None
    assert (told["device"], told["device_id"]) == ("Pump socket", "pump-socket")
    assert (told["new"], told["new_id"], told["new_eui"]) == (
        "Fresh from the box",
        "new-socket",
        EUI,
    )
    result = await sure(hass, result, same_texts=True)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "replaced")

    assert "pump-socket" not in sim.devices
    assert sim.devices["new-socket"].documents["is"]["name"] == "Pump socket"
    assert device_with(hass, entry, SOCKET_KEY) is None
    now = device_with(hass, entry, NEW_KEY)
    assert now is not None
    assert (now.id, now.area_id, now.serial_number) == (old.id, "cellar", EUI)
    assert now.name == "Pump socket"
    assert (result["description_placeholders"] or {})["page"].endswith(now.id)
    assert entities_of(hass, now) == before
    assert state_of(hass, power) == "12.5"
    home = entry.runtime_data
    assert home.fields.override(NEW_KEY, "power") is not None
    assert SOCKET_KEY not in home.store.known_devices
    assert "humidity" not in home.fields.of(NEW_KEY)

    await until(hass, lambda: home.connected)
    await sim.uplink("new-socket", decoded={"power": 40, "socket_status": "off"}, f_port=85)
    await until(hass, lambda: state_of(hass, power) == "40")
    switch = entity_of(hass, control).entity_id
    await hass.services.async_call("switch", "turn_on", {"entity_id": switch}, blocking=True)
    session = sim.devices["new-socket"].session
    assert session is not None
    assert [item.message["f_port"] for item in session.queue] == [85]


async def test_downlink_entities_go_on(hass: HomeAssistant, sim: Simulator) -> None:
    """They show the last state, not nothing; what still waited went with the old one's queue."""
    entry = make_entry(sim, "manage")
    register_enabled(hass, entry, "event", f"{SOCKET_KEY}/downlink")
    await set_up(hass, sim, entry)
    for _ in range(2):  # so that the server knows that it always listens
        await sim.uplink("pump-socket", **SOCKET_ON)
    home = entry.runtime_data
    socket = home.roster.by_device_id("pump-socket")
    await home.downlinks.async_send(socket, Downlink(f_port=85, payload=b"\x08\x00\xff"))
    last, queue, event = (
        entity_id(hass, domain, f"{SOCKET_KEY}/{key}")
        for domain, key in (
            ("sensor", "downlink_state"),
            ("sensor", "downlink_queue"),
            ("event", "downlink"),
        )
    )
    await until(hass, lambda: state_of(hass, last) == "sent")
    told_at = state_of(hass, event)

    await sure(hass, await by_registered(hass, sim, entry))
    assert state_of(hass, last) == "sent"
    assert state_of(hass, event) == told_at
    assert state_of(hass, queue) == "0"

    await until(hass, lambda: entry.runtime_data.connected)
    home = entry.runtime_data
    socket = home.roster.by_device_id("new-socket")
    await home.downlinks.async_send(socket, Downlink(f_port=85, payload=b"\x08\x01\xff"))
    await until(hass, lambda: state_of(hass, last) in ("queued", "sent"))
    await until(hass, lambda: state_of(hass, event) != told_at)


async def test_all_goes_on_after_a_restart(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """What was moved is what is stored."""
    await sim.uplink("pump-socket", **SOCKET_ON)
    await until(hass, lambda: hass.states.get("sensor.pump_socket_power"))
    before = entities_of(hass, device_with(hass, entry, SOCKET_KEY))
    await sure(hass, await by_registered(hass, sim, entry), same_texts=False)
    assert sim.devices["new-socket"].documents["is"]["name"] == "Fresh from the box"
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    device = device_with(hass, entry, NEW_KEY)
    assert device is not None
    assert device.name == "Fresh from the box"
    assert entities_of(hass, device) == before
    assert "power" in entry.runtime_data.fields.of(NEW_KEY)
    assert state_of(hass, "sensor.pump_socket_power") == "12.5"


async def test_new_one_is_registered_like_the_old_one(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
) -> None:
    """Only EUIs and key are asked for; the key that is made up is shown once."""
    old = sim.devices["greenhouse-climate"].documents
    wanted = {
        "is": {key: old["is"][key] for key in ("name", "description", "attributes", "locations")},
        "ns": {key: old["ns"][key] for key in ("frequency_plan_id", "lorawan_version")},
        "as": {"formatters": old["as"]["formatters"], "version_ids": old["as"]["version_ids"]},
    }
    registry_id = getattr(device_with(hass, entry, "garden/A84041000181C061"), "id", None)
    result = await which(hass, entry, "greenhouse-climate")
    result = await go(hass, result, next_step_id="replace_new")
    schema = result["data_schema"]
    assert schema is not None
    assert [str(key) for key in schema.schema] == ["dev_eui", "join_eui", "app_key", "device_id"]
    result = await go(hass, result, dev_eui=EUI, join_eui="A840410000000100")
    result = await sure(hass, result)
    assert result["reason"] == "replaced_with_keys"
    told = result["description_placeholders"]
    assert told is not None
    documents = sim.devices["greenhouse-climate-2"].documents
    app_key = documents["js"]["root_keys"]["app_key"]["key"]
    assert f"AppKey: `{app_key}`" in told["facts"]
    assert documents["is"]["ids"]["dev_eui"] == EUI
    for server, fields in wanted.items():
        assert {key: documents[server].get(key) for key in fields} == fields
    assert "greenhouse-climate" not in sim.devices
    device = device_with(hass, entry, NEW_KEY)
    assert device is not None
    assert device.id == registry_id
    await entry.runtime_data.fields.async_save()
    assert app_key not in str(hass_storage)


async def test_one_that_does_not_join(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Its session is asked for; the server gives an address."""
    result = await which(hass, entry, "old-abp-node")
    result = await go(hass, result, next_step_id="replace_new")
    schema = result["data_schema"]
    assert schema is not None
    assert {"dev_addr", "app_s_key", "nwk_s_key"} < {str(key) for key in schema.schema}
    result = await go(
        hass, result, dev_eui=EUI, app_s_key=APP_KEY, nwk_s_key=APP_KEY, device_id="new-abp"
    )
    result = await sure(hass, result)
    assert result["reason"] == "replaced_with_keys"
    documents = sim.devices["new-abp"].documents
    dev_addr = documents["ns"]["session"]["dev_addr"]
    assert f"- DevAddr: `{dev_addr}`" in result["description_placeholders"]["facts"]
    assert documents["as"]["session"]["keys"]["app_s_key"]["key"] == APP_KEY
    assert device_with(hass, entry, NEW_KEY) is not None


async def test_one_that_is_gone_already(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Nothing can be read of it any more: only a registered one can take its place."""
    await sim.uplink("pump-socket", **SOCKET_ON)
    await until(hass, lambda: hass.states.get("sensor.pump_socket_power"))
    old = device_with(hass, entry, SOCKET_KEY)
    sim.remove_device("pump-socket")
    sim.add_device("new-socket", dev_eui=EUI, name="Fresh from the box")
    await until(hass, lambda: device_with(hass, entry, NEW_KEY))
    await until(hass, lambda: state_of(hass, "sensor.pump_socket_status") == "not_registered")
    result = await which(hass, entry)
    assert result["step_id"] == "replace_registered"
    result = await go(hass, result, end_device="new-socket")
    result = await sure(hass, result, same_texts=True)
    assert result["reason"] == "replaced"
    assert sim.devices["new-socket"].documents["is"]["name"] == "Pump socket"
    now = device_with(hass, entry, NEW_KEY)
    assert old is not None
    assert now is not None
    assert now.id == old.id
    assert state_of(hass, "sensor.pump_socket_status") == "waiting_for_first_uplink"


async def test_the_old_one_is_gone_meanwhile(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Somebody deleted the old one while the dialogue was open: that is what was wanted."""
    result = await by_registered(hass, sim, entry)
    sim.remove_device("pump-socket")
    result = await sure(hass, result, same_texts=False)
    assert result["reason"] == "replaced"


@pytest.mark.parametrize("same_texts", [True, False])
async def test_the_new_one_is_gone_meanwhile(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, same_texts: bool
) -> None:
    """Then the old one must stay, on the servers and here."""
    result = await by_registered(hass, sim, entry)
    sim.remove_device("new-socket")
    result = await sure(hass, result, same_texts=same_texts)
    assert (result["step_id"], result["errors"]) == ("replace_sure", {"base": "not_found"})
    assert set(sim.devices["pump-socket"].documents) == {"is", "js", "ns", "as"}
    assert device_with(hass, entry, SOCKET_KEY) is not None


@pytest.mark.parametrize(
    ("given", "field", "error"),
    [
        ({"dev_eui": "24E1"}, "dev_eui", "not_an_eui"),
        ({"dev_eui": " "}, "dev_eui", "not_an_eui"),
        ({"dev_eui": EUI, "app_key": "00"}, "app_key", "not_a_key"),
        ({"dev_eui": EUI, "device_id": "Socket 2"}, "device_id", "invalid_device_id"),
        ({"dev_eui": EUI, "device_id": "lpp-node"}, "device_id", "id_taken"),
        (
            {"dev_eui": "70B3D57ED0060002", "join_eui": "0000000000000000"},
            "dev_eui",
            "euis_taken",
        ),
        ({"dev_eui": "0200068D7ED5B370"}, "dev_eui", "eui_reversed"),
    ],
)
async def test_what_is_typed_is_looked_at_first(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    *,
    given: dict[str, str],
    field: str,
    error: str,
) -> None:
    """Refused at the field, with what was typed, before anything is changed."""
    result = await by_new(hass, entry, **given)
    assert (result["step_id"], result["errors"]) == ("replace_new", {field: error})
    schema = result["data_schema"]
    assert schema is not None
    kept = {str(key): (key.description or {}).get("suggested_value") for key in schema.schema}
    assert {key: kept[key] for key in given} == given
    assert "pump-socket" in sim.devices
    result = await go(hass, result, dev_eui=EUI, app_key=APP_KEY)
    assert result["step_id"] == "replace_sure_new"
    assert APP_KEY not in str(result["description_placeholders"])


async def test_choices_and_confirmation(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Free text is possible in lists with a search box; nothing happens without the tick."""
    result = await which(hass, entry, "nothing")
    assert result["errors"] == {"end_device": "choose_from_list"}
    result = await go(hass, result, end_device="Pump socket · pump-socket")
    result = await go(hass, result, next_step_id="replace_registered")
    result = await go(hass, result, end_device="pump-socket")
    assert result["errors"] == {"end_device": "choose_from_list"}
    result = await go(hass, result, end_device="lpp-node")
    result = await go(hass, result, same_texts=True, understood=False)
    assert result["errors"] == {"understood": "not_understood"}
    assert {"pump-socket", "lpp-node"} <= set(sim.devices)


FAULTS: list[tuple[Callable[[Simulator], Any], str]] = [
    (lambda sim: sim.faults.http_status.update({"POST /applications/garden/devices": 503}), "no"),
    (lambda sim: sim.faults.http_status.update({"PUT /ns/": 503}), "no"),
    (lambda sim: sim.faults.http_status.update({"DELETE /": 503}), "cannot_connect"),
    (lambda sim: sim.faults.http_status.update({"DELETE /js/": 503}), "partly_deleted"),
]


@pytest.mark.parametrize(("fault", "error"), FAULTS)
async def test_tried_again_where_a_server_fails(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    fault: Callable[[Simulator], Any],
    error: str,
) -> None:
    """It goes on where it stopped: the new one isn't registered twice."""
    result = await by_new(hass, entry, dev_eui=EUI, app_key=APP_KEY)
    fault(sim)
    result = await sure(hass, result)
    registered = error != "no"
    assert result["step_id"] == "replace_sure_new"
    assert result["errors"] == {"base": error if registered else "cannot_connect"}
    assert ("pump-socket-2" in sim.devices) is registered
    assert "is" in sim.devices["pump-socket"].documents
    assert (device_with(hass, entry, NEW_KEY) is not None) is registered
    old = device_with(hass, entry, SOCKET_KEY)
    assert old is not None
    assert any(
        problem["kind"] == "replacement"
        for problem in entry.runtime_data.application_status.problems
    )
    sim.faults.http_status.clear()
    result = await sure(hass, result)
    assert result["reason"] == "replaced"
    assert "pump-socket" not in sim.devices
    now = device_with(hass, entry, NEW_KEY)
    assert now is not None
    assert now.id == old.id


async def test_replacing_ends_though_the_dialogue_was_closed(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Once confirmed it is done, though nobody looks any more."""
    result = await by_new(hass, entry, dev_eui=EUI, app_key=APP_KEY)
    sim.faults.http_delay = 0.1
    step = hass.async_create_task(
        hass.config_entries.options.async_configure(result["flow_id"], {"understood": True})
    )
    await until(hass, lambda: any(method == "DELETE" for method, _ in sim.requests))
    step.cancel()
    hass.config_entries.options.async_abort(result["flow_id"])
    with pytest.raises(asyncio.CancelledError):
        await step
    await until(hass, lambda: device_with(hass, entry, SOCKET_KEY) is None)
    await hass.async_block_till_done()
    assert "pump-socket" not in sim.devices
    assert device_with(hass, entry, NEW_KEY) is not None


async def test_chosen_end_devices(hass: HomeAssistant, sim: Simulator) -> None:
    """Where only chosen ones are let in, the new one is chosen in the old one's place."""
    options = {CONF_DEVICES: "chosen", CONF_CHOSEN_DEVICES: ["pump-socket", "lpp-node"]}
    entry = await set_up(hass, sim, make_entry(sim, "manage", options))
    result = await by_registered(hass, sim, entry)
    await sure(hass, result, same_texts=True)
    assert entry.options[CONF_CHOSEN_DEVICES] == ["lpp-node", "new-socket"]
    assert device_with(hass, entry, NEW_KEY) is not None


async def test_ignored_ones_are_no_candidates(hass: HomeAssistant, sim: Simulator) -> None:
    """An end device whose attribute keeps it out can't take a place here."""
    entry = await set_up(hass, sim, make_entry(sim, "manage", {CONF_DEVICES: "not_ignored"}))
    result = await by_registered(hass, sim, entry, attributes={"home-assistant": "ignore"})
    assert result["errors"] == {"end_device": "choose_from_list"}


async def test_without_the_right_to_keys(hass: HomeAssistant, sim: Simulator) -> None:
    """Nothing can be registered, but one that is registered can take the place."""
    sim.set_rights("manage", ["INFO", "TRAFFIC_READ", "DEVICES_READ", "DEVICES_WRITE"])
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    result = await which(hass, entry)
    assert result["step_id"] == "replace_registered"


async def test_an_end_device_on_some_servers_only_cannot_take_the_place(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """What the Network Server doesn't have can't be given to another."""
    del sim.devices["pump-socket"].documents["ns"]
    result = await which(hass, entry)
    assert result["step_id"] == "replace_registered"


async def test_replacing_is_offered_with_the_right_only(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Not otherwise."""
    entry = await set_up(hass, sim)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["menu_options"] is not None
    assert "replace" not in result["menu_options"]
