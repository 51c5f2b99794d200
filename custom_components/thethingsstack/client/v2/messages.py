"""Messages of version 2 as items of the stream, the same as those of The Things Stack."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
import logging
import re
from typing import Any, Final, Literal

import orjson

from .. import json_values
from ..downlink_reports import DownlinkAck, DownlinkFailed, DownlinkQueued, DownlinkSent
from ..errors import BadMessage
from ..messages import JoinAccept, Message, UplinkMessage
from ..models import EndDevice
from ..stream import DeviceChanged, StreamItem, UnreadableMessage
from .correlation import Correlation, Followed, payload_of
from .refusals import error_of
from .topics import Topic, parse
from .uplinks import end_device_ids, is_simulated, uplink_message

_LOGGER = logging.getLogger(__name__)

RETRIES_END: Final = timedelta(minutes=2)
"""After a confirmed uplink, how long its retransmissions are recognised as such."""
_REGISTERED_ON_JOIN = re.compile(r"(?P<template>.+)-(?P<dev_eui>[0-9a-f]{16})")
_REMEMBERED = 256
_CHANGES: Mapping[str, Literal["created", "updated", "deleted"]] = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
}


class Reader:
    """Reads the messages of an application; remembers what a single one doesn't say."""

    def __init__(
        self, application_id: str, correlation: Correlation, now: Callable[[], datetime]
    ) -> None:
        """`now` is the time of what is dated by nobody, by the server's clock."""
        self._application_id = application_id
        self._correlation = correlation
        self._now = now
        self._ids: dict[str, dict[str, Any]] = {}
        """Identifiers of end devices by ID: only joins have all of them, downlink events none."""
        self._confirmed: dict[str, tuple[object, ...]] = {}
        """The last confirmed uplink of an end device: when, port, counter, payload."""
        self._registered_on_join: dict[str, str] = {}
        """The ID that an end device got when it was registered on join, by DevEUI."""

    def learn(self, device: EndDevice) -> None:
        """Remember the identifiers of a registered end device."""
        ids = device.ids
        self._ids[ids.device_id] = end_device_ids(
            self._application_id,
            ids.device_id,
            dev_eui=ids.dev_eui,
            join_eui=ids.join_eui,
            dev_addr=ids.dev_addr,
        )

    def read(self, topic: str, payload: bytes) -> StreamItem | None:
        """Return what a message says; None for one that says nothing of its own.

        These are single fields, a field without name on `…/up`, retransmissions, what the network
        answers end devices on its own, and errors of payload functions.
        """
        parts = parse(topic)
        if parts is None:
            return None
        if parts.application_id != self._application_id:
            foreign = BadMessage(
                "the message is of another application", topic=topic, name="other_application"
            )
            return UnreadableMessage(topic=topic, error=foreign)
        try:
            data = _parsed(topic, payload)
            return self._uplink(parts, data) if parts.kind == "up" else self._event(parts, data)
        except BadMessage as error:
            return UnreadableMessage(topic=topic, error=error)

    # Uplinks and joins

    def _uplink(self, topic: Topic, data: Any) -> StreamItem | None:
        if not isinstance(data, dict):
            return None  # the value of a field without a name
        if self._is_retransmission(topic.device_id, data):
            _LOGGER.debug("%s sent an uplink again", topic.device_id)
            return None
        ids = {**self._ids_of(topic.device_id), **self._named(data.get("hardware_serial"))}
        self._ids[topic.device_id] = ids
        body = uplink_message(data)
        simulated = {"simulated": True} if is_simulated(data) else {}
        return self._message(UplinkMessage, ids, body, body.get("received_at"), **simulated)

    def _is_retransmission(self, device_id: str, data: Mapping[str, Any]) -> bool:
        """Return whether a confirmed uplink was received already; unconfirmed ones come once.

        The first uplink of a new end device is marked as a retransmission, too.
        """
        if data.get("confirmed") is not True:
            self._confirmed.pop(device_id, None)
            return False
        this = (data.get("port"), data.get("counter"), data.get("payload_raw"))
        at, *last = self._confirmed.get(device_id, (None,))
        now = self._now()
        if data.get("is_retry") is True and isinstance(at, datetime) and tuple(last) == this:
            return now - at < RETRIES_END
        self._confirmed[device_id] = (now, *this)
        return False

    def _activation(self, topic: Topic, data: Mapping[str, Any]) -> StreamItem:
        device_id = topic.device_id
        if dev_eui := json_values.text(data.get("dev_eui")):
            # Of one that is registered on join, the event has the template's ID.
            named = self._registered_on_join.pop(dev_eui.lower(), device_id)
            if named.startswith(f"{device_id}-"):
                device_id = named
        self._confirmed.pop(device_id, None)
        ids = end_device_ids(
            self._application_id,
            device_id,
            dev_eui=dev_eui,
            join_eui=data.get("app_eui"),
            dev_addr=data.get("dev_addr"),
        )
        self._ids[device_id] = ids
        time = json_values.text(json_values.mapping(data.get("metadata")).get("time"))
        return self._message(JoinAccept, ids, {"received_at": time} if time else {}, time)

    # Events

    def _event(self, topic: Topic, data: Any) -> StreamItem | None:
        body = json_values.mapping(data)
        match topic.kind:
            case "activations":
                return self._activation(topic, body)
            case "create" | "update" | "delete":
                return self._changed(topic)
            case "down/scheduled" | "down/sent" | "down/acks" | "down/errors":
                return self._report(topic, body)
        if topic.kind.endswith("errors"):
            _LOGGER.debug("%s: %s: %s", topic.device_id, topic.kind, body.get("error"))
        return None

    def _changed(self, topic: Topic) -> DeviceChanged:
        device_id = topic.device_id
        if topic.kind == "delete":
            self._ids.pop(device_id, None)
            self._confirmed.pop(device_id, None)
            self._correlation.forget(device_id)
        elif topic.kind == "create" and (found := _REGISTERED_ON_JOIN.fullmatch(device_id)):
            self._registered_on_join[found["dev_eui"]] = device_id
            while len(self._registered_on_join) > _REMEMBERED:
                del self._registered_on_join[next(iter(self._registered_on_join))]
        return DeviceChanged(device_id=device_id, change=_CHANGES[topic.kind])

    def _report(self, topic: Topic, data: Mapping[str, Any]) -> StreamItem | None:
        device_id = topic.device_id
        message = json_values.mapping(data.get("message"))
        match topic.kind:
            case "down/scheduled":
                queued = self._correlation.scheduled(device_id, message)
                return self._message(
                    DownlinkQueued, self._ids_of(device_id), _downlink(queued, message)
                )
            case "down/sent":
                if data and not (payload_of(message) or message.get("payload_fields")):
                    return None  # an acknowledgement or MAC commands, which nobody has queued
                sent = self._correlation.sent(device_id, message)
                config = json_values.mapping(data.get("config"))
                counter = json_values.integer(config.get("counter")) or 0
                body = {**_downlink(sent, message), "f_cnt": counter}
                return self._message(DownlinkSent, self._ids_of(device_id), body)
            case "down/acks":
                acknowledged = self._correlation.acknowledged(device_id, message)
                body = _downlink(acknowledged, message)
                return self._message(DownlinkAck, self._ids_of(device_id), body)
        failed = self._correlation.failed(device_id, message)
        text = json_values.text(data.get("error")) or "the Handler dropped it and doesn't say why"
        error = {"name": error_of(text).name, "message_format": text}
        body = {"downlink": _downlink(failed, message), "error": error}
        return self._message(DownlinkFailed, self._ids_of(device_id), body)

    # Messages

    def _ids_of(self, device_id: str) -> dict[str, Any]:
        return self._ids.get(device_id) or end_device_ids(self._application_id, device_id)

    def _named(self, dev_eui: object) -> dict[str, str]:
        text = json_values.hexadecimal(dev_eui)
        return {} if text is None else {"dev_eui": text}

    def _message(
        self,
        kind: type[Message],
        ids: Mapping[str, Any],
        body: Mapping[str, Any],
        time: str | None = None,
        **more: Any,
    ) -> Message:
        downlink = json_values.mapping(body.get("downlink")) or body
        envelope: dict[str, Any] = {
            "end_device_ids": ids,
            "received_at": time or self._now().isoformat().replace("+00:00", "Z"),
            **more,
            kind.kind: body,
        }
        if "correlation_ids" in downlink:
            envelope["correlation_ids"] = downlink["correlation_ids"]
        return kind.from_json(envelope, orjson.dumps(envelope))


def _parsed(topic: str, payload: bytes) -> Any:
    if not payload.strip():
        return None
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise BadMessage("the message is no JSON", topic=topic, name="invalid_json") from None


def _downlink(followed: Followed, message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the downlink of a report; what an event without a body leaves out is known."""
    payload = payload_of(message) or followed.payload
    body: dict[str, Any] = {
        "f_port": followed.f_port,
        "correlation_ids": list(followed.names),
    }
    if payload is not None:
        body["frm_payload"] = b64encode(payload).decode()
    if followed.fields is not None:
        body["decoded_payload"] = dict(followed.fields)
    if followed.confirmed:
        body["confirmed"] = True
    return body
