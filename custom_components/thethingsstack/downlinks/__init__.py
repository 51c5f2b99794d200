"""A downlink from the request to the end device's acknowledgement."""

from .preflight import payload_of_base64, payload_of_hex
from .record import DownlinkRecord, DownlinkState
from .sender import Downlinks
from .tracker import DownlinkStanding

__all__ = [
    "DownlinkRecord",
    "DownlinkStanding",
    "DownlinkState",
    "Downlinks",
    "payload_of_base64",
    "payload_of_hex",
]
