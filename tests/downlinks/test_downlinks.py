"""What becomes of downlinks, over real sockets."""

import asyncio
from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.thethingsstack.client import Downlink
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.diagnostics import async_get_config_entry_diagnostics
from custom_components.thethingsstack.downlinks import DownlinkRecord, Downlinks, DownlinkState
from custom_components.thethingsstack.downlinks.queue import PAUSES, Pauses
from custom_components.thethingsstack.end_devices.state import EndDeviceState
from tests.ha_fixtures import entity_id, make_entry, register_enabled, set_up, until
from tests.simulator import Simulator

VICKI = "bath-radiator"
VICKI_KEY = "garden/70B3D52DD3000001"
SOCKET = "pump-socket"
SET_20 = Downlink(f_port=1, payload=b"\x0e\x14")
SET_21 = Downlink(f_port=1, payload=b"\x0e\x15", confirmed=True)


@pytest.fixture(autouse=True)
def no_pauses(hass: HomeAssistant) -> None:
    """Read queues at once."""
    hass.data[PAUSES] = Pauses(
        after_report=0.05, after_uplink=0.05, before_correction=0.05, between_reads=0
    )


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """The application with a key that may send."""
    entry = make_entry(sim, "control")
    register_enabled(hass, entry, "event", f"{VICKI_KEY}/downlink")
    return await set_up(hass, sim, entry)


@pytest.fixture
def downlinks(entry: MockConfigEntry) -> Downlinks:
    """Its downlinks."""
    found: Downlinks = entry.runtime_data.downlinks
    return found


def device_of(entry: MockConfigEntry, device_id: str = VICKI) -> EndDeviceState:
    """Return an end device."""
    found: EndDeviceState = entry.runtime_data.roster.by_device_id(device_id)
    return found


@pytest.fixture
def vicki(entry: MockConfigEntry) -> EndDeviceState:
    """A class A device."""
    return device_of(entry)


class Told:
    """What the event entity of a device told, in order."""

    def __init__(self, hass: HomeAssistant, key: str = VICKI_KEY) -> None:
        self.types: list[str] = []
        self.states: list[State] = []
        self._hass, self._key = hass, key
        hass.bus.async_listen("state_changed", self._changed)

    @callback
    def _changed(self, event: Event[Any]) -> None:
        state = event.data["new_state"]
        found = er.async_get(self._hass).async_get_entity_id(
            "event", DOMAIN, f"{self._key}/downlink"
        )
        if state is None or state.entity_id != found:
            return
        if (event_type := state.attributes.get("event_type")) and (
            not self.states or self.states[-1].state != state.state
        ):
            self.types.append(event_type)
            self.states.append(state)


@pytest.fixture
def told(hass: HomeAssistant, entry: MockConfigEntry) -> Told:
    """What the Vicki's downlink event told."""
    return Told(hass)


def sensor(hass: HomeAssistant, key: str) -> State:
    """Return the state of one of the Vicki's sensors."""
    state = hass.states.get(entity_id(hass, "sensor", f"{VICKI_KEY}/{key}"))
    assert state is not None
    return state


def last(hass: HomeAssistant) -> State:
    """Return the state of the last-downlink sensor."""
    return sensor(hass, "downlink_state")


async def test_an_unconfirmed_downlink_in_class_a(
    hass: HomeAssistant, sim: Simulator, downlinks: Downlinks, vicki: EndDeviceState, told: Told
) -> None:
    """Queued at once, sent after the next uplink; entities appear with the first one."""
    record = await downlinks.async_send(vicki, SET_20)
    assert record.state == "queued"
    await until(hass, lambda: told.types == ["queued"])
    assert told.states[0].attributes["payload"] == "0e14"
    await until(hass, lambda: last(hass).state == "queued")
    await until(hass, lambda: sensor(hass, "downlink_queue").state == "1")
    await sim.uplink(VICKI)
    await until(hass, lambda: told.types == ["queued", "sent"])
    assert record.state == "sent"
    assert not record.open
    await until(hass, lambda: sensor(hass, "downlink_queue").state == "0")
    assert downlinks.standing_of(vicki).in_24_hours == 1


