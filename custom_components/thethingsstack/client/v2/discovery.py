"""The discovery server, which knows the addresses of Handlers."""

from collections.abc import Mapping
from dataclasses import dataclass
import ssl
from typing import Any, Self

import aiohttp

from .. import json_values
from ..connection import Connection, host_port
from .http import CALLS_A_SECOND, PublicTransport
from .pace import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerAddress:
    """A Handler's announcement: the base URL of its HTTP API, and host and port of its broker.

    An address is None where it isn't announced. `applications` are those registered to it.
    """

    handler_id: str
    description: str | None = None
    api_address: str | None = None
    mqtt_host: str | None = None
    mqtt_port: int | None = None
    version: str | None = None
    applications: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read an announcement."""
        host, port = host_port(json_values.text(data.get("mqtt_address")) or "")
        return cls(
            handler_id=json_values.text(data.get("id")) or "",
            description=json_values.text(data.get("description")),
            api_address=json_values.text(data.get("api_address")),
            mqtt_host=host or None,
            mqtt_port=port,
            version=json_values.text(data.get("service_version")),
            applications=tuple(
                app_id
                for item in json_values.objects(data.get("metadata"))
                if (app_id := json_values.text(item.get("app_id"))) is not None
            ),
        )


async def find_handlers(
    discovery_server: str,
    *,
    session: aiohttp.ClientSession,
    tls_context: ssl.SSLContext | None = None,
    user_agent: str = "thethingsstack-python",
) -> list[HandlerAddress]:
    """Return the Handlers that a discovery server knows, from its HTTP API; needs no key.

    Raises StackError; InvalidRequest `invalid_server` for what is no URL.
    """
    transport = PublicTransport(
        Connection(server=discovery_server, api_key=""),
        session=session,
        tls_context=tls_context,
        user_agent=user_agent,
        pace=Pace(CALLS_A_SECOND),
    )
    answer = await transport.request("GET", "announcements/handler", timeout=20, max_wait=30)
    services = json_values.objects(json_values.mapping(answer.data).get("services"))
    return [HandlerAddress.from_json(item) for item in services]
