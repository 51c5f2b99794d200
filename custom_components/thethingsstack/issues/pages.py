"""The page of the documentation on each repair issue, which *Learn more* opens."""

from collections.abc import Mapping
from typing import Final

REPOSITORY: Final = "https://github.com/thethingsstack-home-assistant/thethingsstack/blob/main/"
PAGES: Final[Mapping[str, str]] = {
    "airtime_limit": "docs/end-devices.md#fair-use",
    "application_moved": "docs/setup.md#when-the-cluster-is-another-one",
    "control_invalid": "docs/controls.md#change-or-remove-a-control",
    "control_right": "docs/setup.md#make-an-api-key",
    "control_without_device": "docs/controls.md#change-or-remove-a-control",
    "devices_elsewhere": "docs/setup.md#when-the-cluster-is-another-one",
    "downlink_limit": "docs/end-devices.md#fair-use",
    "entities_left_out": "docs/end-devices.md#large-applications",
    "gateway_gone": "docs/gateways.md#when-a-gateway-cant-be-read",
    "gateway_refused": "docs/gateways.md#when-a-gateway-cant-be-read",
    "half_created": "docs/end-devices.md#half-created-end-devices",
    "key_expires": "docs/setup.md#make-an-api-key",
    "key_left": "docs/setup.md#remove",
    "library_file_wrong": ".github/CONTRIBUTING.md#a-model-for-the-library",
    "missing_right": "docs/setup.md#make-an-api-key",
    "overdue_number": "docs/end-devices.md#silent-devices",
    "preset_climate": "docs/controls.md#add-a-control",
    "preset_file_wrong": ".github/CONTRIBUTING.md#a-preset-for-a-model",
    "preset_other": "docs/controls.md#add-a-control",
    "preset_valve": "docs/controls.md#add-a-control",
    "rights_lost": "docs/setup.md#make-an-api-key",
    "storage_off": "docs/end-devices.md#missed-uplinks",
    "storage_off_no_right": "docs/end-devices.md#missed-uplinks",
    "stored_file_unreadable": "docs/troubleshooting.md#when-stored-data-cant-be-read",
    "stream_lost": "docs/connections.md#when-mqtt-cant-be-reached",
    "takeover": "docs/moving.md#how",
    "too_many_entities": "docs/end-devices.md#large-applications",
    "undecoded": "docs/end-devices.md#payload-formatters",
    "undecoded_in_application": "docs/version-2.md#when-uplinks-arent-decoded",
    "webhook_address_cloud": "docs/connections.md#by-webhook",
    "webhook_address_missing": "docs/connections.md#by-webhook",
    "webhook_address_private": "docs/connections.md#by-webhook",
    "webhook_address_without_tls": "docs/connections.md#by-webhook",
    "webhook_failing": "docs/connections.md#when-deliveries-fail",
    "webhook_left": "docs/setup.md#remove",
    "webhook_refused_foreign": "docs/connections.md#what-is-refused",
    "webhook_refused_other": "docs/connections.md#what-is-refused",
    "webhook_refused_secret": "docs/connections.md#what-is-refused",
    "webhook_stopped": "docs/connections.md#when-deliveries-fail",
    "webhook_taken": "docs/connections.md#with-an-api-key",
    "webhook_unproved": "docs/connections.md#when-deliveries-fail",
}
"""Page and heading in the repository, by the issue's translation key."""


def page_url(translation_key: str) -> str:
    """Return the address of the page on an issue; raises KeyError for one without a page."""
    return REPOSITORY + PAGES[translation_key]
