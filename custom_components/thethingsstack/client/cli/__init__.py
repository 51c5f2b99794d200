"""The command line `thethingsstack`: read and change an application, follow its messages."""

from enum import StrEnum
import os
from pathlib import Path
import sys
from typing import TYPE_CHECKING, Annotated

try:
    import typer
except ModuleNotFoundError:
    print("The command line needs an extra: pip install 'thethingsstack[cli]'", file=sys.stderr)
    raise SystemExit(2) from None

from .application import application_app
from .devices import devices_app
from .downlinks import downlink_app
from .follow import events, uplinks
from .formatters import formatter_app
from .gateways import gateways_app
from .handlers import handlers
from .models import models_app, plans, qr_code
from .output import (
    USAGE,
    Refused,
    note,
    print_done,
    print_error,
    print_json,
    print_refused,
    refuse_usage,
    time_text,
)
from .run import HELP, DeviceId, Settings, hexadecimal, no_rights, read_text, run_with

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..stack import Stack

_GLOBAL_FLAGS = ("--json", "--v2", "--plaintext")
_GLOBAL_OPTIONS = (
    "--server",
    "--identity-server",
    "--application",
    "--api-key-file",
    "--ca-file",
    "--mqtt",
)


class Method(StrEnum):
    """The methods of HTTP."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=HELP,
    help="Look at an application on The Things Stack, follow its uplinks, make any API call. "
    "The options stand before or after the command. The API key comes from TTN_API_KEY or a file.",
)
_GROUPS = {
    "devices": devices_app,
    "downlink": downlink_app,
    "models": models_app,
    "formatter": formatter_app,
    "application": application_app,
    "gateways": gateways_app,
}
for _name, _group in _GROUPS.items():
    app.add_typer(_group, name=_name)


def _show_version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        print(f"thethingsstack {__version__}")
        raise typer.Exit


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
    mqtt: Annotated[
        str | None,
        typer.Option(
            envvar="TTN_MQTT",
            metavar="HOST[:PORT]",
            help="The MQTT server, if another; mqtt:// or mqtts:// before it decides on TLS.",
        ),
    ] = None,
    plaintext: Annotated[
        bool,
        typer.Option(
            "--plaintext",
            envvar="TTN_PLAINTEXT",
            help="Allow http:// to another machine: the key can be read on the way.",
        ),
    ] = False,
    v2: Annotated[
        bool,
        typer.Option(
            "--v2",
            envvar="TTN_V2",
            help="The server is the Handler of a The Things Network stack, version 2.",
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON on the standard output.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Read the options that all commands share into the context's settings."""
    origins = _origins(context)
    by_option = origins.get("api_key_file") == "--api-key-file"
    variable = "" if by_option else os.environ.get("TTN_API_KEY", "").strip()
    origins["api_key"] = "TTN_API_KEY" if variable else f"the file {api_key_file}"
    context.obj = Settings(
        server=server,
        identity_server=identity_server,
        application=application,
        # Not an option itself: everyone on the machine can read a program's arguments.
        api_key=variable or read_text(api_key_file).strip(),
        ca_pem=read_text(ca_file) or None,
        mqtt=mqtt,
        plaintext=plaintext,
        v2=v2,
        json=json,
        origins=origins,
    )


def _origins(context: typer.Context) -> dict[str, str]:
    """Return the option or variable that each given setting comes from."""
    found: dict[str, str] = {}
    for name in ("server", "identity_server", "api_key_file", "mqtt"):
        source = context.get_parameter_source(name)
        if source is not None and source.name in ("COMMANDLINE", "ENVIRONMENT"):
            option = f"--{name.replace('_', '-')}"
            found[name] = option if source.name == "COMMANDLINE" else f"TTN_{name.upper()}"
    return found


