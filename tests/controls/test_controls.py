"""Controls in Home Assistant: reported, pending and failed, over real sockets."""

import asyncio
import base64
import json
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.thethingsstack import async_remove_config_entry_device
from custom_components.thethingsstack.client import Downlink
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.fields.overrides import FieldOverride
from custom_components.thethingsstack.payload import Override
from tests.controls.cases import (
    RADIATOR_KEY,
    SOCKET,
    SOCKET_KEY,
    VALVE,
    add_control,
    attribute,
    entity_of,
    icon_key,
    registry,
    state_of,
    subentry,
    thermostat,
)
from tests.ha_fixtures import entity_id, make_entry, reload, set_up, until
from tests.simulator import Simulator


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application, with a key that may send downlinks, and every device heard once."""
    entry = await set_up(hass, sim, make_entry(sim, "control"))
    for device_id in ("pump-socket", "bath-radiator"):
        await sim.uplink(device_id)
    await until(
        hass,
        lambda: all(
            entry.runtime_data.roster.states[key].last_data_uplink
            for key in (SOCKET_KEY, RADIATOR_KEY)
        ),
    )
    await hass.async_block_till_done()
    return entry


async def call(hass: HomeAssistant, subentry_id: str, service: str, **data: Any) -> None:
    """Call an action on a control's entity."""
    entity = entity_of(hass, subentry_id)
    await hass.services.async_call(
        entity.domain, service, {"entity_id": entity.entity_id, **data}, blocking=True
    )


def queue_of(sim: Simulator, device_id: str) -> list[bytes]:
    """Return the payloads that wait in a device's queue."""
    session = sim.devices[device_id].session
    assert session is not None
    return [base64.b64decode(d.message.get("frm_payload", "")) for d in session.queue]


# Light on the registry


