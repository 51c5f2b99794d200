"""The worlds and their devices: tenants, formatters, a lively house."""

import asyncio
from datetime import UTC, datetime
import json
import ssl

import aiohttp
import aiomqtt
import pytest

from tests.simulator import Simulator, scripts
from tests.simulator.errors import RefusedError
from tests.simulator.formatters import FormatterError, ScriptError
from tests.simulator_tests.clients import change, received, subscriber


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


async def test_a_repaired_formatter_decodes_what_the_broken_one_did_not(demo: Simulator) -> None:
    """What is wrong with the pool's thermometer is in its formatter alone."""
    assert "decoded_payload" not in (await demo.uplink("pool-thermometer"))["uplink_message"]
    fields = {
        "formatters": {
            "up_formatter": "FORMATTER_JAVASCRIPT",
            "up_formatter_parameter": "function decodeUplink(i) { return {data: {n: i.fPort}}; }",
        }
    }
    path = "/as/applications/riverside/devices/pool-thermometer"
    assert (await change(demo, path, "end_device", fields)).status == 200
    message = (await demo.uplink("pool-thermometer"))["uplink_message"]
    assert message["decoded_payload"] == {"n": 4}
    await change(demo, path, "end_device", {"formatters": {"up_formatter": "FORMATTER_NONE"}})
    assert "decoded_payload" not in (await demo.uplink("pool-thermometer"))["uplink_message"]


async def test_changes_in_the_registry(demo: Simulator) -> None:
    """Devices come, change and go as in the Console."""
    demo.add_device("new-one", name="New one", attributes={"room": "Attic"})
    demo.update_device("new-one", name="Renamed", description=None)
    with pytest.raises(RefusedError):
        demo.update_device("new-one", name="n" * 51)
    with pytest.raises(RefusedError):
        demo.add_device("New_One")
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
        async with asyncio.timeout(60):
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
