"""The API key's rights that are needed to change end devices."""

from ..client.rights import DEVICES_READ, DEVICES_WRITE, DEVICES_WRITE_KEYS

REGISTER = (DEVICES_READ, DEVICES_WRITE, DEVICES_WRITE_KEYS)
"""Needed to register an end device, or to write its keys."""
CHANGE = (DEVICES_READ, DEVICES_WRITE)
"""Needed to change or delete an end device without its keys."""
