"""The commands that register the end devices in a file, and write them to one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import REFUSED, confirm, note, print_json, print_table, progress, refuse_usage
from .run import Yes, run_with

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..bulk import Outcome, Row
    from ..device_request import PreparedRegistration
    from ..stack import Stack


class Format(StrEnum):
    """The formats that end devices are written in."""

    CSV = "csv"
    JSON = "json"


_WORDS = {
    "ready": "can be registered",
    "present": "there already",
    "refused": "refused",
    "registered": "registered",
    "half_created": "half created",
    "not_tried": "not tried",
}
"""What became of a row, in words."""


def import_devices(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            dir_okay=False, allow_dash=True, help='CSV or JSON; "-" is the standard input.'
        ),
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be registered.")
    ] = False,
    frequency_plan: Annotated[
        str | None, typer.Option(help="For those that have none and no model.")
    ] = None,
    lorawan_version: Annotated[
        str | None, typer.Option(help="For those that have none and no model.")
    ] = None,
    phy_version: Annotated[
        str | None, typer.Option(help="For those that have none and no model.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="Write what became of each to this file: .csv, else JSON."
        ),
    ] = None,
    yes: Yes = False,
) -> None:
    """Register all end devices in a file.

    The file is CSV or JSON as the Console takes it. Each end device is registered on all servers or
    on none; those that are there already are left as they are. The command fails if one of them
    could not be registered.
    """
    text = _read(file)

    async def work(stack: "Stack") -> None:
        from ..bulk import read_devices

        defaults = {
            "frequency_plan_id": frequency_plan,
            "lorawan_version": lorawan_version,
            "lorawan_phy_version": phy_version,
        }
        found = read_devices(text, defaults)
        for remark in found.notes:
            note(str(remark))
        outcomes = await _checked(stack, found.rows)
        _write_report(report, outcomes)  # an unwritable file is refused before anything changes
        if not dry_run and any(outcome.status == "ready" for outcome in outcomes):
            _note_refused(outcomes)
            confirm(_question(outcomes), yes=yes)
            await _register(stack, outcomes, lambda: _write_report(report, outcomes))
        _show(outcomes, json=context.obj.json, notes=found.notes)
        if not all(outcome.status in ("ready", "present", "registered") for outcome in outcomes):
            raise typer.Exit(REFUSED)

    run_with(context, work)


def _read(path: Path) -> str:
    """Return a file's text; an unreadable file ends the command."""
    from ..bulk import decode_file

    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        refuse_usage(f"{path} can't be read: {error.strerror}")
    return decode_file(data)


async def _checked(stack: "Stack", rows: "Sequence[Row]") -> "list[Outcome]":
    from ..bulk import check_rows

    found = []
    with _bar("Checking", len(rows)) as advance:
        async for outcome in check_rows(stack, rows):
            found.append(outcome)
            advance()
    return found


async def _register(
    stack: "Stack", outcomes: "list[Outcome]", write_report: "Callable[[], None]"
) -> None:
    """Register what can be, and replace the outcomes; the report is written if cancelled, too."""
    import asyncio

    from ..bulk import counts, register_rows
    from ..device_request import claim_and_register

    async def register(prepared: "PreparedRegistration") -> None:
        await claim_and_register(stack, prepared.registration)

    number = 0
    try:
        with _bar("Registering", len(outcomes)) as advance:
            async for outcome in register_rows(list(outcomes), register):
                outcomes[number] = outcome
                number += 1
                advance()
    except asyncio.CancelledError:
        note(f"stopped: {counts(outcomes).get('registered', 0)} were registered, the others not")
        raise
    finally:
        write_report()


def _question(outcomes: "Sequence[Outcome]") -> str:
    from ..bulk import counts

    found = counts(outcomes)
    ready = found.pop("ready")
    rest = ", ".join(f"{count} {_WORDS[status]}" for status, count in found.items())
    question = f"Register {ready} end device{'s' if ready > 1 else ''}?"
    return f"{question} ({rest})" if rest else question


def _note_refused(outcomes: "Sequence[Outcome]") -> None:
    for outcome in outcomes:
        for problem in outcome.problems:
            note(f"line {outcome.row.line}, {_name(outcome.row)}: {problem}")


def _name(row: "Row") -> str:
    return row.device_id or row.dev_eui or row.name or "no ID"


def _show(outcomes: "Sequence[Outcome]", *, json: bool, notes: "Sequence[Any]") -> None:
    from ..bulk import counts, report_json

    if json:
        print_json(report_json(outcomes, notes))
        return
    rows = []
    for outcome in outcomes:
        texts = [*map(str, outcome.problems), *map(str, outcome.row.notes)]
        what = (outcome.row.line, _name(outcome.row), _WORDS[outcome.status], "; ".join(texts))
        rows.append(what)
    print_table(("LINE", "ID", "STATUS", "WHY"), rows)
    note(", ".join(f"{count} {_WORDS[status]}" for status, count in counts(outcomes).items()))


def _write_report(path: Path | None, outcomes: "Sequence[Outcome]") -> None:
    """Write the report; an unwritable file ends the command."""
    if path is None:
        return
    import orjson

    from ..bulk import report_csv, report_json

    if path.suffix.lower() == ".csv":
        text = report_csv(outcomes)
    else:
        text = orjson.dumps(report_json(outcomes), option=orjson.OPT_INDENT_2).decode() + "\n"
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        refuse_usage(f"{path} can't be written: {error.strerror}")


@contextmanager
def _bar(text: str, total: int) -> "Iterator[Callable[[], None]]":
    """Show a bar on a terminal; the function that is given moves it on by one."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=total)
        yield lambda: bar.advance(task)


def export_devices(
    context: typer.Context,
    *,
    file_format: Annotated[
        Format,
        typer.Option("--format", help="JSON has more of each end device, and is one file."),
    ] = Format.JSON,
    frequency_plan: Annotated[
        str | None, typer.Option(help="Needed with --v2, where end devices have none.")
    ] = None,
    lorawan_version: Annotated[
        str | None, typer.Option(help="With --v2; 1.0.2 unless it is given.")
    ] = None,
    keys: Annotated[
        bool, typer.Option("--keys", help="With their keys, so that they can be imported.")
    ] = False,
) -> None:
    """Write all end devices as CSV or JSON.

    As the Console's bulk import takes it; keys are written only with --keys.
    """

    async def work(stack: "Stack") -> None:
        from ..bulk import FileFormat, lost_in_csv, write_devices

        wanted = FileFormat(file_format)
        with progress("Reading the end devices"):
            exported = await stack.end_devices.export(
                with_keys=keys, frequency_plan_id=frequency_plan, lorawan_version=lorawan_version
            )
        for device_id, device in exported.items():
            if (new_id := device["ids"]["device_id"]) != device_id:
                note(f"{device_id} is called {new_id} in it: version 3 doesn't allow its ID")
        found = list(exported.values())
        if wanted is FileFormat.CSV and (lost := lost_in_csv(found)):
            note(f"CSV has no columns for {', '.join(lost)}: --format json has them")
        files = write_devices(found, wanted)
        if len(files) > 1:
            note(
                f"these are {len(files)} files, with an empty line between: the Console's import "
                "takes no empty cells; --format json is one"
            )
        sys.stdout.write("\n".join(files))

    run_with(context, work)
