"""One connected application: connection, counters, missed uplinks and stored data."""

from .client_factory import async_create_stack, async_discard_key, host_of, is_address_of
from .connection_state import ConnectionState
from .refusals import (
    BASE,
    Refusal,
    action_error,
    error_text,
    failure,
    lacking,
    refusal,
    refused,
    server_names,
)
from .signals import Removals, Signals
from .store import ApplicationStore
from .stored_file import UNREADABLE, StoredData

__all__ = [
    "BASE",
    "UNREADABLE",
    "ApplicationStore",
    "ConnectionState",
    "Refusal",
    "Removals",
    "Signals",
    "StoredData",
    "action_error",
    "async_create_stack",
    "async_discard_key",
    "error_text",
    "failure",
    "host_of",
    "is_address_of",
    "lacking",
    "refusal",
    "refused",
    "server_names",
]
