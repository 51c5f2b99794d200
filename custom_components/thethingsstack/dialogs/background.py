"""Background work of a dialogue that shows progress; cancelled if it is closed."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN

DEFAULT_HEAD_START = 1.0
HEAD_START: HassKey[float] = HassKey(f"{DOMAIN}_progress_head_start")
"""Key in `hass.data` for the seconds before the work begins; replaces the default.

The frontend needs this time to subscribe to the end of the progress step.
"""


class BackgroundWork[T]:
    """Work in its own task, since Home Assistant cancels the task passed to a dialogue."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, name: str, work: Coroutine[Any, Any, T]
    ) -> None:
        """Start the work after the head start; unloading the entry cancels it."""
        head_start = hass.data.get(HEAD_START, DEFAULT_HEAD_START)
        self._work = entry.async_create_background_task(
            hass, _async_run(work, head_start), f"{DOMAIN} {name}"
        )
        self._work.add_done_callback(_retrieve_exception)
        self.waiting = hass.async_create_task(_async_wait(self._work))
        """The task that the dialogue waits for; Home Assistant may cancel it."""

    @property
    def interrupted(self) -> bool:
        """Return whether it was cancelled."""
        return self._work.cancelled()

    def result(self) -> T:
        """Return the result of the work, or raise what it raised."""
        return self._work.result()

    @callback
    def cancel(self) -> None:
        """Cancel the work, which then rolls back its own changes."""
        self._work.cancel()


async def _async_run[T](work: Coroutine[Any, Any, T], head_start: float) -> T:
    """Do the work after the head start; the frontend would miss an earlier end."""
    try:
        await asyncio.sleep(head_start)
    except asyncio.CancelledError:
        work.close()
        raise
    return await work


async def _async_wait[T](work: asyncio.Task[T]) -> None:
    """Wait until the work ends, fails or is cancelled."""
    await asyncio.wait([work])


def _retrieve_exception[T](work: asyncio.Task[T]) -> None:
    """Retrieve the exception, so that asyncio doesn't log it if the dialogue was closed."""
    if not work.cancelled():
        work.exception()
