"""Downlinks over HTTP: push, replace, clear and read the queue, try the formatter.

Unlike MQTT, HTTP reports refusals. What happens to a queued downlink is reported by the stream
(`DownlinkReport`).
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, Self

from . import json_values
from .api import Calls
from .errors import NotFound, NotSupported
from .models import Formatter, VersionIds

type Priority = Literal[
    "LOWEST", "LOW", "BELOW_NORMAL", "NORMAL", "ABOVE_NORMAL", "HIGH", "HIGHEST"
]
type DeviceClass = Literal["A", "B", "C"]
PRIORITIES: tuple[Priority, ...] = (
    "LOWEST",
    "LOW",
    "BELOW_NORMAL",
    "NORMAL",
    "ABOVE_NORMAL",
    "HIGH",
    "HIGHEST",
)
_NO_FORMATTER = "FORMATTER_NONE"
# The fields that a request may have; the server sets the others.
_REQUEST_FIELDS = ("f_port", "frm_payload", "confirmed", "priority", "class_b_c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Downlink:
    """A downlink to send: bytes, or an object for the device's downlink formatter.

    `f_port` is optional with an object; a port from the formatter replaces it. `max_attempts` is
    for confirmed downlinks; gateways and `absolute_time` are for class B and C. All reports on this
    downlink have its correlation IDs (at most 100 characters each).
    """

    f_port: int | None = None
    payload: bytes | None = None
    decoded_payload: Mapping[str, Any] | None = None
    confirmed: bool = False
    priority: Priority | None = None
    max_attempts: int | None = None
    gateways: tuple[str, ...] = ()
    absolute_time: datetime | None = None
    correlation_ids: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the downlink as JSON for a request."""
        item: dict[str, Any] = {}
        if self.f_port is not None:
            item["f_port"] = self.f_port
        if self.payload is not None:
            item["frm_payload"] = b64encode(self.payload).decode()
        if self.decoded_payload is not None:
            item["decoded_payload"] = dict(self.decoded_payload)
        if self.confirmed:
            item["confirmed"] = True
        if self.priority is not None:
            item["priority"] = self.priority
        if self.max_attempts is not None:
            item["confirmed_retry"] = {"max_attempts": self.max_attempts}
        class_b_c: dict[str, Any] = {}
        if self.gateways:
            class_b_c["gateways"] = [{"gateway_ids": {"gateway_id": g}} for g in self.gateways]
        if self.absolute_time is not None:
            moment = self.absolute_time.astimezone(UTC).isoformat()
            class_b_c["absolute_time"] = moment.replace("+00:00", "Z")
        if class_b_c:
            item["class_b_c"] = class_b_c
        if self.correlation_ids:
            item["correlation_ids"] = list(self.correlation_ids)
        return item


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedDownlink:
    """A downlink in the server's queue; `raw` is the server's JSON object."""

    f_port: int
    f_cnt: int
    payload: bytes | None
    confirmed: bool
    priority: str
    correlation_ids: tuple[str, ...]
    raw: Mapping[str, Any]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read an item of the queue, or the downlink of a report."""
        return cls(
            f_port=json_values.integer(data.get("f_port")) or 0,
            f_cnt=json_values.integer(data.get("f_cnt")) or 0,
            payload=json_values.octets(data.get("frm_payload")),
            confirmed=data.get("confirmed") is True,
            priority=json_values.text(data.get("priority")) or "LOWEST",
            correlation_ids=json_values.texts(data.get("correlation_ids")),
            raw=data,
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON for a request that queues it again with all its correlation IDs."""
        item = {key: self.raw[key] for key in _REQUEST_FIELDS if key in self.raw}
        retry = json_values.mapping(self.raw.get("confirmed_retry"))
        if attempts := json_values.integer(retry.get("max_attempts")):
            item["confirmed_retry"] = {"max_attempts": attempts}
        if self.correlation_ids:
            item["correlation_ids"] = list(self.correlation_ids)
        if self.payload is None:
            item["decoded_payload"] = {}  # the only way to queue an empty frame
        return item


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedDownlink:
    """An object encoded by a downlink formatter, with the formatter's warnings."""

    f_port: int
    payload: bytes
    warnings: tuple[str, ...]


