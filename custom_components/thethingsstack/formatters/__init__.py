"""Choose, try and save payload formatters; read what their texts say of fields."""

from .flow import FormatterFlow
from .texts import FormatterTexts

__all__ = [
    "FormatterFlow",
    "FormatterTexts",
]
