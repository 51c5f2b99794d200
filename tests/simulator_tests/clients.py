"""Plain clients of the simulator over MQTT and HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import json
from typing import Any

import aiohttp
import aiomqtt

from tests.simulator import Simulator

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def subscriber(sim: Simulator, role: str = "read") -> aiomqtt.Client:
    """Return a client with the key of a role."""
    return aiomqtt.Client(
        sim.mqtt_host, sim.mqtt_port, username=sim.uid, password=sim.key(role), timeout=60
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


@dataclass
class Answer:
    """What the simulator answers over HTTP."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """Return the body of an answer in JSON."""
        return json.loads(self.text)

    @property
    def results(self) -> list[Any]:
        """Return the messages of a streamed answer."""
        return [json.loads(line)["result"] for line in self.text.splitlines() if line]

    @property
    def name(self) -> str:
        """Return which error it is."""
        details = self.json["details"][0]
        return f"{details['namespace']}:{details['name']}"

    @property
    def causes(self) -> list[tuple[str, str]]:
        """Return field and reason of a validation error, from the outermost to the innermost."""
        causes, details = [], self.json["details"][0]
        while details is not None:
            causes.append((details["attributes"]["field"], details["attributes"]["reason"]))
            details = details.get("cause")
        return causes


async def call(
    sim: Simulator, method: str, path: str, role: str = "manage", **options: Any
) -> Answer:
    """Return the answer of the cluster, which is the Identity Server where there is one host."""
    headers = {"Authorization": f"Bearer {sim.key(role)}", **options.pop("headers", {})}
    url = f"{sim.server_url}/api/v3{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers, **options) as response,
    ):
        return Answer(response.status, dict(response.headers), await response.text())


async def get(sim: Simulator, path: str, role: str = "manage", **options: Any) -> Answer:
    """Return the answer to a GET."""
    return await call(sim, "GET", path, role, **options)


async def change(
    sim: Simulator, path: str, message: str, fields: dict[str, Any], mask: Sequence[str] = ()
) -> Answer:
    """Return the answer to a PUT of `fields`, each of them in the mask if none is given."""
    body = {message: fields, "field_mask": {"paths": list(mask or fields)}}
    return await call(sim, "PUT", path, json=body)
