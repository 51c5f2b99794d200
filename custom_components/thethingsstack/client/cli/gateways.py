"""The commands for gateways."""

from typing import TYPE_CHECKING, Annotated

import typer

from .output import note, note_if_empty, print_json, print_table, progress
from .run import group, run_with

if TYPE_CHECKING:
    from ..stack import Stack

gateways_app = group("Gateways.")


@gateways_app.command("list")
def gateways_list(context: typer.Context) -> None:
    """List the gateways.

    This needs the API key of a user or an organization.
    """

    async def show(stack: "Stack") -> None:
        from ..errors import InvalidRequest

        key = await stack.auth_info()
        if key.user_id is None and key.organization_id is None:
            raise InvalidRequest(
                "only the key of a user or an organization lists gateways; `gateways show ID` "
                "shows what is public of a single one",
                name="no_user_key",
            )
        with progress("Reading the gateways"):
            found = [gateway async for gateway in stack.gateways.list()]
        note_if_empty(found, "gateway")
        if context.obj.json:
            print_json(found)
            return
        rows = [
            (
                gateway.gateway_id,
                gateway.gateway_eui or "-",
                ", ".join(gateway.frequency_plan_ids) or "-",
                gateway.name,
            )
            for gateway in found
        ]
        print_table(("ID", "EUI", "FREQUENCY PLANS", "NAME"), rows)

    run_with(context, show, application_needed=False, needs="gateways")


@gateways_app.command("show")
def gateways_show(
    context: typer.Context,
    gateway_id: Annotated[str, typer.Argument(help="The gateway's ID.")],
) -> None:
    """Show a gateway and its connection.

    As far as the API key may read them.
    """

    async def show(stack: "Stack") -> None:
        gateway = await stack.gateways.get(gateway_id)
        connection = await stack.gateways.connection(gateway_id)
        if connection is None:
            note(f"{gateway_id} is not connected")
        answer = {"gateway": gateway, "connection": connection}
        print_json(answer, indent=not context.obj.json)

    run_with(context, show, application_needed=False, needs="gateways")
