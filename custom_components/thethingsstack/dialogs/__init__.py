"""Parts that several dialogues share."""

from .background import BackgroundWork
from .base import ApplicationOptionsFlow, form, running
from .selectors import searchable, unchosen

__all__ = [
    "ApplicationOptionsFlow",
    "BackgroundWork",
    "form",
    "running",
    "searchable",
    "unchosen",
]
