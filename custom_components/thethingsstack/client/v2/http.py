"""Requests to a Handler: its addresses, access key, errors and rate limit."""

from collections.abc import Mapping
from typing import Any, override

from ..errors import InvalidRequest, StackError
from ..transport import Answer, Host, Transport
from .keys import authorization
from .pace import Pace
from .refusals import refusal

CALLS_A_SECOND = 5
"""What the Handler allows each client, and each application."""


class HandlerTransport(Transport):
    """Makes the requests to the Handler of a connection; the caller closes the session."""

    def __init__(self, *arguments: Any, pace: Pace, **named: Any) -> None:
        """Take what comes from outside, and what keeps the requests apart."""
        super().__init__(*arguments, **named)
        self._pace = pace

    @override
    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        host: Host | None = None,
        timeout: float,
        max_wait: float,
    ) -> Answer:
        """Make a call when the rate limit allows it."""
        await self._pace.wait()
        return await super().request(
            method, path, params=params, json=json, host=host, timeout=timeout, max_wait=max_wait
        )

    @override
    def _authorization(self) -> Mapping[str, str]:
        return {"Authorization": authorization(self._connection.api_key)}

    @override
    def _base_and_path(self, path: str, host: Host | None) -> tuple[str, str]:
        if "://" in path.partition("?")[0]:
            raise InvalidRequest("a path is expected, not a URL", name="invalid_path")
        return self._connection.server, path.lstrip("/")

    @override
    def _refusal(
        self, status: int, answer: Mapping[str, Any], headers: Mapping[str, str]
    ) -> StackError:
        return refusal(status, answer)


class PublicTransport(HandlerTransport):
    """Makes requests that need no key."""

    @override
    def _authorization(self) -> Mapping[str, str]:
        return {}
