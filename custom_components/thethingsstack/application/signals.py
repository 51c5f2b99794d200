"""What is told within an application, and who is told: its platforms and repair issues."""

from dataclasses import dataclass
from typing import Self

from homeassistant.util.signal_type import SignalType

from ..const import DOMAIN
from ..end_devices.state import EndDeviceState
from ..payload import Meaning


@dataclass(frozen=True, slots=True)
class Signals:
    """The dispatcher's signals of one config entry."""

    new_device: SignalType[EndDeviceState]
    new_battery: SignalType[EndDeviceState]
    new_fields: SignalType[EndDeviceState, dict[str, Meaning]]
    position_told: SignalType[EndDeviceState, str]
    identified: SignalType[EndDeviceState]
    undecoded_changed: SignalType[()]
    half_created: SignalType[()]

    @classmethod
    def of(cls, entry_id: str) -> Self:
        """Return the signals of a config entry."""
        start = f"{DOMAIN}_{entry_id}"
        return cls(
            new_device=SignalType(f"{start}_new_device"),
            new_battery=SignalType(f"{start}_new_battery"),
            new_fields=SignalType(f"{start}_new_fields"),
            position_told=SignalType(f"{start}_position_told"),
            identified=SignalType(f"{start}_identified"),
            undecoded_changed=SignalType(f"{start}_undecoded"),
            half_created=SignalType(f"{start}_half_created"),
        )
