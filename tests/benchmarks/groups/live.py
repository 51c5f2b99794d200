"""What the live view costs while somebody watches it."""

from ...child_process import Child
from ..measure import AT_ONCE, WAVE, Bench, started
from ..results import ratios
from ..rows import Row
from ..variants import OURS
from ..visits import visitor
from .amount import Amount, Section


async def measure_live(amount: Amount) -> Section:
    """Measure uplinks without and with one watcher, in turns."""
    plan = amount.plan(visited=True, variants=(OURS.key,), repeated_setups=0)
    async with started(plan, amount.say) as bench, visitor(bench) as watcher:
        await bench.set_up()
        await bench.settle()
        rows = [
            await _row(bench, watcher, "flood", rate=AT_ONCE),
            await _row(bench, watcher, "one at a time", rate=plan.latency_rate),
        ]
        return Section(devices=plan.devices, broker=bench.processes.broker_name, rows=rows)


async def _row(bench: Bench, watcher: Child, title: str, *, rate: float) -> Row:
    plan = bench.plan
    flood = rate == AT_ONCE
    count, rounds = (
        (plan.uplinks, plan.rounds) if flood else (plan.latency_uplinks, plan.latency_rounds)
    )
    alone, watched = [], []
    seen = 0
    for number in range(rounds):
        bench.say(f"live view, {title}, round {number + 1} of {rounds}")
        alone.append(await _cpu(bench, watcher, count, rate))
        await watcher.ask("watch")
        watched.append(await _cpu(bench, watcher, count, rate))
        seen += await watcher.ask("all_seen")
        await watcher.ask("close_view")
    return Row(
        title=f"{title}: CPU per uplink with a watcher / without",
        values=ratios(watched, alone),
        note=f"{seen} rows for {rounds * count} uplinks",
    )


async def _cpu(bench: Bench, watcher: Child, count: int, rate: float) -> float:
    """Return the seconds of CPU for so many uplinks, until the last row was sent, too."""
    home = bench.homes[OURS.key]
    before: float = await home.ask("cpu")
    await bench.uplinks(OURS.key, count, rate, WAVE)
    await watcher.ask("all_seen")
    after: float = await home.ask("cpu")
    return after - before
