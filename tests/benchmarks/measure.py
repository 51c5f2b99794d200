"""The order of a benchmark: setups one by one, then rounds in which the variants take turns."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
import tempfile
from typing import Literal

from thethingsstack.payload.observations import REVISABLE

from ..child_process import Child
from ..ha_folder import INTEGRATION
from .results import Result, Traffic
from .variants import ALL, BEFORE, MQTT, OURS, VARIANTS, Places, Variant

BUFFERED = 64 + 128
"""Messages that the server buffers for a connection before it drops them."""
AT_ONCE = 1e5
"""Uplinks per second; nobody takes so many, so that nobody waits for the next one."""
WAVE = 1000
FIRST_RATE = 1000.0
STEPS = (500, 1000, 1500, 2000, 2500, 3000, 4000, 5000)
TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured."""

    devices: int
    uplinks: int = 6000
    rounds: int = 5
    latency_uplinks: int = 500
    latency_rounds: int = 3
    latency_rate: float = 50
    steps: Sequence[int] = STEPS
    step_seconds: float = 2
    repeated_setups: int = 3
    profile: bool = False
    variants: Sequence[str] = tuple(VARIANTS)
    broker: Literal["any", "plain"] = "any"
    before: Path = INTEGRATION
    """The folder of the integration in another revision."""


type Say = Callable[[str], None]


