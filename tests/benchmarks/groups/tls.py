"""The broker reached over TLS, as that of The Things Stack is."""

from dataclasses import asdict

from ..measure import started
from ..results import ratios
from ..rows import Row
from ..variants import FLOOR, OURS
from .amount import BESIDE, Amount, Section, beside_floor, lost_row


async def measure_tls(amount: Amount) -> Section:
    """Measure the main row with TLS on all sides."""
    plan = amount.plan(tls=True, variants=BESIDE, repeated_setups=0)
    async with started(plan, amount.say) as bench:
        await bench.set_up()
        await bench.settle()
        await bench.rounds()
        ours, floor = bench.results[OURS.key], bench.results[FLOOR.key]
        return Section(
            devices=plan.devices,
            broker=bench.processes.broker_name,
            rows=[
                *beside_floor(ours, floor),
                Row(
                    title="CPU per uplink one at a time / E",
                    values=ratios(ours.idle_cpu, floor.idle_cpu),
                    limit=1.10,
                ),
                lost_row(ours),
            ],
            raw={key: asdict(result) for key, result in bench.results.items()},
        )
