"""The broker reached over TLS, as that of The Things Stack is."""

from .amount import (
    BESIDE,
    Amount,
    Section,
    beside_floor,
    lost_row,
    one_at_a_time_row,
    ours_and_floor,
    settled,
)


async def measure_tls(amount: Amount) -> Section:
    """Measure the main row with TLS on all sides."""
    plan = amount.plan(tls=True, variants=BESIDE, repeated_setups=0)
    async with settled(plan, amount.say) as bench:
        await bench.rounds()
        ours, floor = ours_and_floor(bench)
        rows = [*beside_floor(ours, floor), one_at_a_time_row(ours, floor), lost_row(ours)]
        return Section.of(bench, rows)
