"""A process with Home Assistant and one variant, which measures itself on command."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import cProfile
import ctypes
import gc
import io
import json
import logging
import os
from pathlib import Path
import pstats
import sys
import time
from typing import Any

from homeassistant import bootstrap, core, loader
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import ATTR_RESTORED, EVENT_STATE_CHANGED, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.runner import configure_event_loop

from ..child_process import serve
from ..ha_folder import prepare
from .variants import ALL, Places, Variant
from .workload import COUNTER, FIELDS, place_of

# What HA's dashboard would need, and what only guesses at the outside world, is left out.
_INTEGRATIONS = {"network", "sensor", "binary_sensor", "device_tracker", "event", "webhook"}
_HEARTBEAT = 0.002
_PATIENCE = 20.0
"""Seconds without any progress after which nothing more is expected, on a busy machine too."""
_NOT_SHOWN = (STATE_UNKNOWN, STATE_UNAVAILABLE)


class Tally:
    """Listens to all states, as recorder and dashboards do, and knows which uplink is through."""

    def __init__(self, hass: HomeAssistant, devices: int) -> None:
        """Count nothing yet."""
        self._registry = er.async_get(hass)
        self._places: dict[str, tuple[int, bool] | None] = {}
        self._written = [0] * devices
        self._sequence = [-1] * devices
        self.shown: set[str] = set()
        self.through: dict[int, int] = {}
        self.states = 0
        self.goal = 0
        self.reached = asyncio.Event()

    def restart(self) -> None:
        """Forget what was counted, not who is where."""
        self._written = [0] * len(self._written)
        self.shown = set()
        self.through = {}
        self.states = 0

    @callback
    def changed(self, event: Event[EventStateChangedData]) -> None:
        """Take a state; an uplink is through when all fields of its end device are written."""
        self.states += 1
        new = event.data["new_state"]
        if new is None or ATTR_RESTORED in new.attributes:
            return
        entity_id = new.entity_id
        try:
            place = self._places[entity_id]
        except KeyError:
            place = self._find(entity_id)
        if place is None:
            return
        if event.data["old_state"] is None or ATTR_RESTORED in event.data["old_state"].attributes:
            self.shown.add(entity_id)
        if (state := new.state) in _NOT_SHOWN:
            return
        device, counts = place
        if counts:
            self._sequence[device] = int(float(state))
        self._written[device] += 1
        if self._written[device] == len(FIELDS):
            self._written[device] = 0
            self.through[self._sequence[device]] = time.monotonic_ns()
            if len(self.through) == self.goal:
                self.reached.set()

    def _find(self, entity_id: str) -> tuple[int, bool] | None:
        entry = self._registry.async_get(entity_id)
        found = place_of(entry.unique_id) if entry is not None else None
        place = None if found is None else (found[0], found[1] == COUNTER)
        self._places[entity_id] = place
        return place


class Collections:
    """The CPU that Python's garbage collector takes, and its longest pause."""

    def __init__(self) -> None:
        """Watch from now on."""
        self.restart()
        self.total = 0.0
        self._start = self._start_cpu = 0.0
        gc.callbacks.append(self._called)

    def restart(self) -> None:
        """Forget what was measured."""
        self.took = 0.0
        self.longest = 0.0

    def _called(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._start, self._start_cpu = time.perf_counter(), time.thread_time()
        else:
            took = time.thread_time() - self._start_cpu
            self.took += took
            self.total += took
            self.longest = max(self.longest, time.perf_counter() - self._start)


class Span:
    """CPU, wall time and the longest stall of the event loop between two moments.

    A stall is measured twice: as others see it, and as CPU of this thread without Python's garbage
    collection: what the machine does for other processes meanwhile doesn't count then, nor the
    number of objects that Home Assistant has.
    """

    def __init__(self, collections: Collections) -> None:
        """Begin."""
        self._collections = collections
        self._cpu = time.process_time()
        self._wall = time.monotonic()
        self._stall = self._busy = 0.0
        self._beat, self._beat_cpu = self._wall, self._thread_cpu()
        self._task = asyncio.create_task(self._watch())

    def _thread_cpu(self) -> float:
        return time.thread_time() - self._collections.total

    async def _watch(self) -> None:
        while True:
            now, cpu = time.monotonic(), self._thread_cpu()
            self._stall = max(self._stall, now - self._beat - _HEARTBEAT)
            self._busy = max(self._busy, cpu - self._beat_cpu)
            self._beat, self._beat_cpu = now, cpu
            await asyncio.sleep(_HEARTBEAT)

    async def end(self) -> dict[str, float]:
        """Return what it took."""
        measured = {
            "cpu": time.process_time() - self._cpu,
            "wall": time.monotonic() - self._wall,
        }
        await asyncio.sleep(2 * _HEARTBEAT)  # a stall that is not over yet
        self._task.cancel()
        return {**measured, "stall": self._stall, "busy": self._busy}


def heap() -> int:
    """Return the bytes of memory that hold data, after what can be given back was."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the system does not tell how much memory is used")


class Home:
    """Home Assistant with one variant; the methods are the parent's commands."""

    def __init__(self, hass: HomeAssistant, variant: Variant, places: Places) -> None:
        """Listen to all states from the beginning."""
        self._hass = hass
        self._variant = variant
        self._places = places
        self._entry: ConfigEntry[Any] = variant.entry(places)
        self._expected = places.devices * len(FIELDS)
        self._span: Span | None = None
        self._cpu = 0.0
        self._profile: cProfile.Profile | None = None
        self._collections = Collections()
        self._tally = Tally(hass, places.devices)
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._tally.changed)

    async def set_up(self) -> dict[str, float]:
        """Set up the entry until uplinks can come; entities are there where they can be."""
        self._tally.restart()
        span = Span(self._collections)
        await self._hass.config_entries.async_add(self._entry)
        await self._until_listening()
        return await span.end()

    async def set_up_again(self) -> dict[str, float]:
        """Unload the entry and set it up with all entities known; only the second is measured."""
        entry_id = self._entry.entry_id
        assert await self._hass.config_entries.async_unload(entry_id)
        await self._hass.async_block_till_done()
        await asyncio.sleep(1)
        gc.collect()
        self._tally.restart()
        span = Span(self._collections)
        await self._hass.config_entries.async_setup(entry_id)
        await self._until_listening(all_shown=True)
        return await span.end()

    async def _until_listening(self, *, all_shown: bool = False) -> None:
        hass, entry = self._hass, self._entry
        if entry.state is not ConfigEntryState.LOADED:
            raise RuntimeError(f"the setup failed: {entry.reason or entry.state}")
        needed = self._expected if all_shown or not self._variant.entities_from_uplinks else 0
        await self._until(
            lambda: len(self._tally.shown) >= needed and self._variant.listens(hass, entry),
            f"{needed} entities",
        )

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        last, quiet = self._progress(), time.monotonic()
        while not condition():
            await asyncio.sleep(0.01)
            if (progress := self._progress()) != last:
                last, quiet = progress, time.monotonic()
            elif time.monotonic() - quiet > 3 * _PATIENCE:
                raise TimeoutError(f"{what} expected, stopped at {last}")

    def _progress(self) -> tuple[int, int]:
        return len(self._tally.shown), len(self._tally.through)

    async def memory(self) -> int:
        """Return the bytes of memory that hold data."""
        await self._hass.async_block_till_done()
        return heap()

    async def begin(self, *, stall: bool = False, profile: bool = False) -> None:
        """Count from now on; watching for stalls costs some CPU of its own."""
        self._tally.restart()
        self._collections.restart()
        if profile:
            self._profile = cProfile.Profile()
            self._profile.enable()
        self._span = Span(self._collections) if stall else None
        self._cpu = time.process_time()

    async def wait(self, count: int) -> int:
        """Wait until so many uplinks are through since the beginning, or nothing more comes."""
        tally = self._tally
        tally.goal = count
        tally.reached.clear()
        before = -1
        while before != (before := len(tally.through)) and before < count:
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await tally.reached.wait()
        return len(tally.through)

    async def count(self, uplinks: int) -> int:
        """Wait until the integration has counted so many uplinks, or nothing more comes."""
        counters = self._entry.runtime_data.counters
        last, quiet = -1, time.monotonic()
        while (counted := counters.uplinks_today) < uplinks:
            if counted != last:
                last, quiet = counted, time.monotonic()
            elif time.monotonic() - quiet > _PATIENCE:
                break
            await asyncio.sleep(0.1)
        return int(counted)

    async def end(self) -> dict[str, Any]:
        """Return what it took since the beginning, and when each uplink was through."""
        tally = self._tally
        cpu = time.process_time() - self._cpu
        if self._profile is not None:
            self._profile.disable()
        span = await self._span.end() if self._span is not None else {}
        return {
            **span,
            "cpu": cpu,
            "collections": self._collections.took,
            "pause": self._collections.longest,
            "states": tally.states,
            "through": [[sequence, at] for sequence, at in tally.through.items()],
        }

    async def profile(self, rows: int = 45) -> str:
        """Return where the time went between the last begin and end."""
        assert self._profile is not None
        text = io.StringIO()
        pstats.Stats(self._profile, stream=text).sort_stats("tottime").print_stats(rows)
        self._profile = None
        return text.getvalue()

    async def port(self) -> int | None:
        """Return where Home Assistant listens."""
        return self._hass.config.api.port if self._hass.config.api is not None else None

    async def entities(self) -> dict[str, int]:
        """Return how many entities there are: registered, with a state, and fields with one."""
        registry = er.async_get(self._hass)
        return {
            "registered": len(registry.entities),
            "states": len(self._hass.states.async_all()),
            "fields": sum(
                place_of(entry.unique_id) is not None
                and self._hass.states.get(entry.entity_id) is not None
                for entry in registry.entities.values()
            ),
        }


