"""Somebody who looks at the Home Assistant of our integration."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..child_process import Child
from .measure import Bench
from .variants import OURS


@asynccontextmanager
async def visitor(bench: Bench) -> AsyncIterator[Child]:
    """Start a process that is logged in as an administrator."""
    home = bench.homes[OURS.key]
    process = await Child.start(bench.processes.folder / "visitor.log", "tests.benchmarks.visitor")
    try:
        await process.ask("log_in", port=await home.ask("port"), token=await home.ask("token"))
        yield process
    finally:
        await process.close()
