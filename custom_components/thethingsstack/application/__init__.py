"""One connected application: connection, counters, missed uplinks and stored data."""

from .client_factory import (
    QUEUE_SIZE,
    async_create_stack,
    async_discard_key,
    async_tls_context,
    host_of,
    is_address_of,
    network_capabilities,
)
from .connection_state import ConnectionState
from .error_texts import APPLICATION_KEY_TEXTS, GATEWAY_TEXTS, MQTT_TEXTS, SETUP_TEXTS
from .refusals import (
    BASE,
    Refusal,
    action_error,
    downlink_error,
    error_text,
    failure,
    lacking,
    missing_downlink_right,
    refusal,
    refused,
    server_names,
    text_key,
)
from .signals import Additions, Removals, Signals
from .store import ApplicationStore
from .stored_file import UNREADABLE, StoredData
from .time_slices import StreamSlices, TimeSlices

__all__ = [
    "APPLICATION_KEY_TEXTS",
    "BASE",
    "GATEWAY_TEXTS",
    "MQTT_TEXTS",
    "QUEUE_SIZE",
    "SETUP_TEXTS",
    "UNREADABLE",
    "Additions",
    "ApplicationStore",
    "ConnectionState",
    "Refusal",
    "Removals",
    "Signals",
    "StoredData",
    "StreamSlices",
    "TimeSlices",
    "action_error",
    "async_create_stack",
    "async_discard_key",
    "async_tls_context",
    "downlink_error",
    "error_text",
    "failure",
    "host_of",
    "is_address_of",
    "lacking",
    "missing_downlink_right",
    "network_capabilities",
    "refusal",
    "refused",
    "server_names",
    "text_key",
]
