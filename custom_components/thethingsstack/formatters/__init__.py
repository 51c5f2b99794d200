"""Choose, try and save payload formatters; read what their texts say of fields."""

from .flow import FormatterFlow
from .texts import FormatterTexts
from .trial import FormatterChoice

__all__ = [
    "FormatterChoice",
    "FormatterFlow",
    "FormatterTexts",
]
