"""What each decoded field is, and what the user changed about it."""

from .decisions import FieldDecisions
from .descriptions import describe_sensor
from .known_locations import registered_location

__all__ = [
    "FieldDecisions",
    "describe_sensor",
    "registered_location",
]
