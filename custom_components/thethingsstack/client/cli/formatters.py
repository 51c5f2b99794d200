"""The commands for payload formatters."""

from collections.abc import Mapping
from contextlib import aclosing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import confirm, note, print_done, print_json, print_table, progress, refuse_usage
from .run import DeviceId, Yes, group, hexadecimal, json_object, read_text, run_with

if TYPE_CHECKING:
    from ..formatters import Direction, Formatters
    from ..models import Formatter
    from ..stack import Stack

formatter_app = group("Payload formatters, of the application or of one end device.")

_PREFIX = "FORMATTER_"
_DIRECTIONS: "Mapping[str, Direction]" = {"uplink": "up", "downlink": "down"}


class Kind(StrEnum):
    """The kinds of formatters that can be set."""

    NONE = "none"
    REPOSITORY = "repository"
    JAVASCRIPT = "javascript"
    CAYENNELPP = "cayennelpp"


OfWhat = Annotated[
    str | None, typer.Argument(help="The end device's ID; without one, the application's own.")
]
UpKind = Annotated[Kind | None, typer.Option("--uplink", "--up", help="Decodes uplinks.")]
UpScript = Annotated[
    Path | None,
    typer.Option("--uplink-script", "--up-script", help="File with JavaScript that decodes."),
]
DownKind = Annotated[Kind | None, typer.Option("--downlink", "--down", help="Encodes downlinks.")]
DownScript = Annotated[
    Path | None,
    typer.Option("--downlink-script", "--down-script", help="File with JavaScript that encodes."),
]


@formatter_app.command("get")
def formatter_get(context: typer.Context, device_id: OfWhat = None) -> None:
    """Show the payload formatters and their scripts."""

    async def show(stack: "Stack") -> None:
        calls = stack.formatters
        found = await (calls.of_device(device_id) if device_id else calls.of_application())
        if found is None:
            note(
                "no formatters of its own: the application's apply"
                if device_id
                else "no formatters were ever set: uplinks stay undecoded"
            )
        if context.obj.json:
            print_json(found)
        elif found is not None:
            _print_formatters(found)

    run_with(context, show)


