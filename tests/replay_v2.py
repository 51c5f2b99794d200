"""A recorded day of a v2 stack, sent to the simulator again."""

import base64
from datetime import timedelta
import json
import re
from typing import Any

import aiohttp

from tests.recordings import differences, load
from tests.recordings_v2 import HEADERS, Listener, exchange, mask, radio
from tests.simulator.v2 import Simulator


class Day:
    """Sends recorded requests and frames, and collects what comes."""

    def __init__(self, sim: Simulator, session: aiohttp.ClientSession) -> None:
        self.sim = sim
        self.session = session
        self.listener = Listener(sim)
        self.messages = load("v2/mqtt/messages.json")
        self.problems: list[str] = []
        self.spoken: set[str] = set()
        self.received: list[tuple[str, Any]] = []
        now = sim.stack.now()
        key = sim.key("default", "garden")
        self._roles = {
            "<application access key>": key,
            "<application access key, cut off at the end>": key[:-5],
            "<application access key, without its issuer>": key.partition(".")[2],
            "<application access key, all rights>": sim.key("all", "garden"),
            **{
                f"<application access key, {role} only>": sim.key(role, "garden")
                for role in ("devices", "settings", "messages")
            },
            "<neighbour application access key>": sim.key("default", "neighbour"),
            "<lpp application access key>": sim.key("default", "lpp-garden"),
            "<user's access token>": sim.token,
            "<expired access token>": sim.token_until(now - timedelta(minutes=33, seconds=17)),
        }

    def _fill(self, text: str) -> str:
        return re.sub(r"<[^<>]*(?:key|token)[^<>]*>", lambda found: self._roles[found[0]], text)

    async def exchange(self, name: str) -> None:
        """Send one recorded request and compare the answers."""
        recorded = exchange(name)
        request, expected = recorded["request"], recorded["response"]
        body = json.dumps(request["json"]) if "json" in request else request.get("text")
        headers = {key: self._fill(text) for key, text in request["headers"].items()}
        base = self.sim.handler_url
        if name.startswith("discovery/"):
            base = self.sim.discovery_url
        async with self.session.request(
            request["method"],
            base + request["path"],
            headers=headers,
            data=None if body is None else self._fill(body),
        ) as response:
            text = await response.text()
            known = response.content_type == "application/json"
            ours = {
                "status": response.status,
                "headers": {
                    key: response.headers[key] for key in HEADERS if key in response.headers
                },
                "json": json.loads(text) if known else {"_text": text},
            }
        shown = {key: expected["headers"][key] for key in HEADERS if key in expected["headers"]}
        self.problems += [
            f"{name}: {line}"
            for line in differences(mask({**expected, "headers": shown}), mask(ours))
        ]
        self.spoken.add(name)

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        """Do what the recording doesn't show, as the user."""
        headers = {"Authorization": f"Bearer {self.sim.token}"}
        url = f"{self.sim.handler_url}/applications{path}"
        async with self.session.request(method, url, json=body, headers=headers) as response:
            assert response.status == 200, await response.text()

    async def device(self, application_id: str, device_id: str, **fields: Any) -> None:
        """Create or change a device as the user, `lorawan_device`'s fields by their names."""
        outer = ("description", "latitude", "longitude", "altitude")
        ids = {"app_id": application_id, "dev_id": device_id}
        lorawan = {name: item for name, item in fields.items() if name not in outer}
        body = {name: fields[name] for name in fields if name in outer}
        body |= {**ids, "lorawan_device": {**ids, **lorawan}}
        await self.call("POST", f"/{application_id}/devices/{device_id}", body)

    async def steps(self, first: str, last: str) -> None:
        """Let devices do what the steps of the recorded run say, from the first to the last."""
        steps = load("v2/mqtt/steps.json")
        names = [step["what"] for step in steps]
        for step in steps[names.index(first) : names.index(last) + 1]:
            await self._step(step["what"], self.messages[step["from_message"] : step["to_message"]])
            self.received += await self.listener.collect()

    async def _step(self, what: str, messages: list[dict[str, Any]]) -> None:
        for index, message in enumerate(messages):
            application_id, _, device_id, kind = message["topic"].split("/", 3)
            payload = message["payload"]
            match kind:
                case "events/activations":
                    await self.sim.join(device_id)
                case "events/activations/errors":
                    await self.sim.join_failed(device_id, payload["error"])
                case "down":
                    await self.listener.publish(
                        message["topic"], json.dumps(payload), user=application_id
                    )
                case "up" if isinstance(payload, dict) and "gateways" in payload["metadata"]:
                    follows = messages[index + 1 :]
                    await radio(self.sim, message, answered=_answered(follows))
                case "up" if isinstance(payload, dict):
                    frame = base64.b64decode(payload["payload_raw"] or "")
                    await self.sim.simulate(device_id, payload["port"], frame)
        if what == "the validator says no: dropped":
            await self.sim.uplink("weather-station", port=93, payload=b"\x01")
        elif what == "an old counter: dropped" or what.endswith("after two seconds: dropped"):
            device = self.sim.device("greenhouse-climate")
            old = await self.sim.uplink(device.device_id, port=2, counter=device.counter)
            assert old is None


def _answered(follows: list[dict[str, Any]]) -> bool:
    """Return whether the network answered an uplink, to judge by the messages after it."""
    for message in follows:
        if message["topic"].endswith("/up") and isinstance(message["payload"], dict):
            return False
        if message["topic"].endswith("events/down/sent"):
            return True
    return False
