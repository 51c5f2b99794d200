"""Choosing, trying and setting payload formatters."""

from .flow import FormatterFlow

__all__ = [
    "FormatterFlow",
]
