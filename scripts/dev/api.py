"""Home Assistant's own API, as its frontend uses it."""

import asyncio
from types import TracebackType
from typing import Any, Self

import aiohttp

DOMAIN = "thethingsstack"


class ApiError(Exception):
    """Home Assistant refused a call."""


class HomeAssistant:
    """A running Home Assistant. `ended` is done when its process is."""

    ended: asyncio.Task[int]

    def __init__(self, url: str, token: str) -> None:
        """Take its address and the owner's token."""
        self.url = url
        self.token = token
        self._session = aiohttp.ClientSession(
            url, headers={"Authorization": f"Bearer {token}"}, timeout=aiohttp.ClientTimeout(60)
        )

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self._session.close()

    async def wait_running(self) -> None:
        """Return once start-up is over."""
        while True:
            try:
                if (await self.get("/api/config"))["state"] == "RUNNING":
                    return
            except aiohttp.ClientError, ApiError:
                pass
            await asyncio.sleep(0.1)

    async def get(self, path: str) -> Any:
        """Return the answer to a GET."""
        return await self._call("GET", path)

    async def post(self, path: str, body: Any) -> Any:
        """Return the answer to a POST."""
        return await self._call("POST", path, body)

    async def delete(self, path: str) -> Any:
        """Return the answer to a DELETE."""
        return await self._call("DELETE", path)

    async def commands(self, *messages: dict[str, Any]) -> list[Any]:
        """Return the results of commands sent over one WebSocket."""
        results = []
        async with self._session.ws_connect("/api/websocket", max_msg_size=0) as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self.token})
            if (await socket.receive_json())["type"] != "auth_ok":
                raise ApiError("WebSocket: the token was refused")
            for number, message in enumerate(messages, 1):
                await socket.send_json({"id": number, **message})
                while (answer := await socket.receive_json()).get("id") != number:
                    pass
                if not answer["success"]:
                    raise ApiError(f"{message['type']}: {answer['error']['message']}")
                results.append(answer["result"])
        return results

    async def entries(self) -> list[dict[str, Any]]:
        """Return the integration's config entries."""
        answer: list[dict[str, Any]] = await self.get(
            f"/api/config/config_entries/entry?domain={DOMAIN}"
        )
        return answer

    async def _call(self, method: str, path: str, body: Any = None) -> Any:
        async with self._session.request(method, path, json=body) as response:
            if response.status >= 400:
                text = (await response.text())[:500]
                raise ApiError(f"{method} {path}: {response.status} {text}")
            return await response.json()
