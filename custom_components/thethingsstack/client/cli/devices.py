"""The commands for end devices."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .models import model_path
from .output import (
    confirm,
    note,
    note_changes,
    note_if_empty,
    print_done,
    print_json,
    print_table,
    progress,
    refuse_usage,
    time_text,
)
from .run import DeviceId, Yes, group, half_created, moment, pairs, run_with, server_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..device_request import DeviceRequest, PreparedRegistration
    from ..models import EndDevice
    from ..stack import Stack

devices_app = group("End devices.")

_HINTS = {
    "dev_eui_issuing_not_enabled": "give the end device's own with --dev-eui",
    "missing_dev_eui": "give it with --dev-eui or --qr-code, or let the network give one: --issue-dev-eui",
    "missing_frequency_plan_id": "give it with --frequency-plan; `plans` lists them",
    "missing_lorawan_version": "give --model (`models list`), or --lorawan-version and --frequency-plan",
}
"""What to do, by the error's name; for a missing key, it follows from its name."""
_CHANGEABLE = (
    "name",
    "description",
    "attributes",
    "locations",
    "frequency_plan_id",
    "lorawan_version",
    "lorawan_phy_version",
    "supports_class_c",
)
_KEY_HELP = '32 hexadecimal digits; "-" reads them from the standard input.'


@devices_app.command("list")
def devices_list(
    context: typer.Context,
    device_ids: Annotated[
        list[str] | None, typer.Argument(help="Only those with these IDs.")
    ] = None,
    updated_since: Annotated[
        datetime | None,
        typer.Option(
            parser=moment,
            metavar="TIME",
            help="Only those changed after this local time, for instance 2026-01-31T08:00.",
        ),
    ] = None,
) -> None:
    """List the end devices."""
    if device_ids and updated_since is not None:
        refuse_usage("either device ids or --updated-since")

    async def show(stack: "Stack") -> None:
        from ..errors import unknown_device

        with progress("Reading the end devices"):
            if device_ids:
                found = await stack.end_devices.batch(device_ids)
            elif updated_since is not None:
                changed = stack.end_devices.updated_since(updated_since)
                found = [device async for device in changed]
            else:
                found = [device async for device in stack.devices()]
        there = {device.ids.device_id for device in found}
        for device_id in device_ids or ():
            if device_id not in there:
                note(str(unknown_device(device_id, stack.connection.application_id)))
        if not device_ids:
            note_if_empty(found, "end device")
        _print_devices(found, stack, json=context.obj.json)

    run_with(context, show, needs=None if updated_since is None else "changed_since")


@devices_app.command("search")
def devices_search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(metavar="TEXT", help="The text to look for.")],
) -> None:
    """List the end devices with a text.

    It is searched in their IDs, names and descriptions.
    """

    async def show(stack: "Stack") -> None:
        with progress("Looking for end devices"):
            found = [device async for device in stack.end_devices.search(query)]
        note_if_empty(found, f"end device with `{query}`")
        _print_devices(found, stack, json=context.obj.json)

    run_with(context, show)


@devices_app.command("show")
def devices_show(
    context: typer.Context,
    device_id: DeviceId,
    keys: Annotated[bool, typer.Option("--keys", help="Show the root keys, too.")] = False,
) -> None:
    """Show one end device.

    As all servers together know it; keys are shown only with --keys.
    """

    async def show(stack: "Stack") -> None:
        device = await stack.end_devices.details(device_id)
        if missing := (await stack.end_devices.presence(device_id)).missing:
            note(half_created(device_id, missing))
        if keys:
            device["root_keys"] = await _root_keys(stack, device_id)
        print_json(device, indent=not context.obj.json)

    run_with(context, show)


async def _root_keys(stack: "Stack", device_id: str) -> dict[str, str | None] | None:
    from ..errors import NotFound

    try:
        found = await stack.end_devices.root_keys(device_id)
    except NotFound:
        note(f"{device_id} has no root keys here: it doesn't join, or it is claimed")
        return None
    return {"app_key": found.app_key, "nwk_key": found.nwk_key}


