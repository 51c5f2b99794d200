"""Messages read from the event stream."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.simulator import Simulator
from thethingsstack import (
    AuthenticationFailed,
    Downlink,
    DownlinkReport,
    Event,
    InvalidRequest,
    Message,
    MessagesDropped,
    MissingRight,
    NotFound,
    Stack,
    StackError,
    StreamConnected,
    StreamItem,
    StreamLost,
    UnreadableMessage,
    parse_message,
)
from thethingsstack.downlink_events import DROPPED, RECEIVED, DownlinkEvents
from thethingsstack.message_events import MESSAGE_EVENTS, message_of, past_uplinks
from thethingsstack.messages import DownlinkFailed, DownlinkQueued, UplinkMessage

from .conftest import MakeStack, Sleeps, recorded

MESSAGES = recorded("mqtt/messages.json")
EVENTS = recorded("events/day.json")


def events_of(recording: Any, *names: str) -> Iterator[Mapping[str, Any]]:
    """Yield the events of a recording, however it holds them."""
    for item in recording:
        event = item.get("result", item)
        if event.get("name") in names:
            yield event


def identity(message: Message) -> tuple[Any, ...]:
    """Return what tells a message from all others, with what it says."""
    return (type(message).__name__, message.ids, message.identity)


async def following(items: AsyncGenerator[StreamItem]) -> StreamItem:
    """Return the next item."""
    return await asyncio.wait_for(anext(items), 60)


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    """A client that may read messages."""
    return make_stack("read")


def test_recorded_events_carry_the_messages_that_mqtt_brought() -> None:
    over_mqtt = {identity(parse_message(m["topic"], m["payload"])) for m in MESSAGES}
    over_events = [
        identity(message_of(Event.from_json(event))) for event in events_of(EVENTS, *MESSAGE_EVENTS)
    ]
    assert len(over_events) > 40
    assert set(over_events) <= over_mqtt
    kinds = {kind for kind, _, _ in over_events}
    assert {"UplinkMessage", "JoinAccept", "LocationSolved"} <= kinds


async def test_recorded_events_about_the_queue_become_the_reports_that_mqtt_brought() -> None:
    """Which downlinks were queued and which failed, with port, bytes and error."""

    def read(report: DownlinkReport) -> tuple[Any, ...]:
        server_id = next(n for n in report.downlink_correlation_ids if n.startswith("as:downlink:"))
        error = report.error.name if report.error else None
        own = {name for name in report.downlink_correlation_ids if name.startswith("ha:")}
        return (report.ids.device_id, report.state, server_id, report.f_port, error, *own)

    reports: list[Message] = []
    downlinks = DownlinkEvents(reports.append, grace=60)
    for event in events_of(EVENTS, RECEIVED, DROPPED, *MESSAGE_EVENTS):
        if event["name"] in (RECEIVED, DROPPED):
            downlinks.take(Event.from_json(event))
        elif isinstance(message := message_of(Event.from_json(event)), DownlinkReport):
            downlinks.before(message)
    downlinks.close()
    over_mqtt = [parse_message(m["topic"], m["payload"]) for m in MESSAGES]
    expected = [
        read(message)
        for message in over_mqtt
        if isinstance(message, DownlinkQueued | DownlinkFailed)
    ]
    found = [read(report) for report in reports if isinstance(report, DownlinkReport)]
    assert len(found) == 16
    assert sorted(found, key=str) == sorted(expected, key=str)


async def test_the_stream_over_events_is_like_the_one_over_mqtt(
    simulator: Simulator, stack: Stack
) -> None:
    async with aclosing(stack.message_events.stream()) as events, aclosing(stack.stream()) as mqtt:
        assert isinstance(await following(events), StreamConnected)
        assert isinstance(await following(mqtt), StreamConnected)
        await simulator.uplink("weather-station")
        await simulator.join("lpp-node")
        for _ in range(2):
            one, other = await following(events), await following(mqtt)
            assert isinstance(one, Message)
            assert isinstance(other, Message)
            assert identity(one) == identity(other)


async def test_the_fate_of_downlinks(simulator: Simulator, make_stack: MakeStack) -> None:
    stack = make_stack("control")

    def told(item: StreamItem) -> tuple[str, str | None]:
        assert isinstance(item, DownlinkReport)
        assert "ha:1" in item.downlink_correlation_ids
        return item.state, item.error.name if item.error else None

    def downlink(payload: bytes, *, confirmed: bool = False) -> Downlink:
        names, attempts = ("ha:1",), 1 if confirmed else None
        return Downlink(
            f_port=5,
            payload=payload,
            confirmed=confirmed,
            max_attempts=attempts,
            correlation_ids=names,
        )

    simulator.devices["bath-radiator"].acknowledges = False
    async with aclosing(stack.message_events.stream()) as items:
        await following(items)
        with pytest.raises(StackError):
            await stack.downlinks.push("bath-radiator", [downlink(bytes(250))])
        assert told(await following(items)) == ("failed", "application_downlink_too_long")
        await stack.downlinks.push("bath-radiator", [downlink(b"\x01", confirmed=True)])
        assert told(await following(items)) == ("queued", None)
        states = []
        while ("failed", "max_retries_reached") not in states:
            await simulator.uplink("bath-radiator", f_port=2, payload=b"\x01")
            while not isinstance(item := await following(items), UplinkMessage):
                states.append(told(item))
    assert ("sent", None) in states
    assert ("nack", None) in states


async def test_a_lost_stream_is_said_once_and_what_was_missed_is_told(
    simulator: Simulator, stack: Stack
) -> None:
    async with aclosing(stack.message_events.stream()) as items:
        await following(items)
        await simulator.uplink("weather-station")
        before = await following(items)
        assert isinstance(before, Message)
        simulator.faults.http_down = True
        simulator.events.close()
        missed = await simulator.uplink("lpp-node")
        assert isinstance(await following(items), StreamLost)
        simulator.faults.http_down = False
        assert await following(items) == StreamConnected(gap=before.received_at)
        message = await following(items)
        assert isinstance(message, Message)
        assert identity(message) == identity(parse_message(None, missed))


async def test_a_connection_that_ends_and_is_made_again_at_once_is_a_gap_and_no_loss(
    simulator: Simulator, stack: Stack
) -> None:
    simulator.events.history = False
    async with aclosing(stack.message_events.stream()) as items:
        assert await following(items) == StreamConnected(gap=None)
        simulator.events.close()
        first = await following(items)
        assert isinstance(first, StreamConnected)
        assert first.gap is not None, "what came since the first connection may be missing"
        await simulator.uplink("weather-station")
        message = await following(items)
        assert isinstance(message, Message)
        stack.message_events.reconnect()
        assert await following(items) == StreamConnected(gap=message.received_at)
        stack.message_events.reconnect()
        second = await following(items)
        assert isinstance(second, StreamConnected)
        assert second.gap is not None
        assert second.gap > first.gap, "the gap before has been told"


async def test_what_was_sent_since_a_time_comes_first(simulator: Simulator, stack: Stack) -> None:
    """As for a client that received messages another way until then."""
    since = simulator.stack.now()
    sent = await simulator.uplink("weather-station")
    async with aclosing(stack.message_events.stream(since=since)) as items:
        assert await following(items) == StreamConnected(gap=since)
        message = await following(items)
        assert isinstance(message, Message)
        assert identity(message) == identity(parse_message(None, sent))


async def test_messages_that_come_too_fast_are_counted(
    simulator: Simulator, make_stack: MakeStack, caplog: pytest.LogCaptureFixture
) -> None:
    stack = make_stack(queue_size=3)
    async with aclosing(stack.message_events.stream()) as items:
        await following(items)
        for _ in range(20):
            await simulator.uplink("lpp-node", decoded={"temperature_1": 1})
        taken: list[StreamItem] = []
        while not isinstance(item := await following(items), MessagesDropped):
            taken.append(item)
            await simulator.uplink("lpp-node", decoded={"temperature_1": 1})
        assert isinstance(taken[-1], Message)
        assert item.gap == taken[-1].received_at
        assert item.count == stack.message_events.dropped > 0
    assert caplog.text.count("faster than they were taken") == 1


async def test_an_event_without_a_message_breaks_nothing(
    simulator: Simulator, stack: Stack
) -> None:
    async with aclosing(stack.message_events.stream()) as items:
        await following(items)
        device = simulator.devices["lpp-node"]
        simulator.events.message(device, "up", {"end_device_ids": "odd"})
        simulator.events.dropped(device, {}, ["rpc:unknown"])
        simulator.events.received(device, {}, [])
        await simulator.uplink("lpp-node")
        assert isinstance(await following(items), UnreadableMessage)
        assert isinstance(await following(items), UplinkMessage)


async def test_past_uplinks_end(simulator: Simulator, stack: Stack) -> None:
    """With silence, with a newer event, or at once where no history is kept."""
    after = datetime.now(UTC)
    for number in range(3):
        await simulator.uplink("weather-station", decoded={"number": number})
    await simulator.join("weather-station")

    async def numbers() -> list[object]:
        uplinks = past_uplinks(stack.events, application_id="garden", after=after, quiet=2)
        return [
            uplink.decoded_payload and uplink.decoded_payload["number"] async for uplink in uplinks
        ]

    assert await numbers() == [0, 1, 2]

    uplinks = past_uplinks(stack.events, application_id="garden", after=after, quiet=60)
    async with aclosing(uplinks):
        found = [await asyncio.wait_for(anext(uplinks), 60) for _ in range(3)]
        await simulator.uplink("weather-station", decoded={"number": 3})
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(uplinks), 60)
    assert len(found) == 3

    simulator.events.history = False
    assert await numbers() == []


async def test_past_uplinks_need_the_right(make_stack: MakeStack) -> None:
    uplinks = past_uplinks(
        make_stack("deleted").events, application_id="garden", after=datetime.now(UTC)
    )
    with pytest.raises(AuthenticationFailed):
        await anext(uplinks)


async def test_a_key_that_may_not_read(simulator: Simulator, make_stack: MakeStack) -> None:
    for role, error in (("info", MissingRight), ("wrong", AuthenticationFailed)):
        stack = make_stack(role)
        with pytest.raises(error):
            await stack.message_events.check()
        with pytest.raises(error):
            await anext(stack.message_events.stream())


async def test_a_right_that_is_taken_and_given_back(simulator: Simulator, stack: Stack) -> None:
    async with aclosing(stack.message_events.stream()) as items:
        await following(items)
        simulator.remove_rights("read", "TRAFFIC_READ")
        stack.message_events.reconnect()
        with pytest.raises(MissingRight):
            await following(items)
    simulator.add_rights("read", "RIGHT_APPLICATION_TRAFFIC_READ")
    async with aclosing(stack.message_events.stream()) as items:
        again = await following(items)
        assert isinstance(again, StreamConnected)
        assert again.gap is not None


async def test_a_server_without_event_stream_is_asked_again(
    simulator: Simulator, stack: Stack, sleeps: Sleeps
) -> None:
    await stack.message_events.check()
    simulator.faults.http_status["/events"] = 404
    with pytest.raises(NotFound):
        await stack.message_events.check()
    async with aclosing(stack.message_events.stream()) as items:
        lost = await following(items)
        assert isinstance(lost, StreamLost)
        assert isinstance(lost.error, NotFound)
        simulator.faults.http_status.clear()
        assert isinstance(await following(items), StreamConnected)
    assert 120.0 in sleeps


async def test_without_an_application_there_is_no_stream(make_stack: MakeStack) -> None:
    stack = make_stack(connection={"application_id": None})
    with pytest.raises(InvalidRequest):
        await stack.message_events.check()
