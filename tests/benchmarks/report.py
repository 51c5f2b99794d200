"""The table of the main group: each variant with each number of end devices."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from .results import Result
from .rows import aligned
from .variants import VARIANTS

type Results = Mapping[int, Mapping[str, Result]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    title: str
    cell: Callable[[Result], str]


def _spread(values: Sequence[float], scale: float, digits: int = 0) -> str:
    if not values:
        return "-"
    low, middle, high = (scale * v for v in (min(values), median(values), max(values)))
    return f"{middle:.{digits}f} ({low:.{digits}f}…{high:.{digits}f})"


def _first(spans: Sequence[Mapping[str, float]], name: str, digits: int) -> str:
    return f"{median(span[name] for span in spans):.{digits}f}" if spans else "-"


def _per_entity(result: Result) -> float:
    return median(result.memory_per_state) / 1e3


ROWS = (
    Row(title="CPU per uplink, µs (range)", cell=lambda r: _spread(r.cpu, 1e6)),
    Row(title="of it garbage collection, µs", cell=lambda r: _spread(r.collections, 1e6)),
    Row(title="longest collection, ms", cell=lambda r: f"{1e3 * r.pause:.0f}"),
    Row(title="CPU per uplink one at a time, µs", cell=lambda r: _spread(r.idle_cpu, 1e6)),
    Row(title="states written per uplink", cell=lambda r: f"{median(r.states):.1f}"),
    Row(
        title="publish → written, ms: p50 / p99",
        cell=lambda r: f"{r.latency(0.5):.2f} / {r.latency(0.99):.2f}" if r.latencies else "-",
    ),
    Row(
        title="sustained uplinks/s",
        cell=lambda r: (
            f"{r.sustained}{'' if r.stopped else ' or more'}" if r.sustained or r.stopped else "-"
        ),
    ),
    Row(title="lost in the rounds above", cell=lambda r: str(r.lost)),
    Row(title="first setup: CPU, s", cell=lambda r: _first(r.setups, "cpu", 2)),
    Row(title="first setup: wall, s", cell=lambda r: _first(r.setups, "wall", 2)),
    Row(title="first setup: longest stall, s", cell=lambda r: _first(r.setups, "stall", 3)),
    Row(title="later setup: CPU, s", cell=lambda r: _first(r.setups_again, "cpu", 2)),
    Row(title="later setup: wall, s", cell=lambda r: _first(r.setups_again, "wall", 2)),
    Row(title="later setup: longest stall, s", cell=lambda r: _first(r.setups_again, "stall", 3)),
    Row(title="memory, MB", cell=lambda r: f"{median(r.memory) / 1e6:.1f}"),
    Row(title="memory per entity with a state, kB", cell=lambda r: f"{_per_entity(r):.1f}"),
    Row(
        title="entities: with a state / registered",
        cell=lambda r: f"{r.entities['states']} / {r.entities['registered']}",
    ),
)


def table(results: Results) -> Iterator[str]:
    """Yield the lines of the table: one column per variant and number of end devices."""
    columns = [(devices, key) for devices, variants in results.items() for key in variants]
    heads = [f"{VARIANTS[key].title}, {devices}" for devices, key in columns]
    lines = [
        [row.title, *(row.cell(results[devices][key]) for devices, key in columns)] for row in ROWS
    ]
    yield from aligned(["", *heads], lines)
    for devices, key in columns:
        if stopped := results[devices][key].stopped:
            yield f"Throughput of {VARIANTS[key].title} with {devices} devices: {stopped}."
