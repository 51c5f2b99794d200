"""Receives what a server posts: checks it, answers, and leaves the processing for later."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
import hmac
from http import HTTPStatus
import logging
import time
from typing import Any

from aiohttp import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import Request, RequestPayloadError, Response
from homeassistant.components import webhook
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_API_KEY, CONF_WEBHOOK_ID
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..application import QUEUE_SIZE
from ..client import (
    BadMessage,
    Delivery,
    Message,
    Network,
    UplinkMessage,
    known_network,
    read_delivery,
)
from ..const import (
    CONF_APPLICATION_ID,
    CONF_SERVER,
    CONF_TENANT_ID,
    CONF_WEBHOOK_EARLIER_SECRETS,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
)
from .inbox import SIZE, Inbox
from .refused import Reason, Refusals
from .store import WebhookStore

_LOGGER = logging.getLogger(__name__)

SECRET_HEADER = "X-Home-Assistant-Secret"
DOMAIN_HEADER = "X-Tts-Domain"
MAX_BODY = 2**20
"""Bytes of a delivery."""
_CHUNK = 2**16
_READ_SECONDS = 10
PROOF_SECONDS = 60
OVERLAP_SECONDS = 60
"""For so long earlier secrets count after the first use of a new one."""
_STATUS = {
    Reason.METHOD: HTTPStatus.METHOD_NOT_ALLOWED,
    Reason.SECRET: HTTPStatus.UNAUTHORIZED,
    Reason.FOREIGN: HTTPStatus.FORBIDDEN,
    Reason.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.UNREADABLE: HTTPStatus.BAD_REQUEST,
    Reason.FLOOD: HTTPStatus.TOO_MANY_REQUESTS,
    Reason.NOT_READY: HTTPStatus.SERVICE_UNAVAILABLE,
}
_INTERRUPTED = (OSError, ClientPayloadError, HttpProcessingError, RequestPayloadError)

_RECEPTIONS: HassKey[dict[str, Reception]] = HassKey(f"{DOMAIN}_receptions")


class _Refused(Exception):  # noqa: N818 - the name says what happened
    """A delivery is refused."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class _Proof:
    """A simulated uplink that shows that deliveries arrive."""

    device_id: str
    payload: bytes
    until: float
    arrived: asyncio.Event = field(default_factory=asyncio.Event)