@devices_app.command("register")
def devices_register(
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

    async def register(stack: "Stack") -> None:
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

    run_with(context, register)


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


@devices_app.command("update")
def devices_update(
    context: typer.Context,
    device_id: DeviceId,
    *,
    name: Annotated[str | None, typer.Option(help='Its new name; "" removes it.')] = None,
    description: Annotated[
        str | None, typer.Option(help='Its new description; "" removes it.')
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help='An attribute, "KEY=" removes it; repeat it.'),
    ] = None,
    latitude: Annotated[
        float | None, typer.Option(min=-90, max=90, help="Where it is, in degrees.")
    ] = None,
    longitude: Annotated[
        float | None, typer.Option(min=-180, max=180, help="Where it is, in degrees.")
    ] = None,
    altitude: Annotated[int | None, typer.Option(help="Where it is, in metres.")] = None,
    no_location: Annotated[bool, typer.Option("--no-location", help="Remove where it is.")] = False,
    frequency_plan: Annotated[
        str | None,
        typer.Option(
            help="Another of its band: `plans EU868` lists those of one. Of another band only for "
            "a device without model that hasn't joined."
        ),
    ] = None,
    lorawan_version: Annotated[str | None, typer.Option(help="For instance 1.0.3.")] = None,
    phy_version: Annotated[
        str | None, typer.Option(help="Regional parameters, for instance PHY_V1_0_3_REV_A.")
    ] = None,
    class_c: Annotated[
        bool | None, typer.Option("--class-c/--no-class-c", help="Whether it always listens.")
    ] = None,
) -> None:
    """Change an end device.

    Without its option, a value is kept. What changed is written to the standard error.
    """
    from ..device_changes import UNCHANGED, DeviceChanges
    from ..models import Location

    if (latitude is None) != (longitude is None) or (altitude is not None and latitude is None):
        refuse_usage("a location has a latitude and a longitude")
    if no_location and latitude is not None:
        refuse_usage("either a location or --no-location")
    changes = DeviceChanges(
        name=UNCHANGED if name is None else name,
        description=UNCHANGED if description is None else description,
        attributes=pairs(attribute, removable=True),
        frequency_plan_id=UNCHANGED if frequency_plan is None else frequency_plan,
        lorawan_version=UNCHANGED if lorawan_version is None else lorawan_version,
        lorawan_phy_version=UNCHANGED if phy_version is None else phy_version,
        supports_class_c=UNCHANGED if class_c is None else class_c,
    )
    if no_location:
        changes = replace(changes, location=None)
    elif latitude is not None and longitude is not None:
        place = Location(latitude=latitude, longitude=longitude, altitude=altitude)
        changes = replace(changes, location=place)

    if changes == DeviceChanges():
        refuse_usage("nothing to change is named: `devices update --help` shows what can be")

    async def update(stack: "Stack") -> None:
        with progress(f"Changing {device_id}"):
            before = await stack.end_devices.details(device_id)
            await stack.end_devices.update(device_id, changes)
            after = await stack.end_devices.details(device_id)
            bands = await _bands(stack, before, after)
        note_changes(
            {item: before[item] for item in _CHANGEABLE if item in before},
            {item: after[item] for item in _CHANGEABLE if item in after},
        )
        if len(set(bands)) > 1:
            note(
                f"The band changes from {' to '.join(map(str, bands))}: the end device must be "
                "built for it and set to it, or it is no longer received."
            )
        print_json(after, indent=not context.obj.json)

    run_with(context, update)


async def _bands(stack: "Stack", *devices: "Mapping[str, Any]") -> list[str | None]:
    """Return the bands of end devices' frequency plans; empty if all have the same plan."""
    plans = [device.get("frequency_plan_id") for device in devices]
    if len(set(plans)) < 2:
        return []
    known = {plan.id: plan.band_id for plan in await stack.configuration.frequency_plans()}
    return [known.get(plan or "") for plan in plans]


@devices_app.command("delete")
def devices_delete(
    context: typer.Context,
    device_id: DeviceId,
    yes: Yes = False,
) -> None:
    """Delete an end device, with its keys."""
    confirm(f"Remove {device_id} and its keys for good?", yes=yes)

    async def delete(stack: "Stack") -> None:
        with progress(f"Removing {device_id}"):
            deletion = await stack.end_devices.delete(device_id)
        several = stack.capabilities.several_servers
        of_which = f" from the {server_names(deletion.removed)}" if several else ""
        print_done(
            context,
            f"removed {device_id}{of_which}",
            {"device_id": device_id, "removed_from": deletion.removed},
        )

    run_with(context, delete)


@devices_app.command("reset")
def devices_reset(context: typer.Context, device_id: DeviceId, yes: Yes = False) -> None:
    """Let an end device join anew.

    Its session and MAC state are deleted. One that doesn't join keeps its keys, and its frame
    counters begin anew.
    """
    confirm(f"Forget the session of {device_id}, so that it has to join anew?", yes=yes)

    async def reset(stack: "Stack") -> None:
        from ..errors import MissingRight

        had_session: bool | None = None
        with suppress(MissingRight):  # the right to read
            had_session = await stack.end_devices.has_session(device_id)
        await stack.end_devices.reset(device_id)
        if had_session is False:
            note(f"{device_id} had no session: it has not joined")
        print_done(
            context,
            f"reset {device_id}",
            {"device_id": device_id, "state": "reset", "had_session": had_session},
        )

    run_with(context, reset, needs="session_reset")


@devices_app.command("servers")
def devices_servers(context: typer.Context, device_id: DeviceId) -> None:
    """Show which servers have an end device.

    If some that it needs don't, it is half created.
    """

    async def show(stack: "Stack") -> None:
        from ..errors import unknown_device
        from ..registration import Server

        presence = await stack.end_devices.presence(device_id)
        if not any(getattr(presence, server) for server in Server):
            raise unknown_device(device_id, stack.connection.application_id)
        print_json(presence, indent=not context.obj.json)

    run_with(context, show, needs="several_servers")


def _print_devices(found: "list[EndDevice]", stack: "Stack", *, json: bool) -> None:
    if json:
        print_json([device.raw for device in found])
        return
    listed = stack.capabilities.last_seen_listed
    rows = [
        (
            device.ids.device_id,
            device.ids.dev_eui or "-",
            time_text(device.last_seen_at) or ("never seen" if listed else "-"),
            device.name,
        )
        for device in found
    ]
    print_table(("ID", "DEVEUI", "LAST SEEN", "NAME"), rows)
