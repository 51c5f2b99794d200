"""The client of one application: requests, and the stream of its messages."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
import logging
import random as _random
import ssl

import aiohttp
import orjson

from . import json_values, rights as _rights
from .administration import Administration
from .api import Calls, quoted
from .base_stack import BaseStack, utcnow
from .capabilities import Capabilities
from .claiming import Claiming, QrCodes
from .configuration import Configuration
from .connection import MQTT_PORT, MQTTS_PORT, Connection, host_port, is_loopback
from .downlinks import Downlink, Downlinks
from .end_devices import EndDevices
from .errors import AuthenticationFailed, BadMessage, MissingRight, MqttRefused, StackError
from .events import Events
from .field_masks import APPLICATION_FIELDS, DEVICE_FIELDS
from .formatters import FormatterCalls
from .gateways import Gateways
from .identifiers import check_id
from .message_events import MessageEvents
from .messages import Message, parse_message
from .models import Application, EndDevice, KeyInfo, MqttAddress
from .mqtt import NOT_AUTHORIZED, MqttConnection, tls_context as make_tls_context, topics
from .reconnecting import ReconnectingStream
from .repository import Repository
from .storage import StorageIntegration, stored_uplinks
from .stream import StreamItem, UnreadableMessage
from .transport import Transport
from .webhook_downlinks import Delivery, DownlinkAddress, WebhookDownlinks, read_delivery
from .webhooks import Webhooks

_LOGGER = logging.getLogger(__name__)

_NO_RIGHTS = "no_application_rights"


class Stack(BaseStack):
    """The client of one application: requests over HTTP, messages over MQTT.

    The caller provides and closes the HTTP session. Without a TLS context, the system's root
    certificates are trusted. `clock`, `random` and `sleep` can be replaced in tests.
    `on_key_refused` is called with each error of the HTTP API that refuses the API key, before the
    method raises it.
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
        on_key_refused: Callable[[AuthenticationFailed], None] | None = None,
    ) -> None:
        """Keep the settings; no connection is opened yet."""
        self.connection = connection
        self.capabilities = Capabilities()
        """What this stack can do: everything."""
        self._tls_context = tls_context
        self._clock = clock
        self._queue_size = queue_size
        self._mqtt_timeout = mqtt_timeout
        self._address: MqttAddress | None = None
        self._stream = ReconnectingStream(
            connection.server_host,
            open_connection=self._open_connection,
            read=self._read,
            check=self._check_reading,
            confirm=self._confirm,
            not_in_future=self.not_in_future,
            clock=clock,
            random=random,
            sleep=sleep,
        )
        transport = Transport(
            connection,
            session=session,
            tls_context=tls_context,
            user_agent=user_agent,
            sleep=sleep,
            on_key_refused=on_key_refused,
        )
        self._transport = transport
        self._calls = calls = Calls(transport, connection, sleep)
        self.end_devices = EndDevices(calls)
        """Registering, changing, finding and removing end devices."""
        self.downlinks: Downlinks = Downlinks(calls)
        """The downlink queues of the application's end devices."""
        self.repository = Repository(calls)
        """Brands, models and templates."""
        self.configuration = Configuration(calls)
        """Frequency plans, versions, defaults."""
        self.formatters = FormatterCalls(calls)
        """Payload formatters."""
        self.qr_codes = QrCodes(calls)
        self.claiming = Claiming(calls)
        self.administration = Administration(calls)
        """The application itself, its API keys and collaborators."""
        self.gateways = Gateways(calls)
        self.events = Events(calls, random=random)
        """The event stream of the HTTP API."""
        self.storage_integration = StorageIntegration(calls)
        """Whether the server keeps uplinks for `stored_uplinks`."""
        self.message_events = MessageEvents(
            calls,
            self.events,
            check_reading=self._check_reading,
            server_time=self.server_time,
            not_in_future=self.not_in_future,
            queue_size=queue_size,
        )
        """The messages over HTTP, where MQTT can't be reached."""
        self.webhooks = Webhooks(calls)
        """The application's webhooks."""

    def use_webhook_downlinks(self, addresses: Callable[[str], DownlinkAddress | None]) -> None:
        """Send downlinks to the addresses that came with end devices' messages, by device ID.

        For an application whose webhook is all that is known of it: no key of its own is needed.
        """
        self.downlinks = WebhookDownlinks(self._calls, addresses)

    def read_delivery(self, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """Return the message that a webhook has posted, and where to post downlinks.

        Raises BadMessage.
        """
        return read_delivery(body, headers, application_id=self.connection.application_id or "")

    # -- Calls ------------------------------------------------------------------------------------

    async def auth_info(self) -> KeyInfo:
        """Return the API key's owner, rights and expiry; raises AuthenticationFailed."""
        answer = json_values.mapping(await self.request("GET", "auth_info"))
        if not answer:
            # The server's answer without a key, for instance if a proxy removes the header.
            raise AuthenticationFailed("unauthenticated", name="unauthenticated")
        return KeyInfo.from_json(answer)

    async def rights(self, application_id: str | None = None) -> frozenset[str]:
        """Return the key's rights on an application, this one if none is named; empty for none.

        An application that does not exist has none, too.
        """
        return await self._read_rights(application_id or self._calls.application_id)

    async def _read_rights(self, application_id: str, **limits: float) -> frozenset[str]:
        path = f"applications/{quoted(application_id)}/rights"
        answer = await self._calls.object("GET", path, **limits)
        return _rights.expand_rights(json_values.texts(answer.get("rights")))

    async def applications(self) -> list[Application]:
        """Return the applications that a user's or organization's key has rights on; else []."""
        pages = self._calls.pages("applications", "applications", APPLICATION_FIELDS)
        return [Application.from_json(item) async for item in pages]

    async def application(self) -> Application:
        """Return the application; raises MissingRight without INFO."""
        params = {"field_mask": APPLICATION_FIELDS}
        answer = await self.request("GET", self._calls.application_path, params=params)
        return Application.from_json(json_values.mapping(answer))

    async def devices(self, field_mask: Sequence[str] = DEVICE_FIELDS) -> AsyncGenerator[EndDevice]:
        """Yield the application's end devices, sorted by ID."""
        path = f"{self._calls.application_path}/devices"
        async for item in self._calls.pages(
            path, "end_devices", field_mask, params={"order": "device_id"}
        ):
            yield EndDevice.from_json(item)

    async def device(self, device_id: str, field_mask: Sequence[str] = DEVICE_FIELDS) -> EndDevice:
        """Return one end device as the Identity Server knows it; raises NotFound."""
        params = {"field_mask": field_mask}
        with self._calls.device_registered(device_id):
            answer = await self.request("GET", self._calls.device_path(device_id), params=params)
        return EndDevice.from_json(json_values.mapping(answer))

    async def stored_uplinks(
        self,
        *,
        after: datetime | None = None,
        before: datetime | None = None,
        limit: int | None = None,
        device_id: str | None = None,
        newest_first: bool = False,
    ) -> AsyncGenerator[Message]:
        """Yield uplinks from the Storage Integration, the oldest first unless `newest_first`.

        Unreadable ones are omitted. Raises StorageUnavailable if the server has no Storage
        Integration, and ServerFailed `pages_repeated` if it sends the same page again.
        """
        async for message in stored_uplinks(
            self._calls,
            after=after,
            before=before,
            limit=limit,
            device_id=device_id,
            newest_first=newest_first,
        ):
            yield message

    # -- The stream -------------------------------------------------------------------------------

    async def mqtt_address(self) -> MqttAddress:
        """Return the address of the MQTT server.

        It is the connection's; else the one that the server names (needs INFO); else the default
        port of the server's host. Instead of localhost, the server's host is used.
        """
        connection = self.connection
        port = MQTTS_PORT if connection.mqtt_tls else MQTT_PORT
        host = connection.mqtt_host or connection.server_host
        username = connection.uid
        if connection.mqtt_host is None:
            try:
                answer = json_values.mapping(
                    await self.request(
                        "GET", f"as/{self._calls.application_path}/mqtt-connection-info"
                    )
                )
            except MissingRight as error:
                if error.name == _NO_RIGHTS:
                    raise
                answer = {}
            tls_or_not = "public_tls_address" if connection.mqtt_tls else "public_address"
            given, given_port = host_port(json_values.text(answer.get(tls_or_not)) or "")
            host = host if not given or is_loopback(given) else given
            port = given_port or port
            username = json_values.text(answer.get("username")) or username
        return MqttAddress(
            host=host,
            port=connection.mqtt_port or port,
            tls=bool(connection.mqtt_tls),
            username=username,
        )

    async def check_mqtt(self) -> None:
        """Connect over MQTT and subscribe once, to check that messages can be received.

        Raises ConnectionFailed or a subclass of it, AuthenticationFailed, or MissingRight.
        """
        await self._check_reading()
        try:
            async with await self._mqtt_connection():
                pass
        except (MqttRefused, MissingRight) as error:
            await self._confirm(error)
            raise

    async def publish_downlinks(
        self, operation: str, device_id: str, downlinks: Sequence[Downlink]
    ) -> None:
        """Push downlinks or replace a queue over MQTT, where the server reports no refusal.

        Prefer HTTP (`downlinks`). Raises MissingRight if the key may not send, which is checked
        before because the server would ignore the message, and InvalidIdentifier for an invalid ID,
        which could change the topic.
        """
        check_id(device_id, "device ID")
        if _rights.TRAFFIC_DOWN_WRITE not in await self.rights():
            raise self._lacks(_rights.TRAFFIC_DOWN_WRITE)
        body = {"downlinks": [downlink.as_json() for downlink in downlinks]}
        async with await self._mqtt_connection() as connection:
            username = self._address.username if self._address else self.connection.uid
            topic = topics.downlink(username, device_id, operation)
            await connection.publish(topic, orjson.dumps(body))

    async def _open_connection(self, moved: bool) -> MqttConnection:
        if moved:
            self._address = None
        return await self._mqtt_connection()

    async def _check_reading(self) -> None:
        """Raise MissingRight where the key may not read messages, InvalidRequest without application.

        Where that can't be known, the MQTT server decides.
        """
        application_id = self._calls.application_id
        try:
            rights = await self._read_rights(application_id, timeout=10, max_wait=0)
        except StackError as error:
            _LOGGER.debug("The rights can't be read now: %s", error)
            return
        if rights and _rights.TRAFFIC_READ not in rights:
            raise self._lacks(_rights.TRAFFIC_READ)

    def _lacks(self, right: str) -> MissingRight:
        return MissingRight(
            f"insufficient rights for application `{self.connection.uid}`",
            rights=[right],
            name="insufficient_application_rights",
            namespace="pkg/auth/rights",
        )

    async def _mqtt_connection(self) -> MqttConnection:
        if self._address is None:
            self._address = await self.mqtt_address()
        if self._address.tls and self._tls_context is None:
            self._tls_context = await asyncio.to_thread(make_tls_context)
        return MqttConnection(
            self._address,
            password=self.connection.api_key,
            topics=[topics.everything(self._address.username)],
            tls_context=self._tls_context,
            queue_size=self._queue_size,
            timeout=self._mqtt_timeout,
        )

    async def _confirm(self, refused: MqttRefused | MissingRight) -> None:
        """Raise AuthenticationFailed if the HTTP API refuses the API key, too.

        The MQTT server refuses with the same code what it can't verify at the moment.
        """
        if isinstance(refused, MqttRefused) and refused.code != NOT_AUTHORIZED:
            return
        try:
            await self.auth_info()
            rights = await self.rights()
        except AuthenticationFailed:
            raise
        except StackError as error:
            _LOGGER.debug("The refusal can't be confirmed now: %s", error)
            return
        if not rights:
            raise AuthenticationFailed(
                f"no rights for application `{self.connection.uid}`",
                name=_NO_RIGHTS,
                namespace="pkg/auth/rights",
            )

    def _read(self, topic: str, payload: bytes) -> StreamItem:
        try:
            message = parse_message(topic, payload)
        except BadMessage as error:
            return UnreadableMessage(topic=topic, error=error)
        if message.ids.application_id != self.connection.application_id:
            foreign = BadMessage(
                "the message is of another application", topic=topic, name="other_application"
            )
            return UnreadableMessage(topic=topic, error=foreign)
        return message
