"""Webhooks: deliveries of the server are received, and the webhook there is kept as it has to be."""

from .address import (
    AddressRefused,
    async_check_reachable,
    async_delete_cloudhook,
    async_public_address,
)
from .door import WebhookDoor
from .entry import (
    async_keep_webhook,
    async_prepare_webhook,
    async_remove_webhook,
    async_renew_secret,
    connection_settings,
    forget_downlink_address,
    new_webhook,
    webhook_diagnostics,
    webhook_of,
)
from .managed import MANAGING_RIGHTS
from .reception import SECRET_HEADER

__all__ = [
    "MANAGING_RIGHTS",
    "SECRET_HEADER",
    "AddressRefused",
    "WebhookDoor",
    "async_check_reachable",
    "async_delete_cloudhook",
    "async_keep_webhook",
    "async_prepare_webhook",
    "async_public_address",
    "async_remove_webhook",
    "async_renew_secret",
    "connection_settings",
    "forget_downlink_address",
    "new_webhook",
    "webhook_diagnostics",
    "webhook_of",
]