async def test_confirmed_is_acknowledged_by_the_uplink_after(
    hass: HomeAssistant, sim: Simulator, downlinks: Downlinks, vicki: EndDeviceState, told: Told
) -> None:
    record = await downlinks.async_send(vicki, SET_21)
    await sim.uplink(VICKI)
    await until(hass, lambda: record.state is DownlinkState.SENT)
    assert record.open
    await sim.uplink(VICKI)
    await until(hass, lambda: told.types == ["queued", "sent", "acknowledged"])
    assert record.state is DownlinkState.ACKNOWLEDGED


async def test_retries_end_in_a_failure_told_once(
    hass: HomeAssistant, sim: Simulator, downlinks: Downlinks, vicki: EndDeviceState, told: Told
) -> None:
    """The last attempt is reported as failed and as nack; each transmission counts."""
    sim.devices[VICKI].acknowledges = False
    record = await downlinks.async_send(
        vicki, Downlink(f_port=1, payload=b"\x0e\x12", confirmed=True, max_attempts=2)
    )
    for number in (2, 4, 6, 7):
        await sim.uplink(VICKI)
        await until(hass, lambda number=number: len(told.types) == number)  # type: ignore[misc]
    await until(hass, lambda: record.state is DownlinkState.FAILED)
    assert told.types == [
        "queued",
        *["sent", "not_acknowledged"] * 2,
        "sent",
        "failed",
    ]
    assert told.states[-1].attributes["error"] == "max_retries_reached"
    assert (record.error, record.attempt) == ("max_retries_reached", 3)
    assert last(hass).attributes["reason"] == "maximum number of retries (2) reached"
    assert downlinks.standing_of(vicki).in_24_hours == 3


async def test_class_c_is_sent_at_once(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, downlinks: Downlinks
) -> None:
    socket = device_of(entry, SOCKET)
    await sim.uplink(SOCKET)
    await sim.uplink(SOCKET)
    record = await downlinks.async_send(socket, Downlink(decoded_payload={"socket_status": "on"}))
    await until(hass, lambda: record.state is DownlinkState.SENT)
    assert record.f_port == 85
    await until(hass, lambda: downlinks.standing_of(socket).listens_always)
    assert downlinks.expected_at(socket) is not None


async def test_refusal_is_told_once(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, *, downlinks: Downlinks,
    vicki: EndDeviceState, told: Told,
) -> None:  # fmt: skip
    """The server answers and reports it: one event, one raised error."""
    late = Downlink(
        f_port=1,
        payload=b"\1",
        absolute_time=vicki.end_device.created_at,  # type: ignore[union-attr]
    )
    with pytest.raises(HomeAssistantError) as refused:
        await downlinks.async_send(vicki, late)
    assert refused.value.translation_key == "downlink_expired"
    await until(hass, lambda: told.types)
    await sim.uplink(VICKI)  # comes after all that the server reports of the refusal
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    assert told.types == ["expired"]


async def test_report_before_the_answer(
    hass: HomeAssistant, sim: Simulator, downlinks: Downlinks, vicki: EndDeviceState, told: Told
) -> None:
    """A slow answer finds that all is over already."""
    sim.faults.answer_delays["/down/push"] = 0.3
    sending = asyncio.create_task(downlinks.async_send(vicki, SET_21))
    await until(hass, lambda: sim.devices[VICKI].session.queue)  # type: ignore[union-attr]
    await sim.uplink(VICKI)
    await sim.uplink(VICKI)
    await until(hass, lambda: told.types == ["queued", "sent", "acknowledged"])
    assert (await sending).state is DownlinkState.ACKNOWLEDGED


