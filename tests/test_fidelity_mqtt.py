"""The simulator's MQTT front end is held to the recorded connections and publishes."""

import asyncio
from importlib.util import find_spec
import json
import socket
import ssl
from typing import Any

import aiohttp
import aiomqtt
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
import pytest

from tests.recordings import differences, load, mask
from tests.simulator import Simulator

ROLES = {
    "<application key, read only>": "read",
    "<application key, all rights>": "all",
    "<application key, link only>": "link",
    "<application key, info only>": "info",
    "<application key, downlink only>": "down",
    "<user key, all rights>": "user",
    "<key of another application>": "other",
    "<key with a wrong secret>": "wrong",
    "<unknown key>": "unknown",
    "<expired key>": "expired",
    "<deleted key>": "deleted",
}
CONNECTIONS = {case["case"]: case for case in load("mqtt/connections.json") if "connack" in case}


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(request: pytest.FixtureRequest) -> None:
    """Run without Home Assistant; allow sockets where its test plugin forbids them."""
    if find_spec("pytest_socket") is not None:
        request.getfixturevalue("socket_enabled")


def _client(case: dict[str, Any], sim: Simulator) -> paho.Client:
    protocol = {"MQTT 5": paho.MQTTv5, "MQTT 3.1": paho.MQTTv31}.get(case["case"], paho.MQTTv311)
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id="" if case["case"] == "empty client id" else "recorder",
        protocol=protocol,
    )
    if case["username"] is not None:
        password = case["password"]
        if role := ROLES.get(password):
            password = sim.key(role)
        elif case["case"] == "key id only":
            password = sim.key("read").split(".")[1]
        client.username_pw_set(case["username"], password)
    if case["case"].startswith("TLS"):
        client.tls_set_context(ssl.create_default_context(cadata=sim.ca_pem))
    return client


def _port(case: dict[str, Any], sim: Simulator) -> int:
    match case["case"]:
        case "TLS" | "plain client on the TLS port":
            return sim.mqtts_port
        case "MQTT client on the HTTP port":
            return int(sim.server_url.rpartition(":")[2])
    return sim.mqtt_port


def _attempt(case: dict[str, Any], sim: Simulator) -> dict[str, Any]:
    """Connect and subscribe as recorded; return what was seen, in the recording's words."""
    client = _client(case, sim)
    seen: dict[str, Any] = {"connack": None, "suback": {}, "closed": False}

    def connected(
        _client: Any, _data: Any, flags: paho.ConnectFlags, code: ReasonCode, _properties: Any
    ) -> None:
        assert code.packetType == PacketTypes.CONNACK
        seen["connack"] = {
            "code": code.value,
            "text": str(code),
            "session_present": flags.session_present,
        }

    def subscribed(
        _client: Any, _data: Any, mid: int, codes: list[ReasonCode], _properties: Any
    ) -> None:
        seen["suback"][asked[mid]] = [code.value for code in codes]

    def disconnected(*_: Any) -> None:
        seen["closed"] = True

    asked: dict[int, str] = {}
    client.on_connect, client.on_subscribe = connected, subscribed
    client.on_disconnect = disconnected
    try:
        client.connect("127.0.0.1", _port(case, sim))
        while seen["connack"] is None and not seen["closed"]:
            if client.loop(0.05) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                break
        if seen["connack"] is not None and seen["connack"]["code"] == 0:
            for text in case["suback"]:
                topic, _, qos = text.rpartition(" qos")
                _, mid = client.subscribe(topic, int(qos))
                assert mid is not None
                asked[mid] = text
            while len(seen["suback"]) < len(asked):
                assert client.loop(0.05) == MQTTErrorCode.MQTT_ERR_SUCCESS
            client.disconnect()
            seen["closed"] = True
    except OSError:
        # The recorded client saw its connection reset, too.
        seen["closed"] = True
    finally:
        if isinstance(open_socket := client.socket(), socket.socket):
            open_socket.close()
    return seen


