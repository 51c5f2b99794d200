"""The simulator where there is no recording: tenants, storage, faults, a lively world."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
import json
import ssl
from typing import Any

import aiohttp
import aiomqtt
import pytest

from tests.simulator import RateLimit, Simulator, scripts
from tests.simulator.formatters import FormatterError, ScriptError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(request: pytest.FixtureRequest) -> None:
    """Run without Home Assistant; allow sockets where its test plugin forbids them."""
    if find_spec("pytest_socket") is not None:
        request.getfixturevalue("socket_enabled")


@pytest.fixture
async def demo() -> AsyncIterator[Simulator]:
    """Return the lively world on a server with tenants."""
    async with Simulator("demo", tenant="ttn", clock=lambda: NOW) as simulator:
        yield simulator


def subscriber(sim: Simulator, role: str = "read") -> aiomqtt.Client:
    """Return a client with the key of a role."""
    return aiomqtt.Client(
        sim.mqtt_host, sim.mqtt_port, username=sim.uid, password=sim.key(role), timeout=5
    )


async def received(client: aiomqtt.Client, count: int) -> list[tuple[str, Any]]:
    """Return the next messages, with topic."""
    messages = []
    async for message in client.messages:
        assert isinstance(message.payload, bytes)
        messages.append((str(message.topic), json.loads(message.payload)))
        if len(messages) == count:
            break
    return messages


async def get(sim: Simulator, path: str, role: str = "manage", **options: Any) -> Any:
    """Return status, headers and text of an answer of the cluster."""
    headers = {"Authorization": f"Bearer {sim.key(role)}", **options.pop("headers", {})}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{sim.server_url}/api/v3{path}", headers=headers, **options) as response,
    ):
        return response.status, response.headers, await response.text()


async def test_tenant_in_user_name_and_topic_but_not_in_message(demo: Simulator) -> None:
    """The user name and topics have the tenant, the message's application id doesn't."""
    async with subscriber(demo) as client:
        await client.subscribe("v3/riverside@ttn/devices/+/up")
        await demo.uplink("rain-barrel", decoded={"level": 3})
        [(topic, message)] = await received(client, 1)
    assert topic == "v3/riverside@ttn/devices/rain-barrel/up"
    assert message["end_device_ids"]["application_ids"] == {"application_id": "riverside"}
    assert message["uplink_message"]["decoded_payload"] == {"level": 3}
    assert message["uplink_message"]["network_ids"]["tenant_id"] == "ttn"


async def test_user_name_without_its_tenant_is_refused(demo: Simulator) -> None:
    """On a server with tenants the bare application id doesn't exist."""
    client = aiomqtt.Client(
        demo.mqtt_host, demo.mqtt_port, username="riverside", password=demo.key("read")
    )
    with pytest.raises(aiomqtt.MqttCodeError):
        await client.__aenter__()


async def test_filter_below_a_topic_does_not_match_the_topic(demo: Simulator) -> None:
    """`…/up/#` takes `…/up/normalized` and not `…/up`."""
    async with subscriber(demo) as client:
        await client.subscribe("v3/riverside@ttn/devices/+/up/#")
        await demo.uplink("water-meter")
        await demo.normalized("rain-barrel", {"battery": 3})
        topics = [topic for topic, _ in await received(client, 2)]
    assert [topic.partition("/devices/")[2] for topic in topics] == [
        "water-meter/up/normalized",
        "rain-barrel/up/normalized",
    ]


async def test_tls_with_the_private_ca(demo: Simulator) -> None:
    """HTTP and MQTT take the same certificate authority."""
    context = ssl.create_default_context(cadata=demo.ca_pem)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{demo.https_identity_server_url}/api/v3/auth_info", ssl=context) as response,
    ):
        assert await response.json() == {}
    async with aiomqtt.Client(
        "localhost",
        demo.mqtts_port,
        username=demo.uid,
        password=demo.key("read"),
        tls_context=context,
    ) as client:
        await client.subscribe("v3/riverside@ttn/#")
        await demo.wait_connected()
        assert demo.connections == 1