async def test_anyones_downlinks_are_followed(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, told: Told
) -> None:
    await entry.runtime_data.stack.downlinks.push(VICKI, [SET_20])
    await until(hass, lambda: told.types == ["queued"])
    await sim.uplink(VICKI)
    await until(hass, lambda: told.types == ["queued", "sent"])
    assert told.states[-1].attributes["correlation_id"].startswith("as:downlink:")


async def test_newest_command_wins(
    hass: HomeAssistant, entry: MockConfigEntry, downlinks: Downlinks, told: Told
) -> None:
    """Three commands of a control send one frame, between those of others."""
    vicki = device_of(entry)
    push = entry.runtime_data.stack.downlinks.push
    await push(VICKI, [Downlink(f_port=2, payload=b"\1")])
    records = [await downlinks.async_send(vicki, SET_20, control="c", note=20)]
    await push(VICKI, [Downlink(f_port=2, payload=b"\2")])
    await until(hass, lambda: len(told.types) == 3)
    records.append(await downlinks.async_send(vicki, SET_21, control="c", note=21))
    records.append(
        await downlinks.async_send(vicki, Downlink(f_port=1, payload=b"\x0e\x16"), control="c")
    )
    queue = await downlinks.async_queue(vicki)
    assert [item.payload for item in queue] == [b"\1", b"\x0e\x16", b"\2"]
    assert [record.state for record in records] == ["replaced", "replaced", "queued"]
    assert downlinks.newest("c") is records[-1]
    other = await downlinks.async_send(vicki, SET_20, control="d")
    assert len(await downlinks.async_queue(vicki)) == 4
    assert other.state is DownlinkState.QUEUED
    await until(hass, lambda: len(told.types) == 6)
    assert told.types == ["queued"] * 6


@pytest.mark.parametrize("device_id", [VICKI, "weather-station"])
async def test_object_without_known_formatter(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, downlinks: Downlinks,
    device_id: str,
) -> None:  # fmt: skip
    """Where the key may not see the application's formatter, an empty frame is taken back."""
    device = device_of(entry, device_id)
    del sim.devices[device_id].documents["as"]["formatters"]
    sim.application.link = {}
    with pytest.raises(HomeAssistantError) as refused:
        await downlinks.async_send(device, Downlink(f_port=1, decoded_payload={"a": 1}))
    assert refused.value.translation_key == "downlink_no_formatter"
    assert await downlinks.async_queue(device) == []


async def test_object_without_formatter(
    entry: MockConfigEntry, downlinks: Downlinks, sim: Simulator
) -> None:
    device = device_of(entry, "weather-station")
    with pytest.raises(ServiceValidationError) as refused:
        await downlinks.async_send(device, Downlink(f_port=1, decoded_payload={"a": 1}))
    assert refused.value.translation_key == "downlink_no_formatter"
    assert not any(path.endswith("/push") for _, path in sim.requests)


async def test_a_downlink_to_an_end_device_that_never_joined(
    entry: MockConfigEntry, downlinks: Downlinks
) -> None:
    with pytest.raises(ServiceValidationError) as refused:
        await downlinks.async_send(device_of(entry, "never-joined"), SET_20)
    assert refused.value.translation_key == "downlink_never_joined"


async def test_right_may_come_later(hass: HomeAssistant, sim: Simulator) -> None:
    entry = await set_up(hass, sim, make_entry(sim, "read"))
    downlinks: Downlinks = entry.runtime_data.downlinks
    with pytest.raises(ServiceValidationError) as refused:
        await downlinks.async_send(device_of(entry), SET_20)
    assert refused.value.translation_key == "downlink_missing_right"
    assert refused.value.translation_placeholders is not None
    assert (
        refused.value.translation_placeholders["rights"] == "“Write downlink application traffic”"
    )
    sim.set_rights("read", ["INFO", "TRAFFIC_READ", "DEVICES_READ", "TRAFFIC_DOWN_WRITE"])
    record = await downlinks.async_send(device_of(entry), SET_20)
    assert record.state is DownlinkState.QUEUED


