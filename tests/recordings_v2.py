"""The recordings of a v2 stack, and how they are compared with the simulator."""

import base64
from collections.abc import Iterable
import json
import re
from typing import Any, Self

import aiomqtt

from tests.recordings import FIXTURES, load
from tests.simulator.v2 import Simulator

APPLICATIONS = ("garden", "lpp-garden", "raw-garden", "empty-garden", "neighbour")
HEADERS = (
    "Content-Type",
    "Grpc-Metadata-Content-Type",
    "Grpc-Metadata-Selected",
    "Grpc-Metadata-Total",
    "X-Content-Type-Options",
)
RADIO = ("frequency", "modulation", "data_rate", "bit_rate", "airtime", "coding_rate", "gateways")
"""What of an uplink's metadata a gateway says."""
_ADDRESSES = ("", "26000ABC", "49000001")
_SESSION_KEYS = ("", "11" * 16, "22" * 16)
# Values that the radio, the dice or the set-up decide.
_MASKED_KEYS = {
    "last_seen",
    "timestamp",
    "public_key",
    "certificate",
    "api_address",
    "mqtt_address",
    "register_on_join_access_key",
}
_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\b\d+m\d+s\b|\b\d+(\.\d+)?ms\b"), "<duration>"),
    (re.compile(r"(Registered on join on) .+"), r"\1 <time>"),
    # The engine's own words: the simulator's is another one.
    (re.compile(r"threw error: (?!Error: ).+"), "threw error: <syntax error>"),
)


def exchanges() -> set[str]:
    """Return the names of all recorded exchanges, `topic/case`."""
    found = (FIXTURES / "v2/http").glob("*/*.json")
    return {f"{path.parent.name}/{path.stem}" for path in found}


def exchange(name: str) -> dict[str, Any]:
    """Return a recorded exchange."""
    recorded: dict[str, Any] = load(f"v2/http/{name}.json")
    return recorded


def mask(value: Any, key: str = "") -> Any:
    """Return the value with times, addresses, keys and frames made alike."""
    if key in _MASKED_KEYS:
        return f"<{key}>"
    if key == "dev_addr" and value not in _ADDRESSES:
        return "<dev_addr>"
    if key in ("nwk_s_key", "app_s_key") and value not in _SESSION_KEYS:
        return f"<{key}>"
    match value:
        case {"payload": str(frame), "message": message, "config": config}:
            # Which window and data rate, the network chooses for each one anew.
            config = {name: config[name] for name in config if name in ("counter", "modulation")}
            rest = {name: mask(item, name) for name, item in value.items() if name != "config"}
            return {**rest, "payload": _frame(frame, message), "config": config}
        case dict():
            return {name: mask(item, name) for name, item in value.items()}
        case list():
            return [mask(item) for item in value]
        case str():
            for pattern, replacement in _MASKS:
                value = pattern.sub(replacement, value)
    return value


def _frame(text: str, message: dict[str, Any]) -> str:
    """Return what can be compared of a frame: its type, and with a payload its length."""
    frame = base64.b64decode(text)
    length = f" of {len(frame)} bytes" if "payload_raw" in message else ""
    return f"<frame {frame[0]:02x}{length}>"


def content(message: dict[str, Any]) -> tuple[str, Any]:
    """Return topic and masked payload of a recorded message."""
    payload = message["payload"]
    if payload is None and (text := message.get("text")) is not None:
        return message["topic"], parsed(text)
    return message["topic"], mask(payload)


def parsed(text: str) -> Any:
    """Return a payload in JSON, masked; a text where it is none."""
    try:
        return mask(json.loads(text))
    except ValueError:
        return f"text {text!r}"


class Listener:
    """The applications' own users: publishes for them, and collects what they receive."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._clients = {
            application_id: aiomqtt.Client(
                sim.mqtt_host,
                sim.mqtt_port,
                username=application_id,
                password=sim.key("default", application_id),
                timeout=60,
            )
            for application_id in APPLICATIONS
        }

    async def __aenter__(self) -> Self:
        """Connect and subscribe."""
        for application_id, client in self._clients.items():
            await client.__aenter__()
            await client.subscribe(f"{application_id}/#")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        for client in self._clients.values():
            await client.__aexit__(None, None, None)

    async def publish(self, topic: str, payload: str, qos: int = 0, *, user: str) -> None:
        """Publish as an application's user, and wait until the broker has it."""
        # With QoS 0 nothing says when it was taken; what is acknowledged behind it does.
        await self._clients[user].publish(topic, payload, qos=qos)
        await self._clients[user].publish("nowhere", b"", qos=1)

    async def collect(self) -> list[tuple[str, Any]]:
        """Return topic and masked payload of what came since the last time."""
        received = []
        for application_id, client in self._clients.items():
            marker = f"{application_id}/devices/marker/up"
            await self._sim.publish(marker, b"{}")
            async for message in client.messages:
                if str(message.topic) == marker:
                    break
                assert isinstance(message.payload, bytes)
                assert (message.qos, message.retain) == (0, False)
                received.append((str(message.topic), parsed(message.payload.decode())))
        return received


def kinds(messages: Iterable[tuple[str, Any]]) -> dict[str, list[str]]:
    """Return the order of the kinds of messages of each device, but for what comes in any order."""
    orders: dict[str, list[str]] = {}
    for topic, _ in messages:
        application_id, _, device_id, kind = topic.split("/", 3)
        if not kind.startswith("up/") and kind != "events/up/errors":
            orders.setdefault(f"{application_id}/{device_id}", []).append(kind)
    return orders


def by_topic(messages: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    """Return the payloads of each topic, in order."""
    topics: dict[str, list[Any]] = {}
    for topic, payload in messages:
        topics.setdefault(topic, []).append(payload)
    return topics


async def radio(sim: Simulator, message: dict[str, Any], **options: Any) -> dict[str, Any] | None:
    """Let a device send the frame that a recorded uplink came from."""
    up = message["payload"]
    metadata = {name: up["metadata"].get(name) for name in RADIO}
    return await sim.uplink(
        up["dev_id"],
        port=up["port"],
        payload=base64.b64decode(up["payload_raw"] or ""),
        counter=up["counter"],
        confirmed=up.get("confirmed", False),
        metadata=metadata,
        **options,
    )
