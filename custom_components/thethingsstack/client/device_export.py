"""End devices as the files that the bulk import of The Things Stack, version 3, takes.

https://www.thethingsindustries.com/docs/devices/adding-devices/adding-devices-in-bulk/ describes
both formats.
"""

from collections.abc import Mapping, Sequence
import csv
import io
from typing import Any

import orjson

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("ids", "device_id"),
    "dev_eui": ("ids", "dev_eui"),
    "join_eui": ("ids", "join_eui"),
    "name": ("name",),
    "frequency_plan_id": ("frequency_plan_id",),
    "lorawan_version": ("lorawan_version",),
    "lorawan_phy_version": ("lorawan_phy_version",),
    "supports_32_bit_f_cnt": ("mac_settings", "supports_32_bit_f_cnt", "value"),
    "app_key": ("root_keys", "app_key", "key"),
    "dev_addr": ("session", "dev_addr"),
    "app_s_key": ("session", "keys", "app_s_key", "key"),
    "f_nwk_s_int_key": ("session", "keys", "f_nwk_s_int_key", "key"),
    "last_f_cnt_up": ("session", "last_f_cnt_up"),
    "last_n_f_cnt_down": ("session", "last_n_f_cnt_down"),
}
"""Where the value of each column is in the JSON object of an end device."""


def as_json(devices: Sequence[Mapping[str, Any]]) -> str:
    """Return the file in the format "The Things Stack JSON": an object for each end device."""
    return "".join(
        f"{orjson.dumps(device, option=orjson.OPT_INDENT_2).decode()}\n" for device in devices
    )


def as_csv(devices: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return files in the format "The Things Stack CSV".

    The import refuses empty cells, so that end devices that join and others are in files of their
    own.
    """
    rows: dict[tuple[str, ...], list[list[str]]] = {}
    for device in devices:
        cells = {name: _cell(device, path) for name, path in _COLUMNS.items()}
        filled = {name: cell for name, cell in cells.items() if cell is not None}
        rows.setdefault(tuple(filled), []).append(list(filled.values()))
    return [_file(columns, lines) for columns, lines in rows.items()]


def _file(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)
    return text.getvalue()


def _cell(device: Mapping[str, Any], path: Sequence[str]) -> str | None:
    value: Any = device
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value in (None, "") else str(value)
