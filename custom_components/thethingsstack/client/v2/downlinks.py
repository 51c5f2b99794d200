"""Downlinks by MQTT: published, and the Handler's answer awaited.

The broker reports no refusal, but the Handler says at once on a topic of events that it has queued a
downlink, or why not. It says nothing of an end device that it doesn't know.
"""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
import re
from typing import Any, ClassVar

import orjson

from .. import json_values
from ..downlinks import DeviceClass, Downlink, EncodedDownlink, QueuedDownlink
from ..errors import (
    ConnectionFailed,
    InvalidRequest,
    MissingRight,
    NotFound,
    NotSupported,
    RequestTimeout,
    StackError,
)
from ..models import EndDevice, Formatter, VersionIds
from ..mqtt import MqttConnection
from . import functions
from .correlation import Correlation, Followed, Schedule
from .devices import check_device_id
from .formatters import formatters_of
from .functions import ApplicationFunctions, HandlerApplication
from .refusals import error_of
from .topics import downlink as topic_of, parse

ANSWER = 10.0
"""Seconds in which the Handler has to say what it does with a downlink."""
_CAYENNE_FIELD = re.compile(r"value_\d{1,3}")


@dataclass(slots=True, kw_only=True, eq=False)
class _Asked:
    """A published downlink that the Handler hasn't answered."""

    device_id: str
    followed: Followed
    answer: asyncio.Future[str | None]


class HandlerDownlinks:
    """Publishes downlinks; their reports come over the stream with their correlation IDs.

    `connection` opens, or lends, a connection on which events arrive that `on_arrival` is called
    with. `get_device` raises NotFound for an unknown end device.
    """

    reads_queue: ClassVar[bool] = False
    """Whether the queue can be read: in version 2 it can't, nor be emptied."""

    def __init__(
        self,
        application_id: Callable[[], str],
        *,
        connection: Callable[[], AbstractAsyncContextManager[MqttConnection]],
        correlation: Correlation,
        application: ApplicationFunctions,
        get_device: Callable[[str], Awaitable[EndDevice]],
        answer_within: float = ANSWER,
    ) -> None:
        """Publish nothing yet; `answer_within` is in seconds."""
        self._application_id = application_id
        self._connection = connection
        self._correlation = correlation
        self._application = application
        self._get_device = get_device
        self._answer_within = answer_within
        self._asked: list[_Asked] = []
        self.post: Callable[[str, Sequence[tuple[Downlink, Schedule]]], Awaitable[None]] | None = (
            None
        )
        """Sends checked downlinks another way than over MQTT."""
        self._known: HandlerApplication | None = None
        """The payload functions as they were read last."""

    # Sending

    async def push(
        self,
        device_id: str,
        downlinks: Sequence[Downlink | QueuedDownlink],
        *,
        max_wait: float = 30,
    ) -> None:
        """Append to the queue.

        Raises NotSupported for a priority, attempts, gateways or a time; InvalidRequest
        `no_downlink_formatter`, `cayennelpp_fields`, or what the Handler refuses; NotFound for an
        unknown end device; RequestTimeout `no_answer` where the Handler says nothing.
        """
        await self._send(device_id, [(item, "last") for item in downlinks])

    async def push_first(
        self, device_id: str, downlinks: Sequence[Downlink], *, max_wait: float = 30
    ) -> None:
        """Put before all that are queued, in this order; raises what `push` raises."""
        await self._send(device_id, [(item, "first") for item in reversed(downlinks)])

    async def replace(
        self,
        device_id: str,
        downlinks: Sequence[Downlink | QueuedDownlink],
        *,
        max_wait: float = 30,
    ) -> None:
        """Replace all downlinks in the queue, and a confirmed one that is being repeated.

        Raises what `push` raises; NotSupported for none: the queue can't be emptied.
        """
        if not downlinks:
            raise NotSupported("downlink_queue")
        first, *others = downlinks
        await self._send(device_id, [(first, "replace"), *((item, "last") for item in others)])

    async def clear(self, device_id: str, *, max_wait: float = 30) -> None:
        """Raise NotSupported: only another downlink takes the place of those queued."""
        raise NotSupported("downlink_queue")

    async def queue(self, device_id: str, *, max_wait: float = 30) -> list[QueuedDownlink]:
        """Raise NotSupported: the Handler doesn't show its queue."""
        raise NotSupported("downlink_queue")

    def expect(
        self, device_id: str, names: Sequence[str], *, f_port: int, confirmed: bool, sent: bool
    ) -> None:
        """Take a downlink of an earlier run for queued, or for `sent` and not acknowledged.

        Its payload isn't known any more: reports on its port are taken for those of `names`.
        """
        self._correlation.expect(
            device_id, names, f_port=f_port, confirmed=confirmed, transmitted=sent
        )

    async def _send(
        self, device_id: str, wanted: Sequence[tuple[Downlink | QueuedDownlink, Schedule]]
    ) -> None:
        check_device_id(device_id)
        messages = [(_checked(item), schedule) for item, schedule in wanted]
        if any(item.decoded_payload is not None for item, _ in messages):
            for item, _ in messages:
                await self._check_fields(item)
        if self.post is not None:
            await self.post(device_id, messages)
            return
        async with self._connection() as connection:
            for item, schedule in messages:
                await self._publish(connection, device_id, item, schedule)

    async def _publish(
        self, connection: MqttConnection, device_id: str, downlink: Downlink, schedule: Schedule
    ) -> None:
        followed = self._correlation.publish(device_id, downlink, schedule)
        answer = asyncio.get_running_loop().create_future()
        asked = _Asked(device_id=device_id, followed=followed, answer=answer)
        self._asked.append(asked)
        try:
            try:
                await connection.publish(
                    topic_of(self._application_id(), device_id),
                    orjson.dumps(message_of(downlink, schedule)),
                )
                async with asyncio.timeout(self._answer_within):
                    refused = await answer
            finally:
                self._asked.remove(asked)
        except TimeoutError:
            await self._without_answer(device_id, followed)
        except ConnectionFailed as error:
            self._correlation.drop(device_id, followed)
            if error.name != "connection_lost":
                raise
            raise ConnectionFailed(
                "the MQTT server closed the connection when a downlink was published: the access"
                " key may lack the right to send messages",
                name="publish_closed",
            ) from error
        else:
            if refused is not None:
                raise _refusal(refused)

    async def _without_answer(self, device_id: str, followed: Followed) -> None:
        """Raise what the Handler's silence means."""
        try:
            await self._get_device(device_id)
        except NotFound:
            self._correlation.drop(device_id, followed)
            raise
        except StackError:
            pass  # what is said below is all that is known
        raise RequestTimeout(
            "the Handler said nothing of the downlink: is it running, and may the access key send"
            " messages?",
            name="no_answer",
        )

    def on_arrival(self, topic: str, payload: bytes) -> None:
        """Take the Handler's answers to what was just published; called for each message."""
        if not self._asked or (parts := parse(topic)) is None:
            return
        if parts.kind not in ("down/scheduled", "down/errors"):
            return
        try:
            data = json_values.mapping(orjson.loads(payload))
        except orjson.JSONDecodeError:
            data = {}
        message = json_values.mapping(data.get("message"))
        for asked in self._asked:
            meant = not message or asked.followed.is_it(message)
            if asked.device_id == parts.device_id and meant and not asked.answer.done():
                refused = json_values.text(data.get("error")) or "the Handler refused it"
                asked.answer.set_result(refused if parts.kind == "down/errors" else None)
                return

    # Payload functions

    async def formatter(self, device_id: str) -> Formatter | None:
        """Return the application's encoder (right `settings`); None where there is none."""
        self._known = await self._application.get()
        return formatters_of(self._known).down

    async def _check_fields(self, downlink: Downlink) -> None:
        """Raise InvalidRequest for fields of which the Handler would make nothing, in silence.

        Not checked where the key may not read the application.
        """
        fields = downlink.decoded_payload
        if fields is None:
            return
        try:
            if self._known is None or formatters_of(self._known).down is None:
                self._known = await self._application.get()
        except MissingRight:
            return
        if formatters_of(self._known).down is None:
            raise InvalidRequest(
                "the application has no encoder: give the payload as bytes",
                name="no_downlink_formatter",
            )
        if self._known.payload_format == functions.CAYENNE_LPP and not all(
            _CAYENNE_FIELD.fullmatch(name) and json_values.number(value) is not None
            for name, value in fields.items()
        ):
            raise InvalidRequest(
                "CayenneLPP sends only numbers, in fields called value_1, value_2 and so on",
                name="cayennelpp_fields",
            )

    async def encode(
        self,
        device_id: str,
        downlink: Downlink,
        formatter: Formatter,
        *,
        version_ids: VersionIds | None = None,
    ) -> EncodedDownlink:
        """Raise NotSupported: the Handler tries functions over gRPC only."""
        raise NotSupported("formatter_trial")

    async def device_class(self, device_id: str) -> DeviceClass:
        """Return "A": the network of version 2 knows no other."""
        return "A"


