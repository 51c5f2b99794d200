"""What one uplink changed of an end device's state."""

from dataclasses import dataclass, field

from ..client import UplinkMessage
from ..payload import Meaning


@dataclass(slots=True)
class Received:
    """What one uplink changed."""

    uplink: UplinkMessage
    """The uplink, decoded here where the server didn't, and somebody has chosen how."""
    changed: list[str] = field(default_factory=list)
    """Keys whose listeners are to be called, in this order."""
    new: dict[str, Meaning] = field(default_factory=dict)
    """Decisions on fields that were received for the first time, overrides included."""
    grown: dict[str, Meaning] = field(default_factory=dict)
    """Decisions on enumerations that have more options now, or are plain text from now on."""
    corrected: dict[str, Meaning] = field(default_factory=dict)
    """Decisions that replace earlier ones, because the received values contradict those."""
    changed_decisions: dict[str, tuple[Meaning, Meaning]] = field(default_factory=dict)
    """Decisions before and after a correction, overrides included."""
    undecoded: bool = False
    decoding_changed: bool = False
    identified: bool = False
    """Whether it says of which model the end device is, other than before."""
