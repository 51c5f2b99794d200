"""Past hours of fields in Home Assistant's long-term statistics: corrected, and filled on request."""

from .history import async_import_history

__all__ = ["async_import_history"]
