"""The table of a benchmark, and which targets are met."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from .results import Result
from .variants import FLOOR, MQTT, OURS, VARIANTS

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


def _first(values: Sequence[float], scale: float, digits: int) -> str:
    return f"{scale * median(values):.{digits}f}" if values else "-"


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
        cell=lambda r: f"{r.sustained}{'' if r.stopped else ' or more'}",
    ),
    Row(title="lost in the rounds above", cell=lambda r: str(r.lost)),
    Row(title="first setup: CPU, s", cell=lambda r: _first(r.setup_cpu, 1, 2)),
    Row(title="first setup: wall, s", cell=lambda r: _first(r.setup_wall, 1, 2)),
    Row(title="first setup: longest stall, ms", cell=lambda r: _first(r.setup_stall, 1e3, 0)),
    Row(title="later setup: CPU, s", cell=lambda r: _first(r.again_cpu, 1, 2)),
    Row(title="later setup: wall, s", cell=lambda r: _first(r.again_wall, 1, 2)),
    Row(title="later setup: longest stall, ms", cell=lambda r: _first(r.again_stall, 1e3, 0)),
    Row(title="memory, MB", cell=lambda r: _first(r.memory, 1e-6, 1)),
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


def targets(results: Results, library: tuple[float, float]) -> Iterator[str]:
    """Yield the lines of the targets; they are meant for the highest number of end devices.

    `library`: what the model library adds to a start, in milliseconds and megabytes.
    """
    judged = [
        *_judged(results),
        ("model library of 20 brands, ms", library[0], 50, False),
        ("model library of 20 brands, MB", library[1], 2, False),
    ]
    lines = [
        [title, f"{measured:.2f}", f"{'≥' if wanted_high else '≤'} {limit:g}", verdict]
        for title, measured, limit, wanted_high in judged
        for verdict in [_verdict(measured, limit, wanted_high)]
    ]
    yield from aligned(["target", "measured", "wanted", ""], lines)


def _verdict(measured: float, limit: float, wanted_high: bool) -> str:
    if (measured >= limit) if wanted_high else (measured <= limit):
        return "met"
    return f"missed by {abs(measured / limit - 1):.0%}"


def _judged(results: Results) -> Iterator[tuple[str, float, float, bool]]:
    devices, variants = max(results.items())
    ours = variants[OURS.key]
    if mqtt := variants.get(MQTT.key):
        yield "CPU per uplink / A", ours.times_that_of(mqtt), 0.40, False
    if floor := variants.get(FLOOR.key):
        yield "CPU per uplink / E", ours.times_that_of(floor), 1.35, False
    fewest, few = min(results.items())
    if fewest != devices:
        growth = ours.cpu_per_uplink / few[OURS.key].cpu_per_uplink
        yield f"CPU per uplink, {devices} / {fewest} devices", growth, 1.3, False
    if floor and ours.latencies and floor.latencies:
        yield "p99 over that of E, ms", ours.latency(0.99) - floor.latency(0.99), 5, False
    if mqtt:
        yield "first setup CPU / A", median(ours.setup_cpu) / median(mqtt.setup_cpu), 0.35, False
    if floor:
        yield "first setup CPU / E", median(ours.setup_cpu) / median(floor.setup_cpu), 2, False
    if mqtt and ours.again_cpu:
        yield "later setup CPU / A", median(ours.again_cpu) / median(mqtt.again_cpu), 0.35, False
    if floor and ours.again_cpu:
        yield "later setup CPU / E", median(ours.again_cpu) / median(floor.again_cpu), 2, False
    yield "memory per entity with a state, kB", _per_entity(ours), 12, False
    if ours.sustained:
        yield "sustained uplinks/s", ours.sustained, 2000, True


def aligned(head: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    for line in (head, ["-" * width for width in widths], *lines):
        cells = [f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)]
        cells[0] = f"{line[0]:<{widths[0]}}"
        yield "| " + " | ".join(cells) + " |"
