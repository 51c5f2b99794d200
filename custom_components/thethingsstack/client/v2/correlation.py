"""Which report is about which downlink: version 2 reports port and payload, and no IDs.

The queue of each end device's downlinks is followed here as the Handler keeps it, and reports are
matched to it by content, then by order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from .. import json_values
from ..downlinks import Downlink

type Schedule = Literal["replace", "first", "last"]

MOST = 64
"""Downlinks of one end device that are remembered; the oldest are forgotten."""
_SERVER_TAG = "as:downlink:"
"""How names begin that a server gives, in version 3."""


@dataclass(slots=True, kw_only=True, eq=False)
class Followed:
    """A downlink, and how far it is; `names` are its correlation IDs.

    One with neither payload nor fields may have had any. One that `replaces` takes the place of all
    that are there when the Handler has queued it.
    """

    names: tuple[str, ...]
    f_port: int
    payload: bytes | None
    fields: Mapping[str, Any] | None
    confirmed: bool
    replaces: bool = False
    scheduled: bool = False
    transmitted: bool = False

    @classmethod
    def of(cls, downlink: Downlink, *, replaces: bool) -> "Followed":
        """Return a downlink of ours, which gets a name as servers of version 3 give one, too."""
        return cls(
            names=(_new_name(), *downlink.correlation_ids),
            f_port=downlink.f_port or 0,
            payload=downlink.payload,
            fields=downlink.decoded_payload,
            confirmed=downlink.confirmed,
            replaces=replaces,
        )

    @classmethod
    def of_another(cls, message: Mapping[str, Any]) -> "Followed":
        """Return a downlink that another client has published, as a report describes it."""
        fields = message.get("payload_fields")
        return cls(
            names=(_new_name(),),
            f_port=json_values.integer(message.get("port")) or 0,
            payload=None if isinstance(fields, dict) else payload_of(message),
            fields=fields if isinstance(fields, dict) else None,
            confirmed=message.get("confirmed") is True,
        )

    def is_it(self, message: Mapping[str, Any]) -> bool:
        """Return whether a report's message is this downlink; encoded bytes may have been added."""
        if (json_values.integer(message.get("port")) or 0) != self.f_port:
            return False
        if (message.get("confirmed") is True) != self.confirmed:
            return False
        if self.payload is not None and payload_of(message) != self.payload:
            return False
        return self.fields is None or message.get("payload_fields") == self.fields


def payload_of(message: Mapping[str, Any]) -> bytes | None:
    """Return the bytes of a report's message; None where it has none."""
    return json_values.octets(message.get("payload_raw"))


def _new_name() -> str:
    return f"{_SERVER_TAG}{uuid4()}"


class Correlation:
    """Follows the downlinks of an application."""

    def __init__(self) -> None:
        """Know of no downlink."""
        self._devices: dict[str, list[Followed]] = {}

    def publish(self, device_id: str, downlink: Downlink, schedule: Schedule) -> Followed:
        """Add a downlink that is about to be published, and return it."""
        followed = Followed.of(downlink, replaces=schedule == "replace")
        self._insert(device_id, followed, first=schedule == "first")
        return followed

    def expect(
        self,
        device_id: str,
        names: Sequence[str],
        *,
        f_port: int,
        confirmed: bool,
        transmitted: bool,
    ) -> None:
        """Add a downlink that was queued before, of which only port and kind are known."""
        followed = Followed(
            names=tuple(names),
            f_port=f_port,
            payload=None,
            fields=None,
            confirmed=confirmed,
            scheduled=True,
            transmitted=transmitted,
        )
        self._insert(device_id, followed)

    def drop(self, device_id: str, followed: Followed) -> None:
        """Remove a downlink that was not published, or that the Handler didn't take."""
        queue = self._queue(device_id)
        if followed in queue:
            queue.remove(followed)

    def forget(self, device_id: str) -> None:
        """Remove the downlinks of an end device that is deleted."""
        self._devices.pop(device_id, None)

    def scheduled(self, device_id: str, message: Mapping[str, Any]) -> Followed:
        """Return the downlink that the Handler has queued."""
        found = self._first(device_id, message, [lambda item: not item.scheduled])
        return self._taken(device_id, found or self._add(device_id, message))

    def sent(self, device_id: str, message: Mapping[str, Any]) -> Followed:
        """Return the downlink that was transmitted.

        A confirmed one stays: it is transmitted with each uplink until it is acknowledged.
        """
        found = self._first(
            device_id,
            message,
            [lambda item: item.transmitted, lambda item: item.scheduled, lambda item: True],
        )
        found = self._taken(device_id, found or self._add(device_id, message))
        found.transmitted = True
        if not found.confirmed:
            self.drop(device_id, found)
        return found

    def acknowledged(self, device_id: str, message: Mapping[str, Any]) -> Followed:
        """Return the confirmed downlink that the end device has acknowledged."""
        found = self._first(
            device_id,
            message,
            [lambda item: item.transmitted, lambda item: item.confirmed],
        )
        found = found or self._add(device_id, message)
        self.drop(device_id, found)
        return found

    def failed(self, device_id: str, message: Mapping[str, Any]) -> Followed:
        """Return the downlink that the Handler refused or dropped."""
        found = self._first(device_id, message, [lambda item: True])
        found = found or self._add(device_id, message)
        self.drop(device_id, found)
        return found

    def _queue(self, device_id: str) -> list[Followed]:
        return self._devices.setdefault(device_id, [])

    def _insert(self, device_id: str, followed: Followed, *, first: bool = False) -> None:
        queue = self._queue(device_id)
        if len(queue) >= MOST:
            del queue[0]
        queue.insert(0 if first else len(queue), followed)

    def _add(self, device_id: str, message: Mapping[str, Any]) -> Followed:
        followed = Followed.of_another(message)
        self._insert(device_id, followed)
        return followed

    def _taken(self, device_id: str, followed: Followed) -> Followed:
        """Note that the Handler has queued a downlink, in the place of others or besides them."""
        if followed.replaces and not followed.scheduled:
            self._devices[device_id] = [followed]
        followed.scheduled = True
        return followed

    def _first(
        self, device_id: str, message: Mapping[str, Any], wanted: Sequence[Any]
    ) -> Followed | None:
        """Return the first downlink that is meant; the first of `wanted` conditions that finds one.

        An event without a body is about the one whose turn it is.
        """
        queue = self._queue(device_id)
        meant = [item for item in queue if not message or item.is_it(message)]
        for condition in wanted:
            for item in meant:
                if condition(item):
                    return item
        return None