class Reception:
    """Receives the deliveries for one application, from its set-up until its entry is removed.

    While the entry isn't loaded, deliveries are refused with 503, so that the server notices:
    Home Assistant's own answer to an unknown address is 200.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Prepare; nothing is received before `register`."""
        self._hass = hass
        self._entry = entry
        self._inbox: Inbox | None = None
        self._listeners: list[CALLBACK_TYPE] = []
        self._proof: _Proof | None = None
        self._ending: tuple[float, frozenset[str]] | None = None
        """When which earlier secrets end."""
        self.clock: Callable[[], float] = time.monotonic
        self.webhook_id = str(entry.data[CONF_WEBHOOK_ID])
        self.read: Callable[[bytes, Mapping[str, str]], Delivery] = partial(
            read_delivery, application_id=str(entry.data[CONF_APPLICATION_ID])
        )
        """Reads a delivery as the application's stack writes it."""
        self.takes_addresses = not entry.data.get(CONF_API_KEY)
        """Whether downlinks are posted to the addresses that come with messages."""
        self.store = WebhookStore(hass, entry.entry_id)
        self.refusals = Refusals()
        self.accepted = 0
        self.accepted_at: datetime | None = None
        """When the last message was accepted."""
        self.last_received_at: datetime | None = None
        """When the server received the last message that was accepted; never far in the future."""
        self._not_in_future: Callable[[datetime], datetime] = lambda moment: moment

    # Life

    @callback
    def register(self) -> None:
        """Receive deliveries from now on.

        All HTTP methods are accepted, and refused in `_check`, where refusals are counted: Home
        Assistant would log a warning for each.
        """
        webhook.async_unregister(self._hass, self.webhook_id)
        webhook.async_register(
            self._hass,
            DOMAIN,
            self._entry.title,
            self.webhook_id,
            self._async_handle,
            allowed_methods=webhook.SUPPORTED_METHODS,
        )

    @callback
    def unregister(self) -> None:
        """Receive nothing any more."""
        webhook.async_unregister(self._hass, self.webhook_id)

    @contextmanager
    def open(self, not_in_future: Callable[[datetime], datetime]) -> Iterator[Inbox]:
        """Accept messages, and put them into the inbox that is returned.

        `not_in_future` returns a time, but the present for one far ahead.
        """
        self._not_in_future = not_in_future
        inbox = self._inbox = Inbox(self._hass.data.get(QUEUE_SIZE, SIZE), not_in_future)
        try:
            yield inbox
        finally:
            if self._inbox is inbox:
                self._inbox = None

    @callback
    def async_listen(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call the listener after each delivery, accepted or not; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def expect_proof(self, device_id: str, payload: bytes) -> asyncio.Event:
        """Return an event that is set when a simulated uplink with this payload arrives.

        For PROOF_SECONDS all simulated messages of this end device are received and dropped, also
        those that the server derives from the uplink, such as normalized values.
        """
        self._proof = _Proof(device_id, payload, asyncio.get_running_loop().time() + PROOF_SECONDS)
        return self._proof.arrived

    # Deliveries

    async def _async_handle(
        self, _hass: HomeAssistant, _webhook_id: str, request: Request
    ) -> Response:
        try:
            self._check(request)
            body = await _read(request)
            self._accept(self._parse(body, request.headers), len(body), request.headers)
        except _Refused as refused:
            self.refusals.count(refused.reason)
            self._notify()
            return Response(status=_STATUS[refused.reason])
        self._notify()
        return Response()

    def _notify(self) -> None:
        for listener in list(self._listeners):
            listener()

    def _check(self, request: Request) -> None:
        """Raise _Refused for what can be refused before the body is read."""
        if request.method != "POST":
            raise _Refused(Reason.FLOOD if self.refusals.too_many else Reason.METHOD)
        if not self._knows(request.headers.get(SECRET_HEADER, "")):
            raise _Refused(Reason.FLOOD if self.refusals.too_many else Reason.SECRET)
        if self._inbox is None:
            raise _Refused(Reason.NOT_READY)

    def _knows(self, given: str) -> bool:
        """Return whether a secret is ours.

        Earlier ones end a minute after the first use of the new one: what was posted before may
        still be on its way.
        """
        self._end_earlier_secrets()
        secrets = known_secrets(self._entry.data)
        sent = given.encode(errors="surrogateescape")
        matches = [hmac.compare_digest(sent, secret.encode()) for secret in secrets]
        if matches[0] and len(matches) > 1 and self._ending is None:
            self._ending = self.clock() + OVERLAP_SECONDS, frozenset(secrets[1:])
        return any(matches)

    def _end_earlier_secrets(self) -> None:
        if self._ending is None or self.clock() < self._ending[0]:
            return
        ended, self._ending = self._ending[1], None
        data = dict(self._entry.data)
        # One that became an earlier one meanwhile may still be what the server has.
        left = [
            secret for secret in data.pop(CONF_WEBHOOK_EARLIER_SECRETS, ()) if secret not in ended
        ]
        if left:
            data[CONF_WEBHOOK_EARLIER_SECRETS] = left
        self._hass.config_entries.async_update_entry(self._entry, data=data)

    def _parse(self, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """Return what was posted, as the application's stack writes it; raises _Refused."""
        try:
            return self.read(body, headers)
        except BadMessage as err:
            foreign = err.name == "other_application"
            raise _Refused(Reason.FOREIGN if foreign else Reason.UNREADABLE) from None

    def _accept(self, delivery: Delivery, size: int, headers: Mapping[str, str]) -> None:
        """Put a message in line; raises _Refused."""
        if (message := delivery.message) is None:
            return
        self._check_origin(message, headers)
        if self._is_of_proof(message):
            self._note_accepted(message)
            return
        if self._inbox is None:
            raise _Refused(Reason.NOT_READY)
        if not self._inbox.put(message, size):
            raise _Refused(Reason.FLOOD)
        self._note_accepted(message)
        if self.takes_addresses and delivery.address is not None:
            self.store.remember_address(message.ids.device_id, delivery.address)

    def _is_of_proof(self, message: Message) -> bool:
        proof = self._proof
        if (
            proof is None
            or not message.simulated
            or message.ids.device_id != proof.device_id
            or asyncio.get_running_loop().time() > proof.until
        ):
            return False
        if isinstance(message, UplinkMessage) and message.frm_payload == proof.payload:
            proof.arrived.set()
        return True

    def _note_accepted(self, message: Message) -> None:
        self.accepted += 1
        self.accepted_at = dt_util.utcnow()
        if message.received_at is not None:
            self.last_received_at = self._not_in_future(message.received_at)

    def _check_origin(self, message: Message, headers: Mapping[str, str]) -> None:
        """Raise _Refused for a message of another application, tenant or public network."""
        data = self._entry.data
        if message.ids.application_id != data[CONF_APPLICATION_ID]:
            raise _Refused(Reason.FOREIGN)
        sender = _network_of(headers.get(DOMAIN_HEADER, ""))
        ours = known_network(str(data[CONF_SERVER]))
        if sender is not None and (ours is None or sender.server != ours.server):
            raise _Refused(Reason.FOREIGN)
        tenant = message.body.get("network_ids", {})
        tenant_id = tenant.get("tenant_id") if isinstance(tenant, dict) else None
        if tenant_id and data.get(CONF_TENANT_ID) and tenant_id != data[CONF_TENANT_ID]:
            raise _Refused(Reason.FOREIGN)


def known_secrets(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the secret of an entry's data, then earlier ones that the server may still send."""
    earlier = data.get(CONF_WEBHOOK_EARLIER_SECRETS, ())
    return (str(data[CONF_WEBHOOK_SECRET]), *map(str, earlier))


@callback
def reception_of(hass: HomeAssistant, entry: ConfigEntry) -> Reception:
    """Return what receives the deliveries for an entry; it is registered the first time."""
    receptions = hass.data.setdefault(_RECEPTIONS, {})
    reception = receptions.get(entry.entry_id)
    if reception is None or reception.webhook_id != entry.data[CONF_WEBHOOK_ID]:
        reception = receptions[entry.entry_id] = Reception(hass, entry)
        reception.register()
    return reception


@callback
def drop_reception(hass: HomeAssistant, entry: ConfigEntry) -> WebhookStore | None:
    """Receive nothing for an entry any more; returns what it had stored, if it did receive."""
    reception = hass.data.get(_RECEPTIONS, {}).pop(entry.entry_id, None)
    if reception is None:
        return None
    reception.unregister()
    return reception.store


async def _read(request: Request) -> bytes:
    """Return the body of a request; raises _Refused. Cloudhooks bring one of another class."""
    length = request.headers.get("Content-Length", "0")
    if length.isdecimal() and int(length) > MAX_BODY:
        raise _Refused(Reason.TOO_LARGE)
    content = request.content
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_READ_SECONDS):
            while piece := await content.read(_CHUNK):
                size += len(piece)
                if size > MAX_BODY:
                    raise _Refused(Reason.TOO_LARGE)
                pieces.append(piece)
    except _INTERRUPTED:  # a timeout is an OSError, too
        raise _Refused(Reason.UNREADABLE) from None
    return b"".join(pieces)


def _network_of(domain: str) -> Network | None:
    """Return the public network that a server's domain belongs to; None for all others."""
    try:
        return known_network(f"https://{domain}") if domain and domain.isprintable() else None
    except ValueError:  # it can't be part of an address
        return None
