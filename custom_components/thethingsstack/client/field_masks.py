"""The fields of an end device that are read from each server."""

from collections.abc import Mapping
from typing import Any

DEVICE_FIELDS = (
    "name",
    "description",
    "attributes",
    "version_ids",
    "locations",
    "last_seen_at",
    "activated_at",
    "network_server_address",
    "application_server_address",
    "join_server_address",
    "serial_number",
)

# Without fields that contain keys.
NETWORK_SERVER_FIELDS = (
    "frequency_plan_id",
    "lorawan_version",
    "lorawan_phy_version",
    "supports_join",
    "supports_class_b",
    "supports_class_c",
    "battery_percentage",
    "downlink_margin",
    "power_state",
    "last_dev_status_received_at",
    "mac_settings",
    "mac_state.device_class",
    "mac_state.current_parameters",
    "session.dev_addr",
    "session.started_at",
    "session.last_f_cnt_up",
)
BATTERY_FIELDS = ("battery_percentage", "power_state", "last_dev_status_received_at")
APPLICATION_SERVER_FIELDS = ("formatters", "session.dev_addr", "version_ids")
JOIN_SERVER_FIELDS = ("net_id", "resets_join_nonces", "last_dev_nonce", "last_join_nonce")

APPLICATION_FIELDS = (
    "name",
    "description",
    "attributes",
    "application_server_address",
    "network_server_address",
    "join_server_address",
)


def merge(into: dict[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """Add members to `into` that it doesn't have, also in nested objects; return `into`."""
    for key, value in part.items():
        here = into.get(key)
        if isinstance(here, dict) and isinstance(value, dict):
            merge(here, value)
        else:
            into.setdefault(key, value)
    return into
