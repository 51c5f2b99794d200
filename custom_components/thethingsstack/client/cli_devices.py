"""The commands about end devices."""

from dataclasses import replace
import sys
from typing import Annotated, Any

from .changes import UNCHANGED, DeviceChanges
from .cli_models import model_path
from .cli_run import group, pairs, print_json, refuse_usage, run_with, time_text, typer
from .configuration import usual_frequency_plan
from .errors import InvalidRequest
from .identifiers import generate_key, looks_reversed
from .models import EndDevice, Location
from .registration import Registration, Session
from .stack import Stack

devices_app = group("End devices.")

_KEY_HELP = '32 hexadecimal digits; "-" reads them from the standard input.'


@devices_app.command("list")
def devices_list(context: typer.Context) -> None:
    """List the end devices."""

    async def show(stack: Stack) -> None:
        _print_devices([device async for device in stack.devices()], json=context.obj.json)

    run_with(context, show)


@devices_app.command("search")
def devices_search(context: typer.Context, query: str) -> None:
    """List the end devices in whose ids, name or description a text occurs."""

    async def show(stack: Stack) -> None:
        found = [device async for device in stack.end_devices.search(query)]
        _print_devices(found, json=context.obj.json)

    run_with(context, show)


@devices_app.command("show")
def devices_show(
    context: typer.Context,
    device_id: str,
    keys: Annotated[bool, typer.Option("--keys", help="Show the root keys, too.")] = False,
) -> None:
    """Show one end device, merged from all servers, without keys."""

    async def show(stack: Stack) -> None:
        device = await stack.end_devices.details(device_id)
        if keys:
            found = await stack.end_devices.root_keys(device_id)
            device["root_keys"] = {"app_key": found.app_key, "nwk_key": found.nwk_key}
        print_json(device, indent=not context.obj.json)

    run_with(context, show)


@devices_app.command("register")
def devices_register(
    context: typer.Context,
    device_id: str,
    *,
    dev_eui: Annotated[str | None, typer.Option(help="In any usual spelling.")] = None,
    issue_dev_eui: Annotated[
        bool, typer.Option("--issue-dev-eui", help="Let the network give a DevEUI.")
    ] = False,
    join_eui: Annotated[str | None, typer.Option(help="Else the network's default.")] = None,
    name: Annotated[str | None, typer.Option()] = None,
    description: Annotated[str | None, typer.Option()] = None,
    attribute: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE")] = None,
    model: Annotated[str | None, typer.Option(metavar="BRAND/MODEL/FIRMWARE/BAND")] = None,
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
    generate_keys: Annotated[
        bool, typer.Option("--generate-keys", help="Make the missing keys and print them, once.")
    ] = False,
) -> None:
    """Register an end device, from the Device Repository or by hand; all or nothing."""
    generated: dict[str, str] = {}

    def key(kind: str, given: str | None) -> str | None:
        if given is None and generate_keys:
            given = generated[kind] = generate_key()
        return sys.stdin.readline() if given == "-" else given

    async def register(stack: Stack) -> None:
        known: dict[str, Any] = {
            "device_id": device_id,
            "dev_eui": await stack.end_devices.issue_dev_eui() if issue_dev_eui else dev_eui,
            "join_eui": join_eui,
            "name": name,
            "description": description,
            "attributes": pairs(attribute),
            "lorawan_version": lorawan_version,
            "lorawan_phy_version": phy_version,
            "supports_class_c": class_c or None,
            "frequency_plan_id": frequency_plan,
        }
        registration = await _registration(stack, model, known)
        if abp:
            registration = replace(
                registration,
                session=Session(
                    dev_addr=dev_addr or await stack.configuration.dev_addr(),
                    app_s_key=key("app_s_key", app_s_key) or "",
                    f_nwk_s_int_key=key("nwk_s_key", nwk_s_key) or "",
                ),
            )
        else:
            new = str(registration.lorawan_version).endswith(("1_1", "1.1", "1.1.0"))
            registration = replace(
                registration,
                join_eui=registration.join_eui or await stack.configuration.default_join_eui(),
                app_key=key("app_key", app_key),
                nwk_key=key("nwk_key", nwk_key) if new or nwk_key else None,
            )
        checked = registration.checked()
        if checked.dev_eui is not None and looks_reversed(checked.dev_eui):
            print("The DevEUI's bytes seem to stand in reverse order.", file=sys.stderr)
        device = await stack.end_devices.register(checked)
        answer = {**device.raw, **({"generated_keys": generated} if generated else {})}
        print_json(answer, indent=not context.obj.json)

    run_with(context, register)


