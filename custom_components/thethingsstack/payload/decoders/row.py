"""One row of a table: where a field is in the bytes, what it is, and how it is calculated."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
import re
import struct
from typing import Any, Self
from unicodedata import category

from .errors import DecodeError, TableError


class RowType(StrEnum):
    """What the bytes of a field are."""

    UNSIGNED = "unsigned"
    SIGNED = "signed"
    """In two's complement."""
    FLOAT = "float"
    """IEEE 754 in 2, 4 or 8 bytes."""
    BOOL = "bool"
    """Anything but zero is true."""
    BCD = "bcd"
    """Two decimal digits in each byte."""
    TEXT = "text"
    WORDS = "words"
    """A number that stands for a word."""
    HEX = "hex"


class Order(StrEnum):
    """Which byte of a number comes first."""

    BIG = "big"
    LITTLE = "little"


MOST_BYTES = 255
LONGEST_NAME = 60
MOST_WORDS = 64
_LONGEST_WORD = 60
_LONGEST_UNIT = 20
_FLOATS = {2: "e", 4: "f", 8: "d"}
_NUMBERS = frozenset({RowType.UNSIGNED, RowType.SIGNED, RowType.FLOAT, RowType.BCD})
_INTEGERS = frozenset({RowType.UNSIGNED, RowType.SIGNED, RowType.BOOL, RowType.WORDS})
_LONGEST_NUMBER = 8
_MOST = 1e12
_LEAST = 1e-12
_BITS = re.compile(r"(\d{1,3})(?:\s*-\s*(\d{1,3}))?")
_WORD = re.compile(r"\s*(0[xX][0-9a-fA-F]{1,16}|\d{1,20})\s*[=:]\s*(.+?)\s*")
_KEYS = frozenset(
    [
        "name",
        "byte",
        "bytes",
        "bits",
        "type",
        "order",
        "factor",
        "offset",
        "unit",
        "f_port",
        "words",
        "absent",
        "optional",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One field of a payload."""

    name: str
    byte: int
    """Its first byte, from 0; below zero from the end: -1 is the last."""
    size: int = 1
    """How many bytes it is read from."""
    bits: tuple[int, int] | None = None
    """The lowest and the highest bit of the number in these bytes; None: all."""
    type: RowType = RowType.UNSIGNED
    order: Order = Order.BIG
    factor: float = 1.0
    offset: float = 0.0
    """What is added after `factor`."""
    unit: str | None = None
    f_port: int | None = None
    """The only port that it is for; None: all."""
    words: tuple[tuple[int, str], ...] = ()
    absent: int | None = None
    """The number that stands for "no value"."""
    optional: bool = False
    """Whether it may be beyond the end of the payload."""

    @classmethod
    def from_data(cls, data: object, number: int) -> Self:
        """Read a row as `as_dict` gives it, or as people write it; raises TableError.

        `number` is the row's place in its table, from 1. Numbers may be texts ("0x7FFF"), bits
        "0-3", words "0=closed, 1=open".
        """
        if not isinstance(data, Mapping):
            raise TableError("no_table", given=data)
        row = _Reader(data, number)
        kind = row.choice("type", RowType, RowType.UNSIGNED)
        size = row.integer("bytes", 1, MOST_BYTES, default=1)
        return cls(
            name=row.name,
            byte=row.integer("byte", -MOST_BYTES, MOST_BYTES - 1),
            size=row.size(kind, size),
            bits=row.bits(kind, size),
            type=kind,
            order=row.choice("order", Order, Order.BIG),
            factor=row.calculation("factor", kind, 1.0),
            offset=row.calculation("offset", kind, 0.0),
            unit=row.unit(kind),
            f_port=row.integer("f_port", 1, 255) if row.has("f_port") else None,
            words=row.words(kind),
            absent=row.integer("absent", -(2**63), 2**64 - 1) if row.has("absent") else None,
            optional=row.truth("optional"),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return this as JSON, without what has its default."""
        data: dict[str, Any] = {"name": self.name, "byte": self.byte}
        if self.size != 1:
            data["bytes"] = self.size
        if self.bits is not None:
            low, high = self.bits
            data["bits"] = str(low) if low == high else f"{low}-{high}"
        if self.type is not RowType.UNSIGNED:
            data["type"] = str(self.type)
        if self.order is not Order.BIG:
            data["order"] = str(self.order)
        if self.words:
            data["words"] = ", ".join(f"{code}={word}" for code, word in self.words)
        for name, default in (("factor", 1.0), ("offset", 0.0), ("optional", False)):
            if (value := getattr(self, name)) != default:
                data[name] = value
        for name in ("unit", "f_port", "absent"):
            if (value := getattr(self, name)) is not None:
                data[name] = value
        return data

    def read(self, payload: bytes) -> object:
        """Return the field's value; None where there is none. Raises DecodeError."""
        first = self.byte if self.byte >= 0 else len(payload) + self.byte
        data = payload[max(first, 0) : first + self.size]
        if first < 0 or len(data) < self.size:
            if self.optional:
                return None
            raise DecodeError(
                "too_short",
                row=self.name,
                first=self.byte,
                last=self.byte + self.size - 1,
                size=len(payload),
            )
        if self.order is Order.LITTLE:
            data = data[::-1]
        match self.type:
            case RowType.FLOAT:
                (number,) = struct.unpack(f">{_FLOATS[self.size]}", data)
                if not isfinite(number) or number == self.absent:
                    return None
                return self._calculated(number)
            case RowType.BCD:
                return self._decimal(data)
            case RowType.HEX:
                return data.hex().upper()
            case RowType.TEXT:
                return _text_in(data)
            case _:
                return self._integer(int.from_bytes(data, "big"))

    def _integer(self, number: int) -> object:
        low, high = self.bits or (0, 8 * self.size - 1)
        width = high - low + 1
        number = (number >> low) & ((1 << width) - 1)
        signed = number - (1 << width) if number >> (width - 1) else number
        if self.absent is not None and self.absent in (number, signed):
            return None
        if self.type is RowType.BOOL:
            return number != 0
        if self.type is RowType.WORDS:
            return dict(self.words).get(number, str(number))
        return self._calculated(signed if self.type is RowType.SIGNED else number)

    def _decimal(self, data: bytes) -> object:
        digits = data.hex()
        if self.absent is not None and int(digits, 16) == self.absent:
            return None  # as 0xFFFF, which has no decimal digits
        if not digits.isdecimal():
            raise DecodeError("no_decimal", row=self.name, given=digits)
        number = int(digits)
        return None if number == self.absent else self._calculated(number)

    def _calculated(self, number: float) -> float | None:
        if self.factor == 1 and self.offset == 0:
            return number
        result = round(number * self.factor + self.offset, 9)
        return result if isfinite(result) else None


def _text_in(data: bytes) -> str | None:
    """Return a text up to its first zero byte; None for an empty one."""
    text = data.split(b"\0", 1)[0].decode("utf-8", "replace")
    shown = "".join(char for char in text if category(char) not in ("Cc", "Cs"))
    return shown.strip() or None


class _Reader:
    """Reads the parts of a row; each raises TableError with the row's name or number."""

    def __init__(self, data: Mapping[Any, Any], number: int) -> None:
        self._data = data
        name = data.get("name")
        self._row = f"{number} ({name[:LONGEST_NAME]})" if isinstance(name, str) else str(number)
        if unknown := {str(key) for key in data} - _KEYS:
            raise self._error("unknown_part", given=", ".join(sorted(unknown)))

    def _error(self, key: str, **placeholders: object) -> TableError:
        return TableError(key, row=self._row, **placeholders)

    def has(self, part: str) -> bool:
        """Return whether the row says anything of a part."""
        return self._data.get(part) not in (None, "")

    @property
    def name(self) -> str:
        name = self._data.get("name")
        stripped = name.strip() if isinstance(name, str) else ""
        if not 0 < len(stripped) <= LONGEST_NAME or stripped.startswith("_"):
            raise self._error("no_name", most=LONGEST_NAME)
        if any(category(char) in ("Cc", "Cs") for char in stripped):
            raise self._error("no_name", most=LONGEST_NAME)
        return stripped

    def integer(self, part: str, least: int, most: int, default: int | None = None) -> int:
        raw = self._data.get(part)
        if default is not None and raw in (None, ""):
            return default
        number: int | None = None
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            number = int(raw) if isfinite(raw) and raw == int(raw) else None
        elif isinstance(raw, str) and len(raw) < 30:
            try:
                number = int(raw.strip(), 0)
            except ValueError:
                number = None
        if number is None or not least <= number <= most:
            raise self._error("no_number", part=part, given=raw, least=least, most=most)
        return number

    def choice[ChoiceT: StrEnum](
        self, part: str, choices: type[ChoiceT], default: ChoiceT
    ) -> ChoiceT:
        raw = self._data.get(part)
        if raw is None or raw == "":
            return default
        if isinstance(raw, str) and raw in choices:
            return choices(raw)
        raise self._error("no_choice", part=part, given=raw, choices=", ".join(choices))

    def size(self, kind: RowType, size: int) -> int:
        fits = size in _FLOATS if kind is RowType.FLOAT else True
        if kind in _INTEGERS or kind is RowType.BCD:
            fits = size <= _LONGEST_NUMBER
        if not fits:
            raise self._error("no_size", type=kind, given=size)
        return size

    def bits(self, kind: RowType, size: int) -> tuple[int, int] | None:
        if not self.has("bits"):
            return None
        if kind not in _INTEGERS:
            raise self._error("bits_of_text", type=kind)
        raw = self._data["bits"]
        if isinstance(raw, float) and raw.is_integer():
            raw = int(raw)
        match = None if isinstance(raw, bool) else _BITS.fullmatch(str(raw).strip()[:20])
        if match is not None:
            ends = sorted((int(match[1]), int(match[2] or match[1])))
            if ends[1] < 8 * size:
                return ends[0], ends[1]
        raise self._error("no_bits", given=raw, most=f"0-{8 * size - 1}")

    def calculation(self, part: str, kind: RowType, default: float) -> float:
        if not self.has(part):
            return default
        raw = self._data[part]
        if isinstance(raw, str):
            try:
                raw = float(raw.strip().replace(",", "."))
            except ValueError:
                raw = None
        if not isinstance(raw, int | float) or isinstance(raw, bool) or not abs(raw) <= _MOST:
            raise self._error("no_factor", part=part, given=self._data[part])
        if part == "factor" and abs(raw) < _LEAST:
            raise self._error("no_factor", part=part, given=self._data[part])
        if kind not in _NUMBERS and raw != default:
            raise self._error("no_calculation", type=kind)
        return float(raw)

    def unit(self, kind: RowType) -> str | None:
        if not self.has("unit"):
            return None
        if kind not in _NUMBERS:
            raise self._error("no_calculation", type=kind)
        return self._text("unit", self._data["unit"], _LONGEST_UNIT)

    def _text(self, part: str, raw: object, longest: int) -> str:
        text = raw.strip() if isinstance(raw, str) else ""
        if not 0 < len(text) <= longest or any(category(c) in ("Cc", "Cs") for c in text):
            raise self._error("no_text", part=part, given=raw, most=longest)
        return text

    def words(self, kind: RowType) -> tuple[tuple[int, str], ...]:
        if not self.has("words"):
            if kind is RowType.WORDS:
                raise self._error("no_words", given="-")
            return ()
        if kind is not RowType.WORDS:
            raise self._error("words_of_number")
        raw = self._data["words"]
        if isinstance(raw, str):
            pairs = [part for part in re.split(r"[,;\n]", raw[:5000]) if part.strip()]
            matches = [_WORD.fullmatch(pair) for pair in pairs]
            found = [(match[1], match[2]) for match in matches if match is not None]
            if len(found) < len(pairs):
                raise self._error("no_words", given=raw)
        elif isinstance(raw, Mapping):
            found = [(str(code), word) for code, word in raw.items()]
        else:
            raise self._error("no_words", given=raw)
        if not 0 < len(found) <= MOST_WORDS:
            raise self._error("no_words", given=raw)
        words: dict[int, str] = {}
        for code, word in found:
            try:
                words[int(code, 0)] = self._text("words", word, _LONGEST_WORD)
            except ValueError as err:
                if isinstance(err, TableError):
                    raise
                raise self._error("no_words", given=code) from None
        return tuple(words.items())

    def truth(self, part: str) -> bool:
        raw = self._data.get(part)
        if raw is None:
            return False
        if isinstance(raw, bool):
            return raw
        raise self._error("no_truth", part=part, given=raw)
