"""What a field has reported so far: a decision is late, and corrected by what comes next."""

from typing import NamedTuple, Self

from .values import Shape, read, says_not_yet

REVISABLE = 10
"""Values of a field after which its decision stays."""
ENOUGH = 5
"""Values of 0 and 1 after which a field is taken for a state, if its name is one of a state."""

BEGINS_ANEW = 0.1
"""Up to which share of its last number a counter that fell may have begun anew."""


class Observations(NamedTuple):
    """The values of one field, as far as they tell what it is.

    Their order is forgotten, but for whether they ever fell.
    """

    numbers: int = 0
    """How many numbers there were."""
    others: int = 0
    """How many values that were no numbers, but said something."""
    low: float = 0.0
    high: float = 0.0
    whole: bool = True
    """Whether all numbers were integers."""
    last: float | None = None
    """The newest number."""
    fell: bool = False
    """Whether a number was less than the one before, and no beginning from zero."""

    @property
    def settled(self) -> bool:
        """Whether there were so many values that the decision stays."""
        return self.numbers + self.others >= REVISABLE

    @property
    def only_zero_and_one(self) -> bool:
        """Whether nothing but 0 and 1 was reported."""
        return self.whole and self.low >= 0 and self.high <= 1 and not self.others

    @property
    def both_zero_and_one(self) -> bool:
        """Whether 0 and 1 were reported, often enough, and nothing else."""
        return (
            self.only_zero_and_one and self.low == 0 and self.high == 1 and self.numbers >= ENOUGH
        )

    @property
    def extreme(self) -> float:
        """Return the number that is furthest from zero."""
        number = self.high if abs(self.high) >= abs(self.low) else self.low
        return int(number) if self.whole else number

    def with_value(self, raw: object) -> Self:
        """Return the observations with one more value; one that says nothing changes nothing."""
        reading = read(raw)
        if reading.shape is Shape.ABSENT or (isinstance(raw, str) and says_not_yet(raw)):
            return self
        value = reading.value
        if reading.shape is not Shape.NUMBER or not isinstance(value, int | float):
            return self._replace(others=self.others + 1)
        number = float(value)
        first = self.numbers == 0
        return self._replace(
            numbers=self.numbers + 1,
            low=number if first else min(self.low, number),
            high=number if first else max(self.high, number),
            whole=self.whole and number.is_integer(),
            last=number,
            fell=self.fell or _fell(self.last, number),
        )


def _fell(before: float | None, number: float) -> bool:
    """Return whether a number fell, but not as far as a counter that begins anew."""
    return before is not None and before * BEGINS_ANEW < number < before
