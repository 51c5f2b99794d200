"""Webhooks of the application: where the server posts its messages to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from . import json_values
from .api import Calls, quoted
from .errors import Conflict, InvalidRequest, NotFound
from .events import Event
from .identifiers import check_id

MESSAGE_TYPES = (
    "uplink_message",
    "uplink_normalized",
    "join_accept",
    "downlink_ack",
    "downlink_nack",
    "downlink_sent",
    "downlink_failed",
    "downlink_queued",
    "downlink_queue_invalidated",
    "location_solved",
    "service_data",
)
"""The kinds of messages that a webhook can have posted."""

DELIVERY_FAILED = "as.webhook.fail"
"""The event of a delivery that failed; its data is an error that names the webhook."""

_SETTINGS = ("base_url", "format", "headers", "downlink_api_key", "paused", "field_mask")
_FIELDS = (*_SETTINGS, *MESSAGE_TYPES, "health_status")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookFailure:
    """A failed delivery: the number of failures in a row, the last one's time and error."""

    attempts: int
    last_at: datetime | None
    details: str | None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self | None:
        """Read a webhook's health; None where all is well or nothing was posted yet."""
        unhealthy = data.get("unhealthy")
        if not isinstance(unhealthy, Mapping):
            return None
        error = json_values.mapping(unhealthy.get("last_failed_attempt_details"))
        return cls(
            attempts=json_values.integer(unhealthy.get("failed_attempts")) or 0,
            last_at=json_values.time(unhealthy.get("last_failed_attempt_at")),
            details=json_values.text(error.get("message_format")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedDelivery:
    """A delivery that failed, as an event says it: the server tries each message once."""

    webhook_id: str
    at: datetime | None
    details: str | None

    @classmethod
    def from_event(cls, event: Event) -> Self | None:
        """Read an event `DELIVERY_FAILED`; None where it names no webhook."""
        error = json_values.mapping(event.data)
        attributes = json_values.mapping(error.get("attributes"))
        webhook_id = json_values.text(attributes.get("webhook_id"))
        if event.name != DELIVERY_FAILED or webhook_id is None:
            return None
        status = json_values.integer(attributes.get("status_code"))
        said = json_values.text(error.get("message_format"))
        return cls(
            webhook_id=webhook_id,
            at=event.time,
            details=f"the answer was {status}" if status else said,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook, as it is or shall be. Its secret headers and key are left out of its text."""

    webhook_id: str
    base_url: str
    message_types: Sequence[str] = MESSAGE_TYPES
    """The kinds of messages that are posted, all to the base URL."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    downlink_api_key: str | None = field(default=None, repr=False)
    format: str = "json"
    field_mask: Sequence[str] = ()
    """The fields that are posted; all where it is empty."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """What a kind of message has behind the base URL, where that is anything."""
    paused: bool = False
    failure: WebhookFailure | None = None
    created_at: datetime | None = None
    """When the server made it; never changes."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a webhook."""
        posted = [kind for kind in MESSAGE_TYPES if isinstance(data.get(kind), Mapping)]
        paths = {kind: json_values.text(data[kind].get("path")) for kind in posted}
        mask = json_values.mapping(data.get("field_mask")).get("paths")
        return cls(
            webhook_id=json_values.text(json_values.mapping(data.get("ids")).get("webhook_id"))
            or "",
            base_url=json_values.text(data.get("base_url")) or "",
            message_types=tuple(posted),
            headers={str(k): str(v) for k, v in json_values.mapping(data.get("headers")).items()},
            downlink_api_key=json_values.text(data.get("downlink_api_key")),
            format=json_values.text(data.get("format")) or "",
            field_mask=tuple(map(str, mask)) if isinstance(mask, list) else (),
            paths={kind: path for kind, path in paths.items() if path},
            paused=data.get("paused") is True,
            failure=WebhookFailure.from_json(json_values.mapping(data.get("health_status"))),
            created_at=json_values.time(data.get("created_at")),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the webhook as a request has it."""
        data: dict[str, Any] = {
            "base_url": self.base_url,
            "format": self.format,
            "headers": dict(self.headers),
            "paused": self.paused,
            "field_mask": {"paths": list(self.field_mask)},
        }
        if self.downlink_api_key is not None:
            data["downlink_api_key"] = self.downlink_api_key
        return data | {kind: {"path": self.paths.get(kind, "")} for kind in self.message_types}

    def same_settings(self, other: "Webhook") -> bool:
        """Return whether both post the same to the same place, whatever their health.

        A key that one doesn't name is not compared.
        """
        keys = self.downlink_api_key, other.downlink_api_key
        return (
            (None in keys or keys[0] == keys[1])
            and (self.base_url, self.format, self.paused)
            == (other.base_url, other.format, other.paused)
            and dict(self.headers) == dict(other.headers)
            and dict(self.paths) == dict(other.paths)
            and set(self.message_types) == set(other.message_types)
            and set(self.field_mask) == set(other.field_mask)
        )


class Webhooks:
    """The webhooks of the application.

    Reading needs the right TRAFFIC_READ, changing SETTINGS_BASIC and TRAFFIC_DOWN_WRITE as well;
    without them each method raises MissingRight.
    """

    def __init__(self, calls: Calls) -> None:
        """Take the way to the servers."""
        self._calls = calls

    async def list(self) -> Sequence[Webhook]:
        """Return all webhooks of the application, with their secret headers."""
        params = {"field_mask": _FIELDS}
        answer = await self._calls.object("GET", self._path(), params=params)
        return [Webhook.from_json(item) for item in json_values.objects(answer.get("webhooks"))]

    async def get(self, webhook_id: str) -> Webhook:
        """Return one webhook; raises NotFound."""
        params = {"field_mask": _FIELDS}
        return Webhook.from_json(
            await self._calls.object("GET", self._path(webhook_id), params=params)
        )

    async def create(self, webhook: Webhook) -> Webhook:
        """Make a webhook; raises Conflict `webhook_exists` where there is one with its ID.

        The server itself would overwrite that one without a word.
        """
        try:
            await self.get(webhook.webhook_id)
        except NotFound:
            return await self._set(webhook)
        raise Conflict(
            f"there is a webhook `{webhook.webhook_id}` already",
            name="webhook_exists",
            attributes={"webhook_id": webhook.webhook_id},
        )

    async def replace(self, webhook: Webhook) -> Webhook:
        """Give a webhook these settings, whatever it had; also one that isn't there."""
        return await self._set(webhook)

    async def reactivate(self, webhook_id: str) -> None:
        """Let the server post again to a webhook that it gave up on after failures."""
        body = {
            "webhook": {"ids": self._ids(webhook_id)},
            "field_mask": {"paths": ["health_status"]},
        }
        await self._calls.request("PUT", self._path(webhook_id), json=body)

    async def tolerated_failures(self) -> int | None:
        """Return after how many failures in a row the server stops trying; None for never."""
        answer = await self._calls.object("GET", "as/configuration")
        configuration = json_values.mapping(answer.get("configuration"))
        webhooks = json_values.mapping(configuration.get("webhooks"))
        return json_values.integer(webhooks.get("unhealthy_attempts_threshold")) or None

    async def delete(self, webhook_id: str) -> None:
        """Remove a webhook; one that isn't there is no error."""
        await self._calls.request("DELETE", self._path(webhook_id))

    async def _set(self, webhook: Webhook) -> Webhook:
        check_id(webhook.webhook_id, "webhook")
        unknown = set(webhook.message_types) - set(MESSAGE_TYPES)
        if unknown:
            raise InvalidRequest(
                f"no kind of message: {', '.join(sorted(unknown))}", name="invalid_message_type"
            )
        settings = [
            name
            for name in (*_SETTINGS, *MESSAGE_TYPES)
            if name != "downlink_api_key" or webhook.downlink_api_key is not None
        ]
        body = {
            "webhook": {"ids": self._ids(webhook.webhook_id), **webhook.as_json()},
            "field_mask": {"paths": settings},
        }
        return Webhook.from_json(await self._calls.object("POST", self._path(), json=body))

    def _ids(self, webhook_id: str) -> dict[str, Any]:
        return {
            "webhook_id": webhook_id,
            "application_ids": {"application_id": self._calls.application_id},
        }

    def _path(self, webhook_id: str | None = None) -> str:
        path = f"as/webhooks/{quoted(self._calls.application_id)}"
        return path if webhook_id is None else f"{path}/{quoted(webhook_id)}"
