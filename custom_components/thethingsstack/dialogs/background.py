"""What a dialogue does on the servers while it shows progress, undone where it is closed."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..const import DOMAIN

# Seconds that the frontend gets to listen for the end of what it shows the progress of.
SHOWN_FIRST = 1.0


class BackgroundWork[T]:
    """Work in a task of its own: Home Assistant ends the one that a dialogue is given."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, name: str, work: Coroutine[Any, Any, T]
    ) -> None:
        """Begin when the dialogue shows that it does; unloading the entry ends it."""
        self._work = entry.async_create_background_task(hass, _async_soon(work), f"{DOMAIN} {name}")
        self._work.add_done_callback(_look)
        self.waiting = hass.async_create_task(_async_wait(self._work))
        """What the dialogue waits for; Home Assistant may cancel it."""

    @property
    def interrupted(self) -> bool:
        """Return whether it was ended from outside."""
        return self._work.cancelled()

    def result(self) -> T:
        """Return what came of it, or raise what it raised."""
        return self._work.result()

    @callback
    def cancel(self) -> None:
        """End it; what it had done it undoes."""
        self._work.cancel()


async def _async_soon[T](work: Coroutine[Any, Any, T]) -> T:
    """Begin when the dialogue shows that it does: an end before that would go unnoticed."""
    try:
        await asyncio.sleep(SHOWN_FIRST)
    except asyncio.CancelledError:
        work.close()
        raise
    return await work


async def _async_wait[T](work: asyncio.Task[T]) -> None:
    """Wait for the work to end, however it does."""
    await asyncio.wait([work])


def _look[T](work: asyncio.Task[T]) -> None:
    """Take notice of how the work ended, also where the dialogue is closed."""
    if not work.cancelled():
        work.exception()
