"""The client on a simulated stack of version 2, over real sockets, with both brokers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Self

import aiohttp
import pytest

from tests.simulator.v2 import Simulator
from thethingsstack import (
    AuthenticationFailed,
    Connection,
    ConnectionFailed,
    DeviceChanged,
    DeviceChanges,
    Downlink,
    DownlinkReport,
    Formatter,
    Formatters,
    InvalidRequest,
    JoinAccept,
    MqttAddress,
    MqttRefused,
    NotFound,
    NotSupported,
    RequestTimeout,
    StreamConnected,
    StreamLost,
    UplinkMessage,
    tls_context,
)
from thethingsstack.protocols import ApplicationClient
from thethingsstack.v2 import HandlerStack, find_handlers
from thethingsstack.v2.broker import BrokerConnection

from ..conftest import Sleeps

type Make = Callable[..., HandlerStack]

DEVICE = "pump-socket"


@pytest.fixture(params=["mosquitto", "rabbitmq"])
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """The recorded application on a simulated stack, whose calls aren't limited."""
    async with Simulator(world="garden", broker=request.param) as running:
        running.stack.limits.counted = False
        yield running


@pytest.fixture
def make(simulator: Simulator, session: aiohttp.ClientSession, sleeps: Sleeps) -> Make:
    """Make a client with a role's key."""

    def make(role: str = "default", *, key: str | None = None, **arguments: Any) -> HandlerStack:
        connection = Connection(
            server=simulator.handler_url,
            application_id=simulator.application_id,
            api_key=simulator.key(role) if key is None else key,
            mqtt_port=simulator.mqtt_port,
        )
        return HandlerStack(
            connection,
            session=session,
            **{"sleep": sleeps, "random": lambda: 1.0, "answer_within": 30, **arguments},
        )

    return make


class Following:
    """What a stream brings, taken in the background."""

    def __init__(self, stack: HandlerStack) -> None:
        self.items: list[Any] = []
        self._stack = stack
        self._came = asyncio.Event()
        self._task: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._take())
        await self.get(StreamConnected)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _take(self) -> None:
        async with aclosing(self._stack.stream()) as stream:
            async for item in stream:
                self.items.append(item)
                self._came.set()

    async def get(self, *kinds: type) -> list[Any]:
        """Wait until one of each of these kinds came, and return all that came so far."""
        async with asyncio.timeout(30):
            while not all(any(isinstance(item, kind) for item in self.items) for kind in kinds):
                self._came.clear()
                await self._came.wait()
        return self.items

    async def states(self, *wanted: str) -> list[tuple[str, tuple[str, ...]]]:
        """Wait until the reports have these states; return them with our correlation IDs."""
        async with asyncio.timeout(30):
            while True:
                reports = [item for item in self.items if isinstance(item, DownlinkReport)]
                if [report.state for report in reports] == list(wanted):
                    return [(r.state, r.downlink_correlation_ids[1:]) for r in reports]
                self._came.clear()
                await self._came.wait()


async def test_it_meets_the_protocol_of_all_clients(make: Make) -> None:
    client: ApplicationClient = make()
    for part in ("gateways", "webhooks", "events", "repository", "claiming"):
        with pytest.raises(NotSupported):
            await getattr(client, part).get("x")
    for call in (
        client.end_devices.reset(DEVICE),
        client.end_devices.simulate_uplink(DEVICE, f_port=1, payload=b"\x01"),
        client.administration.update(name="x"),
        client.configuration.frequency_plans(),
        client.downlinks.queue(DEVICE),
        client.downlinks.replace(DEVICE, []),
    ):
        with pytest.raises(NotSupported):
            await call


async def test_messages(simulator: Simulator, make: Make) -> None:
    async with Following(make()) as following:
        await simulator.join(DEVICE)
        await simulator.uplink(DEVICE)
        simulator.update_device(DEVICE, description="x")
        items = await following.get(JoinAccept, UplinkMessage, DeviceChanged)
        (uplink,) = (item for item in items if isinstance(item, UplinkMessage))
        assert uplink.ids.device_id == DEVICE
        assert uplink.ids.dev_addr == simulator.device(DEVICE).dev_addr
        assert uplink.decoded_payload
        assert DeviceChanged(device_id=DEVICE, change="updated") in items


async def test_a_lost_connection_is_made_again(
    simulator: Simulator, make: Make, sleeps: Sleeps
) -> None:
    stack = make()
    async with Following(stack) as following:
        await simulator.uplink(DEVICE)
        await following.get(UplinkMessage)
        await simulator.drop_connections()
        await following.get(StreamLost)
        await simulator.wait_connected()
        await following.get(StreamConnected)
        async with asyncio.timeout(30):
            while not stack.connected:
                await asyncio.sleep(0)
        (_, again) = (item for item in following.items if isinstance(item, StreamConnected))
        assert again.gap is not None


