"""Shared by all commands: settings, opening the client, reading arguments."""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
import dataclasses
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from .output import note, refuse, refuse_usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..connection import Connection
    from ..errors import MissingRight, NotFound
    from ..registration import Server
    from ..stack import Stack

DeviceId = Annotated[str, typer.Argument(help="The end device's ID.")]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask for confirmation.")]

HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


@dataclass(kw_only=True)
class Settings:
    """The options that all commands share: server, application, API key, output format."""

    server: str | None = None
    identity_server: str | None = None
    application: str | None = None
    api_key: str = field(default="", repr=False)
    ca_pem: str | None = None
    mqtt: str | None = None
    plaintext: bool = False
    v2: bool = False
    json: bool = False
    origins: Mapping[str, str] = field(default_factory=dict)
    """The option or variable that a setting comes from, by the setting's name."""


def no_rights(application: str) -> "MissingRight":
    """Return the error for an API key without any right on the application."""
    from ..errors import MissingRight

    return MissingRight(
        f"the API key has no rights for application `{application}`",
        name="no_application_rights",
        namespace="pkg/auth/rights",
    )


def run_with(
    context: typer.Context,
    work: "Callable[[Stack], Coroutine[Any, Any, None]]",
    *,
    application_needed: bool = True,
    needs: str | None = None,
) -> None:
    """Run a command's work with the client; an error is printed and ends the command.

    `needs` is a capability, without which the command doesn't begin.
    """
    import asyncio

    from ..errors import NotFound, StackError

    settings: Settings = context.obj
    if not settings.server:
        refuse_usage("no server: give --server or TTN_SERVER", "no_server")
    if not settings.api_key:
        refuse_usage(
            "no API key: give TTN_API_KEY, TTN_API_KEY_FILE or --api-key-file", "no_api_key"
        )

    async def run() -> None:
        async with opened(settings, application_needed=application_needed) as stack:
            try:
                if needs is not None:
                    stack.capabilities.require(needs)
                await work(stack)
            except NotFound as error:
                raise await _about_device(stack, error) from error

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    except StackError as error:
        refuse(error, settings)


async def _about_device(stack: "Stack", error: "NotFound") -> "NotFound":
    """Return the error for an end device that one server lacks: as all lack it, or only some."""
    from ..errors import NotFound, StackError, unknown_device

    device_id = error.attributes.get("device_id")
    if not device_id or not error.name.startswith("not_on_"):
        return error
    try:
        presence = await stack.end_devices.presence(device_id)
    except StackError:
        return error
    if not any((presence.identity, presence.join, presence.network, presence.application)):
        return unknown_device(device_id, stack.connection.application_id, status=error.status)
    if not presence.missing:
        return error
    return NotFound(
        f"{half_created(device_id, presence.missing)}: `devices delete` removes it, so that it can "
        "be registered anew",
        name=error.name,
        status=error.status,
        attributes=error.attributes,
    )


def server_names(servers: "Iterable[Server]") -> str:
    """Return servers as The Things Stack calls them, for a text."""
    return ", ".join(f"{server.value.capitalize()} Server" for server in servers)


def half_created(device_id: str, missing: "Iterable[Server]") -> str:
    """Return that an end device is not on all servers, for a text."""
    return f"{device_id} is half created: it is missing on the {server_names(missing)}"


async def check_registered(stack: "Stack", *device_ids: str) -> None:
    """Raise NotFound for an end device that there is none of; nothing would ever come from it.

    A key that may not read end devices is taken at its word.
    """
    from ..errors import MissingRight, unknown_device

    try:
        found = await stack.end_devices.batch(device_ids, ["ids"])
    except MissingRight:
        note("whether the device exists is not known: the key may not read end devices")
        return
    there = {device.ids.device_id for device in found}
    for device_id in device_ids:
        if device_id not in there:
            raise unknown_device(device_id, stack.connection.application_id)


