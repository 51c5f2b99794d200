"""The live state of end devices, and which of them are in Home Assistant."""

from .activity import Activity, async_report_occurrence
from .areas import area_from_attributes, area_of, move
from .cleanup import forget, remove_controls
from .fair_use import AIRTIME_LIMIT, DOWNLINK_LIMIT, WARN_FROM
from .field_entities import (
    async_add_field_entities,
    async_remove_field_entities,
    field_entry,
    field_unique_id,
)
from .left_out import leaving_out, taking_in
from .listeners import (
    DOWNLINK,
    DOWNLINK_COUNT,
    DOWNLINK_QUEUE,
    DOWNLINK_STATE,
    LOCATION,
    STATUS,
    control_key,
    field_key,
)
from .logbook_events import async_fire_for_logbook, async_waiting_words, async_words
from .overdue_number import silence_of, text_of
from .radio_details import RADIO_DETAILS, async_register_details
from .recalculation import recalculated
from .received import Received
from .roster import EndDeviceRoster, rename_in_controls, rename_in_registries
from .state import EndDeviceState
from .status import Status
from .targets import targeted_devices
from .uplink_history import UplinkHistory

__all__ = [
    "AIRTIME_LIMIT",
    "DOWNLINK",
    "DOWNLINK_COUNT",
    "DOWNLINK_LIMIT",
    "DOWNLINK_QUEUE",
    "DOWNLINK_STATE",
    "LOCATION",
    "RADIO_DETAILS",
    "STATUS",
    "WARN_FROM",
    "Activity",
    "EndDeviceRoster",
    "EndDeviceState",
    "Received",
    "Status",
    "UplinkHistory",
    "area_from_attributes",
    "area_of",
    "async_add_field_entities",
    "async_fire_for_logbook",
    "async_register_details",
    "async_remove_field_entities",
    "async_report_occurrence",
    "async_waiting_words",
    "async_words",
    "control_key",
    "field_entry",
    "field_key",
    "field_unique_id",
    "forget",
    "leaving_out",
    "move",
    "recalculated",
    "remove_controls",
    "rename_in_controls",
    "rename_in_registries",
    "silence_of",
    "taking_in",
    "targeted_devices",
    "text_of",
]
