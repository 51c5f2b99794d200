"""Counters: whether a count goes on and on, or is one of an interval, or of what is there now."""

from itertools import pairwise

from .evidence import Evidence
from .names import all_words
from .quantities import QUANTITIES
from .types import Role
from .vocabulary import word_set

_OF_AN_INTERVAL = word_set("delta diff increment since interval period hourly perhour")
_SPANS = word_set("""
    hour hours day days minute minutes min h d week weeks month months year years period interval
    uplink
""")
_COUNTS = frozenset(["count", "pulses", "people"])
_PASSING = word_set("in out total cumulative counter entered left entries exits entry exit passed")


def counts_on(evidence: Evidence) -> bool:
    """Return whether a count is one that only grows, until it begins anew.

    One that was seen to fall doesn't; by its name, one of an interval doesn't, and neither do
    people who are there now.
    """
    if evidence.observed is not None and evidence.observed.fell:
        return False
    if is_of_interval(evidence):
        return False
    texts = _texts(evidence)
    return "people" not in evidence.leaf or not _PASSING.isdisjoint(texts[-1:] + texts[:1])


def is_of_interval(evidence: Evidence) -> bool:
    """Return whether a name is that of an amount in an interval: "rain_last_hour", "delta"."""
    texts = _texts(evidence)
    if not _OF_AN_INTERVAL.isdisjoint(texts):
        return True
    return any(
        (first in ("last", "previous") or first.isdecimal()) and second in _SPANS
        for first, second in pairwise(texts)
    )


def role_of(evidence: Evidence, quantity: str) -> Role:
    """Return how the values of a quantity behave over time, as its name and its values have it.

    The rain of the last hour is a total until it is seen to fall: some gauges call so what
    they count from hour to hour. Amounts of other quantities have no statistics: Home Assistant
    has none for them but totals.
    """
    role = QUANTITIES[quantity].role
    if quantity in _COUNTS:
        return role if counts_on(evidence) else Role.MEASUREMENT
    if role is not Role.TOTAL or not is_of_interval(evidence):
        return role
    if quantity != "precipitation":
        return Role.NUMBER
    fell = evidence.observed is not None and evidence.observed.fell
    return Role.MEASUREMENT if fell else role


def _texts(evidence: Evidence) -> list[str]:
    return [word.text.casefold() for word in all_words(evidence.keys)]
