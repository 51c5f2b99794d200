"""What became of a row: its status, and a report of all rows for people and programs."""

from collections import Counter
from collections.abc import Iterable, Sequence
import csv
from dataclasses import dataclass
from enum import StrEnum
import io
from typing import Any

from ..device_request import PreparedRegistration
from .rows import Note, Problem, Row


class Status(StrEnum):
    """What became of a row, or what would."""

    READY = "ready"
    """It was checked and can be registered."""
    PRESENT = "present"
    """The same end device is registered already; it is left as it is."""
    REFUSED = "refused"
    """It can't be registered; nothing was changed for it."""
    REGISTERED = "registered"
    HALF_CREATED = "half_created"
    """Registering failed, and so did undoing it: parts are left on some servers."""
    NOT_TRIED = "not_tried"
    """An earlier one ended the import: the server was not reached, or the key was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A row with its status and the reasons for it; `prepared` is what a READY one registers."""

    row: Row
    status: Status
    problems: tuple[Problem, ...] = ()
    prepared: PreparedRegistration | None = None


def counts(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Return how many rows have each status; statuses without rows are left out."""
    found = Counter(outcome.status for outcome in outcomes)
    return {status.value: found[status] for status in Status if found[status]}


def report_json(outcomes: Sequence[Outcome], notes: Sequence[Note] = ()) -> dict[str, Any]:
    """Return a report as JSON: counts by status, notes on the file, and each row; no keys."""
    return {
        "counts": counts(outcomes),
        "notes": [str(note) for note in notes],
        "end_devices": [
            {
                "line": outcome.row.line,
                "device_id": outcome.row.device_id,
                "dev_eui": outcome.row.dev_eui,
                "name": outcome.row.name,
                "status": outcome.status.value,
                "problems": [
                    {"column": item.column, "name": item.error.name, "text": item.error.message}
                    for item in outcome.problems
                ],
                "notes": [str(note) for note in outcome.row.notes],
            }
            for outcome in outcomes
        ],
    }


def report_csv(outcomes: Sequence[Outcome]) -> str:
    """Return a report as CSV with a heading, for a spreadsheet; no keys."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(("line", "device_id", "dev_eui", "name", "status", "problems", "notes"))
    for outcome in outcomes:
        row = outcome.row
        writer.writerow(
            (
                *(row.line, row.device_id, row.dev_eui, row.name, outcome.status.value),
                "\n".join(map(str, outcome.problems)),
                "\n".join(map(str, row.notes)),
            )
        )
    return text.getvalue()
