"""What the stack checks in a request before it looks at who asks: types, then values.

`check` reads a request as the API's JSON decoder does and validates it as its message types say.
The first thing that is wrong is raised: an unreadable value without details, an invalid one with
the innermost field as the last of nested causes.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
import re
from typing import Any, Protocol, Self, override

from . import errors

ID_PATTERN = r"^[a-z0-9](?:[-]?[a-z0-9]){2,}$"
EMBEDDED = "embedded message failed validation"


class _InvalidError(Exception):
    """A field's value breaks a rule; `causes` are (field, message type, reason) from outside in."""

    def __init__(self, *causes: tuple[str, str, str]) -> None:
        super().__init__(causes)
        self.causes = causes


class Field(Protocol):
    """What a field of a message may hold."""

    def read(self, value: Any, path: str) -> None:
        """Raise what the decoder answers to JSON of another type."""

    def check(self, name: str, value: Any, message: str, paths: list[str]) -> None:
        """Raise _InvalidError where the value breaks a rule; `value` is None where it is absent."""


def _fail(name: str, message: str, reason: str) -> None:
    raise _InvalidError((name, message, reason))


@dataclass(frozen=True)
class Text(Field):
    """Text of a length in characters; `pattern` as the stack words it."""

    longest: int | None = None
    pattern: str | None = None
    may_be_empty: bool = False
    """Whether the rules don't hold for an empty text."""
    choices: tuple[str, ...] | None = None

    @override
    def read(self, value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise errors.unmarshal(path, f'expects " or n, but found {_kind(value)}')

    def reason(self, text: str) -> str | None:
        """Return which rule the text breaks, if any."""
        if not text and self.may_be_empty:
            return None
        if self.longest is not None and len(text) > self.longest:
            return f"value length must be at most {self.longest} runes"
        if self.pattern is not None and not _matches(self.pattern, text):
            return f'value does not match regex pattern "{self.pattern}"'
        if self.choices is not None and text not in self.choices:
            return f"value must be in list [{' '.join(self.choices)}]"
        return None

    @override
    def check(self, name: str, value: Any, message: str, paths: list[str]) -> None:
        if reason := self.reason(value or ""):
            _fail(name, message, reason)


@dataclass(frozen=True)
class Url(Text):
    """An absolute address."""

    @override
    def reason(self, text: str) -> str | None:
        return None if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", text) else "value must be absolute"


@dataclass(frozen=True)
class Hex(Field):
    """A fixed number of bytes, written in hexadecimal or in base64."""

    length: int

    @override
    def read(self, value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise errors.unmarshal(path, f'expects " or n, but found {_kind(value)}')
        text = value.rstrip("=")
        if not text:
            return
        if len(text) == 2 * self.length:
            if illegal := re.search(r"[^0-9a-fA-F]", text):
                found = f"U+{ord(illegal[0]):04X} {illegal[0]!r}"
                raise errors.unmarshal(path, f"encoding/hex: invalid byte: {found}")
            return
        if len(text) == (8 * self.length + 5) // 6:
            if illegal := re.search(r"[^A-Za-z0-9+/_-]", text):
                reason = f"illegal base64 data at input byte {illegal.start()}"
                raise errors.unmarshal(path, reason)
            return
        reason = f"invalid length: want {self.length} bytes, got {len(value)} runes"
        raise errors.unmarshal(path, f"error:pkg/types:invalid_length ({reason})")

    @override
    def check(self, name: str, value: Any, message: str, paths: list[str]) -> None:
        """Every length that can be read is right."""


@dataclass(frozen=True)
class Bytes(Field):
    """Bytes in base64, of any length up to a limit."""

    longest: int | None = None
    shortest: int = 0

    @override
    def read(self, value: Any, path: str) -> None:
        illegal = re.search(r"[^A-Za-z0-9+/_=-]", value) if isinstance(value, str) else None
        if illegal:
            reason = f"invalid value: illegal base64 data at input byte {illegal.start()}"
            raise errors.unmarshal(path, reason)

    @override
    def check(self, name: str, value: Any, message: str, paths: list[str]) -> None:
        length = len(decode_base64(value or ""))
        if length < self.shortest and self.longest is not None:
            reason = f"value length must be between {self.shortest} and {self.longest} bytes"
            _fail(name, message, f"{reason}, inclusive")
        if self.longest is not None and length > self.longest:
            _fail(name, message, f"value length must be at most {self.longest} bytes")


@dataclass(frozen=True)
class Number(Field):
    """A number within limits; `wrapped` ones are checked only where they are given."""

    least: float | None = None
    most: float | None = None
    never: int | None = None
    wrapped: bool = False
    reason: str = ""
    """How the stack words limits on both sides."""

    @override
    def read(self, value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise errors.unmarshal(path, f"expects a number, but found {_kind(value)}")
        if isinstance(value, str) and not re.fullmatch(r"-?\d+(\.\d+)?", value):
            raise errors.unmarshal(path, f'strconv.ParseInt: parsing "{value}": invalid syntax')

    @override
    def check(self, name: str, value: Any, message: str, paths: list[str]) -> None:
        if value is None and self.wrapped:
            return
        number = float(value or 0)
        if self.least is not None and number < self.least:
            least = f"value must be greater than or equal to {self.least:g}"
            _fail(name, message, self.reason or least)
        if self.most is not None and number > self.most:
            _fail(name, message, self.reason or f"value must be less than or equal to {self.most}")
        if self.never is not None and number == self.never:
            _fail(name, message, f"value must not be in list [{self.never}]")


@dataclass(frozen=True)
class OneOf(Field):
    """A name of an enumeration, or its number."""

    names: frozenset[str]

    @override
    def read(self, value: Any, path: str) -> None:
        if isinstance(value, str) and value not in self.names:
            raise errors.unmarshal(path, f'unknown value for enum: "{value}"')

    @override
    def check(self, name: str, value: Any, message: str, paths: list[str]) -> None:
        if isinstance(value, int) and not 0 <= value < len(self.names):
            _fail(name, message, "value must be one of the defined enum values")


@dataclass(frozen=True)
class Message(Field):
    """A message of a type with its fields: a request, or a message within one."""

    kind: str
    fields: Mapping[str, Field]
    required: bool = False

    def needed(self) -> Self:
        """Return the same message where it must not be absent."""
        return replace(self, required=True)

    @override
    def read(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise errors.unmarshal(path, f"expects {{ or n, but found {_kind(value)}")
        for name, field in self.fields.items():
            if value.get(name) is not None:
                field.read(value[name], f"{path}.{name}" if path else name)

    @override
    def check(self, name: str, value: Any, message: str, paths: list[str]) -> None:
        if value is None:
            if self.required:
                _fail(name, message, "value is required")
            return
        try:
            self.validate(value, paths)
        except _InvalidError as error:
            raise _InvalidError((name, message, EMBEDDED), *error.causes) from None

    def validate(self, document: Mapping[str, Any], paths: Iterable[str]) -> None:
        """Raise _InvalidError for the first field that breaks a rule, of all or of those named."""
        below: dict[str, list[str]] = {}
        for path in paths:
            head, _, rest = path.partition(".")
            below.setdefault(head, []).extend([rest] if rest else [])
        for name, field in self.fields.items():
            if not below or name in below:
                field.check(name, document.get(name), self.kind, below.get(name, []))


@dataclass(frozen=True)
class Listed(Field):
    """Several of something."""

    item: Field
    least: int = 0
    most: int | None = None

    @override
    def read(self, value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise errors.unmarshal(path, f"expects [ or n, but found {_kind(value)}")
        for item in value:
            try:
                self.item.read(item, path)
            except errors.PlainRefusedError as error:
                # The decoder names the list, and nothing within.
                _, _, reason = error.message_format.partition('": ')
                raise errors.unmarshal(path, reason) from None

    @override
    def check(self, name: str, value: Any, message: str, paths: list[str]) -> None:
        if self.most is not None and not self.least <= len(value or []) <= self.most:
            limits = f"between {self.least} and {self.most} items, inclusive"
            _fail(name, message, f"value must contain {limits}")
        if len(value or []) < self.least:
            _fail(name, message, f"value must contain at least {self.least} item(s)")
        for index, item in enumerate(value or []):
            self.item.check(f"{name}[{index}]", item, message, paths)


@dataclass(frozen=True)
class Pairs(Field):
    """Values by name."""

    key: Text
    value: Field
    most: int | None = None

    @override
    def read(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise errors.unmarshal(path, f"expects {{ or n, but found {_kind(value)}")
        for item in value.values():
            self.value.read(item, path)

    @override
    def check(self, name: str, value: Any, message: str, paths: list[str]) -> None:
        pairs = value or {}
        if self.most is not None and len(pairs) > self.most:
            _fail(name, message, f"value must contain no more than {self.most} pair(s)")
        for key, item in pairs.items():
            where = f"{name}[{key}]"
            if reason := self.key.reason(key):
                _fail(where, message, reason)
            self.value.check(where, item, message, [])


def decode_base64(text: str) -> bytes:
    """Return the bytes of base64 in either alphabet, padded or not; what is cut off is lost."""
    text = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return b""


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "t" if value else "f"
        case dict():
            return "{"
        case list():
            return "["
        case None:
            return "n"
    return str(value)[:1]


def _matches(pattern: str, text: str) -> bool:
    # In the stack `$` is the very end; the words of the error escape a backslash twice.
    return re.search(pattern.replace("\\\\", "\\").replace("$", r"\Z"), text) is not None


def check(request_type: Message, request: Mapping[str, Any], paths: Iterable[str] = ()) -> None:
    """Raise what a request of this type is answered with, if something is wrong in it.

    `paths` restricts the rules, not the types, to fields: an update is checked where it changes.
    """
    request_type.read(request, "")
    try:
        request_type.validate(request, paths)
    except _InvalidError as error:
        raise errors.invalid(*error.causes) from None


def check_update(
    request_type: Message, name: str, request: Mapping[str, Any], mask: list[str], *ids: str
) -> None:
    """Check a request that changes `name`: the fields in its mask and the ids, or all of it."""
    check(request_type, request, [f"{name}.{path}" for path in (*mask, *ids)] if mask else [])
