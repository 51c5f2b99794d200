"""What commands write: answers on the standard output, all else on the standard error.

On a terminal with colour, a heading above tables and a sign of progress; elsewhere plain text.
"""

from collections.abc import Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from datetime import datetime
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from .error_texts import explained

if TYPE_CHECKING:
    from ..errors import StackError
    from .run import Settings

REFUSED = 1
USAGE = 2
UNREACHABLE = 3


class Refused(Exception):  # noqa: N818 - the name says what happened
    """A command that ends before a request: a mistake in the call, or nobody agreed to it."""

    def __init__(self, message: str, *, name: str, code: int) -> None:
        """Keep the name of the reason and the exit code."""
        super().__init__(message)
        self.name = name
        self.code = code


# -- Answers --------------------------------------------------------------------------------------


def print_json(value: Any, *, indent: bool = False) -> None:
    """Print a value as JSON: indented and, on a terminal, with colour for people, else one line."""
    import orjson

    option = orjson.OPT_INDENT_2 if indent else 0
    text = orjson.dumps(value, default=_plain, option=option | orjson.OPT_UTC_Z).decode()
    if indent and sys.stdout.isatty():
        from rich.console import Console

        Console().print_json(text, ensure_ascii=False)
    else:
        print(text, flush=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError


def print_done(context: typer.Context, text: str, answer: Mapping[str, Any]) -> None:
    """Print the result of a command: `answer` as JSON with --json, else the text."""
    print_json(answer) if context.obj.json else print(text)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows as a table; without its heading where it goes to a file or another program."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_on_terminal(columns, cells)
        return
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        line = "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        print(line.rstrip())


def _print_on_terminal(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, style="cyan" if number == 0 else None, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    if rows:
        Console().print(table)


def time_text(time: datetime | None) -> str | None:
    """Return a time in ISO format with "Z" for UTC; None for None."""
    return None if time is None else time.isoformat().replace("+00:00", "Z")


def seconds_text(time: datetime | None) -> str | None:
    """Return a time as `time_text`, to the second: for tables, which have little room."""
    return None if time is None else time_text(time.replace(microsecond=0))


# -- Notes, questions, errors ---------------------------------------------------------------------


def note(text: str) -> None:
    """Print a note for people on the standard error."""
    typer.secho(text, err=True, dim=True if _colourful() else None)


def note_if_empty(found: Sized, what: str) -> None:
    """Print on standard error that nothing was found, if the list is empty."""
    if not found:
        note(f"no {what} found")


def note_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Print on the standard error which values of `after` differ from `before`."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    for name in changed:
        note(f"{name}: {_short(old.get(name))} → {_short(new.get(name))}")
    if not changed:
        note("nothing was changed: it is so already")


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield path, value
        return
    for name, member in value.items():
        yield from _leaves(member, f"{path}.{name}" if path else name)


def _short(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value in (None, "") else str(value)


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Show on a terminal that something is on its way; nothing may be printed meanwhile."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{text} …"):
        yield


def confirm(question: str, *, yes: bool) -> None:
    """Ask the user for confirmation, unless `yes`; anything else than yes raises Refused.

    So does a standard input that is no terminal: nobody can be asked there.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        refuse_usage(
            f"{question} Nobody can be asked here: repeat it with --yes", "confirmation_needed"
        )
    try:
        confirmed = typer.confirm(question, err=True)
    except typer.Abort:  # the input ended
        confirmed = False
    if not confirmed:
        raise Refused("nothing was changed", name="not_confirmed", code=REFUSED)


def refuse_usage(text: str, name: str = "usage") -> NoReturn:
    """End the command because of its arguments, with exit code USAGE; raises Refused."""
    raise Refused(text, name=name, code=USAGE)


def print_refused(error: Refused, *, json: bool) -> int:
    """Print why a command ended before a request; returns the exit code."""
    print_error(error.name, str(error), json=json, named=False)
    return error.code


def refuse(error: "StackError", settings: "Settings") -> NoReturn:
    """Print an error on standard error, as JSON if wanted, and end the command.

    The exit code is UNREACHABLE, USAGE for a fault found before a request, or REFUSED.
    """
    from ..errors import ConnectionFailed, InvalidRequest, MissingRight, ServerFailed

    details: dict[str, Any] = {"namespace": error.namespace}
    if isinstance(error, MissingRight) and error.rights:
        details["missing_rights"] = list(error.rights)
    print_error(error.name, explained(error, settings), json=settings.json, **details)
    if isinstance(error, ConnectionFailed | ServerFailed):
        raise typer.Exit(UNREACHABLE)
    ours = isinstance(error, InvalidRequest) and error.status is None
    raise typer.Exit(USAGE if ours else REFUSED)


def print_error(name: str, message: str, *, json: bool, named: bool = True, **details: Any) -> None:
    """Print an error on the standard error: as JSON, or as text with its name where `named`."""
    if json:
        import orjson

        answer = {"name": name, "namespace": None, "message": message, **details}
        print(orjson.dumps({"error": answer}).decode(), file=sys.stderr)
        return
    text = f"{name}: {message}" if named else message
    typer.secho(text, err=True, fg=typer.colors.RED if _colourful() else None)


def _colourful() -> bool:
    """Return whether the standard error is a terminal that is to have colour (no-color.org)."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")
