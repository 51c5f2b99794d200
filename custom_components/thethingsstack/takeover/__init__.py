"""Taking entities over from other integrations of the same application, with their history."""

from .repair import TakeoverRepairFlow
from .takeover import Takeover, async_remove_takeover
from .watch import REPAIR, async_watch_takeover

__all__ = [
    "REPAIR",
    "Takeover",
    "TakeoverRepairFlow",
    "async_remove_takeover",
    "async_watch_takeover",
]
