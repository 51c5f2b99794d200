"""Bytes of an uplink turned into a decoded payload, where the server doesn't. Pure, as all here."""

from .decoder import Decoder, DecoderKind
from .errors import DECODER_REASONS, DecodeError, DecoderError, TableError
from .row import Order, Row, RowType
from .table import MOST_ROWS, Table

__all__ = [
    "DECODER_REASONS",
    "MOST_ROWS",
    "DecodeError",
    "Decoder",
    "DecoderError",
    "DecoderKind",
    "Order",
    "Row",
    "RowType",
    "Table",
    "TableError",
]
