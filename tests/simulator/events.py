"""The event stream: who did what in the registry, what came from devices."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
import json
from typing import Any

from aiohttp import web

from . import errors, rights
from .encoding import get_path, moment, timestamp
from .errors import RefusedError
from .event_names import check_names, has_name
from .http_server import Call, json_answer
from .model import Device, Stack

_FROM_MESSAGES = {
    "up": "as.up.data.forward",
    "up/normalized": "as.up.normalized.forward",
    "join": "as.up.join.forward",
    "location/solved": "as.up.location.forward",
    "service/data": "as.up.service.forward",
    "down/sent": "as.down.data.sent.forward",
    "down/ack": "as.down.data.ack.forward",
    "down/nack": "as.down.data.nack.forward",
}
_SERVERS = {"is": "", "js": "js.", "ns": "ns.", "as": "as."}
_TYPES = "type.googleapis.com/ttn.lorawan.v3."


@dataclass(eq=False)
class Subscriber:
    """A stream that is open."""

    wants: Callable[[dict[str, Any]], bool]
    names: list[str]
    waiting: asyncio.Queue[dict[str, Any] | None] = field(default_factory=asyncio.Queue)


class EventHub:
    """All events of the stack; remembers the last hundred where `history` is kept."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.history = True
        self.subscribers: list[Subscriber] = []
        self._past: deque[dict[str, Any]] = deque(maxlen=100)

    def publish(self, name: str, device: Device, right: str, **more: Any) -> None:
        """Let an event happen to a device."""
        euis = {} if "update" in name or "delete" in name else device.ids
        ids = {
            **euis,
            "device_id": device.device_id,
            "application_ids": {"application_id": device.application_id},
        }
        event = {
            "name": name,
            "time": self._time(),
            "identifiers": [{"device_ids": ids}],
            **more,
            "origin": "simulator",
            "visibility": {"rights": [right]},
            "unique_id": self._stack.ulid(),
        }
        self.replay(event)

    def replay(self, event: dict[str, Any]) -> None:
        """Let an event happen as it was recorded."""
        self._past.append(event)
        for subscriber in self.subscribers:
            if subscriber.wants(event):
                subscriber.waiting.put_nowait(event)

    def registry(
        self,
        server: str,
        what: str,
        device: Device,
        call: Call | None = None,
        data: list[str] | None = None,
    ) -> None:
        """Publish that a server's part of a device was created, changed or deleted."""
        more: dict[str, Any] = {}
        if data is not None:
            more["data"] = {"@type": "type.googleapis.com/google.protobuf.Value", "value": data}
        if call is not None and call.key is not None:
            more["authentication"] = {
                "type": "Bearer",
                "token_type": "APIKey",
                "token_id": call.key.key_id,
            }
            more["remote_ip"] = call.request.remote or ""
            more["user_agent"] = call.request.headers.get("User-Agent", "")
        name = f"{_SERVERS[server]}end_device.{what}"
        self.publish(name, device, rights.DEVICES_READ, **more)

    def message(self, device: Device, kind: str, envelope: dict[str, Any]) -> None:
        """Publish what was published over MQTT, too.

        As recorded, nothing says that a downlink is queued or has failed: see `received` and
        `dropped`.
        """
        if name := _FROM_MESSAGES.get(kind):
            data = {"@type": f"{_TYPES}ApplicationUp", **envelope}
            self.publish(name, device, rights.TRAFFIC_READ, data=data)

    def received(self, device: Device, downlink: dict[str, Any], names: list[str]) -> None:
        """Publish that the server has a downlink; `names` are the correlation IDs of the call."""
        data = {"@type": f"{_TYPES}ApplicationDownlink", **downlink}
        self.publish(
            "as.down.data.receive", device, rights.TRAFFIC_READ, data=data, correlation_ids=names
        )

    def dropped(self, device: Device, error: dict[str, Any], names: list[str]) -> None:
        """Publish that a downlink will not be sent; only `names` say which."""
        data = {"@type": f"{_TYPES}ErrorDetails", **error}
        self.publish(
            "as.down.data.drop", device, rights.TRAFFIC_READ, data=data, correlation_ids=names
        )

    def close(self) -> None:
        """End all streams, as a server that restarts does."""
        for subscriber in self.subscribers:
            subscriber.waiting.put_nowait(None)

    def freeze(self) -> None:
        """Let all streams be half open: they stay, and nothing comes of them any longer."""
        for subscriber in self.subscribers:
            subscriber.wants = lambda _event: False

    def _time(self) -> str:
        return timestamp(self._stack.now(), nanoseconds=self._stack.random.randrange(1000))

    async def stream(self, call: Call, *, registry: bool, cluster: bool) -> web.StreamResponse:
        """Answer POST /events on a host that has the registry's events, the cluster's, or both."""
        try:
            body = await call.body()
            granted = _check(call, body)
        except RefusedError as error:
            return json_answer(error.status, {"error": error.body()}, call.request_id, {})
        wants = _filter(body, granted, registry=registry, cluster=cluster)
        subscriber = Subscriber(wants, list(body.get("names") or []))
        self.subscribers.append(subscriber)
        headers = {"Content-Type": "text/event-stream", "X-Request-Id": call.request_id}
        history = body.get("tail") or body.get("after")
        if history and not self.history:
            headers["X-Warning"] = "events storage is not enabled"
        response = web.StreamResponse(headers=headers)
        try:
            await response.prepare(call.request)
            await _write(response, self._start(body))
            if history and self.history:
                for event in self._remembered(body, wants):
                    await _write(response, event)
            while (item := await subscriber.waiting.get()) is not None:
                await _write(response, item)
        finally:
            self.subscribers.remove(subscriber)
        return response

    def _start(self, body: dict[str, Any]) -> dict[str, Any]:
        start: dict[str, Any] = {
            "name": "events.stream.start",
            "time": self._time(),
            "identifiers": body["identifiers"],
        }
        if names := body.get("names"):
            start["data"] = {"@type": "type.googleapis.com/google.protobuf.Value", "value": names}
        return {**start, "origin": "simulator", "unique_id": self._stack.ulid()}

    def _remembered(
        self, body: dict[str, Any], wants: Callable[[dict[str, Any]], bool]
    ) -> list[dict[str, Any]]:
        after: datetime | None = moment(body["after"]) if body.get("after") else None
        past = [
            event
            for event in self._past
            if wants(event) and (after is None or moment(event["time"]) > after)
        ]
        return past[-int(body["tail"]) :] if body.get("tail") else past


