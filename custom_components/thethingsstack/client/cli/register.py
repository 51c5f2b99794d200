"""The command that registers an end device."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .models import model_path
from .output import note, print_json, progress
from .run import pairs, run_with

if TYPE_CHECKING:
    from ..device_request import DeviceRequest, PreparedRegistration
    from ..stack import Stack

_HINTS = {
    "dev_eui_issuing_not_enabled": "give the end device's own with --dev-eui",
    "missing_dev_eui": "give it with --dev-eui or --qr-code, or let the network give one: --issue-dev-eui",
    "missing_frequency_plan_id": "give it with --frequency-plan; `plans` lists them",
    "missing_lorawan_version": "give --model (`models list`), or --lorawan-version and --frequency-plan",
}
"""What to do, by the error's name; for a missing key, it follows from its name."""
_KEY_HELP = '32 hexadecimal digits; "-" reads them from the standard input.'


def register(
    context: typer.Context,
    device_id: Annotated[str, typer.Argument(help="The ID that it is to have.")],
    *,
    dev_eui: Annotated[str | None, typer.Option(help="In any usual spelling.")] = None,
    issue_dev_eui: Annotated[
        bool, typer.Option("--issue-dev-eui", help="Let the network give a DevEUI.")
    ] = False,
    join_eui: Annotated[str | None, typer.Option(help="Else the network's default.")] = None,
    name: Annotated[str | None, typer.Option(help="As people call it.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="An attribute; repeat it.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="BRAND/MODEL/FIRMWARE/BAND", help="As `models list` shows it."),
    ] = None,
    qr_code: Annotated[
        str | None, typer.Option(help="The text of its QR code; it is claimed where it must be.")
    ] = None,
    claim_code: Annotated[
        str | None, typer.Option(help="Claim it by this code; it then needs no keys.")
    ] = None,
    frequency_plan: Annotated[str | None, typer.Option(help="Else the band's usual one.")] = None,
    lorawan_version: Annotated[str | None, typer.Option(help="For instance 1.0.3.")] = None,
    phy_version: Annotated[str | None, typer.Option(help="Else the version's usual one.")] = None,
    class_c: Annotated[bool, typer.Option("--class-c", help="It always listens.")] = False,
    app_key: Annotated[str | None, typer.Option(help=_KEY_HELP)] = None,
    nwk_key: Annotated[str | None, typer.Option(help="LoRaWAN 1.1. " + _KEY_HELP)] = None,
    abp: Annotated[bool, typer.Option("--abp", help="It doesn't join.")] = False,
    dev_addr: Annotated[str | None, typer.Option(help="ABP: else the network gives one.")] = None,
    nwk_s_key: Annotated[str | None, typer.Option(help="ABP. " + _KEY_HELP)] = None,
    app_s_key: Annotated[str | None, typer.Option(help="ABP. " + _KEY_HELP)] = None,
    s_nwk_s_int_key: Annotated[
        str | None, typer.Option(help="ABP, LoRaWAN 1.1. " + _KEY_HELP)
    ] = None,
    nwk_s_enc_key: Annotated[
        str | None, typer.Option(help="ABP, LoRaWAN 1.1. " + _KEY_HELP)
    ] = None,
    generate_keys: Annotated[
        bool, typer.Option("--generate-keys", help="Make the missing keys and print them, once.")
    ] = False,
) -> None:
    """Register an end device, on all servers or on none.

    One of the Device Repository needs --dev-eui, --model and --app-key; one with a QR code needs
    --qr-code, and --model if the code's is not known; any other needs --dev-eui, --lorawan-version,
    --frequency-plan and --app-key. Instead of keys, --generate-keys makes them.
    """
    from ..device_request import DeviceRequest, claim_and_register
    from ..identifiers import looks_reversed

    keys = {
        "app_key": app_key,
        "nwk_key": nwk_key,
        "app_s_key": app_s_key,
        "nwk_s_key": nwk_s_key,
        "s_nwk_s_int_key": s_nwk_s_int_key,
        "nwk_s_enc_key": nwk_s_enc_key,
    }
    request = DeviceRequest(
        known={
            "device_id": device_id,
            "dev_eui": dev_eui,
            "join_eui": join_eui,
            "name": name,
            "description": description,
            "attributes": pairs(attribute),
            "lorawan_version": lorawan_version,
            "lorawan_phy_version": phy_version,
            "supports_class_c": class_c or None,
            "frequency_plan_id": frequency_plan,
        },
        model=model_path(model) if model is not None else None,
        qr_code=qr_code,
        claim_code=claim_code,
        issue_dev_eui=issue_dev_eui,
        joins=not abp,
        dev_addr=dev_addr,
        keys={
            kind: _read_key(kind) if given == "-" else given
            for kind, given in keys.items()
            if given is not None
        },
        generate_keys=generate_keys,
    )

    async def work(stack: "Stack") -> None:
        with progress(f"Registering {device_id}"):
            prepared = await _prepared(stack, request)
            registration = prepared.registration
            device = await claim_and_register(
                stack, registration, qr_code=prepared.qr_code, claim_code=prepared.claim_code
            )
        for warning in registration.warnings:
            note(warning)
        if registration.dev_eui is not None and looks_reversed(registration.dev_eui):
            note("The DevEUI's bytes seem to stand in reverse order: compare it with the label.")
        _note_chosen(prepared)
        for_device: dict[str, Any] = {}  # must be written to the end device
        if registration.session is not None:
            for_device["dev_addr"] = registration.session.dev_addr
        if prepared.generated:
            for_device["generated_keys"] = prepared.generated
        print_json({**device.raw, **for_device}, indent=not context.obj.json)

    run_with(context, work)


