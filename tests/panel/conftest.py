"""What the tests of the panel share: a browser's end of the websocket."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket, WebSocketGenerator

from custom_components.thethingsstack.const import DOMAIN
from tests.ha_fixtures import TIMEOUT


async def ask(client: MockHAClientWebSocket, command: str, **values: Any) -> dict[str, Any]:
    """Return the answer to a command of a connection without subscriptions."""
    await client.send_json_auto_id({"type": f"thethingsstack/{command}", **values})
    answer: dict[str, Any] = await client.receive_json()
    return answer


class PanelClient:
    """Asks commands, and keeps the events of subscriptions by the command's number."""

    def __init__(self, socket: MockHAClientWebSocket) -> None:
        self._socket = socket
        self.events: dict[int, list[dict[str, Any]]] = {}

    async def ask(self, command: str, **values: Any) -> dict[str, Any]:
        """Return the answer to a command, with `result` or `error`."""
        await self._socket.send_json_auto_id({"type": f"thethingsstack/{command}", **values})
        while "success" not in (answer := await self._receive()):
            pass
        return answer

    async def subscribe(self, command: str, **values: Any) -> int:
        """Return the number of a subscription that was accepted."""
        answer = await self.ask(command, **values)
        assert answer["success"], answer
        number: int = answer["id"]
        self.events.setdefault(number, [])
        return number

    async def unsubscribe(self, number: int) -> None:
        """End a subscription."""
        await self._socket.send_json_auto_id({"type": "unsubscribe_events", "subscription": number})
        while "success" not in await self._receive():
            pass

    async def event(self, number: int) -> dict[str, Any]:
        """Return the next event of a subscription."""
        while not self.events[number]:
            await self._receive()
        return self.events[number].pop(0)

    async def rows(self, number: int, count: int) -> list[dict[str, Any]]:
        """Return so many rows, the oldest first."""
        rows: list[dict[str, Any]] = []
        while len(rows) < count:
            rows += (await self.event(number))["rows"]
        assert len(rows) == count
        return rows

    async def _receive(self) -> dict[str, Any]:
        async with asyncio.timeout(TIMEOUT):
            message: dict[str, Any] = await self._socket.receive_json()
        if message["type"] == "event":
            self.events.setdefault(message["id"], []).append(message["event"])
        return message


@pytest.fixture
async def client(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> PanelClient:
    """Return an administrator's connection; no integration can be loaded after it."""
    assert await async_setup_component(hass, DOMAIN, {})
    return PanelClient(await hass_ws_client(hass))
