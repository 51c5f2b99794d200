"""The meaning of decoded fields (name, unit, device class), and the user's overrides."""

from .awaited import Awaited
from .decisions import FieldDecisions
from .descriptions import describe_sensor
from .device_library import FOLDER as DEVICES_FOLDER, OWN_FOLDER as OWN_DEVICES_FOLDER
from .known_locations import registered_location
from .touched import is_touched

__all__ = [
    "DEVICES_FOLDER",
    "OWN_DEVICES_FOLDER",
    "Awaited",
    "FieldDecisions",
    "describe_sensor",
    "is_touched",
    "registered_location",
]
