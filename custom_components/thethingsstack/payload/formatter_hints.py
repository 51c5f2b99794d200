"""What the text of a payload formatter says of the fields that it sets. No code is ever run.

A wrong hint is worse than none: what two places say differently, or what is written in a
way that isn't known here, gives no hint.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
import re
from typing import Any, Self

from .javascript import Token, tokens_of
from .units import Unit, factor, normalise

MOST_STEPS = 400_000
"""Tokens that are looked at before the reading of one text is given up."""
_LONGEST_EXPRESSION = 120
_MOST_WORDS = 24
_OPENS, _CLOSES = frozenset("([{"), frozenset(")]}")
_CHANGES = frozenset(
    ["=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", ">>>=", "**=", "++", "--"]
)
_COMPARISONS = frozenset(["===", "!==", "==", "!=", "<", ">", "<=", ">="])
_LABELS = frozenset(["name", "label", "key", "field", "measure"])
_UNITS = frozenset(["unit", "units", "uom"])
_SAYS_NOTHING = frozenset(
    [
        "value",
        "values",
        "data",
        "val",
        "name",
        "label",
        "key",
        "unit",
        "units",
        "type",
        "id",
        "channel",
        "warnings",
        "errors",
        "bytes",
        "fport",
        "port",
        "length",
        "payload",
        "i",
    ]
)
"""Names that stand for another thing in each place."""
_UNIT_NAMED = re.compile(r"(?i)\bunits?\b(?:\s+is)?\s*[:=]?\s*(\S{1,16})$")
_UNIT_BRACKETED = re.compile(r"[(\[]\s*([^()\[\]\s]{1,16})\s*[)\]]$")
_UNIT_AFTER_IN = re.compile(r"(?i)\bin\s+([^\s,;]{1,16})$")
_AMBIGUOUS_IN_COMMENTS = frozenset(["d", "a", "b", "min", "in", "x", "°"])
"""Units that are also something else where they stand alone: "°" is written for °C, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldHint:
    """What a formatter says of one field."""

    unit: Unit | None = None
    is_flag: bool = False
    """Whether its numbers are truths: one bit, or the result of a comparison."""
    precision: int | None = None
    """Decimals of its resolution."""
    words: tuple[str, ...] = ()
    """All texts that it can be."""

    def as_dict(self) -> dict[str, Any]:
        """Return this as JSON for storage, without what has its default."""
        return {
            f.name: value for f in fields(self) if (value := getattr(self, f.name)) != f.default
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `as_dict` gave; raises TypeError, LookupError or ValueError for others."""
        unit, precision, words = data.get("unit"), data.get("precision"), data.get("words", ())
        if not isinstance(precision, int | None):
            raise TypeError("the precision is no number")
        return cls(
            unit=Unit(str(unit[0]), float(unit[1])) if unit is not None else None,
            is_flag=bool(data.get("is_flag", False)),
            precision=precision,
            words=tuple(str(word) for word in words),
        )


type FormatterHints = Mapping[str, FieldHint]
"""By the last step of a field's path."""


@dataclass(slots=True)
class _Assignment:
    name: str
    is_field: bool
    """Whether it is a member of an object, not a variable."""
    value: Sequence[Token]
    first_line: int
    last_line: int
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """What one assignment says of its name."""

    unit: Unit | None = None
    is_flag: bool = False
    constant: bool = False
    """Whether it sets a fixed number or truth, or nothing."""
    precision: int | None = None
    words: tuple[str, ...] = ()
    same_as: str | None = None
    """The variable that it takes its value from, unchanged."""


def read_hints(script: str) -> dict[str, FieldHint]:
    """Return what a JavaScript formatter says of its fields. Never raises; bounded in time."""
    tokens = tokens_of(script)
    code = [token for token in tokens if token.kind != "comment"]
    assignments, listed = _Scan(code).read()
    _add_units(assignments, tokens)
    tables = {item.name: words for item in assignments if (words := _table(item.value))}
    said: dict[tuple[bool, str], list[_Said]] = {}
    for item in assignments:
        one = _said(item, tables)
        said.setdefault((item.is_field, item.name), []).append(one)
    hints: dict[str, FieldHint] = {}
    for name in {name for is_field, name in said if is_field} | listed.keys():
        if name.casefold() in _SAYS_NOTHING:
            continue
        hint = _merged(said.get((True, name), []), said, listed.get(name, ()))
        if hint != FieldHint():
            hints[name] = hint
    return hints


class _Scan:
    """Finds assignments, and the objects that name a field and its unit."""

    def __init__(self, code: Sequence[Token]) -> None:
        self._code = code
        self._steps = 0
        self._found: list[_Assignment] = []
        self._listed: dict[str, list[Unit | None]] = {}
        self._open: list[tuple[str, dict[str, str]]] = []
        """The brackets that are open, with the fixed texts of their members."""

    def read(self) -> tuple[list[_Assignment], dict[str, list[Unit | None]]]:
        for at, token in enumerate(self._code):
            if self._steps > MOST_STEPS:
                return [], {}
            self._steps += 1
            if token.kind == "mark":
                if token.text in _OPENS:
                    self._open.append((token.text, {}))
                elif token.text in _CLOSES and self._open:
                    self._close(self._open.pop()[1])
                elif token.text in _CHANGES and at:
                    self._assigned(at)
                elif token.text == ":" and at > 1:
                    self._member(at)
            elif token.kind == "name" and self._is_shorthand(at):
                self._add(token.text, True, [token], token.line)
        return self._found, self._listed

    def _is_shorthand(self, at: int) -> bool:
        """Return whether it is a member that is named as the variable it is set to."""
        return (
            bool(self._open)
            and self._open[-1][0] == "{"
            and self._mark(at - 1) in ("{", ",")
            and self._mark(at + 1) in ("}", ",")
        )

    def _mark(self, at: int) -> str:
        if not 0 <= at < len(self._code) or self._code[at].kind != "mark":
            return ""
        return self._code[at].text

    def _assigned(self, at: int) -> None:
        before = self._code[at - 1]
        # What is changed in place is not known from this one expression.
        value = self._value(at) if self._code[at].text == "=" else ()
        if before.kind == "name":
            self._add(before.text, self._mark(at - 2) in (".", "?."), value, before.line)
        elif (
            before.text == "]"
            and at > 3
            and self._code[at - 2].kind == "string"
            and self._mark(at - 3) == "["
        ):
            self._add(self._code[at - 2].text, True, value, before.line)

    def _member(self, at: int) -> None:
        key = self._code[at - 1]
        if (
            key.kind not in ("name", "string")
            or self._mark(at - 2) not in ("{", ",")
            or not self._open
            or self._open[-1][0] != "{"
        ):
            return
        value = self._value(at)
        self._add(key.text, True, value, key.line)
        if len(value) == 1 and value[0].kind == "string":
            self._open[-1][1][key.text.casefold()] = value[0].text

    def _add(self, name: str, is_field: bool, value: Sequence[Token], line: int) -> None:
        last_line = value[-1].line if value else line
        self._found.append(_Assignment(name, is_field, value, line, last_line))

    def _close(self, members: Mapping[str, str]) -> None:
        labels = [text for key, text in members.items() if key in _LABELS and text]
        units = [text for key, text in members.items() if key in _UNITS]
        if len(labels) == 1 and len(units) == 1:
            self._listed.setdefault(labels[0], []).append(_unit_of(units[0]))

    def _value(self, at: int) -> Sequence[Token]:
        """Return the tokens of the expression behind a mark; none where it is too long."""
        code, depth = self._code, 0
        end = at + 1
        while end < len(code) and end - at <= _LONGEST_EXPRESSION:
            token = code[end]
            self._steps += 1
            if token.kind == "mark":
                if token.text in _OPENS:
                    depth += 1
                elif token.text in _CLOSES:
                    depth -= 1
                    if depth < 0:
                        break
                elif depth == 0 and token.text in (";", ","):
                    break
            if depth == 0 and end > at + 1 and _ends_statement(code[end - 1], token):
                break
            end += 1
        else:
            if end < len(code):
                return ()
        return code[at + 1 : end]


def _ends_statement(before: Token, token: Token) -> bool:
    """Return whether a statement without semicolon ends between two tokens."""
    if token.line == before.line:
        return False
    ended = before.kind != "mark" or before.text in _CLOSES
    return ended and (token.kind != "mark" or token.text == "{")


# Units in comments


def _add_units(assignments: Sequence[_Assignment], tokens: Sequence[Token]) -> None:
    """Add the units that comments say: at the end of an assignment's line, or alone above it."""
    on_line: dict[int, list[_Assignment]] = {}
    starting: dict[int, list[_Assignment]] = {}
    for item in assignments:
        on_line.setdefault(item.last_line, []).append(item)
        starting.setdefault(item.first_line, []).append(item)
    last_code: dict[int, int] = {}
    for at, token in enumerate(tokens):
        if token.kind != "comment":
            last_code[token.line] = at
    for at, token in enumerate(tokens):
        if token.kind != "comment" or "\n" in token.text:
            continue
        line = token.line
        if line not in last_code:
            alone = starting.get(line + 1, [])
            unit = _unit_of(token.text, _AMBIGUOUS_IN_COMMENTS)
            if len(alone) == 1 and alone[0].unit is None:
                alone[0].unit = unit
        elif at > last_code[line]:
            ending = on_line.get(line, [])
            if len(ending) == 1:
                ending[0].unit = _unit_in_comment(token.text)


def _unit_in_comment(text: str) -> Unit | None:
    text = text.strip().rstrip(".;,")
    if (unit := _unit_of(text, _AMBIGUOUS_IN_COMMENTS)) is not None:
        return unit
    for pattern in (_UNIT_NAMED, _UNIT_BRACKETED, _UNIT_AFTER_IN):
        if (match := pattern.search(text[-80:])) is not None:
            return _unit_of(match[1], _AMBIGUOUS_IN_COMMENTS)
    return None


def _unit_of(text: str, ambiguous: Collection[str] = ()) -> Unit | None:
    text = text.strip()
    if not text or text.casefold() in ambiguous:
        return None
    unit = normalise(text)
    return unit if unit is not None and unit.symbol is not None else None


# What is assigned


def _said(item: _Assignment, tables: Mapping[str, tuple[str, ...]]) -> _Said:
    value = _without_brackets(item.value)
    if not value:
        return _Said()
    if len(value) == 1:
        only = value[0]
        if only.kind == "string":
            return _Said(unit=item.unit, words=(only.text,))
        if only.kind == "number" or only.text in ("true", "false", "null", "undefined", "NaN"):
            return _Said(unit=item.unit, constant=True)
        return _Said(unit=item.unit, same_as=only.text if only.kind == "name" else None)
    words = _words(value, tables)
    precision = None if words else _precision(value)
    unit = item.unit
    if unit is not None and _converts_out_of(unit, value):
        unit = None
    return _Said(
        unit=unit,
        is_flag=not words and _is_flag(value),
        precision=precision,
        words=words,
    )


def _merged(
    own: Sequence[_Said],
    said: Mapping[tuple[bool, str], Sequence[_Said]],
    listed: Sequence[Unit | None],
) -> FieldHint:
    """Return what all assignments of a field agree on."""
    all_said: list[_Said] = []
    units: set[Unit | None] = set(listed)
    for one in own:
        variables = said.get((False, one.same_as), ()) if one.same_as else ()
        if one.unit is not None:
            units.add(one.unit)
        if variables:
            all_said.extend(variables)
            units.update(_units_of_all(variables))
        else:
            all_said.append(one)
    telling = [one for one in all_said if not one.constant]
    digits = {one.precision for one in telling}
    words = tuple(dict.fromkeys(word for one in telling for word in one.words))
    closed = all(one.words for one in all_said) and 2 <= len(words) <= _MOST_WORDS
    closed = closed and _are_words(words)
    unit = units.pop() if len(units) == 1 else None
    return FieldHint(
        unit=unit,
        is_flag=bool(telling) and all(one.is_flag for one in telling),
        precision=digits.pop() if len(digits) == 1 else None,
        words=words if closed and unit is None else (),
    )


def _units_of_all(variables: Sequence[_Said]) -> set[Unit | None]:
    """Return the units of a variable; none where it is used again for something without one."""
    units = {other.unit for other in variables if not other.constant}
    return set() if None in units else units


def _without_brackets(value: Sequence[Token]) -> Sequence[Token]:
    """Return an expression without the brackets that are around all of it."""
    while len(value) > 2 and value[0].text == "(" and _end_of_bracket(value, 0) == len(value) - 1:
        value = value[1:-1]
    return value


def _end_of_bracket(value: Sequence[Token], start: int) -> int:
    depth = 0
    for at in range(start, len(value)):
        if value[at].kind == "mark":
            depth += (value[at].text in _OPENS) - (value[at].text in _CLOSES)
            if depth == 0:
                return at
    return len(value)


def _outer(value: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    """Return the tokens that are in no brackets, each with its place."""
    depth = 0
    for at, token in enumerate(value):
        if token.kind == "mark" and token.text in _CLOSES:
            depth -= 1
        elif token.kind == "mark" and token.text in _OPENS:
            depth += 1
        elif depth == 0:
            yield at, token


def _operators(value: Sequence[Token]) -> list[tuple[int, str]]:
    return [(at, t.text) for at, t in _outer(value) if t.kind == "mark" and t.text != "."]


def _number(token: Token) -> float | None:
    if token.kind != "number":
        return None
    text = token.text.casefold()
    if text.startswith(("0x", "0b")):
        return int(text, 0)
    return float(text)


def _is_flag(value: Sequence[Token]) -> bool:
    """Return whether an expression is one bit or a truth."""
    operators = _operators(value)
    marks = [mark for _, mark in operators]
    if marks[:1] == ["!"]:
        return all(mark == "!" for mark in marks)
    if value[0].text == "Boolean" and _end_of_bracket(value, 1) == len(value) - 1:
        return True
    if "?" in marks:
        return _branches_are_truths(value, operators)
    if len(marks) == 1 and marks[0] in _COMPARISONS:
        return True
    if marks and marks[-1] == "&" and all(mark in (">>", ">>>", "&") for mark in marks):
        return len(value) == operators[-1][0] + 2 and _number(value[-1]) == 1
    if len(marks) == 1 and marks[0] in (">>", ">>>"):
        return _is_shifted_bit(value, operators[0][0])
    return False


def _is_shifted_bit(value: Sequence[Token], shift: int) -> bool:
    """Return whether it is "(x & 0x10) >> 4"."""
    masked = _without_brackets(value[:shift])
    operators = _operators(masked)
    by = _number(value[-1])
    if len(operators) != 1 or operators[0][1] != "&" or by is None or not 0 <= by < 32:
        return False
    return len(value) == shift + 2 and _number(masked[-1]) == 1 << int(by)


def _branches_are_truths(value: Sequence[Token], operators: Sequence[tuple[int, str]]) -> bool:
    if [mark for _, mark in operators if mark in "?:"] != ["?", ":"]:
        return False
    between = [at for at, mark in operators if mark in "?:"]
    branches = [value[between[0] + 1 : between[1]], value[between[1] + 1 :]]
    texts = {branch[0].text for branch in branches if len(branch) == 1}
    return texts in ({"true", "false"}, {"1", "0"}) and all(
        branch[0].kind != "string" for branch in branches if branch
    )


def _words(value: Sequence[Token], tables: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return all texts that an expression can be; none where they aren't all known."""
    if value[0].kind == "name" and value[1].text == "[":
        if _end_of_bracket(value, 1) == len(value) - 1:
            return tables.get(value[0].text, ())
    elif value[0].kind == "mark" and value[0].text in ("[", "{"):
        end = _end_of_bracket(value, 0)
        indexed = len(value) > end + 1 and value[end + 1].text == "["
        if indexed and _end_of_bracket(value, end + 1) == len(value) - 1:
            return _table(value[: end + 1])
    operators = [(at, mark) for at, mark in _operators(value) if mark in ("?", ":")]
    if not operators or operators[0][1] != "?":
        return ()
    words = []
    ends = [at for at, _ in operators[1:]] + [len(value)]
    for (start, _), end in zip(operators, ends, strict=True):
        if end < len(value) and value[end].text == "?":
            continue  # the condition of the next one
        branch = _without_brackets(value[start + 1 : end])
        if len(branch) != 1 or branch[0].kind != "string":
            return ()
        words.append(branch[0].text)
    return tuple(words) if _are_words(words) else ()


def _table(value: Sequence[Token]) -> tuple[str, ...]:
    """Return the texts in a list, or in an object by number or name; none for anything else."""
    if len(value) < 5 or value[0].kind != "mark" or value[0].text not in ("[", "{"):
        return ()
    if _end_of_bracket(value, 0) != len(value) - 1:
        return ()
    inner = [token for token in value[1:-1] if token.text != "," or token.kind != "mark"]
    if value[0].text == "{":
        keys, marks, inner = inner[::3], inner[1::3], inner[2::3]
        if not len(keys) == len(marks) == len(inner) or any(t.text != ":" for t in marks):
            return ()
    if any(token.kind != "string" for token in inner):
        return ()
    words = [token.text for token in inner]
    return tuple(words) if _are_words(words) else ()


def _are_words(words: Sequence[str]) -> bool:
    return all(any(char.isalpha() for char in word) for word in words)


def _precision(value: Sequence[Token]) -> int | None:
    """Return the decimals of a resolution: "x / 100", "(x * 0.01 - 40)", "y.toFixed(2)"."""
    for at, token in enumerate(value[:-3]):
        if token.text == "toFixed" and value[at + 1].text == "(":
            digits = _number(value[at + 2])
            closed = all(other.text == ")" for other in value[at + 3 :])
            return int(digits) if closed and digits is not None and 0 <= digits <= 6 else None
    operators = _operators(value)
    scaling = [(at, mark) for at, mark in operators if mark in ("/", "*")]
    if len(scaling) != 1 or not {mark for _, mark in operators} <= {"/", "*", "+", "-"}:
        return None
    at, mark = scaling[0]
    if len(value) <= at + 1:
        return None
    shift = _number(value[at + 1])
    followed = value[at + 2 :]
    for other in followed:
        number = _number(other)
        if other.text not in ("+", "-") and (number is None or not float(number).is_integer()):
            return None
    if any(place < at for place, _ in operators) or not shift:
        return None
    ratio = shift if mark == "/" else 1 / shift
    return next((digits for digits in range(1, 7) if abs(ratio / 10**digits - 1) < 1e-9), None)


def _converts_out_of(unit: Unit, value: Sequence[Token]) -> bool:
    """Return whether a comment may name what the number was before: "x / 1000; // mV"."""
    thousand = any(
        token.text == "/" and _number(value[at + 1]) in (1000, 1_000_000)
        for at, token in enumerate(value[:-1])
    )
    if not thousand or unit.symbol is None:
        return False
    return unit.symbol.startswith(("m", "μ")) and (
        factor(unit.symbol, unit.symbol[1:]) is not None or unit.symbol in ("mm", "mbar", "mg")
    )
