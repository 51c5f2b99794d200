"""Import and export many end devices: the Console's CSV and JSON files, checked row by row."""

from .check import check_rows
from .outcome import Outcome, Status, counts, report_csv, report_json
from .read import DeviceFile, decode_file, read_devices
from .register import register_rows
from .rows import Note, Problem, Row
from .write import FileFormat, lost_in_csv, write_devices

__all__ = [
    "DeviceFile",
    "FileFormat",
    "Note",
    "Outcome",
    "Problem",
    "Row",
    "Status",
    "check_rows",
    "counts",
    "decode_file",
    "lost_in_csv",
    "read_devices",
    "register_rows",
    "report_csv",
    "report_json",
    "write_devices",
]
