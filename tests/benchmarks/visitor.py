"""A process that does what a browser does: dialogues over HTTP, and the panel over a websocket."""

import asyncio
from contextlib import suppress
from itertools import count
import time
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
import orjson

from ..child_process import serve

_QUIET = 0.5
"""Seconds without a row after which none is on its way: they come a few times a second."""


class Visitor:
    """Somebody who is logged in; times are in milliseconds, until the answer is here."""

    def __init__(self) -> None:
        """Know nobody yet."""
        self._session: ClientSession | None = None
        self._socket: ClientWebSocketResponse | None = None
        self._ids = count(1)
        self._watching: asyncio.Task[None] | None = None
        self._rows = 0

    async def log_in(self, port: int, token: str) -> None:
        """Open a session, and the websocket with it."""
        self._session = ClientSession(
            f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}
        )
        self._socket = await self._session.ws_connect("/api/websocket", max_msg_size=0)
        await self._socket.receive_json()
        await self._socket.send_json({"type": "auth", "access_token": token})
        answer = await self._socket.receive_json()
        if answer["type"] != "auth_ok":
            raise PermissionError(answer["type"])

    async def post(self, path: str, body: Any) -> dict[str, Any]:
        """Return the answer of an API call, and how long it took."""
        assert self._session is not None
        began = time.perf_counter()
        async with self._session.post(f"/api/{path}", json=body) as response:
            text = await response.read()
            took = time.perf_counter() - began
            if not response.ok:
                raise ConnectionError(f"{path}: {response.status} {text[:500]!r}")
        return {"took": 1e3 * took, "answer": orjson.loads(text)}

    async def command(self, kind: str, *, event: bool = False) -> float:
        """Return how long a command took, with `event` until its first event."""
        assert self._socket is not None
        number = next(self._ids)
        began = time.perf_counter()
        await self._socket.send_json({"id": number, "type": kind})
        while True:
            message = await self._next()
            if message["id"] != number:
                continue
            if message["type"] == "event" or (message["type"] == "result" and not event):
                break
            if not message.get("success", True):
                raise ConnectionError(f"{kind}: {message['error']}")
        took = time.perf_counter() - began
        if event:
            await self._socket.send_json(
                {"id": next(self._ids), "type": "unsubscribe_events", "subscription": number}
            )
            await self._next()
        return 1e3 * took

    async def _next(self) -> dict[str, Any]:
        assert self._socket is not None
        message = await self._socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise ConnectionError("Home Assistant hung up")
        answer: dict[str, Any] = orjson.loads(message.data)
        return answer

    async def watch(self) -> None:
        """Open the live view; what is kept from before doesn't count."""
        assert self._socket is not None
        self._rows, self._number = 0, next(self._ids)
        await self._socket.send_json(
            {"id": self._number, "type": "thethingsstack/traffic/subscribe"}
        )
        while (await self._next())["type"] != "event":
            pass
        self._watching = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while True:
            message = await self._next()
            if message["type"] == "event":
                self._rows += len(message["event"]["rows"]) + message["event"]["skipped"]

    async def all_seen(self) -> int:
        """Wait until no more rows come; return how many came, with those that were skipped."""
        before = -1
        while before != self._rows:
            before = self._rows
            await asyncio.sleep(_QUIET)
        return self._rows

    async def close_view(self) -> None:
        """Close the live view."""
        assert self._watching is not None
        assert self._socket is not None
        self._watching.cancel()
        with suppress(asyncio.CancelledError):
            await self._watching
        await self._socket.send_json(
            {
                "id": (last := next(self._ids)),
                "type": "unsubscribe_events",
                "subscription": self._number,
            }
        )
        while (await self._next())["id"] != last:
            pass


async def main() -> None:
    """Do what is asked for."""
    visitor = Visitor()
    await serve(
        {
            name: getattr(visitor, name)
            for name in ("log_in", "post", "command", "watch", "all_seen", "close_view")
        }
    )


if __name__ == "__main__":
    asyncio.run(main())