async def test_encode_shows_warnings(downlinks: Downlinks, vicki: EndDeviceState) -> None:
    made = await downlinks.async_encode(vicki, {"setTargetTemperature": 30}, 1)
    assert (made.payload, made.warnings) == (b"\x0e\x1e", ("above the usual range",))
    with pytest.raises(HomeAssistantError) as refused:
        await downlinks.async_encode(vicki, {"nosuch": 1})
    assert refused.value.translation_key == "downlink_encoder_failed"


async def test_restart_between_queued_and_acknowledged(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, downlinks: Downlinks,
    vicki: EndDeviceState,
) -> None:  # fmt: skip
    """The record comes back; what happens later is told, with the control's own note."""
    await downlinks.async_send(vicki, SET_21, control="c", note={"value": 21})
    await sim.uplink(VICKI)
    await until(hass, lambda: downlinks.newest("c").state == "sent")  # type: ignore[union-attr]
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    record: DownlinkRecord = entry.runtime_data.downlinks.newest("c")
    assert (record.state, record.note) == ("sent", {"value": 21})
    await until(hass, lambda: last(hass).state == "sent")
    await sim.uplink(VICKI)
    await until(hass, lambda: record.state is DownlinkState.ACKNOWLEDGED)
    await until(hass, lambda: last(hass).state == "acknowledged")


async def test_what_was_decided_meanwhile_is_unknown(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, downlinks: Downlinks,
    vicki: EndDeviceState,
) -> None:  # fmt: skip
    """Sent while no messages came: neither sent nor lost can be said."""
    gone = await downlinks.async_send(vicki, SET_20, control="c")
    waits = await downlinks.async_send(vicki, SET_20, control="d")
    assert gone.state is waits.state is DownlinkState.QUEUED
    assert await hass.config_entries.async_unload(entry.entry_id)
    await sim.uplink(VICKI)
    assert await hass.config_entries.async_setup(entry.entry_id)
    again: Downlinks = entry.runtime_data.downlinks
    await until(hass, lambda: again.newest("c").state == "outcome_unknown")  # type: ignore[union-attr]
    assert again.newest("d").state == "queued"  # type: ignore[union-attr]


