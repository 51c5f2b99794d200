"""The commands for downlinks."""

from contextlib import aclosing
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import (
    confirm,
    note,
    note_if_empty,
    print_done,
    print_json,
    print_table,
    progress,
    refuse_usage,
)
from .run import DeviceId, Yes, group, hexadecimal, json_object, run_with

if TYPE_CHECKING:
    from ..downlinks import Downlink
    from ..stack import Stack

downlink_app = group("Downlinks and the queue that they wait in.")


class Wait(StrEnum):
    """The state of a downlink at which the command ends."""

    QUEUED = "queued"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"


class Via(StrEnum):
    """The protocol over which a downlink is sent to the server."""

    HTTP = "http"
    MQTT = "mqtt"


class Priority(StrEnum):
    """Which of several waiting downlinks goes first."""

    LOWEST = "lowest"
    LOW = "low"
    BELOW_NORMAL = "below_normal"
    NORMAL = "normal"
    ABOVE_NORMAL = "above_normal"
    HIGH = "high"
    HIGHEST = "highest"


_REACHED = {Wait.SENT: ("sent", "ack", "nack"), Wait.ACKNOWLEDGED: ("ack",)}
"""Reports of the stream that end the waiting for a state."""

Hex = Annotated[str | None, typer.Option("--hex", help="Payload as hexadecimal digits.")]
Base64 = Annotated[str | None, typer.Option("--base64", help="Payload as base64.")]
Object = Annotated[
    str | None, typer.Option("--object", help="JSON object for the device's downlink formatter.")
]
Port = Annotated[
    int | None, typer.Option("--f-port", min=1, max=223, help="Needed with a payload of bytes.")
]
Confirmed = Annotated[bool, typer.Option("--confirmed", help="The device has to acknowledge.")]
Retries = Annotated[
    int | None,
    typer.Option("--retries", min=1, max=32, help="How often a confirmed one is sent at most."),
]
Prior = Annotated[
    Priority | None,
    typer.Option("--priority", case_sensitive=False, help="Which goes first; else lowest."),
]
First = Annotated[
    bool, typer.Option("--first", help="Put it before all that wait (The Things Network v2).")
]
Ids = Annotated[
    list[str] | None,
    typer.Option("--correlation-id", help="Of your own, to know it again; repeat it."),
]
WaitFor = Annotated[Wait, typer.Option("--wait", help="What to wait for before the command ends.")]
Limit = Annotated[float, typer.Option("--timeout", min=0, help="Seconds to wait at most.")]
Way = Annotated[
    Via,
    typer.Option("--via", help="Over MQTT the server doesn't report a refused downlink."),
]


@downlink_app.command("push")
def push(
    context: typer.Context,
    device_id: DeviceId,
    *,
    hex_payload: Hex = None,
    base64_payload: Base64 = None,
    object_payload: Object = None,
    f_port: Port = None,
    confirmed: Confirmed = False,
    retries: Retries = None,
    priority: Prior = None,
    correlation_id: Ids = None,
    first: First = False,
    wait: WaitFor = Wait.QUEUED,
    timeout: Limit = 60,
    via: Way = Via.HTTP,
) -> None:
    """Append a downlink to a device's queue."""
    payloads = (hex_payload, base64_payload, object_payload)
    delivery = (confirmed, retries, priority)
    downlink = _downlink(payloads, f_port, delivery, correlation_id)
    operation = "push_first" if first else "push"
    _send(context, device_id, operation, downlink, wait=wait, timeout=timeout, via=via)


