"""A broker that anybody may use, as users have one for Home Assistant's integration MQTT."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import socket

from tests.benchmarks.plain_broker import PlainBroker


@asynccontextmanager
async def open_broker() -> AsyncIterator[int]:
    """Run a broker for MQTT 3.1.1 and QoS 0 on 127.0.0.1; its port is yielded."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    broker = PlainBroker()
    await broker.start(port)
    yield port
    broker.stop()
