"""What the simulators of both versions have in common: their life, and their MQTT connections."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
import ssl
from typing import Any, ClassVar, Self

import trustme

from .mqtt_server import MqttServer

HOST = "127.0.0.1"
LIVE_FIRST_SECONDS = 3.0
LIVE_SECONDS = (5.0, 20.0)


class Running(ABC):
    """An asynchronous context manager that starts and stops a stack, with its MQTT server."""

    endured: ClassVar[tuple[type[Exception], ...]] = (KeyError,)
    """What may go wrong when a device sends by itself."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]], seed: int) -> None:
        """Listen to nothing yet."""
        self._sleep = sleep
        self._dice = Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    @abstractmethod
    def _mqtt(self) -> MqttServer:
        """The MQTT server."""

    # Life

    async def __aenter__(self) -> Self:
        """Start and listen."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.close()

    @abstractmethod
    async def start(self) -> None:
        """Listen on free loopback ports."""

    @abstractmethod
    async def close(self) -> None:
        """Stop at once, whatever clients do."""

    @abstractmethod
    async def uplink(self, device_id: str) -> object:
        """Let a device send."""

    async def _start_mqtt(self, port: int) -> trustme.LeafCert:
        """Make a private CA, and listen with its certificate, which is returned."""
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", HOST, "::1")
        self.ca_pem = authority.cert_pem.bytes().decode()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self._tls)
        self.mqtt_host = HOST
        self.mqtt_port, self.mqtts_port = await self._mqtt.start(HOST, self._tls, port)
        return certificate

    async def _end_tasks(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_by_itself(self, device_id: str) -> None:
        await self._sleep(self._dice.uniform(0.2, LIVE_FIRST_SECONDS))
        while True:
            with suppress(*self.endured):
                await self.uplink(device_id)
            await self._sleep(self._dice.uniform(*LIVE_SECONDS))

    # Connections

    @property
    def connections(self) -> int:
        """Return how many MQTT clients are connected and subscribed, frozen ones not counted."""
        return sum(bool(item.filters) and not item.frozen for item in self._mqtt.connections)

    @property
    def mqtt_attempts(self) -> int:
        """Return how many MQTT connections were opened so far, refused ones included."""
        return self._mqtt.attempts

    async def wait_connected(self, n: int = 1, timeout: float = 10.0) -> None:
        """Wait until `n` MQTT clients (or more) are connected and subscribed."""
        await self._mqtt.wait_for(lambda: self.connections >= n, timeout)

    async def wait_disconnected(self, timeout: float = 10.0) -> None:
        """Wait until no MQTT client is connected."""
        await self._mqtt.wait_for(lambda: not self._mqtt.connections, timeout)

    async def drop_connections(self) -> int:
        """Hang up on all MQTT clients; return how many there were."""
        count = self._mqtt.drop()
        await self.wait_disconnected()
        return count

    async def stop_broker(self) -> None:
        """End all MQTT connections and take no new ones; the rest of the stack goes on."""
        await self._mqtt.close()

    async def start_broker(self) -> None:
        """Take MQTT connections again, on the ports of before."""
        await self._mqtt.start(HOST, self._tls, self.mqtt_port, self.mqtts_port)

    async def freeze_connections(self) -> int:
        """Let all MQTT connections be half open; return how many there were.

        They stay open and nothing comes of them any longer, in either direction. New ones work.
        """
        return await self._mqtt.freeze()
