"""What a stack of version 2 can do."""

from ..capabilities import Capabilities

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
    several_servers=False,
    repository=False,
    frequency_plans=False,
    device_names=False,
    claiming=False,
    dev_eui_issuing=False,
    session_reset=False,
    application_settings=False,
    rights_listing=False,
    api_keys=False,
    gateways=False,
)
"""Version 2 tries payload functions and simulates uplinks over gRPC only, which isn't spoken here."""
