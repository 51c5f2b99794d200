"""What the fields of a decoded payload mean. Pure: no Home Assistant, no I/O."""

from .quantities import QUANTITIES, UNITS_OF_CLASS, Quantity
from .types import Category, Context, Kind, Meaning, Position, Role, Understanding, Value
from .understand import understand, value_of

__all__ = [
    "QUANTITIES",
    "UNITS_OF_CLASS",
    "Category",
    "Context",
    "Kind",
    "Meaning",
    "Position",
    "Quantity",
    "Role",
    "Understanding",
    "Value",
    "understand",
    "value_of",
]