async def start(folder: Path, variant: Variant, places: Places) -> HomeAssistant:
    """Start Home Assistant without dashboard and with the modules that the variant needs."""
    prepare(folder, Path(places.integration))
    (folder / "custom_components" / "uplink_floor").symlink_to(Path(__file__).parent / "floor")
    hass = core.HomeAssistant(str(folder))
    configure_event_loop(hass.loop)
    hass.config.skip_pip = True
    loader.async_setup(hass)
    bootstrap.DEFAULT_INTEGRATIONS = set(_INTEGRATIONS)
    # The mqtt integration depends on it for its dialogues only.
    hass.config.components.add("file_upload")
    if await bootstrap.async_from_config_dict({}, hass) is None:
        raise RuntimeError("Home Assistant did not start")
    integration = await loader.async_get_integration(hass, variant.domain)
    await integration.async_get_component()
    await integration.async_get_platforms(["sensor"])
    await hass.async_start()
    await hass.async_block_till_done()
    return hass


async def main(key: str, folder: str, places: str) -> None:
    """Start Home Assistant and do what is asked for; `places` as JSON."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    variant, where = ALL[key], Places(**json.loads(places))
    hass = await start(Path(folder), variant, where)
    home = Home(hass, variant, where)
    commands = ("set_up", "set_up_again", "memory", "begin", "wait", "end", "profile", "entities")
    await serve({name: getattr(home, name) for name in (*commands, "port", "count")})
    os._exit(0)  # nothing is worth keeping


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
