"""Read, set and try payload formatters of an application or an end device."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from . import json_values
from .api import Calls
from .errors import InvalidRequest, NotFound
from .models import Formatter, VersionIds

NONE = "FORMATTER_NONE"
REPOSITORY = "FORMATTER_REPOSITORY"
JAVASCRIPT = "FORMATTER_JAVASCRIPT"
CAYENNE_LPP = "FORMATTER_CAYENNELPP"
GRPC_SERVICE = "FORMATTER_GRPC_SERVICE"
KINDS = (NONE, REPOSITORY, JAVASCRIPT, CAYENNE_LPP, GRPC_SERVICE)

type Direction = Literal["up", "down"]

_FAILURES = ("pkg/messageprocessors", "pkg/scripting")
# The server refuses an uplink without them, though formatters hardly ever read them.
_HEARD = {"gateway_ids": {"gateway_id": "test"}}
_SETTINGS = {
    "data_rate": {"lora": {"bandwidth": 125_000, "spreading_factor": 7}},
    "frequency": "868100000",
}


class FormatterFailed(InvalidRequest):
    """A formatter failed on its input, or can't be run; the text is the formatter's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formatters:
    """The formatters for both directions; None for a direction without one."""

    up: Formatter | None = None
    down: Formatter | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read `formatters` or `default_formatters`; "none" is omitted by the server."""

        def read(direction: str) -> Formatter | None:
            kind = json_values.text(data.get(f"{direction}_formatter")) or NONE
            if kind == NONE:
                return None
            parameter = json_values.text(data.get(f"{direction}_formatter_parameter"))
            return Formatter(kind=kind, parameter=parameter)

        return cls(up=read("up"), down=read("down"))

    def as_json(self) -> dict[str, str]:
        """Return them as JSON for a request."""
        data: dict[str, str] = {}
        for direction, formatter in (("up", self.up), ("down", self.down)):
            data[f"{direction}_formatter"] = NONE if formatter is None else formatter.kind
            if formatter is not None and formatter.parameter is not None:
                data[f"{direction}_formatter_parameter"] = formatter.parameter
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """An uplink's payload decoded by a formatter, with the formatter's warnings."""

    data: Mapping[str, Any] | None
    warnings: Sequence[str]
    normalized: Sequence[Mapping[str, Any]]
    normalized_warnings: Sequence[str]


class FormatterCalls:
    """Reads, sets and tries formatters."""

    def __init__(self, calls: Calls) -> None:
        """Make requests with `calls`."""
        self._calls = calls

    async def of_application(self) -> Formatters | None:
        """Return the application's default formatters (SETTINGS_BASIC); None if never set."""
        params = {"field_mask": ["default_formatters"]}
        try:
            answer = await self._calls.object("GET", self._link, params=params)
        except NotFound:
            return None
        found = answer.get("default_formatters")
        return Formatters.from_json(found) if isinstance(found, dict) else None

    async def set_of_application(self, formatters: Formatters) -> None:
        """Set the application's default formatters (SETTINGS_BASIC)."""
        body = {
            "link": {"default_formatters": formatters.as_json()},
            "field_mask": {"paths": ["default_formatters"]},
        }
        await self._calls.request("PUT", self._link, json=body)

    async def of_device(self, device_id: str) -> Formatters | None:
        """Return a device's own formatters; None where the application's apply.

        Raises NotFound where the Application Server doesn't know the device.
        """
        path = f"as/{self._calls.device_path(device_id)}"
        with self._calls.device_known("application", device_id):
            answer = await self._calls.object("GET", path, params={"field_mask": ["formatters"]})
        found = answer.get("formatters")
        return Formatters.from_json(found) if isinstance(found, dict) else None

    async def set_of_device(self, device_id: str, formatters: Formatters | None) -> None:
        """Set a device's own formatters (DEVICES_WRITE); None lets the application's apply.

        Raises NotFound where the Application Server doesn't know the device.
        """
        path = f"as/{self._calls.device_path(device_id)}"
        # Writing to an unknown end device would create it on the Application Server only.
        with self._calls.device_known("application", device_id):
            await self._calls.request("GET", path)
        device: dict[str, Any] = {"ids": {"device_id": device_id}}
        if formatters is not None:
            device["formatters"] = formatters.as_json()
        body = {"end_device": device, "field_mask": {"paths": ["formatters"]}}
        await self._calls.request("PUT", path, json=body)

    async def change(
        self, device_id: str | None, wanted: Mapping[Direction, Formatter | None]
    ) -> Formatters:
        """Set the named directions of a device, or of the application, and return both.

        The other direction is kept; if a device has no formatters of its own, it gets the
        application's.
        """
        if set(wanted) == {"up", "down"}:
            present = Formatters()
        elif device_id is None:
            present = await self.of_application() or Formatters()
        else:
            own = await self.of_device(device_id)
            present = own or await self.of_application() or Formatters()
        formatters = Formatters(
            up=wanted.get("up", present.up), down=wanted.get("down", present.down)
        )
        if device_id is None:
            await self.set_of_application(formatters)
        else:
            await self.set_of_device(device_id, formatters)
        return formatters

    async def decode(
        self,
        device_id: str,
        *,
        f_port: int,
        payload: bytes,
        formatter: Formatter,
        version_ids: VersionIds | None = None,
    ) -> Decoded:
        """Return an uplink's payload decoded by a formatter; stores nothing (TRAFFIC_READ).

        The repository's formatter needs the `version_ids`. Raises FormatterFailed.
        """
        body: dict[str, Any] = {
            "uplink": {
                "f_port": f_port,
                "frm_payload": b64encode(payload).decode(),
                "rx_metadata": [_HEARD],
                "settings": _SETTINGS,
            },
            "formatter": formatter.kind,
        }
        if formatter.parameter is not None:
            body["parameter"] = formatter.parameter
        if version_ids is not None:
            body["version_ids"] = version_ids.as_json()
        path = f"as/{self._calls.device_path(device_id)}/up/decode"
        try:
            answer = await self._calls.object("POST", path, json=body)
        except InvalidRequest as error:
            raise formatter_failure(error) from None
        uplink = json_values.mapping(answer.get("uplink"))
        data = uplink.get("decoded_payload")
        return Decoded(
            data=data if isinstance(data, dict) else None,
            warnings=json_values.texts(uplink.get("decoded_payload_warnings")),
            normalized=json_values.objects(uplink.get("normalized_payload")),
            normalized_warnings=json_values.texts(uplink.get("normalized_payload_warnings")),
        )

    @property
    def _link(self) -> str:
        return f"as/{self._calls.application_path}/link"


def formatter_failure(error: InvalidRequest) -> InvalidRequest:
    """Return a FormatterFailed if a formatter is the cause of the error, else the error itself."""
    if not (error.namespace or "").startswith(_FAILURES):
        return error
    return FormatterFailed(
        error.message,
        name=error.name,
        namespace=error.namespace,
        status=error.status,
        attributes=error.attributes,
        cause_name=error.cause_name,
    )