async def test_storage_pages_the_last_24_hours(demo: Simulator) -> None:
    """Objects come separated by blank lines, newest first if asked, page by page."""
    path = "/as/applications/riverside/packages/storage/uplink_message"
    parameters = {"limit": "50", "order": "-received_at"}
    stream = {"Accept": "text/event-stream"}
    seen: list[dict[str, Any]] = []
    while True:
        status, headers, text = await get(demo, path, params=parameters, headers=stream)
        assert status == 200
        seen += [json.loads(part)["result"] for part in text.split("\n\n") if part]
        if (token := headers.get("X-Continuation-Token")) is None:
            break
        parameters = {"continuation_token": token, "order": "-received_at"}
    times = [item["received_at"] for item in seen]
    assert times == sorted(times, reverse=True)
    assert min(times) > (NOW - timedelta(hours=24)).isoformat()
    silent = {"mailbox", "barn-freezer"}  # one never spoke, one is silent for longer than that
    assert {item["end_device_ids"]["device_id"] for item in seen} == set(demo.devices) - silent
    _, _, text = await get(demo, f"{path}/count")
    assert json.loads(text) == {"count": len(seen)}


async def test_storage_of_one_device_since_a_time_with_a_field_mask(demo: Simulator) -> None:
    """What arrives now is stored, too; a mask leaves ids and time."""
    envelope = await demo.uplink("rain-barrel", decoded={"level": 3})
    status, _, text = await get(
        demo,
        "/as/applications/riverside/devices/rain-barrel/packages/storage/uplink_message",
        params={
            "after": (NOW - timedelta(seconds=1)).isoformat().replace("+00:00", "Z"),
            "field_mask": "up.uplink_message.decoded_payload",
        },
    )
    assert status == 200
    [line] = text.splitlines()
    assert json.loads(line)["result"] == {
        "end_device_ids": envelope["end_device_ids"],
        "received_at": envelope["received_at"],
        "uplink_message": {"decoded_payload": {"level": 3}},
    }


async def test_frame_counter_goes_on_after_the_history(demo: Simulator) -> None:
    """History, registry and live uplinks belong together."""
    stored = demo.devices["rain-barrel"].stored()
    envelope = await demo.uplink("rain-barrel")
    counters = [item["uplink_message"]["f_cnt"] for item in [*stored, envelope]]
    assert counters == list(range(counters[0], counters[0] + len(counters)))
    assert demo.devices["rain-barrel"].documents["is"]["last_seen_at"] == "2026-11-24T12:00:00Z"


@pytest.mark.parametrize("hour", range(0, 24, 3))
async def test_demo_devices_measure_at_any_hour(hour: int) -> None:
    """Every device that joined sends something at every time of day, the same each time."""
    now = datetime(2026, 6, 1, hour, tzinfo=UTC)
    async with (
        Simulator("demo", clock=lambda: now) as sim,
        Simulator("demo", clock=lambda: now) as twin,
    ):
        for device_id, device in sim.devices.items():
            if device.session is None:
                continue
            message = (await sim.uplink(device_id))["uplink_message"]
            same = (await twin.uplink(device_id))["uplink_message"]
            decoded = message.get("decoded_payload")
            assert decoded == same.get("decoded_payload")
            assert bool(decoded) == (device_id not in ("beehive-scale", "pool-thermometer"))


async def test_live_devices_send_by_themselves() -> None:
    """In a live world every device sends soon, except those that can't or don't."""
    slept: list[float] = []
    subscribed, forever = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await (subscribed if seconds <= 3 else forever).wait()

    async with Simulator("demo", live=True, sleep=sleep) as sim, subscriber(sim) as client:
        await client.subscribe("v3/riverside/devices/+/up")
        subscribed.set()
        heard = {topic.split("/")[3] for topic, _ in await received(client, 16)}
    assert heard == set(sim.devices) - {"mailbox", "barn-freezer"}
    assert all(0.2 <= seconds <= 20 for seconds in slept)


async def test_class_c_device_obeys_at_once_and_confirms(demo: Simulator) -> None:
    """Queued, sent; after its next uplink acknowledged, with the new state."""
    async with subscriber(demo, "control") as client:
        await client.subscribe("v3/riverside@ttn/devices/garden-pump/#")
        body = {"decoded_payload": {"socket_status": "off"}, "confirmed": True}
        topic = "v3/riverside@ttn/devices/garden-pump/down/push"
        await client.publish(topic, json.dumps({"downlinks": [body]}))
        kinds = [topic.rpartition("/")[2] for topic, _ in await received(client, 2)]
        assert kinds == ["queued", "sent"]
        await demo.uplink("garden-pump")
        (topic, _), (_, up) = await received(client, 2)
    assert topic.endswith("/down/ack")
    assert up["uplink_message"]["decoded_payload"]["socket_status"] == "off"


