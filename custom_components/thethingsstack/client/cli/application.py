"""The commands for the application itself, its payload formatters and for gateways."""

from collections.abc import Mapping
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
import sys
from typing import Annotated, Any

from ..downlinks import Downlink
from ..errors import InvalidRequest, MissingRight
from ..formatters import CAYENNE_LPP, JAVASCRIPT, NONE, REPOSITORY, Direction, FormatterFailed
from ..models import Formatter
from ..stack import Stack
from .run import (
    Yes,
    confirm,
    group,
    hexadecimal,
    json_object,
    note_if_empty,
    pairs,
    print_done,
    print_json,
    read_text,
    refuse_usage,
    run_with,
    time_text,
    typer,
)

application_app = group("The application itself.")
formatter_app = group("Payload formatters, of the application or of one device.")
gateways_app = group("Gateways.")

_KINDS = {
    "none": NONE,
    "repository": REPOSITORY,
    "javascript": JAVASCRIPT,
    "cayennelpp": CAYENNE_LPP,
}
_KIND_HELP = "repository, cayennelpp, javascript or none."


# -- The application ------------------------------------------------------------------------------


@application_app.command("show")
def application_show(context: typer.Context) -> None:
    """Show the application."""

    async def show(stack: Stack) -> None:
        print_json(await stack.administration.show(), indent=not context.obj.json)

    run_with(context, show)


@application_app.command("create")
def application_create(
    context: typer.Context,
    application_id: str,
    user: Annotated[str | None, typer.Option(help="Its owner; else the key's own.")] = None,
    name: Annotated[str | None, typer.Option()] = None,
    description: Annotated[str | None, typer.Option()] = None,
) -> None:
    """Create an application; needs the API key of a user or an organization."""

    async def create(stack: Stack) -> None:
        organization = None
        owner = user
        if owner is None:
            key = await stack.auth_info()
            owner, organization = key.user_id, key.organization_id
        if owner is None and organization is None:
            raise InvalidRequest(
                "only the key of a user or an organization can create an application",
                name="no_user_key",
            )
        created = await stack.administration.create(
            application_id,
            user_id=owner,
            organization_id=organization,
            name=name,
            description=description,
        )
        print_json(created, indent=not context.obj.json)

    run_with(context, create, application_needed=False)


@application_app.command("update")
def application_update(
    context: typer.Context,
    name: Annotated[str | None, typer.Option(help='"" removes it.')] = None,
    description: Annotated[str | None, typer.Option(help='"" removes it.')] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help='"KEY=" removes it.')
    ] = None,
) -> None:
    """Change the application; without an option, a value is kept."""
    attributes = pairs(attribute, removable=True) or None

    async def update(stack: Stack) -> None:
        changed = await stack.administration.update(
            name=name, description=description, attributes=attributes
        )
        print_json(changed, indent=not context.obj.json)

    run_with(context, update)


@application_app.command("keys")
def application_keys(context: typer.Context) -> None:
    """List the API keys, without their secrets."""

    async def show(stack: Stack) -> None:
        found = [key async for key in stack.administration.api_keys()]
        note_if_empty(found, "API key")
        if context.obj.json:
            print_json(found)
            return
        for key in found:
            print(f"{key.key_id}  {time_text(key.expires_at) or 'never expires':20}  {key.name}")

    run_with(context, show)


@application_app.command("create-key")
def application_create_key(
    context: typer.Context,
    name: str,
    right: Annotated[list[str], typer.Option(help="For instance TRAFFIC_READ.")],
    expires: Annotated[datetime | None, typer.Option(help="In this machine's time.")] = None,
) -> None:
    """Create an API key and print it, once."""
    rights = [item if item.startswith("RIGHT_") else f"RIGHT_APPLICATION_{item}" for item in right]

    async def create(stack: Stack) -> None:
        key = await stack.administration.create_api_key(name, rights, expires_at=expires)
        print_json(key, indent=not context.obj.json)

    run_with(context, create)


