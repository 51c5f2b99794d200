"""The HTTP integration: uplinks that it posts, and downlinks to the address that comes with them.

It was never public; https://www.thethingsnetwork.org/docs/applications/http/ describes it. Nothing
says what becomes of such a downlink.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, override
from urllib.parse import parse_qsl, urlsplit

from ..api import quoted
from ..downlinks import Downlink
from ..errors import AuthenticationFailed, InvalidRequest, NotFound, StackError
from ..webhook_downlinks import MAX_KEY, DownlinkAddress
from .correlation import Schedule
from .downlinks import message_of
from .http import PublicTransport

_TIMEOUT = 20


def downlink_address(text: object, *, application_id: str, tls: bool) -> DownlinkAddress | None:
    """Return where downlinks are posted to, of a `downlink_url`; None without one.

    Raises InvalidRequest `foreign_downlink_address` where it names another application, has no key,
    or would send the key unencrypted although the Handler is reached with TLS.
    """
    if not isinstance(text, str) or not text:
        return None
    try:
        parts = urlsplit(text)
        key = dict(parse_qsl(parts.query)).get("key", "")
        host = parts.hostname
    except ValueError:
        host, key, parts = None, "", urlsplit("")
    schemes = ("https",) if tls else ("http", "https")
    base, down, rest = parts.path.rpartition("/down/")
    named = rest.split("/")
    known = len(named) == 2 and named[0] == application_id and bool(named[1])
    if parts.scheme not in schemes or not host or not down or not known:
        raise _foreign()
    if not key or not key.isascii() or len(key) > MAX_KEY:
        raise _foreign()
    return DownlinkAddress(
        webhook_id=named[1],
        api_key=key,
        application_id=application_id,
        base=f"{parts.scheme}://{parts.netloc}{base}",
    )


def _foreign() -> InvalidRequest:
    return InvalidRequest(
        "the downlink address is none of this application", name="foreign_downlink_address"
    )


class IntegrationTransport(PublicTransport):
    """Posts downlinks: its answers are statuses without a text."""

    @override
    def _refusal(
        self, status: int, answer: Mapping[str, Any], headers: Mapping[str, str]
    ) -> StackError:
        match status:
            case 401 | 403:
                text = "the key of the downlink address is refused"
                return AuthenticationFailed(text, name="downlink_key_refused", status=status)
            case 404:
                text = "the HTTP integration or the end device doesn't exist"
                return NotFound(text, name="end_device_not_found", status=status)
        return super()._refusal(status, answer, headers)


class IntegrationDownlinks:
    """Posts downlinks to the addresses that came with end devices' uplinks."""

    def __init__(
        self,
        addresses: Callable[[str], DownlinkAddress | None],
        transport_to: Callable[[str], IntegrationTransport],
    ) -> None:
        """Take what returns the address of an end device by its ID, and what posts to a base URL."""
        self._addresses = addresses
        self._transport_to = transport_to

    async def post(self, device_id: str, messages: Sequence[tuple[Downlink, Schedule]]) -> None:
        """Post downlinks, one after the other.

        Raises InvalidRequest `no_downlink_address` for an end device of which no address has come
        yet, and what its server refuses.
        """
        address = self._addresses(device_id)
        if address is None or address.base is None:
            raise InvalidRequest(
                f"no downlink address of device `{device_id}` has come yet",
                name="no_downlink_address",
                attributes={"device_id": device_id},
            )
        transport = self._transport_to(address.base)
        path = f"down/{quoted(address.application_id)}/{quoted(address.webhook_id)}"
        for downlink, schedule in messages:
            await transport.request(
                "POST",
                path,
                params={"key": address.api_key},
                json={"dev_id": device_id, **message_of(downlink, schedule)},
                timeout=_TIMEOUT,
                max_wait=0,
            )
