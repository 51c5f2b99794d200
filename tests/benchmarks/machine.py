"""What else the machine did while something was measured."""

import os
from pathlib import Path
import resource
from typing import Self

OTHERS = 0.10
"""Share of all processors from which on the work of others disturbs."""
STEAL = 0.02
"""Share that the machine below took away, likewise."""
_STAT = Path("/proc/stat")
_IDLE = (3, 4)
_STEAL = 7


class Machine:
    """The load from the beginning to the end; all processes that were started must have ended."""

    def __init__(self) -> None:
        """Begin."""
        self._load = os.getloadavg()[0]
        self._ticks = _ticks()
        self._own = _own_seconds()
        self.others = self.steal = 0.0

    def end(self) -> Self:
        """Note what others did since the beginning."""
        own = _own_seconds() - self._own
        ticks = [after - before for before, after in zip(self._ticks, _ticks(), strict=True)]
        if total := sum(ticks):
            stolen = ticks[_STEAL]
            busy = total - stolen - sum(ticks[index] for index in _IDLE)
            self.others = max(0.0, (busy - own * os.sysconf("SC_CLK_TCK")) / total)
            self.steal = stolen / total
        return self

    @property
    def disturbed(self) -> bool:
        """Return whether others may have changed what was measured."""
        return self.others > OTHERS or self.steal > STEAL

    def line(self) -> str:
        """Return what there was, for people."""
        text = (
            f"Load of {os.cpu_count()} processors {self._load:.1f} before, "
            f"{os.getloadavg()[0]:.1f} after; others took {self.others:.0%} of them, "
            f"the machine below {self.steal:.0%}."
        )
        return f"{text} DISTURBED: trust ratios only, and those little." if self.disturbed else text


def _ticks() -> list[int]:
    """Return the ticks of all processors by kind; nothing where the system doesn't tell."""
    if not _STAT.exists():
        return [0] * (_STEAL + 1)
    first = _STAT.read_text(encoding="ascii").split("\n", 1)[0]
    return [int(part) for part in first.split()[1 : _STEAL + 2]]


def _own_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)