def _read_key(kind: str) -> str:
    """Return a key from the standard input; on a terminal it is asked for, and not shown."""
    from ..keys import KEY_NAMES

    if not sys.stdin.isatty():
        return sys.stdin.readline()
    return str(typer.prompt(KEY_NAMES[kind], hide_input=True, err=True))


def _note_chosen(prepared: "PreparedRegistration") -> None:
    """Print on standard error what was chosen or generated, and what the end device must be given."""
    from ..keys import KEY_NAMES

    texts = {
        "dev_eui": "The DevEUI {} was issued by the network.",
        "join_eui": "No JoinEUI was given: it is {}, the network's default.",
        "frequency_plan_id": "No frequency plan was given: it is {}, the usual one of the band.",
        "dev_addr": "No DevAddr was given: it is {}, from the network.",
    }
    for name, value in prepared.chosen.items():
        note(texts[name].format(value))
    keys = [KEY_NAMES[name] for name in prepared.generated]
    if keys:
        note(f"Generated: {', '.join(keys)}; see generated_keys in the answer.")
    euis = {"dev_eui": "DevEUI", "join_eui": "JoinEUI", "dev_addr": "DevAddr"}
    for_device = [name for key, name in euis.items() if key in prepared.chosen] + keys
    if for_device:
        note(f"Set the same in the end device: {', '.join(for_device)}.")


async def _prepared(stack: "Stack", request: "DeviceRequest") -> "PreparedRegistration":
    """Return the registration; an error about a missing value names the options for it."""
    from ..device_request import prepare_registration
    from ..errors import InvalidRequest

    try:
        return await prepare_registration(stack, request)
    except InvalidRequest as error:
        hint = _HINTS.get(error.name)
        if hint is None and error.name.startswith("missing_"):
            option = error.name.removeprefix("missing_").replace("_", "-")
            hint = f"give it with --{option}, or let one be made: --generate-keys"
        if hint is None:
            raise
        if error.name == "missing_lorawan_version" and request.qr_code is not None:
            hint = f"the Device Repository doesn't know the QR code's model: {hint}"
        raise InvalidRequest(
            f"{error.message}: {hint}", name=error.name, status=error.status
        ) from error
