"""Read the Console's CSV and JSON files into rows."""

from collections.abc import Iterator, Mapping
import csv
from dataclasses import dataclass
import io
import json
from typing import Any

from ..errors import InvalidRequest
from .fields import ALIASES, COLUMNS, MAC_SETTINGS, MEMBERS, OF_SERVERS
from .rows import Draft, Note, Row, Rows

MAX_DEVICES = 10_000
_LABELS = {name: ".".join(member.path) for name, member in MEMBERS.items()}
_BETWEEN = " \t\r\n,[]"
"""What may stand between the objects of a JSON file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFile:
    """The end devices in a file, and what of the whole file is not taken over."""

    rows: tuple[Row, ...]
    notes: tuple[Note, ...] = ()


def decode_file(data: bytes) -> str:
    """Return a file's text: UTF-8, UTF-16 with its mark, else as Windows' spreadsheets write it."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def read_devices(text: str, defaults: Mapping[str, str | None] | None = None) -> DeviceFile:
    """Return the end devices in a CSV or JSON file of the Console; makes no request.

    `defaults` are `frequency_plan_id`, `lorawan_version` and `lorawan_phy_version`, for end devices
    that have no model and none of their own. Raises InvalidRequest where the text is neither
    format: `empty_file`, `no_known_columns`, `invalid_csv`, `invalid_json`, `too_many_devices`.
    """
    text = text.removeprefix("\ufeff")
    ignored: list[str] = []
    drafts = _json_drafts(text) if text.lstrip()[:1] in ("{", "[") else _csv_drafts(text, ignored)
    rows, found = Rows(), list[Row]()
    for draft in drafts:
        if len(found) >= MAX_DEVICES:
            raise InvalidRequest(
                f"at most {MAX_DEVICES} end devices are taken at once",
                name="too_many_devices",
                attributes={"maximum": MAX_DEVICES},
            )
        if draft.model is None:
            for name, value in (defaults or {}).items():
                if value and name not in draft.given:
                    draft.read(COLUMNS[name], value)
        found.append(rows.add(draft))
    if not found:
        raise InvalidRequest("there is no end device in it", name="empty_file")
    notes = (Note(name="ignored", what=tuple(ignored)),) if ignored else ()
    return DeviceFile(rows=tuple(found), notes=notes)


# -- CSV ------------------------------------------------------------------------------------------


def _csv_drafts(text: str, ignored: list[str]) -> Iterator[Draft]:
    """Yield the rows of a CSV file; the names of unknown columns are added to `ignored`."""
    first = text.lstrip().partition("\n")[0]
    delimiter = "," if "," in first and ";" not in first else ";"
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    header: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _unreadable("csv", line, str(error)) from None
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if header:
            yield _csv_draft(line, header, cells)
        else:
            header = _header(cells, ignored)


def _header(cells: list[str], ignored: list[str]) -> list[str]:
    """Return the names of the columns; the unknown ones are added to `ignored`."""
    header = []
    for cell in cells:
        name = cell.strip().lower()
        header.append(ALIASES.get(name, name))
        if header[-1] not in COLUMNS:
            ignored.append(cell.strip())
    if not any(name in COLUMNS for name in header):
        raise InvalidRequest(
            "the first line names no known column, such as id, dev_eui and app_key",
            name="no_known_columns",
        )
    return header


def _csv_draft(line: int, header: list[str], cells: list[str]) -> Draft:
    draft = Draft(line=line)
    if len(cells) != len(header):
        text = f"the line has {len(cells)} columns, the first has {len(header)}"
        attributes = {"count": len(cells), "expected": len(header)}
        draft.refuse(InvalidRequest(text, name="wrong_column_count", attributes=attributes))
    for name, cell in zip(header, cells, strict=False):
        if name in COLUMNS and cell.strip():
            draft.read(COLUMNS[name], cell.strip())
    settings = {name: draft.values.pop(name) for name in MAC_SETTINGS if name in draft.values}
    if settings:
        draft.values["mac_settings"] = settings
    return draft


# -- JSON -----------------------------------------------------------------------------------------


def _json_drafts(text: str) -> Iterator[Draft]:
    """Yield the objects of a JSON file: one after the other, as a list, or with commas between."""
    decoder = json.JSONDecoder()
    position, counted, line = 0, 0, 1
    while True:
        while position < len(text) and text[position] in _BETWEEN:
            position += 1
        if position >= len(text):
            return
        line += text.count("\n", counted, position)
        counted = position
        try:
            value, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise _unreadable("json", error.lineno, error.msg) from None
        except RecursionError:
            raise _unreadable("json", line, "too many levels") from None
        if not isinstance(value, dict):
            raise _unreadable("json", line, "an object is needed for each end device")
        yield _json_draft(line, value)


def _json_draft(line: int, device: Mapping[str, Any]) -> Draft:
    draft = Draft(line=line, labels=_LABELS)
    for member in MEMBERS.values():
        value = member.value_in(device)
        if value is not None and value != "":
            draft.read(member, value)
    known = {member.path[0] for member in MEMBERS.values()} | {"locations"}
    if ignored := sorted(set(device) - known - OF_SERVERS):
        draft.notes.append(Note(name="ignored", what=tuple(ignored)))
    return draft


def _unreadable(kind: str, line: int, reason: str) -> InvalidRequest:
    return InvalidRequest(
        f"line {line} is no {kind.upper()}: {reason}",
        name=f"invalid_{kind}",
        attributes={"line": line, "reason": reason},
    )
