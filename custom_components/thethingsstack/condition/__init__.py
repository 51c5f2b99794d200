"""Conditions that automations check: a device is overdue, is connected, has a waiting downlink."""

from .conditions import CONDITIONS, async_get_conditions

__all__ = ["CONDITIONS", "async_get_conditions"]
