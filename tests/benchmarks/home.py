"""A process with Home Assistant and one variant, which measures itself on command."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import cProfile
import gc
import io
import json
import logging
from math import ceil
import os
from pathlib import Path
import pstats
import sys
import time
from typing import Any

from homeassistant import bootstrap, core, loader
from homeassistant.auth.const import GROUP_ID_ADMIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.runner import configure_event_loop

from ..child_process import serve
from ..ha_folder import prepare
from .clock import SkippingLoop
from .gauges import Collections, Span, heap
from .readings import hold_back
from .recorded import Recorded
from .tally import Tally
from .variants import ALL, BEFORE, OURS, Places, Variant
from .workload import SHAPES, place_of

# What HA's dashboard would need, and what only guesses at the outside world, is left out.
_INTEGRATIONS = {"network", "sensor", "binary_sensor", "device_tracker", "event", "webhook"}
_VISITED = {"auth", "config", "websocket_api"}
_STEP = 2.0
"""Seconds by which the clock is set forward at a time."""
_LONGEST_PAUSE = 3600.0
_PATIENCE = 20.0
"""Seconds without any progress after which nothing more is expected, on a busy machine too."""


class Home:
    """Home Assistant with one variant; the methods are the parent's commands."""

    def __init__(
        self, hass: HomeAssistant, variant: Variant, places: Places, held: list[str]
    ) -> None:
        """Listen to all states from the beginning; `held` is what will be read in the background."""
        self._hass = hass
        self._variant = variant
        self._places = places
        self._held = held
        self._entries = variant.entries(places)
        self._shape = SHAPES[places.shape]
        self._expected = places.devices * len(self._shape.fields)
        self._span: Span | None = None
        self._cpu = 0.0
        self._profile: cProfile.Profile | None = None
        self._field_ids: list[str] = []
        self._collections = Collections()
        self._recorded = Recorded(hass, places)
        self._tally = Tally(hass, places.devices, self._shape)
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._tally.changed)

    async def set_up(self) -> dict[str, float]:
        """Set up the entries until uplinks can come; entities are there where they can be."""
        self._tally.restart()
        span = Span(self._collections)
        for entry in self._entries:
            await self._hass.config_entries.async_add(entry)
        await self._until_listening()
        return await span.end()

    async def set_up_again(self) -> dict[str, float]:
        """Unload the entries and set them up with all entities known; only that is measured."""
        await self._unload()
        await asyncio.sleep(1)
        gc.collect()
        self._tally.restart()
        span = Span(self._collections)
        for entry in self._entries:
            await self._hass.config_entries.async_setup(entry.entry_id)
        await self._until_listening(all_shown=True)
        return await span.end()

    async def unload(self) -> dict[str, float]:
        """Unload the entries."""
        span = Span(self._collections)
        await self._unload()
        return await span.end()

    async def _unload(self) -> None:
        for entry in self._entries:
            assert await self._hass.config_entries.async_unload(entry.entry_id)
        await self._hass.async_block_till_done()

    async def _until_listening(self, *, all_shown: bool = False) -> None:
        hass, variant = self._hass, self._variant
        for entry in self._entries:
            if entry.state is not ConfigEntryState.LOADED:
                raise RuntimeError(f"the setup failed: {entry.reason or entry.state}")
        if variant.has_entities:
            needed = self._expected if all_shown or not variant.entities_from_uplinks else 0
        else:
            needed = 0
        await self._until(
            lambda: (
                len(self._tally.shown) >= needed
                and all(variant.listens(hass, entry) for entry in self._entries)
            ),
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

    async def read_in_background(self) -> list[str]:
        """Begin to read what was held back until now; return what that is."""
        assert isinstance(self._hass.loop, SkippingLoop)
        self._hass.loop.end_held()
        return self._held

    async def cpu(self) -> float:
        """Return the seconds of CPU that this process has taken so far."""
        return time.process_time()

    async def memory(self) -> int:
        """Return the bytes of memory that hold data."""
        await self._hass.async_block_till_done()
        return heap()

    async def begin(
        self, *, shape: str | None = None, stall: bool = False, profile: bool = False
    ) -> None:
        """Count from now on; watching for stalls costs some CPU of its own.

        `shape`: that of the uplinks, where it is not the one of the beginning.
        """
        self._tally.restart(SHAPES[shape].written if shape else None)
        self._recorded.restart()
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
        counters = self._entries[0].runtime_data.counters
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
        recorded = await self._recorded.count()
        cpu = time.process_time() - self._cpu
        if self._profile is not None:
            self._profile.disable()
        span = await self._span.end() if self._span is not None else {}
        return {
            **span,
            "cpu": cpu,
            "collections": self._collections.took,
            "pause": self._collections.longest,
            "recorded": recorded,
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

    async def statistics(self) -> dict[str, float]:
        """Compile the statistics of five minutes."""
        span = Span(self._collections)
        await self._recorded.compile_statistics()
        return await span.end()

    async def watch(self) -> None:
        """Begin to watch for stalls."""
        self._field_ids = [
            entry.entity_id
            for entry in er.async_get(self._hass).entities.values()
            if place_of(entry.unique_id, self._shape) is not None
        ]
        await asyncio.sleep(0)
        self._span = Span(self._collections)

    async def stalls(self) -> dict[str, float]:
        """Return what it took since then."""
        assert self._span is not None
        span, self._span = self._span, None
        return await span.end()

    async def skip(self, seconds: float) -> None:
        """Set the clock of the event loop forward, in steps: not everything is due at once."""
        assert isinstance(self._hass.loop, SkippingLoop)
        for _ in range(ceil(seconds / _STEP)):
            self._hass.loop.skip(_STEP)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    async def until_lost(self) -> None:
        """Wait until the connection is lost."""
        (entry,) = self._entries
        await self._until(lambda: not entry.runtime_data.connected, "lost")

    async def until_connected(self) -> None:
        """Wait until the connection is there, and what was missed is read.

        The pause between attempts is made short; an attempt, which may take ten seconds, is not.
        """
        (entry,) = self._entries
        coordinator = entry.runtime_data
        async with asyncio.timeout(_LONGEST_PAUSE):
            while not coordinator.connected:
                await self.skip(_STEP)
                await asyncio.sleep(_STEP / 2)
        await self._until(lambda: coordinator.caught_up, "caught up")

    async def until_available(self, *, available: bool) -> None:
        """Wait until all fields' entities are available, or none is; they are those of `watch`."""

        def reached() -> bool:
            states = filter(None, map(self._hass.states.get, self._field_ids))
            return all((state.state != STATE_UNAVAILABLE) is available for state in states)

        await self._until(reached, "available" if available else "unavailable")

    async def caught_up(self) -> int:
        """Return how many stored uplinks were read so far."""
        return sum(entry.runtime_data.counters.caught_up for entry in self._entries)

    async def change_options(self, **options: Any) -> None:
        """Set options of the entries, and wait for what they bring about."""
        for entry in self._entries:
            self._hass.config_entries.async_update_entry(
                entry, options={**entry.options, **options}
            )
        await self._hass.async_block_till_done()

    async def token(self) -> str:
        """Return an access token of an administrator."""
        user = await self._hass.auth.async_create_user("Visitor", group_ids=[GROUP_ID_ADMIN])
        refresh = await self._hass.auth.async_create_refresh_token(user, "http://127.0.0.1/")
        return self._hass.auth.async_create_access_token(refresh)

    async def entry_ids(self) -> list[str]:
        """Return the ids of the config entries."""
        return [entry.entry_id for entry in self._entries]

    async def entities(self) -> dict[str, int]:
        """Return how many entities there are: registered, with a state, and fields with one."""
        registry = er.async_get(self._hass)
        return {
            "registered": len(registry.entities),
            "states": len(self._hass.states.async_all()),
            "fields": sum(
                place_of(entry.unique_id, self._shape) is not None
                and self._hass.states.get(entry.entity_id) is not None
                for entry in registry.entities.values()
            ),
        }


async def start(folder: Path, variant: Variant, places: Places) -> Home:
    """Start Home Assistant without dashboard and with the modules that the variant needs."""
    prepare(folder, Path(places.integration))
    (folder / "custom_components" / "uplink_floor").symlink_to(Path(__file__).parent / "floor")
    hass = core.HomeAssistant(str(folder))
    configure_event_loop(hass.loop)
    hass.config.skip_pip = True
    loader.async_setup(hass)
    bootstrap.DEFAULT_INTEGRATIONS = _INTEGRATIONS | (_VISITED if places.visited else set())
    # The mqtt integration depends on it for its dialogues only.
    hass.config.components.add("file_upload")
    config: dict[str, Any] = {"recorder": {}} if places.recorder else {}
    if await bootstrap.async_from_config_dict(config, hass) is None:
        raise RuntimeError("Home Assistant did not start")
    integration = await loader.async_get_integration(hass, variant.domain)
    await integration.async_get_component()
    await integration.async_get_platforms(["sensor"])
    held = []
    if variant.domain == OURS.domain:
        held = hold_back(hass, integration, may_lack=variant.key == BEFORE.key)
    await hass.async_start()
    await hass.async_block_till_done()
    return Home(hass, variant, places, held)


def commands_of(home: Home) -> dict[str, Any]:
    """Return what the parent may ask for."""
    return {name: getattr(home, name) for name in vars(Home) if not name.startswith("_")}


async def main(key: str, folder: str, places: str) -> None:
    """Start Home Assistant and do what is asked for; `places` as JSON."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    variant, where = ALL[key], Places(**json.loads(places))
    await serve(commands_of(await start(Path(folder), variant, where)))
    os._exit(0)  # nothing is worth keeping


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]), loop_factory=SkippingLoop)
