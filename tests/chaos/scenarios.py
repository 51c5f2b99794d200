"""The scenarios. Another one is a few lines: a name and the steps, of `steps.py`, in order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from .doors import DOORS
from .steps import (
    Step,
    broker,
    chance,
    clock_ahead,
    connected,
    drop,
    during,
    fault,
    give_right,
    half_open,
    key,
    kill,
    lost,
    overflown,
    reading,
    refuse,
    reload,
    repeat,
    send,
    start,
    stop,
    storage_fails,
    storage_hidden,
    take_right,
    wait,
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens, after everything works and before everything works again."""

    name: str
    steps: tuple[Step, ...]
    instances: int = 1
    queue_size: int | None = None
    """How many messages wait in Home Assistant before some are dropped."""
    short: bool = False
    """Whether it belongs to the short run."""
    doors: tuple[str, ...] = tuple(DOORS)
    """By which ways messages can come in it."""


def _scenario(
    name: str,
    *steps: Step,
    instances: int = 1,
    queue_size: int | None = None,
    short: bool = False,
    doors: tuple[str, ...] = tuple(DOORS),
) -> Scenario:
    return Scenario(name, steps, instances, queue_size, short, doors)


_CONNECTED = ("mqtt", "events")
"""Where a client connects: a webhook has no connection that is half open or whose key is refused.

That a delivery failed shows only while the server says so: it forgets it with the next success,
and cannot be asked while it is away.
"""


_AWAY = (refuse(on=True), drop(), lost())
_BACK = (refuse(on=False), connected())

