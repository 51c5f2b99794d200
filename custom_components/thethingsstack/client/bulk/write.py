"""Write end devices as the Console's CSV and JSON files, which its bulk import takes."""

from collections.abc import Iterable, Mapping
import csv
from enum import StrEnum
import io
import json
from typing import Any

from ..errors import StackError
from .fields import COLUMNS, FIELDS, MAC_SETTINGS, MEMBERS, Field


class FileFormat(StrEnum):
    """The formats of files; JSON has fields that CSV has no columns for."""

    CSV = "csv"
    JSON = "json"


_MAY_BE_EMPTY = ("name", "description")
"""Columns whose empty cells the Console's import takes; all others must be filled."""


def write_devices(devices: Iterable[Mapping[str, Any]], file_format: FileFormat) -> list[str]:
    """Return files of end devices, given as the servers' JSON objects (`EndDevices.export`).

    Only what an import takes is written, and keys where the objects have them. JSON is one file;
    CSV is one for each set of columns that end devices fill, because the Console refuses empty
    cells. `lost_in_csv` names what CSV has no columns for.
    """
    if file_format is FileFormat.JSON:
        objects = (json.dumps(_members(device), indent=2, ensure_ascii=False) for device in devices)
        return ["".join(f"{text}\n" for text in objects)]
    groups: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for device in devices:
        cells = {name: text for name, item in COLUMNS.items() if (text := _cell(item, device))}
        filled = tuple(name for name in cells if name not in _MAY_BE_EMPTY)
        groups.setdefault(filled, []).append(cells)
    return [_csv(rows) for rows in groups.values()]


def _csv(rows: list[dict[str, str]]) -> str:
    used = [name for name in COLUMNS if any(name in row for row in rows)]
    file = io.StringIO()
    # Semicolons are the Console's own, and what spreadsheets read in most languages.
    writer = csv.DictWriter(file, used, restval="", delimiter=";", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def lost_in_csv(devices: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the members of the end devices that only JSON can have, sorted."""
    only = [item for item in FIELDS if not item.csv and item.name != "supports_join"]
    lost: set[str] = set()
    for device in devices:
        for item in only:
            value = item.value_in(device)
            if item.name == "mac_settings":
                columns = {column.path[1] for column in COLUMNS.values() if not column.json}
                value = set(value or ()) - columns
            if value:
                lost.add(".".join(item.path))
    return sorted(lost)


def _members(device: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an end device that an import takes."""
    found: dict[str, Any] = {}
    for item in MEMBERS.values():
        value = item.value_in(device)
        if value is None or value in ("", {}):
            continue
        inner = found
        for member in item.path[:-1]:
            inner = inner.setdefault(member, {})
        inner[item.path[-1]] = value
    return found


def _cell(item: Field, device: Mapping[str, Any]) -> str:
    """Return a field as CSV has it; empty for none, and for what can't be one."""
    value = item.value_in(device)
    if item.name in MAC_SETTINGS and isinstance(value, dict):
        value = value.get("value")  # the longer spelling of the same
    if item.name == "supports_class_c":
        value = value is True  # the servers leave out what is false
    if value is None or value == "":
        return ""
    try:
        value = item.read(value)
    except StackError:
        value = "" if item.secret else str(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
