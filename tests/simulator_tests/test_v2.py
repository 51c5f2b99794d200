"""The v2 simulator where no recording shows what it does."""

from collections.abc import AsyncIterator
import json
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import aiomqtt
import pytest

from tests.simulator.v2 import Simulator


@pytest.fixture
async def garden() -> AsyncIterator[Simulator]:
    """Return the recorded applications."""
    async with Simulator("garden") as simulator:
        yield simulator


def _client(sim: Simulator, role: str = "default") -> aiomqtt.Client:
    return aiomqtt.Client(
        sim.mqtt_host,
        sim.mqtt_port,
        username=sim.application_id,
        password=sim.key(role),
        timeout=60,
    )


async def _get(sim: Simulator, path: str, **headers: str) -> tuple[int, Any]:
    headers = headers or {"Authorization": f"Key {sim.key()}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(sim.handler_url + path) as response,
    ):
        return response.status, await response.json()


async def test_the_lively_world_is_that_of_v3() -> None:
    """What is announced can be called and connected to; the demo's devices are there and send."""
    async with Simulator("demo") as sim, aiohttp.ClientSession() as session:
        async with session.get(f"{sim.discovery_url}/announcements/handler") as response:
            handler = (await response.json())["services"][0]
        assert handler["api_address"] == sim.handler_url
        _, listed = await _get(sim, f"/applications/{sim.application_id}/devices")
        assert {item["dev_id"] for item in listed["devices"]} == set(sim.devices)
        assert handler["mqtt_address"] == f"{sim.mqtt_host}:{sim.mqtt_port}"
        async with _client(sim) as client:
            await client.subscribe(f"{sim.application_id}/devices/+/up")
            awake = [item for item in sim.devices.values() if item.sample is not None]
            for device in awake:
                await sim.uplink(device.device_id)
            raw = set()
            for device in awake:
                message = await anext(client.messages)
                assert isinstance(message.payload, bytes)
                up = json.loads(message.payload)
                assert up["dev_id"] == device.device_id
                assert up["hardware_serial"] == device.dev_eui
                if "payload_fields" not in up:
                    raw.add(device.device_id)
    assert raw == {"beehive-scale", "pool-thermometer"}


async def test_a_socket_obeys() -> None:
    """What is sent to the socket shows in what it sends next."""
    async with Simulator("demo") as sim:
        socket = next(item for item in sim.devices.values() if "on" in item.state)
        assert socket.state["on"]
        sim.traffic.downlink(
            sim.application_id, socket.device_id, b'{"port": 85, "payload_raw": "CAD/"}'
        )
        await sim.uplink(socket.device_id)
        assert not socket.state["on"]


async def test_http_integration_posts_uplinks_and_takes_downlinks(garden: Simulator) -> None:
    """Each uplink is posted as published, with the address that takes a downlink for its device."""
    posts: list[tuple[str | None, dict[str, Any]]] = []

    async def receive(request: web.Request) -> web.Response:
        posts.append((request.headers.get("Authorization"), await request.json()))
        return web.Response()

    application = web.Application()
    application.router.add_post("/hook", receive)
    async with TestServer(application) as receiver, aiohttp.ClientSession() as session:
        garden.integrate(str(receiver.make_url("/hook")), headers={"Authorization": "secret"})
        message = await garden.uplink("pump-socket")
        await garden.uplink("lpp-node")
        await garden.integration.delivered()
        [(secret, body)] = posts
        url = body.pop("downlink_url")
        assert (secret, body) == ("secret", message)
        downlink = {"dev_id": "pump-socket", "port": 85, "payload_raw": "CAEA/w=="}
        for address, posted, status in (
            (url, downlink, 202),
            (url.partition("?")[0], downlink, 401),
            (url.replace("/garden/", "/neighbour/"), downlink, 404),
            (url, {**downlink, "dev_id": "nobody"}, 404),
            (url, {**downlink, "payload_raw": "!"}, 400),
        ):
            async with session.post(address, json=posted) as response:
                assert response.status == status
        await garden.uplink("pump-socket")
        assert [item.payload_hex for item in garden.device("pump-socket").received] == ["080100ff"]
        await garden.integration.delivered()
        with garden.faults.during(webhooks_fail=True):
            await garden.uplink("pump-socket")
            await garden.integration.delivered()
        assert [status for _, status in garden.integration.deliveries] == [200, 200, None]
        await garden.integration.hang_up()


@pytest.mark.parametrize(
    ("role", "connects", "receives"),
    [("read", True, True), ("messages", True, True), ("settings", False, False)],
)
async def test_rights_of_a_key_over_mqtt(
    garden: Simulator, role: str, connects: bool, receives: bool
) -> None:
    """A key with a right to messages gets in; without the right to write nothing is queued."""
    if not connects:
        with pytest.raises(aiomqtt.MqttCodeError):
            await _client(garden, role).__aenter__()
        return
    async with _client(garden, role) as client:
        await client.subscribe("garden/devices/+/up")
        await client.publish(
            "garden/devices/pump-socket/down", '{"port": 1, "payload_raw": "AQ=="}', qos=1
        )
        await garden.uplink("pump-socket")
        if receives:
            await anext(client.messages)
    assert bool(garden.device("pump-socket").received) == (role == "messages")


async def test_faults_and_keys(garden: Simulator) -> None:
    """Faults of HTTP and of keys count from the next request on."""
    path = "/applications/garden"
    assert (await _get(garden, path))[0] == 200
    with garden.faults.during(keys_refused=True):
        assert (await _get(garden, path))[1]["message"] == "Invalid credentials"
        with pytest.raises(aiomqtt.MqttCodeError):
            await _client(garden).__aenter__()
    garden.set_rights("default", "devices")
    assert 'No "settings" rights' in (await _get(garden, path))[1]["message"]
    garden.revoke()
    assert (await _get(garden, path))[1]["message"] == "Invalid credentials"
    with garden.faults.during(http_down=True), pytest.raises(aiohttp.ClientError):
        await _get(garden, path)


async def test_nothing_arrives_of_an_application_that_was_not_announced(garden: Simulator) -> None:
    """An application registered without the right to delete stays without uplinks."""
    garden.application.announced = False
    assert await garden.uplink("pump-socket") is None
