"""The v2 simulator's brokers are held to recorded connections, downlinks and single situations."""

import asyncio
from dataclasses import asdict
from importlib.util import find_spec
import json
import socket
from typing import Any, Literal, Self

import aiomqtt
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
import pytest

from tests.recordings import differences, load
from tests.recordings_v2 import Listener, by_topic, content, kinds, radio
from tests.simulator.v2 import Simulator
from tests.simulator.v2.world import add_device

type Broker = Literal["mosquitto", "rabbitmq"]

NOT_SPOKEN = {
    ("mosquitto", "MQTT 5"): "the client speaks 3.1.1; an MQTT 5 client is hung up on",
    ("mosquitto", "MQTT 5, wrong key"): "the same",
}
"""Recorded connections that the simulator doesn't speak, and why."""
_RECORDED: dict[Broker, str] = {
    "mosquitto": "v2/mqtt/connections.json",
    "rabbitmq": "v2/mqtt/connections_rabbitmq.json",
}
_CASES = [
    (broker, case["case"])
    for broker, path in _RECORDED.items()
    for case in load(path)
    if (broker, case["case"]) not in NOT_SPOKEN
]
_CODES = {0: 0, 134: 4, 135: 5}
"""What the MQTT library makes of the codes on the wire."""


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(request: pytest.FixtureRequest) -> None:
    """Run without Home Assistant; allow sockets where its test plugin forbids them."""
    if find_spec("pytest_socket") is not None:
        request.getfixturevalue("socket_enabled")


def _case(broker: Broker, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(case for case in load(_RECORDED[broker]) if case["case"] == name)
    return found


class Client:
    """A plain client that notes what it sees."""

    def __init__(self, sim: Simulator, case: dict[str, Any]) -> None:
        protocols = {"3.1": paho.MQTTv31, "3.1.1": paho.MQTTv311, "5": paho.MQTTv5}
        self._sim = sim
        self.connack: int | None = None
        self.closed = False
        self.suback: list[int] | None = None
        self.acknowledged = 0
        self.received: list[str] = []
        client = self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="recorder", protocol=protocols[case["protocol"]]
        )
        key = sim.key()
        passwords = {
            "<application access key>": key,
            "<application access key, cut off at the end>": key[:-5],
            "<application access key, without its issuer>": key.partition(".")[2],
            "<neighbour application access key>": sim.key("other"),
        }
        if case["username"] is not None:
            password = case["password"]
            client.username_pw_set(case["username"], passwords.get(password, password))
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribed
        client.on_message = self._message
        client.on_publish = self._published

    def _connected(self, _c: Any, _d: Any, _flags: Any, code: Any, _p: Any) -> None:
        self.connack = _CODES[code.value]

    def _disconnected(self, *_: Any) -> None:
        self.closed = True

    def _subscribed(self, _c: Any, _d: Any, _mid: int, codes: list[Any], _p: Any) -> None:
        self.suback = [code.value for code in codes]

    def _published(self, *_: Any) -> None:
        self.acknowledged += 1

    def _message(self, _c: Any, _d: Any, message: paho.MQTTMessage) -> None:
        self.received.append(message.topic)

    def __enter__(self) -> Self:
        """Connect, as far as the server lets it."""
        try:
            self._client.connect("127.0.0.1", self._sim.mqtt_port)
            self._until(lambda: self.connack is not None)
        except OSError:
            self.closed = True
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect, and leave nothing open."""
        self._client.disconnect()
        if isinstance(open_socket := self._client.socket(), socket.socket):
            open_socket.close()

    def _until(self, condition: Any) -> None:
        while not condition() and not self.closed:
            if self._client.loop(0.05) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self.closed = True

    def subscribe(self, topic: str) -> None:
        """Subscribe, and wait until that is answered or the connection is closed."""
        self._client.subscribe(topic)
        self._until(lambda: self.suback is not None)

    def publish(self, topic: str, qos: int) -> bool:
        """Publish, and return whether it was acknowledged."""
        before = self.acknowledged
        self._client.publish(topic, b"{}", qos)
        self._until(lambda: self.acknowledged > before)
        return self.acknowledged > before

    def wait_for(self, topic: str) -> None:
        """Wait for a message on a topic of this client's own, to know that the rest has come."""
        self._until(lambda: topic in self.received)


