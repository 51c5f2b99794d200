"""Downlinks over MQTT: bytes and fields, their place in the queue, and what becomes of them."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.downlinks import DownlinkRecord
from tests.controls.cases import SOCKET, add_control
from tests.ha_fixtures import entity_id, until
from tests.simulator.v2 import Simulator

from .conftest import make_entry, set_up

PUMP = "pump-socket"
QUICK = {"seconds": 5}


def registry_id(entry: MockConfigEntry, device_id: str = PUMP) -> str:
    """Return the ID that Home Assistant gave an end device."""
    found: str = entry.runtime_data.roster.by_device_id(device_id).registry_id
    return found


async def call(
    hass: HomeAssistant, entry: MockConfigEntry, action: str = "send_downlink", **data: Any
) -> dict[str, Any]:
    """Call an action on the pump's socket, and return its response for that."""
    target = registry_id(entry)
    response = await hass.services.async_call(
        DOMAIN, action, {"device_id": target, **data}, blocking=True, return_response=True
    )
    assert response is not None
    downlinks: Any = response["downlinks"]
    answer: dict[str, Any] = downlinks[target]
    return answer


def records(entry: MockConfigEntry) -> list[DownlinkRecord]:
    """Return the socket's downlinks, the oldest first."""
    coordinator = entry.runtime_data
    found: list[DownlinkRecord] = coordinator.downlinks.records_of(
        coordinator.roster.by_device_id(PUMP)
    )
    return found


def radio(sim2: Simulator) -> list[tuple[int, str]]:
    """Return what the socket received: port and payload."""
    return [(item.f_port, item.payload_hex) for item in sim2.devices[PUMP].received]


async def wait_for(hass: HomeAssistant, entry: MockConfigEntry, *states: str) -> None:
    """Wait until the socket's downlinks have these states."""
    await until(hass, lambda: [record.state.value for record in records(entry)] == list(states))


