"""The simulator is held to the recordings: same requests, same world, same answers."""

import base64
from datetime import UTC, datetime
from importlib.util import find_spec
import json
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import aiomqtt
import pytest

from tests.recordings import HEADERS, Keys, differences, exchanges, load, mask, timeline
from tests.simulator import RateLimit, Simulator


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(request: pytest.FixtureRequest) -> None:
    """Run without Home Assistant; allow sockets where its test plugin forbids them."""
    if find_spec("pytest_socket") is not None:
        request.getfixturevalue("socket_enabled")


class Replay:
    """Sends recorded requests, lets devices send recorded frames, collects what comes."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 26, tzinfo=UTC)
        self.simulator = Simulator("empty", single_host=True, clock=lambda: self.now)
        self.keys = Keys({"<user key, all rights>": self.simulator.key("user")})
        self.problems: list[str] = []
        self.messages: list[tuple[str, Any]] = []
        self.posts: list[dict[str, Any]] = []
        self.receiver = TestServer(self._receiver())

    def _receiver(self) -> web.Application:
        async def post(request: web.Request) -> web.Response:
            self.posts.append(
                {
                    "path": request.path,
                    "headers": dict(request.headers),
                    "body": await request.json(),
                }
            )
            return web.Response(status=500 if request.path == "/broken" else 200)

        application = web.Application()
        application.router.add_post("/{path:.*}", post)
        return application

    def fill(self, text: str) -> str:
        """Return a recorded text with our keys and our webhook's address."""
        receiver = f"{self.receiver.host}:{self.receiver.port}"
        return self.keys.fill(text).replace("127.0.0.1:9000", receiver)

    async def exchange(self, session: aiohttp.ClientSession, name: str) -> None:
        """Send one recorded request and compare the answers."""
        recorded = load(f"http/{name}.json")
        request, expected = recorded["request"], recorded["response"]
        body = json.dumps(request["json"]) if "json" in request else request.get("text")
        async with session.request(
            request["method"],
            self.simulator.server_url + self.fill(request["path"]),
            headers={key: self.fill(text) for key, text in request["headers"].items()},
            data=None if body is None else self.fill(body),
        ) as response:
            text = await response.text()
            answer = json.loads(text) if text else None
            self.keys.learn(expected["json"], answer)
            ours = {
                "status": response.status,
                "headers": {
                    key: response.headers[key] for key in HEADERS if key in response.headers
                },
                "json": answer,
            }
            assert "X-Request-Id" in response.headers
        headers = {key: expected["headers"][key] for key in HEADERS if key in expected["headers"]}
        self.problems += [
            f"{name}: {line}"
            for line in differences(mask({**expected, "headers": headers}), mask(ours))
        ]

    def radio(self, message: dict[str, Any], follows: list[str]) -> None:
        """Let a device send what the recorded message came from."""
        payload = message["payload"]
        simulator = self.simulator
        device = simulator.devices[payload["end_device_ids"]["device_id"]]
        if "join_accept" in payload:
            simulator.application_server.join(simulator.application, device)
        elif "uplink_message" in payload and not payload.get("simulated"):
            up = payload["uplink_message"]
            device.acknowledges = "down/nack" not in follows
            radio = ("rx_metadata", "settings", "confirmed", "consumed_airtime", "received_at")
            simulator.application_server.uplink(
                simulator.application,
                device,
                f_port=up.get("f_port", 0),
                payload=base64.b64decode(up.get("frm_payload", "")),
                overrides={key: up[key] for key in radio if key in up},
            )


def _kind(message: dict[str, Any]) -> str:
    return "/".join(message["topic"].split("/")[4:])


def _of_one_uplink(messages: list[dict[str, Any]], index: int) -> list[str]:
    """Return the kinds of the messages that an uplink caused."""
    ids = messages[index]["payload"]["correlation_ids"]
    uplink = next((item for item in ids if item.startswith("gs:uplink:")), None)
    return [
        _kind(message) for message in messages if uplink in message["payload"]["correlation_ids"]
    ]


async def _collect(client: aiomqtt.Client, replay: Replay) -> None:
    """Take all messages up to a marker that is published now."""
    await replay.simulator.publish("v3/garden/devices/marker/up", b"{}")
    async for message in client.messages:
        if "/marker/" in str(message.topic):
            return
        assert isinstance(message.payload, bytes)
        replay.messages.append((str(message.topic), json.loads(message.payload)))


