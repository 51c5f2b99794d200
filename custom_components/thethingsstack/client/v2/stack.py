"""The client of one application of version 2: requests to its Handler, messages over MQTT."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
import logging
import random as _random
import ssl
from typing import Any

import aiohttp
import orjson

from .. import json_values
from ..api import Calls
from ..base_stack import BaseStack, utcnow
from ..capabilities import lacking
from ..connection import MQTT_PORT, MQTTS_PORT, Connection
from ..downlinks import Downlink
from ..errors import (
    AuthenticationFailed,
    BadMessage,
    InvalidRequest,
    MissingRight,
    MqttRefused,
    NotSupported,
    StackError,
    StorageUnavailable,
)
from ..field_masks import DEVICE_FIELDS
from ..messages import Message
from ..models import Application, EndDevice, KeyInfo, MqttAddress
from ..mqtt import BAD_LOGIN, NOT_AUTHORIZED, MqttConnection, tls_context as make_tls_context
from ..reconnecting import ReconnectingStream
from ..stream import UnreadableMessage
from ..webhook_downlinks import Delivery, DownlinkAddress
from . import topics
from .administration import HandlerAdministration, HandlerConfiguration
from .broker import SUBSCRIPTION_REFUSED, BrokerConnection
from .capabilities import CAPABILITIES, RIGHTS
from .correlation import Correlation
from .devices import HandlerDevices
from .downlinks import ANSWER, HandlerDownlinks
from .formatters import FunctionFormatters
from .functions import ApplicationFunctions
from .http import CALLS_A_SECOND, HandlerTransport
from .integration import IntegrationDownlinks, IntegrationTransport, downlink_address
from .keys import access_key
from .messages import Reader
from .pace import Pace

_LOGGER = logging.getLogger(__name__)


class HandlerStack(BaseStack):
    """The client of one application on a stack of version 2.

    The connection's server is the Handler's HTTP API, its key the application's access key. The
    other arguments are those of `Stack`; `answer_within` is how many seconds the Handler may take
    to say what it does with a downlink. What version 2 doesn't have raises NotSupported.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        session: aiohttp.ClientSession,
        tls_context: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] = utcnow,
        random: Callable[[], float] = _random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        user_agent: str = "thethingsstack-python",
        queue_size: int = 5_000,
        mqtt_timeout: float = 10,
        answer_within: float = ANSWER,
        on_key_refused: Callable[[AuthenticationFailed], None] | None = None,
    ) -> None:
        """Keep the settings; no connection is opened yet."""
        self.connection = connection
        self.capabilities = CAPABILITIES
        """What a stack of version 2 can do."""
        self._tls_context = tls_context
        self._clock = clock
        self._queue_size = queue_size
        self._mqtt_timeout = mqtt_timeout
        self._requests: dict[str, Any] = {
            "session": session,
            "tls_context": tls_context,
            "user_agent": user_agent,
            "sleep": sleep,
        }
        self._transport = HandlerTransport(
            connection,
            **self._requests,
            on_key_refused=on_key_refused,
            pace=Pace(CALLS_A_SECOND, sleep=sleep),
        )
        self._calls = calls = Calls(self._transport, connection, sleep)
        self._correlation = Correlation()
        self._reader = Reader(
            connection.application_id or "", self._correlation, now=self.server_time
        )
        self._stream = ReconnectingStream(
            connection.server_host,
            open_connection=self._open_connection,
            read=self._reader.read,
            check=self._check_application,
            confirm=self._confirm,
            not_in_future=self.not_in_future,
            clock=clock,
            random=random,
            sleep=sleep,
        )
        application = ApplicationFunctions(calls)
        self.end_devices = HandlerDevices(calls, self._transport, learn=self._reader.learn)
        """Registering, changing, finding and removing end devices."""
        self.downlinks = HandlerDownlinks(
            lambda: calls.application_id,
            connection=self._for_publishing,
            correlation=self._correlation,
            application=application,
            get_device=self.end_devices.get,
            answer_within=answer_within,
        )
        """Publishing downlinks."""
        self.formatters = FunctionFormatters(application)
        """The application's payload functions, as formatters."""
        self.administration = HandlerAdministration(application)
        """The application itself."""
        self.configuration = HandlerConfiguration()
        self.repository: Any = lacking("repository")
        self.claiming: Any = lacking("claiming")
        self.qr_codes: Any = lacking("claiming")
        self.gateways: Any = lacking("gateways")
        self.events: Any = lacking("event_stream")
        self.message_events: Any = lacking("event_stream")
        self.storage_integration: Any = lacking("storage")
        self.webhooks: Any = lacking("webhooks")

    def use_webhook_downlinks(self, addresses: Callable[[str], DownlinkAddress | None]) -> None:
        """Post downlinks to the addresses that come with uplinks of the HTTP integration."""
        self.downlinks.post = IntegrationDownlinks(addresses, self._transport_to).post

    def _transport_to(self, base: str) -> IntegrationTransport:
        return IntegrationTransport(
            Connection(server=base, api_key=""), pace=Pace(CALLS_A_SECOND), **self._requests
        )

    def read_delivery(self, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """Return the uplink that the HTTP integration has posted, and where to post downlinks.

        Raises BadMessage; `other_application` for one of another application.
        """
        application_id = self._calls.application_id
        try:
            data = json_values.mapping(orjson.loads(body))
        except orjson.JSONDecodeError:
            raise BadMessage("the delivery is no JSON", name="invalid_json") from None
        device_id = json_values.text(data.get("dev_id")) or ""
        if not topics.is_device_id(device_id):
            raise BadMessage("the delivery names no end device", name="no_device_id")
        if data.get("app_id") != application_id:
            raise BadMessage("the message is of another application", name="other_application")
        item = self._reader.read(topics.uplink(application_id, device_id), body)
        if isinstance(item, UnreadableMessage):
            raise item.error
        try:
            address = downlink_address(
                data.get("downlink_url"),
                application_id=application_id,
                tls=self.connection.server.startswith("https:"),
            )
        except InvalidRequest as error:
            _LOGGER.debug("A downlink address of %s: %s", device_id, error)
            address = None
        return Delivery(message=item if isinstance(item, Message) else None, address=address)

    # -- Calls ------------------------------------------------------------------------------------

    async def auth_info(self) -> KeyInfo:
        """Return the application and the rights found by trying; raises AuthenticationFailed."""
        return KeyInfo(rights=await self.rights(), application_id=self._calls.application_id)

    async def rights(self, application_id: str | None = None) -> frozenset[str]:
        """Return the key's rights by the names of The Things Stack, found by trying.

        `settings` and `devices` are tried over HTTP. Whether messages may be read and sent only the
        broker knows, which says nothing of it: that is taken for granted. Raises
        AuthenticationFailed, and NotFound where the application isn't registered to this Handler.
        """
        if application_id not in (None, self._calls.application_id):
            raise NotSupported("rights_listing")
        path = self._calls.application_path
        held = set(RIGHTS["messages"])
        for right, tried, params in (
            ("settings", path, None),
            ("devices", f"{path}/devices", {"limit": 1}),
        ):
            try:
                await self._calls.request("GET", tried, params=params)
            except MissingRight:
                continue
            held.update(RIGHTS[right])
        return frozenset(held)

    async def applications(self) -> list[Application]:
        """Return this application: the Handler lists none."""
        return [await self.application()]

    async def application(self) -> Application:
        """Return the application; raises MissingRight, NotFound."""
        return await self.administration.show()

    async def devices(self, field_mask: Sequence[str] = DEVICE_FIELDS) -> AsyncGenerator[EndDevice]:
        """Yield the application's end devices, sorted by ID; not when they were seen last."""
        async for device in self.end_devices.all():
            yield device

    async def device(self, device_id: str, field_mask: Sequence[str] = DEVICE_FIELDS) -> EndDevice:
        """Return one end device; raises NotFound."""
        return await self.end_devices.get(device_id)

    def stored_uplinks(
        self,
        *,
        after: datetime | None = None,
        before: datetime | None = None,
        limit: int | None = None,
        device_id: str | None = None,
        newest_first: bool = False,
    ) -> AsyncGenerator[Message]:
        """Raise StorageUnavailable: a Handler keeps no uplinks."""
        raise StorageUnavailable("a Handler of version 2 keeps no uplinks", name="no_storage")

    async def publish_downlinks(
        self, operation: str, device_id: str, downlinks: Sequence[Downlink]
    ) -> None:
        """Append downlinks ("push") or replace the queue, as `downlinks` does: by MQTT."""
        send = self.downlinks.replace if operation == "replace" else self.downlinks.push
        await send(device_id, downlinks)

    # -- The stream -------------------------------------------------------------------------------

    async def mqtt_address(self) -> MqttAddress:
        """Return the address of the broker: the connection's, or the usual port of its server."""
        connection = self.connection
        tls = bool(connection.mqtt_tls)
        return MqttAddress(
            host=connection.mqtt_host or connection.server_host,
            port=connection.mqtt_port or (MQTTS_PORT if tls else MQTT_PORT),
            tls=tls,
            username=self._calls.application_id,
        )

    async def check_mqtt(self) -> None:
        """Connect over MQTT and subscribe once, to check that messages can be received.

        Raises ConnectionFailed or a subclass of it, or AuthenticationFailed.
        """
        try:
            async with self._opened():
                pass
        except MqttRefused as error:
            await self._confirm(error)
            raise

    async def _check_application(self) -> None:
        """Raise InvalidRequest where no application is given."""
        self._calls.application_id  # noqa: B018 - raises

    async def _open_connection(self, _moved: bool) -> BrokerConnection:
        return await self._new_connection()

    async def _new_connection(self) -> BrokerConnection:
        address = await self.mqtt_address()
        if address.tls and self._tls_context is None:
            self._tls_context = await asyncio.to_thread(make_tls_context)
        return BrokerConnection(
            address,
            password=access_key(self.connection.api_key),
            topics=topics.filters(address.username),
            tls_context=self._tls_context,
            queue_size=self._queue_size,
            timeout=self._mqtt_timeout,
            on_arrival=self.downlinks.on_arrival,
        )

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[MqttConnection]:
        async with await self._new_connection() as connection:
            yield connection

    @asynccontextmanager
    async def _for_publishing(self) -> AsyncIterator[MqttConnection]:
        """Lend the stream's connection, or one for this time."""
        of_stream = self._stream.connection
        if of_stream is not None and not of_stream.closed:
            yield of_stream
            return
        async with self._opened() as connection:
            yield connection

    async def _confirm(self, refused: MqttRefused | MissingRight) -> None:
        """Raise AuthenticationFailed if the Handler refuses the access key, too.

        A key with rights on messages alone is known to the Handler, which names what it lacks.
        """
        codes = (BAD_LOGIN, NOT_AUTHORIZED, SUBSCRIPTION_REFUSED)
        if isinstance(refused, MqttRefused) and refused.code not in codes:
            return
        try:
            await self.rights()
        except AuthenticationFailed:
            raise
        except StackError:
            return  # it can't be confirmed now
