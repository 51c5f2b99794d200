"""Long work on the event loop is divided into slices of time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from custom_components.thethingsstack.application import StreamSlices, TimeSlices


class Clock:
    """A clock that goes on by what the work takes."""

    def __init__(self) -> None:
        """Begin at some time."""
        self.now = 100.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


async def turns_of_others(work: Coroutine[Any, Any, None]) -> int:
    """Return how often something else got the event loop while the work went on."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(others())
    await asyncio.sleep(0)
    try:
        await work
    finally:
        task.cancel()
    return turns


async def test_work_without_a_pause_is_divided() -> None:
    clock = Clock()

    async def work() -> None:
        slices = TimeSlices(clock)
        for _ in range(100):
            clock.now += 0.008  # three pieces are a slice
            await slices.end()

    assert await turns_of_others(work()) in (32, 33)


async def test_a_stream_is_divided_only_while_it_has_no_pause() -> None:
    clock, cpu_clock = Clock(), Clock()

    async def many_at_once() -> None:
        slices = StreamSlices(clock, cpu_clock)
        for _ in range(100):
            clock.now += 0.008
            cpu_clock.now += 0.004
            await slices.end()

    assert await turns_of_others(many_at_once()) in range(20, 34)

    async def one_at_a_time() -> None:
        slices = StreamSlices(clock, cpu_clock)
        for _ in range(10):
            clock.now += 60
            cpu_clock.now += 0.004
            await slices.end()
            await asyncio.sleep(0)  # the next one has yet to come

    assert await turns_of_others(one_at_a_time()) == 10