@application_app.command("delete-key")
def application_delete_key(context: typer.Context, key_id: str, yes: Yes = False) -> None:
    """Delete an API key; what uses it stops working."""
    confirm(f"Delete the API key {key_id}? What uses it stops.", yes=yes)

    async def delete(stack: Stack) -> None:
        await stack.administration.delete_api_key(key_id)
        print_done(context, f"deleted the API key {key_id}", {"key_id": key_id, "deleted": True})

    run_with(context, delete)


@application_app.command("collaborators")
def application_collaborators(context: typer.Context) -> None:
    """List who has rights on the application."""

    async def show(stack: Stack) -> None:
        print_json(await stack.administration.collaborators(), indent=not context.obj.json)

    run_with(context, show)


# -- Formatters -----------------------------------------------------------------------------------


@formatter_app.command("get")
def formatter_get(
    context: typer.Context,
    device_id: Annotated[str | None, typer.Argument(help="Else the application's.")] = None,
) -> None:
    """Show the payload formatters; null if none was ever set."""

    async def show(stack: Stack) -> None:
        calls = stack.formatters
        found = await (calls.of_device(device_id) if device_id else calls.of_application())
        print_json(found, indent=not context.obj.json)

    run_with(context, show)


@formatter_app.command("set")
def formatter_set(
    context: typer.Context,
    device_id: Annotated[str | None, typer.Argument(help="Else the application's.")] = None,
    *,
    uplink: Annotated[
        str | None, typer.Option("--uplink", "--up", help=f"Of uplinks: {_KIND_HELP}")
    ] = None,
    uplink_script: Annotated[
        Path | None,
        typer.Option("--uplink-script", "--up-script", help="File with the JavaScript."),
    ] = None,
    downlink: Annotated[
        str | None, typer.Option("--downlink", "--down", help=f"Of downlinks: {_KIND_HELP}")
    ] = None,
    downlink_script: Annotated[
        Path | None,
        typer.Option("--downlink-script", "--down-script", help="File with the JavaScript."),
    ] = None,
    default: Annotated[
        bool, typer.Option("--default", help="Let the device use the application's formatters.")
    ] = False,
    untried: Annotated[
        bool, typer.Option("--untried", help="Set a script without trying it first.")
    ] = False,
) -> None:
    """Set payload formatters; without an option, a direction is kept. A script is tried first."""
    wanted: dict[Direction, Formatter | None] = {}
    if uplink is not None or uplink_script is not None:
        wanted["up"] = _formatter(uplink or "javascript", uplink_script)
    if downlink is not None or downlink_script is not None:
        wanted["down"] = _formatter(downlink or "javascript", downlink_script)
    if bool(wanted) == default or (default and device_id is None):
        refuse_usage("name --uplink, --downlink or both, or for a device --default")

    async def change(stack: Stack) -> None:
        if default and device_id is not None:
            await stack.formatters.set_of_device(device_id, None)
            print_done(context, "the application's formatters apply", {"formatters": None})
            return
        if not untried:
            await _try_scripts(stack, device_id, wanted)
        formatters = await stack.formatters.change(device_id, wanted)
        kinds = {"uplink": formatters.up, "downlink": formatters.down}
        text = "\n".join(f"{name:8}  {_kind_name(it)}" for name, it in kinds.items())
        print_done(context, text, {"formatters": formatters})

    run_with(context, change)


@formatter_app.command("test")
def formatter_test(
    context: typer.Context,
    device_id: str,
    *,
    kind: Annotated[str, typer.Option(help=_KIND_HELP)],
    script: Annotated[Path | None, typer.Option(help="File with the JavaScript.")] = None,
    port: Annotated[int, typer.Option(min=1, max=223)] = 1,
    payload: Annotated[str | None, typer.Option(help="Decode these hexadecimal digits.")] = None,
    encode: Annotated[str | None, typer.Option(help="Encode this JSON object.")] = None,
) -> None:
    """Try a formatter on an uplink's payload or a downlink's object; nothing is stored."""
    formatter = _formatter(kind, script)
    if formatter is None or (payload is None) == (encode is None):
        refuse_usage("a formatter, and either --payload or --encode, are needed")

    async def attempt(stack: Stack) -> None:
        versions = (await stack.device(device_id, ["version_ids"])).version_ids
        answer: Any
        if payload is not None:
            answer = await stack.formatters.decode(
                device_id,
                f_port=port,
                payload=hexadecimal(payload),
                formatter=formatter,
                version_ids=versions,
            )
        else:
            downlink = Downlink(
                f_port=port, decoded_payload=json_object(encode or "", "a JSON object is needed")
            )
            encoded = await stack.downlinks.encode(
                device_id, downlink, formatter, version_ids=versions
            )
            answer = {
                "f_port": encoded.f_port,
                "payload": encoded.payload.hex(),
                "warnings": encoded.warnings,
            }
        print_json(answer, indent=not context.obj.json)

    run_with(context, attempt)


