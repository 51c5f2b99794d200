"""Memory of Home Assistant after very many uplinks, through a real broker and the whole way."""

import asyncio

from ..benchmarks.measure import AT_ONCE, Plan, started
from ..benchmarks.variants import OURS

DEVICES = 100
FIRST = 10_000
"""After so many uplinks memory is measured the first time: every field has its entity."""
WAVE = 1_000
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
    plan = Plan(devices=DEVICES, variants=(OURS.key,))
    async with started(plan, lambda what: print(what, flush=True)) as bench:
        home = bench.homes[OURS.key]
        await home.ask("set_up")
        first = 0
        for sent in range(WAVE, messages + 1, WAVE):
            uplinks = await bench.uplinks(OURS.key, WAVE, AT_ONCE)
            if uplinks.lost:
                raise RuntimeError(f"{uplinks.lost} of {WAVE} uplinks did not arrive")
            if sent == FIRST:
                await bench.read_in_background(OURS.key)
                first = await home.ask("memory")
            if sent % (20 * WAVE) == 0:
                memory = await home.ask("memory")
                print(f"{sent:>10,} uplinks: {memory / 2**20:.1f} MiB", flush=True)
        return first, await home.ask("memory")
