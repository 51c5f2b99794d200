"""One Home Assistant that can be started, stopped and killed, on the same folder each time."""

import asyncio
from collections.abc import Callable, Mapping
import json
from pathlib import Path
from typing import Any

from ..child_process import Child
from .uplinks import Life, read_journal

PATIENCE = 240.0
"""Seconds until something that must happen is given up: a dead connection shows after 120."""
_PAUSE = 0.1


class StuckError(Exception):
    """What a scenario waits for does not happen."""


class Instance:
    """A Home Assistant with the application as its only config entry."""

    def __init__(self, folder: Path, entry: Mapping[str, Any], *, queue_size: int | None) -> None:
        """Choose the folder; nothing is started yet."""
        folder.mkdir()
        self._folder = folder
        self._options = json.dumps({"entry": entry, "queue_size": queue_size})
        self._process: Child | None = None
        self._asking = asyncio.Lock()
        self._caught_up: list[int | None] = []

    @property
    def running(self) -> bool:
        """Return whether its process runs."""
        return self._process is not None

    async def start(self) -> None:
        """Start it, and wait until it has set up what it can."""
        log = self._folder / "log"
        self._process = await Child.start(
            log, "tests.chaos.ha_process", self._folder / "config", self._options
        )
        self._caught_up.append(None)
        await self.status()

    async def _ask(self, command: str) -> Any:
        if self._process is None:
            raise StuckError("Home Assistant does not run")
        async with self._asking:
            return await self._process.ask(command)

    async def status(self) -> dict[str, Any]:
        """Return whether messages come, and what is still to be caught up."""
        status: dict[str, Any] = await self._ask("status")
        self._caught_up[-1] = status.get("caught_up", self._caught_up[-1])
        return status

    async def numbers(self) -> dict[str, str]:
        """Return the number that each end device shows, by its DevEUI."""
        numbers: dict[str, str] = await self._ask("numbers")
        return numbers

    async def reload(self) -> None:
        """Set the entry up anew, as after a change of its settings."""
        self._caught_up[-1] = None
        await self._ask("reload")
        self._caught_up.append(None)

    async def stop(self) -> None:
        """Shut it down in order."""
        await self._ask("stop")
        self._caught_up[-1] = None  # what came after it was last asked isn't known
        await self.close()

    async def kill(self) -> None:
        """End its process at once, as a power failure would."""
        process, self._process = self._process, None
        if process is not None:
            self._caught_up[-1] = None
            await process.kill()

    async def close(self) -> None:
        """End its process, whatever it does."""
        process, self._process = self._process, None
        if process is not None:
            await process.close()

    async def until(self, condition: Callable[[dict[str, Any]], object], what: str) -> None:
        """Wait until its status fulfils a condition; raises StuckError."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition(await self.status()):
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            raise StuckError(f"waited for {what}; it is {await self.status()}") from None

    def log(self) -> str:
        """Return the end of what Home Assistant logged."""
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")[-3000:]

    def lives(self) -> list[Life]:
        """Return what it took so far, from one setup of the entry to the next."""
        lives = read_journal(self._folder / "config" / "journal")
        for life, caught_up in zip(lives, self._caught_up, strict=True):
            life.caught_up = caught_up
        return lives
