"""The v2 simulator where no recording shows what it does."""

import json

import aiohttp
import aiomqtt

from tests.simulator.v2 import Simulator


def _client(sim: Simulator, role: str = "default") -> aiomqtt.Client:
    return aiomqtt.Client(
        sim.mqtt_host, sim.mqtt_port, username=sim.application_id, password=sim.key(role)
    )


async def test_discovery_names_addresses_that_work() -> None:
    """What is announced can be called and connected to; the demo's devices are there and speak."""
    async with Simulator("demo") as sim, aiohttp.ClientSession() as session:
        async with session.get(f"{sim.discovery_url}/announcements/handler") as response:
            handler = (await response.json())["services"][0]
        url = f"{handler['api_address']}/applications/{sim.application_id}/devices"
        async with session.get(url, headers={"Authorization": f"Key {sim.key()}"}) as response:
            listed = await response.json()
        assert {item["dev_id"] for item in listed["devices"]} == set(sim.devices)
        host, _, port = handler["mqtt_address"].partition(":")
        async with aiomqtt.Client(
            host, int(port), username=sim.application_id, password=sim.key()
        ) as client:
            await client.subscribe(f"{sim.application_id}/devices/+/up")
            awake = [item for item in sim.devices.values() if item.sample is not None]
            for device in awake:
                await sim.uplink(device.device_id)
            for device in awake:
                message = await anext(client.messages)
                assert isinstance(message.payload, bytes)
                up = json.loads(message.payload)
                assert up["dev_id"] == device.device_id
                assert up["hardware_serial"] == device.dev_eui
