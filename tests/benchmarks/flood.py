"""Many deliveries of a webhook at once: is one lost, and for how long is the event loop blocked?"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
import tempfile
from typing import Any

from ..child_process import Child
from .variants import BY_WEBHOOK, Places

RATE = 1_000.0
FIRST_RATE = 100.0
SECONDS = 10
LONGEST_STALL = 0.05
"""Seconds for which the event loop may be blocked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """What became of the deliveries; times in seconds."""

    posted: int
    statuses: dict[str, int]
    connections: int
    lost: int
    took: float
    cpu: float
    stall: float
    busy: float
    pause: float
    profile: str = ""

    def lines(self) -> list[str]:
        """Return what a person wants to read."""
        answers = ", ".join(f"{count} of {status}" for status, count in self.statuses.items())
        verdict = "met" if not self.lost and self.stall <= LONGEST_STALL else "missed"
        blocked = (
            f"event loop blocked for {1e3 * self.stall:.0f} ms at the longest; its CPU without "
            f"garbage collection {1e3 * self.busy:.0f} ms; longest collection {1e3 * self.pause:.0f} ms"
        )
        return [
            f"{self.posted} deliveries in {self.took:.1f} s over {self.connections} connections",
            f"answers: {answers}; lost: {self.lost}",
            f"CPU per delivery: {1e6 * self.cpu / self.posted:.0f} µs",
            blocked,
            f"wanted: none lost, blocked for {1e3 * LONGEST_STALL:.0f} ms at most: {verdict}",
        ]


async def measure_flood(
    devices: int,
    say: Callable[[str], None],
    *,
    rate: float = RATE,
    seconds: float = SECONDS,
    profile: bool = False,
) -> Flood:
    """Post so many uplinks per second for so long to a Home Assistant of its own process."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="flood-")))

        async def child(module: str, *arguments: object) -> Child:
            process = await Child.start(
                folder / f"{module}.log", f"tests.benchmarks.{module}", *arguments
            )
            stack.push_async_callback(process.close)
            return process

        nowhere = Places(server="http://127.0.0.1:9", mqtt_port=9, mqtt_5=False, devices=devices)
        application = f"{BY_WEBHOOK.application}-0"
        say("Home Assistant for deliveries of a webhook")
        receiver = await child("home", BY_WEBHOOK.key, folder / "ha", nowhere.as_json())
        poster = await child("poster")
        await receiver.ask("set_up")
        port = await receiver.ask("port")

        async def post(first: int, count: int, rate: float) -> Any:
            return await poster.ask(
                "uplinks",
                port=port,
                application=application,
                devices=devices,
                first=first,
                count=count,
                rate=rate,
            )

        first = 2 * devices  # so that all entities are there
        await post(0, first, FIRST_RATE)
        if await receiver.ask("count", uplinks=first) != first:
            raise RuntimeError("the first uplinks did not arrive")
        count = int(rate * seconds)
        say(f"{count} deliveries, {rate:.0f} a second")
        await receiver.ask("begin", stall=True, profile=profile)
        posted = await post(first, count, rate)
        counted = await receiver.ask("count", uplinks=first + count)
        took = await receiver.ask("end")
        return Flood(
            posted=count,
            statuses=posted["statuses"],
            connections=posted["connections"],
            lost=first + count - counted,
            took=(posted["sent"][-1] - posted["sent"][0]) / 1e9,
            cpu=took["cpu"],
            stall=took["stall"],
            busy=took["busy"],
            pause=took["pause"],
            profile=await receiver.ask("profile") if profile else "",
        )