@downlink_app.command("replace")
def replace(
    context: typer.Context,
    device_id: DeviceId,
    *,
    hex_payload: Hex = None,
    base64_payload: Base64 = None,
    object_payload: Object = None,
    f_port: Port = None,
    confirmed: Confirmed = False,
    retries: Retries = None,
    priority: Prior = None,
    correlation_id: Ids = None,
    wait: WaitFor = Wait.QUEUED,
    timeout: Limit = 60,
    via: Way = Via.HTTP,
    yes: Yes = False,
) -> None:
    """Replace a device's queue by one downlink."""
    payloads = (hex_payload, base64_payload, object_payload)
    delivery = (confirmed, retries, priority)
    downlink = _downlink(payloads, f_port, delivery, correlation_id)
    confirm(f"Drop all downlinks that wait for {device_id}?", yes=yes)
    _send(context, device_id, "replace", downlink, wait=wait, timeout=timeout, via=via)


@downlink_app.command("clear")
def clear(context: typer.Context, device_id: DeviceId, yes: Yes = False) -> None:
    """Empty a device's queue."""
    confirm(f"Drop all downlinks that wait for {device_id}?", yes=yes)

    async def work(stack: "Stack") -> None:
        dropped = await _waiting(stack, device_id)
        await stack.downlinks.clear(device_id)
        _note_dropped(dropped)
        answer = {"device_id": device_id, "state": "cleared", "dropped": dropped}
        print_done(context, "cleared", answer)

    run_with(context, work, needs="downlink_queue")


@downlink_app.command("queue")
def queue(context: typer.Context, device_id: DeviceId) -> None:
    """Show the downlinks in a device's queue."""

    async def show(stack: "Stack") -> None:
        items = await stack.downlinks.queue(device_id)
        note_if_empty(items, "waiting downlink")
        if context.obj.json:
            print_json([item.raw for item in items])
            return
        rows = [
            (
                f"port {item.f_port}",
                (item.payload or b"").hex(),
                item.priority,
                "confirmed" if item.confirmed else "",
            )
            for item in items
        ]
        print_table(("PORT", "PAYLOAD", "PRIORITY", ""), rows)

    run_with(context, show, needs="downlink_queue")


async def _waiting(stack: "Stack", device_id: str) -> int | None:
    """Return how many downlinks wait; None if nobody says that to this key."""
    from ..errors import MissingRight

    if not stack.capabilities.downlink_queue:
        return None
    try:
        return len(await stack.downlinks.queue(device_id))
    except MissingRight:
        return None


def _note_dropped(count: int | None) -> None:
    if count == 0:
        note("no downlink was waiting")
    elif count:
        note(f"{count} waiting downlink{'s were' if count > 1 else ' was'} dropped")


def _downlink(
    payloads: tuple[str | None, str | None, str | None],
    f_port: int | None,
    delivery: tuple[bool, int | None, Priority | None],
    correlation_ids: list[str] | None,
) -> "Downlink":
    """Return the downlink that the options describe; a contradiction ends the command."""
    from uuid import uuid4

    from ..downlinks import PRIORITIES, Downlink

    confirmed, retries, priority = delivery
    hex_payload, base64_payload, object_payload = payloads
    if sum(payload is not None for payload in payloads) != 1:
        refuse_usage("give one payload: --hex, --base64 or --object")
    payload = decoded = None
    if object_payload is not None:
        decoded = json_object(object_payload, 'the payload is no object, as {"on": true} is')
    elif f_port is None:
        refuse_usage("a payload of bytes needs --f-port")
    if hex_payload is not None:
        payload = hexadecimal(hex_payload)
    elif base64_payload is not None:
        payload = _base64(base64_payload)
    if retries is not None and not confirmed:
        refuse_usage("only a --confirmed downlink is sent again")
    return Downlink(
        f_port=f_port,
        payload=payload,
        decoded_payload=decoded,
        confirmed=confirmed,
        max_attempts=retries,
        priority=next((known for known in PRIORITIES if known.lower() == priority), None),
        correlation_ids=(f"cli:{uuid4()}", *(correlation_ids or ())),
    )


def _base64(text: str) -> bytes:
    from base64 import b64decode

    try:
        return b64decode(text, validate=True)
    except ValueError:
        refuse_usage(f"the payload `{text}` is no base64")


