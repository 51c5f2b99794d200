"""What can be made to go wrong, and that it does."""

import asyncio
from datetime import timedelta
from email.utils import parsedate_to_datetime
import json

import aiohttp
import aiomqtt
import pytest

from tests.simulator import RateLimit, Simulator
from tests.simulator.encoding import moment
from tests.simulator_tests.clients import NOW, get, received, subscriber

INFO = "/as/applications/riverside/mqtt-connection-info"
TOPIC = "v3/riverside@ttn/devices/+/up"


async def test_rate_limit_on_a_path(demo: Simulator) -> None:
    """After the burst comes 429, with the seconds to wait."""
    demo.faults.rate_limits["/mqtt-connection-info"] = RateLimit(burst=2, per_minute=6)
    answers = [await get(demo, INFO) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].headers["X-Rate-Limit-Retry"] == "10"


async def test_http_faults(demo: Simulator) -> None:
    """A status on a path, garbage on a path, a server that hangs up."""
    with demo.faults.during(http_status={"/as/": 503}):
        assert (await get(demo, INFO)).status == 503
    with demo.faults.during(http_body={"/as/": b"<html>"}):
        assert (await get(demo, INFO)).text == "<html>"
    with demo.faults.during(http_down=True), pytest.raises(aiohttp.ClientError):
        await get(demo, INFO)
    assert set(demo.requests) == {("GET", f"/api/v3{INFO}")}
    assert (await get(demo, INFO)).status == 200


async def test_mqtt_faults(demo: Simulator) -> None:
    """CONNACK with a code, or none."""
    demo.faults.mqtt_refuse = 3
    with pytest.raises(aiomqtt.MqttCodeError, match="Server unavailable"):
        await subscriber(demo).__aenter__()
    demo.faults.mqtt_close = True
    reader, writer = await asyncio.open_connection(demo.mqtt_host, demo.mqtt_port)
    assert await reader.read() == b""
    writer.close()
    assert demo.mqtt_attempts == 2


async def test_dropped_connections(demo: Simulator) -> None:
    """The client sees its connection end."""
    async with subscriber(demo) as client:
        await client.subscribe("v3/riverside@ttn/#")
        assert await demo.drop_connections() == 1
        with pytest.raises(aiomqtt.MqttError):
            await received(client, 1)


async def test_half_open_connections(demo: Simulator) -> None:
    """They stay open and nothing comes; new ones work."""
    async with subscriber(demo, "control") as frozen, subscriber(demo) as late:
        await frozen.subscribe(TOPIC)
        assert await demo.freeze_connections() == 2
        assert demo.connections == 0
        with pytest.raises(aiomqtt.MqttError):
            await late.subscribe(TOPIC, timeout=0.05)
        async with subscriber(demo) as new:
            await new.subscribe(TOPIC)
            assert demo.connections == 1
            topic = "v3/riverside@ttn/devices/rain-barrel/up"
            assert await demo.publish(topic, b"{}") == 1
            assert await received(new, 1) == [(topic, {})]


async def test_keys_refused_for_a_while(demo: Simulator) -> None:
    """401, CONNACK 5, and the open session goes on; then all is as before."""
    async with subscriber(demo) as client:
        await client.subscribe(TOPIC)
        with demo.faults.during(keys_refused=True):
            answer = await get(demo, INFO, "read")
            assert (answer.status, answer.name) == (401, "pkg/identityserver:api_key_not_found")
            with pytest.raises(aiomqtt.MqttCodeError, match="Not authorized"):
                await subscriber(demo).__aenter__()
            await demo.uplink("rain-barrel")
            assert len(await received(client, 1)) == 1
    assert (await get(demo, INFO, "read")).status == 200


async def test_rights_empty_for_a_while() -> None:
    """The key is known and may do nothing."""
    async with Simulator("garden", single_host=True) as sim:
        path = "/as/applications/garden/mqtt-connection-info"
        with sim.faults.during(rights_empty=True):
            assert (await get(sim, "/applications/garden/rights", "read")).json == {}
            info = (await get(sim, "/auth_info", "read")).json["api_key"]
            assert "rights" not in info["api_key"]
            assert (await get(sim, path, "read")).name == "pkg/auth/rights:no_application_rights"
            with pytest.raises(aiomqtt.MqttCodeError, match="Not authorized"):
                await subscriber(sim).__aenter__()
        assert len((await get(sim, "/applications/garden/rights", "read")).json["rights"]) == 3


async def test_pages_that_are_always_the_first() -> None:
    """A client that trusts page numbers never ends."""
    async with Simulator("garden", single_host=True) as sim:
        path = "/applications/garden/devices"

        async def page(number: int) -> list[str]:
            answer = await get(sim, path, params={"limit": 3, "page": number})
            return [item["ids"]["device_id"] for item in answer.json.get("end_devices", [])]

        assert not set(await page(1)) & set(await page(2))
        with sim.faults.during(pages_ignored=True):
            assert await page(1) == await page(2) == await page(99)
        assert await page(99) == []


async def test_huge_answers(demo: Simulator) -> None:
    """A line of any length, JSON all the same; who stops reading isn't waited for."""
    demo.faults.huge_answers["/as/"] = 300_000
    answer = await get(demo, INFO)
    assert len(answer.text) == 300_000
    assert answer.text.count("\n") == 1
    assert set(json.loads(answer.text)["result"]["filler"]) == {"0"}
    demo.faults.huge_answers["/as/"] = 1 << 40
    headers = {"Authorization": f"Bearer {demo.key('read')}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{demo.server_url}/api/v3{INFO}", headers=headers) as response,
    ):
        assert len(await response.content.readexactly(200_000)) == 200_000


async def test_date_header(demo: Simulator) -> None:
    """It is the server's clock, or wrong by as much as chosen."""
    for skew in (timedelta(), timedelta(days=3), timedelta(hours=-2)):
        demo.faults.date_skew = skew
        answer = await get(demo, INFO)
        assert parsedate_to_datetime(answer.headers["Date"]) == NOW + skew


async def test_messages_of_the_future(demo: Simulator) -> None:
    """All times of an uplink are ahead; what was sent before has its own."""
    demo.faults.message_skew = timedelta(days=400)
    envelope = await demo.uplink("rain-barrel")
    message = envelope["uplink_message"]
    for text in (
        envelope["received_at"],
        message["received_at"],
        message["rx_metadata"][0]["received_at"],
    ):
        assert timedelta() <= moment(text) - NOW - timedelta(days=400) < timedelta(seconds=5)
    demo.faults.message_skew = timedelta()
    envelope = await demo.uplink("rain-barrel")
    assert moment(envelope["received_at"]) - NOW < timedelta(seconds=5)
