"""What a dialogue does on the servers while it shows progress, undone where it is closed."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN

DEFAULT_HEAD_START = 1.0
HEAD_START: HassKey[float] = HassKey(f"{DOMAIN}_progress_head_start")
"""Where `hass.data` has it: seconds before the work begins, instead of the default.

The frontend needs them to listen for the end of what it shows the progress of.
"""


class BackgroundWork[T]:
    """Work in a task of its own: Home Assistant cancels the one that a dialogue is given."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, name: str, work: Coroutine[Any, Any, T]
    ) -> None:
        """Begin when the dialogue shows the progress; unloading the entry cancels it."""
        head_start = hass.data.get(HEAD_START, DEFAULT_HEAD_START)
        self._work = entry.async_create_background_task(
            hass, _async_run(work, head_start), f"{DOMAIN} {name}"
        )
        self._work.add_done_callback(_retrieve_exception)
        self.waiting = hass.async_create_task(_async_wait(self._work))
        """What the dialogue waits for; Home Assistant may cancel it."""

    @property
    def interrupted(self) -> bool:
        """Return whether it was cancelled."""
        return self._work.cancelled()

    def result(self) -> T:
        """Return the result of the work, or raise what it raised."""
        return self._work.result()

    @callback
    def cancel(self) -> None:
        """Cancel it; the work itself undoes what it had done."""
        self._work.cancel()


async def _async_run[T](work: Coroutine[Any, Any, T], head_start: float) -> T:
    """Do the work after the head start: an end before that would go unnoticed."""
    try:
        await asyncio.sleep(head_start)
    except asyncio.CancelledError:
        work.close()
        raise
    return await work


async def _async_wait[T](work: asyncio.Task[T]) -> None:
    """Wait until the work ends, however it does."""
    await asyncio.wait([work])


def _retrieve_exception[T](work: asyncio.Task[T]) -> None:
    """Take notice of an error, also where the dialogue is closed and nobody asks for it."""
    if not work.cancelled():
        work.exception()
