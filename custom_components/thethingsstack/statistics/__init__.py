"""Correct past hours of fields in long-term statistics, and add missing ones on request."""

from .history import async_import_history

__all__ = ["async_import_history"]
