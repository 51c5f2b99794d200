"""A downlink from the request to the end device's acknowledgement."""

from .errors import failure
from .preflight import payload_of_base64, payload_of_hex, refused
from .record import DownlinkRecord, DownlinkState
from .sender import Downlinks
from .tracker import DownlinkStanding

__all__ = [
    "DownlinkRecord",
    "DownlinkStanding",
    "DownlinkState",
    "Downlinks",
    "failure",
    "payload_of_base64",
    "payload_of_hex",
    "refused",
]
