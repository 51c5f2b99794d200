"""Memory of Home Assistant after very many uplinks, through a real broker and the whole way."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
import tempfile

from ..benchmarks.variants import OURS
from ..child_process import Child

DEVICES = 100
FIRST = 10_000
"""After so many uplinks memory is measured the first time: every field has its entity."""
WAVE = 1_000
AT_ONCE = 1e5
GROWTH = 8 * 2**20
"""Bytes by which the heap may differ: Python's own caches and fragments, not what is kept."""


def measure(messages: int) -> int:
    """Print memory after 10,000 and after so many uplinks; return 1 if it has grown."""
    first, last = asyncio.run(_memory(messages))
    growth = last - first
    print(
        f"{DEVICES} end devices: {first / 2**20:.1f} MiB after {FIRST:,} uplinks, "
        f"{last / 2**20:.1f} MiB after {messages:,} ({growth / 2**20:+.1f})"
    )
    return int(growth > GROWTH)


async def _memory(messages: int) -> tuple[int, int]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="memory-")))

        async def child(module: str, *arguments: object) -> Child:
            log = folder / f"{module}.log"
            process = await Child.start(log, f"tests.benchmarks.{module}", *arguments)
            stack.push_async_callback(process.close)
            return process

        broker = await child("broker")
        where = await broker.ask("where")
        port, version = where["port"], 5 if where["name"] == "mosquitto" else 4
        server = await child("stack_server", OURS.application, DEVICES, port)
        url = await server.ask("where")
        publisher = await child("publisher", port)
        receiver = await child("home", OURS.key, folder / "ha", url, f"{port}/{version}", DEVICES)
        await receiver.ask("set_up")
        sent, first = 0, 0
        while sent < messages:
            await receiver.ask("begin")
            await publisher.ask(
                "uplinks",
                application=OURS.application,
                devices=DEVICES,
                first=sent,
                count=WAVE,
                rate=AT_ONCE,
            )
            if (arrived := await receiver.ask("wait", count=WAVE)) != WAVE:
                raise RuntimeError(f"{WAVE - arrived} of {WAVE} uplinks did not arrive")
            await receiver.ask("end")
            sent += WAVE
            if sent == FIRST:
                first = await receiver.ask("memory")
            if sent % (20 * WAVE) == 0:
                memory = await receiver.ask("memory")
                print(f"{sent:>10,} uplinks: {memory / 2**20:.1f} MiB", flush=True)
        return first, await receiver.ask("memory")
