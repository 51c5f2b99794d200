"""Payloads as users give them: hexadecimal digits, base64, or an object for the formatter."""

from base64 import b64decode
from collections.abc import Mapping
from enum import Enum, auto
import math
import re
from typing import Any

from ..application import refused

SHOWN_LENGTH = 100
"""How many characters of an invalid payload an error shows."""
MAX_DEPTH = 32
"""How deeply the objects and lists of a payload may be nested."""
_BETWEEN_NUMBERS = re.compile(r"[\s:,.-]+|0[xX](?=[0-9A-Fa-f]{2})")
_NOT_HEX = re.compile(r"[^0-9A-Fa-f]")


class NotHexError(ValueError):
    """A text is not hexadecimal; `character` is the first invalid one."""

    def __init__(self, character: str) -> None:
        """Keep the character."""
        super().__init__(character)
        self.character = character


class OddHexError(ValueError):
    """A number has an odd count of digits; `number` are its digits."""

    def __init__(self, number: str) -> None:
        """Keep the digits."""
        super().__init__(number)
        self.number = number


def read_hex(text: str) -> bytes:
    """Return the bytes of hexadecimal numbers, which may be separated and begin with `0x`.

    Spaces, colons, commas, dots and dashes separate numbers of whole bytes. An empty text has no
    bytes. Raises NotHexError or OddHexError.
    """
    numbers = [number for number in _BETWEEN_NUMBERS.split(text) if number]
    if not numbers and (rest := text.strip()):
        raise NotHexError(rest[0])
    for number in numbers:
        if (wrong := _NOT_HEX.search(number)) is not None:
            raise NotHexError(wrong.group())
        if len(number) % 2:
            raise OddHexError(number)
    return bytes.fromhex("".join(numbers))


def payload_of_hex(text: str) -> bytes:
    """Return the bytes of hexadecimal digits.

    Raises ServiceValidationError `downlink_hex_invalid` or `downlink_hex_odd`.
    """
    shown = text[:SHOWN_LENGTH]
    try:
        return read_hex(text)
    except NotHexError as err:
        raise refused("downlink_hex_invalid", character=err.character, text=shown) from err
    except OddHexError as err:
        number = err.number[:SHOWN_LENGTH]
        raise refused("downlink_hex_odd", number=number, text=shown) from err


def payload_of_base64(text: str) -> bytes:
    """Return the bytes of a base64 text, standard or URL alphabet, padded or not.

    Raises ServiceValidationError `downlink_base64_invalid`.
    """
    plain = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError as err:
        raise refused("downlink_base64_invalid", text=text[:SHOWN_LENGTH]) from err


class ObjectProblem(Enum):
    """Why an object can't be sent."""

    TOO_DEEP = auto()
    NOT_FINITE = auto()


def problem_of_object(value: Mapping[str, Any]) -> ObjectProblem | None:
    """Return why JSON can't carry an object to the server; None where it can."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH + 1):
        if any(isinstance(item, float) and not math.isfinite(item) for item in level):
            return ObjectProblem.NOT_FINITE
        level = [
            item
            for outer in level
            if isinstance(outer, Mapping | list | tuple)
            for item in (outer.values() if isinstance(outer, Mapping) else outer)
        ]
        if not level:
            return None
    return ObjectProblem.TOO_DEEP
