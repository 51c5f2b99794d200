"""A row of the report: what was measured, what is wanted, and whether that was reached."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

UNSTEADY = 1.25
"""Rounds whose middle half is wider than this say little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measure: a value of each round, and the limit for their median."""

    title: str
    values: Sequence[float]
    limit: float | None = None
    at_least: bool = False
    digits: int = 2
    note: str = ""
    cpu: float | None = None
    """For a stall: its CPU without garbage collection, which others can't lengthen."""
    invalid: str = ""
    """Why the measure says nothing, if so."""

    def cells(self) -> list[str]:
        """Return title, median, spread, goal, verdict and note as texts."""
        if not self.values:
            return [self.title, "-", "", self._goal, self.invalid or "not measured", self.note]
        low, high = middle_half(self.values)
        spread = f"{low:.{self.digits}f}…{high:.{self.digits}f}" if len(self.values) > 1 else ""
        value = f"{median(self.values):.{self.digits}f}"
        return [self.title, value, spread, self._goal, self.verdict, self.note]

    @property
    def _goal(self) -> str:
        if self.limit is None:
            return ""
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"

    @property
    def verdict(self) -> str:
        """Return whether the goal was reached, and what speaks against believing it."""
        if self.invalid:
            return f"invalid: {self.invalid}"
        words = []
        if self.limit is not None:
            value = median(self.values)
            if (value >= self.limit) if self.at_least else (value <= self.limit):
                words.append("met")
            else:
                words.append(f"missed by {abs(value / self.limit - 1):.0%}")
                if self.cpu is not None and self.cpu <= self.limit:
                    words.append(
                        f"{self.cpu:.{self.digits}f} without others and garbage collection"
                    )
        if self.unsteady:
            words.append("rounds differ much")
        return ", ".join(words)

    @property
    def unsteady(self) -> bool:
        """Return whether the rounds differ so much that another run may say something else."""
        if self.cpu is not None or len(self.values) < 3:
            return False
        if self.limit is not None and not min(self.values) <= self.limit < max(self.values):
            return False
        low, high = middle_half(self.values)
        return low > 0 and high / low > UNSTEADY


def middle_half(values: Sequence[float]) -> tuple[float, float]:
    """Return between what the middle half of the values is; of less than three, all of them."""
    if len(values) < 3:
        return min(values), max(values)
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high


def row_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a table."""
    head = ["row", "median", "middle half", "goal", "", "remark"]
    yield from aligned(head, [row.cells() for row in rows], left=(0, 5))


def aligned(
    head: Sequence[str], lines: Sequence[Sequence[str]], left: Sequence[int] = (0,)
) -> Iterator[str]:
    """Yield the lines of a table with columns of equal width; those of `left` begin at the left."""
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    for line in (head, ["-" * width for width in widths], *lines):
        cells = [
            f"{cell:<{width}}" if index in left else f"{cell:>{width}}"
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        yield f"| {' | '.join(cells)} |"
