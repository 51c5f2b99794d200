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


class StreamSlices:
    """Slices of time for work that waits in between: a slice is over when the loop has had a turn."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin with no slice; `clock` returns seconds."""
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._began: float | None = None

    async def end(self) -> None:
        """Call this after each piece of work: lets others run if the slice is used up."""
        if self._began is None:
            self._began = self._clock()
            self._loop.call_soon(self._on_turn)
        elif self._clock() - self._began >= SLICE:
            await asyncio.sleep(0)

    def _on_turn(self) -> None:
        self._began = None
