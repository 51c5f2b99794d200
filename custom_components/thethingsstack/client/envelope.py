"""The envelope of a message, and what all messages have in common.

A message keeps its envelope and reads the parts of it when they are needed: most are needed once or
never, and thousands of messages per second may be received.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Self, override

import orjson

from . import json_values
from .errors import BadMessage
from .models import EndDeviceIds, Location, VersionIds

type Identity = tuple[Any, ...]


class Envelope:
    """A message's JSON object: as received, and parsed while that is needed."""

    __slots__ = ("_data", "_parsed")

    def __init__(self, parsed: Mapping[str, Any], data: bytes | None = None) -> None:
        """Keep a parsed envelope; with the bytes that it was parsed from, it can be folded."""
        self._parsed: Mapping[str, Any] | None = parsed
        self._data = data

    @property
    def parsed(self) -> Mapping[str, Any]:
        """The parsed envelope; parses it again after `fold`."""
        parsed = self._parsed
        if parsed is None:
            assert self._data is not None
            parsed = self._parsed = orjson.loads(self._data)
        return parsed

    def fold(self) -> None:
        """Drop the parsed object, to save memory, if it can be parsed again."""
        if self._data is not None:
            self._parsed = None

    @override
    def __eq__(self, other: object) -> bool:
        """Return whether both have the same content."""
        return isinstance(other, Envelope) and self.parsed == other.parsed

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Base of all messages: end device, time, correlation IDs."""

    kind: ClassVar[str]

    ids: EndDeviceIds
    received_at: datetime | None = None
    network_received_at: datetime | None = None
    simulated: bool = False
    envelope: Envelope = field(repr=False, hash=False)

    @classmethod
    def from_json(cls, data: Mapping[str, Any], came_as: bytes | None = None) -> Self:
        """Read an envelope; raises BadMessage where no device is named or it is another kind."""
        ids = EndDeviceIds.of_message(json_values.mapping(data.get("end_device_ids")))
        if not ids.device_id:
            raise BadMessage("the message names no end device", name="no_device_id")
        body = data.get(cls.kind)
        if not isinstance(body, dict):
            raise BadMessage(f"the message has no {cls.kind}", name="no_message_kind")
        return cls(
            ids=ids,
            received_at=json_values.time(data.get("received_at")),
            network_received_at=json_values.time(body.get("received_at")),
            simulated=data.get("simulated") is True,
            envelope=Envelope(data, came_as),
        )

    @property
    def raw(self) -> Mapping[str, Any]:
        """The envelope as a parsed JSON object."""
        return self.envelope.parsed

    @property
    def body(self) -> Mapping[str, Any]:
        """The member of the envelope for this kind of message, such as `uplink_message`."""
        body: Mapping[str, Any] = self.envelope.parsed[self.kind]
        return body

    @property
    def correlation_ids(self) -> tuple[str, ...]:
        """The correlation IDs of what led to it."""
        return json_values.texts(self.raw.get("correlation_ids"))

    def fold(self) -> None:
        """Drop the parsed object, to save four fifths of the memory; it is parsed again if needed."""
        self.envelope.fold()

    @property
    def time(self) -> datetime | None:
        """When it happened: the Network Server's time where it has one, else the envelope's."""
        return self.network_received_at or self.received_at

    @property
    def identity(self) -> Identity | None:
        """A value that is equal for duplicates of a message; None if they can't be recognised."""
        if self.received_at is None:
            return None
        return (self.ids.device_id, self.kind, self.received_at, self.correlation_ids)

    @property
    def locations(self) -> Mapping[str, Location]:
        """The end device's locations, by their source ("user", "frm-payload")."""
        return Location.read_all(self.body.get("locations"))

    @property
    def version_ids(self) -> VersionIds | None:
        """Brand, model and versions, if it was registered from the Device Repository."""
        return VersionIds.read(self.body.get("version_ids"))

    def is_of(self, versions: VersionIds) -> bool:
        """Return whether `version_ids` surely are these; False where they have to be compared."""
        return versions.is_read_from(self.body.get("version_ids"))

    @property
    def attributes(self) -> Mapping[str, str]:
        """The device's attributes in the registry (The Things Stack 3.34 and newer)."""
        return json_values.text_map(self.body.get("attributes"))
