"""The ways by which an application's messages come, and the one that an entry has chosen."""

from .door import Door
from .factory import chosen_door, create_door

__all__ = ["Door", "chosen_door", "create_door"]
