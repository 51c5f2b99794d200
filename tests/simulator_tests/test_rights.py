"""When rights count: over HTTP at once, over MQTT as they were at CONNECT."""

from datetime import timedelta
from typing import Any

import aiomqtt
import pytest

from tests.simulator import Simulator
from tests.simulator_tests.clients import NOW, call, get, received, subscriber

TOPIC = "v3/riverside@ttn/devices/+/up"
QUEUE = "/as/applications/riverside/devices/gate/down"


def granted(codes: Any) -> bool:
    """Return whether a SUBACK grants everything."""
    return all(code.value == 0 for code in codes)


async def test_a_right_given_later_does_not_reach_an_open_session(demo: Simulator) -> None:
    """SUBSCRIBE is granted all the same; what the key may read then comes after a reconnect."""
    demo.remove_rights("read", "TRAFFIC_READ")
    async with subscriber(demo) as early:
        assert granted(await early.subscribe(TOPIC))
        demo.add_rights("read", "TRAFFIC_READ")
        assert granted(await early.subscribe("v3/riverside@ttn/#"))
        async with subscriber(demo) as late:
            await late.subscribe(TOPIC)
            assert demo.connections == 2
            assert await demo.publish("v3/riverside@ttn/devices/rain-barrel/up", b"{}") == 1
            assert len(await received(late, 1)) == 1


async def test_a_right_taken_away_counts_over_http_only(demo: Simulator) -> None:
    """HTTP refuses at once, the open session goes on until it ends."""
    async with subscriber(demo) as client:
        await client.subscribe(TOPIC)
        demo.remove_rights("read", "RIGHT_APPLICATION_TRAFFIC_READ")
        answer = await get(demo, QUEUE, "read")
        assert answer.status == 403
        assert answer.name == "pkg/auth/rights:insufficient_application_rights"
        await demo.uplink("rain-barrel")
        assert len(await received(client, 1)) == 1
    await demo.wait_disconnected()
    async with subscriber(demo) as client:
        await client.subscribe(TOPIC)
        assert await demo.publish("v3/riverside@ttn/devices/rain-barrel/up", b"{}") == 0


async def test_the_right_to_send_is_that_of_connect(demo: Simulator) -> None:
    """A downlink is taken after the right is gone, and dropped after it came too late."""
    body = '{"downlinks": [{"f_port": 1, "frm_payload": "AQ=="}]}'
    queued = "v3/riverside@ttn/devices/+/down/queued"
    topic = "v3/riverside@ttn/devices/bathroom-radiator/down/push"
    async with subscriber(demo, "control") as client:
        await client.subscribe(queued)
        demo.remove_rights("control", "TRAFFIC_DOWN_WRITE")
        await client.publish(topic, body, qos=1)
        assert len(await received(client, 1)) == 1
    async with subscriber(demo, "control") as client:
        demo.add_rights("control", "TRAFFIC_DOWN_WRITE")
        await client.publish(topic, body, qos=1)
    answer = await get(demo, "/as/applications/riverside/devices/bathroom-radiator/down")
    assert len(answer.json["downlinks"]) == 1


@pytest.mark.parametrize(
    ("way", "name"), [("revoke", "api_key_not_found"), ("expire", "api_key_expired")]
)
async def test_a_key_that_ends_keeps_its_session(demo: Simulator, way: str, name: str) -> None:
    """Deleted or expired: 401 over HTTP, no new connection, and the open one goes on."""
    async with subscriber(demo) as client:
        await client.subscribe(TOPIC)
        getattr(demo, way)("read")
        answer = await get(demo, QUEUE, "read")
        assert (answer.status, answer.name) == (401, f"pkg/identityserver:{name}")
        await demo.uplink("rain-barrel")
        assert len(await received(client, 1)) == 1
        with pytest.raises(aiomqtt.MqttCodeError, match="Not authorized"):
            await subscriber(demo).__aenter__()
    demo.restore("read")


async def test_a_key_without_any_right_left_connects_no_more(demo: Simulator) -> None:
    """One right is needed, whichever it is."""
    demo.set_rights("read", [])
    with pytest.raises(aiomqtt.MqttCodeError, match="Not authorized"):
        await subscriber(demo).__aenter__()
    demo.set_rights("read", ["INFO"])
    async with subscriber(demo) as client:
        assert granted(await client.subscribe(TOPIC))


async def test_a_key_changed_over_http(demo: Simulator) -> None:
    """Rights, end and deletion by the API are those of the methods."""
    key_id = demo.key("read").split(".")[1]
    path = f"/applications/riverside/api-keys/{key_id}"
    async with Simulator("garden", single_host=True, clock=lambda: NOW) as garden:
        key_id = garden.key("read").split(".")[1]
        path = f"/applications/garden/api-keys/{key_id}"
        later = (NOW + timedelta(days=1)).isoformat().replace("+00:00", "Z")
        body = {
            "api_key": {"rights": ["RIGHT_APPLICATION_INFO"], "expires_at": later},
            "field_mask": {"paths": ["rights", "expires_at"]},
        }
        assert (await call(garden, "PUT", path, "all", json=body)).status == 200
        answer = await get(garden, "/auth_info", "read")
        assert answer.json["api_key"]["api_key"]["rights"] == ["RIGHT_APPLICATION_INFO"]
        assert answer.json["api_key"]["api_key"]["expires_at"] == later
        assert (await call(garden, "DELETE", path, "all")).status == 200
        assert (await get(garden, "/auth_info", "read")).status == 401