async def _registration(stack: Stack, model: str | None, known: dict[str, Any]) -> Registration:
    told = {name: value for name, value in known.items() if value is not None}
    if model is None:
        return Registration(**told)
    brand, model_id, firmware, band = model_path(model)
    if "frequency_plan_id" not in told:
        plan = usual_frequency_plan(await stack.configuration.frequency_plans(band))
        if plan is None:
            raise InvalidRequest(
                "the band has several frequency plans: name one", name="missing_frequency_plan_id"
            )
        told["frequency_plan_id"] = plan.id
    template = await stack.repository.template(brand, model_id, firmware, band)
    return Registration.from_template(template, **told)


@devices_app.command("update")
def devices_update(
    context: typer.Context,
    device_id: str,
    *,
    name: Annotated[str | None, typer.Option(help='"" removes it.')] = None,
    description: Annotated[str | None, typer.Option(help='"" removes it.')] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help='"KEY=" removes it.')
    ] = None,
    latitude: Annotated[float | None, typer.Option(min=-90, max=90)] = None,
    longitude: Annotated[float | None, typer.Option(min=-180, max=180)] = None,
    altitude: Annotated[int | None, typer.Option(help="Metres.")] = None,
    no_location: Annotated[bool, typer.Option("--no-location", help="Remove it.")] = False,
    frequency_plan: Annotated[str | None, typer.Option()] = None,
    lorawan_version: Annotated[str | None, typer.Option()] = None,
    phy_version: Annotated[str | None, typer.Option()] = None,
    class_c: Annotated[bool | None, typer.Option()] = None,
) -> None:
    """Change an end device; what isn't named stays."""
    if (latitude is None) != (longitude is None):
        refuse_usage("a location has a latitude and a longitude")
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

    async def update(stack: Stack) -> None:
        device = await stack.end_devices.update(device_id, changes)
        print_json(device.raw, indent=not context.obj.json)

    run_with(context, update)


@devices_app.command("delete")
def devices_delete(
    context: typer.Context,
    device_id: str,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Remove an end device from all servers; its keys are lost."""
    if not yes and not typer.confirm(f"Remove {device_id} and its keys for good?", err=True):
        raise typer.Exit(1)

    async def delete(stack: Stack) -> None:
        deletion = await stack.end_devices.delete(device_id)
        print_json({"device_id": device_id, "removed_from": deletion.removed})

    run_with(context, delete)


@devices_app.command("reset")
def devices_reset(context: typer.Context, device_id: str) -> None:
    """Forget a device's state on the network, so that it joins anew."""

    async def reset(stack: Stack) -> None:
        await stack.end_devices.reset(device_id)

    run_with(context, reset)


@devices_app.command("servers")
def devices_servers(context: typer.Context, device_id: str) -> None:
    """Show which servers know a device: one may be half created."""

    async def show(stack: Stack) -> None:
        print_json(await stack.end_devices.presence(device_id), indent=not context.obj.json)

    run_with(context, show)


def _print_devices(found: list[EndDevice], *, json: bool) -> None:
    if json:
        print_json([device.raw for device in found])
        return
    width = max((len(device.ids.device_id) for device in found), default=0)
    for device in found:
        seen = time_text(device.last_seen_at) or "never seen"
        eui = device.ids.dev_eui or "-"
        print(f"{device.ids.device_id:{width}}  {eui:16}  {seen:27}  {device.name or ''}".rstrip())
