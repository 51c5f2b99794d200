"""For how long the event loop is blocked: set-up, options, a lost connection, catching up, unload."""

from collections.abc import Mapping
from typing import Any

from ...child_process import Child
from ..measure import FIRST_RATE, Bench, started
from ..rows import Row
from ..variants import OURS
from .amount import Amount, Section, stall_row

STORED = 10_000
UNTIL_UNAVAILABLE = 15 * 60


async def measure_stalls(amount: Amount) -> Section:
    """Measure each once, in the order in which they can follow each other."""
    plan = amount.plan(variants=(OURS.key,), repeated_setups=0)
    stored = 500 if amount.quick else STORED
    async with started(plan, amount.say) as bench:
        home = bench.homes[OURS.key]
        took = {"first set-up": await home.ask("set_up")}
        uplinks = await bench.uplinks(OURS.key, plan.devices, FIRST_RATE, stall=True)
        took["first uplinks"] = uplinks.took
        await bench.read_in_background(OURS.key)
        await bench.settle()
        took["later set-up"] = await home.ask("set_up_again")
        amount.say("options")
        took["change of the options"] = await _watched(home, "change_options", overdue_after=48)
        amount.say("connection lost")
        took["connection lost"] = await _lose(bench)
        amount.say(f"connection back, {stored} stored uplinks")
        away = took["connection lost"]["wall"]
        took["connection back, and catching up"], read = await _come_back(bench, stored, away)
        took["unload"] = await home.ask("unload")
        rows = [stall_row(name, [one]) for name, one in took.items()]
        rows.append(
            Row(
                title="stored uplinks read after a lost connection",
                values=[read],
                limit=stored,
                at_least=True,
                digits=0,
                note=f"CPU of each {1e6 * took['connection back, and catching up']['cpu'] / max(read, 1):.0f} µs",
            )
        )
        return Section(
            devices=plan.devices, broker=bench.processes.broker_name, rows=rows, raw=dict(took)
        )


async def _watched(home: Child, command: str, **arguments: Any) -> Mapping[str, float]:
    await home.ask("watch")
    await home.ask(command, **arguments)
    took: Mapping[str, float] = await home.ask("stalls")
    return took


async def _lose(bench: Bench) -> Mapping[str, float]:
    """Stop the broker until all entities are unavailable."""
    home = bench.homes[OURS.key]
    await home.ask("watch")
    await bench.processes.broker.ask("stop")
    await home.ask("until_lost")
    await home.ask("skip", seconds=UNTIL_UNAVAILABLE)
    await home.ask("until_available", available=False)
    took: Mapping[str, float] = await home.ask("stalls")
    return took


async def _come_back(bench: Bench, stored: int, away: float) -> tuple[Mapping[str, float], int]:
    """Start the broker again, with so many uplinks missed; return how many of them were read.

    `away`: for how many seconds it was stopped, in which they came.
    """
    home = bench.homes[OURS.key]
    before = await home.ask("caught_up")
    await bench.processes.server.ask(
        "store",
        application=f"{OURS.application}-0",
        first=bench.sequence(OURS.key),
        count=stored,
        seconds=away,
    )
    await home.ask("watch")
    await bench.processes.broker.ask("start")
    await home.ask("until_connected")
    await home.ask("until_available", available=True)
    took: Mapping[str, float] = await home.ask("stalls")
    return took, await home.ask("caught_up") - before
