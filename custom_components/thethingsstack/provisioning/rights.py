"""The rights that changes to end devices need."""

from ..client.rights import DEVICES_READ, DEVICES_WRITE, DEVICES_WRITE_KEYS

REGISTER = (DEVICES_READ, DEVICES_WRITE, DEVICES_WRITE_KEYS)
"""To register an end device, or to give one keys."""
CHANGE = (DEVICES_READ, DEVICES_WRITE)
"""To change or delete one."""
