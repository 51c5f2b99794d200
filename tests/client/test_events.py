"""The event stream over HTTP."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from tests.simulator import Simulator
from thethingsstack import (
    REGISTRY_EVENTS,
    AuthenticationFailed,
    Event,
    EventsConnected,
    EventsLost,
    InvalidRequest,
    MissingRight,
    NotFound,
    Stack,
)
from thethingsstack.events import EventItem

from .conftest import MakeStack


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    """A client that may read events."""
    return make_stack("read")


async def following(items: AsyncGenerator[EventItem]) -> EventItem:
    """Return the next item."""
    return await asyncio.wait_for(anext(items), 5)


async def test_registry_events(simulator: Simulator, stack: Stack) -> None:
    async with aclosing(stack.events.stream(REGISTRY_EVENTS, host="identity")) as items:
        assert await following(items) == EventsConnected(history=True)
        simulator.add_device("new-one", name="New one")
        simulator.update_device("new-one", name="Renamed")
        simulator.remove_device("new-one")
        found = [await following(items) for _ in range(3)]
    events = [item for item in found if isinstance(item, Event)]
    assert [event.name for event in events] == [
        "end_device.create",
        "end_device.update",
        "end_device.delete",
    ]
    assert {event.devices[0].device_id for event in events} == {"new-one"}
    assert events[0].devices[0].dev_eui is not None
    assert events[1].data == ["name"]


async def test_cluster_has_its_own_events(simulator: Simulator, stack: Stack) -> None:
    async with aclosing(stack.events.stream()) as items:
        await following(items)
        simulator.update_device("lpp-node", name="Renamed")
        await simulator.uplink("lpp-node")
        event = await following(items)
    assert isinstance(event, Event)
    assert event.name == "as.up.data.forward"
    assert event.data["uplink_message"]["f_port"] == 1


async def test_failing_formatter_is_told(simulator: Simulator, stack: Stack) -> None:
    names = ["as.up.data.decode.fail"]
    async with aclosing(stack.events.stream(names, device_ids=["lpp-node"])) as items:
        await following(items)
        await simulator.uplink("lpp-node", payload=b"\x01", f_port=1)
        event = await following(items)
    assert isinstance(event, Event)
    assert event.data["attributes"] == {"errors": "invalid length"}


async def test_gap_is_bridged(simulator: Simulator, stack: Stack) -> None:
    async with aclosing(stack.events.stream(REGISTRY_EVENTS, host="identity")) as items:
        await following(items)
        simulator.update_device("lpp-node", name="First")
        await following(items)
        simulator.events.close()
        simulator.update_device("lpp-node", name="Second")
        found = [await following(items) for _ in range(3)]
    assert isinstance(found[0], EventsLost)
    assert found[1] == EventsConnected(history=True)
    assert isinstance(found[2], Event)
    assert found[2].data == ["name"]


async def test_history_that_is_not_kept(simulator: Simulator, stack: Stack) -> None:
    simulator.events.history = False
    async with aclosing(stack.events.stream(tail=10)) as items:
        assert await following(items) == EventsConnected(history=False)


async def test_tail(simulator: Simulator, stack: Stack) -> None:
    for name in ("One", "Two", "Three"):
        simulator.update_device("lpp-node", name=name)
    async with aclosing(stack.events.stream(tail=2, host="identity")) as items:
        await following(items)
        assert [type(await following(items)) for _ in range(2)] == [Event, Event]


async def test_unreachable_server_is_tried_again(simulator: Simulator, stack: Stack) -> None:
    simulator.faults.http_down = True
    async with aclosing(stack.events.stream()) as items:
        assert isinstance(await following(items), EventsLost)
        simulator.faults.http_down = False
        while isinstance(item := await following(items), EventsLost):
            pass
        assert isinstance(item, EventsConnected)


async def test_silence(simulator: Simulator, stack: Stack) -> None:
    """There is no heartbeat: after a while the connection is made anew."""
    async with aclosing(stack.events.stream(idle=0.05)) as items:
        await following(items)
        assert isinstance(await following(items), EventsLost)
        assert isinstance(await following(items), EventsConnected)


async def test_refusals(simulator: Simulator, make_stack: MakeStack) -> None:
    for role, error in (("wrong", AuthenticationFailed), ("other", MissingRight)):
        with pytest.raises(error):
            await anext(make_stack(role).events.stream())
    with pytest.raises(InvalidRequest) as caught:
        await anext(make_stack("read").events.stream(["no.such"]))
    assert caught.value.name == "unknown_event_name"
    simulator.faults.http_status["/events"] = 404
    with pytest.raises(NotFound):
        await anext(make_stack("read").events.stream())


async def test_rights_filter_events(simulator: Simulator, make_stack: MakeStack) -> None:
    async with aclosing(make_stack("traffic").events.stream(host="identity")) as items:
        await following(items)
        simulator.update_device("lpp-node", name="Secret")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(items), 0.1)
