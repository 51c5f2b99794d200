"""The command that finds the Handlers of a The Things Network stack, version 2."""

from typing import TYPE_CHECKING, Annotated

import typer

from .output import note_if_empty, print_json, print_table, refuse

if TYPE_CHECKING:
    from ..v2 import HandlerAddress
    from .run import Settings


def handlers(
    context: typer.Context,
    discovery: Annotated[
        str, typer.Argument(metavar="URL", help="Of the discovery server's HTTP API.")
    ],
) -> None:
    """List the Handlers of a v2 stack.

    Its discovery server tells their addresses, for --server and --mqtt; no key is needed.
    """
    import asyncio

    from ..errors import StackError

    settings: Settings = context.obj
    try:
        found = asyncio.run(_found(discovery, settings.ca_pem))
    except StackError as error:
        refuse(error, settings)
    note_if_empty(found, "Handler")
    if settings.json:
        print_json(found)
        return
    rows = [
        (
            handler.handler_id,
            handler.api_address or "-",
            f"{handler.mqtt_host}:{handler.mqtt_port}" if handler.mqtt_host else "-",
            handler.description,
        )
        for handler in found
    ]
    print_table(("HANDLER", "SERVER", "MQTT", "DESCRIPTION"), rows)


async def _found(discovery: str, ca_pem: str | None) -> "list[HandlerAddress]":
    import aiohttp

    from ..mqtt import tls_context
    from ..v2 import find_handlers

    async with aiohttp.ClientSession() as session:
        return await find_handlers(discovery, session=session, tls_context=tls_context(ca_pem))