@pytest.mark.parametrize("role", ["wrong", "other"])
async def test_refused_keys(simulator: Simulator, make: Make, role: str) -> None:
    stack = make(role)
    with pytest.raises(AuthenticationFailed) as raised:
        await anext(stack.stream())
    assert raised.value.name == "invalid_credentials"
    with pytest.raises(AuthenticationFailed):
        await stack.check_mqtt()
    with pytest.raises(AuthenticationFailed):
        await stack.auth_info()
    assert simulator.key(role) not in str(raised.value)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("", "unauthenticated"),
        ("NNSXS.AAAAAAAAAA.BBBBBBBBBB", "key_of_version_3"),
        ("ttn-account-v2.ab cd", "invalid_key"),
    ],
)
async def test_what_is_no_access_key(simulator: Simulator, make: Make, key: str, name: str) -> None:
    with pytest.raises(AuthenticationFailed) as raised:
        await make(key=key).rights()
    assert raised.value.name == name
    assert simulator.requests == []


async def test_a_key_without_its_issuer_and_a_token_of_a_user(
    simulator: Simulator, make: Make
) -> None:
    bare = simulator.key().partition(".")[2]
    stack = make(key=bare)
    await stack.check_mqtt()
    assert (await stack.auth_info()).application_id == "garden"
    assert (await make(key=simulator.token).application()).application_id == "garden"


@pytest.mark.parametrize(
    ("role", "features"),
    [
        ("default", {"application", "devices", "manage_devices", "formatters"}),
        ("devices", {"devices", "manage_devices"}),
        ("settings", {"application", "formatters"}),
        ("messages", set()),
    ],
)
async def test_rights(make: Make, role: str, features: set[str]) -> None:
    from thethingsstack import FEATURES, missing_rights

    missing = missing_rights(await make(role).rights())
    assert set(FEATURES) - set(missing) == {"uplinks", "downlinks", *features}


async def test_a_key_without_messages_is_refused_by_the_broker_alone(make: Make) -> None:
    with pytest.raises(MqttRefused) as raised:
        await make("devices").check_mqtt()
    assert raised.value.code in (4, 5)


async def test_a_subscription_that_the_broker_closes_the_connection_for(
    simulator: Simulator,
) -> None:
    address = MqttAddress(host="127.0.0.1", port=simulator.mqtt_port, tls=False, username="garden")
    connection = BrokerConnection(
        address, password=simulator.key(), topics=["#"], tls_context=None, queue_size=9
    )
    if simulator.broker.kind == "mosquitto":  # it grants everything, and delivers what it may
        async with connection:
            assert not connection.closed
        return
    with pytest.raises(MqttRefused) as raised:
        async with connection:
            pass
    assert raised.value.name == "subscription_refused"


async def test_an_application_that_is_not_registered(simulator: Simulator, make: Make) -> None:
    stack = make("all")
    del simulator.stack.applications["garden"]
    with pytest.raises(NotFound) as raised:
        await stack.auth_info()
    assert raised.value.name == "application_not_found"
    await stack.administration.create("garden")
    assert (await stack.application()).application_id == "garden"
    with pytest.raises(InvalidRequest) as refused:
        await stack.administration.create("garden", name="Garden")
    assert refused.value.name == "not_supported"


# Downlinks


async def test_a_downlink_and_its_fate(simulator: Simulator, make: Make) -> None:
    stack = make()
    ours = Downlink(f_port=85, payload=b"\x08\x01", confirmed=True, correlation_ids=("ours",))
    async with Following(stack) as following:
        await stack.downlinks.push(DEVICE, [ours])
        await following.states("queued")
        device = simulator.device(DEVICE)
        device.acknowledges = False
        await simulator.uplink(DEVICE)
        await simulator.uplink(DEVICE)
        await following.states("queued", "sent", "sent")
        device.acknowledges = True
        await simulator.uplink(DEVICE)
        found = await following.states("queued", "sent", "sent", "ack")
        assert [names for _, names in found] == [("ours",)] * 4
        assert [frame.payload_hex for frame in device.received] == ["0801"] * 2


async def test_order_of_downlinks(simulator: Simulator, make: Make) -> None:
    stack = make()

    def downlink(number: int) -> Downlink:
        return Downlink(f_port=85, payload=bytes([number]), correlation_ids=(str(number),))

    async with Following(stack) as following:
        await stack.downlinks.push(DEVICE, [downlink(1), downlink(2)])
        await stack.downlinks.push_first(DEVICE, [downlink(3), downlink(4)])
        for _ in range(4):
            await simulator.uplink(DEVICE)
        found = await following.states(*4 * ["queued"], *4 * ["sent"])
        assert [names for state, names in found if state == "sent"] == [
            ("3",),
            ("4",),
            ("1",),
            ("2",),
        ]
        following.items.clear()
        await stack.downlinks.push(DEVICE, [downlink(5)])
        await stack.downlinks.replace(DEVICE, [downlink(6), downlink(7)])
        for _ in range(3):
            await simulator.uplink(DEVICE)
        found = await following.states(*3 * ["queued"], *2 * ["sent"])
        assert [names for state, names in found if state == "sent"] == [("6",), ("7",)]