async def test_rate_limit_on_a_path(demo: Simulator) -> None:
    """After the burst comes 429, with the seconds to wait."""
    demo.faults.rate_limits["/mqtt-connection-info"] = RateLimit(burst=2, per_minute=6)
    path = "/as/applications/riverside/mqtt-connection-info"
    answers = [await get(demo, path) for _ in range(3)]
    assert [status for status, _, _ in answers] == [200, 200, 429]
    assert answers[2][1]["X-Rate-Limit-Retry"] == "10"


async def test_http_faults(demo: Simulator) -> None:
    """A status on a path, garbage on a path, a server that hangs up."""
    path = "/as/applications/riverside/mqtt-connection-info"
    demo.faults.http_status["/as/"] = 503
    assert (await get(demo, path))[0] == 503
    demo.faults.http_status.clear()
    demo.faults.http_body["/as/"] = b"<html>"
    assert (await get(demo, path))[2] == "<html>"
    demo.faults.http_body.clear()
    demo.faults.http_down = True
    with pytest.raises(aiohttp.ClientError):
        await get(demo, path)
    assert set(demo.requests) == {("GET", f"/api/v3{path}")}


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


async def test_rights_taken_away_count_for_new_calls_only(demo: Simulator) -> None:
    """HTTP refuses at once, the open session goes on."""
    async with subscriber(demo) as client:
        await client.subscribe("v3/riverside@ttn/#")
        demo.set_rights("read", ["INFO"])
        status, _, text = await get(demo, "/as/applications/riverside/devices/gate/down", "read")
        assert status == 403
        assert json.loads(text)["details"][0]["name"] == "insufficient_application_rights"
        await demo.uplink("rain-barrel")
        assert len(await received(client, 1)) == 1


async def test_changes_in_the_registry(demo: Simulator) -> None:
    """Devices come, change and go as in the Console."""
    demo.add_device("new-one", name="New one", attributes={"room": "Attic"})
    demo.update_device("new-one", name="Renamed", description=None)
    assert demo.devices["new-one"].name == "Renamed"
    await demo.uplink("new-one", decoded={"t": 1})
    demo.remove_device("new-one")
    with pytest.raises(KeyError):
        await demo.uplink("new-one")


async def test_closing_with_a_client_that_says_nothing() -> None:
    """Whoever is connected, closing doesn't wait for it."""
    sim = Simulator("garden")
    await sim.start()
    sim.faults.http_delay = 3600
    reader, writer = await asyncio.open_connection(sim.mqtt_host, sim.mqtt_port)
    url = f"{sim.server_url}/api/v3/auth_info"
    async with aiohttp.ClientSession() as session:
        waiting = asyncio.ensure_future(session.get(url))
        while not sim.requests:
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await sim.close()
            with pytest.raises(aiohttp.ClientError):
                await waiting
            assert await reader.read() == b""
    writer.close()


async def test_scripts_run_as_javascript() -> None:
    """A device's own script encodes its downlinks; what is wrong in it is told."""
    script = (
        "function encodeDownlink(i){ if (!i.data.ok) return {errors: ['not ok']};"
        " return {bytes: [i.data.ok, i.fPort], fPort: 9, warnings: ['mind']}; }"
    )
    found = scripts.find("FORMATTER_JAVASCRIPT", script, {})
    assert found.encode is not None
    encoded = found.encode({"ok": 3}, 2)
    assert (encoded.payload, encoded.f_port, encoded.warnings) == (b"\x03\x02", 9, ["mind"])
    with pytest.raises(FormatterError, match="not ok"):
        found.encode({}, 2)
    assert found.decode is not None
    with pytest.raises(ScriptError, match="Decoder"):
        found.decode(b"\x01", 2)
    endless = scripts.find("FORMATTER_JAVASCRIPT", "function decodeUplink(){for(;;);}", {})
    assert endless.decode is not None
    with pytest.raises(ScriptError):
        endless.decode(b"\x01", 2)