_ALL = (
    # Connections
    _scenario(
        "broker restarts",
        repeat(2, send(20), broker(runs=False), send(30), broker(runs=True), connected(), send(10)),
        short=True,
        doors=_CONNECTED,
    ),
    _scenario("drops in traffic", during(6, 200, repeat(4, wait(1), drop(), connected()))),
    _scenario(
        "half open, then closed",
        send(10), half_open(), send(30), wait(1), drop(), connected(),
        doors=_CONNECTED,
    ),
    # Silence of the event stream counts as its end after 5 minutes only.
    _scenario("half open until noticed",
        send(10), half_open(), send(30), lost(), connected(),
        doors=("mqtt",),
    ),
    _scenario(
        "no server at all",
        send(10),
        fault(http_down=True),
        *_AWAY,
        send(30),
        wait(2),
        fault(http_down=False),
        *_BACK,
        doors=_CONNECTED,
    ),
    _scenario("drops during catch-up",
        send(10), *_AWAY, send(60), storage_fails(message_seconds=0.05), *_BACK, reading(),
        *_AWAY, send(60), *_BACK, reading(), drop(), send(20), storage_fails(), connected(),
        short=True,
    ),
    # Home Assistant
    _scenario("killed and started", send(50), kill(), send(50), start(), connected(), send(10)),
    _scenario("killed in traffic", during(12, 300, wait(2), kill(), wait(1), start()), short=True),
    _scenario("killed, then silence", send(50), wait(1), kill(), start()),
    _scenario("killed when all was written",
        send(10), drop(), connected(), send(40), wait(35), kill(), start(),
    ),
    _scenario("killed during catch-up",
        send(10), *_AWAY, send(80), storage_fails(message_seconds=0.1), *_BACK, reading(),
        wait(3), kill(), storage_fails(), start(),
    ),
    _scenario("killed during a long catch-up",
        send(10), *_AWAY, send(500), storage_fails(message_seconds=0.1), *_BACK, reading(),
        wait(35), kill(), storage_fails(), start(),
    ),
    _scenario("shut down and started", send(50), stop(), send(50), start(), connected(), send(10)),
    _scenario("shut down during catch-up",
        send(10), *_AWAY, send(80), storage_fails(message_seconds=0.1), *_BACK, reading(),
        wait(3), stop(), storage_fails(), start(),
        short=True,
    ),
    _scenario("set up anew during catch-up",
        send(10), *_AWAY, send(80), storage_fails(message_seconds=0.1), *_BACK, reading(),
        wait(3), storage_fails(), reload(),
    ),
    _scenario("started without a server",
        send(10), stop(), send(30), fault(http_down=True), broker(runs=False), start(), send(20),
        broker(runs=True), fault(http_down=False), connected(),
        doors=_CONNECTED,
    ),
    # Storage
    _scenario("storage answers 500",
        send(10), storage_fails(status=500, times=3), *_AWAY, send(40), *_BACK, send(10),
        short=True,
    ),
    _scenario("storage fails over a restart",
        send(10), storage_fails(status=500), *_AWAY, send(30), *_BACK, send(3), wait(1), stop(),
        storage_fails(), start(),
    ),
    _scenario("storage answers 429",
        send(10), storage_fails(status=429, retry_seconds=1, times=3), *_AWAY, send(40), *_BACK,
    ),
    _scenario("storage breaks off",
        send(10), storage_fails(breaks_after=15, times=3), *_AWAY, send(80), *_BACK,
    ),
    _scenario("storage ends in an error",
        send(10), storage_fails(error_after=15, times=3), *_AWAY, send(80), *_BACK,
    ),
    _scenario("storage is slow",
        send(10), storage_fails(message_seconds=0.05), *_AWAY, send(80), *_BACK, send(20, 2),
    ),
    _scenario("storage is late",
        send(10), fault(storage_lag=timedelta(seconds=0.8)), *_AWAY, send(40), *_BACK, send(10),
    ),
    _scenario("storage is off", send(10), fault(storage=False), *_AWAY, send(40), *_BACK, send(10)),
    _scenario("storage is switched on later",
        send(10), storage_hidden(hidden=True), *_AWAY, send(40), *_BACK, send(10), wait(1),
        storage_hidden(hidden=False), drop(), connected(),
    ),
    # Keys
    _scenario("right taken and given",
        send(10), take_right("TRAFFIC_READ"), drop(), send(40), wait(2),
        give_right("TRAFFIC_READ"), connected(), send(10),
        short=True, doors=_CONNECTED,
    ),
    _scenario("key refused for a while",
        send(10), fault(keys_refused=True), drop(), send(40), wait(2), fault(keys_refused=False),
        connected(), send(10),
        doors=_CONNECTED,
    ),
    _scenario("key deleted and restored",
        send(10), key(exists=False), drop(), send(40), wait(2), key(exists=True), connected(),
        doors=_CONNECTED,
    ),
    _scenario("no rights for a while",
        send(10), fault(rights_empty=True), drop(), send(40), wait(2), fault(rights_empty=False),
        connected(),
        doors=_CONNECTED,
    ),
    # Clocks
    _scenario("clock ahead",
        clock_ahead(timedelta(days=3)), drop(), connected(), send(10), *_AWAY, send(40), *_BACK,
    ),
    _scenario("clock behind",
        clock_ahead(-timedelta(days=3)), drop(), connected(), send(10), *_AWAY, send(40), *_BACK,
    ),
    _scenario("one message of the future",
        send(10), fault(message_skew=timedelta(days=9999)), send(1),
        fault(message_skew=timedelta()), send(19), *_AWAY, send(40), *_BACK, send(10),
    ),
    _scenario("last message of the future",
        send(10), fault(message_skew=timedelta(days=9999)), send(1),
        fault(message_skew=timedelta()), *_AWAY, send(40), *_BACK,
    ),
    _scenario("clock put right while away",
        clock_ahead(timedelta(hours=2)), drop(), connected(), send(10), stop(),
        clock_ahead(timedelta()), send(40), start(), connected(), send(10),
    ),
    # Floods
    _scenario("flood", overflown(), wait(1), send(20), queue_size=20, short=True),
    _scenario("flood after a drop", send(10), drop(), connected(), overflown(), queue_size=20),
    # Several
    _scenario("two on one application",
        send(20), drop(), send(20), connected(), kill(1), send(40), start(1), connected(), stop(0),
        send(20), start(0),
        instances=2,
    ),
    _scenario("by chance", chance(8), doors=_CONNECTED),
)  # fmt: skip
SCENARIOS = {scenario.name: scenario for scenario in _ALL}


def chosen(names: Iterable[str] | None, door: str, *, short: bool) -> list[Scenario]:
    """Return the scenarios of these names, else all that go by a door, or the short run's."""
    if names:
        return [SCENARIOS[name] for name in names]
    return [
        scenario for scenario in _ALL if door in scenario.doors and (scenario.short or not short)
    ]