class Downlinks:
    """The downlink queues of an application's end devices.

    A call queues all of its downlinks or none. It raises StackError with the server's name of the
    error: `no_device_session` for an end device that never joined, `output_errors` for an object
    that the formatter refuses.
    """

    reads_queue: ClassVar[bool] = True
    """Whether the queue can be read."""

    def __init__(self, calls: Calls) -> None:
        """Make requests with `calls`."""
        self._calls = calls

    async def push(
        self,
        device_id: str,
        downlinks: Sequence[Downlink | QueuedDownlink],
        *,
        max_wait: float = 30,
    ) -> None:
        """Append to the queue; a rate limit is waited out for at most `max_wait` seconds.

        The server accepts an object also without a downlink formatter, and sends an empty frame.
        """
        await self._operate("push", device_id, downlinks, max_wait)

    async def push_first(
        self, device_id: str, downlinks: Sequence[Downlink], *, max_wait: float = 30
    ) -> None:
        """Raise NotSupported: here a downlink has a priority instead of a place."""
        raise NotSupported("downlink_first")

    async def replace(
        self,
        device_id: str,
        downlinks: Sequence[Downlink | QueuedDownlink],
        *,
        max_wait: float = 30,
    ) -> None:
        """Replace all downlinks in the queue by these."""
        await self._operate("replace", device_id, downlinks, max_wait)

    async def clear(self, device_id: str, *, max_wait: float = 30) -> None:
        """Empty the queue."""
        await self._operate("replace", device_id, (), max_wait)

    async def queue(self, device_id: str, *, max_wait: float = 30) -> list[QueuedDownlink]:
        """Return the queued downlinks in order; [] for an end device that never joined.

        Raises NotFound `not_on_application_server`.
        """
        path = f"as/{self._calls.device_path(device_id)}/down"
        with self._calls.device_known("application", device_id):
            answer = json_values.mapping(await self._calls.request("GET", path, max_wait=max_wait))
        return [
            QueuedDownlink.from_json(item) for item in json_values.objects(answer.get("downlinks"))
        ]

    def expect(
        self, device_id: str, names: Sequence[str], *, f_port: int, confirmed: bool, sent: bool
    ) -> None:
        """Do nothing: the server's reports have the correlation IDs of a downlink."""

    async def formatter(self, device_id: str) -> Formatter | None:
        """Return the downlink formatter that applies, the device's or the application's.

        None where there is none. Needs DEVICES_READ, and SETTINGS_BASIC where the device has no
        formatters of its own.
        """
        path = f"as/{self._calls.device_path(device_id)}"
        with self._calls.device_known("application", device_id):
            answer = await self._calls.request("GET", path, params={"field_mask": "formatters"})
        chosen = json_values.mapping(answer).get("formatters")
        if not isinstance(chosen, dict):
            # An empty object counts: the end device then has no formatter.
            path = f"as/{self._calls.application_path}/link"
            try:
                answer = await self._calls.request(
                    "GET", path, params={"field_mask": "default_formatters"}
                )
            except NotFound:
                return None
            chosen = json_values.mapping(json_values.mapping(answer).get("default_formatters"))
        kind = json_values.text(chosen.get("down_formatter")) or _NO_FORMATTER
        if kind == _NO_FORMATTER:
            return None
        return Formatter(
            kind=kind, parameter=json_values.text(chosen.get("down_formatter_parameter"))
        )

    async def encode(
        self,
        device_id: str,
        downlink: Downlink,
        formatter: Formatter,
        *,
        version_ids: VersionIds | None = None,
    ) -> EncodedDownlink:
        """Return what the formatter makes of the object, without sending it (TRAFFIC_READ).

        The Device Repository's formatters need the device's `version_ids`.
        """
        body: dict[str, Any] = {
            "downlink": {
                key: value
                for key, value in downlink.as_json().items()
                if key in ("f_port", "decoded_payload")
            },
            "formatter": formatter.kind,
        }
        if formatter.parameter is not None:
            body["parameter"] = formatter.parameter
        if version_ids is not None:
            body["version_ids"] = version_ids.as_json()
        path = f"as/{self._calls.device_path(device_id)}/down/encode"
        answer = json_values.mapping(await self._calls.request("POST", path, json=body))
        encoded = json_values.mapping(answer.get("downlink"))
        return EncodedDownlink(
            f_port=json_values.integer(encoded.get("f_port")) or 0,
            payload=json_values.octets(encoded.get("frm_payload")) or b"",
            warnings=json_values.texts(encoded.get("decoded_payload_warnings")),
        )

    async def device_class(self, device_id: str) -> DeviceClass:
        """Return when the device listens: "A" after its uplinks, "B" at times, "C" always.

        Needs DEVICES_READ.
        """
        path = f"ns/{self._calls.device_path(device_id)}"
        mask = ["supports_class_b", "supports_class_c"]
        with self._calls.device_known("network", device_id):
            answer = await self._calls.object("GET", path, params={"field_mask": mask})
        if answer.get("supports_class_c") is True:
            return "C"
        return "B" if answer.get("supports_class_b") is True else "A"

    async def _operate(
        self,
        operation: str,
        device_id: str,
        downlinks: Sequence[Downlink | QueuedDownlink],
        max_wait: float,
    ) -> None:
        path = f"as/{self._calls.device_path(device_id)}/down/{operation}"
        body = {"downlinks": [downlink.as_json() for downlink in downlinks]}
        with self._calls.device_known("application", device_id):
            await self._calls.request("POST", path, json=body, max_wait=max_wait)
