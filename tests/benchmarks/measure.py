"""Processes of a benchmark, and what is measured in them in rounds in which the variants take turns."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
import tempfile
import time
from typing import Any, Literal

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
PATIENCE = 60
"""Seconds in which at least one end device is read, on a busy machine too."""
_LOOK = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured, and of what."""

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
    shape: str = "usual"
    entries: int = 1
    tls: bool = False
    recorder: bool = False
    visited: bool = False
    before: Path = INTEGRATION
    """The folder of the integration in another revision."""


type Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """Those beside Home Assistant, and each Home Assistant by its variant."""

    broker: Child
    broker_name: str
    server: Child
    publisher: Child
    homes: Mapping[str, Child]
    folder: Path


class Bench:
    """The processes of one plan."""

    def __init__(self, plan: Plan, processes: Processes, say: Say) -> None:
        """Take running processes."""
        self.plan = plan
        self.processes = processes
        self.homes = processes.homes
        self.say = say
        self._publisher = processes.publisher
        self._sequences = dict.fromkeys(self.homes, 0)
        self.results = {key: Result() for key in self.homes}

    def sequence(self, key: str) -> int:
        """Return the number of a variant's next uplink."""
        return self._sequences[key]

    async def run(self) -> dict[str, Result]:
        """Measure everything that the main table has."""
        await self.set_up()
        await self.settle()
        await self.rounds()
        await self.climb()
        if self.plan.profile:
            await self.uplinks(OURS.key, self.plan.uplinks, AT_ONCE, WAVE, profile=True)
            self.results[OURS.key].profile = await self.homes[OURS.key].ask("profile")
        return self.results

    async def set_up(self, number: int = 0) -> None:
        """Measure first set-ups, what is read in the background then, and later set-ups.

        An odd number takes the variants from the end.
        """
        for key in self.turns(number):
            self.say(f"first set-up of {ALL[key].title}, {self.plan.devices} devices")
            await self._set_up(ALL[key])
            await self.read_in_background(key)
        for again in range(self.plan.repeated_setups):
            self.say(f"later set-up, round {again + 1} of {self.plan.repeated_setups}")
            for key in self.turns(number + again):
                await self._set_up_again(key)

    async def read_in_background(self, key: str) -> None:
        """Measure what is read of each end device once, so that it is not in what follows."""
        home, server = self.homes[key], self.processes.server
        before: float = await home.ask("cpu")
        kinds: list[str] = await home.ask("read_in_background")
        if not kinds:
            return
        self.say(f"{' and '.join(kinds)} of {self.plan.devices} end devices, in the background")
        needed, last, moved = len(kinds) * self.plan.devices, 0, time.monotonic()
        while last < needed:
            await asyncio.sleep(_LOOK)
            counts: Mapping[str, int] = await server.ask("read", application=ALL[key].application)
            if (count := sum(counts[kind] for kind in kinds)) > last:
                last, moved = count, time.monotonic()
            elif time.monotonic() - moved > PATIENCE:
                raise RuntimeError(f"{ALL[key].title}: of {needed} only {last} read: {counts}")
        after: float = await home.ask("cpu")
        self.results[key].background_cpu.append((after - before) / self.plan.devices)

    async def settle(self, **options: Any) -> None:
        """Send uplinks until all fields are decided on; options as of `uplinks`."""
        self.say("uplinks until all fields are decided on")
        for key in self.homes:
            await self.uplinks(key, self.plan.devices * REVISABLE, AT_ONCE, WAVE, **options)

    async def rounds(self) -> None:
        """Measure uplinks in a flood, then one at a time."""
        await self.flood_rounds()
        for number in range(self.plan.latency_rounds):
            self.say(f"latency, round {number + 1} of {self.plan.latency_rounds}")
            for key in self.turns(number):
                await self._latency_round(key, self.results[key])

    async def flood_rounds(self, **options: Any) -> None:
        """Measure uplinks in a flood; options as of `uplinks`."""
        for number in range(self.plan.rounds):
            self.say(f"CPU per uplink, round {number + 1} of {self.plan.rounds}")
            for key in self.turns(number):
                await self._cpu_round(key, self.results[key], **options)

    def turns(self, number: int) -> Iterable[str]:
        """Return the variants in the order of a round: there and back again."""
        return reversed(list(self.homes)) if number % 2 else iter(self.homes)

    async def uplinks(
        self, key: str, count: int, rate: float, wave: int = 0, **options: Any
    ) -> Traffic:
        """Send uplinks, so many per second; in waves each of which waits for the one before.

        Options are those of `Home.begin`.
        """
        home = self.homes[key]
        first = self._sequences[key]
        sent: list[int] = []
        await home.ask("begin", **options)
        while len(sent) < count:
            sent += await self._publisher.ask(
                "uplinks",
                application=ALL[key].application,
                devices=self.plan.devices,
                entries=self.plan.entries,
                shape=options.get("shape") or self.plan.shape,
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
        home, result = self.homes[variant.key], self.results[variant.key]
        devices = self.plan.devices
        if variant is MQTT:
            application = f"{variant.application}-0"
            await self._publisher.ask("discovery", application=application, devices=devices)
        before = await home.ask("memory")
        first = await home.ask("set_up")
        uplinks = await self.uplinks(variant.key, devices, FIRST_RATE, stall=True)
        if uplinks.lost:
            raise RuntimeError(f"{variant.title}: {uplinks.lost} first uplinks showed nothing")
        then = uplinks.took
        result.setups.append(
            {name: first[name] + then[name] for name in ("cpu", "wall")}
            | {name: max(first[name], then[name]) for name in ("stall", "busy", "collection")}
        )
        result.memory.append(await home.ask("memory") - before)
        result.entities = await home.ask("entities")

    async def _set_up_again(self, key: str) -> None:
        self.results[key].setups_again.append(await self.homes[key].ask("set_up_again"))

    async def _cpu_round(self, key: str, result: Result, **options: Any) -> None:
        uplinks = await self.uplinks(key, self.plan.uplinks, AT_ONCE, WAVE, **options)
        result.lost += uplinks.lost
        result.cpu.append(uplinks.cpu)
        result.collections.append(uplinks.took["collections"] / self.plan.uplinks)
        result.pause = max(result.pause, uplinks.took["pause"])
        result.states.append(uplinks.states)
        result.recorded.append(uplinks.took["recorded"] / self.plan.uplinks)

    async def _latency_round(self, key: str, result: Result) -> None:
        uplinks = await self.uplinks(key, self.plan.latency_uplinks, self.plan.latency_rate)
        result.lost += uplinks.lost
        result.idle_cpu.append(uplinks.cpu)
        result.idle_states.append(uplinks.states)
        result.latencies.append(uplinks.latencies)

    async def climb(self) -> None:
        """Find the highest rate at which nothing is lost and the server's buffer suffices.

        All variants at one rate, then at the next.
        """
        for rate in self.plan.steps:
            self.say(f"throughput: {rate} uplinks per second")
            for key, result in self.results.items():
                if not result.stopped:
                    await self._step(key, result, rate)

    async def _step(self, key: str, result: Result, rate: int) -> None:
        for _ in range(TRIES):
            uplinks = await self.uplinks(key, int(rate * self.plan.step_seconds), rate)
            if not uplinks.lost and uplinks.furthest_behind <= BUFFERED:
                result.sustained = rate
                return
        behind = uplinks.furthest_behind
        result.stopped = f"at {rate}/s {uplinks.lost} lost, {behind} on their way"


@asynccontextmanager
async def started(plan: Plan, say: Say) -> AsyncIterator[Bench]:
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
        server = await child("server", "stack_server", plan.devices, plan.entries, port)
        url = await server.ask("where")
        homes = {}
        for key in plan.variants:
            say(f"Home Assistant for {ALL[key].title}")
            places = Places(
                server=url,
                mqtt_port=told["tls_port"] if plan.tls else port,
                mqtt_5=told["name"] == "mosquitto",
                ca=told["ca"] if plan.tls else None,
                devices=plan.devices,
                shape=plan.shape,
                entries=plan.entries,
                recorder=plan.recorder,
                visited=plan.visited,
                integration=str(plan.before if key == BEFORE.key else INTEGRATION),
            )
            homes[key] = await child(key, "home", key, folder / key, places.as_json())
            await homes[key].ask("entities")
        processes = Processes(
            broker=broker,
            broker_name=told["name"],
            server=server,
            publisher=await child("publisher", "publisher", port),
            homes=homes,
            folder=folder,
        )
        yield Bench(plan, processes, say)
