"""The meaning of decoded fields (name, unit, device class), and the user's overrides."""

from .decisions import FieldDecisions
from .descriptions import describe_sensor
from .known_locations import registered_location

__all__ = [
    "FieldDecisions",
    "describe_sensor",
    "registered_location",
]
