"""The live state of end devices, and which of them are in Home Assistant."""

from .activity import Activity, async_report_occurrence
from .areas import area_from_attributes, area_of, move
from .cleanup import forget, remove_controls
from .roster import EndDeviceRoster, rename_in_controls, rename_in_registries
from .state import (
    DOWNLINK,
    DOWNLINK_COUNT,
    DOWNLINK_QUEUE,
    DOWNLINK_STATE,
    LOCATION,
    STATUS,
    EndDeviceState,
    Status,
    control_key,
    field_key,
    recalculated,
)

__all__ = [
    "DOWNLINK",
    "DOWNLINK_COUNT",
    "DOWNLINK_QUEUE",
    "DOWNLINK_STATE",
    "LOCATION",
    "STATUS",
    "Activity",
    "EndDeviceRoster",
    "EndDeviceState",
    "Status",
    "area_from_attributes",
    "area_of",
    "async_report_occurrence",
    "control_key",
    "field_key",
    "forget",
    "move",
    "recalculated",
    "remove_controls",
    "rename_in_controls",
    "rename_in_registries",
]
