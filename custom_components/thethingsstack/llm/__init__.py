"""Tools with which a voice assistant answers questions about end devices; they only read."""

from .tools import async_get_tools

__all__ = ["async_get_tools"]