async def _try_scripts(
    stack: Stack, device_id: str | None, wanted: Mapping[Direction, Formatter | None]
) -> None:
    """Run each script once; raises FormatterFailed if one can't be run.

    A script may refuse the trial's payload or object, since those aren't a real device's.
    """
    scripts = {way: found for way, found in wanted.items() if found and found.kind == JAVASCRIPT}
    if not scripts:
        return
    tried_on = device_id
    try:
        if tried_on is None:  # the application's script is tried with any of its devices
            async with aclosing(stack.devices(["ids"])) as devices:
                async for device in devices:
                    tried_on = device.ids.device_id
                    break
        if tried_on is None:
            print("not tried: the application has no end device", file=sys.stderr)
            return
        for way, formatter in scripts.items():
            await _try_script(stack, tried_on, way, formatter)
    except MissingRight as error:
        print(f"not tried: {error}", file=sys.stderr)


async def _try_script(stack: Stack, device_id: str, way: Direction, formatter: Formatter) -> None:
    try:
        if way == "up":
            await stack.formatters.decode(
                device_id, f_port=1, payload=bytes(1), formatter=formatter
            )
        else:
            trial = Downlink(f_port=1, decoded_payload={})
            await stack.downlinks.encode(device_id, trial, formatter)
    except InvalidRequest as error:
        name = "uplink" if way == "up" else "downlink"
        if (error.namespace or "").startswith("pkg/scripting"):
            raise FormatterFailed(
                f"the {name} script fails on a trial: {error.message}. Nothing was set; "
                "`formatter test` tries it on a payload of yours, --untried sets it nevertheless",
                name=error.name,
                namespace=error.namespace,
                status=error.status,
                attributes=error.attributes,
                cause_name=error.cause_name,
            ) from error
        print(f"the {name} script runs, but not on a trial of one zero: {error}", file=sys.stderr)


def _kind_name(formatter: Formatter | None) -> str:
    kind = NONE if formatter is None else formatter.kind
    return next((name for name, known in _KINDS.items() if known == kind), kind)


def _formatter(kind: str, script: Path | None) -> Formatter | None:
    if kind not in _KINDS:
        refuse_usage(f"a formatter is one of {', '.join(_KINDS)}")
    if (kind == "javascript") != (script is not None):
        refuse_usage("a script is for the javascript formatter, which needs one")
    if kind == "none":
        return None
    return Formatter(kind=_KINDS[kind], parameter=read_text(script) or None)


# -- Gateways -------------------------------------------------------------------------------------


@gateways_app.command("list")
def gateways_list(context: typer.Context) -> None:
    """List the gateways; needs the API key of a user."""

    async def show(stack: Stack) -> None:
        found = [gateway async for gateway in stack.gateways.list()]
        note_if_empty(found, "gateway")
        print_json(found, indent=not context.obj.json)

    run_with(context, show, application_needed=False)


@gateways_app.command("show")
def gateways_show(context: typer.Context, gateway_id: str) -> None:
    """Show a gateway and its connection, as far as the API key may read them."""

    async def show(stack: Stack) -> None:
        gateway = await stack.gateways.get(gateway_id)
        connection = await stack.gateways.connection(gateway_id)
        answer = {"gateway": gateway, "connection": connection}
        print_json(answer, indent=not context.obj.json)

    run_with(context, show, application_needed=False)
