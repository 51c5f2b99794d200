"""Another revision beside this one: both in turns against the same broker, and how they differ."""

from collections.abc import Callable, Iterator, Sequence
import compileall
from contextlib import contextmanager
from dataclasses import replace
from math import comb
from pathlib import Path
from statistics import median
import subprocess
import tempfile

from ..ha_folder import INTEGRATION
from .measure import Plan, Say, started
from .results import Result, ratios
from .rows import aligned
from .variants import BEFORE, FLOOR, OURS

FEWEST = 5
"""Rounds below which nothing is certain."""
UNCERTAIN = 0.07
_REPOSITORY = Path(__file__).parents[2]
_ROWS: tuple[tuple[str, float, Callable[[Result], Sequence[float]]], ...] = (
    ("CPU per uplink, µs", 1e6, lambda r: r.cpu),
    ("CPU per state written, µs", 1e6, lambda r: r.cpu_per_state),
    ("states written per uplink", 1, lambda r: r.states),
    ("CPU per uplink one at a time, µs", 1e6, lambda r: r.idle_cpu),
    ("states written per uplink one at a time", 1, lambda r: r.idle_states),
    ("p50 of publish → written, ms", 1, lambda r: [median(one) for one in r.latencies]),
    ("first set-up: CPU, ms", 1e3, lambda r: r.setup_cpu),
    ("first set-up: longest stall, ms", 1e3, lambda r: [took["stall"] for took in r.setups]),
    ("later set-up: CPU, ms", 1e3, lambda r: r.again_cpu),
    ("later set-up: longest stall, ms", 1e3, lambda r: [took["stall"] for took in r.setups_again]),
    ("memory per entity with a state, B", 1, lambda r: r.memory_per_state),
)


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """Check a revision out into a temporary worktree; its integration's folder is yielded."""
    with tempfile.TemporaryDirectory(prefix="bench-before-") as folder:
        tree = Path(folder) / "tree"
        _git("worktree", "add", "--quiet", "--detach", str(tree), revision)
        try:
            integration = tree / INTEGRATION.relative_to(_REPOSITORY)
            for one in (integration, INTEGRATION):  # neither has to compile while it is measured
                compileall.compile_dir(one, quiet=2)
            yield integration
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*arguments: str) -> str:
    run = subprocess.run(
        ["git", "-C", str(_REPOSITORY), *arguments], capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise SystemExit(f"git {arguments[0]}: {run.stderr.strip()}")
    return run.stdout.strip()


async def compare(
    plan: Plan, revision: str, setups: int, say: Say
) -> tuple[str, dict[str, Result]]:
    """Return the broker's name and what each variant took.

    All are set up so many times in processes of their own, each of which measures a part of the
    rounds: no two processes of the same code are equally fast.
    """
    keys = (BEFORE.key, FLOOR.key, OURS.key)
    results = {key: Result() for key in keys}
    with checked_out(revision) as before:
        plan = replace(
            plan,
            variants=keys,
            before=before,
            rounds=-(-plan.rounds // setups),
            latency_rounds=-(-plan.latency_rounds // setups),
        )
        for number in range(setups):
            async with started(plan, say) as bench:
                broker = bench.processes.broker_name
                bench.results = results
                await bench.set_up(number)
                await bench.settle()
                await bench.rounds()
    return broker, results


def comparison(revision: str, results: dict[str, Result]) -> Iterator[str]:
    """Yield the lines of a table: what each took, and the ratio of this revision to the other."""
    before, floor, ours = (results[key] for key in (BEFORE.key, FLOOR.key, OURS.key))
    head = ["median of rounds", "E floor", revision, "now", "now / before", "", "now / E"]
    lines = []
    for title, scale, values in _ROWS:
        these, those, least = values(ours), values(before), values(floor)
        lines.append(
            [
                title,
                *(f"{scale * median(one):.4g}" for one in (least, those, these)),
                spread(ratios(these, those)),
                verdict(ratios(these, those)),
                f"{median(ratios(these, least)):.2f}",
            ]
        )
    yield from aligned(head, lines)
    yield (
        "now / before: median of the rounds' ratios, and between what it lies with 94 % certainty "
        "or more. Less and more: all of that is on one side."
    )
    yield f"lost: before {before.lost}, now {ours.lost}, E {floor.lost}"


def spread(values: Sequence[float]) -> str:
    """Return the median of some ratios, and between what it lies."""
    low, high = certain(values)
    return f"{median(values):.3f} ({low:.3f}…{high:.3f})"


def verdict(values: Sequence[float]) -> str:
    """Return whether ratios say less, more or neither."""
    low, high = certain(values)
    if len(values) < FEWEST:
        return "too few rounds"
    return "less" if high < 1 else "more" if low > 1 else "no difference"


def certain(values: Sequence[float]) -> tuple[float, float]:
    """Return between what the median of all possible rounds lies, by the sign test.

    With less than 5 rounds that is less certain than wanted: the smallest and the largest.
    """
    ordered, left_out, below = sorted(values), 0, 0.0
    count = len(ordered)
    while (below := below + comb(count, left_out) / 2**count) <= UNCERTAIN / 2:
        left_out += 1
    left_out = max(left_out - 1, 0)
    return ordered[left_out], ordered[-1 - left_out]
