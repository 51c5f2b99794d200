"""What can happen in a scenario; each function returns a step."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from tests.simulator.faults import StorageFailure

from .instance import StuckError
from .world import World

type Step = Callable[[World], Coroutine[Any, Any, None]]


# Traffic


def send(total: int, seconds: float = 0.0) -> Step:
    """Uplinks, as fast as possible or spread over so many seconds."""
    return lambda world: world.send(total, seconds)


def during(seconds: float, total: int, *steps: Step) -> Step:
    """Steps, while uplinks are sent all the time."""

    async def run(world: World) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(world.send(total, seconds))
            group.create_task(in_turn(*steps)(world))

    return run


def in_turn(*steps: Step) -> Step:
    """Steps, one after the other."""

    async def run(world: World) -> None:
        for step in steps:
            await step(world)

    return run


def repeat(times: int, *steps: Step) -> Step:
    """Steps, so many times."""
    return in_turn(*steps * times)


def wait(seconds: float) -> Step:
    """Nothing, for some time."""
    return lambda _world: asyncio.sleep(seconds)


# The connection


def drop() -> Step:
    """The server hangs up on all clients."""

    async def run(world: World) -> None:
        await world.door.drop(world.simulator)

    return run


def half_open() -> Step:
    """The server forgets all clients, which notice nothing."""

    async def run(world: World) -> None:
        await world.door.freeze(world.simulator)

    return run


def broker(*, runs: bool) -> Step:
    """The server that messages come from stops or starts: for MQTT, the broker."""
    return lambda world: world.set_broker(runs=runs)


def refuse(*, on: bool) -> Step:
    """From now on nothing new gets through by the door, or again."""

    async def run(world: World) -> None:
        world.door.refuse(world.simulator, on=on)

    return run


def connected() -> Step:
    """Every Home Assistant gets messages again."""
    return lambda world: world.connected()


def lost() -> Step:
    """Every Home Assistant has noticed that no messages come."""
    return _each(lambda status: not status["connected"], "the loss of the connection", traffic=True)


def reading() -> Step:
    """Every Home Assistant has begun to catch up."""
    return _each(lambda status: status["reading"], "the begin of catching up")


def overflown() -> Step:
    """Every Home Assistant has dropped messages; sends until then."""

    async def run(world: World) -> None:
        while not all([(await instance.status())["dropped"] for instance in world.instances]):
            try:
                await world.send(100)
            except ValueError:
                raise StuckError("the queue did not overflow") from None

    return run


def _each(
    condition: Callable[[dict[str, Any]], object], what: str, *, traffic: bool = False
) -> Step:
    return lambda world: world.until(condition, what, traffic=traffic)


# The server


def fault(**changes: Any) -> Step:
    """From now on the server has these faults: see `Faults` of the simulator."""

    async def run(world: World) -> None:
        for name, value in changes.items():
            setattr(world.simulator.faults, name, value)

    return run


def storage_fails(**how: Any) -> Step:
    """From now on reading from the storage fails so: see `StorageFailure`; not at all without."""

    async def run(world: World) -> None:
        world.simulator.faults.storage_failure = StorageFailure(**how) if how else None

    return run


def storage_hidden(*, hidden: bool) -> Step:
    """The storage keeps uplinks, but the server says that there is none."""
    return fault(http_status={"/as/applications/garden/packages": 404} if hidden else {})


def clock_ahead(by: timedelta) -> Step:
    """From now on the server's clock is ahead of Home Assistant's, or behind."""

    async def run(world: World) -> None:
        world.clock.ahead = by

    return run


# The key


def take_right(right: str) -> Step:
    """The key loses a right."""

    async def run(world: World) -> None:
        world.simulator.remove_rights("read", right)

    return run


def give_right(right: str) -> Step:
    """The key gets a right."""

    async def run(world: World) -> None:
        world.simulator.add_rights("read", right)

    return run


def key(*, exists: bool) -> Step:
    """The key is deleted, or there again."""

    async def run(world: World) -> None:
        (world.simulator.restore if exists else world.simulator.revoke)("read")

    return run


# Home Assistant


def kill(number: int = 0) -> Step:
    """A Home Assistant is killed."""
    return lambda world: world.instances[number].kill()


def stop(number: int = 0) -> Step:
    """A Home Assistant is shut down in order."""
    return lambda world: world.instances[number].stop()


def start(number: int = 0) -> Step:
    """A Home Assistant starts; what it finds at the server is up to the server."""
    return lambda world: world.instances[number].start()


def reload(number: int = 0) -> Step:
    """The application is set up anew in a running Home Assistant."""
    return lambda world: world.instances[number].reload()


# By chance


def chance(times: int) -> Step:
    """Things go wrong and right again in an order that only the seed decides."""

    async def run(world: World) -> None:
        for _ in range(times):
            trouble = world.random.choice(TROUBLES)
            await during(world.random.uniform(0.5, 2.5), world.random.randint(5, 40), *trouble)(
                world
            )
            await _revive(world)

    return run


async def _revive(world: World) -> None:
    for instance in world.instances:
        if not instance.running:
            await instance.start()


TROUBLES: tuple[tuple[Step, ...], ...] = (
    (drop(),),
    (drop(), wait(0.2), drop()),
    (half_open(), wait(1), drop()),
    (broker(runs=False), wait(0.5), broker(runs=True)),
    (refuse(on=True), drop(), wait(1), refuse(on=False)),
    (fault(http_down=True), drop(), wait(1), fault(http_down=False)),
    (storage_fails(status=500, times=2), drop()),
    (storage_fails(status=429, retry_seconds=1, times=1), drop()),
    (storage_fails(breaks_after=5, times=2), drop()),
    (storage_fails(error_after=5, times=1), drop()),
    (fault(keys_refused=True), drop(), wait(1), fault(keys_refused=False)),
    (take_right("TRAFFIC_READ"), drop(), wait(1), give_right("TRAFFIC_READ")),
    (kill(), wait(0.5), start()),
    (stop(), start()),
    (reload(),),
)