def _send(
    context: typer.Context,
    device_id: str,
    operation: str,
    downlink: "Downlink",
    *,
    wait: Wait,
    timeout: float,
    via: Via,
) -> None:
    if wait is Wait.ACKNOWLEDGED and not downlink.confirmed:
        refuse_usage("only a --confirmed downlink is acknowledged")

    dropped: int | None = None

    async def send(stack: "Stack") -> None:
        nonlocal dropped
        if operation == "replace":
            dropped = await _waiting(stack, device_id)
        if operation == "push_first":
            stack.capabilities.require("downlink_first")
        elif via is Via.MQTT:
            await stack.publish_downlinks(operation, device_id, [downlink])
            return
        await _refuse_empty_frame(stack, device_id, downlink)
        match operation:
            case "push":
                await stack.downlinks.push(device_id, [downlink])
            case "push_first":
                await stack.downlinks.push_first(device_id, [downlink])
            case _:
                await stack.downlinks.replace(device_id, [downlink])

    async def work(stack: "Stack") -> None:
        import asyncio

        from ..errors import StackError

        state = "published" if via is Via.MQTT else "queued"
        if wait is Wait.QUEUED:
            await send(stack)
        else:
            try:
                with progress(f"Waiting until it is {wait}"):
                    async with asyncio.timeout(timeout):
                        state = await _send_and_follow(stack, send, downlink, wait)
            except TimeoutError:
                rest = (
                    f"the server may have refused it: does the device `{device_id}` exist?"
                    if via is Via.MQTT
                    else "it stays queued"
                )
                raise StackError(
                    f"not {wait} within {timeout:g} seconds; {rest}", name="timed_out"
                ) from None
        answer: dict[str, Any] = {
            "state": state,
            "correlation_id": downlink.correlation_ids[0],
        }
        if operation == "replace":
            answer["dropped"] = dropped
            _note_dropped(dropped)
        print_done(context, state, answer)
        if state == "published":
            note("The server doesn't answer over MQTT: it may have refused the downlink.")

    run_with(context, work)


async def _refuse_empty_frame(stack: "Stack", device_id: str, downlink: "Downlink") -> None:
    """Raise InvalidRequest for an object if the device has no downlink formatter.

    The server would accept it and send a frame without payload. Not checked if the API key may
    not read the formatter.
    """
    from ..errors import InvalidRequest, MissingRight

    if downlink.decoded_payload is None:
        return
    try:
        formatter = await stack.downlinks.formatter(device_id)
    except MissingRight:
        return
    if formatter is None:
        raise InvalidRequest(
            "the device has no downlink formatter: give its payload as bytes",
            name="no_downlink_formatter",
            status=400,
        )


async def _send_and_follow(stack: "Stack", send: Any, downlink: "Downlink", wait: Wait) -> str:
    """Send as soon as the stream is connected, and return the state when it is reached."""
    from ..errors import MissingRight, RequestTimeout, StackError
    from ..messages import DownlinkReport
    from ..rights import TRAFFIC_READ
    from ..stream import StreamConnected, StreamLost

    if TRAFFIC_READ not in await stack.rights():
        raise MissingRight(
            "waiting needs the right to read traffic",
            rights=[TRAFFIC_READ],
            name="insufficient_application_rights",
        )
    sent = False
    async with aclosing(stack.stream()) as stream:
        async for item in stream:
            match item:
                case StreamConnected() if not sent:
                    await send(stack)
                    sent = True
                case StreamLost() if not sent:
                    raise item.error
                case DownlinkReport() if (
                    downlink.correlation_ids[0] in item.downlink_correlation_ids
                ):
                    if item.state == "failed":
                        error = item.error
                        raise StackError(
                            error.message if error else "the downlink failed",
                            name=error.name if error else "failed",
                        )
                    if item.state in _REACHED[wait]:
                        return wait.value
    raise RequestTimeout("the stream ended", name="stream_ended")
