"""The commands that follow what happens: events and uplinks, as they come."""

from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from .output import note, print_json, time_text
from .run import check_registered, no_rights, run_with

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..errors import MissingRight
    from ..messages import UplinkMessage
    from ..stack import Stack
    from ..transport import Host


def events(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names of events, for instance as.up.data.forward, or /expressions/; else all."
        ),
    ] = None,
    *,
    device: Annotated[
        list[str] | None, typer.Option(help="Only of this end device; repeat it.")
    ] = None,
    tail: Annotated[int, typer.Option(min=0, help="First so many earlier events.")] = 0,
    count: Annotated[int | None, typer.Option(min=1, help="Stop after so many.")] = None,
    registry: Annotated[
        bool,
        typer.Option("--registry", help="Events of the Identity Server, if it is another host."),
    ] = False,
) -> None:
    """Follow the events of the application and its devices."""

    async def follow(stack: "Stack") -> None:
        from ..events import Event, EventsLost

        host: Host | None = "identity" if registry else None
        await _need_events(stack)
        await check_registered(stack, *(device or ()))
        stream = stack.events.stream(names or (), device_ids=device or (), tail=tail, host=host)
        seen = 0
        async with aclosing(stream) as items:
            async for item in items:
                if isinstance(item, EventsLost) and item.error is not None and not seen:
                    raise item.error
                if not isinstance(item, Event):
                    note_item(item)
                    continue
                if context.obj.json:
                    print_json(item.raw)
                else:
                    ids = ", ".join(device.device_id for device in item.devices)
                    print(f"{time_text(item.time)}  {item.name}  {ids}", flush=True)
                seen += 1
                if seen == count:
                    return

    run_with(context, follow, needs="event_stream")


def uplinks(
    context: typer.Context,
    device: Annotated[str | None, typer.Option(help="Only of this end device.")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="Stop after so many.")] = None,
) -> None:
    """Print each uplink as it is received."""

    async def follow(stack: "Stack") -> None:
        from ..messages import UplinkMessage
        from ..stream import StreamConnected, StreamLost

        await _need_traffic(stack)
        if device is not None:
            await check_registered(stack, device)
        seen = 0
        ever_connected = False
        async with aclosing(stack.stream()) as stream:
            async for item in stream:
                if isinstance(item, StreamConnected):
                    ever_connected = True
                elif isinstance(item, StreamLost) and not ever_connected:
                    raise item.error
                if not isinstance(item, UplinkMessage):
                    note_item(item)
                elif device in (None, item.ids.device_id):
                    print_json(item.raw) if context.obj.json else print(_line(item), flush=True)
                    seen += 1
                    if seen == count:
                        return

    run_with(context, follow)


async def _need_events(stack: "Stack") -> None:
    """Raise MissingRight where no event would come; say it of those that won't."""
    from ..rights import DEVICES_READ, TRAFFIC_READ, with_console_name

    held = await stack.rights()
    about = {TRAFFIC_READ: "messages", DEVICES_READ: "registering and changing end devices"}
    lacking = [right for right in about if right not in held]
    if len(lacking) == len(about):
        raise _lacking(stack, held, lacking)
    for right in lacking:
        note(f"without the right {with_console_name(right)} no events about {about[right]} come")


async def _need_traffic(stack: "Stack") -> None:
    from ..rights import TRAFFIC_READ

    # The MQTT server accepts subscriptions without this right, but sends no messages.
    held = await stack.rights()
    if TRAFFIC_READ not in held:
        raise _lacking(stack, held, [TRAFFIC_READ])


def _lacking(stack: "Stack", held: "Collection[str]", rights: list[str]) -> "MissingRight":
    from ..errors import MissingRight

    if not held:
        return no_rights(stack.connection.uid)
    return MissingRight(
        f"insufficient rights for application `{stack.connection.uid}`",
        rights=rights,
        name="insufficient_application_rights",
        namespace="pkg/auth/rights",
    )


def note_item(item: object) -> None:
    """Print on the standard error what an item of a stream says of the connection."""
    from ..events import EventsConnected, EventsLost
    from ..stream import MessagesDropped, StreamConnected, StreamLost, UnreadableMessage

    match item:
        case StreamConnected() | EventsConnected():
            text = "connected"
        case EventsLost(error=None):
            text = "connection lost, trying again"
        case EventsLost(error=error) if error is not None:
            text = f"connection lost, trying again ({error.name}: {error})"
        case StreamLost():
            text = f"connection lost, trying again ({item.error.name}: {item.error})"
        case MessagesDropped():
            text = f"{item.count} messages dropped"
        case UnreadableMessage():
            text = f"unreadable message on {item.topic} ({item.error.name})"
        case _:
            return
    note(text)


def _line(uplink: "UplinkMessage") -> str:
    import orjson

    best = uplink.best_reception
    radio = f"{best.rssi:g} dBm {best.snr:g} dB" if best and best.rssi is not None else ""
    payload = (uplink.frm_payload or b"").hex()
    decoded = (
        "" if uplink.decoded_payload is None else orjson.dumps(uplink.decoded_payload).decode()
    )
    mark = "simulated" if uplink.simulated else ""
    parts = (
        time_text(uplink.time),
        uplink.ids.device_id,
        f"port {uplink.f_port}",
        radio,
        payload,
        decoded,
        mark,
    )
    return "  ".join(part for part in parts if part)