class Bench:
    """The processes for one number of end devices."""

    def __init__(self, plan: Plan, publisher: Child, homes: dict[str, Child], say: Say) -> None:
        """Take running processes."""
        self._plan = plan
        self._publisher = publisher
        self._homes = homes
        self._say = say
        self._sequences = dict.fromkeys(homes, 0)
        self.results = {key: Result() for key in homes}

    async def run(self) -> dict[str, Result]:
        """Measure everything."""
        await self.set_up()
        await self.rounds()
        for key, result in self.results.items():
            self._say(f"throughput of {VARIANTS[key].title}")
            await self._climb(key, result)
        if self._plan.profile:
            await self._uplinks(OURS.key, self._plan.uplinks, AT_ONCE, WAVE, profile=True)
            self.results[OURS.key].profile = await self._homes[OURS.key].ask("profile")
        return self.results

    async def set_up(self, number: int = 0) -> None:
        """Measure first set-ups and later ones; an odd number takes the variants from the end."""
        for key in self._turns(number):
            self._say(f"first set-up of {ALL[key].title}, {self._plan.devices} devices")
            await self._set_up(ALL[key])
        for again in range(self._plan.repeated_setups):
            self._say(f"later set-up, round {again + 1} of {self._plan.repeated_setups}")
            for key in self._turns(number + again):
                await self._set_up_again(key)

    async def rounds(self) -> None:
        """Measure uplinks, in rounds in which the variants take turns."""
        self._say("uplinks until all fields are decided on")
        for key in self._homes:
            await self._uplinks(key, self._plan.devices * REVISABLE, AT_ONCE, WAVE)
        for number in range(self._plan.rounds):
            self._say(f"CPU per uplink, round {number + 1} of {self._plan.rounds}")
            for key in self._turns(number):
                await self._cpu_round(key, self.results[key])
        for number in range(self._plan.latency_rounds):
            self._say(f"latency, round {number + 1} of {self._plan.latency_rounds}")
            for key in self._turns(number):
                await self._latency_round(key, self.results[key])

    def _turns(self, number: int) -> Iterable[str]:
        return reversed(self._homes) if number % 2 else iter(self._homes)

    async def _uplinks(
        self, key: str, count: int, rate: float, wave: int = 0, **options: bool
    ) -> Traffic:
        """Send uplinks, so many per second; in waves each of which waits for the one before."""
        home = self._homes[key]
        first = self._sequences[key]
        sent: list[int] = []
        await home.ask("begin", **options)
        while len(sent) < count:
            sent += await self._publisher.ask(
                "uplinks",
                application=ALL[key].application,
                devices=self._plan.devices,
                first=self._sequences[key],
                count=min(wave or count, count - len(sent)),
                rate=rate,
            )
            self._sequences[key] = first + len(sent)
            await home.ask("wait", count=len(sent))
        took = await home.ask("end")
        through = {sequence - first: at for sequence, at in took["through"]}
        return Traffic(sent=sent, through=through, took=took)

    async def _set_up(self, variant: Variant) -> None:
        """Set up to the last first value."""
        home, result = self._homes[variant.key], self.results[variant.key]
        devices = self._plan.devices
        if variant is MQTT:
            await self._publisher.ask("discovery", application=variant.application, devices=devices)
        before = await home.ask("memory")
        first = await home.ask("set_up")
        uplinks = await self._uplinks(variant.key, devices, FIRST_RATE, stall=True)
        if uplinks.lost:
            raise RuntimeError(f"{variant.title}: {uplinks.lost} first uplinks showed nothing")
        then = uplinks.took
        result.setup_cpu.append(first["cpu"] + then["cpu"])
        result.setup_wall.append(first["wall"] + then["wall"])
        result.setup_stall.append(max(first["stall"], then["stall"]))
        result.memory.append(await home.ask("memory") - before)
        result.entities = await home.ask("entities")

    async def _set_up_again(self, key: str) -> None:
        again, result = await self._homes[key].ask("set_up_again"), self.results[key]
        result.again_cpu.append(again["cpu"])
        result.again_wall.append(again["wall"])
        result.again_stall.append(again["stall"])

    async def _cpu_round(self, key: str, result: Result) -> None:
        uplinks = await self._uplinks(key, self._plan.uplinks, AT_ONCE, WAVE)
        result.lost += uplinks.lost
        result.cpu.append(uplinks.cpu)
        result.collections.append(uplinks.took["collections"] / self._plan.uplinks)
        result.pause = max(result.pause, uplinks.took["pause"])
        result.states.append(uplinks.took["states"] / self._plan.uplinks)

    async def _latency_round(self, key: str, result: Result) -> None:
        uplinks = await self._uplinks(key, self._plan.latency_uplinks, self._plan.latency_rate)
        result.lost += uplinks.lost
        result.idle_cpu.append(uplinks.cpu)
        result.latencies.append(uplinks.latencies)

    async def _climb(self, key: str, result: Result) -> None:
        """Find the highest rate at which nothing is lost and the server's buffer suffices."""
        for rate in self._plan.steps:
            for _ in range(TRIES):
                uplinks = await self._uplinks(key, int(rate * self._plan.step_seconds), rate)
                if not uplinks.lost and uplinks.furthest_behind <= BUFFERED:
                    result.sustained = rate
                    break
            else:
                behind = uplinks.furthest_behind
                result.stopped = f"at {rate}/s {uplinks.lost} lost, {behind} on their way"
                return


@asynccontextmanager
async def processes(plan: Plan, say: Say) -> AsyncIterator[tuple[str, Bench]]:
    """Start broker, publisher, HTTP server and one Home Assistant for each variant."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))

        async def child(log: str, module: str, *arguments: object) -> Child:
            process = await Child.start(
                folder / f"{log}.log", f"tests.benchmarks.{module}", *arguments
            )
            stack.push_async_callback(process.close)
            return process

        broker = await child("broker", "broker", *(["--plain"] if plan.broker == "plain" else []))
        told = await broker.ask("where")
        port = told["port"]
        server = await child("server", "stack_server", plan.devices, port)
        url = await server.ask("where")
        publisher = await child("publisher", "publisher", port)
        homes = {}
        for key in plan.variants:
            say(f"Home Assistant for {ALL[key].title}")
            places = Places(
                server=url,
                mqtt_port=port,
                mqtt_5=told["name"] == "mosquitto",
                devices=plan.devices,
                integration=str(plan.before if key == BEFORE.key else INTEGRATION),
            )
            homes[key] = await child(key, "home", key, folder / key, places.as_json())
            await homes[key].ask("entities")
        yield told["name"], Bench(plan, publisher, homes, say)
