"""CPU, stalls of the event loop, garbage collection and memory of this process."""

import asyncio
import ctypes
import gc
from pathlib import Path
import time

_HEARTBEAT = 0.002


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
        collections.restart()
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
        return {
            **measured,
            "stall": self._stall,
            "busy": self._busy,
            "collection": self._collections.longest,
        }


def heap() -> int:
    """Return the bytes of memory that hold data, after what can be given back was."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the system does not tell how much memory is used")
