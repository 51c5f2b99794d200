"""Many end devices, divided among three config entries."""

from .amount import (
    BESIDE,
    Amount,
    Section,
    beside_floor,
    lost_row,
    memory_row,
    ours_and_floor,
    set_up_rows,
    settled,
    stall_row,
)

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
    async with settled(plan, amount.say) as bench:
        await bench.flood_rounds()
        ours, floor = ours_and_floor(bench)
        rows = [
            *beside_floor(ours, floor),
            *set_up_rows(ours, floor, "E", first=1.6, later=1.3),
            stall_row("first set-up", ours.setups),
            stall_row("later set-up", ours.setups_again),
            memory_row(ours, floor),
            lost_row(ours),
        ]
        return Section.of(bench, rows)
