"""Entities that users make to send downlinks: switches, thermostats, valves and more."""

from .model import SUBENTRY_CONTROL

__all__ = [
    "SUBENTRY_CONTROL",
]
