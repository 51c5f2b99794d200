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
    Event,
    Message,
    Stack,
    StreamConnected,
    StreamLost,
    UnreadableMessage,
    parse_message,
)
from thethingsstack.message_events import MESSAGE_EVENTS, message_of, past_uplinks, stream_messages
from thethingsstack.stream import StreamItem

from .conftest import MakeStack, recorded

MESSAGES = recorded("mqtt/messages.json")
EVENTS = recorded("events/day.json")


def events_of(recording: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the events of a recording, however it holds them."""
    for item in recording:
        event = item.get("result", item)
        if event.get("name") in MESSAGE_EVENTS:
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
    over_events = [identity(message_of(Event.from_json(event))) for event in events_of(EVENTS)]
    assert len(over_events) > 40
    assert set(over_events) <= over_mqtt
    kinds = {kind for kind, _, _ in over_events}
    assert {"UplinkMessage", "JoinAccept", "LocationSolved"} <= kinds


async def test_the_stream_over_events_is_like_the_one_over_mqtt(
    simulator: Simulator, stack: Stack
) -> None:
    async with (
        aclosing(stream_messages(stack.events, application_id="garden")) as events,
        aclosing(stack.stream()) as mqtt,
    ):
        assert isinstance(await following(events), StreamConnected)
        assert isinstance(await following(mqtt), StreamConnected)
        await simulator.uplink("weather-station")
        await simulator.join("lpp-node")
        for _ in range(2):
            one, other = await following(events), await following(mqtt)
            assert isinstance(one, Message)
            assert isinstance(other, Message)
            assert identity(one) == identity(other)


async def test_a_lost_stream_is_said_once_and_what_was_missed_is_told(
    simulator: Simulator, stack: Stack
) -> None:
    async with aclosing(stream_messages(stack.events, application_id="garden")) as items:
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


async def test_an_event_without_a_message_breaks_nothing(
    simulator: Simulator, stack: Stack
) -> None:
    async with aclosing(stream_messages(stack.events, application_id="garden")) as items:
        await following(items)
        device = simulator.devices["lpp-node"]
        simulator.events.message(device, "up", {"end_device_ids": "odd"})
        await simulator.uplink("lpp-node")
        assert isinstance(await following(items), UnreadableMessage)
        assert isinstance(await following(items), Message)


async def test_past_uplinks_end(simulator: Simulator, stack: Stack) -> None:
    """With silence, with a newer event, or at once where no history is kept."""
    after = datetime.now(UTC)
    for number in range(3):
        await simulator.uplink("weather-station", decoded={"number": number})
    await simulator.join("weather-station")

    async def numbers() -> list[object]:
        uplinks = past_uplinks(stack.events, application_id="garden", after=after, quiet=0.5)
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
