"""Eight fields that all change: CPU, latency, throughput, set-up and memory, beside all yardsticks."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace

from ..library import library_cost
from ..measure import started
from ..report import table
from ..results import Result, ratios
from ..rows import Row
from ..variants import BARE, FLOOR, MQTT, OURS, VARIANTS
from .amount import (
    BESIDE,
    Amount,
    Section,
    beside_floor,
    lost_row,
    memory_row,
    one_at_a_time_row,
    set_up_rows,
    stall_row,
)

UPLINKS = 20_000
"""In a round: a full garbage collection comes once in some 15,000 uplinks, so each round has one."""


async def measure_main(amount: Amount) -> Section:
    """Measure for each number of end devices; all yardsticks only for the largest."""
    sizes = sorted(amount.devices or ([50] if amount.quick else [100, 1000]))
    asked = [key for key in VARIANTS if key in (amount.variants or VARIANTS)]
    variants = [*(key for key in asked if key != OURS.key), OURS.key]
    results: dict[int, dict[str, Result]] = {}
    for size in sizes:
        largest = size == sizes[-1]
        plan = replace(
            amount.plan() if amount.quick else amount.plan(uplinks=UPLINKS),
            devices=size,
            variants=variants if largest else [key for key in variants if key in BESIDE],
        )
        async with started(plan, amount.say) as bench:
            broker = bench.processes.broker_name
            if largest:
                results[size] = await bench.run()
            else:
                await bench.set_up()
                await bench.settle()
                await bench.rounds()
                results[size] = bench.results
    return Section(
        devices=sizes[-1],
        broker=broker,
        rows=[*_rows(results), *_library_rows()],
        tables=[*table(results), *_profiles(results)],
        raw={
            str(size): {key: asdict(result) for key, result in variants.items()}
            for size, variants in results.items()
        },
    )


def _profiles(results: Mapping[int, Mapping[str, Result]]) -> Iterator[str]:
    for size, variants in results.items():
        if profile := variants[OURS.key].profile:
            yield f"\n{size} devices\n{profile}"


def _rows(results: Mapping[int, Mapping[str, Result]]) -> Iterator[Row]:
    size, variants = max(results.items())
    ours = variants[OURS.key]
    floor, mqtt, bare = (variants.get(one.key) for one in (FLOOR, MQTT, BARE))
    if floor:
        yield from beside_floor(ours, floor)
    if mqtt:
        yield Row(title="CPU per uplink / A", values=ratios(ours.cpu, mqtt.cpu), limit=0.50)
    if bare:
        yield Row(title="CPU per uplink / B", values=ratios(ours.cpu, bare.cpu))
    if floor:
        yield one_at_a_time_row(ours, floor)
        yield Row(
            title="p99 of publish → written over that of E, ms",
            values=[ours.latency(0.99) - floor.latency(0.99)],
            limit=5,
        )
    smallest, few = min(results.items())
    if smallest != size:
        yield _growth(size, ours, smallest, few)
    yield lost_row(ours)
    if floor:
        yield _sustained(ours, floor)
    yield from _set_up_rows(ours, floor, mqtt)
    yield from _memory_rows(ours, floor)


def _growth(size: int, ours: Result, smallest: int, few: Mapping[str, Result]) -> Row:
    """Return how much more an uplink takes with more end devices that have the same entities."""
    less = few[OURS.key]
    shown = [
        f"{result.entities['states'] / count:.1f} entities per device at {count}"
        for count, result in ((smallest, less), (size, ours))
    ]
    return Row(
        title=f"growth of CPU per uplink, {size} / {smallest} devices",
        values=ratios(ours.cpu, less.cpu),
        limit=1.10,
        note=", ".join(shown),
    )


def _sustained(ours: Result, floor: Result) -> Row:
    more = "" if ours.stopped else " or more"
    return Row(
        title="sustained uplinks/s",
        values=[ours.sustained],
        limit=floor.sustained,
        at_least=True,
        digits=0,
        note=f"{ours.sustained}{more}; E in the same run {floor.sustained}",
        invalid="" if floor.sustained else "E itself could not take the lowest rate",
    )


def _set_up_rows(ours: Result, floor: Result | None, mqtt: Result | None) -> Iterator[Row]:
    if floor:
        yield from set_up_rows(ours, floor, "E", first=1.6, later=1.3)
    if mqtt:
        yield from set_up_rows(ours, mqtt, "A", first=None, later=None)
    registered = max(ours.entities["registered"], 1)
    yield Row(
        title="first set-up: CPU per registered entity, µs",
        values=[1e6 * cpu / registered for cpu in ours.setup_cpu],
        digits=0,
        note=f"{registered} registered, {ours.entities['states']} with a state",
    )
    yield Row(
        title="formatter and battery, read once in the background: CPU per end device, ms",
        values=[1e3 * cpu for cpu in ours.background_cpu],
    )
    yield stall_row("first set-up", ours.setups)
    yield stall_row("later set-up", ours.setups_again)


def _memory_rows(ours: Result, floor: Result | None) -> Iterator[Row]:
    yield memory_row(ours, floor)
    yield Row(
        title="memory per registered entity, kB",
        values=[memory / 1e3 / max(ours.entities["registered"], 1) for memory in ours.memory],
        digits=1,
    )


def _library_rows() -> Iterator[Row]:
    milliseconds, megabytes = library_cost()
    yield Row(title="model library of 20 brands, ms", values=[milliseconds], limit=50, digits=0)
    yield Row(title="model library of 20 brands, MB", values=[megabytes], limit=2)
