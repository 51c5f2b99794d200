"""What each decoded field is, and what the user changed about it."""

from .decisions import FieldDecisions
from .known_locations import registered_location

__all__ = [
    "FieldDecisions",
    "registered_location",
]
