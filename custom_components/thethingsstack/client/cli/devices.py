"""The commands for end devices."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .bulk import export_devices, import_devices
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
    seconds_text,
)
from .register import register
from .run import DeviceId, Yes, group, half_created, moment, pairs, run_with, server_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..models import EndDevice
    from ..stack import Stack

devices_app = group("End devices.")

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


devices_app.command("register")(register)
devices_app.command("import")(import_devices)
devices_app.command("export")(export_devices)


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
            seconds_text(device.last_seen_at) or ("never seen" if listed else "-"),
            device.name,
        )
        for device in found
    ]
    print_table(("ID", "DEVEUI", "LAST SEEN", "NAME"), rows)