async def test_fields_go_through_the_encoder(simulator: Simulator, make: Make) -> None:
    stack = make()
    fields = Downlink(
        f_port=85, decoded_payload={"socket_status": "off"}, correlation_ids=("ours",)
    )
    async with Following(stack) as following:
        await stack.downlinks.push(DEVICE, [fields])
        await simulator.uplink(DEVICE)
        found = await following.states("queued", "sent")
        assert [names for _, names in found] == [("ours",)] * 2
        (_, sent) = (item for item in following.items if isinstance(item, DownlinkReport))
        (received,) = simulator.device(DEVICE).received
        assert sent.frm_payload == bytes.fromhex(received.payload_hex)


async def test_without_a_stream_a_connection_is_made_for_the_downlink(
    simulator: Simulator, make: Make
) -> None:
    await make().downlinks.push(DEVICE, [Downlink(f_port=1, payload=b"\x01")])
    assert len(simulator.device(DEVICE).queue) == 1
    await simulator.wait_disconnected()


async def test_an_unknown_end_device(make: Make) -> None:
    stack = make(answer_within=0.2)
    with pytest.raises(NotFound) as raised:
        await stack.downlinks.push("no-such-device", [Downlink(f_port=1, payload=b"\x01")])
    assert raised.value.name == "end_device_not_found"


async def test_a_handler_that_says_nothing(simulator: Simulator, make: Make) -> None:
    simulator.broker.downlink = lambda _application, _device, _payload: None
    stack = make(answer_within=0.2)
    with pytest.raises(RequestTimeout) as raised:
        await stack.downlinks.push(DEVICE, [Downlink(f_port=1, payload=b"\x01")])
    assert raised.value.name == "no_answer"


async def test_a_key_that_may_not_send(simulator: Simulator, make: Make) -> None:
    """Mosquitto takes and drops what RabbitMQ closes the connection for."""
    stack = make("read", answer_within=0.2)
    async with Following(stack):
        with pytest.raises(ConnectionFailed) as raised:
            await stack.downlinks.push(DEVICE, [Downlink(f_port=1, payload=b"\x01")])
    names = {"mosquitto": "no_answer", "rabbitmq": "publish_closed"}
    assert raised.value.name == names[simulator.broker.kind]
    assert simulator.device(DEVICE).queue == []


@pytest.mark.parametrize(
    ("device_id", "fields", "name"),
    [
        ("raw-node", {"led": True}, "no_downlink_formatter"),
        ("lpp-node", {"temperature_1": 21.5}, "cayennelpp_fields"),
        ("lpp-node", {"value_1": "on"}, "cayennelpp_fields"),
        (DEVICE, {}, "no_payload"),
    ],
)
async def test_what_would_vanish_in_silence_is_refused(
    simulator: Simulator,
    session: aiohttp.ClientSession,
    device_id: str,
    fields: dict[str, Any],
    name: str,
) -> None:
    application_id = simulator.device(device_id).application_id
    connection = Connection(
        server=simulator.handler_url,
        application_id=application_id,
        api_key=simulator.key("default", application_id),
        mqtt_port=simulator.mqtt_port,
    )
    stack = HandlerStack(connection, session=session)
    with pytest.raises(InvalidRequest) as raised:
        await stack.downlinks.push(device_id, [Downlink(f_port=1, decoded_payload=fields)])
    assert raised.value.name == name
    assert simulator.device(device_id).queue == []


@pytest.mark.parametrize(
    ("downlink", "name"),
    [
        (Downlink(f_port=1, payload=b"\x01", priority="HIGH"), "not_supported"),
        (Downlink(f_port=1, payload=b"\x01", confirmed=True, max_attempts=2), "not_supported"),
        (Downlink(f_port=1, payload=b"\x01", gateways=("g",)), "not_supported"),
        (Downlink(f_port=1, payload=b"\x01", decoded_payload={"a": 1}), "two_payloads"),
        (Downlink(f_port=1), "no_payload"),
    ],
)
async def test_what_version_2_cannot_send(
    simulator: Simulator, make: Make, downlink: Downlink, name: str
) -> None:
    with pytest.raises(InvalidRequest) as raised:
        await make().downlinks.push(DEVICE, [downlink])
    assert raised.value.name == name
    assert simulator.mqtt_attempts == 0