def _checked(downlink: Downlink | QueuedDownlink) -> Downlink:
    """Return a downlink that version 2 can send; raises NotSupported or InvalidRequest."""
    if isinstance(downlink, QueuedDownlink):
        raise NotSupported("downlink_queue")
    if downlink.priority is not None:
        raise NotSupported("downlink_priority")
    if downlink.max_attempts is not None:
        raise NotSupported("downlink_attempts")
    if downlink.gateways or downlink.absolute_time is not None:
        raise NotSupported("scheduled_downlinks")
    if bool(downlink.payload) == bool(downlink.decoded_payload):
        both = bool(downlink.payload)
        raise InvalidRequest(
            "a downlink has bytes or fields, not both" if both else "a downlink needs a payload",
            name="two_payloads" if both else "no_payload",
        )
    return downlink


def message_of(downlink: Downlink, schedule: Schedule) -> dict[str, Any]:
    """Return the message that a Handler takes as a downlink."""
    body: dict[str, Any] = {"port": downlink.f_port or 0, "schedule": schedule}
    if downlink.confirmed:
        body["confirmed"] = True
    if downlink.payload is not None:
        body["payload_raw"] = b64encode(downlink.payload).decode()
    else:
        body["payload_fields"] = dict(downlink.decoded_payload or {})
    return body


def _refusal(text: str) -> StackError:
    """Return the error for the Handler's text about a downlink that it doesn't take."""
    error = error_of(text)
    if isinstance(error, InvalidRequest):
        return error
    attributes: Mapping[str, Any] = {"reason": text}
    return InvalidRequest(text, name="downlink_refused", status=400, attributes=attributes)
