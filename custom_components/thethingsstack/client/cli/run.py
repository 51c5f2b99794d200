"""Shared by all commands: settings, opening the client, output, errors and exit codes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sized
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
import sys
from typing import Annotated, Any, NoReturn

import aiohttp
import orjson

from ..connection import Connection, is_loopback
from ..errors import (
    AuthenticationFailed,
    ConnectionFailed,
    InvalidRequest,
    MissingRight,
    ServerFailed,
    StackError,
)
from ..mqtt import tls_context
from ..stack import Stack

try:
    import typer
except ModuleNotFoundError:
    print("The command line needs an extra: pip install 'thethingsstack[cli]'", file=sys.stderr)
    raise SystemExit(2) from None

__all__ = [
    "REFUSED",
    "UNREACHABLE",
    "USAGE",
    "Settings",
    "Yes",
    "confirm",
    "group",
    "hexadecimal",
    "json_object",
    "no_rights",
    "note_if_empty",
    "opened",
    "pairs",
    "print_done",
    "print_json",
    "read_text",
    "refuse",
    "refuse_usage",
    "run_with",
    "time_text",
    "typer",
]

Yes = Annotated[bool, typer.Option("--yes", help="Don't ask for confirmation.")]

REFUSED = 1
USAGE = 2
UNREACHABLE = 3


@dataclass(kw_only=True)
class Settings:
    """The options that all commands share: server, application, API key, output format."""

    server: str | None = None
    identity_server: str | None = None
    application: str | None = None
    api_key: str = field(default="", repr=False)
    ca_pem: str | None = None
    json: bool = False


def no_rights(application: str) -> MissingRight:
    """Return the error for an API key without any right on the application."""
    return MissingRight(
        f"no rights for application `{application}`",
        name="no_application_rights",
        namespace="pkg/auth/rights",
    )


def run_with(
    context: typer.Context,
    work: Callable[[Stack], Coroutine[Any, Any, None]],
    *,
    application_needed: bool = True,
) -> None:
    """Run a command's work with the client; an error is printed and ends the command."""
    settings: Settings = context.obj
    if not settings.server:
        refuse_usage("no server: --server or TTN_SERVER")
    if not settings.api_key:
        refuse_usage("no API key: TTN_API_KEY, TTN_API_KEY_FILE or --api-key-file")

    async def run() -> None:
        async with opened(settings, application_needed=application_needed) as stack:
            await work(stack)

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    except StackError as error:
        refuse(error, json=settings.json)


@asynccontextmanager
async def opened(settings: Settings, *, application_needed: bool) -> AsyncIterator[Stack]:
    """Open a client with these settings; its session is closed at the end.

    Raises InvalidRequest for http:// to another machine, and without an application if it is needed.
    """
    connection = Connection(
        server=settings.server or "",
        identity_server=settings.identity_server or "",
        application_id=settings.application,
        api_key=settings.api_key,
    )
    plain = connection.server.startswith("http://")
    if plain and not is_loopback(connection.server_host):
        raise InvalidRequest(
            "plain http:// is for this machine only: the key would be readable",
            name="plaintext_refused",
        )
    context = tls_context(settings.ca_pem)
    async with aiohttp.ClientSession() as session:
        if connection.application_id is None:
            stack = Stack(connection, session=session, tls_context=context)
            info = await stack.auth_info()
            if info.application_id is None and application_needed:
                raise InvalidRequest(
                    "the key is not of one application: name it with --application",
                    name="no_application_id",
                )
            settings.application = info.application_id
        yield Stack(
            Connection(
                server=connection.server,
                identity_server=connection.identity_server,
                application_id=settings.application,
                tenant_id=connection.tenant_id,
                api_key=connection.api_key,
                mqtt_tls=not plain,
            ),
            session=session,
            tls_context=context,
        )


def read_text(path: Path | None) -> str:
    """Return the text of a file, "" for None; an unreadable file ends the command."""
    if path is None:
        return ""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        refuse_usage(f"{path} can't be read: {getattr(error, 'strerror', None) or 'no text'}")


def refuse_usage(text: str) -> NoReturn:
    """Print what is wrong with the arguments, and end the command with exit code USAGE."""
    print(text, file=sys.stderr)
    raise typer.Exit(USAGE)


def confirm(question: str, *, yes: bool) -> None:
    """Ask the user for confirmation, unless `yes`; anything else than yes ends the command.

    If standard input is no terminal, the command ends and asks for `--yes`.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        refuse_usage(f"{question} Nobody can be asked here: repeat it with --yes")
    if not typer.confirm(question, err=True):
        raise typer.Exit(REFUSED)


def print_done(context: typer.Context, text: str, answer: Mapping[str, Any]) -> None:
    """Print the result of a command: `answer` as JSON with --json, else the text."""
    print_json(answer) if context.obj.json else print(text)


def note_if_empty(found: Sized, what: str) -> None:
    """Print on standard error that nothing was found, if the list is empty."""
    if not found:
        print(f"no {what} found", file=sys.stderr)


def refuse(error: StackError, *, json: bool) -> NoReturn:
    """Print an error on standard error, as JSON if wanted, and end the command.

    The exit code is UNREACHABLE, USAGE for a fault found before a request, or REFUSED.
    """
    lacking = list(error.rights) if isinstance(error, MissingRight) else []
    if json:
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
        print(f"{error.name}: {error.message}{more}", file=sys.stderr)
    if isinstance(error, ConnectionFailed | ServerFailed):
        raise typer.Exit(UNREACHABLE)
    ours = isinstance(error, InvalidRequest) and error.status is None
    raise typer.Exit(USAGE if ours else REFUSED)


def time_text(time: datetime | None) -> str | None:
    """Return a time in ISO format with "Z" for UTC; None for None."""
    return None if time is None else time.isoformat().replace("+00:00", "Z")


def print_json(value: object, *, indent: bool = False) -> None:
    """Print a value as JSON; dataclasses, mappings and sets are converted."""
    option = orjson.OPT_INDENT_2 if indent else 0
    print(orjson.dumps(value, default=_plain, option=option).decode(), flush=True)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError


def json_object(text: str, otherwise: str) -> dict[str, Any]:
    """Return a JSON object from a text; no JSON, or with `otherwise` no object, ends the command."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        refuse_usage(f"the object is no JSON: {error}")
    if not isinstance(value, dict):
        refuse_usage(otherwise)
    return value


def hexadecimal(text: str) -> bytes:
    """Return the bytes of hexadecimal digits; another text ends the command."""
    try:
        return bytes.fromhex(text.removeprefix("0x").replace(":", " ").replace("-", " "))
    except ValueError:
        refuse_usage("the payload is no hexadecimal number of whole bytes")


def group(help_text: str) -> typer.Typer:
    """Return an empty group of commands with this help text."""
    return typer.Typer(no_args_is_help=True, help=help_text, rich_markup_mode=None)


def pairs(texts: list[str] | None, *, removable: bool = False) -> dict[str, str | None]:
    """Return KEY=VALUE options as a mapping; with `removable`, "KEY=" is None."""
    found: dict[str, str | None] = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not equals or (not value and not removable):
            refuse_usage(f"{text} is not of the form KEY=VALUE")
        found[key] = value or None
    return found
