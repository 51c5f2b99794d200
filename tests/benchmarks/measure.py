"""The order of a benchmark: setups one by one, then rounds in which the variants take turns."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from statistics import median
import tempfile
from typing import Literal

from thethingsstack.payload.observations import REVISABLE

from ..child_process import Child
from .variants import MQTT, OURS, VARIANTS, Variant

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


@dataclass(slots=True)
class Result:
    """What one variant took; CPU in seconds, latencies in milliseconds, memory in bytes."""

    setup_cpu: float = 0
    setup_wall: float = 0
    setup_stall: float = 0
    again_cpu: list[float] = field(default_factory=list)
    again_wall: list[float] = field(default_factory=list)
    again_stall: list[float] = field(default_factory=list)
    memory: int = 0
    entities: dict[str, int] = field(default_factory=dict)
    cpu: list[float] = field(default_factory=list)
    collections: list[float] = field(default_factory=list)
    pause: float = 0
    idle_cpu: list[float] = field(default_factory=list)
    states: list[float] = field(default_factory=list)
    lost: int = 0
    latencies: list[list[float]] = field(default_factory=list)
    sustained: int = 0
    stopped: str = ""
    profile: str = ""

    @property
    def cpu_per_uplink(self) -> float:
        """Return the seconds of CPU for an uplink."""
        return median(self.cpu)

    def times_that_of(self, other: Result) -> float:
        """Return how much more CPU an uplink takes than elsewhere; round by round."""
        return median(own / its for own, its in zip(self.cpu, other.cpu, strict=True))

    def latency(self, share: float) -> float:
        """Return the milliseconds within which that share of uplinks was through.

        Of the quietest round: whatever else the machine does can only add to it.
        """
        return min(sorted(one)[min(int(len(one) * share), len(one) - 1)] for one in self.latencies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """When each uplink was sent and when it was through, in nanoseconds; and what it took."""

    sent: Sequence[int]
    through: Mapping[int, int]
    took: Mapping[str, float]

    @property
    def lost(self) -> int:
        """Return how many never came through."""
        return len(self.sent) - len(self.through)

    @property
    def cpu(self) -> float:
        """Return the seconds of CPU for each."""
        return self.took["cpu"] / len(self.sent)

    @property
    def latencies(self) -> list[float]:
        """Return how many milliseconds each needed."""
        return [(at - self.sent[number]) / 1e6 for number, at in self.through.items()]

    @property
    def furthest_behind(self) -> int:
        """Return how many were at most on their way at one time."""
        steps = [(at, 1) for number, at in enumerate(self.sent) if number in self.through]
        steps += [(at, -1) for at in self.through.values()]
        return max(accumulate(step for _, step in sorted(steps)), default=0)


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
        for key in self._homes:
            self._say(f"setup of {VARIANTS[key].title}, {self._plan.devices} devices")
            await self._set_up(VARIANTS[key])
        self._say("uplinks until all fields are decided on")
        for key in self._homes:
            await self._uplinks(key, self._plan.devices * REVISABLE, AT_ONCE, WAVE)
        for number in range(self._plan.rounds):
            self._say(f"CPU per uplink, round {number + 1} of {self._plan.rounds}")
            for key, result in self.results.items():
                await self._cpu_round(key, result)
        for number in range(self._plan.latency_rounds):
            self._say(f"latency, round {number + 1} of {self._plan.latency_rounds}")
            for key, result in self.results.items():
                await self._latency_round(key, result)
        for key, result in self.results.items():
            self._say(f"throughput of {VARIANTS[key].title}")
            await self._climb(key, result)
        if self._plan.profile:
            await self._uplinks(OURS.key, self._plan.uplinks, AT_ONCE, WAVE, profile=True)
            self.results[OURS.key].profile = await self._homes[OURS.key].ask("profile")
        return self.results

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
                application=VARIANTS[key].application,
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
        """First setup to the last first value, then setups with everything known."""
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
        result.setup_cpu = first["cpu"] + then["cpu"]
        result.setup_wall = first["wall"] + then["wall"]
        result.setup_stall = max(first["stall"], then["stall"])
        result.memory = await home.ask("memory") - before
        result.entities = await home.ask("entities")
        for _ in range(self._plan.repeated_setups):
            again = await home.ask("set_up_again")
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
        server = await child("server", "stack_server", OURS.application, plan.devices, port)
        url = await server.ask("where")
        publisher = await child("publisher", "publisher", port)
        mqtt = f"{port}/{5 if told['name'] == 'mosquitto' else 4}"
        homes = {}
        for key in plan.variants:
            say(f"Home Assistant for {VARIANTS[key].title}")
            homes[key] = await child(key, "home", key, folder / key, url, mqtt, plan.devices)
            await homes[key].ask("entities")
        yield told["name"], Bench(plan, publisher, homes, say)