async def _attempt(sim: Simulator, case: dict[str, Any]) -> tuple[int | None, bool]:
    def run() -> tuple[int | None, bool]:
        with Client(sim, case) as client:
            return client.connack, client.closed

    return await asyncio.to_thread(run)


@pytest.mark.parametrize(("broker", "name"), _CASES)
async def test_each_recorded_connection_gets_its_answer(broker: Broker, name: str) -> None:
    """Each recorded client gets the recorded CONNACK, or is hung up on without one."""
    case = _case(broker, name)
    recorded = case.get("connack")
    async with Simulator("garden", broker=broker) as sim:
        connack, closed = await _attempt(sim, case)
    assert connack == (None if recorded is None else _CODES[recorded["code"]])
    assert closed == (recorded is None or recorded["code"] != 0)


def _subscriptions(broker: Broker) -> list[tuple[str, list[int] | None, list[str]]]:
    """Return the recorded filters, their SUBACK, and what was received."""
    case = _case(broker, "right key")
    if broker == "rabbitmq":
        return [(item["topic"], item["suback"], item["received"]) for item in case["subscriptions"]]
    received = case["received_from_topic"]
    return [(topic, codes, received[topic]) for topic, codes in case["suback"].items()]


@pytest.mark.parametrize("broker", _RECORDED)
async def test_each_recorded_subscription_gets_its_messages(broker: Broker) -> None:
    """Mosquitto grants every filter and stays silent, RabbitMQ hangs up on those not allowed."""
    case = _case(broker, "right key")
    problems = []
    for topic, suback, expected in _subscriptions(broker):
        async with Simulator("garden", broker=broker) as sim:
            if broker == "rabbitmq":
                # One was under way when this was recorded.
                sim.traffic.downlink("garden", "pump-socket", b'{"port":1,"payload_raw":"AQ=="}')
            ours = await asyncio.to_thread(_subscribe, sim, case, topic, asyncio.get_running_loop())
        problems += differences([suback, expected], ours, topic)
    assert not problems, "\n".join(problems)


def _subscribe(
    sim: Simulator, case: dict[str, Any], topic: str, loop: asyncio.AbstractEventLoop
) -> list[Any]:
    with Client(sim, case) as client:
        client.subscribe(topic)
        if client.closed:
            return [client.suback, client.received]
        frame = bytes.fromhex("087001")
        sending = sim.uplink("pump-socket", port=85, payload=frame)
        asyncio.run_coroutine_threadsafe(sending, loop).result()
        codes, client.suback = client.suback, None
        marker = "garden/devices/marker/up"
        client.subscribe(marker)
        asyncio.run_coroutine_threadsafe(sim.publish(marker, b""), loop).result()
        client.wait_for(marker)
        return [codes, [name for name in client.received if name != marker]]


@pytest.mark.parametrize("broker", _RECORDED)
async def test_each_recorded_publish_is_acknowledged_or_ends_the_connection(
    broker: Broker,
) -> None:
    """A foreign topic is acknowledged and dropped by Mosquitto; RabbitMQ hangs up."""
    case = _case(broker, "right key")

    def attempt(sim: Simulator, topic: str, qos: int) -> tuple[bool, bool]:
        with Client(sim, case) as client:
            return client.publish(topic, qos), not client.closed

    for published in case["published"]:
        async with Simulator("garden", broker=broker) as sim:
            seen = await asyncio.to_thread(attempt, sim, published["topic"], published["qos"])
        assert seen == (published["acknowledged"], published["still_connected"]), published


