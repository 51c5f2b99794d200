"""The commands for device models, frequency plans and QR codes."""

from typing import Annotated

from ..stack import Stack
from .run import group, note_if_empty, print_json, refuse_usage, run_with, typer

models_app = group("The Device Repository.")


def model_path(text: str) -> tuple[str, str, str, str]:
    """Return the parts of BRAND/MODEL/FIRMWARE/BAND."""
    parts = text.split("/")
    if len(parts) != 4 or not all(parts):
        refuse_usage(f"{text} is not of the form BRAND/MODEL/FIRMWARE/BAND")
    brand, model, firmware, band = parts
    return brand, model, firmware, band


@models_app.command("brands")
def brands(context: typer.Context, search: Annotated[str | None, typer.Argument()] = None) -> None:
    """List the brands in the Device Repository; all, or those that match a search text."""

    async def show(stack: Stack) -> None:
        found = [brand async for brand in stack.repository.brands(search)]
        note_if_empty(found, "brand")
        if context.obj.json:
            print_json(found)
            return
        for brand in found:
            print(f"{brand.brand_id:24}  {brand.name}")

    run_with(context, show, application_needed=False)


@models_app.command("list")
def models(
    context: typer.Context,
    search: Annotated[str | None, typer.Argument()] = None,
    brand: Annotated[str | None, typer.Option(help="Only of this brand.")] = None,
) -> None:
    """List models, each with the value for `devices register --model`."""

    async def show(stack: Stack) -> None:
        found = [model async for model in stack.repository.models(brand, search)]
        note_if_empty(found, "model")
        if context.obj.json:
            print_json(found)
            return
        for model in found:
            for firmware in model.firmware_versions:
                for band in firmware.bands:
                    path = f"{model.brand_id}/{model.model_id}/{firmware.version}/{band}"
                    print(f"{path:48}  {model.name}")

    run_with(context, show, application_needed=False)


@models_app.command("template")
def template(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="BRAND/MODEL/FIRMWARE/BAND")],
) -> None:
    """Show the registration template of a model."""
    path = model_path(model)

    async def show(stack: Stack) -> None:
        print_json(await stack.repository.template(*path), indent=not context.obj.json)

    run_with(context, show, application_needed=False)


def plans(
    context: typer.Context,
    band: Annotated[str | None, typer.Argument(help="Only of this band.")] = None,
) -> None:
    """List the frequency plans."""

    async def show(stack: Stack) -> None:
        found = await stack.configuration.frequency_plans(band)
        note_if_empty(found, f"frequency plan of band {band}" if band else "frequency plan")
        if context.obj.json:
            print_json(found)
            return
        for plan in found:
            print(f"{plan.id:28}  {plan.name}")

    run_with(context, show, application_needed=False)


def qr_code(context: typer.Context, text: str) -> None:
    """Show the identifiers and other data in the text of a device's QR code."""

    async def show(stack: Stack) -> None:
        print_json(await stack.qr_codes.parse(text), indent=not context.obj.json)

    run_with(context, show, application_needed=False)
