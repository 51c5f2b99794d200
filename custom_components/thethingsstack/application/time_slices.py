"""Long work on the event loop, divided into slices of time."""

import asyncio
from collections.abc import Callable

SLICE = 0.02
"""Seconds; Home Assistant should never wait for 0.05."""
LEAST_WORK = 0.25
"""The share of a slice from which on it was used for work; others may have had the processor."""


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
    """Slices of time for work that waits in between: one counts only if it was used for work."""

    def __init__(self, clock: Callable[[], float], cpu_clock: Callable[[], float]) -> None:
        """Begin the first slice; the clocks return seconds: those that passed, those of work."""
        self._clock, self._cpu_clock = clock, cpu_clock
        self._began, self._cpu_began = clock(), cpu_clock()

    async def end(self) -> None:
        """Call this after each piece of work: lets others run if the slice is used up."""
        now = self._clock()
        if now - self._began < SLICE:
            return
        cpu = self._cpu_clock()
        worked = cpu - self._cpu_began
        self._began, self._cpu_began = now, cpu
        if worked >= SLICE * LEAST_WORK:
            await asyncio.sleep(0)
