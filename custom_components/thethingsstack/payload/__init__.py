"""What the fields of a decoded payload mean. Pure: no Home Assistant, no I/O."""

from .types import (
    Category,
    Context,
    Kind,
    Meaning,
    Position,
    Role,
    Understanding,
    Value,
)

__all__ = [
    "Category",
    "Context",
    "Kind",
    "Meaning",
    "Position",
    "Role",
    "Understanding",
    "Value",
]
