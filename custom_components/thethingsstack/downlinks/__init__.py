"""Downlinks, from the request to the end device's acknowledgement."""

from .payload_text import (
    MAX_DEPTH,
    NotHexError,
    ObjectProblem,
    OddHexError,
    payload_of_base64,
    payload_of_hex,
    problem_of_object,
    read_hex,
)
from .record import LOST, DownlinkRecord, DownlinkState
from .sender import Downlinks
from .tracker import DownlinkStanding

__all__ = [
    "LOST",
    "MAX_DEPTH",
    "DownlinkRecord",
    "DownlinkStanding",
    "DownlinkState",
    "Downlinks",
    "NotHexError",
    "ObjectProblem",
    "OddHexError",
    "payload_of_base64",
    "payload_of_hex",
    "problem_of_object",
    "read_hex",
]