async def test_adding_changing_and_removing_controls_touches_nothing_else(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Two on one device, changed, moved, renamed, removed: all other entities stay as they were."""
    before = registry(hass)
    coordinator = entry.runtime_data
    one = await add_control(hass, entry, SOCKET)
    two = await add_control(hass, entry, {**SOCKET, "name": "Second"})
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, SOCKET_KEY), entry.entry_id)
    assert device is not None
    assert {entity_of(hass, i).device_id for i in (one, two)} == {device.id}
    assert {entity_of(hass, i).config_subentry_id for i in (one, two)} == {one, two}
    assert entity_of(hass, one).entity_id == "switch.pump_socket_socket"
    assert state_of(hass, one).state == STATE_ON
    assert state_of(hass, one).name == "Pump socket Socket"
    assert registry(hass, (one, two)) == before

    changed = {**SOCKET, "name": "Plug", "device": RADIATOR_KEY, "reports": {}}
    hass.config_entries.async_update_subentry(entry, entry.subentries[one], data=changed)
    await hass.async_block_till_done()
    assert entity_of(hass, one).entity_id == "switch.pump_socket_socket"
    assert entity_of(hass, one).device_id != device.id
    assert state_of(hass, one).attributes["assumed_state"]
    hass.config_entries.async_update_subentry(entry, entry.subentries[two], title="Mine")
    await hass.async_block_till_done()
    assert state_of(hass, two).state == STATE_ON
    assert registry(hass, (one, two)) == before

    for gone in (one, two):
        hass.config_entries.async_remove_subentry(entry, gone)
        await hass.async_block_till_done()
    assert registry(hass) == before
    assert hass.states.get("switch.pump_socket_socket") is None
    assert entry.runtime_data is coordinator, "the entry was reloaded"


async def test_a_control_that_goes_while_the_entry_is_off_takes_only_its_entity(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Home Assistant itself removes it; what was added meanwhile is there after the start."""
    before = registry(hass)
    one = await add_control(hass, entry, SOCKET)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    hass.config_entries.async_remove_subentry(entry, one)
    two = subentry(VALVE)
    hass.config_entries.async_add_subentry(entry, two)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    assert registry(hass, (two.subentry_id,)) == before
    assert entity_of(hass, two.subentry_id).domain == "valve"


async def test_during_a_flood_nothing_is_lost(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Adding a control doesn't reload the entry: with QoS 0 that would cost uplinks."""
    coordinator = entry.runtime_data
    before = coordinator.counters.uplinks_today

    async def flood() -> None:
        for _ in range(300):
            await sim.uplink("greenhouse-climate")
            await asyncio.sleep(0)

    task = hass.async_create_task(flood())
    for number in range(5):
        await add_control(hass, entry, {**SOCKET, "name": f"Socket {number}"})
    await task
    await until(hass, lambda: coordinator.counters.uplinks_today == before + 300)
    assert entry.runtime_data is coordinator
    assert sim.mqtt_attempts == 1


async def test_a_removed_device_takes_its_controls_along(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The others stay."""
    one = await add_control(hass, entry, SOCKET)
    two = await add_control(hass, entry, VALVE)
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, SOCKET_KEY), entry.entry_id)
    assert device is not None
    sim.remove_device("pump-socket")
    assert await async_remove_config_entry_device(hass, entry, device)
    dr.async_get(hass).async_remove_device(device.id)
    await hass.async_block_till_done()
    assert one not in entry.subentries
    assert two in entry.subentries
    assert not [e for e in er.async_get(hass).entities.values() if e.unique_id == one]
    assert state_of(hass, two).state != STATE_UNAVAILABLE


async def test_without_its_device_a_control_waits_and_says_so(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Left out by the options: a repair issue, no entity; back: the same entity."""
    one = await add_control(hass, entry, SOCKET)
    entity_id = entity_of(hass, one).entity_id
    issue = (DOMAIN, f"control_{entry.entry_id}_{one}")
    chosen = [d for d in sim.devices if d != "pump-socket"]
    hass.config_entries.async_update_entry(
        entry, options={"devices": "chosen", "chosen_devices": chosen}
    )
    await hass.async_block_till_done()
    assert issue in ir.async_get(hass).issues
    assert hass.states.get(entity_id) is None or (
        hass.states.get(entity_id).state == STATE_UNAVAILABLE  # type: ignore[union-attr]
    )
    hass.config_entries.async_update_entry(entry, options={"devices": "all"})
    await hass.async_block_till_done()
    assert issue not in ir.async_get(hass).issues
    assert entity_of(hass, one).entity_id == entity_id
    assert state_of(hass, one).state != STATE_UNAVAILABLE


async def test_diagnostics_tell_of_controls_without_their_payloads(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:
    """Names are the user's, and a payload may open a door."""
    assert await async_setup_component(hass, "diagnostics", {})
    await add_control(hass, entry, {**SOCKET, "name": "My secret pump"})
    answer = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    devices = answer["devices"]
    assert isinstance(devices, dict)
    (control,) = [c for device in devices.values() for c in device["controls"]]
    assert control == {
        "platform": "switch",
        "preset": None,
        "commands": [{"form": None, "f_port": 85, "confirmed": True}] * 2,
        "reports": {"state": "socket_status"},
    }
    assert "secret pump" not in json.dumps(answer)
    assert "08 01 FF" not in json.dumps(answer)


async def test_a_control_of_an_unknown_device_waits_at_setup(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """A repair issue instead of an entity without device; gone with the control."""
    entry = make_entry(sim, "control")
    entry.add_to_hass(hass)
    lost = subentry({**SOCKET, "device": "garden/70B3D57ED0FFFFFF"})
    hass.config_entries.async_add_subentry(entry, lost)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    issue = (DOMAIN, f"control_{entry.entry_id}_{lost.subentry_id}")
    assert issue in ir.async_get(hass).issues
    assert not [e for e in er.async_get(hass).entities.values() if e.unique_id == lost.subentry_id]
    hass.config_entries.async_remove_subentry(entry, lost.subentry_id)
    await hass.async_block_till_done()
    assert issue not in ir.async_get(hass).issues


async def test_a_control_that_makes_no_sense_is_told(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Nothing else suffers."""
    odd = await add_control(hass, entry, {**SOCKET, "commands": {}})
    assert (DOMAIN, f"control_{entry.entry_id}_{odd}") in ir.async_get(hass).issues
    good = await add_control(hass, entry, SOCKET)
    assert state_of(hass, good).state == STATE_ON


# A reported state


async def test_a_switch_shows_what_is_reported_and_what_is_pending(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Class A: queued, sent after an uplink, acknowledged and reported by the next."""
    data = {**SOCKET, "device": RADIATOR_KEY, "reports": {"state": {"path": "openWindow"}}}
    switch = await add_control(hass, entry, data)
    assert state_of(hass, switch).state == STATE_ON
    pending = attribute(hass, switch, "pending")
    assert pending() is None

    await call(hass, switch, "turn_off")
    state = state_of(hass, switch)
    assert state.state == STATE_OFF
    assert state.attributes["pending"] == "off"
    assert state.attributes["waiting"] == "off waits for the next uplink"
    assert state.attributes["downlink_state"] == "queued"
    assert state.attributes["queued_at"]
    assert icon_key(hass, switch) == "control_pending"
    assert queue_of(sim, "bath-radiator") == [b"\x08\x00\xff"]

    await sim.uplink("bath-radiator")
    await until(hass, lambda: attribute(hass, switch, "downlink_state")() == "sent")
    payload = bytes([1, 21, 0x5F, 0x80, 0x63, 0x14, 0x80])
    await sim.uplink("bath-radiator", payload=payload, f_port=1)
    await until(hass, lambda: pending() is None)
    state = state_of(hass, switch)
    assert state.state == STATE_OFF
    assert icon_key(hass, switch) is None
    assert "last_error" not in state.attributes


async def test_a_class_c_socket_answers_at_once(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Sent without waiting; what it reports then is the state."""
    await sim.uplink("pump-socket")  # from its second uplink on it listens all the time
    switch = await add_control(hass, entry, SOCKET)
    await call(hass, switch, "turn_off")
    await until(hass, lambda: attribute(hass, switch, "downlink_state")() == "sent")
    await sim.uplink("pump-socket")
    await until(hass, lambda: attribute(hass, switch, "pending")() is None)
    assert state_of(hass, switch).state == STATE_OFF


async def test_an_acknowledgment_may_come_before_the_answer(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The stream is faster than HTTP: nothing stays pending afterwards."""
    valve = await add_control(hass, entry, VALVE)
    climate = await add_control(hass, entry, thermostat())
    sim.faults.answer_delays["/down/push"] = 0.5
    calls = [
        hass.async_create_task(call(hass, valve, "open_valve")),
        hass.async_create_task(call(hass, climate, "set_temperature", temperature=24)),
    ]
    for _ in calls:
        await until(hass, lambda: queue_of(sim, "bath-radiator"))
        await sim.uplink("bath-radiator")  # sends the frame, and the next one acknowledges it
        await sim.uplink("bath-radiator")
    await asyncio.gather(*calls)
    for control in (valve, climate):
        await until(hass, lambda control=control: attribute(hass, control, "pending")() is None)  # type: ignore[misc]
        assert attribute(hass, control, "last_error")() is None
    assert state_of(hass, valve).state == "open"
    assert state_of(hass, climate).attributes["temperature"] == 24


async def test_the_newest_command_wins_and_others_frames_stay(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Toggled three times before the next uplink: one frame."""
    stack = entry.runtime_data.stack
    await stack.downlinks.push("bath-radiator", [Downlink(f_port=9, payload=b"\x99")])
    climate = await add_control(hass, entry, thermostat())
    for temperature in (18, 23, 24):
        await call(hass, climate, "set_temperature", temperature=temperature)
    assert queue_of(sim, "bath-radiator") == [b"\x99", b"\x0e\x18"]
    assert attribute(hass, climate, "pending")() == "24"
    await asyncio.gather(
        *(call(hass, climate, "set_temperature", temperature=number) for number in (15, 16, 17))
    )
    assert queue_of(sim, "bath-radiator") == [b"\x99", b"\x0e\x11"]
    assert attribute(hass, climate, "pending")() == "17"


async def test_a_thermostat_by_preset_from_command_to_report(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Target, measured temperature and humidity are the device's; the command arrives."""
    climate = await add_control(hass, entry, thermostat())
    state = state_of(hass, climate)
    assert state.state == "heat"
    assert state.attributes["temperature"] == 21
    assert state.attributes["current_temperature"] == pytest.approx(21.2, abs=0.1)
    assert state.attributes["current_humidity"] == 50
    assert (state.attributes["min_temp"], state.attributes["max_temp"]) == (5, 30)
    await call(hass, climate, "set_temperature", temperature=24)
    assert state_of(hass, climate).attributes["temperature"] == 24
    assert attribute(hass, climate, "waiting")() == "24 °C waits for the next uplink"
    target = hass.states.get(entity_id(hass, "sensor", f"{RADIATOR_KEY}/field/targetTemperature"))
    assert target is not None
    assert float(target.state) == 21, "the field keeps what the device reported"
    await sim.uplink("bath-radiator")
    await until(hass, lambda: attribute(hass, climate, "downlink_state")() == "sent")
    assert state_of(hass, climate).attributes["temperature"] == 24
    assert "not reported it yet" in attribute(hass, climate, "waiting")()
    await sim.uplink("bath-radiator")
    await until(hass, lambda: attribute(hass, climate, "pending")() is None)
    assert state_of(hass, climate).attributes["temperature"] == 24
    with pytest.raises(ServiceValidationError):
        await call(hass, climate, "set_temperature", temperature=35)


async def test_a_device_that_does_not_follow_is_told(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Acknowledged, but what it reports is still the old."""
    data = {**SOCKET, "device": RADIATOR_KEY, "reports": {"state": {"path": "openWindow"}}}
    switch = await add_control(hass, entry, data)
    await call(hass, switch, "turn_off")
    for _ in range(4):
        await sim.uplink("bath-radiator")
    await until(hass, lambda: attribute(hass, switch, "last_error")() == "not_followed")
    assert attribute(hass, switch, "last_error_reason")() == "on", "what it reports instead"
    assert state_of(hass, switch).state == STATE_ON
    assert attribute(hass, switch, "pending")() is None
    assert icon_key(hass, switch) == "control_failed"


async def test_a_command_that_fails_returns_to_the_last_known_state(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Never acknowledged: the reason is there, and gone with the next command that works."""
    valve = await add_control(
        hass,
        entry,
        {
            **VALVE,
            "commands": {
                name: {**command, "confirmed": True} for name, command in VALVE["commands"].items()
            },
        },
    )
    await call(hass, valve, "open_valve")
    assert state_of(hass, valve).state == "open", "assumed until told otherwise"
    assert state_of(hass, valve).attributes["assumed_state"]
    sim.devices["bath-radiator"].acknowledges = False
    counters = entry.runtime_data.counters
    for _ in range(20):
        before = counters.uplinks_today
        await sim.uplink("bath-radiator")
        await until(hass, lambda before=before: counters.uplinks_today > before)  # type: ignore[misc]
    await until(hass, lambda: attribute(hass, valve, "last_error")() == "failed")
    assert icon_key(hass, valve) == "control_failed"
    state = state_of(hass, valve)
    assert state.state == STATE_UNKNOWN
    assert "maximum number of retries" in state.attributes["last_error_reason"]
    assert "pending" not in state.attributes

    sim.devices["bath-radiator"].acknowledges = True
    await call(hass, valve, "close_valve")
    await sim.uplink("bath-radiator")
    await sim.uplink("bath-radiator")
    await until(hass, lambda: attribute(hass, valve, "pending")() is None)
    assert state_of(hass, valve).state == "closed"
    assert "last_error" not in state_of(hass, valve).attributes


async def test_what_the_server_refuses_is_raised(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Nothing is fire-and-forget: the action fails, the state stays."""
    never = {**VALVE, "device": "garden/70B3D57ED0060004"}
    valve = await add_control(hass, entry, never)
    with pytest.raises(HomeAssistantError):
        await call(hass, valve, "open_valve")
    assert state_of(hass, valve).state == STATE_UNKNOWN
    assert "pending" not in state_of(hass, valve).attributes


async def test_a_key_without_the_right_is_told(hass: HomeAssistant, sim: Simulator) -> None:
    """The reason names the right."""
    entry = await set_up(hass, sim, make_entry(sim, "read"))
    await sim.uplink("pump-socket")
    switch = await add_control(hass, entry, SOCKET)
    with pytest.raises(HomeAssistantError):
        await call(hass, switch, "turn_off")


async def test_a_restart_keeps_state_and_pending_command(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """What was known and what waits is there again; the outcome still arrives."""
    valve = await add_control(hass, entry, VALVE)
    await call(hass, valve, "open_valve")
    await sim.uplink("bath-radiator")
    await until(hass, lambda: attribute(hass, valve, "pending")() is None)
    assert state_of(hass, valve).state == "open"
    climate = await add_control(hass, entry, thermostat())
    await call(hass, climate, "set_temperature", temperature=24)
    await reload(hass, entry)
    assert state_of(hass, valve).state == "open"
    assert attribute(hass, climate, "pending")() == "24"
    await sim.uplink("bath-radiator")
    await until(hass, lambda: attribute(hass, climate, "downlink_state")() == "sent")
    await sim.uplink("bath-radiator")
    await until(hass, lambda: attribute(hass, climate, "pending")() is None)
    assert state_of(hass, climate).attributes["temperature"] == 24


async def test_a_restart_keeps_a_command_that_was_sent_and_not_reported(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It goes on showing what was asked for, and ends once: followed or not, and says which."""
    data = {**SOCKET, "device": RADIATOR_KEY, "reports": {"state": {"path": "openWindow"}}}
    switch = await add_control(hass, entry, data)
    await call(hass, switch, "turn_off")
    await sim.uplink("bath-radiator")
    await until(hass, lambda: attribute(hass, switch, "downlink_state")() == "sent")
    await sim.uplink("bath-radiator")  # acknowledges it, and reports another state
    await until(hass, lambda: attribute(hass, switch, "downlink_state")() == "acknowledged")

    await reload(hass, entry)
    assert state_of(hass, switch).state == STATE_OFF
    assert attribute(hass, switch, "pending")() == "off"
    await sim.uplink("bath-radiator")
    await sim.uplink("bath-radiator")
    await until(hass, lambda: attribute(hass, switch, "last_error")() == "not_followed")
    assert state_of(hass, switch).state == STATE_ON
    await reload(hass, entry)
    assert state_of(hass, switch).state == STATE_ON
    assert attribute(hass, switch, "pending")() is None
    assert attribute(hass, switch, "last_error")() == "not_followed"


async def test_a_command_whose_place_another_downlink_took_has_failed(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Its control shows again what is reported, and says so."""
    climate = await add_control(hass, entry, thermostat())
    await call(hass, climate, "set_temperature", temperature=24)
    device = entry.runtime_data.roster.by_device_id("bath-radiator")
    await entry.runtime_data.downlinks.async_replace(device, [Downlink(f_port=9, payload=b"\x99")])
    assert state_of(hass, climate).attributes["temperature"] == 21
    assert attribute(hass, climate, "pending")() is None
    assert attribute(hass, climate, "last_error")() == "replaced"


async def test_an_older_command_is_shown_while_a_newer_one_was_refused(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It still waits, also after a restart, and is followed to its report."""
    climate = await add_control(hass, entry, thermostat())
    await call(hass, climate, "set_temperature", temperature=24)
    with (
        sim.faults.during(errors={"/down/replace": (400, "invalid_downlink")}),
        pytest.raises(HomeAssistantError),
    ):
        await call(hass, climate, "set_temperature", temperature=17)
    assert queue_of(sim, "bath-radiator") == [b"\x0e\x18"]
    for _ in range(2):
        assert attribute(hass, climate, "pending")() == "24"
        assert state_of(hass, climate).attributes["temperature"] == 24
        assert attribute(hass, climate, "last_error")() == "failed"
        await reload(hass, entry)
    await sim.uplink("bath-radiator")
    await until(hass, lambda: attribute(hass, climate, "downlink_state")() == "sent")
    assert attribute(hass, climate, "last_error")() is None
    await sim.uplink("bath-radiator")
    await until(hass, lambda: attribute(hass, climate, "pending")() is None)
    assert state_of(hass, climate).attributes["temperature"] == 24


async def test_a_command_whose_outcome_was_in_doubt_is_followed_when_it_is_queued(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The server failed, and had queued it all the same."""
    valve = await add_control(hass, entry, VALVE)
    with (
        sim.faults.during(errors={"/down/push": (503, "unavailable")}),
        pytest.raises(HomeAssistantError),
    ):
        await call(hass, valve, "open_valve")
    assert attribute(hass, valve, "last_error")() == "outcome_unknown"
    record = entry.runtime_data.downlinks.newest(valve)
    queued = Downlink(f_port=2, payload=b"\x2d\x01", correlation_ids=(record.id,))
    await entry.runtime_data.stack.downlinks.push("bath-radiator", [queued])
    await until(hass, lambda: attribute(hass, valve, "pending")() == "open")
    await sim.uplink("bath-radiator")
    await until(hass, lambda: attribute(hass, valve, "pending")() is None)
    assert state_of(hass, valve).state == "open"
    assert attribute(hass, valve, "last_error")() is None


async def test_with_nothing_else_waiting_a_refused_command_leaves_what_is_reported(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Of an older one that is cleared, too, and of one that had come to its end before."""
    climate = await add_control(hass, entry, thermostat())
    device = entry.runtime_data.roster.by_device_id("bath-radiator")
    refused = {"/down/replace": (400, "invalid_downlink"), "/down/push": (400, "invalid_downlink")}

    async def be_refused() -> None:
        with pytest.raises(HomeAssistantError):
            await call(hass, climate, "set_temperature", temperature=17)

    await call(hass, climate, "set_temperature", temperature=24)
    with sim.faults.during(errors=refused):
        await be_refused()
    await entry.runtime_data.downlinks.async_clear(device)
    assert attribute(hass, climate, "pending")() is None
    assert state_of(hass, climate).attributes["temperature"] == 21
    assert attribute(hass, climate, "last_error")() == "cleared"

    await call(hass, climate, "set_temperature", temperature=25)
    for _ in range(2):
        await sim.uplink("bath-radiator")
    await until(hass, lambda: attribute(hass, climate, "pending")() is None)
    with sim.faults.during(errors=refused):
        await be_refused()
    assert attribute(hass, climate, "pending")() is None
    assert state_of(hass, climate).attributes["temperature"] == 25
    assert attribute(hass, climate, "last_error")() == "failed"


MOVING: list[tuple[dict[str, Any], str, dict[str, Any], str]] = [
    (
        {"platform": "lock", "commands": {"lock": "01", "unlock": "00"}},
        "unlock",
        {},
        "unlocking",
    ),
    (
        {"platform": "valve", "commands": {"open": "01", "close": "00"}},
        "close_valve",
        {},
        "closing",
    ),
    (
        {
            "platform": "cover",
            "commands": {"open": "01", "close": "00", "position": "02{value}"},
            "reports": {"position": "targetTemperature"},
        },
        "set_cover_position",
        {"position": 5},
        "closing",
    ),
]


@pytest.mark.parametrize("case", MOVING)
async def test_what_is_not_yet_locked_is_not_shown_as_locked(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    case: tuple[dict[str, Any], str, dict[str, Any], str],
) -> None:
    """Locks, valves and covers have states for what is going to be; a position is the asked one."""
    data, service, given, shown = case
    control = await add_control(
        hass,
        entry,
        {
            "device": RADIATOR_KEY,
            "name": "Thing",
            "f_port": 2,
            "reports": {"state": "openWindow"},
            **data,
        },
    )
    await call(hass, control, service, **given)
    state = state_of(hass, control)
    assert state.state == shown
    assert state.attributes.get("current_position", 5) == 5
    assert "waits for the next uplink" in state.attributes["waiting"]


async def test_a_control_may_show_what_was_last_reported_all_the_time(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """By an option of each; what waits is in the attributes."""
    climate = await add_control(hass, entry, {**thermostat(), "shows_requested": False})
    await call(hass, climate, "set_temperature", temperature=24)
    assert state_of(hass, climate).attributes["temperature"] == 21
    assert attribute(hass, climate, "pending")() == "24"


async def test_controls_are_unavailable_while_http_is_known_to_fail(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """A command that gets no answer finds it out; the first answer makes them available again."""
    switch = await add_control(hass, entry, SOCKET)
    sim.faults.http_status["/as/"] = 503
    with pytest.raises(HomeAssistantError):
        await call(hass, switch, "turn_off")
    assert state_of(hass, switch).state == STATE_ON, "only this call failed"
    sim.faults.http_down = True
    with pytest.raises(HomeAssistantError):
        await call(hass, switch, "turn_off")
    assert state_of(hass, switch).state == STATE_UNAVAILABLE
    sim.faults.http_down = False
    sim.faults.http_status.clear()
    await entry.runtime_data.connection_state.async_check_rights()
    assert state_of(hass, switch).state == STATE_ON


async def test_a_device_that_gets_its_dev_eui_keeps_its_controls(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """The key changes, the control goes with it."""
    sim.add_device("bare-node", dev_eui="", join_eui=None)
    entry = await set_up(hass, sim, make_entry(sim, "control"))
    control = await add_control(hass, entry, {**VALVE, "device": "garden/bare-node"})
    before = entity_of(hass, control)
    await sim.uplink("bare-node", envelope={"end_device_ids": {"dev_eui": "70B3D57ED0069999"}})
    await until(hass, lambda: entry.subentries[control].data["device"] != "garden/bare-node")
    await hass.async_block_till_done()
    assert entry.subentries[control].data["device"] == "garden/70B3D57ED0069999"
    assert entity_of(hass, control).entity_id == before.entity_id
    assert entity_of(hass, control).device_id == before.device_id
    assert state_of(hass, control).state == STATE_UNKNOWN


async def test_an_older_report_counts_unless_it_was_turned_around(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The newest frame may be one without the field."""
    await sim.uplink("bath-radiator", {"relay": "on", "period": 15})
    await sim.uplink("bath-radiator", {"period": 15})
    device = entry.runtime_data.roster.states[RADIATOR_KEY]
    await until(hass, lambda: device.values.get("relay") and "period" in device.values)
    data = {**SOCKET, "device": RADIATOR_KEY, "reports": {"state": {"path": "relay"}}}
    switch = await add_control(hass, entry, data)
    assert state_of(hass, switch).state == STATE_ON
    turned = FieldOverride(path="relay", device=RADIATOR_KEY, change=Override(invert=True))
    entry.runtime_data.fields.overrides.put(turned)
    entry.runtime_data.fields.apply_overrides(RADIATOR_KEY)
    assert device.decisions["relay"].invert
    switch = await add_control(hass, entry, {**data, "name": "Other"})
    assert state_of(hass, switch).state == STATE_UNKNOWN


# Each platform


PLATFORMS: list[tuple[dict[str, Any], str, dict[str, Any], str, bytes]] = [
    ({"platform": "button", "commands": {"press": "FF 01"}}, "press", {}, "", b"\xff\x01"),
    ({"platform": "siren", "commands": {"on": "01", "off": "00"}}, "turn_on", {}, "on", b"\x01"),
    ({"platform": "siren", "commands": {"on": "01", "off": "00"}}, "turn_off", {}, "off", b"\x00"),
    (
        {"platform": "lock", "commands": {"lock": "01", "unlock": "00"}},
        "lock",
        {},
        "locked",
        b"\x01",
    ),
    (
        {"platform": "lock", "commands": {"lock": "01", "unlock": "00"}},
        "unlock",
        {},
        "unlocked",
        b"\x00",
    ),
    (
        {
            "platform": "number",
            "commands": {"set": "03 {value*60:2le}"},
            "minimum": 1,
            "maximum": 60,
            "unit": "min",
        },
        "set_value",
        {"value": 10},
        "10.0",
        b"\x03\x58\x02",
    ),
    (
        {"platform": "select", "choices": {"Auto": "0D 00", "Manual": "0D 01"}},
        "select_option",
        {"option": "Manual"},
        "Manual",
        b"\x0d\x01",
    ),
    (
        {"platform": "text", "commands": {"set": "12 {value}"}},
        "set_value",
        {"value": "Hi"},
        "Hi",
        b"\x12Hi",
    ),
    (
        {"platform": "light", "commands": {"on": "01", "off": "00", "brightness": "02{value}"}},
        "turn_on",
        {"brightness": 128},
        "on",
        b"\x02\x32",
    ),
    ({"platform": "light", "commands": {"on": "01", "off": "00"}}, "turn_on", {}, "on", b"\x01"),
    ({"platform": "light", "commands": {"on": "01", "off": "00"}}, "turn_off", {}, "off", b"\x00"),
    (
        {"platform": "cover", "commands": {"open": "01", "close": "00", "position": "02{value}"}},
        "set_cover_position",
        {"position": 40},
        "open",
        b"\x02\x28",
    ),
    (
        {"platform": "cover", "commands": {"open": "01", "close": "00", "stop": "03"}},
        "close_cover",
        {},
        "closed",
        b"\x00",
    ),
    (
        {"platform": "cover", "commands": {"open": "01", "close": "00", "stop": "03"}},
        "stop_cover",
        {},
        "unknown",
        b"\x03",
    ),
    (
        {"platform": "cover", "commands": {"open": "01", "close": "00"}},
        "open_cover",
        {},
        "open",
        b"\x01",
    ),
    (
        {"platform": "valve", "commands": {"open": "01", "close": "00", "position": "02{value}"}},
        "set_valve_position",
        {"position": 40},
        "open",
        b"\x02\x28",
    ),
    (
        {"platform": "valve", "commands": {"open": "01", "close": "00", "stop": "03"}},
        "stop_valve",
        {},
        "unknown",
        b"\x03",
    ),
    (
        {
            "platform": "climate",
            "commands": {"temperature": "0E {{ '%02X' | format(value | int) }}"},
            "choices": {"off": "0D00", "heat": "0D01"},
            "minimum": 5,
            "maximum": 30,
        },
        "set_temperature",
        {"temperature": 20, "hvac_mode": "heat"},
        "heat",
        b"\x0e\x14",
    ),
    (
        {
            "platform": "climate",
            "commands": {"temperature": "0E{value}"},
            "choices": {"off": "0D00", "heat": "0D01"},
            "minimum": 5,
            "maximum": 30,
        },
        "turn_off",
        {},
        "off",
        b"\x0d\x00",
    ),
]


@pytest.mark.parametrize("case", PLATFORMS)
async def test_every_platform_sends_its_frame_and_assumes(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    case: tuple[dict[str, Any], str, dict[str, Any], str, bytes],
) -> None:
    """Without a report: the state asked for, marked as assumed, from queue to air."""
    data, service, given, shown, payload = case
    control = await add_control(
        hass, entry, {"device": RADIATOR_KEY, "name": "Thing", "f_port": 2, **data}
    )
    assert state_of(hass, control).state == (STATE_UNKNOWN)
    await call(hass, control, service, **given)
    assert queue_of(sim, "bath-radiator")[-1] == payload
    if shown:
        assert state_of(hass, control).state == shown
        assert state_of(hass, control).attributes["assumed_state"]
    assert attribute(hass, control, "pending")()
    while queue_of(sim, "bath-radiator"):
        await sim.uplink("bath-radiator")
    await until(hass, lambda: attribute(hass, control, "pending")() is None)
    if shown:
        assert state_of(hass, control).state == shown


async def test_reports_of_every_kind_are_shown(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Positions, brightness, options, texts, numbers, modes, locks."""
    base = {"device": RADIATOR_KEY, "f_port": 2}
    kinds: dict[str, dict[str, Any]] = {
        "cover": {
            "platform": "cover",
            "commands": {"open": "01", "close": "00"},
            "reports": {"position": "opening.0"},
        },
        "valve": {
            "platform": "valve",
            "commands": {"open": "01", "close": "00"},
            "reports": {"position": "opening.0"},
        },
        "light": {
            "platform": "light",
            "commands": {"on": "01", "off": "00", "brightness": "02{value}"},
            "reports": {"state": "lamp", "brightness": "dim"},
        },
        "lock": {
            "platform": "lock",
            "commands": {"lock": "01", "unlock": "00"},
            "reports": {"state": {"path": "bolt", "values": {"2": "locked", "1": "unlocked"}}},
        },
        "select": {
            "platform": "select",
            "choices": {"Auto": "00", "By hand": "01"},
            "reports": {"option": {"path": "way", "values": {"1": "By hand"}}},
        },
        "text": {
            "platform": "text",
            "commands": {"set": "01{value}"},
            "reports": {"value": "label"},
        },
        "number": {
            "platform": "number",
            "commands": {"set": "01{value}"},
            "minimum": 0,
            "maximum": 100,
            "reports": {"value": "period"},
        },
        "climate": {
            "platform": "climate",
            "commands": {"temperature": "01{value}"},
            "choices": {"off": "00", "heat": "01"},
            "minimum": 5,
            "maximum": 30,
            "reports": {"mode": {"path": "way", "values": {"1": "heat", "0": "off"}}},
        },
    }
    ids = {
        name: await add_control(hass, entry, {**base, "name": name, **data})
        for name, data in kinds.items()
    }
    decoded = {
        "opening": [40],
        "lamp": "on",
        "dim": 50,
        "bolt": 2,
        "way": 1,
        "label": "Hello",
        "period": {"value": 15, "unit": "min"},
    }
    await sim.uplink("bath-radiator", decoded)
    await until(hass, lambda: state_of(hass, ids["lock"]).state == "locked")
    assert state_of(hass, ids["cover"]).state == "open"
    assert state_of(hass, ids["cover"]).attributes["current_position"] == 40
    assert state_of(hass, ids["valve"]).state == "open"
    assert state_of(hass, ids["light"]).attributes["brightness"] == 128
    assert state_of(hass, ids["select"]).state == "By hand"
    assert state_of(hass, ids["text"]).state == "Hello"
    assert state_of(hass, ids["number"]).state == "15.0"
    assert state_of(hass, ids["climate"]).state == "heat"
    await call(hass, ids["light"], "turn_on", brightness=1)
    assert queue_of(sim, "bath-radiator")[-1] == b"\x02\x01", "dimmed, not off"
    await call(hass, ids["lock"], "unlock")
    assert state_of(hass, ids["lock"]).state == "unlocking"
    await call(hass, ids["lock"], "lock")
    assert state_of(hass, ids["lock"]).state == "locking"
    # A frame without the field says nothing about it.
    await sim.uplink("bath-radiator", {"something": 1})
    await hass.async_block_till_done()
    assert state_of(hass, ids["number"]).state == "15.0"
