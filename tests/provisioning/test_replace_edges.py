"""Replacing an end device while something else happens, and next to devices that look alike."""

import asyncio
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from tests.controls.cases import SOCKET, SOCKET_KEY, add_control
from tests.dialogs import Result, go, start_options
from tests.ha_fixtures import make_entry, set_up, until
from tests.provisioning.test_replace_flow import (
    APP_KEY,
    EUI,
    NEW_KEY,
    SOCKET_ON,
    by_new,
    by_registered,
    device_with,
    entities_of,
    sure,
    which,
)
from tests.simulator import Simulator

OTHER_EUI = "24E124148B000100"
OLD_EUI = "24E124148B000001"


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application, with a key that may manage end devices."""
    return await set_up(hass, sim, make_entry(sim, "manage"))


async def both(hass: HomeAssistant, first: Result, second: Result) -> list[Result]:
    """Say yes in two dialogues at once."""
    answers = [
        hass.config_entries.options.async_configure(flow["flow_id"], {"understood": True})
        for flow in (first, second)
    ]
    return list(await asyncio.gather(*answers))


async def test_two_dialogues_replace_the_same(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The second one is refused before it changes anything."""
    await sim.uplink("pump-socket", **SOCKET_ON)
    await until(hass, lambda: hass.states.get("sensor.pump_socket_power"))
    old = device_with(hass, entry, SOCKET_KEY)
    before = entities_of(hass, old)
    first = await by_new(hass, entry, dev_eui=EUI, app_key=APP_KEY, device_id="new-one")
    second = await by_new(hass, entry, dev_eui=OTHER_EUI, app_key=APP_KEY, device_id="new-two")
    done, refused = await both(hass, first, second)
    await hass.async_block_till_done()
    assert done["reason"] == "replaced"
    assert (refused["type"], refused["reason"]) == (FlowResultType.ABORT, "replaced_meanwhile")
    assert "new-one" in sim.devices
    assert "new-two" not in sim.devices
    assert entry.runtime_data.counters.errors == 0
    now = device_with(hass, entry, NEW_KEY)
    assert old is not None
    assert now is not None
    assert now.id == old.id
    assert entities_of(hass, now) == before