@app.command()
def rights(context: typer.Context) -> None:
    """Show the API key's rights, and which features lack some."""

    async def show(stack: "Stack") -> None:
        from ..rights import missing_rights, with_console_name

        info = await stack.auth_info()
        application = stack.connection.application_id
        held = await stack.rights() if application else info.rights
        has = stack.capabilities

        def shown(rights: "Iterable[str]") -> list[str]:
            return list(
                dict.fromkeys(
                    has.right_names.get(r) or with_console_name(r) for r in sorted(rights)
                )
            )

        if application and not held:
            raise no_rights(application)
        there = {"storage_settings": has.storage, "simulate": has.simulated_uplinks}
        lacking = {
            feature: needed
            for feature, needed in missing_rights(held).items()
            if there.get(feature, True)
        }
        answer = {
            "application_id": application,
            "key_id": info.key_id,
            "rights": sorted(held),
            "missing": lacking,
            "expires_at": time_text(info.expires_at),
        }
        if context.obj.json:
            print_json(answer)
            return
        print(f"application  {application or 'none: name one with --application'}")
        if has.rights_listing:
            print(f"key          {info.key_id} {info.key_name or ''}".rstrip())
            print(f"expires      {answer['expires_at'] or 'never'}")
        else:
            note("found by trying; what may be done with messages only the MQTT server knows")
        print("rights       " + "\n             ".join(shown(held)))
        for feature, needed in lacking.items():
            print(f"missing      {feature}: {', '.join(shown(needed))}")

    run_with(context, show, application_needed=False)


app.command("plans")(plans)
app.command("qr-code")(qr_code)
app.command("events")(events)
app.command("handlers")(handlers)
app.command("uplinks")(uplinks)


@app.command()
def simulate(
    context: typer.Context,
    device_id: DeviceId,
    port: Annotated[int, typer.Option(min=1, max=223, help="LoRaWAN port.")],
    payload: Annotated[str, typer.Option(help="The payload in hexadecimal digits.")],
) -> None:
    """Act as if an end device had sent an uplink."""
    data = hexadecimal(payload)

    async def send(stack: "Stack") -> None:
        await stack.end_devices.simulate_uplink(device_id, f_port=port, payload=data)
        print_done(context, "simulated", {"device_id": device_id, "state": "simulated"})

    run_with(context, send, needs="simulated_uplinks")


@app.command()
def api(
    context: typer.Context,
    method: Annotated[Method, typer.Argument(case_sensitive=False, help="The method of HTTP.")],
    path: Annotated[str, typer.Argument(help="After /api/v3, for instance /applications.")],
    body: Annotated[
        str | None, typer.Argument(help='JSON; "-" reads it from the standard input.')
    ] = None,
) -> None:
    """Make any call of the HTTP API; show the answer."""
    import orjson

    try:
        data = None if body is None else orjson.loads(sys.stdin.read() if body == "-" else body)
    except orjson.JSONDecodeError as error:
        refuse_usage(f"the body is no JSON: {error}")

    async def call(stack: "Stack") -> None:
        answer = await stack.request(method.value, path, json=data)
        print_json(answer, indent=not context.obj.json)

    run_with(context, call, application_needed=False)


def _hoist(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the shared options, which typer reads before the command only, and the rest."""
    first: list[str] = []
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--":
            rest += [argument, *remaining]
        elif argument in _GLOBAL_FLAGS or argument.startswith(
            tuple(f"{option}=" for option in _GLOBAL_OPTIONS)
        ):
            first.append(argument)
        elif argument in _GLOBAL_OPTIONS:
            value = next(remaining, None)
            if value is None:
                refuse_usage(f"{argument} needs a value")
            first += [argument, value]
        else:
            rest.append(argument)
    return first, rest


def main() -> None:
    """Run the command that the program's arguments name."""
    arguments = sys.argv[1:]
    json = "--json" in arguments
    try:
        shared, rest = _hoist(arguments)
        json = "--json" in shared
        code = _run(shared + rest, json=json)
    except Refused as error:
        code = print_refused(error, json=json)
    sys.exit(code)


def _run(arguments: list[str], *, json: bool) -> int:
    """Run a command and return its exit code; with `json`, mistakes in the call are JSON, too."""
    match arguments:
        case [name, "-h" | "--help"] if name in _GROUPS:
            # Help doesn't need the shared options, and to read them takes typer longer than all else.
            _GROUPS[name](args=["--help"], prog_name=f"thethingsstack {name}")
    try:
        # By itself, typer prints mistakes in the call as text, and exits.
        return int(app(args=arguments, prog_name="thethingsstack", standalone_mode=not json) or 0)
    except typer.TyperException as error:
        # The text of a missing command is the whole help.
        print_error("usage", error.format_message().partition("\n")[0], json=True)
        return USAGE
