"""Long work on the event loop, divided into slices of time."""

import asyncio
from collections.abc import Callable

SLICE = 0.02
"""Seconds; Home Assistant should never wait for 0.05."""


class TimeSlices:
    """Gives the event loop to others whenever work has kept it busy for a slice of time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin the first slice; `clock` returns seconds."""
        self._clock = clock
        self._began = clock()

    async def end(self) -> None:
        """Call this after each piece of work: lets others run if the slice is used up."""
        if self._clock() - self._began >= SLICE:
            await asyncio.sleep(0)
            self._began = self._clock()
