"""The commands for the application itself."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import (
    confirm,
    note_changes,
    note_if_empty,
    print_done,
    print_json,
    print_table,
    progress,
    refuse_usage,
    seconds_text,
)
from .run import Yes, group, moment, pairs, run_with

if TYPE_CHECKING:
    from ..models import Application
    from ..stack import Stack

application_app = group("The application itself.")


@application_app.command("show")
def application_show(context: typer.Context) -> None:
    """Show the application."""

    async def show(stack: "Stack") -> None:
        print_json(await stack.administration.show(), indent=not context.obj.json)

    run_with(context, show)


@application_app.command("create")
def application_create(
    context: typer.Context,
    application_id: Annotated[str, typer.Argument(help="The ID that it is to have.")],
    user: Annotated[str | None, typer.Option(help="Its owner; else the key's own.")] = None,
    name: Annotated[str | None, typer.Option(help="As people call it.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
) -> None:
    """Create an application.

    This needs the API key of a user or an organization.
    """

    async def create(stack: "Stack") -> None:
        from ..errors import InvalidRequest

        organization = None
        owner = user
        listed = stack.capabilities.rights_listing
        if owner is None and listed:
            key = await stack.auth_info()
            owner, organization = key.user_id, key.organization_id
        if owner is None and organization is None and listed:
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
    name: Annotated[str | None, typer.Option(help='Its new name; "" removes it.')] = None,
    description: Annotated[
        str | None, typer.Option(help='Its new description; "" removes it.')
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help='One more attribute; "KEY=" removes it.'),
    ] = None,
) -> None:
    """Change the application.

    Without its option, a value is kept. What changed is written to the standard error.
    """
    attributes = pairs(attribute, removable=True) or None
    if name is None and description is None and attributes is None:
        refuse_usage("nothing to change is named: --name, --description or --attribute")

    async def update(stack: "Stack") -> None:
        before = await stack.administration.show()
        after = await stack.administration.update(
            name=name, description=description, attributes=attributes
        )
        note_changes(_changeable(before), _changeable(after))
        print_json(after, indent=not context.obj.json)

    run_with(context, update, needs="application_settings")


def _changeable(application: "Application") -> dict[str, Any]:
    return {
        "name": application.name,
        "description": application.description,
        "attributes": application.attributes,
    }


@application_app.command("keys")
def application_keys(context: typer.Context) -> None:
    """List the API keys, without their secrets."""

    async def show(stack: "Stack") -> None:
        with progress("Reading the API keys"):
            found = [key async for key in stack.administration.api_keys()]
        note_if_empty(found, "API key")
        if context.obj.json:
            print_json(found)
            return
        rows = [
            (key.key_id, seconds_text(key.expires_at) or "never expires", key.name) for key in found
        ]
        print_table(("KEY ID", "EXPIRES", "NAME"), rows)

    run_with(context, show, needs="api_keys")


@application_app.command("create-key")
def application_create_key(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    right: Annotated[
        list[str], typer.Option(help="What it may do, for instance TRAFFIC_READ; repeat it.")
    ],
    expires: Annotated[
        datetime | None,
        typer.Option(
            parser=moment,
            metavar="TIME",
            help="When it ends, in this machine's time, for instance 2026-01-31; else never.",
        ),
    ] = None,
) -> None:
    """Create an API key and print it, once."""
    rights = [item if item.startswith("RIGHT_") else f"RIGHT_APPLICATION_{item}" for item in right]

    async def create(stack: "Stack") -> None:
        from ..errors import InvalidRequest

        try:
            key = await stack.administration.create_api_key(name, rights, expires_at=expires)
        except InvalidRequest as error:
            if error.attributes.get("field") != "rights":
                raise
            raise InvalidRequest(
                f"the server doesn't know one of the rights {', '.join(right)}: they are called "
                "like TRAFFIC_READ; `rights` shows those of your key",
                name="unknown_right",
                status=error.status,
            ) from error
        print_json(key, indent=not context.obj.json)

    run_with(context, create, needs="api_keys")


@application_app.command("delete-key")
def application_delete_key(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(help="As `application keys` lists it.")],
    yes: Yes = False,
) -> None:
    """Delete an API key; what uses it stops working."""
    confirm(f"Delete the API key {key_id}? What uses it stops.", yes=yes)

    async def delete(stack: "Stack") -> None:
        await stack.administration.delete_api_key(key_id)
        print_done(context, f"deleted the API key {key_id}", {"key_id": key_id, "deleted": True})

    run_with(context, delete, needs="api_keys")


@application_app.command("collaborators")
def application_collaborators(context: typer.Context) -> None:
    """List who has rights on the application."""

    async def show(stack: "Stack") -> None:
        found = await stack.administration.collaborators()
        note_if_empty(found, "collaborator")
        if context.obj.json:
            print_json(found)
            return
        rows = [(who.id, who.kind, ", ".join(sorted(who.rights))) for who in found]
        print_table(("ID", "KIND", "RIGHTS"), rows)

    run_with(context, show, needs="api_keys")
