"""Parts that several dialogues share."""

from .background import BackgroundWork
from .base import ApplicationOptionsFlow, form, running
from .model_steps import ModelSteps
from .selectors import chosen, labels, searchable, unchosen

__all__ = [
    "ApplicationOptionsFlow",
    "BackgroundWork",
    "ModelSteps",
    "chosen",
    "form",
    "labels",
    "running",
    "searchable",
    "unchosen",
]
