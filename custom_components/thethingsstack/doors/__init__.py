"""The ways by which an application's messages come, and the one that an entry has chosen."""

from .door import Door
from .factory import chosen_door, create_door
from .mqtt import DOOR_PAUSES, DoorPauses

__all__ = ["DOOR_PAUSES", "Door", "DoorPauses", "chosen_door", "create_door"]
