"""Numbered uplinks: what each carries, and what is made of the numbers that arrived."""

from collections import Counter
from collections.abc import Iterable, Mapping, Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NUMBER = "number"
"""The field that all uplinks have: the newest counts."""
MARK = "mark_"
"""The beginning of the field that only one uplink has."""


def payload(number: int) -> dict[str, Any]:
    """Return the decoded payload of an uplink."""
    return {NUMBER: number, f"{MARK}{_letters(number)}": number}


def _letters(number: int) -> str:
    """Write a number in letters: digits at the end of names are taken for a series."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:06}")


@dataclass(slots=True)
class Life:
    """What one Home Assistant took from one setup of the application to the next."""

    live: Counter[int] = field(default_factory=Counter)
    """How often a trigger fired for each uplink."""
    shown: set[int] = field(default_factory=set)
    """The uplinks whose own fields have a state."""
    caught_up: int | None = None
    """How many it counted as caught up; None where it ended before it could be asked."""

    @property
    def doubled(self) -> int:
        """Return how many uplinks were taken once more.

        Fields that were shown before a restart are shown after it, too: from the second life on,
        uplinks caught up twice can be more than is known.
        """
        again = sum(self.live.values()) - len(self.live)
        if self.caught_up is not None:
            again += max(0, self.caught_up - len(self.shown - self.live.keys()))
        return again


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of the uplinks of one scenario in one Home Assistant."""

    published: int
    live: int
    caught_up: int
    lost: int
    """In the storage, and never taken."""
    doubled: int
    missed: int
    """Never taken, and not in the storage either: nobody could have them."""
    behind: int
    """End devices that don't show their newest number."""

    @property
    def good(self) -> bool:
        """Return whether everything that could be had was taken, once."""
        return not (self.lost or self.doubled or self.behind)


def read_journal(file: Path) -> list[Life]:
    """Return the lives of a journal, one after the other."""
    lives: list[Life] = []
    for line in file.read_text(encoding="ascii").splitlines():
        how, _, number = line.partition(" ")
        if how == "start":
            lives.append(Life())
        elif how == "live":
            lives[-1].live[int(number)] += 1
        else:
            lives[-1].shown.add(int(number))
    return lives


def taken(lives: Iterable[Life]) -> set[int]:
    """Return the numbers that were taken in any life, in whatever way."""
    return {number for life in lives for number in life.live.keys() | life.shown}


def count(
    published: int,
    stored: AbstractSet[int],
    lives: Iterable[Life],
    newest: Mapping[str, int],
    shown: Mapping[str, str],
) -> Counts:
    """Return the counts; numbers go from 0.

    `stored` are those in the storage. `newest` and `shown` are, by DevEUI, the newest number that
    can be had and the state.
    """
    lives = list(lives)
    fired = Counter[int]()
    for life in lives:
        fired.update(life.live)
    arrived = taken(lives)
    absent = set(range(published)) - arrived
    # A trigger that fires again after a restart is as bad as one that fires twice at once.
    across = sum(fired.values()) - len(fired) - sum(_repeated(life) for life in lives)
    return Counts(
        published=published,
        live=len(fired),
        caught_up=len(arrived - fired.keys()),
        lost=len(absent & stored),
        doubled=across + sum(life.doubled for life in lives),
        missed=len(absent - stored),
        behind=sum(shown.get(eui) != str(number) for eui, number in newest.items()),
    )


def _repeated(life: Life) -> int:
    return sum(life.live.values()) - len(life.live)