@pytest.mark.parametrize("name", CONNECTIONS)
async def test_each_recorded_connection_gets_its_answers(name: str) -> None:
    """Each recorded client gets the recorded CONNACK, or none, and the recorded SUBACKs."""
    case = CONNECTIONS[name]
    async with Simulator("garden") as sim:
        seen = await asyncio.to_thread(_attempt, case, sim)
    expected = {"connack": case["connack"], "suback": case["suback"], "closed": True}
    assert seen == expected


def _subscriber(sim: Simulator, role: str, identifier: str) -> aiomqtt.Client:
    return aiomqtt.Client(
        sim.mqtt_host,
        sim.mqtt_port,
        username=sim.uid,
        password=sim.key(role),
        identifier=identifier,
    )


async def _received(client: aiomqtt.Client, sim: Simulator) -> list[tuple[str, Any]]:
    """Return what the client has got up to a marker that is published now."""
    await sim.publish(f"v3/{sim.uid}/devices/marker/up", b"{}")
    received: list[tuple[str, Any]] = []
    async for message in client.messages:
        if message.topic.matches("v3/+/devices/marker/up"):
            return received
        assert isinstance(message.payload, bytes)
        assert (message.qos, message.retain) == (0, False)
        received.append((str(message.topic), json.loads(message.payload)))
    raise AssertionError("disconnected")


async def test_key_deleted_while_its_session_is_open() -> None:
    """The session goes on receiving; a new one is refused."""
    recorded = next(
        case for case in load("mqtt/connections.json") if "messages_received_after" in case
    )
    async with Simulator("garden") as sim, _subscriber(sim, "read", "first") as client:
        await client.subscribe("v3/garden/devices/+/#", qos=1)
        sim.revoke("read")
        await sim.uplink("weather-station")
        received = await _received(client, sim)
        with pytest.raises(aiomqtt.MqttCodeError):
            await _subscriber(sim, "read", "second").__aenter__()
    assert len(received) == recorded["messages_received_after"]


async def test_delivery_per_session() -> None:
    """Two sessions with one client id both receive; one without the right receives nothing."""
    recorded = load("mqtt/connections.json")[-1]
    async with (
        Simulator("garden") as sim,
        _subscriber(sim, "read", "same") as first,
        _subscriber(sim, "read", "same") as second,
        _subscriber(sim, "info", "info") as info,
    ):
        for client in (first, second, info):
            await client.subscribe("v3/garden/devices/+/#")
        await sim.uplink("weather-station")
        counts = [len(await _received(client, sim)) for client in (first, second)]
        # Not even the marker comes.
        assert len(info.messages) == recorded["info_only"]
    assert counts == [recorded["first_of_two_with_one_client_id"], recorded["second"]]


async def test_published_downlinks_are_acknowledged() -> None:
    """Published downlinks are always acknowledged; what is wrong with them may come as `failed`."""
    problems = []
    async with (
        Simulator("garden") as sim,
        _subscriber(sim, "control", "one") as client,
        _subscriber(sim, "read", "two") as reader,
    ):
        await client.subscribe("v3/garden/devices/+/#")
        for case in load("mqtt/publishes.json"):
            if "topic" in case:
                body = case["body"]
                payload = body if isinstance(body, str) else json.dumps(body)
                # With QoS 1 this returns at the PUBACK.
                await client.publish(case["topic"], payload, qos=1)
                received = await _received(client, sim)
                ours = [{"topic": topic, "payload": payload} for topic, payload in received]
                problems += differences(mask(case["then"]), mask(ours), case["case"])
            else:
                downlink = {"downlinks": [{"f_port": 1, "frm_payload": "AQ=="}]}
                topic = "v3/garden/devices/bath-radiator/down/push"
                await reader.publish(topic, json.dumps(downlink), qos=1)
                assert await _queue(sim) == case["queue"]
        assert len(sim.application_server.broker.connections) == 2
    assert not problems, "\n".join(problems)


async def _queue(sim: Simulator) -> Any:
    headers = {"Authorization": f"Bearer {sim.key('manage')}"}
    path = "/api/v3/as/applications/garden/devices/bath-radiator/down"
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(sim.server_url + path) as response,
    ):
        return await response.json()
