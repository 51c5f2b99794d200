"""What a field has reported so far, by which its first decision may still be corrected."""

from bisect import bisect_left
from typing import NamedTuple, Self

from .values import Shape, read, says_not_yet

REVISABLE = 10
"""Values of a field after which its decision stays."""
ENOUGH = 5
"""Values of 0 and 1 after which a field is taken for a state, if its name is one of a state."""

_STEPS = (
    *(-1000.0, -100.0, -40.0, -0.001, 0.0, 1.0, 5.0, 10.0, 16.0, 40.0, 100.0, 110.0, 150.0, 255.0),
    *(300.0, 400.0, 600.0, 1100.0, 3000.0, 10_000.0, 60_000.0, 110_000.0, 1e6, 1e7, 1e9),
)
"""Numbers beyond which a name may mean something else; between two of them, none tells more."""

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

    def says_more_than(self, before: "Observations") -> bool:
        """Return whether the newest value tells something that those before did not.

        True for the second value, from the `REVISABLE`-th on, for another kind of value, one that is
        clearly smaller or larger, and the first that is no integer or fell.
        """
        return (
            self.numbers + self.others == 2
            or self.settled
            or self.others != before.others
            or self.both_zero_and_one != before.both_zero_and_one
            or self.only_zero_and_one != before.only_zero_and_one
            or self.whole != before.whole
            or self.fell != before.fell
            or (self.low == self.high) != (before.low == before.high)
            or _step(self.low) != _step(before.low)
            or _step(self.high) != _step(before.high)
        )

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
        return type(self)(
            numbers=self.numbers + 1,
            others=self.others,
            low=number if first else min(self.low, number),
            high=number if first else max(self.high, number),
            whole=self.whole and number.is_integer(),
            last=number,
            fell=self.fell or _fell(self.last, number),
        )


def _step(number: float) -> int:
    """Return between which steps a number is."""
    return bisect_left(_STEPS, number)


def _fell(before: float | None, number: float) -> bool:
    """Return whether a number fell, but not as far as a counter that begins anew."""
    return before is not None and before * BEGINS_ANEW < number < before
