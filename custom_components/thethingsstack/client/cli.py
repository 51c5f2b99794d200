"""The command `thethingsstack`: look at an application, follow its uplinks, make any API call."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
import os
from pathlib import Path
import sys
from typing import Annotated, Any, NoReturn

import aiohttp
import orjson

from .connection import Connection, is_loopback
from .errors import ConnectionFailed, InvalidRequest, MissingRight, ServerFailed, StackError
from .messages import UplinkMessage
from .rights import TRAFFIC_READ, missing
from .stack import Stack
from .stream import MessagesDropped, StreamConnected, StreamLost, UnreadableMessage
from .tls import tls_context

try:
    import typer
except ModuleNotFoundError:
    print("The command line needs an extra: pip install 'thethingsstack[cli]'", file=sys.stderr)
    raise SystemExit(2) from None

REFUSED = 1
USAGE = 2
UNREACHABLE = 3

_GLOBAL_FLAGS = ("--json",)
_GLOBAL_OPTIONS = (
    "--server",
    "--identity-server",
    "--application",
    "--api-key-file",
    "--ca-file",
)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Look at an application on The Things Stack, follow its uplinks, make any API call. "
    "The options stand before or after the command. The API key comes from TTN_API_KEY or a file.",
)
devices_app = typer.Typer(no_args_is_help=True, help="End devices.", rich_markup_mode=None)
app.add_typer(devices_app, name="devices")


@dataclass(kw_only=True)
class Settings:
    """Where, who, and in which form."""

    server: str | None = None
    identity_server: str | None = None
    application: str | None = None
    api_key: str = field(default="", repr=False)
    ca_pem: str | None = None
    json: bool = False


@app.callback()
def configure(
    context: typer.Context,
    *,
    server: Annotated[
        str | None, typer.Option(envvar="TTN_SERVER", help="URL of the cluster.")
    ] = None,
    identity_server: Annotated[
        str | None,
        typer.Option(envvar="TTN_IDENTITY_SERVER", help="URL of the Identity Server, if another."),
    ] = None,
    application: Annotated[
        str | None,
        typer.Option(
            envvar="TTN_APPLICATION", help="The application, or application@tenant; else the key's."
        ),
    ] = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option(envvar="TTN_API_KEY_FILE", help="File with the API key; else TTN_API_KEY."),
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(envvar="TTN_CA_FILE", help="Private CA to trust, PEM.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on the standard output.")] = False,
) -> None:
    """Take the options that all commands share."""
    source = context.get_parameter_source("api_key_file")
    by_option = source is not None and source.name == "COMMANDLINE"
    variable = "" if by_option else os.environ.get("TTN_API_KEY", "").strip()
    context.obj = Settings(
        server=server,
        identity_server=identity_server,
        application=application,
        # Never an option: arguments are seen by everyone on the machine.
        api_key=variable or _text(api_key_file).strip(),
        ca_pem=_text(ca_file) or None,
        json=json,
    )


@app.command()
def rights(context: typer.Context) -> None:
    """Show what the key may do, and what will be missing."""

    async def show(stack: Stack) -> None:
        info = await stack.auth_info()
        application = stack.connection.application_id
        held = await stack.rights() if application else info.rights
        if application and not held:
            raise _no_rights(application)
        lacking = missing(held)
        answer = {
            "application_id": application,
            "key_id": info.key_id,
            "rights": sorted(held),
            "missing": lacking,
            "expires_at": _time(info.expires_at),
        }
        if context.obj.json:
            _print_json(answer)
            return
        print(f"application  {application or '(none: name one)'}")
        print(f"key          {info.key_id} {info.key_name or ''}".rstrip())
        print(f"expires      {answer['expires_at'] or 'never'}")
        print("rights       " + "\n             ".join(sorted(held)))
        for feature, needed in lacking.items():
            print(f"missing      {feature}: {', '.join(needed)}")

    _run(context, show, application_needed=False)


@devices_app.command("list")
def devices_list(context: typer.Context) -> None:
    """List the end devices."""

    async def show(stack: Stack) -> None:
        found = [device async for device in stack.devices()]
        if context.obj.json:
            _print_json([device.raw for device in found])
            return
        width = max((len(device.ids.device_id) for device in found), default=0)
        for device in found:
            seen = _time(device.last_seen_at) or "never seen"
            eui = device.ids.dev_eui or "-"
            print(
                f"{device.ids.device_id:{width}}  {eui:16}  {seen:27}  {device.name or ''}".rstrip()
            )

    _run(context, show)


@devices_app.command("show")
def devices_show(context: typer.Context, device_id: str) -> None:
    """Show one end device, merged from all servers, without keys."""

    async def show(stack: Stack) -> None:
        device = await stack.end_devices.details(device_id)
        _print_json(device, indent=not context.obj.json)

    _run(context, show)


@app.command()
def uplinks(
    context: typer.Context,
    device: Annotated[str | None, typer.Option(help="Only this device.")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="Stop after so many.")] = None,
) -> None:
    """Follow the uplinks as they come."""

    async def follow(stack: Stack) -> None:
        await _need_traffic(stack)
        seen = 0
        ever_connected = False
        async with aclosing(stack.stream()) as stream:
            async for item in stream:
                if isinstance(item, StreamConnected):
                    ever_connected = True
                elif isinstance(item, StreamLost) and not ever_connected:
                    raise item.error
                if not isinstance(item, UplinkMessage):
                    _note(item)
                elif device in (None, item.ids.device_id):
                    _print_json(item.raw) if context.obj.json else print(_line(item), flush=True)
                    seen += 1
                    if seen == count:
                        return

    _run(context, follow)


@app.command()
def api(
    context: typer.Context,
    method: str,
    path: str,
    body: Annotated[str | None, typer.Argument()] = None,
) -> None:
    """Make any call of the HTTP API; BODY is JSON, "-" reads it from the standard input."""
    verb = method.upper()
    if verb not in _METHODS:
        _refuse_usage(f"the method is one of {', '.join(_METHODS)}")
    try:
        data = None if body is None else orjson.loads(sys.stdin.read() if body == "-" else body)
    except orjson.JSONDecodeError as error:
        _refuse_usage(f"the body is no JSON: {error}")

    async def call(stack: Stack) -> None:
        answer = await stack.request(verb, path, json=data)
        _print_json(answer, indent=not context.obj.json)

    _run(context, call, application_needed=False)


async def _need_traffic(stack: Stack) -> None:
    # The MQTT server lets any key subscribe and then stays silent.
    held = await stack.rights()
    if not held:
        raise _no_rights(stack.connection.uid)
    if TRAFFIC_READ not in held:
        raise MissingRight(
            f"insufficient rights for application `{stack.connection.uid}`: {TRAFFIC_READ}",
            rights=[TRAFFIC_READ],
            name="insufficient_application_rights",
            namespace="pkg/auth/rights",
        )


def _no_rights(application: str) -> MissingRight:
    return MissingRight(
        f"no rights for application `{application}`",
        name="no_application_rights",
        namespace="pkg/auth/rights",
    )


def _run(
    context: typer.Context,
    work: Callable[[Stack], Coroutine[Any, Any, None]],
    *,
    application_needed: bool = True,
) -> None:
    settings: Settings = context.obj
    if not settings.server:
        _refuse_usage("no server: --server or TTN_SERVER")
    if not settings.api_key:
        _refuse_usage("no API key: TTN_API_KEY, TTN_API_KEY_FILE or --api-key-file")

    async def run() -> None:
        async with _stack(settings, application_needed=application_needed) as stack:
            await work(stack)

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    except StackError as error:
        _refuse(error, json=settings.json)


@asynccontextmanager
async def _stack(settings: Settings, *, application_needed: bool) -> AsyncIterator[Stack]:
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


def _text(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        _refuse_usage(f"{path} can't be read: {getattr(error, 'strerror', None) or 'no text'}")


def _refuse_usage(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise typer.Exit(USAGE)


def _refuse(error: StackError, *, json: bool) -> NoReturn:
    if json:
        told = {"name": error.name, "namespace": error.namespace, "message": error.message}
        print(orjson.dumps({"error": told}).decode(), file=sys.stderr)
    else:
        print(f"{error.name}: {error.message}", file=sys.stderr)
    if isinstance(error, ConnectionFailed | ServerFailed):
        raise typer.Exit(UNREACHABLE)
    ours = isinstance(error, InvalidRequest) and error.status is None
    raise typer.Exit(USAGE if ours else REFUSED)


def _note(item: object) -> None:
    match item:
        case StreamConnected():
            text = "connected"
        case StreamLost():
            text = f"connection lost, trying again ({item.error.name}: {item.error})"
        case MessagesDropped():
            text = f"{item.count} messages dropped"
        case UnreadableMessage():
            text = f"unreadable message on {item.topic} ({item.error.name})"
        case _:
            return
    print(text, file=sys.stderr)


def _line(uplink: UplinkMessage) -> str:
    heard = uplink.best_reception
    radio = f"{heard.rssi:g} dBm {heard.snr:g} dB" if heard and heard.rssi is not None else ""
    payload = (uplink.frm_payload or b"").hex()
    decoded = (
        "" if uplink.decoded_payload is None else orjson.dumps(uplink.decoded_payload).decode()
    )
    mark = "simulated" if uplink.simulated else ""
    parts = (
        _time(uplink.time),
        uplink.ids.device_id,
        f"port {uplink.f_port}",
        radio,
        payload,
        decoded,
        mark,
    )
    return "  ".join(part for part in parts if part)


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat().replace("+00:00", "Z")


def _print_json(value: object, *, indent: bool = False) -> None:
    print(orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else 0).decode(), flush=True)


def _hoist(arguments: list[str]) -> list[str]:
    """Put the options of all commands before the command."""
    first: list[str] = []
    rest: list[str] = []
    left = iter(arguments)
    for argument in left:
        if argument == "--":
            rest += [argument, *left]
        elif argument in _GLOBAL_FLAGS or argument.startswith(
            tuple(f"{option}=" for option in _GLOBAL_OPTIONS)
        ):
            first.append(argument)
        elif argument in _GLOBAL_OPTIONS:
            first += [argument, *[value for value in (next(left, None),) if value is not None]]
        else:
            rest.append(argument)
    return first + rest


def main() -> None:
    """Run the command."""
    app(args=_hoist(sys.argv[1:]), prog_name="thethingsstack")