async def test_replay_of_the_recorded_day() -> None:
    """From an empty server on, the same requests and frames give the same answers and messages."""
    replay = Replay()
    recordings = {name: load(name) for name in ("mqtt/messages.json", "mqtt/two_gateways.json")}
    spoken = 0
    posts: list[dict[str, Any]] = []
    async with (
        replay.receiver,
        replay.simulator as simulator,
        aiohttp.ClientSession() as session,
    ):
        client: aiomqtt.Client | None = None
        for time, kind, entry in timeline():
            replay.now = time
            if kind == "http":
                name = entry["file"].removeprefix("http/").removesuffix(".json")
                spoken += 1
                if name == "gateways/stats":
                    # What the radio counted until then.
                    stats = load(f"http/{name}.json")["response"]["json"]
                    simulator.stack.connections["roof-gw"] = stats
                if name == "rate_limit/push_0":
                    simulator.faults.rate_limits["/down/push"] = RateLimit(burst=3, per_minute=6)
                await replay.exchange(session, name)
            elif kind == "mqtt":
                if client is None:
                    client = aiomqtt.Client(
                        simulator.mqtt_host,
                        simulator.mqtt_port,
                        username="garden",
                        password=replay.keys.tokens["<application key, read only>"],
                    )
                    await client.__aenter__()
                    await client.subscribe("v3/garden/devices/+/#")
                messages = recordings[entry["file"]]
                follows = _of_one_uplink(messages, entry["index"])
                replay.radio(messages[entry["index"]], follows)
            if client is not None:
                await _collect(client, replay)
            await simulator.webhooks.delivered()
            if entry.get("file") == "http/webhooks/delete_unknown.json":
                posts = list(replay.posts)
        assert client is not None
        await client.__aexit__(None, None, None)
    recorded = [item for messages in recordings.values() for item in messages]
    replay.problems += _compare_messages(recorded, replay.messages)
    replay.problems += _compare_posts(load("webhooks/requests.json"), posts)
    assert not replay.problems, "\n".join(replay.problems)
    assert spoken == len(exchanges())


async def test_events_of_a_device_s_life() -> None:
    """The registry's events are those recorded, in the recorded framing."""
    life = [name for name in exchanges() if name.startswith("devices/lifecycle_")]
    recorded = [
        event["result"]
        for event in load("events/live.json")
        if "end_device." in event["result"]["name"]
        and event["result"]["identifiers"][0]["device_ids"]["device_id"] == "short-life"
    ]
    replay = Replay()
    async with replay.simulator as simulator, aiohttp.ClientSession() as session:
        for time, kind, entry in timeline():
            name = entry.get("file", "").removeprefix("http/").removesuffix(".json")
            if kind == "http" and name.startswith(
                ("applications/create", "api_keys/create_manage")
            ):
                replay.now = time
                await replay.exchange(session, name)
        token = replay.keys.tokens["<application key, manage>"]
        async with session.post(
            f"{simulator.server_url}/api/v3/events",
            json={"identifiers": [{"application_ids": {"application_id": "garden"}}]},
            headers={"Authorization": f"Bearer {token}"},
        ) as stream:
            assert stream.content_type == "text/event-stream"
            start = json.loads(await stream.content.readuntil(b"\n\n"))["result"]
            assert start["name"] == "events.stream.start"
            ours = []
            for name in life:
                await replay.exchange(session, name)
                event = json.loads(await stream.content.readuntil(b"\n\n"))["result"]
                ours.append(event)
    for event in recorded + ours:
        # Where and through which call it happened.
        for name in ("origin", "correlation_ids", "user_agent", "authentication"):
            event.pop(name, None)
    problems = differences(mask(recorded), mask(ours))
    assert not problems, "\n".join(problems)


def _compare_messages(recorded: list[dict[str, Any]], ours: list[tuple[str, Any]]) -> list[str]:
    problems = []
    for topic in sorted({item["topic"] for item in recorded} | {topic for topic, _ in ours}):
        left = [mask(item["payload"]) for item in recorded if item["topic"] == topic]
        right = [mask(payload) for name, payload in ours if name == topic]
        problems += [f"{topic}: {line}" for line in differences(left, right, "messages")]
    # `sent` is on its way while the uplink is still being worked on; the rest has an order.
    return problems + differences(
        _orders([item["topic"] for item in recorded]), _orders([topic for topic, _ in ours])
    )


def _orders(topics: list[str]) -> dict[str, list[str]]:
    """Return the order of the kinds of messages of each device."""
    orders: dict[str, list[str]] = {}
    for topic in topics:
        device_id, _, kind = topic.removeprefix("v3/garden/devices/").partition("/")
        if kind != "down/sent":
            orders.setdefault(device_id, []).append(kind)
    return orders


def _compare_posts(recorded: list[dict[str, Any]], ours: list[dict[str, Any]]) -> list[str]:
    """Compare what webhooks got; deliveries have no order."""
    return differences(_posts(recorded), _posts(ours), "webhooks")


def _posts(posts: list[dict[str, Any]]) -> list[Any]:
    return sorted(
        (_post(post) for post in posts), key=lambda item: json.dumps(item, sort_keys=True)
    )


def _post(post: dict[str, Any]) -> Any:
    transport = ("Host", "Content-Length", "Accept", "Accept-Encoding")
    headers = {key.title(): value for key, value in post["headers"].items() if key not in transport}
    return mask({"path": post["path"], "headers": headers, "body": post["body"]})