async def test_replay_of_the_recorded_downlinks() -> None:
    """What is published has the recorded consequences, at once and with the next uplinks."""
    problems: list[str] = []
    async with Simulator("garden") as sim, Listener(sim) as listener:
        for device_id in ("pump-socket", "lpp-node", "raw-node"):
            await sim.uplink(device_id)
        await listener.collect()
        for case in load("v2/mqtt/publishes.json"):
            for item in case["publish"]:
                text = json.dumps(item["json"]) if "json" in item else item["text"]
                application_id = item["topic"].partition("/")[0]
                user = "garden" if application_id == "neighbour" else application_id
                await listener.publish(item["topic"], text, item["qos"], user=user)
            recorded = [content(message) for message in case["then"]]
            received = await listener.collect()
            problems += differences(recorded, [*received], case["case"])
            for number, uplink in enumerate(case["uplinks"]):
                where = f"{case['case']}, uplink {number}"
                problems += await _uplink(sim, listener, uplink, where)
    assert not problems, "\n".join(problems)


async def _uplink(
    sim: Simulator, listener: Listener, recorded: dict[str, Any], where: str
) -> list[str]:
    """Let a device send what it sent, and compare what came and what its radio received."""
    messages = recorded["messages"]
    up = next(item for item in messages if item["topic"].endswith("/up"))
    device = sim.device(up["payload"]["dev_id"])
    device.received.clear()
    ack = any(item["topic"].endswith("/acks") for item in messages)
    await radio(sim, up, ack=ack)
    # Topics of single fields were left out of these recordings.
    fields = f"{device.application_id}/devices/{device.device_id}/up/"
    received = [item for item in await listener.collect() if not item[0].startswith(fields)]
    expected = [content(message) for message in messages]
    problems = differences(by_topic(expected), by_topic(received), where)
    problems += differences(kinds(expected), kinds(received), f"{where}, order")
    ours = [asdict(item) for item in device.received]
    return problems + differences(recorded["device_received"], ours, f"{where}, radio")


async def test_fsk_has_a_bit_rate() -> None:
    """An uplink in FSK has no data rate and no coding rate."""
    recorded = load("v2/mqtt/fsk.json")
    async with Simulator("garden") as sim, Listener(sim) as listener:
        await sim.uplink("pump-socket")
        await listener.collect()
        await radio(sim, recorded[0])
        received = await listener.collect()
    assert received == [content(message) for message in recorded]


async def test_a_field_that_can_be_no_topic_is_missing() -> None:
    """A name with `#` is in the uplink and not among the topics; what follows comes."""
    recorded = load("v2/mqtt/field_name_with_hash.json")["messages"]
    async with Simulator("garden") as sim, Listener(sim) as listener:
        add_device(
            sim.stack,
            sim.stack.applications["neighbour"],
            "hash-node",
            dev_eui="0004A30B00F1A0EE",
            joined=False,
        )
        for message in recorded:
            if message["topic"].endswith("/up"):
                up = message["payload"]
                await sim.simulate("hash-node", up["port"], b"\x01", up["payload_fields"])
        received = await listener.collect()
    assert received == [content(message) for message in recorded]


async def test_a_retained_downlink_is_scheduled_with_every_start() -> None:
    """The broker keeps it, gives it to who subscribes, and the Handler schedules it again."""
    recorded = load("v2/mqtt/retained_downlink.json")
    topic = "garden/devices/pump-socket/down"
    text = json.dumps(recorded["when_published"][0]["payload"])
    async with (
        Simulator("garden") as sim,
        Listener(sim) as listener,
        aiomqtt.Client(
            sim.mqtt_host, sim.mqtt_port, username="garden", password=sim.key(), timeout=60
        ) as client,
    ):
        await client.publish(topic, text, qos=1, retain=True)
        published = await listener.collect()
        await sim.restart_handler()
        restarted = await listener.collect()
        await client.subscribe("garden/devices/+/down")
        message = await anext(client.messages)
    assert published == [content(item) for item in recorded["when_published"]]
    assert restarted == [content(item) for item in recorded["when_the_handler_restarts"]]
    kept = recorded["when_a_client_subscribes"][0]
    assert isinstance(message.payload, bytes)
    assert (str(message.topic), message.retain) == (kept["topic"], kept["retain"])
    assert json.loads(message.payload) == kept["payload"]
