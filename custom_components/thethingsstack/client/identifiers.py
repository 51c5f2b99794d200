"""Read and check IDs, EUIs, addresses and keys, in any usual spelling."""

from collections.abc import Collection
import re
import secrets
import unicodedata

from .errors import InvalidRequest

ID_LENGTH = (3, 36)
_SEPARATORS = re.compile(r"[\s:\-_.]+")
_HEX = re.compile(r"[0-9A-F]*")
ID_PATTERN = "^[a-z0-9](?:[-]?[a-z0-9]){2,}$"
"""The servers' own pattern of ids, attribute keys and serial numbers."""
ID_RULE = "at least 3 lower-case letters or digits, with single dashes between them,"
"""The pattern in words."""
_ID = re.compile(ID_PATTERN)
_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "o", "å": "a", "ł": "l", "đ": "d"}
)
# The beginnings of EUIs that makers of LoRaWAN devices and modules use, from the IEEE's registry.
_VENDORS = (
    "0004A3",
    "0018B2",
    "001BC5",
    "0025CA",
    "008000",
    "2CF7F1",
    "24E124",
    "58A0CB",
    "647FDA",
    "70B3D5",
    "8CF957",
    "A81758",
    "A84041",
    "AC1F09",
    "E8E1E1",
    "FCD6BD",
)


class InvalidIdentifier(InvalidRequest):
    """An id, EUI, address or key that can't be one; the text shows no key."""

    def __init__(self, kind: str, reason: str, *, value: str | None = None) -> None:
        """Keep the kind of identifier, the reason, and the value unless it is secret."""
        attributes = {"reason": reason} | ({} if value is None else {"value": value})
        text = kind if value is None else f"{kind} `{value}`"
        name = f"invalid_{kind.lower().replace(' ', '_')}"
        super().__init__(f"{text}: {reason}", name=name, attributes=attributes)


def parse_eui(text: str, kind: str = "EUI") -> str:
    """Return a DevEUI or JoinEUI as 16 upper-case digits, from any usual spelling.

    Spaces, colons, dashes, a leading 0x and lower case are taken. Raises InvalidIdentifier
    (`invalid_eui`, or after the `kind` that is given).
    """
    return _hexadecimal(text, 16, kind, secret=False)


def parse_dev_addr(text: str) -> str:
    """Return a device address as 8 upper-case digits; raises InvalidIdentifier."""
    return _hexadecimal(text, 8, "device address", secret=False)


def parse_key(text: str, kind: str = "key") -> str:
    """Return an AES-128 key as 32 upper-case digits; raises InvalidIdentifier without showing it.

    A list of bytes as source code has it ("0x00, 0x11, …") is taken, too.
    """
    return _hexadecimal(re.sub(r"[,{}\[\]]|0[xX]", " ", text), 32, kind, secret=True)


def _hexadecimal(text: str, length: int, kind: str, *, secret: bool) -> str:
    digits = _SEPARATORS.sub("", text).upper()
    digits = digits.removeprefix("0X")
    shown = None if secret else text.strip()
    if not _HEX.fullmatch(digits):
        raise InvalidIdentifier(kind, "only the digits 0-9 and A-F are allowed", value=shown)
    if len(digits) != length:
        reason = f"{length} digits are needed, these are {len(digits)}"
        raise InvalidIdentifier(kind, reason, value=shown)
    return digits


def reversed_eui(eui: str) -> str:
    """Return an EUI with its bytes in reverse order."""
    return bytes.fromhex(eui)[::-1].hex().upper()


def looks_reversed(eui: str) -> bool:
    """Return whether the bytes of an EUI seem to be in reverse order.

    That is the case if only the reversed EUI begins as those of a known manufacturer do. It isn't
    certain: ask the user.
    """
    return not eui.startswith(_VENDORS) and reversed_eui(eui).startswith(_VENDORS)


def check_id(text: str, kind: str = "ID") -> str:
    """Return the ID of an end device or an application, or an attribute's key, if it is valid.

    Raises InvalidIdentifier (`invalid_id`, or named after `kind`) unless it has 3 to 36 lower-case
    letters or digits, with single dashes between them.
    https://www.thethingsindustries.com/docs/reference/id-eui-constraints/
    """
    longest = ID_LENGTH[1]
    if len(text) > longest:
        reason = f"{longest} characters are allowed at most, these are {len(text)}"
        raise InvalidIdentifier(kind, reason, value=text)
    if not _ID.fullmatch(text):
        raise InvalidIdentifier(kind, f"{ID_RULE} are needed", value=text)
    return text


def propose_id(name: str, taken: Collection[str] = ()) -> str:
    """Return a valid ID made of a name, with a number if it is among the `taken` ones."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS))
    words = re.findall("[a-z0-9]+", plain.encode("ascii", "ignore").decode())
    proposed = "-".join(words)[: ID_LENGTH[1]].strip("-")
    if len(proposed.replace("-", "")) < ID_LENGTH[0]:
        proposed = "-".join(filter(None, ("device", proposed)))
    unique, number = proposed, 1
    while unique in taken:
        number += 1
        ending = f"-{number}"
        unique = proposed[: ID_LENGTH[1] - len(ending)].rstrip("-") + ending
    return unique


def generate_key() -> str:
    """Return a new AES-128 key as 32 upper-case digits."""
    return secrets.token_hex(16).upper()


def generate_eui() -> str:
    """Return a random EUI, for networks that issue none.

    It is marked as locally administered by a bit of its first byte.
    https://standards.ieee.org/wp-content/uploads/import/documents/tutorials/eui.pdf
    """
    eui = bytearray(secrets.token_bytes(8))
    eui[0] = eui[0] & 0xFC | 0x02
    return eui.hex().upper()
