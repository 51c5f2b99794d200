"""The Storage Integration: read stored uplinks, and switch it on."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

from . import json_values
from .api import MAX_PAGES, SMALL_PAGE, Calls
from .errors import BadMessage, Conflict, NotFound, ServerFailed, StorageUnavailable
from .messages import Message, parse_message

PAGE = 1_000
PACKAGE = "storage-integration"
USUAL_PORT = 100
LAST_PORT = 223


class StorageIntegration:
    """The application's Storage Integration."""

    def __init__(self, calls: Calls) -> None:
        """Make requests with `calls`."""
        self._calls = calls

    @property
    def _path(self) -> str:
        return f"as/{self._calls.application_path}/packages/associations"

    async def enabled(self) -> bool:
        """Return whether the uplinks of all end devices are kept; raises StackError.

        Single end devices may have it nevertheless. A server that has no Storage Integration
        answers, too: there `Stack.stored_uplinks` raises StorageUnavailable.
        """
        return PACKAGE in (await self._packages()).values()

    async def enable(self) -> None:
        """Keep the uplinks of all end devices from now on (SETTINGS_PACKAGES).

        Does nothing if they are kept already, since a second association would store them twice.
        Raises StackError; Conflict `no_free_port` if other packages use all ports.
        """
        used = await self._packages()
        if PACKAGE in used.values():
            return
        ports = (*range(USUAL_PORT, LAST_PORT + 1), *range(1, USUAL_PORT))
        port = next((port for port in ports if port not in used), None)
        if port is None:
            raise Conflict("other packages use all ports", name="no_free_port")
        body = {"default": {"package_name": PACKAGE}, "field_mask": {"paths": ["package_name"]}}
        await self._calls.request("PUT", f"{self._path}/{port}", json=body)

    async def _packages(self) -> dict[int, str]:
        """Return the packages that all end devices use, by the port of their association."""
        found: dict[int, str] = {}
        async for item in self._calls.pages(self._path, "associations", size=SMALL_PAGE):
            port = json_values.integer(json_values.mapping(item.get("ids")).get("f_port")) or 0
            found[port] = json_values.text(item.get("package_name")) or ""
        return found


async def stored_uplinks(
    calls: Calls,
    *,
    after: datetime | None,
    before: datetime | None,
    limit: int | None,
    device_id: str | None,
    newest_first: bool,
) -> AsyncGenerator[Message]:
    """Yield uplinks as `Stack.stored_uplinks` says."""
    scope = calls.device_path(device_id) if device_id else calls.application_path
    path = f"as/{scope}/packages/storage/uplink_message"
    start: Any = None
    token: str | None = None
    places: set[Any] = set()
    seen = 0
    while limit is None or seen < limit:
        page = PAGE if limit is None else min(PAGE, limit - seen)
        params: dict[str, Any] = {
            "after": after,
            "before": before,
            "limit": page,
            "order": "received_at",
        }
        if newest_first:
            params |= {"before": start or before, "order": "-received_at"}
        else:
            params["after"] = start or after
        if token:
            params = {"continuation_token": token}
        count = 0
        try:
            async with calls.lines(path, params=params, timeout=120) as (items, headers):
                async for item in items:
                    count += 1
                    seen += 1
                    start = item.get("received_at", start)
                    try:
                        message = parse_message(None, item)
                    except BadMessage:
                        continue
                    yield message
                    if seen == limit:
                        return
        except NotFound as error:
            raise StorageUnavailable(
                "the server has no Storage Integration",
                name=error.name,
                namespace=error.namespace,
                status=error.status,
            ) from None
        token = headers.get("X-Continuation-Token")
        if not count or (token is None and count < page):
            return
        place = token or str(start)
        if place in places or len(places) >= MAX_PAGES:
            raise ServerFailed(
                "the server answers the same stored messages again and again",
                name="pages_repeated",
            )
        places.add(place)