async def test_two_are_to_be_replaced_by_the_same(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """What went on with it first stays."""
    await sim.uplink("pump-socket", **SOCKET_ON)
    await until(hass, lambda: hass.states.get("sensor.pump_socket_power"))
    old = device_with(hass, entry, SOCKET_KEY)
    before = entities_of(hass, old)
    first = await by_registered(hass, sim, entry)
    second = await go(hass, await which(hass, entry, "lpp-node"), next_step_id="replace_registered")
    second = await go(hass, second, end_device="new-socket")
    done, refused = await both(hass, first, second)
    await hass.async_block_till_done()
    assert done["reason"] == "replaced"
    assert (refused["type"], refused["reason"]) == (FlowResultType.ABORT, "taken_meanwhile")
    assert "lpp-node" in sim.devices
    now = device_with(hass, entry, NEW_KEY)
    assert old is not None
    assert now is not None
    assert now.id == old.id
    assert entities_of(hass, now) == before


async def test_two_dialogues_replace_two(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """One after the other; what is stored of the first isn't lost by the second."""
    await sim.uplink("pump-socket", **SOCKET_ON)
    await sim.uplink("lpp-node", decoded={"level": 3}, f_port=1)
    lpp = entry.runtime_data.roster.by_device_id("lpp-node")
    await until(hass, lambda: hass.states.get("sensor.pump_socket_power") and lpp.decisions)
    first = await by_new(hass, entry, dev_eui=EUI, app_key=APP_KEY, device_id="new-one")
    second = await by_new(
        hass, entry, "lpp-node", dev_eui=OTHER_EUI, app_key=APP_KEY, device_id="new-two"
    )
    assert {answer["reason"] for answer in await both(hass, first, second)} == {"replaced"}
    await hass.async_block_till_done()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    fields = entry.runtime_data.fields
    assert "power" in fields.of(NEW_KEY)
    assert "level" in fields.of(f"garden/{OTHER_EUI}")
    assert not {SOCKET_KEY, lpp.key} & set(entry.runtime_data.store.known_devices)


async def test_reloaded_while_it_is_replaced(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """What is there after the reload goes on."""
    await sim.uplink("pump-socket", **SOCKET_ON)
    await until(hass, lambda: hass.states.get("sensor.pump_socket_power"))
    result = await by_new(hass, entry, dev_eui=EUI, app_key=APP_KEY)
    sim.faults.http_delay = 0.1
    step = hass.async_create_task(
        hass.config_entries.options.async_configure(result["flow_id"], {"understood": True})
    )
    await until(hass, lambda: any(method == "PUT" for method, _ in sim.requests))
    sim.faults.http_delay = 0
    assert await hass.config_entries.async_reload(entry.entry_id)
    result = await step
    await hass.async_block_till_done()
    assert result["reason"] == "replaced"
    assert device_with(hass, entry, SOCKET_KEY) is None
    assert "power" in entry.runtime_data.fields.of(NEW_KEY)
    assert SOCKET_KEY not in entry.runtime_data.store.known_devices


@pytest.mark.parametrize(
    "step", ["replace", "replace_registered", "replace_new", "replace_sure_new"]
)
async def test_unloaded_while_a_dialogue_is_open(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, step: str
) -> None:
    """It ends and says why."""
    answer: dict[str, Any] = {"end_device": "lpp-node"}
    if step == "replace":
        result = await hass.config_entries.options.async_init(entry.entry_id)
        result = await go(hass, result, next_step_id="replace")
    elif step == "replace_sure_new":
        result = await by_new(hass, entry, dev_eui=EUI, app_key=APP_KEY)
        answer = {"understood": True}
    else:
        result = await go(hass, await which(hass, entry), next_step_id=step)
        if step == "replace_new":
            answer = {"dev_eui": EUI}
    assert result["step_id"] == step
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await go(hass, result, **answer)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")
    assert "pump-socket" in sim.devices


@pytest.mark.parametrize("step", ["remove", "remove_what", "remove_sure", "partial_devices"])
async def test_unloaded_while_another_dialogue_is_open(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, step: str
) -> None:
    """Also where something is to be deleted or looked for."""
    result = await hass.config_entries.options.async_init(entry.entry_id)
    answers: list[dict[str, Any]] = [
        {"next_step_id": "remove"},
        {"end_device": "pump-socket"},
        {"understood": True, "also_here": False},
        {"device_id": "pump-socket"},
    ]
    if step == "partial_devices":
        answers = [{"next_step_id": "partial_devices"}]
    while len(answers) > 1:
        result = await go(hass, result, **answers.pop(0))
        if result["step_id"] == step:
            break
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await go(hass, result, **answers[0])
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")
    assert "pump-socket" in sim.devices


async def test_unloaded_while_one_is_deleted(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It is deleted all the same, and the dialogue says so."""
    result = await start_options(hass, entry, "remove")
    result = await go(hass, result, end_device="pump-socket")
    result = await go(hass, result, understood=True, also_here=False)
    sim.faults.http_delay = 0.05
    step = hass.async_create_task(
        hass.config_entries.options.async_configure(result["flow_id"], {"device_id": "pump-socket"})
    )
    await until(hass, lambda: any(method == "DELETE" for method, _ in sim.requests))
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await step
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "removed")
    assert "pump-socket" not in sim.devices


async def test_the_server_dies_at_the_end(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The application can't be set up anew; when it can, all is in its place."""
    await sim.uplink("pump-socket", **SOCKET_ON)
    await until(hass, lambda: hass.states.get("sensor.pump_socket_power"))
    old = device_with(hass, entry, SOCKET_KEY)
    before = entities_of(hass, old)
    result = await by_new(hass, entry, dev_eui=EUI, app_key=APP_KEY)
    sim.faults.http_delay = 0.05
    step = hass.async_create_task(
        hass.config_entries.options.async_configure(result["flow_id"], {"understood": True})
    )
    await until(hass, lambda: "pump-socket" not in sim.devices)
    sim.faults.http_status["GET /"] = 503
    result = await step
    await hass.async_block_till_done()
    assert result["reason"] == "replaced"
    assert entry.state is ConfigEntryState.SETUP_RETRY
    sim.faults.http_status.clear()
    sim.faults.http_delay = 0
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    now = device_with(hass, entry, NEW_KEY)
    assert old is not None
    assert now is not None
    assert now.id == old.id
    assert entities_of(hass, now) == before
    assert "power" in entry.runtime_data.fields.of(NEW_KEY)


async def test_same_dev_eui_with_another_join_eui(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The same hardware, registered anew for another Join Server."""
    await sim.uplink("pump-socket", **SOCKET_ON)
    await until(hass, lambda: hass.states.get("sensor.pump_socket_power"))
    old = device_with(hass, entry, SOCKET_KEY)
    before = entities_of(hass, old)
    result = await by_new(
        hass, entry, dev_eui=OLD_EUI, join_eui="70B3D57ED0000099", app_key=APP_KEY, device_id="anew"
    )
    result = await sure(hass, result)
    assert result["reason"] == "replaced"
    for _ in range(2):
        state = entry.runtime_data.roster.by_device_id("anew")
        assert old is not None
        assert state is not None
        assert state.registry_id == old.id
        assert "power" in state.decisions
        assert entities_of(hass, old) == before
        assert len(entry.runtime_data.roster.states) == len(sim.devices)
        assert await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()


async def test_controls_of_the_new_one_go(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """As the dialogue says: only those of the old one are there afterwards."""
    result = await by_registered(hass, sim, entry)
    kept = await add_control(hass, entry, SOCKET)
    await add_control(hass, entry, SOCKET | {"device": NEW_KEY})
    await sure(hass, result, same_texts=True)
    controls = [s for s in entry.subentries.values() if s.data.get("device") == NEW_KEY]
    assert [control.subentry_id for control in controls] == [kept]


async def test_what_was_stored_of_the_old_one_brings_nothing_back(
    hass: HomeAssistant, demo_sim: Simulator
) -> None:
    """The Storage Integration still has its uplinks when the application is set up anew."""
    sim = demo_sim
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    device = next(d for d in entry.runtime_data.roster.states.values() if d.values)
    await sim.uplink(device.device_id, decoded={"temperature": 3.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    result = await by_new(
        hass, entry, device.device_id, dev_eui=EUI, app_key=APP_KEY, device_id="new-one"
    )
    result = await sure(hass, result)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    await hass.async_block_till_done()
    assert result["reason"] == "replaced"
    assert entry.runtime_data.roster.by_device_id(device.device_id) is None
    registry = dr.async_get(hass)
    assert registry.async_get_device_by_identifier((DOMAIN, device.key), entry.entry_id) is None
