"""The recorder writes all states to SQLite; statistics are compiled once."""

from statistics import median

from ..rows import Row
from ..variants import FLOOR, OURS
from ..workload import SHAPES
from .amount import BESIDE, Amount, Section, beside_floor, lost_row, ours_and_floor, settled


async def measure_recorder(amount: Amount) -> Section:
    """Measure what is recorded for an uplink, and what that takes beside E."""
    plan = amount.plan(recorder=True, variants=BESIDE, repeated_setups=0)
    async with settled(plan, amount.say) as bench:
        await bench.flood_rounds()
        compiled = {}
        for key, home in bench.homes.items():
            amount.say(f"statistics of {key}")
            compiled[key] = await home.ask("statistics")
        ours, floor = ours_and_floor(bench)
        took, least = compiled[OURS.key], compiled[FLOOR.key]
        rows = [
            Row(
                title="states recorded per uplink",
                values=ours.recorded,
                limit=SHAPES["usual"].written + 1,
                note=f"8 fields change; E records {median(floor.recorded):.2f}",
            ),
            *beside_floor(ours, floor, per_uplink=1.1, per_state=None),
            Row(
                title="statistics compiled once: CPU / E",
                values=[took["cpu"] / least["cpu"]],
                note=f"{took['cpu']:.2f} s beside {least['cpu']:.2f} s",
            ),
            Row(
                title="statistics compiled once: longest stall, ms",
                values=[1e3 * took["stall"]],
                digits=0,
                note=f"E {1e3 * least['stall']:.0f}",
            ),
            lost_row(ours),
        ]
        return Section.of(bench, rows, statistics=compiled)
