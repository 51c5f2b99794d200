"""How much a group measures, and what it hands back."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Self

from ..measure import STEPS, Bench, Plan, Say, started
from ..results import Result, ratios
from ..rows import Row
from ..variants import FLOOR, OURS

BESIDE = (FLOOR.key, OURS.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What was asked for on the command line; None: what is usual."""

    say: Say
    quick: bool = False
    devices: Sequence[int] | None = None
    uplinks: int | None = None
    rounds: int | None = None
    variants: Sequence[str] | None = None
    plain: bool = False
    profile: bool = False

    def plan(self, *, usual_devices: int = 1000, **options: Any) -> Plan:
        """Return a plan for the largest number of end devices asked for, else for a usual one."""
        quick = self.quick
        chosen: dict[str, Any] = {
            "devices": 50 if quick else usual_devices,
            "uplinks": 500 if quick else 6000,
            "rounds": 2 if quick else 5,
            "latency_uplinks": 50 if quick else 500,
            "latency_rounds": 1 if quick else 3,
            "steps": (500, 2000) if quick else STEPS,
            "step_seconds": 0.5 if quick else 2,
            "repeated_setups": 1 if quick else 3,
            "profile": self.profile,
            "broker": "plain" if self.plain else "any",
            **options,
        }
        if self.devices:
            chosen["devices"] = max(self.devices)
        for name in ("uplinks", "rounds"):
            if asked := getattr(self, name):
                chosen[name] = asked
        return Plan(**chosen)


@dataclass(slots=True, kw_only=True)
class Section:
    """What a group measured."""

    devices: int
    broker: str
    rows: list[Row]
    tables: list[str] = field(default_factory=list)
    """Lines besides the rows."""
    raw: dict[str, Any] = field(default_factory=dict)
    """All results, for a program."""

    @classmethod
    def of(cls, bench: Bench, rows: list[Row], **more: Any) -> Self:
        """Return the rows of a bench, with all its results and `more` for a program."""
        return cls(
            devices=bench.plan.devices,
            broker=bench.processes.broker_name,
            rows=rows,
            raw=all_of(bench) | more,
        )


def all_of(bench: Bench) -> dict[str, Any]:
    """Return all results of a bench by variant, for a program."""
    return {key: asdict(result) for key, result in bench.results.items()}


@asynccontextmanager
async def settled(plan: Plan, say: Say, **options: Any) -> AsyncIterator[Bench]:
    """Set all variants up, and let them decide on all fields; options as of `Bench.uplinks`."""
    async with started(plan, say) as bench:
        await bench.set_up()
        await bench.settle(**options)
        yield bench


def ours_and_floor(bench: Bench) -> tuple[Result, Result]:
    """Return what both have taken so far."""
    return bench.results[OURS.key], bench.results[FLOOR.key]


def beside_floor(
    ours: Result, floor: Result, *, per_uplink: float | None = 1.20, per_state: float | None = 1.10
) -> list[Row]:
    """Return the rows for a flood of uplinks beside E, with the limits for the ratios."""
    return [
        Row(
            title="CPU per uplink / E",
            values=ratios(ours.cpu, floor.cpu),
            limit=per_uplink,
            note=f"{1e6 * median(ours.cpu):.0f} µs beside {1e6 * median(floor.cpu):.0f} µs",
        ),
        Row(
            title="CPU per state written / E",
            values=ratios(ours.cpu_per_state, floor.cpu_per_state),
            limit=per_state,
            note=f"{median(ours.states):.2f} states per uplink beside {median(floor.states):.2f}",
        ),
    ]


def one_at_a_time_row(ours: Result, floor: Result) -> Row:
    """Return the row for uplinks with time between them."""
    return Row(
        title="CPU per uplink one at a time / E",
        values=ratios(ours.idle_cpu, floor.idle_cpu),
        limit=1.10,
        note=f"{1e6 * median(ours.idle_cpu):.0f} µs beside {1e6 * median(floor.idle_cpu):.0f} µs, "
        f"{median(ours.idle_states):.2f} states per uplink beside {median(floor.idle_states):.2f}",
    )


def set_up_rows(
    ours: Result, other: Result, name: str, *, first: float | None, later: float | None
) -> Iterator[Row]:
    """Yield the rows for set-ups beside another variant, with the limits for the ratios."""
    yield Row(
        title=f"first set-up: CPU / {name}",
        values=ratios(ours.setup_cpu, other.setup_cpu),
        limit=first,
    )
    yield Row(
        title=f"later set-up: CPU / {name}",
        values=ratios(ours.again_cpu, other.again_cpu),
        limit=later,
    )


def memory_row(ours: Result, floor: Result | None) -> Row:
    """Return the row for the memory that an entity takes."""
    return Row(
        title="memory per entity with a state, kB",
        values=[memory / 1e3 for memory in ours.memory_per_state],
        limit=11,
        digits=1,
        note=f"E {median(floor.memory_per_state) / 1e3:.1f}" if floor else "",
    )


def lost_row(ours: Result) -> Row:
    """Return the row for uplinks that never became states."""
    return Row(title="uplinks lost in these rounds", values=[ours.lost], limit=0, digits=0)


def stall_row(title: str, spans: Sequence[Mapping[str, float]]) -> Row:
    """Return the row for the longest stall in some spans; its CPU is without garbage collection.

    That takes the longer, the more objects all of Home Assistant has.
    """
    stall, busy, collection = (
        1e3 * max(span[name] for span in spans) for name in ("stall", "busy", "collection")
    )
    return Row(
        title=f"{title}: longest stall, ms",
        values=[stall],
        limit=100,
        digits=0,
        cpu=busy,
        note=f"CPU at a time up to {busy:.0f} ms, garbage collections up to {collection:.0f} ms",
    )