async def _write(response: web.StreamResponse, event: dict[str, Any]) -> None:
    text = json.dumps({"result": event}, separators=(",", ":"), ensure_ascii=False)
    await response.write(text.encode() + b"\n\n")


def _filter(
    body: dict[str, Any], granted: frozenset[str], *, registry: bool, cluster: bool
) -> Callable[[dict[str, Any]], bool]:
    names = body.get("names") or []
    wanted = [item.get("device_ids") or item.get("application_ids") for item in body["identifiers"]]

    def wants(event: dict[str, Any]) -> bool:
        ids = event["identifiers"][0]["device_ids"]
        of_registry = event["name"].startswith("end_device.")
        return (
            (registry if of_registry else cluster)
            and any(_is_meant(item, ids) for item in wanted)
            and (not names or any(has_name(event["name"], name) for name in names))
            and bool(granted.intersection(event["visibility"]["rights"]))
        )

    return wants


def _is_meant(wanted: dict[str, Any], ids: dict[str, Any]) -> bool:
    if "device_id" in wanted:
        return bool(wanted["device_id"] == ids["device_id"])
    return bool(wanted.get("application_id") == ids["application_ids"]["application_id"])


def _check(call: Call, body: dict[str, Any]) -> frozenset[str]:
    """Return the caller's rights; raise what a request for events is refused with."""
    if not body.get("identifiers"):
        raise RefusedError(
            errors.INVALID_ARGUMENT, "pkg/events/grpc", "no_identifiers", "no identifiers"
        )
    granted: frozenset[str] = frozenset()
    for item in body["identifiers"]:
        ids = item.get("application_ids") or get_path(item, "device_ids.application_ids") or {}
        call.require(ids.get("application_id", ""))
        granted |= call.stack.granted(call.key, ids.get("application_id", ""))
    check_names(body.get("names") or [])
    return granted
