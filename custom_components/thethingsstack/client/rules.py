"""Check names, descriptions, attributes and serial numbers by the servers' rules.

Ids and EUIs have their checks in `identifiers`.
https://www.thethingsindustries.com/docs/reference/id-eui-constraints/
"""

from collections.abc import Mapping
import re

from .errors import InvalidRequest
from .identifiers import ID_PATTERN, ID_RULE, InvalidIdentifier, check_id

MAX_ATTRIBUTES = 10
MAX_ATTRIBUTE_VALUE = 200
MAX_NAME = 50
MAX_DESCRIPTION = 2_000

_SERIAL_NUMBER = re.compile(ID_PATTERN)
_PATTERN = re.compile(r'value does not match regex pattern "(.+)"')
_PATTERN_RULES = {
    ID_PATTERN: f"{ID_RULE} are needed",
    # Of fields that may be empty, as the servers spell it.
    ID_PATTERN + "|^$": f"{ID_RULE} are needed, or nothing",
    "^[a-zA-Z0-9]{1,32}$": "1 to 32 letters or digits are needed",
    "^[A-Z0-9]{1,32}$": "1 to 32 capital letters or digits are needed",
}
_LONGEST = re.compile(r"value length must be at most (\d+) runes")
_LENGTHS = re.compile(r"value length must be between (\d+) and (\d+) (?:bytes|runes), inclusive")


def plain_reason(reason: str) -> str:
    """Return a server's reason with known patterns replaced by plain words."""
    if (pattern := _PATTERN.fullmatch(reason)) and pattern[1] in _PATTERN_RULES:
        return _PATTERN_RULES[pattern[1]]
    if longest := _LONGEST.fullmatch(reason):
        return f"at most {longest[1]} characters are allowed"
    if lengths := _LENGTHS.fullmatch(reason):
        return f"{lengths[1]} to {lengths[2]} characters are needed"
    return reason


def check_texts(
    name: str | None,
    description: str | None = None,
    attributes: Mapping[str, str | None] | None = None,
) -> None:
    """Raise InvalidRequest for texts that are too long and for invalid attributes.

    The names of the errors are `name_too_long`, `description_too_long`, `too_many_attributes`,
    `invalid_attribute`, `attribute_too_long`. An attribute that is None is one to be removed.
    """
    for kind, text, longest in (
        ("name", name, MAX_NAME),
        ("description", description, MAX_DESCRIPTION),
    ):
        if text is not None and len(text) > longest:
            raise InvalidRequest(
                f"the {kind} has {len(text)} characters, {longest} are allowed",
                name=f"{kind}_too_long",
                attributes={"maximum": longest},
            )
    count = sum(value is not None for value in (attributes or {}).values())
    if count > MAX_ATTRIBUTES:
        raise InvalidRequest(
            f"{count} attributes are too many, {MAX_ATTRIBUTES} are allowed",
            name="too_many_attributes",
            attributes={"maximum": MAX_ATTRIBUTES},
        )
    for key, value in (attributes or {}).items():
        if value is not None:  # the key of a removed attribute may break today's rules
            check_id(key, "attribute")
        if value is not None and len(value) > MAX_ATTRIBUTE_VALUE:
            raise InvalidRequest(
                f"the attribute `{key}` has {len(value)} characters, "
                f"{MAX_ATTRIBUTE_VALUE} are allowed",
                name="attribute_too_long",
                attributes={"value": key, "maximum": MAX_ATTRIBUTE_VALUE},
            )


def parse_serial_number(text: str) -> str:
    """Return a serial number in the servers' format, in lower case.

    Raises InvalidIdentifier `invalid_serial_number`.
    """
    serial_number = text.strip().lower()
    if not _SERIAL_NUMBER.fullmatch(serial_number):
        raise InvalidIdentifier("serial number", f"{ID_RULE} are needed", value=text)
    return serial_number


def printed_serial_number(text: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return a QR code's serial number in the servers' format, and warnings.

    An invalid one is None, with a warning.
    """
    if not text:
        return None, ()
    try:
        return parse_serial_number(text), ()
    except InvalidIdentifier as error:
        return None, (f"the QR code's {error}; it is left out",)
