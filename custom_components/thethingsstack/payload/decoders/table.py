"""A table of fields: each row reads one of them from a payload's bytes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from ..sensor_attributes import SENSOR_ATTR
from .errors import DecodeError, TableError
from .row import Row

MOST_ROWS = 64


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a payload, in the order in which they are shown."""

    rows: tuple[Row, ...]

    @classmethod
    def from_data(cls, data: object) -> Self:
        """Read a list of rows; raises TableError, which says which row and why."""
        if not isinstance(data, list | tuple):
            raise TableError("no_table", given=data)
        if not data:
            raise TableError("no_rows")
        if len(data) > MOST_ROWS:
            raise TableError("too_many_rows", count=len(data), most=MOST_ROWS)
        rows = tuple(Row.from_data(item, number) for number, item in enumerate(data, 1))
        _check_names(rows)
        return cls(rows)

    def as_list(self) -> list[dict[str, Any]]:
        """Return the rows as JSON."""
        return [row.as_dict() for row in self.rows]

    def decode(self, payload: bytes, f_port: int) -> dict[str, object]:
        """Return the fields of a payload, with their units; one without a value is left out.

        Raises DecodeError: where a row doesn't fit, the table isn't that of this payload, and no
        field is certain.
        """
        rows = [row for row in self.rows if row.f_port in (None, f_port)]
        if not rows:
            raise DecodeError("no_port", f_port=f_port)
        fields: dict[str, object] = {}
        for row in rows:
            if (value := row.read(payload)) is not None:
                fields[row.name] = value
        units = {row.name: {"unit": row.unit} for row in rows if row.unit and row.name in fields}
        if units:
            fields[SENSOR_ATTR] = units
        return fields


def _check_names(rows: Iterable[Row]) -> None:
    """Raise TableError where two rows would write the same field."""
    ports: dict[str, set[int | None]] = {}
    for number, row in enumerate(rows, 1):
        taken = ports.setdefault(row.name, set())
        if row.f_port in taken or (taken and None in (row.f_port, *taken)):
            raise TableError("name_twice", row=f"{number} ({row.name})")
        taken.add(row.f_port)
