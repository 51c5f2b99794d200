"""What the fields of a decoded payload mean. Pure: no Home Assistant, no I/O."""

from .examples import expected_fields
from .filters import Level, Places, next_level, next_place
from .formatter_hints import FieldHint, FormatterHints, read_hints
from .library import Brand, KnownField, LibraryError, ModelFields
from .observations import Observations
from .override import NUMERIC_ROLES, SENSOR_ROLES, Override, plain_text, spelled
from .quantities import QUANTITIES, UNITS_OF_CLASS, Quantity
from .reading import contradiction
from .revision import in_words
from .sensor_attributes import SENSOR_ATTR
from .types import (
    NO_CLASS,
    Category,
    Context,
    Kind,
    Meaning,
    Position,
    Role,
    Source,
    Understanding,
    Value,
)
from .understand import raw_values, understand, value_of

__all__ = [
    "NO_CLASS",
    "NUMERIC_ROLES",
    "QUANTITIES",
    "SENSOR_ATTR",
    "SENSOR_ROLES",
    "UNITS_OF_CLASS",
    "Brand",
    "Category",
    "Context",
    "FieldHint",
    "FormatterHints",
    "Kind",
    "KnownField",
    "Level",
    "LibraryError",
    "Meaning",
    "ModelFields",
    "Observations",
    "Override",
    "Places",
    "Position",
    "Quantity",
    "Role",
    "Source",
    "Understanding",
    "Value",
    "contradiction",
    "expected_fields",
    "in_words",
    "next_level",
    "next_place",
    "plain_text",
    "raw_values",
    "read_hints",
    "spelled",
    "understand",
    "value_of",
]
