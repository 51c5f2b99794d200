"""Tables of what was lost."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .uplinks import Counts

_COLUMNS = ("published", "live", "caught_up", "lost", "doubled", "behind", "missed")
LEGEND = (
    "lost: in the storage and never taken; doubled: taken twice; behind: end devices without their "
    "newest value; missed: neither delivered nor stored, so that nobody could have them"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How a scenario ended in one Home Assistant."""

    scenario: str
    seed: int
    seconds: float
    counts: Counts | None
    error: str = ""

    @property
    def good(self) -> bool:
        """Return whether nothing was lost or doubled."""
        return self.counts is not None and self.counts.good

    def as_json(self) -> dict[str, Any]:
        """Return it for a file or another program."""
        return {**asdict(self), "good": self.good}


def line(row: Row) -> str:
    """Return a row of the table."""
    counts = asdict(row.counts) if row.counts else dict.fromkeys(_COLUMNS, "?")
    cells = "".join(f"{counts[column]:>11}" for column in _COLUMNS)
    end = f"{row.seconds:>6.0f} s  {'ok' if row.good else f'FAILED (--seed {row.seed})'}"
    error = f"\n  {row.error}" if row.error else ""
    return f"{row.scenario:32}{cells}{end}{error}"


def head() -> str:
    """Return the head of the table."""
    titles = "".join(f"{column.replace('_', ' '):>11}" for column in _COLUMNS)
    return f"{'scenario':32}{titles}"


def summary(rows: Sequence[Row]) -> str:
    """Return the last lines of the table."""
    failed = list(dict.fromkeys(_failed(rows)))
    total = sum(row.counts.published for row in rows if row.counts)
    if failed:
        return f"{LEGEND}\n\n✗ {', '.join(failed)}"
    return f"{LEGEND}\n\n✓ {total} uplinks in {len(rows)} runs: nothing lost, nothing doubled"


def _failed(rows: Iterable[Row]) -> Iterable[str]:
    return (row.scenario for row in rows if not row.good)
