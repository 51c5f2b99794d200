"""One application of one The Things Stack: calls and the stream of its messages."""

import random as _random
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import aiohttp

from .connection import Connection
from .messages import Message
from .models import Application, EndDevice, KeyInfo, MqttAddress
from .stream import StreamItem

DEVICE_FIELDS = (
    "name",
    "description",
    "attributes",
    "version_ids",
    "locations",
    "last_seen_at",
    "activated_at",
    "network_server_address",
    "application_server_address",
    "join_server_address",
    "serial_number",
)


def utcnow() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class Stack:
    """An application on a server: calls over HTTP, messages over MQTT."""

    def __init__(
        self,
        connection: Connection,
        *,
        session: aiohttp.ClientSession,
        tls_context: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] = utcnow,
        random: Callable[[], float] = _random.random,
        user_agent: str = "thethingsstack",
        queue_size: int = 5_000,
    ) -> None:
        """Take what comes from outside; nothing is opened yet."""
        self.connection = connection

    @property
    def connected(self) -> bool:
        """Whether messages come."""
        raise NotImplementedError

    @property
    def dropped(self) -> int:
        """How many messages were dropped because they weren't taken in time."""
        raise NotImplementedError

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        host: Literal["identity", "cluster"] | None = None,
        timeout: float = 20,
    ) -> Any:
        """Call the HTTP API."""
        raise NotImplementedError

    async def auth_info(self) -> KeyInfo:
        """Return whose key it is and what it may do; raises AuthenticationFailed."""
        raise NotImplementedError

    async def rights(self, application_id: str | None = None) -> frozenset[str]:
        """Return the key's rights on the application; empty for none."""
        raise NotImplementedError

    async def applications(self) -> list[Application]:
        """Return the applications that a user's or organization's key reaches."""
        raise NotImplementedError

    async def application(self) -> Application:
        """Return the application (INFO)."""
        raise NotImplementedError

    async def mqtt_address(self) -> MqttAddress:
        """Return where the messages come from."""
        raise NotImplementedError

    def devices(self, field_mask: Sequence[str] = DEVICE_FIELDS) -> AsyncIterator[EndDevice]:
        """Yield the application's end devices, page by page."""
        raise NotImplementedError

    async def device(
        self, device_id: str, field_mask: Sequence[str] = DEVICE_FIELDS
    ) -> EndDevice:
        """Return one end device."""
        raise NotImplementedError

    async def device_everywhere(self, device_id: str) -> dict[str, Any]:
        """Return an end device merged from all servers."""
        raise NotImplementedError

    def stored_uplinks(
        self,
        *,
        after: datetime | None = None,
        before: datetime | None = None,
        limit: int | None = None,
        device_id: str | None = None,
    ) -> AsyncIterator[Message]:
        """Yield stored uplinks, oldest first; raises StorageUnavailable."""
        raise NotImplementedError

    async def check_mqtt(self) -> None:
        """Connect and subscribe once; raises what a stream would meet."""
        raise NotImplementedError

    def stream(self) -> AsyncIterator[StreamItem]:
        """Yield the application's messages for ever, reconnecting; raises AuthenticationFailed."""
        raise NotImplementedError
