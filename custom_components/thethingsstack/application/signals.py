"""The dispatcher signals of an application, for its platforms and repair issues."""

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from homeassistant.util.signal_type import SignalType

from ..const import DOMAIN
from ..payload import Meaning

if TYPE_CHECKING:
    from ..end_devices import EndDeviceState

type Additions = list[Coroutine[Any, Any, None]]
"""List to which each platform adds a coroutine that ends when its entities are added."""
type Removals = list[Coroutine[Any, Any, None]]
"""List to which each platform adds a coroutine that ends when its entities are removed."""


@dataclass(frozen=True, slots=True)
class Signals:
    """The dispatcher's signals of one config entry."""

    new_device: SignalType[EndDeviceState]
    new_battery: SignalType[EndDeviceState]
    details_asked_for: SignalType[list[EndDeviceState], Additions]
    """The radio details of these end devices are to be registered."""
    new_fields: SignalType[EndDeviceState, dict[str, Meaning]]
    removed_fields: SignalType[EndDeviceState, frozenset[str], Removals]
    """These fields are removed or recreated; the platforms add their removals."""
    position_found: SignalType[EndDeviceState, str]
    """The payload reports a position now, in a new field (its path is sent).

    The tracker that showed a position from another source is to be replaced by this field's.
    """
    identified: SignalType[EndDeviceState]
    """The model, name or area of an end device may have changed."""
    first_downlink: SignalType[EndDeviceState]
    """An end device has its first downlink."""
    downlink_count_changed: SignalType[()]
    undecoded_changed: SignalType[()]
    half_created: SignalType[()]

    @classmethod
    def of(cls, entry_id: str) -> Self:
        """Return the signals of a config entry."""
        start = f"{DOMAIN}_{entry_id}"
        return cls(
            new_device=SignalType(f"{start}_new_device"),
            details_asked_for=SignalType(f"{start}_details_asked_for"),
            new_battery=SignalType(f"{start}_new_battery"),
            new_fields=SignalType(f"{start}_new_fields"),
            removed_fields=SignalType(f"{start}_removed_fields"),
            position_found=SignalType(f"{start}_position_found"),
            identified=SignalType(f"{start}_identified"),
            first_downlink=SignalType(f"{start}_first_downlink"),
            downlink_count_changed=SignalType(f"{start}_downlink_count"),
            undecoded_changed=SignalType(f"{start}_undecoded"),
            half_created=SignalType(f"{start}_half_created"),
        )
