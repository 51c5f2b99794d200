"""Many end devices, divided among three config entries."""

from dataclasses import asdict
from statistics import median

from ..measure import started
from ..results import ratios
from ..rows import Row
from ..variants import FLOOR, OURS
from .amount import BESIDE, Amount, Section, beside_floor, lost_row, stall_row

ENTRIES = 3


async def measure_entries(amount: Amount) -> Section:
    """Measure set-up, uplinks and memory."""
    plan = amount.plan(
        usual_devices=3000,
        entries=ENTRIES,
        variants=BESIDE,
        rounds=2 if amount.quick else 3,
        repeated_setups=1,
    )
    async with started(plan, amount.say) as bench:
        await bench.set_up()
        await bench.settle()
        await bench.flood_rounds()
        ours, floor = bench.results[OURS.key], bench.results[FLOOR.key]
        return Section(
            devices=plan.devices,
            broker=bench.processes.broker_name,
            rows=[
                *beside_floor(ours, floor),
                Row(
                    title="first set-up: CPU / E",
                    values=ratios(ours.setup_cpu, floor.setup_cpu),
                    limit=1.6,
                ),
                Row(
                    title="later set-up: CPU / E",
                    values=ratios(ours.again_cpu, floor.again_cpu),
                    limit=1.3,
                ),
                stall_row("first set-up", ours.setups),
                stall_row("later set-up", ours.setups_again),
                Row(
                    title="memory per entity with a state, kB",
                    values=[memory / 1e3 for memory in ours.memory_per_state],
                    limit=11,
                    digits=1,
                    note=f"E {median(floor.memory_per_state) / 1e3:.1f}",
                ),
                lost_row(ours),
            ],
            raw={key: asdict(result) for key, result in bench.results.items()},
        )
