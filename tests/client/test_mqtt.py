"""One MQTT connection, against the simulated broker and against servers that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
import gc
import logging
import ssl
import threading

import pytest

from tests.simulator import Simulator
from thethingsstack import (
    CertificateFailed,
    ConnectionFailed,
    MqttAddress,
    MqttRefused,
    ProtocolMismatch,
    RequestTimeout,
    StackError,
    tls_context,
)
from thethingsstack.inbox import Inbox
from thethingsstack.mqtt import MqttConnection


def connection_to(
    port: int,
    *,
    password: str = "secret",
    username: str = "garden",
    context: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    timeout: float = 5,
    queue_size: int = 100,
    keepalive: int = 60,
) -> MqttConnection:
    return MqttConnection(
        MqttAddress(host=host, port=port, tls=context is not None, username=username),
        password=password,
        topics=[f"v3/{username}/devices/+/#"],
        tls_context=context,
        queue_size=queue_size,
        timeout=timeout,
        keepalive=keepalive,
    )


async def refusal_of(connection: MqttConnection) -> StackError:
    with pytest.raises(StackError) as raised:
        async with connection:
            pass
    return raised.value


async def test_messages(simulator: Simulator) -> None:
    async with connection_to(simulator.mqtt_port, password=simulator.key("read")) as messages:
        await simulator.wait_connected()
        sent = await simulator.uplink("weather-station")
        item = await anext(aiter(messages))
        assert isinstance(item, tuple)
        assert item[0] == "v3/garden/devices/weather-station/up"
        assert sent["received_at"].encode() in item[1]
    await simulator.wait_disconnected()


async def test_tls(simulator: Simulator) -> None:
    context = tls_context(simulator.ca_pem)
    key = simulator.key("read")
    async with connection_to(simulator.mqtts_port, password=key, context=context) as messages:
        await simulator.wait_connected()
        await simulator.uplink("weather-station")
        assert isinstance(await anext(aiter(messages)), tuple)


async def test_certificate_is_not_trusted(simulator: Simulator) -> None:
    error = await refusal_of(connection_to(simulator.mqtts_port, context=tls_context()))
    assert isinstance(error, CertificateFailed)


async def test_tls_without_a_context_never_falls_back_to_plain() -> None:
    address = MqttAddress(host="127.0.0.1", port=1, tls=True, username="x")
    with pytest.raises(ValueError, match="context"):
        MqttConnection(address, password="x", topics=["x"], tls_context=None, queue_size=1)


async def test_tls_on_the_plain_port(simulator: Simulator) -> None:
    error = await refusal_of(connection_to(simulator.mqtt_port, context=tls_context()))
    assert isinstance(error, ProtocolMismatch)


async def test_plain_on_the_tls_port(simulator: Simulator) -> None:
    error = await refusal_of(connection_to(simulator.mqtts_port))
    assert isinstance(error, ProtocolMismatch)
    assert error.name == "no_connack"


@pytest.mark.parametrize("code", [3, 4, 5])
async def test_refused(simulator: Simulator, code: int) -> None:
    simulator.faults.mqtt_refuse = code
    error = await refusal_of(connection_to(simulator.mqtt_port))
    assert isinstance(error, MqttRefused)
    assert error.code == code
    assert "secret" not in str(error)


@pytest.mark.parametrize("role", ["wrong", "other", "expired"])
async def test_refused_keys(simulator: Simulator, role: str) -> None:
    error = await refusal_of(connection_to(simulator.mqtt_port, password=simulator.key(role)))
    assert isinstance(error, MqttRefused)
    assert error.code == 5


async def test_refused_subscription(simulator: Simulator) -> None:
    simulator.faults.mqtt_refuse_subscribe = True
    key = simulator.key("read")
    error = await refusal_of(connection_to(simulator.mqtt_port, password=key))
    assert error.name == "subscription_refused"


async def test_hang_up_before_connack(simulator: Simulator) -> None:
    simulator.faults.mqtt_close = True
    error = await refusal_of(connection_to(simulator.mqtt_port))
    assert error.name == "no_connack"


async def test_nothing_listens(free_port: int) -> None:
    error = await refusal_of(connection_to(free_port))
    assert (type(error), error.name) == (ConnectionFailed, "connection_refused")


@pytest.mark.usefixtures("no_names")
@pytest.mark.parametrize("host", ["nosuchhost.invalid", f"{'x' * 70}.example.org"])
async def test_unknown_host(host: str) -> None:
    error = await refusal_of(connection_to(1883, host=host))
    assert error.name == "host_not_found"


async def test_lost(simulator: Simulator) -> None:
    async with connection_to(simulator.mqtt_port, password=simulator.key("read")) as messages:
        await simulator.wait_connected()
        await simulator.drop_connections()
        with pytest.raises(ConnectionFailed) as raised:
            await anext(aiter(messages))
    assert raised.value.name == "connection_lost"


async def test_what_arrived_before_the_loss_is_given(simulator: Simulator) -> None:
    async with connection_to(simulator.mqtt_port, password=simulator.key("read")) as connection:
        await simulator.wait_connected()
        messages = aiter(connection)
        for _ in range(3):
            await simulator.uplink("weather-station")
        assert await anext(messages)
        await simulator.drop_connections()
        assert await anext(messages)
        assert await anext(messages)
        with pytest.raises(ConnectionFailed):
            await anext(messages)


# -- Servers that misbehave -----------------------------------------------------------------------

type Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x03\x00\x01\x00"
PUBLISH = b"\x30\x08\x00\x01thello"


@asynccontextmanager
async def misbehaving(serve: Serve) -> AsyncIterator[int]:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(closing, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        server.close_clients()


async def until_closed(reader: asyncio.StreamReader) -> None:
    while await reader.read(1000):
        pass


async def test_silent_server_and_its_socket() -> None:
    gone = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await until_closed(reader)
        gone.set()

    async with misbehaving(silent) as port:
        error = await refusal_of(connection_to(port, timeout=0.2))
        assert isinstance(error, RequestTimeout)
        await asyncio.wait_for(gone.wait(), 5)


async def test_silent_server_where_tls_is_expected() -> None:
    gone = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await until_closed(reader)
        gone.set()

    async with misbehaving(silent) as port:
        error = await refusal_of(connection_to(port, context=tls_context(), timeout=0.2))
        assert isinstance(error, RequestTimeout)
        gc.collect()
        await asyncio.wait_for(gone.wait(), 5)


async def test_cancelled_while_waiting_for_the_connack() -> None:
    came, gone = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        came.set()
        await until_closed(reader)
        gone.set()

    async with misbehaving(silent) as port:
        opening = asyncio.ensure_future(connection_to(port).__aenter__())
        await came.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await asyncio.wait_for(gone.wait(), 5)


async def test_cancelled_while_a_thread_connects() -> None:
    gone = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await until_closed(reader)
        gone.set()

    async with misbehaving(silent) as port:
        opening = asyncio.ensure_future(connection_to(port).__aenter__())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await asyncio.wait_for(gone.wait(), 5)


async def test_a_failure_after_cancelling_reaches_no_log(free_port: int) -> None:
    loop = asyncio.get_running_loop()
    reported: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _loop, context: reported.append(context))
    for _ in range(20):  # the thread may be faster than the cancellation
        opening = asyncio.ensure_future(connection_to(free_port).__aenter__())
        await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait([opening])
    await loop.shutdown_default_executor()
    await asyncio.sleep(0)
    assert reported == []


async def test_lost_before_the_suback() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(CONNACK)
        await writer.drain()
        await reader.read(100)

    async with misbehaving(rude) as port:
        error = await refusal_of(connection_to(port))
    assert error.name == "connection_lost"


async def test_packets_that_are_none() -> None:
    async def garbled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(CONNACK)
        await writer.drain()
        await reader.read(100)
        writer.write(SUBACK)
        # A PUBLISH whose topic is longer than the packet, and one of a type that doesn't exist.
        writer.write(b"\x30\x03\x00\xff\x61" + b"\xf0\x00")
        await writer.drain()
        await until_closed(reader)

    async with misbehaving(garbled) as port, connection_to(port) as connection:
        with pytest.raises(ConnectionFailed):
            async for _ in connection:
                pass


async def test_garbage_instead_of_a_connack() -> None:
    async def garbled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await until_closed(reader)

    async with misbehaving(garbled) as port:
        assert isinstance(await refusal_of(connection_to(port, timeout=0.2)), ConnectionFailed)


async def test_closing_leaves_no_task(simulator: Simulator) -> None:
    before = asyncio.all_tasks()
    async with connection_to(simulator.mqtt_port, password=simulator.key("read")):
        await simulator.wait_connected()
    await simulator.wait_disconnected()
    await asyncio.sleep(0)
    ours = {
        task for task in asyncio.all_tasks() - before if "simulator" not in str(task.get_coro())
    }
    assert not ours


async def test_no_thread_works_for_a_connection(simulator: Simulator) -> None:
    """Only connecting borrows one of the executor's."""
    connection = connection_to(simulator.mqtt_port, password=simulator.key("read"))
    async with connection:
        await simulator.wait_connected()
        assert not connection.closed
        assert not [thread for thread in threading.enumerate() if "paho" in thread.name]
    assert connection.closed
    await simulator.wait_disconnected()


