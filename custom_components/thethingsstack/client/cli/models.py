"""The commands for device models, frequency plans and QR codes."""

from typing import TYPE_CHECKING, Annotated

import typer

from .output import note_if_empty, print_json, print_table, progress, refuse_usage
from .run import group, run_with

if TYPE_CHECKING:
    from ..stack import Stack

models_app = group("The Device Repository: brands and models of end devices.")


def model_path(text: str) -> tuple[str, str, str, str]:
    """Return the parts of BRAND/MODEL/FIRMWARE/BAND."""
    parts = text.split("/")
    if len(parts) != 4 or not all(parts):
        refuse_usage(
            f"{text} is not of the form BRAND/MODEL/FIRMWARE/BAND; `models list` shows them"
        )
    brand, model, firmware, band = parts
    return brand, model, firmware, band


@models_app.command("brands")
def brands(
    context: typer.Context,
    search: Annotated[
        str | None, typer.Argument(help="Only brands in whose ID or name this occurs.")
    ] = None,
) -> None:
    """List the brands, or search them."""

    async def show(stack: "Stack") -> None:
        with progress("Reading the brands"):
            found = [brand async for brand in stack.repository.brands(search)]
        note_if_empty(found, f"brand with `{search}`" if search else "brand")
        if context.obj.json:
            print_json(found)
            return
        print_table(("BRAND", "NAME"), [(brand.brand_id, brand.name) for brand in found])

    run_with(context, show, application_needed=False, needs="repository")


@models_app.command("list")
def models(
    context: typer.Context,
    search: Annotated[
        str | None,
        typer.Argument(help="Only models in whose IDs, name or description this occurs."),
    ] = None,
    brand: Annotated[
        str | None, typer.Option(help="Only of this brand; `models brands` lists them.")
    ] = None,
) -> None:
    """List the models, or search them.

    The first column is the value for `devices register --model`.
    """

    async def show(stack: "Stack") -> None:
        with progress("Reading the models"):
            found = [model async for model in stack.repository.models(brand, search)]
        note_if_empty(found, f"model with `{search}`" if search else "model")
        if context.obj.json:
            print_json(found)
            return
        rows = [
            (f"{model.brand_id}/{model.model_id}/{firmware.version}/{band}", model.name)
            for model in found
            for firmware in model.firmware_versions
            for band in firmware.bands
        ]
        print_table(("MODEL", "NAME"), rows)

    run_with(context, show, application_needed=False, needs="repository")


@models_app.command("template")
def template(
    context: typer.Context,
    model: Annotated[
        str,
        typer.Argument(metavar="BRAND/MODEL/FIRMWARE/BAND", help="As `models list` shows it."),
    ],
) -> None:
    """Show the registration template of a model."""
    path = model_path(model)

    async def show(stack: "Stack") -> None:
        print_json(await stack.repository.template(*path), indent=not context.obj.json)

    run_with(context, show, application_needed=False, needs="repository")


def plans(
    context: typer.Context,
    search: Annotated[
        str | None,
        typer.Argument(help="Only those with this text, for instance EU868 or EU_863_870."),
    ] = None,
) -> None:
    """List the frequency plans, or search them."""

    async def show(stack: "Stack") -> None:
        from ..configuration import matching_plans

        found = matching_plans(await stack.configuration.frequency_plans(), search or "")
        note_if_empty(found, f"frequency plan with `{search}`" if search else "frequency plan")
        if context.obj.json:
            print_json(found)
            return
        print_table(
            ("PLAN", "BAND", "NAME"), [(plan.id, plan.band_id, plan.name) for plan in found]
        )

    run_with(context, show, application_needed=False, needs="frequency_plans")


def qr_code(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="What is in the QR code, for instance LW:D0:…")],
) -> None:
    """Show what the QR code of an end device says."""

    async def show(stack: "Stack") -> None:
        print_json(await stack.qr_codes.parse(text), indent=not context.obj.json)

    run_with(context, show, application_needed=False, needs="claiming")
