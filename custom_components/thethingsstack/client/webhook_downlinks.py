"""Downlinks by way of a webhook: with the address and the key that come with each delivery."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
import logging
import re
from typing import ClassVar, Self, override
from urllib.parse import unquote, urlsplit

from .api import Calls, quoted
from .downlinks import Downlink, Downlinks, QueuedDownlink
from .errors import InvalidRequest, StackError
from .identifiers import check_id
from .messages import Message, parse_message

_LOGGER = logging.getLogger(__name__)

PUSH_HEADER = "X-Downlink-Push"
REPLACE_HEADER = "X-Downlink-Replace"
KEY_HEADER = "X-Downlink-Apikey"
MAX_KEY = 128
_PATH = re.compile(
    r".*/as/applications/(?P<application>[^/]+)/webhooks/(?P<webhook>[^/]+)"
    r"/devices/(?P<device>[^/]+)/down/(?:push|replace)"
)
_PAUSED = 406


@dataclass(frozen=True, slots=True, kw_only=True)
class DownlinkAddress:
    """The webhook that takes downlinks for an end device, and the key for it.

    Of version 3, the host is not kept: downlinks go to the application's own server, whatever a
    header names.
    """

    webhook_id: str
    api_key: str = field(repr=False)
    base: str | None = None
    """The base URL, on a stack that has another server for downlinks than for all else."""
    application_id: str = ""
    """The application, where that is part of the address."""

    @classmethod
    def from_headers(
        cls, headers: Mapping[str, str], *, application_id: str, device_id: str
    ) -> Self | None:
        """Read the headers of a delivery; None where the webhook has no downlink key.

        Raises InvalidRequest `foreign_downlink_address` where they name another end device or
        application, or no webhook at all.
        """
        url, key = headers.get(PUSH_HEADER) or headers.get(REPLACE_HEADER), headers.get(KEY_HEADER)
        if not url or not key:
            return None
        try:
            parts = urlsplit(url)
        except ValueError:
            raise _foreign() from None
        found = _PATH.fullmatch(parts.path)
        if found is None or parts.scheme not in ("http", "https"):
            raise _foreign()
        named = unquote(found["application"]), unquote(found["device"])
        if named != (application_id, device_id) or not key.isascii() or len(key) > MAX_KEY:
            raise _foreign()
        webhook_id = unquote(found["webhook"])
        try:
            check_id(webhook_id, "webhook")
        except InvalidRequest:
            raise _foreign() from None
        return cls(webhook_id=webhook_id, api_key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a server has posted: a message, and where downlinks for its end device go, if anywhere.

    `message` is None for one that says nothing new.
    """

    message: Message | None
    address: DownlinkAddress | None


def read_delivery(body: bytes, headers: Mapping[str, str], *, application_id: str) -> Delivery:
    """Return the message that a webhook of version 3 has posted, and where to post downlinks.

    Raises BadMessage.
    """
    message = parse_message(None, body)
    try:
        address = DownlinkAddress.from_headers(
            headers, application_id=application_id, device_id=message.ids.device_id
        )
    except InvalidRequest as error:
        _LOGGER.debug("A downlink address of %s: %s", message.ids.device_id, error)
        address = None
    return Delivery(message=message, address=address)


def _foreign() -> InvalidRequest:
    return InvalidRequest(
        "the downlink address is none of this end device", name="foreign_downlink_address"
    )


class WebhookDownlinks(Downlinks):
    """Downlinks of an application without a key of its own: only pushing and replacing work.

    Everything else raises NoApiKey. Raises InvalidRequest `no_downlink_address` for an end device
    of which no address has come yet, and `webhook_paused` where the webhook is paused.
    """

    reads_queue: ClassVar[bool] = False

    def __init__(self, calls: Calls, addresses: Callable[[str], DownlinkAddress | None]) -> None:
        """Take the way to the servers, and what returns the address of an end device by its ID."""
        super().__init__(calls)
        self._addresses = addresses

    @override
    async def _operate(
        self,
        operation: str,
        device_id: str,
        downlinks: Sequence[Downlink | QueuedDownlink],
        max_wait: float,
    ) -> None:
        address = self._addresses(device_id)
        if address is None:
            raise InvalidRequest(
                f"no downlink address of device `{device_id}` has come yet",
                name="no_downlink_address",
                attributes={"device_id": device_id},
            )
        calls = self._calls.with_key(address.api_key)
        path = (
            f"as/{calls.application_path}/webhooks/{quoted(address.webhook_id)}"
            f"/devices/{quoted(device_id)}/down/{operation}"
        )
        body = {"downlinks": [downlink.as_json() for downlink in downlinks]}
        try:
            await calls.request("POST", path, json=body, max_wait=max_wait)
        except StackError as error:
            if error.status == _PAUSED:
                raise InvalidRequest(
                    f"the webhook `{address.webhook_id}` is paused",
                    name="webhook_paused",
                    status=_PAUSED,
                    attributes={"webhook_id": address.webhook_id},
                ) from error
            raise