@pytest.mark.parametrize(
    ("answer", "error"),
    [(b"", "no_connack"), (b"\x20\x02\x00\x05", "mqtt_refused"), (b"\xff\xff\xff", None)],
    ids=["closes", "refuses", "garbage"],
)
async def test_a_server_that_answers_at_once_leaves_nothing_on_the_event_loop(
    simulator: Simulator, answer: bytes, error: str | None
) -> None:
    """Its answer may be there before the thread that connects has ended.

    A socket that stayed registered would be taken for the next one with its number.
    """

    async def hasty(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer:
            writer.write(answer)
            await writer.drain()

    async with misbehaving(hasty) as port:
        for _ in range(30):
            refused = await refusal_of(connection_to(port))
            assert isinstance(refused, ConnectionFailed)
            assert not isinstance(refused, RequestTimeout)
            if error == "mqtt_refused":
                assert isinstance(refused, MqttRefused | ProtocolMismatch)
    for _ in range(3):
        async with connection_to(simulator.mqtt_port, password=simulator.key("read")) as messages:
            await simulator.wait_connected()
            await simulator.uplink("weather-station")
            assert isinstance(await anext(aiter(messages)), tuple)
        await simulator.wait_disconnected()


async def test_server_that_closes_in_the_middle_of_a_packet() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(CONNACK)
        await writer.drain()
        await reader.read(100)
        writer.write(SUBACK + PUBLISH + PUBLISH[:7])
        await writer.drain()

    async with misbehaving(rude) as port, connection_to(port) as connection:
        messages = aiter(connection)
        assert await anext(messages) == ("t", b"hello")
        with pytest.raises(ConnectionFailed) as raised:
            await anext(messages)
    assert raised.value.name == "connection_lost"


@pytest.mark.parametrize("encrypted", [False, True])
async def test_a_burst_is_taken_whole(simulator: Simulator, encrypted: bool) -> None:
    """Also where TLS has decrypted more than was asked for."""
    context = tls_context(simulator.ca_pem) if encrypted else None
    port = simulator.mqtts_port if encrypted else simulator.mqtt_port
    count = 500
    async with connection_to(
        port, password=simulator.key("read"), context=context, queue_size=2 * count
    ) as connection:
        await simulator.wait_connected()
        topic = "v3/garden/devices/weather-station/up"
        for number in range(count):
            await simulator.publish(topic, str(number).encode())
        messages = aiter(connection)
        found = [await asyncio.wait_for(anext(messages), 60) for _ in range(count)]
    assert found == [(topic, str(number).encode()) for number in range(count)]


async def test_a_burst_that_is_not_taken_is_counted() -> None:
    async def flooding(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(CONNACK)
        await writer.drain()
        await reader.read(100)
        writer.write(SUBACK + PUBLISH * 5_000)
        await writer.drain()
        await until_closed(reader)

    async with misbehaving(flooding) as port, connection_to(port, queue_size=10) as connection:
        taken = dropped = 0
        async for item in connection:
            if isinstance(item, int):
                dropped += item
            else:
                taken += 1
            if taken + dropped == 5_000:
                break
    assert taken >= 10
    assert dropped > 0


async def test_pings_that_are_not_answered_end_the_connection(simulator: Simulator) -> None:
    """The connection looks alive, and isn't."""
    simulator.faults.mqtt_deaf = True
    connection = connection_to(simulator.mqtt_port, password=simulator.key("read"), keepalive=1)
    async with connection:
        await simulator.wait_connected()
        with pytest.raises(ConnectionFailed) as raised:
            await asyncio.wait_for(anext(aiter(connection)), 60)
    assert raised.value.name == "connection_lost"


async def test_a_reset_reaches_no_log(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told by an error; what the MQTT library thinks of it is a detail."""
    caplog.set_level(logging.INFO)
    async with connection_to(simulator.mqtt_port, password=simulator.key("read")) as messages:
        await simulator.wait_connected()
        await simulator.drop_connections()
        with pytest.raises(ConnectionFailed):
            await anext(aiter(messages))
    assert not [record for record in caplog.records if "amqtt" not in record.name]


# -- The inbox ------------------------------------------------------------------------------------


async def test_inbox_counts_what_it_drops_in_its_place() -> None:
    inbox = Inbox[bytes](2)
    for number in range(5):
        inbox.put(bytes([number]), 1)
    assert await inbox.get() == b"\x00"
    inbox.put(b"\x05", 1)
    assert [await inbox.get() for _ in range(3)] == [b"\x01", 3, b"\x05"]


async def test_inbox_tells_drops_also_when_nothing_follows() -> None:
    inbox = Inbox[bytes](1)
    inbox.put(b"1", 1)
    inbox.put(b"2", 1)
    inbox.close()
    assert [await inbox.get() for _ in range(3)] == [b"1", 1, None]


async def test_inbox_is_bounded_in_bytes() -> None:
    inbox = Inbox[bytes](1_000)
    big = bytes(10 * 2**20)
    for _ in range(5):
        inbox.put(big, len(big))
    assert [type(await inbox.get()) for _ in range(4)] == [bytes, bytes, bytes, int]


async def test_inbox_wakes_a_waiting_taker() -> None:
    inbox = Inbox[bytes](10)
    taking = asyncio.ensure_future(inbox.get())
    await asyncio.sleep(0)
    inbox.put(b"1", 1)
    inbox.put(b"2", 1)
    assert await taking == b"1"
    assert await inbox.get() == b"2"


async def test_a_full_inbox_lets_others_run() -> None:
    address = MqttAddress(host="127.0.0.1", port=1, tls=False, username="x")
    connection = MqttConnection(
        address, password="x", topics=["x"], tls_context=None, queue_size=1_000
    )
    for _ in range(1_000):
        connection._inbox.put(("t", b"x"), 1)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(other())
    taken = 0
    async for _ in connection:
        taken += 1
        if taken == 1_000:
            break
    task.cancel()
    assert turns >= 20