@formatter_app.command("set")
def formatter_set(
    context: typer.Context,
    device_id: OfWhat = None,
    *,
    uplink: UpKind = None,
    uplink_script: UpScript = None,
    downlink: DownKind = None,
    downlink_script: DownScript = None,
    default: Annotated[
        bool, typer.Option("--default", help="Let the end device use the application's formatters.")
    ] = False,
    untried: Annotated[
        bool, typer.Option("--untried", help="Set a script without trying it first.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Set payload formatters.

    Without its option, a direction is kept. A script is tried first.
    """
    wanted: dict[Direction, Formatter | None] = {}
    if uplink is not None or uplink_script is not None:
        wanted["up"] = _formatter(uplink or Kind.JAVASCRIPT, uplink_script)
    if downlink is not None or downlink_script is not None:
        wanted["down"] = _formatter(downlink or Kind.JAVASCRIPT, downlink_script)
    if default and device_id is None:
        refuse_usage("--default is for an end device: name its ID")
    if bool(wanted) == default:
        refuse_usage("name --uplink, --downlink or both, or for an end device --default alone")

    async def change(stack: "Stack") -> None:
        before = await _present(stack, device_id)
        _confirm_loss(before, {"up": None, "down": None} if default else wanted, yes=yes)
        if default and device_id is not None:
            await stack.formatters.set_of_device(device_id, None)
            if before is None:
                note("nothing was changed: it had none of its own")
            print_done(context, "the application's formatters apply", {"formatters": None})
            return
        if not untried and stack.capabilities.formatter_trial:
            await _try_scripts(stack, device_id, wanted)
        formatters = await stack.formatters.change(device_id, wanted)
        _note_changed(before, formatters)
        if context.obj.json:
            print_json({"formatters": formatters})
        else:
            print_table(_COLUMNS, _rows(formatters))

    run_with(context, change)


@formatter_app.command("test")
def formatter_test(
    context: typer.Context,
    device_id: DeviceId,
    *,
    kind: Annotated[
        Kind | None, typer.Option(help="The formatter to try; javascript where a script is given.")
    ] = None,
    script: Annotated[Path | None, typer.Option(help="File with the JavaScript.")] = None,
    port: Annotated[int, typer.Option(min=1, max=223, help="LoRaWAN port of the message.")] = 1,
    payload: Annotated[
        str | None, typer.Option(help="An uplink's payload to decode, in hexadecimal digits.")
    ] = None,
    encode: Annotated[
        str | None, typer.Option(help="A downlink's object to encode, as JSON.")
    ] = None,
) -> None:
    """Try a formatter, without storing anything.

    On an uplink's payload (--payload), or a downlink's object (--encode).
    """
    if kind is None and script is None:
        refuse_usage("name the formatter to try: --kind, or --script with a file")
    formatter = _formatter(kind or Kind.JAVASCRIPT, script)
    if formatter is None:
        refuse_usage("the kind none decodes nothing: name another")
    if (payload is None) == (encode is None):
        refuse_usage("give one to try it on: --payload (an uplink's) or --encode (a downlink's)")

    async def attempt(stack: "Stack") -> None:
        from ..downlinks import Downlink

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
                f_port=port,
                decoded_payload=json_object(encode or "", 'an object is needed, like {"on": true}'),
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

    run_with(context, attempt, needs="formatter_trial")


async def _present(stack: "Stack", device_id: str | None) -> "Formatters | None":
    calls = stack.formatters
    return await (calls.of_device(device_id) if device_id else calls.of_application())


def _confirm_loss(
    before: "Formatters | None", wanted: "Mapping[Direction, Formatter | None]", *, yes: bool
) -> None:
    """Ask before a script is dropped without another one in its place."""
    lost = [
        f"{name} script ({_length(old.parameter)})"
        for name, way in _DIRECTIONS.items()
        if way in wanted
        and (old := getattr(before, way, None)) is not None
        and old.parameter
        and not ((new := wanted[way]) and new.parameter)
    ]
    if lost:
        confirm(f"Drop the {' and the '.join(lost)}?", yes=yes)


def _note_changed(before: "Formatters | None", after: "Formatters") -> None:
    """Print on the standard error which directions changed; of a script only its length."""
    if before == after:
        note("nothing was changed: it is so already")
        return
    for name, way in _DIRECTIONS.items():
        old, new = getattr(before, way, None), getattr(after, way)
        if before is None:
            note(f"{name}: not set → {_described(new)}")
        elif old != new:
            same = " (another script)" if _described(old) == _described(new) else ""
            note(f"{name}: {_described(old)} → {_described(new)}{same}")


def _described(formatter: "Formatter | None") -> str:
    if formatter is None:
        return Kind.NONE
    length = f" of {_length(formatter.parameter)}" if formatter.parameter else ""
    return formatter.kind.removeprefix(_PREFIX).lower() + length


async def _try_scripts(
    stack: "Stack", device_id: str | None, wanted: "Mapping[Direction, Formatter | None]"
) -> None:
    """Run each script once; raises InvalidRequest if one can't be run.

    A script may refuse the trial's payload or object, since those aren't a real device's.
    """
    from ..errors import MissingRight
    from ..formatters import JAVASCRIPT

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
            note("not tried: the application has no end device")
            return
        for way, formatter in scripts.items():
            await _try_script(stack, tried_on, way, formatter)
    except MissingRight as error:
        note(f"not tried: {error}")


async def _try_script(
    stack: "Stack", device_id: str, way: "Direction", formatter: "Formatter"
) -> None:
    from ..downlinks import Downlink
    from ..errors import InvalidRequest

    name = "uplink" if way == "up" else "downlink"
    try:
        with progress(f"Trying the {name} script"):
            if way == "up":
                await stack.formatters.decode(
                    device_id, f_port=1, payload=bytes(1), formatter=formatter
                )
            else:
                trial = Downlink(f_port=1, decoded_payload={})
                await stack.downlinks.encode(device_id, trial, formatter)
    except InvalidRequest as error:
        if (error.namespace or "").startswith("pkg/scripting"):
            raise InvalidRequest(
                f"the {name} script fails on a trial: {error.message}. Nothing was set; "
                "`formatter test` tries it on a payload of yours, --untried sets it nevertheless",
                name=error.name,
                namespace=error.namespace,
                status=error.status,
                attributes=error.attributes,
                cause_name=error.cause_name,
            ) from error
        trial_of = "one byte, 00" if way == "up" else "an empty object"
        note(f"the {name} script runs, but refuses the trial ({trial_of}): {error}")


_COLUMNS = ("DIRECTION", "FORMATTER", "SCRIPT")


def _rows(formatters: "Formatters") -> list[tuple[str, str, str]]:
    return [
        (
            name,
            Kind.NONE if it is None else it.kind.removeprefix(_PREFIX).lower(),
            _length(it.parameter) if it and it.parameter else "",
        )
        for name, it in (("uplink", formatters.up), ("downlink", formatters.down))
    ]


def _length(script: str) -> str:
    count = len(script.splitlines())
    return f"{count} line" if count == 1 else f"{count} lines"


def _print_formatters(formatters: "Formatters") -> None:
    print_table(_COLUMNS, _rows(formatters))
    for name, it in (("uplink", formatters.up), ("downlink", formatters.down)):
        if it is not None and it.parameter:
            print(f"\n// {name} script\n{it.parameter}")


def _formatter(kind: Kind, script: Path | None) -> "Formatter | None":
    from ..models import Formatter

    if kind is Kind.JAVASCRIPT and script is None:
        refuse_usage(
            "the javascript formatter needs its script: --uplink-script, --downlink-script"
            " or, to try one, --script"
        )
    if kind is not Kind.JAVASCRIPT and script is not None:
        refuse_usage(f"a script is for the javascript formatter, not for {kind}")
    if kind is Kind.NONE:
        return None
    return Formatter(kind=f"{_PREFIX}{kind.upper()}", parameter=read_text(script) or None)