async def test_bytes_are_queued_sent_and_acknowledged(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    answer = await call(hass, entry, hex="01 1e", f_port=85, confirmed=True)
    assert (answer["state"], answer["queue"]) == ("queued", 1)
    await sim2.uplink(PUMP)
    await wait_for(hass, entry, "sent")
    assert radio(sim2) == [(85, "011e")]
    await sim2.uplink(PUMP)
    await wait_for(hass, entry, "acknowledged")
    await call(hass, entry, base64="AR4=", f_port=85)
    await sim2.uplink(PUMP)
    await wait_for(hass, entry, "acknowledged", "sent")


async def test_fields_go_through_the_encoder_of_the_application(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    await call(hass, entry, object={"relay": "on"}, f_port=85)
    await sim2.uplink(PUMP)
    await wait_for(hass, entry, "sent")
    assert len(radio(sim2)) == 1
    assert radio(sim2)[0][0] == 85


async def test_fields_without_an_encoder_are_refused_before(
    hass: HomeAssistant, sim2: Simulator
) -> None:
    """The Handler would take them, and do nothing."""
    key = sim2.key("default", "raw-garden")
    entry = await set_up(hass, make_entry(sim2, application_id="raw-garden", api_key=key))
    device_id = next(iter(sim2.stack.applications["raw-garden"].devices))
    target = registry_id(entry, device_id)
    with pytest.raises(ServiceValidationError) as refused:
        await hass.services.async_call(
            DOMAIN,
            "send_downlink",
            {"device_id": target, "object": {"led": 1}, "f_port": 1},
            blocking=True,
        )
    assert refused.value.translation_key == "downlink_no_formatter"
    assert not sim2.device(device_id).queue


async def test_the_place_in_the_queue(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    for number in ("01", "02"):
        await call(hass, entry, hex=number, f_port=1)
    await call(hass, entry, hex="03", f_port=1, first=True)
    for _ in range(3):
        await sim2.uplink(PUMP)
    await wait_for(hass, entry, "sent", "sent", "sent")
    assert [payload for _, payload in radio(sim2)] == ["03", "01", "02"]
    await call(hass, entry, hex="04", f_port=1)
    await call(hass, entry, "replace_downlink_queue", hex="05", f_port=1)
    assert [record.state.value for record in records(entry)[-2:]] == ["replaced", "queued"]
    await sim2.uplink(PUMP)
    await sim2.uplink(PUMP)
    await until(hass, lambda: records(entry)[-1].state.value == "sent")
    assert [payload for _, payload in radio(sim2)][3:] == ["05"]


async def test_a_confirmed_downlink_is_repeated_until_it_is_replaced(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    """Without end, which is what the time limit says."""
    sim2.devices[PUMP].acknowledges = False
    waiting = asyncio.create_task(
        hass.services.async_call(
            DOMAIN,
            "send_downlink",
            {
                "device_id": registry_id(entry),
                "hex": "01",
                "f_port": 1,
                "confirmed": True,
                "wait_for": "acknowledged",
                "timeout": {"seconds": 2},
            },
            blocking=True,
        )
    )
    await until(hass, lambda: sim2.devices[PUMP].queue)
    for _ in range(3):
        await sim2.uplink(PUMP)
    await until(hass, lambda: records(entry) and len(records(entry)[0].transmissions) == 3)
    with pytest.raises(HomeAssistantError, match="without end") as limit:
        await waiting
    assert limit.value.translation_key == "downlink_repeated"
    await call(hass, entry, "replace_downlink_queue", hex="02", f_port=1)
    await wait_for(hass, entry, "replaced", "queued")
    await sim2.uplink(PUMP)
    await wait_for(hass, entry, "replaced", "sent")
    await sim2.uplink(PUMP)
    assert [payload for _, payload in radio(sim2)] == ["01", "01", "01", "02"]


async def test_the_time_limit_of_an_unconfirmed_downlink(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    with pytest.raises(HomeAssistantError) as limit:
        await hass.services.async_call(
            DOMAIN,
            "send_downlink",
            {
                "device_id": registry_id(entry),
                "hex": "01",
                "f_port": 1,
                "wait_for": "sent",
                "timeout": {"milliseconds": 10},
            },
            blocking=True,
        )
    assert limit.value.translation_key == "downlink_stays_queued"


async def test_the_newest_command_of_a_control_is_the_one_that_is_sent(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    """Also after one that is being repeated."""
    device = sim2.devices[PUMP]
    device.acknowledges = False
    commands = {
        name: {**command, "confirmed": True} for name, command in SOCKET["commands"].items()
    }
    control = {**SOCKET, "device": f"garden/{device.dev_eui}", "commands": commands}
    subentry_id = await add_control(hass, entry, {**control, "reports": {}})
    switch = entity_id(hass, "switch", subentry_id)
    await hass.services.async_call("switch", "turn_on", {"entity_id": switch}, blocking=True)
    for _ in range(2):
        await sim2.uplink(PUMP)
    await until(hass, lambda: len(radio(sim2)) == 2)
    await wait_for(hass, entry, "sent")
    await hass.services.async_call("switch", "turn_off", {"entity_id": switch}, blocking=True)
    device.acknowledges = True
    await sim2.uplink(PUMP)
    await sim2.uplink(PUMP)
    await wait_for(hass, entry, "replaced", "acknowledged")
    payloads = [payload for _, payload in radio(sim2)]
    assert payloads[0] == payloads[1] != payloads[2]
    assert len(payloads) == 3
    state = hass.states.get(switch)
    assert state is not None
    assert state.state == "off"


async def test_a_failing_encoder_is_the_fate_of_the_downlink(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    await call(hass, entry, object={"fail": True}, f_port=99)
    await sim2.uplink(PUMP)
    await until(hass, lambda: records(entry)[-1].state.value in ("failed", "sent"))
    assert records(entry)[-1].state.value == "failed"
    assert records(entry)[-1].reason


async def test_what_the_other_side_publishes_is_followed_too(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    sim2.traffic.downlink("garden", PUMP, b'{"port": 1, "payload_raw": "AQ=="}')
    await wait_for(hass, entry, "queued")
    await sim2.uplink(PUMP)
    await wait_for(hass, entry, "sent")
    assert not records(entry)[0].ours


async def test_a_key_that_may_only_read_says_so(hass: HomeAssistant, sim2: Simulator) -> None:
    sim2.set_rights("read", "settings", "devices", "messages:up:r")
    entry = await set_up(hass, make_entry(sim2, "read"))
    with pytest.raises(HomeAssistantError) as refused:
        await call(hass, entry, hex="01", f_port=1, timeout=QUICK)
    assert refused.value.translation_key in ("downlink_no_word", "downlink_publish_closed")
    assert not sim2.devices[PUMP].queue


async def test_reports_after_a_restart_are_about_the_downlinks_of_before(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    await call(hass, entry, hex="01", f_port=85, confirmed=True)
    (before,) = records(entry)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    await sim2.uplink(PUMP)
    await wait_for(hass, entry, "sent")
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    await sim2.uplink(PUMP)
    await wait_for(hass, entry, "acknowledged")
    assert [record.id for record in records(entry)] == [before.id]
