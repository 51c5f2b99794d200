"""Let everything go wrong, and count what is lost: scripts/chaos [--minutes N] [--scenario NAME …]."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
import json
import os
from pathlib import Path
import random
import signal
import sys
import tempfile
import time

from ..child_process import ChildError
from .doors import DOORS
from .instance import StuckError
from .report import Row, head, line, summary
from .scenarios import SCENARIOS, Scenario, chosen
from .steps import in_turn
from .uplinks import Counts
from .world import World, world


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for on the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/chaos",
        description="Run Home Assistant on a simulated server where things go wrong, and count "
        "which uplinks were lost or taken twice. Exits with 1 if any were that the server's "
        "storage has.",
    )
    add = parser.add_argument
    add("--minutes", type=float, help="repeat the scenarios in random order for so long")
    add("--scenario", nargs="+", choices=SCENARIOS, metavar="NAME", help="only these")
    add("--list", action="store_true", help="print the names of the scenarios")
    add("--short", action="store_true", help="the few scenarios that scripts/test runs")
    add("--door", choices=DOORS, default="mqtt", help="how messages get into Home Assistant")
    add("--seed", type=int, help="repeat a run: what happens by chance happens again")
    add("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="scenarios at a time")
    add("--json", action="store_true", help="print a JSON object for each row")
    asked = parser.parse_args(argv)
    for name in asked.scenario or ():
        if asked.door not in SCENARIOS[name].doors:
            parser.error(f"{name!r} does not go by the door {asked.door}")
    return asked


async def run_scenario(scenario: Scenario, seed: int, door: str) -> list[Row]:
    """Run one scenario; return a row for each Home Assistant in it."""
    began = time.monotonic()

    def row(counts: Counts | None = None, error: str = "", number: int = 0) -> Row:
        name = scenario.name if scenario.instances == 1 else f"{scenario.name} ({number + 1})"
        seconds = time.monotonic() - began
        return Row(scenario=name, seed=seed, seconds=seconds, counts=counts, error=error)

    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as folder:
        try:
            async with world(
                Path(folder),
                door,
                random.Random(seed),
                instances=scenario.instances,
                queue_size=scenario.queue_size,
            ) as running:
                counts = await _counts(running, scenario)
        except (StuckError, ChildError, TimeoutError) as error:
            return [row(error=f"{type(error).__name__}: {error}")]
    return [row(one, number=number) for number, one in enumerate(counts)]


async def _counts(running: World, scenario: Scenario) -> list[Counts]:
    """Return what the steps led to; where they can't be gone, raise with what was logged."""
    try:
        await in_turn(*scenario.steps)(running)
        await running.calm()
        return await running.settle()
    except StuckError as error:
        logs = "\n".join(instance.log() for instance in running.instances)
        raise StuckError(f"{error}; the end of its log:\n{logs}") from None


def _runs(asked: argparse.Namespace) -> Iterator[tuple[Scenario, int]]:
    """Yield scenarios with their seeds: once, or in random order until the time is over."""
    scenarios = chosen(asked.scenario, asked.door, short=asked.short)
    dice = random.Random(asked.seed)
    if asked.minutes is None:
        for scenario in scenarios:
            yield scenario, dice.randrange(2**32) if asked.seed is None else asked.seed
        return
    end = time.monotonic() + 60 * asked.minutes
    while True:
        dice.shuffle(scenarios)
        for scenario in scenarios:
            if time.monotonic() > end:
                return
            yield scenario, dice.randrange(2**32)


async def _rows(asked: argparse.Namespace) -> AsyncIterator[list[Row]]:
    """Run scenarios, a few at a time; yield what came out as it comes."""
    runs = _runs(asked)
    tasks: set[asyncio.Task[list[Row]]] = set()
    try:
        while True:
            while len(tasks) < asked.jobs and (item := next(runs, None)) is not None:
                tasks.add(asyncio.create_task(run_scenario(*item, asked.door)))
            if not tasks:
                return
            done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def run(asked: argparse.Namespace) -> int:
    """Run everything that was asked for; return the exit code."""
    this = asyncio.current_task()
    assert this is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    if not asked.json:
        print(head(), flush=True)
    rows: list[Row] = []
    async for finished in _rows(asked):
        rows += finished
        for row in finished:
            print(json.dumps(row.as_json()) if asked.json else line(row), flush=True)
    if not asked.json:
        print(f"\n{summary(rows)}")
    return 0 if rows and all(row.good for row in rows) else 1


def main() -> None:
    """Run, and exit."""
    asked = arguments()
    if asked.list:
        print(*SCENARIOS, sep="\n")
        return
    with suppress(asyncio.CancelledError):
        sys.exit(asyncio.run(run(asked)))
    sys.exit(130)


if __name__ == "__main__":
    main()
