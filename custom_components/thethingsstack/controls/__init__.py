"""Controls: entities that users add to send downlinks (switches, thermostats, valves …)."""

from .model import SUBENTRY_CONTROL

__all__ = [
    "SUBENTRY_CONTROL",
]
