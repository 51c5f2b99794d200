"""A broker that anybody may use, as users have one for Home Assistant's integration MQTT."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import socket

from amqtt.broker import Broker


@asynccontextmanager
async def open_broker() -> AsyncIterator[int]:
    """Run a broker on 127.0.0.1; its port is yielded."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {}},
        }
    )
    await broker.start()
    yield port
    await broker.shutdown()
