"""Choose, try and save payload formatters; read what their texts say of fields."""

from .flow import FormatterFlow
from .texts import FormatterTexts
from .trial import NEEDED, FormatterChoice

__all__ = [
    "NEEDED",
    "FormatterChoice",
    "FormatterFlow",
    "FormatterTexts",
]
