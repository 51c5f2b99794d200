"""Tokens of a JavaScript text, read without running it; tolerant of whatever it is."""

import re
from typing import NamedTuple

LONGEST = 65_536
"""Characters of the longest text that is read: as long as a payload formatter may be."""

_NAME = re.compile(r"[^\W\d][\w$]*|\$[\w$]*")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|0[bB][01]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_MARK = re.compile(
    r"\.\.\.|>>>=|===|!==|>>>|<<=|>>=|\*\*=|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.|\+\+|--|<<|>>"
    r"|[-+*/%&|^]=|\S"
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_BEFORE_REGULAR_EXPRESSION = frozenset(
    ["(", ",", "=", ":", "[", "!", "&", "|", "?", "{", "}", ";", "&&", "||", "=>", "return"]
)


class Token(NamedTuple):
    """One token."""

    kind: str
    """"name", "number", "string", "comment" or "mark"."""
    text: str
    """As written; of a string what it stands for, of a comment what it says."""
    line: int


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a text in their order, comments among them.

    Never raises. A text longer than `LONGEST` has none; what is not closed ends the reading.
    """
    if len(text) > LONGEST:
        return []
    return _Reader(text).read()


class _Reader:
    """Goes through the text once; each character is looked at a few times at most."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._tokens: list[Token] = []
        self._last = ";"
        """The token before, comments left out."""

    def read(self) -> list[Token]:
        text = self._text
        while self._at < len(text):
            char = text[self._at]
            if char == "\n":
                self._line += 1
                self._at += 1
            elif char.isspace():
                self._at += 1
            elif char in "\"'":
                self._string(char)
            elif char == "`":
                self._template()
            elif text.startswith("//", self._at):
                self._take("comment", self._end_of_line(), text[self._at + 2 : self._end_of_line()])
            elif text.startswith("/*", self._at):
                self._block_comment()
            elif char == "/" and self._last in _BEFORE_REGULAR_EXPRESSION:
                self._regular_expression()
            else:
                self._plain()
        return self._tokens

    def _take(self, kind: str, end: int, said: str) -> None:
        self._tokens.append(Token(kind, said, self._line))
        if kind != "comment":
            self._last = said if kind in ("mark", "name") else ""
        self._at = end

    def _end_of_line(self) -> int:
        end = self._text.find("\n", self._at)
        return len(self._text) if end < 0 else end

    def _plain(self) -> None:
        for kind, pattern in (("name", _NAME), ("number", _NUMBER), ("mark", _MARK)):
            if (match := pattern.match(self._text, self._at)) is not None:
                self._take(kind, match.end(), match[0])
                return
        self._at += 1

    def _string(self, quote: str) -> None:
        """Read a string; one that its line doesn't close is left out with the line's rest."""
        end_of_line = self._end_of_line()
        end = _closing(self._text, self._at + 1, end_of_line, quote)
        if end is None:
            self._at = end_of_line
        else:
            self._take("string", end + 1, _unescaped(self._text[self._at + 1 : end]))

    def _template(self) -> None:
        end = _closing(self._text, self._at + 1, len(self._text), "`")
        if end is None:
            self._at = len(self._text)
            return
        said = self._text[self._at + 1 : end]
        # What has a value in it is no fixed text.
        self._take("mark" if "${" in said else "string", end + 1, said)
        self._line += said.count("\n")

    def _block_comment(self) -> None:
        end = self._text.find("*/", self._at + 2)
        end = len(self._text) if end < 0 else end
        said = self._text[self._at + 2 : end]
        self._take("comment", end + 2, said.strip("* \t"))
        self._line += said.count("\n")

    def _regular_expression(self) -> None:
        end = _closing(self._text, self._at + 1, self._end_of_line(), "/")
        if end is None:
            self._at = self._end_of_line()
        else:
            self._take("mark", end + 1, "//")


def _closing(text: str, start: int, limit: int, quote: str) -> int | None:
    """Return where the quote comes again, not behind a backslash or in the [] of an expression."""
    at, within = start, False
    while at < limit:
        char = text[at]
        if char == "\\":
            at += 1
        elif char == quote and not within:
            return at
        elif quote == "/" and char in "[]":
            within = char == "["
        at += 1
    return None


def _unescaped(text: str) -> str:
    def written(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        return chr(int(code, 16)) if code else match[3]

    return _ESCAPE.sub(written, text) if "\\" in text else text
