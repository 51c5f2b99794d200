"""What decodes an end device's uplinks where the server doesn't."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from .cayenne_lpp import decode_cayenne_lpp
from .errors import DecodeError
from .table import Table

VERSION = 1


class DecoderKind(StrEnum):
    """Where the fields are known from."""

    CAYENNE_LPP = "cayenne_lpp"
    TABLE = "table"
    """The user's own."""
    MODEL = "model"
    """The table that the model library has for the end device's model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoder:
    """One choice of how to decode uplinks."""

    kind: DecoderKind
    table: Table | None = None
    """Where it is the user's own."""
    always: bool = False
    """Whether it also replaces what the server has decoded."""

    def decode(self, payload: bytes, f_port: int, of_model: Table | None) -> dict[str, object]:
        """Return the decoded payload; `of_model` is the model library's table.

        Raises DecodeError, and nothing else, whatever the bytes are.
        """
        if self.kind is DecoderKind.CAYENNE_LPP:
            return decode_cayenne_lpp(payload)
        table = self.table if self.kind is DecoderKind.TABLE else of_model
        if table is None:
            raise DecodeError("no_model")
        return table.decode(payload, f_port)

    def as_dict(self) -> dict[str, Any]:
        """Return this as JSON for storage."""
        data: dict[str, Any] = {"version": VERSION, "kind": str(self.kind)}
        if self.table is not None:
            data["rows"] = self.table.as_list()
        if self.always:
            data["always"] = True
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `as_dict` gave; raises KeyError, TypeError or ValueError for anything else."""
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']!r} is not known")
        kind = DecoderKind(data["kind"])
        table = Table.from_data(data["rows"]) if kind is DecoderKind.TABLE else None
        always = data.get("always", False)
        if not isinstance(always, bool):
            raise TypeError(f"{always!r} is neither true nor false")
        return cls(kind=kind, table=table, always=always)
