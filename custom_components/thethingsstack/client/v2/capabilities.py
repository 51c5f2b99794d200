"""What a stack of version 2 can do."""

from ..capabilities import Capabilities
from ..rights import (
    DEVICES_READ,
    DEVICES_READ_KEYS,
    DEVICES_WRITE,
    DEVICES_WRITE_KEYS,
    INFO,
    SETTINGS_BASIC,
    TRAFFIC_DOWN_WRITE,
    TRAFFIC_READ,
)

RIGHTS = {
    "settings": (INFO, SETTINGS_BASIC),
    "devices": (DEVICES_READ, DEVICES_READ_KEYS, DEVICES_WRITE, DEVICES_WRITE_KEYS),
    "messages": (TRAFFIC_READ, TRAFFIC_DOWN_WRITE),
}
"""The rights of an access key, and those of The Things Stack that they stand for."""

CAPABILITIES = Capabilities(
    nack=False,
    repeats_confirmed=True,
    downlink_queue=False,
    downlink_first=True,
    downlink_priority=False,
    downlink_attempts=False,
    scheduled_downlinks=False,
    device_formatters=False,
    formatter_trial=False,
    event_stream=False,
    device_changes=True,
    event_history=False,
    storage=False,
    webhooks=False,
    simulated_uplinks=False,
    packet_error_rate=False,
    several_servers=False,
    repository=False,
    frequency_plans=False,
    device_names=False,
    claiming=False,
    dev_eui_issuing=False,
    session_reset=False,
    changed_since=False,
    last_seen_listed=False,
    application_settings=False,
    rights_listing=False,
    api_keys=False,
    gateways=False,
    tenants=False,
    console=False,
    right_names={right: name for name, rights in RIGHTS.items() for right in rights},
)
"""Version 2 tries payload functions and simulates uplinks over gRPC only, which isn't spoken here."""
