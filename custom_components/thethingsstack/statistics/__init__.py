"""Correct past hours of fields in long-term statistics, and add missing ones on request."""

from .corrections import Corrections
from .history import async_import_history
from .past_hours import PastHours

__all__ = ["Corrections", "PastHours", "async_import_history"]
