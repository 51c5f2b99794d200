"""Uplinks that the server's Storage Integration kept."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

from .api import MAX_PAGES, Calls
from .errors import BadMessage, NotFound, ServerFailed, StorageUnavailable
from .messages import Message, parse_message

PAGE = 1_000


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
