"""The server, the Home Assistants on it and the uplinks between them, for one run of a scenario."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.simulator import Simulator
from tests.simulator.faults import Faults

from .doors import DOORS, Door
from .instance import PATIENCE, Instance, StuckError
from .uplinks import NUMBER, Counts, count, payload, taken

DEVICES = 10
PER_DEVICE = 190
"""An end device has 200 fields at most; each uplink brings one."""
PROBE = 0.5
"""Seconds between uplinks that are sent to find out how things stand."""
QUIET = 4.0
"""Seconds without any progress, with nothing left to do, after which nothing more comes."""


class Clock:
    """The server's clock, which may be ahead of this machine's."""

    def __init__(self) -> None:
        """Be right."""
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC) + self.ahead


class World:
    """What the steps of a scenario act on."""

    def __init__(
        self,
        simulator: Simulator,
        door: Door,
        clock: Clock,
        instances: list[Instance],
        random: Random,
    ) -> None:
        """Register the end devices that send."""
        self.simulator = simulator
        self.door = door
        self.clock = clock
        self.instances = instances
        self.random = random
        self.published = 0
        self.broker_runs = True
        self._devices = [
            simulator.add_device(f"probe-{number}", dev_eui=f"70B3D57ED00C{number:04X}")
            for number in range(DEVICES)
        ]

    async def send(self, total: int, seconds: float = 0.0) -> None:
        """Let the end devices send, one after the other, spread over the seconds."""
        for _ in range(total):
            number = self.published
            if number >= DEVICES * PER_DEVICE:
                raise ValueError(f"a scenario has {DEVICES * PER_DEVICE} uplinks at most")
            self.published += 1
            device = self._devices[number % DEVICES]
            await self.simulator.uplink(device.device_id, decoded=payload(number))
            if seconds:
                await asyncio.sleep(seconds / total)

    async def calm(self) -> None:
        """End all faults, and start what does not run."""
        simulator = self.simulator
        for name, value in vars(Faults()).items():
            setattr(simulator.faults, name, value)
        simulator.restore("read")
        simulator.set_rights("read", self.door.rights)
        if not self.broker_runs:
            await self.set_broker(runs=True)
        for instance in self.instances:
            if not instance.running:
                await instance.start()
        await self.connected()

    async def connected(self) -> None:
        """Wait until every Home Assistant gets messages again."""
        await self.door.wait_connected(self.simulator, len(self.instances), PATIENCE)
        await self.until(lambda status: status["connected"], "the connection", traffic=True)

    async def until(
        self, condition: Callable[[dict[str, Any]], object], what: str, *, traffic: bool
    ) -> None:
        """Wait until the status of every Home Assistant fulfils a condition.

        With `traffic` an uplink is sent now and then, where only messages show how things stand.
        """
        for instance in self.instances:
            if not (traffic and self.door.needs_traffic):
                await instance.until(condition, what)
                continue
            waiting = asyncio.create_task(instance.until(condition, what))
            while not waiting.done():
                await asyncio.wait((waiting,), timeout=PROBE)
                if not waiting.done():
                    await self.send(1)
            await waiting

    async def set_broker(self, *, runs: bool) -> None:
        """Start or stop the server that messages come from."""
        await self.door.serve(self.simulator, runs=runs)
        self.broker_runs = runs

    @property
    def stored(self) -> set[int]:
        """Return the numbers that the storage has."""
        return {
            envelope["uplink_message"]["decoded_payload"][NUMBER]
            for device in self._devices
            for envelope in device.stored()
        }

    async def settle(self) -> list[Counts]:
        """Wait until everything that can be had is there, or nothing more comes; count."""
        return [await self._settled(instance) for instance in self.instances]

    async def _settled(self, instance: Instance) -> Counts:
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        before, quiet_since = -1, loop.time()
        while True:
            status = await instance.status()
            counts = await self._counts(instance)
            arrived = counts.live + counts.caught_up
            open_gaps = status["gaps"] and status["storage"] is not False
            busy = status["reading"] or open_gaps or not status["connected"]
            if busy or arrived != before:
                before, quiet_since = arrived, loop.time()
            if not busy and not counts.lost and not counts.behind:
                return counts
            if loop.time() - quiet_since > QUIET:
                return counts
            if loop.time() > end:
                raise StuckError(f"it never comes to rest: {status}, {counts}")
            await asyncio.sleep(0.2)

    async def _counts(self, instance: Instance) -> Counts:
        stored, lives = self.stored, instance.lives()
        within_reach = stored | taken(lives)
        newest: dict[str, int] = {}
        for number in sorted(within_reach):
            newest[str(self._devices[number % DEVICES].dev_eui)] = number
        return count(self.published, stored, lives, newest, await instance.numbers())


def _entry(simulator: Simulator, number: int, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config entry as Home Assistant stores it."""
    now = datetime.now(UTC).isoformat()
    return {
        "created_at": now,
        "data": {
            "network": "own_server",
            "server": simulator.server_url,
            "identity_server": simulator.identity_server_url,
            "tenant_id": None,
            "application_id": simulator.application_id,
            "api_key": simulator.key("read"),
            "mqtt_tls": False,
            "ca_certificate": None,
            **extra,
        },
        "disabled_by": None,
        "discovery_keys": {},
        "domain": "thethingsstack",
        "entry_id": f"{number:0>26}",
        "minor_version": 1,
        "modified_at": now,
        "options": {},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "subentries": [],
        "title": "Garden",
        "unique_id": f"127.0.0.1/{simulator.uid}",
        "version": 1,
    }


@asynccontextmanager
async def world(
    folder: Path, door: str, random: Random, *, instances: int, queue_size: int | None
) -> AsyncIterator[World]:
    """Run a server and Home Assistants in a folder, all stopped at the end."""
    clock = Clock()
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(Simulator("garden", clock=clock))
        simulator.faults.storage = True
        simulator.switch_storage(on=True)
        way = DOORS[door]
        simulator.set_rights("read", way.rights)
        # As the server does, but a webhook that was given up is tried again after a second.
        simulator.stack.tolerated_failures = 20
        simulator.stack.retry_interval = timedelta(seconds=1)
        running = []
        for number in range(instances):
            entry = _entry(simulator, number, way.settings(simulator))
            instance = Instance(folder / f"{number}", entry, queue_size=queue_size)
            stack.push_async_callback(instance.close)
            running.append(instance)
        result = World(simulator, way, clock, running, random)
        await asyncio.gather(*(instance.start() for instance in running))
        for instance in running:
            await instance.until(_ready, "the first connection")
        yield result


def _ready(status: Mapping[str, Any]) -> bool:
    return bool(status["connected"] and not status["reading"])