async def test_downlinks_beyond_fair_use(
    hass: HomeAssistant, sim: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """On the public network, eight of ten in 24 hours are an issue; it goes by itself."""
    entry = await set_up(hass, sim, make_entry(sim, "control", network="ttn_eu1"))
    vicki = device_of(entry)
    downlinks: Downlinks = entry.runtime_data.downlinks
    issue = (DOMAIN, f"downlink_limit_{entry.entry_id}")
    issues = ir.async_get(hass).issues
    for _ in range(8):
        assert issue not in issues
        await downlinks.async_send(vicki, SET_20)
        await sim.uplink(VICKI)
    await until(hass, lambda: downlinks.standing_of(vicki).in_24_hours == 8)
    placeholders = issues[issue].translation_placeholders
    assert placeholders is not None
    assert placeholders["devices"].endswith(": 8")
    freezer.tick(timedelta(hours=24, minutes=1))
    async_fire_time_changed(hass)
    await until(hass, lambda: issue not in issues)


async def test_diagnostics_hide_payloads(
    hass: HomeAssistant, entry: MockConfigEntry, downlinks: Downlinks, vicki: EndDeviceState
) -> None:
    await downlinks.async_send(vicki, SET_21, control="c")
    told = await async_get_config_entry_diagnostics(hass, entry)
    text = str(told)
    assert "'of_a_control': True" in text
    assert "0e15" not in text


async def test_expected_after_the_learned_interval(
    hass: HomeAssistant, sim: Simulator, downlinks: Downlinks, vicki: EndDeviceState
) -> None:
    """A class A device can be reached after its next uplink."""
    assert downlinks.expected_at(vicki) is None
    start = dt_util.utcnow() - timedelta(hours=5)
    for hours in range(5):
        moment = (start + timedelta(hours=hours + 0.5)).isoformat().replace("+00:00", "Z")
        await sim.uplink(VICKI, received_at=moment)
    await until(hass, lambda: vicki.uplinks.interval.seconds)
    expected = downlinks.expected_at(vicki)
    assert expected is not None
    assert abs(expected - dt_util.utcnow() - timedelta(minutes=30)) < timedelta(minutes=1)


async def test_queue_changed_between_reading_and_replacing(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, downlinks: Downlinks
) -> None:
    """What others' frames lose or gain in between is mended."""
    vicki = device_of(entry)
    push = entry.runtime_data.stack.downlinks.push
    await push(VICKI, [Downlink(f_port=2, payload=b"\1")])
    await downlinks.async_send(vicki, SET_20, control="c")
    sim.faults.answer_delays["/down"] = 0.3
    newest = asyncio.create_task(downlinks.async_send(vicki, SET_21, control="c"))
    await until(hass, lambda: sim.requests[-1][1].endswith("/down"))
    await sim.uplink(VICKI)  # their first frame goes out
    await push(VICKI, [Downlink(f_port=2, payload=b"\2")])  # and another one comes
    await newest
    sim.faults.answer_delays.clear()

    def waiting() -> list[str]:
        session = sim.devices[VICKI].session
        return [] if session is None else [item.message["frm_payload"] for item in session.queue]

    assert waiting() == ["AQ==", "DhU="]
    await until(hass, lambda: waiting() == ["DhU=", "Ag=="])


async def test_two_homes_leave_each_others_frames_alone(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, downlinks: Downlinks
) -> None:
    """The frames of another home's control are those of others."""
    vicki = device_of(entry)
    other = Downlink(f_port=1, payload=b"\x0e\x1e", correlation_ids=("ha:01", "ha:control:x"))
    await entry.runtime_data.stack.downlinks.push(VICKI, [other])
    for degrees in (20, 21, 22):
        await downlinks.async_send(
            vicki, Downlink(f_port=1, payload=bytes([14, degrees])), control="c"
        )
    queue = await downlinks.async_queue(vicki)
    assert [item.payload for item in queue] == [b"\x0e\x1e", b"\x0e\x16"]
    assert "ha:control:x" in queue[0].correlation_ids
    await until(hass, lambda: downlinks.newest("x"))
    assert not downlinks.newest("x").ours  # type: ignore[union-attr]


async def test_expiry_in_the_queue(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, downlinks: Downlinks, told: Told
) -> None:
    """Its time passes before it can be sent; the next one goes out."""
    vicki = device_of(entry)
    soon = dt_util.utcnow() + timedelta(hours=1)
    late = await downlinks.async_send(vicki, Downlink(f_port=1, payload=b"\1", absolute_time=soon))
    other = await downlinks.async_send(vicki, SET_20)
    sim.stack.now = lambda: soon + timedelta(seconds=1)
    await sim.uplink(VICKI)
    await until(hass, lambda: told.types == ["queued", "queued", "expired", "sent"])
    assert (late.state, late.error) == ("expired", "downlink_expired")
    assert other.state == "sent"


async def test_unloaded_while_a_command_is_on_its_way(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    *,
    vicki: EndDeviceState,
    downlinks: Downlinks,
    hass_storage: dict[str, Any],
) -> None:
    """Its answer starts no timer any more, and what the next start stored stays."""
    sim.faults.answer_delays["/bath-radiator/down/push"] = 0.5
    work = hass.async_create_task(downlinks.async_send(vicki, SET_20, control="first"))
    await until(hass, lambda: any("/down/push" in asked for _, asked in sim.requests))
    assert await hass.config_entries.async_reload(entry.entry_id)
    await entry.runtime_data.downlinks.async_send(
        device_of(entry, SOCKET), SET_21, control="second"
    )
    await entry.runtime_data.downlinks.async_save()
    await work
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    stored = str(hass_storage[f"{DOMAIN}.{entry.entry_id}.downlinks"])
    assert "'first'" in stored
    assert "'second'" in stored
