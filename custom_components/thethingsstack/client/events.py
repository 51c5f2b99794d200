"""The event stream over HTTP: what happens to an application, also in its registry.

There is no heartbeat and no order; the history that bridges a gap may not be kept by the server.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
import logging
import re
from typing import Any, Self

from . import json_values
from .api import Calls
from .errors import (
    AuthenticationFailed,
    InvalidRequest,
    MissingRight,
    NotFound,
    ProtocolMismatch,
    RequestTimeout,
    StackError,
)
from .models import EndDeviceIds
from .transport import Host

_LOGGER = logging.getLogger(__name__)
_START = "events.stream.start"
_REMEMBERED = 256
BACKOFF_CAP = 120.0
IDLE = 300.0
QUIET = 5.0
TAIL = 1_000
"""Events that are asked for; the server keeps as many for a slow reader, else 8."""
START_TIMEOUT = 20.0
"""Seconds until the server says that the stream begins; what holds it back is no way to use."""
STEADY = 30.0
"""Seconds that a connection holds which is worth being made again at once."""

REGISTRY_EVENTS = (
    "end_device.create",
    "end_device.update",
    "end_device.delete",
    "end_device.batch.delete",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event; `data` depends on its name. That of updates has the names of changed fields."""

    name: str
    unique_id: str
    time: datetime | None
    devices: tuple[EndDeviceIds, ...]
    data: Any
    raw: Mapping[str, Any]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read an event."""
        content = json_values.mapping(data.get("data"))
        wrapped = str(content.get("@type", "")).endswith(("protobuf.Value", "protobuf.Struct"))
        return cls(
            name=json_values.text(data.get("name")) or "",
            unique_id=json_values.text(data.get("unique_id")) or "",
            time=json_values.time(data.get("time")),
            devices=tuple(
                EndDeviceIds.from_json(json_values.mapping(item.get("device_ids")))
                for item in json_values.objects(data.get("identifiers"))
                if "device_ids" in item
            ),
            data=content.get("value") if wrapped else content or None,
            raw=data,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsConnected:
    """The stream is connected; `history` is whether it begins with the events that were missed."""

    history: bool
    at: datetime | None = field(default=None, compare=False)
    """When, by the server's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsLost:
    """The connection is lost, and is being opened again."""

    error: StackError | None


type EventItem = Event | EventsConnected | EventsLost


class Events:
    """The events of the application."""

    def __init__(self, calls: Calls, *, random: Callable[[], float]) -> None:
        """Make requests with `calls`."""
        self._calls = calls
        self._random = random

    async def stream(
        self,
        names: Sequence[str] = (),
        *,
        device_ids: Iterable[str] = (),
        tail: int = 0,
        after: datetime | None = None,
        host: Host | None = None,
        idle: float = IDLE,
        before_connecting: Callable[[], Awaitable[None]] | None = None,
    ) -> AsyncGenerator[EventItem]:
        """Yield events for ever, and what happens to the connection; it connects again by itself.

        `names` are exact or `/regular expressions/`; all without. `tail` and `after` ask for
        history. Registry events come from the Identity Server's `host` ("identity"). After `idle`
        seconds without an event the connection is made anew. What `before_connecting` raises, the
        stream raises.

        Raises AuthenticationFailed, MissingRight (any right on the application will do), NotFound
        or ProtocolMismatch where the server has no such stream, InvalidRequest (`unknown_event_name`,
        `no_matching_events`, `invalid_regexp`). Close it to leave.
        """
        ids = self._identifiers(device_ids)
        seen: deque[str] = deque(maxlen=_REMEMBERED)
        failures = 0
        ever = False
        while True:
            body: dict[str, Any] = {"identifiers": ids}
            if names:
                body["names"] = list(names)
            if tail or (ever and after is not None):
                body["tail"] = tail or TAIL
            if after is not None:
                body["after"] = after.astimezone(UTC).isoformat().replace("+00:00", "Z")
            failure: StackError | None = None
            if before_connecting is not None:
                await before_connecting()
            opened = asyncio.get_running_loop().time()
            try:
                async with aclosing(self._once(body, host, idle)) as items:
                    async for item in items:
                        ever, tail = True, 0
                        if isinstance(item, Event):
                            failures = 0
                            if item.unique_id in seen:
                                continue
                            seen.append(item.unique_id)
                            after = max(filter(None, (after, item.time)), default=None)
                        elif after is None:
                            after = item.at
                        yield item
            except InvalidRequest as error:
                raise _explained(error, names) from error
            except (AuthenticationFailed, MissingRight, NotFound):
                raise
            except ProtocolMismatch:
                if not ever:
                    raise
            except StackError as error:
                failure = error
                _LOGGER.debug("No events from %s: %s", self._calls.connection.server_host, error)
            if asyncio.get_running_loop().time() - opened > STEADY:
                failures = 0
            yield EventsLost(error=failure)
            await self._calls.sleep(self._random() * min(BACKOFF_CAP, 2.0 ** min(failures, 7)))
            failures += 1

    async def past(
        self, names: Sequence[str] = (), *, after: datetime, quiet: float = QUIET
    ) -> AsyncGenerator[Event]:
        """Yield the application's events after a time, as far as the server keeps them, and end.

        By default a server keeps 100 events of an application, and what they carry for 10 minutes;
        nothing comes from one without history. The end is an event newer than the request, or
        `quiet` seconds without one: the server doesn't name it. Raises StackError.
        """
        body = {
            "identifiers": self._identifiers(()),
            "names": list(names),
            "tail": TAIL,
            "after": after.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        }
        asked_at: datetime | None = None
        answered = False
        async with aclosing(self._once(body, None, IDLE)) as items:
            while True:
                try:
                    async with asyncio.timeout(quiet if answered else None):
                        item = await anext(items)
                except (StopAsyncIteration, TimeoutError):
                    return
                if isinstance(item, EventsConnected):
                    answered, asked_at = True, item.at
                    if not item.history:
                        return
                elif asked_at is not None and item.time is not None and item.time > asked_at:
                    return
                else:
                    yield item

    async def _once(
        self, body: Mapping[str, Any], host: Host | None, idle: float
    ) -> AsyncGenerator[Event | EventsConnected]:
        opened = self._calls.lines(
            "events", method="POST", json=body, host=host, timeout=None, idle=idle
        )
        try:
            async with asyncio.timeout(START_TIMEOUT) as limit, opened as (lines, headers):
                async for line in lines:
                    limit.reschedule(None)
                    event = Event.from_json(line)
                    if event.name == _START:
                        yield EventsConnected(history="X-Warning" not in headers, at=event.time)
                    elif event.name:
                        yield event
        except TimeoutError:
            raise RequestTimeout(
                "the server opened the event stream and sent nothing", name="no_events"
            ) from None

    def _identifiers(self, device_ids: Iterable[str]) -> list[dict[str, Any]]:
        application = {"application_id": self._calls.application_id}
        devices = [
            {"device_ids": {"device_id": device_id, "application_ids": application}}
            for device_id in device_ids
        ]
        return devices or [{"application_ids": application}]


def _explained(error: InvalidRequest, names: Sequence[str]) -> InvalidRequest:
    """Return the refusal of a broken expression with what is wrong, which the server doesn't say."""
    if error.name != "invalid_regexp":
        return error
    text = "the server can't read one of the expressions; it knows the syntax RE2"
    for name in names:
        try:
            re.compile(name.strip("/"))
        except re.error as reason:
            text = f"the expression `{name}` can't be read: {reason}"
            break
    return InvalidRequest(text, name=error.name, namespace=error.namespace, status=error.status)
