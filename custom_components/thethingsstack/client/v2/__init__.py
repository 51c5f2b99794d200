"""The client of a The Things Network stack of version 2: its Handler over HTTP, messages over MQTT."""

from .capabilities import CAPABILITIES
from .devices import DeviceKeys, HandlerDevices
from .discovery import HandlerAddress, find_handlers
from .functions import ApplicationFunctions, HandlerApplication
from .stack import HandlerStack

__all__ = [
    "CAPABILITIES",
    "ApplicationFunctions",
    "DeviceKeys",
    "HandlerAddress",
    "HandlerApplication",
    "HandlerDevices",
    "HandlerStack",
    "find_handlers",
]