@asynccontextmanager
async def opened(settings: Settings, *, application_needed: bool) -> "AsyncIterator[Stack]":
    """Open a client with these settings; its session is closed at the end.

    Raises InvalidRequest for http:// to another machine, and without an application if it is needed.
    """
    import aiohttp

    from ..errors import InvalidRequest
    from ..mqtt import tls_context
    from ..stack import Stack

    connection = connection_of(settings)
    context = tls_context(settings.ca_pem)
    async with aiohttp.ClientSession() as session:
        if settings.v2:
            from ..v2 import HandlerStack

            if application_needed and connection.application_id is None:
                raise InvalidRequest(
                    "an access key doesn't say its application: name it with --application",
                    name="no_application_id",
                )
            handler = HandlerStack(connection, session=session, tls_context=context)
            # Commands ask for capabilities first, and for nothing that it doesn't have.
            yield cast("Stack", handler)
            return
        if connection.application_id is None:
            stack = Stack(connection, session=session, tls_context=context)
            info = await stack.auth_info()
            if info.application_id is None and application_needed:
                raise InvalidRequest(
                    "the key is not of one application: name it with --application",
                    name="no_application_id",
                )
            connection = dataclasses.replace(connection, application_id=info.application_id)
        yield Stack(connection, session=session, tls_context=context)


def connection_of(settings: Settings) -> "Connection":
    """Return the addresses, application and key of these settings.

    Raises InvalidRequest for no encryption to another machine, unless `plaintext` is wanted.
    """
    from ..connection import Connection, host_port, is_loopback
    from ..errors import InvalidRequest

    _check_servers(settings)
    mqtt_host, mqtt_port = host_port(settings.mqtt or "")
    connection = Connection(
        server=settings.server or "",
        identity_server=settings.identity_server or "",
        application_id=settings.application,
        api_key=settings.api_key,
        mqtt_host=mqtt_host or None,
        mqtt_port=mqtt_port,
        mqtt_tls={"mqtt": False, "mqtts": True}.get((settings.mqtt or "").partition("://")[0]),
    )
    plain = connection.server.startswith("http://") and not is_loopback(connection.server_host)
    plain |= not connection.mqtt_tls and not is_loopback(mqtt_host or connection.server_host)
    if plain and not settings.plaintext:
        raise InvalidRequest(
            "plain http:// is for this machine only: the key would be readable. Use https://, or "
            "--plaintext in a network that you trust",
            name="plaintext_refused",
        )
    return connection


def _check_servers(settings: Settings) -> None:
    """Raise InvalidRequest for an address that is none, with the option that it comes from."""
    from ..connection import normalize_server_url
    from ..errors import InvalidRequest

    for name in ("server", "identity_server"):
        try:
            if text := getattr(settings, name):
                normalize_server_url(text)
        except InvalidRequest as error:
            raise InvalidRequest(
                f"{error.message} (in {settings.origins.get(name)})", name=error.name
            ) from None


def read_text(path: Path | None) -> str:
    """Return the text of a file, "" for None; an unreadable file ends the command."""
    if path is None:
        return ""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        refuse_usage(f"{path} can't be read: {getattr(error, 'strerror', None) or 'no text'}")


def json_object(text: str, otherwise: str) -> dict[str, Any]:
    """Return a JSON object from a text; no JSON, or with `otherwise` no object, ends the command."""
    import orjson

    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        refuse_usage(f"the object is no JSON: {error}")
    if not isinstance(value, dict):
        refuse_usage(otherwise)
    return value


def hexadecimal(text: str) -> bytes:
    """Return the bytes of hexadecimal digits; another text ends the command."""
    try:
        return bytes.fromhex(text.removeprefix("0x").replace(":", " ").replace("-", " "))
    except ValueError:
        refuse_usage(f"the payload `{text}` is no hexadecimal number of whole bytes, as 01A0FF is")


def moment(text: str) -> datetime:
    """Return the time that a text in ISO format is; raises typer.BadParameter for another."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"`{text}` is no time as 2026-01-31 or 2026-01-31T08:00 is"
        ) from None


def group(help_text: str) -> typer.Typer:
    """Return an empty group of commands with this help text."""
    return typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        help=help_text,
        rich_markup_mode=None,
        context_settings=HELP,
    )


def pairs(texts: list[str] | None, *, removable: bool = False) -> dict[str, str | None]:
    """Return KEY=VALUE options as a mapping; with `removable`, "KEY=" is None."""
    found: dict[str, str | None] = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not equals or (not value and not removable):
            refuse_usage(f"{text} is not of the form KEY=VALUE")
        found[key] = value or None
    return found
