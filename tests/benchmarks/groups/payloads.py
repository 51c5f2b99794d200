"""Payloads of other shapes: few values that change, and many fields."""

from dataclasses import replace

from ..rows import Row
from ..workload import SHAPES
from .amount import BESIDE, Amount, Section, all_of, beside_floor, lost_row, ours_and_floor, settled


async def measure_partly(amount: Amount) -> Section:
    """Measure uplinks that bring few new values: what did not change is not written."""
    plan = amount.plan(shape="partly", variants=BESIDE, repeated_setups=0)
    async with settled(plan, amount.say, shape="partly") as bench:
        await bench.flood_rounds(shape="partly")
        ours, floor = ours_and_floor(bench)
        rows = [
            beside_floor(ours, floor)[0],
            Row(
                title="states written per uplink",
                values=ours.states,
                limit=SHAPES["partly"].written + 1,
            ),
            lost_row(ours),
        ]
        return Section.of(bench, rows)


async def measure_wide(amount: Amount) -> Section:
    """Measure 80 fields in one object, then in ten."""
    rows, raw = [], {}
    for shape in ("flat", "nested"):
        plan = amount.plan(
            usual_devices=100,
            uplinks=50 if amount.quick else 1000,
            shape=shape,
            variants=BESIDE,
            repeated_setups=0,
        )
        async with settled(plan, amount.say) as bench:
            broker = bench.processes.broker_name
            await bench.flood_rounds()
            ours, floor = ours_and_floor(bench)
        rows += [
            replace(row, title=f"80 fields, {shape}: {row.title}")
            for row in (
                *beside_floor(ours, floor, per_uplink=1.2, per_state=None),
                lost_row(ours),
            )
        ]
        raw[shape] = all_of(bench)
    return Section(devices=plan.devices, broker=broker, rows=rows, raw=raw)