@pytest.mark.parametrize("device_id", ["Pump", "a/b", "+", "#", "a", "x" * 37, ".."])
async def test_ids_that_would_change_the_topic_or_the_path(
    simulator: Simulator, make: Make, device_id: str
) -> None:
    stack = make()
    with pytest.raises(InvalidRequest):
        await stack.downlinks.push(device_id, [Downlink(f_port=1, payload=b"\x01")])
    with pytest.raises(InvalidRequest):
        await stack.device(device_id)
    assert (simulator.requests, simulator.mqtt_attempts) == ([], 0)


# End devices, functions, addresses


async def test_an_edit_keeps_session_and_counters(simulator: Simulator, make: Make) -> None:
    stack = make()
    device = simulator.device(DEVICE)
    await simulator.uplink(DEVICE, confirmed=True)
    device.f_cnt_down = 7
    before = (device.f_cnt_up, device.nwk_s_key, device.app_key, device.dev_addr)
    changed = await stack.end_devices.update(DEVICE, DeviceChanges(name="Pump"))
    assert (changed.name, changed.has_joined) == ("Pump", True)
    assert (device.f_cnt_up, device.nwk_s_key, device.app_key, device.dev_addr) == before
    assert device.f_cnt_down == 7
    assert changed.last_seen_at is not None


async def test_a_long_list(simulator: Simulator, make: Make) -> None:
    for number in range(600):
        simulator.add_device(f"node-{number:03}", joined=False)
    stack = make()
    ids = [device.ids.device_id async for device in stack.devices()]
    assert ids == sorted(simulator.devices)
    lists = [path for _, path in simulator.requests if path.startswith("/applications/garden/dev")]
    assert len(lists) == 3
    few = await stack.end_devices.batch(["node-001", "no-such-node"])
    many = await stack.end_devices.batch(f"node-{number:03}" for number in range(20))
    assert ([device.ids.device_id for device in few], len(many)) == (["node-001"], 20)
    found = [device async for device in stack.end_devices.search("NODE-59")]
    assert len(found) == 10


async def test_deleting(simulator: Simulator, make: Make) -> None:
    stack = make()
    await stack.end_devices.delete(DEVICE)
    assert DEVICE not in simulator.devices
    with pytest.raises(NotFound):
        await stack.end_devices.delete(DEVICE)
    assert not (await stack.end_devices.presence(DEVICE)).complete


async def test_functions_as_formatters(simulator: Simulator, make: Make) -> None:
    stack = make()
    before = await stack.formatters.of_application()
    assert before is not None
    assert before.up is not None
    assert (before.up.kind, "function Decoder" in (before.up.parameter or "")) == (
        "FORMATTER_JAVASCRIPT",
        True,
    )
    lpp = Formatter(kind="FORMATTER_CAYENNELPP")
    script = Formatter(kind="FORMATTER_JAVASCRIPT", parameter="function Decoder() { return {}; }")
    with pytest.raises(InvalidRequest) as raised:
        await stack.formatters.set_of_application(Formatters(up=lpp, down=script))
    assert raised.value.name == "one_payload_format"
    after = await stack.formatters.change(None, {"up": script})
    assert after == Formatters(up=script, down=before.down)
    application = await stack.administration.application.get()
    assert application.decoder == script.parameter
    assert application.converter
    await stack.formatters.set_of_application(Formatters(up=lpp))
    assert await stack.formatters.of_application() == Formatters(up=lpp, down=lpp)
    for formatters in (None, Formatters()):
        if formatters is None:
            await stack.formatters.set_of_device(DEVICE, None)
        else:
            with pytest.raises(NotSupported):
                await stack.formatters.set_of_device(DEVICE, formatters)


async def test_five_calls_a_second(simulator: Simulator, session: aiohttp.ClientSession) -> None:
    simulator.stack.limits.counted = True
    connection = Connection(
        server=simulator.handler_url, application_id="garden", api_key=simulator.key()
    )
    stack = HandlerStack(connection, session=session)
    await asyncio.gather(*(stack.application() for _ in range(12)))
    assert len(simulator.requests) == 12  # none was refused and tried again


async def test_a_private_ca_and_discovery(
    simulator: Simulator, session: aiohttp.ClientSession
) -> None:
    context = tls_context(simulator.ca_pem)
    (handler,) = await find_handlers(
        simulator.https_discovery_url, session=session, tls_context=context
    )
    assert handler.api_address == simulator.handler_url
    connection = Connection(
        server=simulator.https_handler_url,
        application_id="garden",
        api_key=simulator.key(),
        mqtt_host=handler.mqtt_host,
        mqtt_port=simulator.mqtts_port,
    )
    stack = HandlerStack(connection, session=session, tls_context=context)
    await stack.check_mqtt()
    assert (await stack.application()).application_id == "garden"
