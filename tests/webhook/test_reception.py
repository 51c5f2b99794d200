"""Deliveries: what they become, which are refused, and that none is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
import json
import logging
import random
from typing import Any

from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest

from custom_components.thethingsstack.application import QUEUE_SIZE
from custom_components.thethingsstack.client import (
    ServerFailed,
    StreamConnected,
    StreamLost,
    UplinkMessage,
    parse_message,
)
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.diagnostics import async_get_config_entry_diagnostics
from custom_components.thethingsstack.webhook import WebhookDoor
from custom_components.thethingsstack.webhook.inbox import SIZE, Inbox
from custom_components.thethingsstack.webhook.refused import LIMIT, MANY, Reason, Refusals
from tests.ha_fixtures import make_entry, set_up, until
from tests.recordings import load
from tests.simulator import Simulator

from .conftest import SECRET, Listening, webhook_entry

DELIVERIES: list[dict[str, Any]] = load("webhooks/requests.json")
UPLINK = next(item["body"] for item in DELIVERIES if "uplink_message" in item["body"])
HEADERS_OF_SERVER = ("X-Downlink-Apikey", "X-Downlink-Push", "X-Downlink-Replace", "X-Tts-Domain")


def uplink(number: int, **changes: Any) -> dict[str, Any]:
    """Return the recorded uplink as another one, with a number for a value."""
    body: dict[str, Any] = json.loads(json.dumps(UPLINK))
    del body["uplink_message"]["received_at"]
    body["received_at"] = f"2026-11-23T10:{number // 60 % 60:02}:{number % 60:02}.{number:06}Z"
    body["uplink_message"] |= {"f_cnt": number, "decoded_payload": {"number": number}}
    return body | changes


def shown(hass: HomeAssistant) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return what the entities of end devices show, but not when it was shown.

    The interval is learned from the order in which uplinks come, and posts overtake each other.
    """

    def lasts(state: State) -> bool:
        return state.domain != "event" and not state.entity_id.endswith("_connection")

    return {
        state.entity_id: (
            state.state,
            {name: known for name, known in state.attributes.items() if name != "uplink_interval"},
        )
        for state in hass.states.async_all()
        if lasts(state)
    }


def counts(body: dict[str, Any]) -> bool:
    """Return whether a message counts as an uplink of the day."""
    return "uplink_message" in body and not body.get("simulated")


async def post_all(listening: Listening, deliveries: list[dict[str, Any]]) -> list[int]:
    """Post recorded deliveries one after the other, as a server without hurry does."""
    return [
        await listening.post(
            item["body"],
            headers={k: text for k, text in item["headers"].items() if k in HEADERS_OF_SERVER},
        )
        for item in deliveries
    ]


async def test_recorded_deliveries_make_the_states_of_the_mqtt_messages(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """The same again, all at once and in any order, changes nothing."""
    entry = await set_up(hass, sim, make_entry(sim, "traffic"))
    # What is known of models is there before the first message, so that it is for both.
    brands = ("dragino", "mclimate", "milesight-iot")
    await entry.runtime_data.fields.library.async_load(hass, brands)
    messages = load("mqtt/messages.json")
    for item in messages:
        sim.application_server.broker.deliver(item["topic"], json.dumps(item["payload"]).encode())
    uplinks = sum(counts(item["payload"]) for item in messages)
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == uplinks)
    await hass.async_block_till_done()
    by_mqtt = shown(hass)
    assert len(by_mqtt) >= 60
    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()

    entry = await set_up(hass, sim, webhook_entry(sim, "traffic"))
    assert len(DELIVERIES) == 90
    assert set(await post_all(listening, DELIVERIES)) == {200}
    counters = entry.runtime_data.counters
    await until(hass, lambda: counters.uplinks_today == uplinks)
    await hass.async_block_till_done()
    assert shown(hass) == by_mqtt

    known = [item for item in DELIVERIES if not item["body"].get("simulated")]
    again = random.Random(3).sample(known, len(known))
    statuses = await asyncio.gather(*(listening.post(item["body"]) for item in again))
    assert set(statuses) == {200}
    await listening.post(uplink(1))
    await until(hass, lambda: counters.uplinks_today == uplinks + 1)
    assert counters.dropped == 0


