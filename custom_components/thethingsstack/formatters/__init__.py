"""Choose, try and save payload formatters."""

from .flow import FormatterFlow

__all__ = [
    "FormatterFlow",
]
