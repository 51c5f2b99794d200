"""What becomes of downlinks, as the event stream has it.

There is no event for a downlink that is queued, and none for one that failed is certain: the server
says that it received the downlink, with all its correlation IDs, and right after that it dropped it,
with the error alone. These events are put together to the reports that MQTT brings.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import json_values
from .errors import BadMessage
from .events import Event
from .messages import DownlinkReport, Message, parse_message

RECEIVED = "as.down.data.receive"
DROPPED = "as.down.data.drop"
GRACE = 0.5
"""Seconds after which a downlink that was received and not dropped counts as queued."""

_SERVER_TAG = "as:downlink:"
_REMEMBERED = 256


class DownlinkEvents:
    """Turns the events about received and dropped downlinks into reports.

    `report` is called with each; `grace` is how many seconds a downlink may take to be dropped.
    """

    def __init__(self, report: Callable[[Message], None], *, grace: float = GRACE) -> None:
        """Know no downlink yet."""
        self._report = report
        self._grace = grace
        self._known: dict[str, Mapping[str, Any]] = {}
        """The last downlinks by the ID that the server gave them."""
        self._waiting: dict[str, tuple[Message, asyncio.TimerHandle]] = {}

    def take(self, event: Event) -> None:
        """Take an event about a received or a dropped downlink; raises BadMessage."""
        data = json_values.mapping(event.raw.get("data"))
        if event.name == RECEIVED:
            self._received(event, data)
        else:
            self._dropped(event, data)

    def before(self, report: DownlinkReport) -> None:
        """Report the end device's queued downlinks before what became of one of them."""
        self._report_waiting(report.ids.device_id)
        if (name := _server_id(report.downlink_correlation_ids)) is not None:
            self._remember(name, report.downlink)

    def close(self) -> None:
        """Report the downlinks that were received and not dropped."""
        for name in list(self._waiting):
            self._queued(name)

    def _received(self, event: Event, data: Mapping[str, Any]) -> None:
        name = _server_id(json_values.texts(data.get("correlation_ids")))
        if name is None:
            return  # nothing could be matched to it
        downlink = {key: value for key, value in data.items() if key != "@type"}
        message = _message(event, "downlink_queued", downlink, downlink)
        self._remember(name, downlink)
        if (earlier := self._waiting.pop(name, None)) is not None:
            earlier[1].cancel()
        timer = asyncio.get_running_loop().call_later(self._grace, self._queued, name)
        self._waiting[name] = (message, timer)

    def _dropped(self, event: Event, data: Mapping[str, Any]) -> None:
        names = json_values.texts(event.raw.get("correlation_ids"))
        name = _server_id(names) or self._of_the_same_call(names)
        if name is None:
            return  # a downlink of before this stream
        if name in self._waiting:
            self._report_waiting(self._waiting[name][0].ids.device_id, before=name)
            self._waiting.pop(name)[1].cancel()
        downlink = self._known.pop(name, None) or {"correlation_ids": list(names)}
        error = {key: value for key, value in data.items() if key != "@type"}
        body = {"downlink": downlink, "error": error}
        self._report(_message(event, "downlink_failed", body, downlink))

    def _of_the_same_call(self, names: Iterable[str]) -> str | None:
        """Return the first downlink of a call of several: their drops name the call alone."""
        for known in (self._waiting, self._known):
            for name in known:
                of_downlink = json_values.texts(self._known[name].get("correlation_ids"))
                if not set(names).isdisjoint(of_downlink):
                    return name
        return None

    def _report_waiting(self, device_id: str, *, before: str | None = None) -> None:
        """Report an end device's downlinks as queued, to one of them or all."""
        for name, (message, _) in list(self._waiting.items()):
            if name == before:
                return
            if message.ids.device_id == device_id:
                self._queued(name)

    def _queued(self, name: str) -> None:
        if (waiting := self._waiting.pop(name, None)) is not None:
            message, timer = waiting
            timer.cancel()
            self._report(message)

    def _remember(self, name: str, downlink: Mapping[str, Any]) -> None:
        self._known.pop(name, None)
        self._known[name] = downlink
        while len(self._known) > _REMEMBERED:
            oldest = next(iter(self._known))
            self._queued(oldest)
            del self._known[oldest]


def _server_id(names: Iterable[str]) -> str | None:
    return next((name for name in names if name.startswith(_SERVER_TAG)), None)


def _message(
    event: Event, kind: str, body: Mapping[str, Any], downlink: Mapping[str, Any]
) -> Message:
    """Return the message that MQTT would have brought; raises BadMessage."""
    ids = next(
        (
            item["device_ids"]
            for item in json_values.objects(event.raw.get("identifiers"))
            if "device_ids" in item
        ),
        None,
    )
    if ids is None:
        raise BadMessage("the event names no end device", name="no_device_id")
    return parse_message(
        None,
        {
            "end_device_ids": ids,
            "correlation_ids": downlink.get("correlation_ids"),
            "received_at": event.raw.get("time"),
            kind: body,
        },
    )
