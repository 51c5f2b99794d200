"""The stream: messages, interruptions, floods."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
import logging
from typing import Any

import orjson
import pytest

from tests.simulator import Simulator
from thethingsstack import (
    AuthenticationFailed,
    ConnectionFailed,
    InvalidRequest,
    JoinAccept,
    MessagesDropped,
    MissingRight,
    MqttRefused,
    NormalizedUplink,
    ServerFailed,
    StreamConnected,
    StreamLost,
    UnreadableMessage,
    UplinkMessage,
    tls_context,
)
from thethingsstack.inbox import Inbox

from .conftest import MakeStack, Sleeps


async def test_messages_come_typed(simulator: Simulator, make_stack: MakeStack) -> None:
    stack = make_stack()
    async with aclosing(stack.stream()) as stream:
        assert await anext(stream) == StreamConnected(gap=None)
        assert stack.connected
        assert stack.connected_at is not None
        sent = await simulator.uplink("weather-station", decoded={"temperature": 20.5})
        message = await anext(stream)
        assert isinstance(message, UplinkMessage)
        assert message.raw == sent
        assert message.decoded_payload == {"temperature": 20.5}
        await simulator.join("weather-station")
        assert isinstance(await anext(stream), JoinAccept)
        await simulator.normalized("bath-radiator", {"air": {"temperature": 20}})
        assert isinstance(await anext(stream), NormalizedUplink)
    await simulator.wait_disconnected()
    assert stack.connected is False


async def test_a_key_that_may_not_read(simulator: Simulator, make_stack: MakeStack) -> None:
    """The MQTT server would connect it, and never send anything."""
    stack = make_stack("read")
    simulator.remove_rights("read", "TRAFFIC_READ")
    async with aclosing(stack.stream()) as stream:
        with pytest.raises(MissingRight) as raised:
            await anext(stream)
    assert raised.value.rights == ("RIGHT_APPLICATION_TRAFFIC_READ",)
    assert not stack.connected
    with pytest.raises(MissingRight):
        await stack.check_mqtt()


async def test_rights_that_can_not_be_read(simulator: Simulator, make_stack: MakeStack) -> None:
    """Then the MQTT server decides, as when only that can be reached."""
    address = {"mqtt_host": "127.0.0.1", "mqtt_port": simulator.mqtt_port}
    stack = make_stack(connection=address)
    simulator.faults.http_down = True
    async with aclosing(stack.stream()) as stream:
        assert await anext(stream) == StreamConnected(gap=None)


async def test_right_that_comes_back(simulator: Simulator, make_stack: MakeStack) -> None:
    """The server keeps the rights that the key had when it connected."""
    stack = make_stack("read")
    async with aclosing(stack.stream()) as stream:
        await anext(stream)
        simulator.remove_rights("read", "TRAFFIC_READ")
        await simulator.drop_connections()
        assert isinstance(await anext(stream), StreamLost)
        with pytest.raises(MissingRight):
            await anext(stream)
    simulator.add_rights("read", "TRAFFIC_READ")
    async with aclosing(stack.stream()) as stream:
        assert isinstance(await anext(stream), StreamConnected)
        await simulator.uplink("weather-station")
        assert isinstance(await anext(stream), UplinkMessage)


async def test_connecting_anew(simulator: Simulator, make_stack: MakeStack) -> None:
    """Another connection, at once; nothing is said to be lost."""
    stack = make_stack("read")
    stack.reconnect()  # nothing runs
    async with aclosing(stack.stream()) as stream:
        await anext(stream)
        await simulator.uplink("weather-station")
        message = await anext(stream)
        assert isinstance(message, UplinkMessage)
        stack.reconnect()
        assert await anext(stream) == StreamConnected(gap=message.received_at)
        await simulator.uplink("weather-station")
        assert isinstance(await anext(stream), UplinkMessage)


async def test_connecting_anew_ends_the_wait(simulator: Simulator, make_stack: MakeStack) -> None:
    async def for_ever(_seconds: float) -> None:
        await asyncio.Event().wait()

    stack = make_stack("read", sleep=for_ever)
    async with aclosing(stack.stream()) as stream:
        await anext(stream)
        with simulator.faults.during(mqtt_refuse=3):
            await simulator.drop_connections()
            assert isinstance(await anext(stream), StreamLost)
            waiting = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0)
        stack.reconnect()
        assert isinstance(await waiting, StreamConnected)


async def test_tls(simulator: Simulator, make_stack: MakeStack) -> None:
    stack = make_stack(connection={"mqtt_tls": True}, tls_context=tls_context(simulator.ca_pem))
    async with aclosing(stack.stream()) as stream:
        assert await anext(stream) == StreamConnected(gap=None)


async def test_plain_server_means_plain_mqtt(simulator: Simulator, make_stack: MakeStack) -> None:
    """Nobody has to say it twice."""
    async with aclosing(make_stack(connection={"mqtt_tls": None}).stream()) as stream:
        assert await anext(stream) == StreamConnected(gap=None)
    assert simulator.server_url.startswith("http://")


async def test_system_roots_without_a_context(simulator: Simulator, make_stack: MakeStack) -> None:
    stack = make_stack(connection={"mqtt_tls": True})
    async with aclosing(stack.stream()) as stream:
        item = await anext(stream)
    assert isinstance(item, StreamLost)
    assert item.error.name == "certificate_verify_failed"


async def test_interruption(simulator: Simulator, make_stack: MakeStack) -> None:
    stack = make_stack()
    async with aclosing(stack.stream()) as stream:
        await anext(stream)
        await simulator.uplink("weather-station")
        message = await anext(stream)
        assert isinstance(message, UplinkMessage)
        await simulator.drop_connections()
        lost = await anext(stream)
        assert isinstance(lost, StreamLost)
        assert lost.error.name == "connection_lost"
        assert not stack.connected
        back = await anext(stream)
        assert back == StreamConnected(gap=message.received_at)
        await simulator.uplink("weather-station")
        assert isinstance(await anext(stream), UplinkMessage)


async def test_gap_where_nothing_had_come(simulator: Simulator, make_stack: MakeStack) -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    stack = make_stack(clock=lambda: start)
    async with aclosing(stack.stream()) as stream:
        await anext(stream)
        await simulator.drop_connections()
        assert isinstance(await anext(stream), StreamLost)
        assert await anext(stream) == StreamConnected(gap=start)


async def test_loss_is_told_once_and_trying_slows_down(
    simulator: Simulator, make_stack: MakeStack, sleeps: Sleeps
) -> None:
    simulator.faults.mqtt_close = True
    enough = asyncio.Event()

    async def counted(seconds: float) -> None:
        await sleeps(seconds)
        if len(sleeps) == 10:
            simulator.faults.mqtt_close = False
            enough.set()

    async with aclosing(make_stack(sleep=counted).stream()) as stream:
        lost = await anext(stream)
        assert isinstance(lost, StreamLost)
        assert isinstance(await anext(stream), StreamConnected)
        assert enough.is_set()
    assert sleeps == [1, 2, 4, 8, 16, 32, 64, 120, 120, 120]


async def test_waiting_is_jittered(
    simulator: Simulator, make_stack: MakeStack, sleeps: Sleeps
) -> None:
    stack = make_stack(random=lambda: 0.25)
    async with aclosing(stack.stream()) as stream:
        for _ in range(2):
            assert isinstance(await anext(stream), StreamConnected)
            await simulator.drop_connections()
            assert isinstance(await anext(stream), StreamLost)
    assert sleeps == [0.25]


@pytest.mark.parametrize(("lived", "waits"), [(10, [1, 2, 4]), (3600, [1, 1, 1])])
async def test_a_connection_that_held_starts_afresh(
    simulator: Simulator, make_stack: MakeStack, sleeps: Sleeps, lived: int, waits: list[float]
) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    stack = make_stack(clock=lambda: now)
    async with aclosing(stack.stream()) as stream:
        for _ in range(3):
            assert isinstance(await anext(stream), StreamConnected)
            now += timedelta(seconds=lived)
            await simulator.drop_connections()
            assert isinstance(await anext(stream), StreamLost)
        await anext(stream)
    assert sleeps == waits


async def test_refused_key_ends_the_stream(simulator: Simulator, make_stack: MakeStack) -> None:
    stack = make_stack()
    async with aclosing(stack.stream()) as stream:
        await anext(stream)
        simulator.revoke("read")
        await simulator.uplink("weather-station")
        assert isinstance(await anext(stream), UplinkMessage)  # open sessions go on
        await simulator.drop_connections()
        assert isinstance(await anext(stream), StreamLost)
        with pytest.raises(AuthenticationFailed) as raised:
            await anext(stream)
    assert raised.value.name == "api_key_not_found"
    assert not stack.connected


async def test_refused_at_the_start(make_stack: MakeStack) -> None:
    async with aclosing(make_stack("wrong").stream()) as stream:
        with pytest.raises(AuthenticationFailed) as raised:
            await anext(stream)
    assert raised.value.name == "invalid_authorization"


async def test_key_of_another_application(simulator: Simulator, make_stack: MakeStack) -> None:
    async with aclosing(make_stack("other").stream()) as stream:
        with pytest.raises(AuthenticationFailed) as raised:
            await anext(stream)
    assert raised.value.name == "no_application_rights"


async def test_refusal_that_http_contradicts(simulator: Simulator, make_stack: MakeStack) -> None:
    simulator.faults.mqtt_refuse = 5
    async with aclosing(make_stack().stream()) as stream:
        lost = await anext(stream)
        assert isinstance(lost, StreamLost)
        assert isinstance(lost.error, MqttRefused)
        simulator.faults.mqtt_refuse = None
        assert isinstance(await anext(stream), StreamConnected)


async def test_refusal_that_can_not_be_confirmed(
    simulator: Simulator, make_stack: MakeStack, sleeps: Sleeps
) -> None:
    stack = make_stack()
    async with aclosing(stack.stream()) as stream:
        await anext(stream)
        simulator.revoke("read")
        simulator.faults.http_down = True
        await simulator.drop_connections()
        assert isinstance(await anext(stream), StreamLost)
        asking = asyncio.ensure_future(anext(stream))
        await sleeps.reach(5)
        assert not asking.done()  # goes on trying
        simulator.faults.http_down = False
        with pytest.raises(AuthenticationFailed):
            await asking


@pytest.mark.parametrize("path", ["/as/applications/garden/mqtt-connection-info"])
async def test_server_without_an_answer_at_the_start(
    simulator: Simulator, make_stack: MakeStack, path: str
) -> None:
    simulator.faults.http_status[path] = 503
    async with aclosing(make_stack().stream()) as stream:
        lost = await anext(stream)
        assert isinstance(lost, StreamLost)
        assert isinstance(lost.error, ServerFailed)
        simulator.faults.http_status.clear()
        assert isinstance(await anext(stream), StreamConnected)


async def test_without_an_application(make_stack: MakeStack) -> None:
    async with aclosing(make_stack(connection={"application_id": None}).stream()) as stream:
        with pytest.raises(InvalidRequest):
            await anext(stream)


async def test_bad_messages_break_nothing(simulator: Simulator, make_stack: MakeStack) -> None:
    topic = "v3/garden/devices/weather-station/up"
    foreign: dict[str, Any] = {
        "end_device_ids": {
            "device_id": "weather-station",
            "application_ids": {"application_id": "other"},
        },
        "uplink_message": {},
    }
    async with aclosing(make_stack().stream()) as stream:
        await anext(stream)
        for payload, name in (
            (b"{", "invalid_json"),
            (b"", "invalid_json"),
            (b'{"uplink_message": {}}', "no_device_id"),
            (b'{"something_new": {}}', "no_message_kind"),
            (orjson.dumps(foreign), "other_application"),
        ):
            await simulator.publish(topic, payload)
            item = await anext(stream)
            assert isinstance(item, UnreadableMessage)
            assert (item.topic, item.error.name) == (topic, name)
            assert item.error.topic == topic
        await simulator.uplink("weather-station")
        assert isinstance(await anext(stream), UplinkMessage)


async def test_big_messages(simulator: Simulator, make_stack: MakeStack) -> None:
    async with aclosing(make_stack().stream()) as stream:
        await anext(stream)
        decoded = {"text": "x" * 100_000, **{f"k{number}": number for number in range(5_000)}}
        await simulator.uplink("weather-station", decoded=decoded)
        message = await anext(stream)
        assert isinstance(message, UplinkMessage)
        assert message.decoded_payload == decoded


async def test_flood(
    simulator: Simulator,
    make_stack: MakeStack,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrived = asyncio.Semaphore(0)
    put = Inbox.put

    def counting_put(inbox: Inbox[object], item: object, size: int) -> None:
        put(inbox, item, size)
        arrived.release()

    monkeypatch.setattr(Inbox, "put", counting_put)
    caplog.set_level(logging.WARNING, "thethingsstack")
    stack = make_stack(queue_size=10)
    async with aclosing(stack.stream()) as stream:
        await anext(stream)
        for number in range(40):
            await simulator.uplink("weather-station", decoded={"number": number})
            await arrived.acquire()
        items = [await anext(stream) for _ in range(11)]
        dropped = items[-1]
        assert all(isinstance(item, UplinkMessage) for item in items[:10])
        assert isinstance(dropped, MessagesDropped)
        assert dropped.gap == items[9].received_at  # type: ignore[union-attr]
        assert dropped.count == stack.dropped == 30
        for number in range(2):
            await simulator.uplink("weather-station", decoded={"number": number})
            assert isinstance(await anext(stream), UplinkMessage)
    assert caplog.text.count("faster than they were taken") == 1


async def test_cancelled_stream_closes_its_connection(
    simulator: Simulator, make_stack: MakeStack
) -> None:
    stack = make_stack()

    async def follow() -> None:
        async with aclosing(stack.stream()) as stream:
            async for _ in stream:
                pass

    task = asyncio.ensure_future(follow())
    await simulator.wait_connected()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await simulator.wait_disconnected()
    assert not stack.connected


async def test_two_streams_both_receive(simulator: Simulator, make_stack: MakeStack) -> None:
    async with (
        aclosing(make_stack().stream()) as first,
        aclosing(make_stack("control").stream()) as second,
    ):
        await anext(first)
        await anext(second)
        await simulator.uplink("weather-station")
        assert isinstance(await anext(first), UplinkMessage)
        assert isinstance(await anext(second), UplinkMessage)


def test_losses_are_connection_failures() -> None:
    assert issubclass(MqttRefused, ConnectionFailed)
