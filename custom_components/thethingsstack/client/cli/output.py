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

if TYPE_CHECKING:
    from ..errors import StackError

REFUSED = 1
USAGE = 2
UNREACHABLE = 3


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
    """Ask the user for confirmation, unless `yes`; anything else than yes ends the command.

    If standard input is no terminal, the command ends and asks for `--yes`.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        refuse_usage(f"{question} Nobody can be asked here: repeat it with --yes")
    if not typer.confirm(question, err=True):
        note("nothing was changed")
        raise typer.Exit(REFUSED)


def refuse_usage(text: str) -> NoReturn:
    """Print what is wrong with the arguments, and end the command with exit code USAGE."""
    _print_error(text)
    raise typer.Exit(USAGE)


def refuse(error: "StackError", *, json: bool) -> NoReturn:
    """Print an error on standard error, as JSON if wanted, and end the command.

    The exit code is UNREACHABLE, USAGE for a fault found before a request, or REFUSED.
    """
    from ..errors import (
        AuthenticationFailed,
        ConnectionFailed,
        InvalidRequest,
        MissingRight,
        ServerFailed,
    )
    from ..formatters import FormatterFailed

    lacking = list(error.rights) if isinstance(error, MissingRight) else []
    if json:
        import orjson

        answer: dict[str, Any] = {
            "name": error.name,
            "namespace": error.namespace,
            "message": error.message,
        }
        if lacking:
            answer["missing_rights"] = lacking
        print(orjson.dumps({"error": answer}).decode(), file=sys.stderr)
    else:
        more = (
            ". The server doesn't take the API key: it is mistyped, deleted, expired or another's"
            if isinstance(error, AuthenticationFailed)
            else ""
        )
        more += f" (missing: {', '.join(lacking)})" if lacking else ""
        failed = "the formatter refuses it: " if isinstance(error, FormatterFailed) else ""
        _print_error(f"{error.name}: {failed}{error.message}{more}")
    if isinstance(error, ConnectionFailed | ServerFailed):
        raise typer.Exit(UNREACHABLE)
    ours = isinstance(error, InvalidRequest) and error.status is None
    raise typer.Exit(USAGE if ours else REFUSED)


def _print_error(text: str) -> None:
    typer.secho(text, err=True, fg=typer.colors.RED if _colourful() else None)


def _colourful() -> bool:
    """Return whether the standard error is a terminal that is to have colour (no-color.org)."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")