async def test_a_message_that_comes_late_does_not_overwrite_a_newer_one(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    entry = await set_up(hass, sim, webhook_entry(sim))
    times = {5: "2026-11-23T10:05:00Z", 4: "2026-11-23T10:04:00Z"}
    for number, time in times.items():
        body = uplink(number)
        body["uplink_message"]["received_at"] = time
        assert await listening.post(body) == 200
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 2)
    device = entry.runtime_data.roster.by_device_id("greenhouse-climate")
    assert device is not None
    assert device.values["number"] == 5


async def test_what_was_missed_is_named_before_the_delivery_that_ends_it(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """It begins with the last message before, though the next is accepted before it is reported."""
    door = WebhookDoor(hass, webhook_entry(sim), lambda moment: moment)
    door.report(None)
    async with aclosing(door.stream()) as stream:
        assert await anext(stream) == StreamConnected(gap=None)
        assert await listening.post(uplink(1)) == 200
        before = await anext(stream)
        assert isinstance(before, UplinkMessage)
        assert before.received_at is not None
        door.report(ServerFailed("deliveries fail", name="webhook_failing"))
        assert isinstance(await anext(stream), StreamLost)
        assert await listening.post(uplink(3)) == 200
        door.report(None)
        assert await anext(stream) == StreamConnected(gap=before.received_at)
        after = await anext(stream)
        assert isinstance(after, UplinkMessage)
        assert after.f_cnt == 3


async def endless() -> AsyncIterator[bytes]:
    """Yield more than is read of a delivery."""
    for _ in range(40):
        yield b" " * 2**15


async def test_what_is_refused_is_counted_and_nothing_else(
    hass: HomeAssistant,
    sim: Simulator,
    listening: Listening,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No device, no entity, no line in the log: 401, 403, 405, 413, 400."""
    entry = await set_up(hass, sim, webhook_entry(sim))
    devices, entities = len(dr.async_get(hass).devices), len(hass.states.async_all())
    foreign = uplink(1)
    foreign["end_device_ids"]["application_ids"]["application_id"] = "neighbour"
    with caplog.at_level(logging.INFO):
        caplog.clear()
        answers = {
            "no secret": await listening.post(UPLINK, secret=None),
            "wrong secret": await listening.post(UPLINK, secret=SECRET + "x"),
            "odd secret": await listening.post(UPLINK, secret="\xe4\xf6"),
            "application": await listening.post(foreign),
            "network": await listening.post(
                UPLINK, headers={"X-Tts-Domain": "nam1.cloud.thethings.network"}
            ),
            "size": await listening.post(data=b" " * (2**20 + 1)),
            "size that is not announced": await listening.post(data=endless()),
            "no json": await listening.post(data=b"{"),
            "no object": await listening.post([]),
            "no message": await listening.post({"end_device_ids": {"device_id": "x"}}),
            "no device": await listening.post({"uplink_message": {}}),
            "get": await listening.post(method="GET"),
            "put": await listening.post(UPLINK, method="PUT"),
            "head": await listening.post(method="HEAD"),
            "delete": await listening.post(method="DELETE"),
        }
        await hass.async_block_till_done()
    assert answers == {
        "no secret": 401,
        "wrong secret": 401,
        "odd secret": 401,
        "application": 403,
        "network": 403,
        "size": 413,
        "size that is not announced": 413,
        "no json": 400,
        "no object": 400,
        "no message": 400,
        "no device": 400,
        "get": 405,
        "put": 405,
        "head": 405,
        "delete": 405,
    }
    logged = ("custom_components", "homeassistant.components.webhook", "homeassistant.util")
    assert [record for record in caplog.records if record.name.startswith(logged)] == []
    assert (len(dr.async_get(hass).devices), len(hass.states.async_all())) == (devices, entities)
    found = await async_get_config_entry_diagnostics(hass, entry)
    assert found["webhook"]["refused"] == {
        "wrong_method": 3,  # of DELETE, Home Assistant's web server takes care
        "wrong_secret": 3,
        "other_application": 2,
        "too_large": 2,
        "unreadable": 4,
        "too_many": 0,
        "not_ready": 0,
    }
    assert SECRET not in json.dumps(found, default=str)
    assert await listening.post(UPLINK) == 200


async def test_a_message_of_another_tenant_is_refused(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    await set_up(hass, sim, webhook_entry(sim, tenant_id="ours"))
    for tenant, status in (("theirs", 403), ("ours", 200)):
        body = uplink(1)
        body["uplink_message"]["network_ids"] = {"net_id": "000013", "tenant_id": tenant}
        assert await listening.post(body) == status


async def test_a_time_far_ahead_hides_no_gap(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """Neither a gap that follows nor a failure that the server reports."""
    entry = await set_up(hass, sim, webhook_entry(sim))
    body = uplink(1, received_at="2999-01-01T00:00:00Z")
    assert await listening.post(body, headers={"X-Tts-Domain": "["}) == 200
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    door = entry.runtime_data.door
    assert isinstance(door, WebhookDoor)
    assert door.reception.last_received_at <= entry.runtime_data.stack.server_time()

    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    door = WebhookDoor(hass, entry, lambda moment: min(moment, now))
    door.report(None)
    async with aclosing(door.stream()) as stream:
        assert isinstance(await anext(stream), StreamConnected)
        assert await listening.post(body) == 200
        assert isinstance(await anext(stream), UplinkMessage)
        door.report(ServerFailed("deliveries fail", name="webhook_failing"))
        assert isinstance(await anext(stream), StreamLost)
        door.report(None)
        assert await anext(stream) == StreamConnected(gap=now)


async def test_messages_of_ten_seconds_wait_though_none_is_processed() -> None:
    """1,000 a second, of the recorded size; they come out as they went in."""
    inbox = Inbox(SIZE, lambda moment: moment)
    bodies = [json.dumps(uplink(number)).encode() for number in range(10_000)]
    assert all(inbox.put(parse_message(None, body), len(body)) for body in bodies)
    for number, body in enumerate(bodies):
        message = await inbox.get()
        assert isinstance(message, UplinkMessage)
        assert message.f_cnt == number
        assert message == parse_message(None, body)


async def test_floods_are_limited_and_many_refusals_are_an_issue(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """Deliveries with the secret are still taken."""
    entry = await set_up(hass, sim, webhook_entry(sim))
    statuses = [await listening.post(UPLINK, secret="guess") for _ in range(LIMIT + 5)]
    assert statuses == [401] * LIMIT + [429] * 5
    assert await listening.post(UPLINK) == 200
    (issue,) = [i for i in ir.async_get(hass).issues.values() if i.domain == DOMAIN]
    assert issue.translation_key == "webhook_refused_secret"
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["count"] == str(MANY)
    assert entry.runtime_data.counters.errors == 0


def test_refusals_are_forgiven_with_time() -> None:
    now = 0.0
    refusals = Refusals(lambda: now)
    for _ in range(LIMIT):
        refusals.count(Reason.SECRET)
    assert (refusals.too_many, refusals.many) == (True, True)
    now = 61.0
    assert (refusals.too_many, refusals.many) == (False, True)
    now = 3601.0
    assert (refusals.too_many, refusals.many) == (False, False)
    assert refusals.counts[Reason.SECRET] == LIMIT


async def test_a_burst_is_processed_in_turns_and_none_is_lost(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """Others get their turn after a few messages at most, however many wait."""
    entry = await set_up(hass, sim, webhook_entry(sim))
    coordinator = entry.runtime_data
    inbox_turns: list[int] = []

    async def watch() -> None:
        while coordinator.counters.uplinks_today < 1_200:
            before = coordinator.counters.uplinks_today
            await asyncio.sleep(0)
            inbox_turns.append(coordinator.counters.uplinks_today - before)

    watching = hass.async_create_background_task(watch(), "watch")
    limit = asyncio.Semaphore(50)

    async def post(number: int) -> int:
        async with limit:
            return await listening.post(uplink(number))

    statuses = await asyncio.gather(*map(post, range(1_200)))
    assert set(statuses) == {200}
    await until(hass, watching.done)
    assert max(inbox_turns) <= 8
    assert (coordinator.counters.dropped, coordinator.counters.errors) == (0, 0)


async def test_what_does_not_fit_is_refused_and_caught_up(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """The server sees the failure, and the gap is known."""
    hass.data[QUEUE_SIZE] = 3
    entry = await set_up(hass, sim, webhook_entry(sim))
    statuses = await asyncio.gather(*(listening.post(uplink(number)) for number in range(60)))
    lost = statuses.count(429)
    assert set(statuses) <= {200, 429}
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 60 - lost)
    await until(hass, lambda: entry.runtime_data.counters.dropped == lost)


async def test_while_not_set_up_deliveries_are_refused(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """Home Assistant itself would answer 200, and the server would take them for delivered."""
    entry = await set_up(hass, sim, webhook_entry(sim))
    await hass.config_entries.async_unload(entry.entry_id)
    assert await listening.post(UPLINK) == 503
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    assert await listening.post(UPLINK) == 200
