"""What the user asked for, on the command line or in the environment."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
import ssl
from urllib.parse import urlsplit

DESCRIPTION = """\
Start Home Assistant, set up and logged in, with a The Things Stack application connected: a
simulated one, or your own with --server. Every option about the server can be given by the
variable named with it."""

VERSIONS = ("2026.10", "2026.11")
"""The versions of Home Assistant; each has an environment of its own, which scripts/develop makes."""
DOORS = ("mqtt", "events", "webhook")
"""By which way messages can come."""
DEFAULT_DOOR = "mqtt"
DOOR_HELP = "by which way messages come (mqtt); webhook needs a server that reaches this machine"


class UsageError(Exception):
    """The options contradict each other or lack something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Where an application is and the key to it."""

    server: str
    identity_server: str | None = None
    application_id: str | None = None
    api_key: str
    ca_pem: str | None = None
    mqtt: str | None = None
    """Host and port of MQTT where they must be named: of a stack of version 2."""
    senders: tuple[tuple[str, str, str], ...] | None = None
    """ID, DevEUI and name of the simulated end devices that send by themselves, where they are known."""

    @property
    def plaintext(self) -> bool:
        """Whether the server is reached without TLS."""
        return self.server.startswith("http://")

    @property
    def tls_context(self) -> ssl.SSLContext | None:
        """The context that trusts the private authority, if there is one."""
        return ssl.create_default_context(cadata=self.ca_pem) if self.ca_pem else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One run of scripts/develop. `application` is None for the simulator's, which may be `v2`."""

    port: int | None
    entry: bool
    check: bool
    json: bool
    keep: bool
    timeout: float
    door: str
    v2: bool
    application: Application | None


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Return the run that was asked for; exits with code 2 on a usage error."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.json and not given.check:
        parser.error("--json goes with --check")
    if given.check and given.no_entry:
        parser.error("--check needs the entry that --no-entry leaves out")
    if given.v2 and (given.server or given.door != DEFAULT_DOOR):
        parser.error("--v2 is for the simulated stack, whose messages come by MQTT")
    try:
        application = None if given.v2 else _application(given, environment)
    except (UsageError, OSError) as error:
        parser.error(str(error))
    return Options(
        port=given.port,
        entry=not given.no_entry,
        check=given.check,
        json=given.json,
        keep=given.keep,
        timeout=given.timeout,
        door=given.door,
        v2=given.v2,
        application=application,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/develop", description=DESCRIPTION)
    add = parser.add_argument
    add("--port", type=int, help="port of Home Assistant (8123; with --check any free one)")
    add("--no-entry", action="store_true", help="don't add the integration: try it by hand")
    add("--server", help="base URL of a real The Things Stack (TTN_SERVER)")
    add("--identity-server", help="its Identity Server, if apart (TTN_IDENTITY_SERVER)")
    add("--application", help="application id, with @tenant if any (TTN_APPLICATION)")
    add(
        "--api-key-file",
        type=Path,
        help="file with the API key (TTN_API_KEY_FILE, or the key itself in TTN_API_KEY)",
    )
    add("--ca-file", type=Path, help="PEM of a private certificate authority (TTN_CA_FILE)")
    add("--v2", action="store_true", help="a simulated The Things Network stack of version 2")
    add("--check", action="store_true", help="no browser: start, wait for values, print, exit")
    add("--json", action="store_true", help="with --check: one JSON object per entity on stdout")
    add("--ha", choices=VERSIONS, default=VERSIONS[0], help="version of Home Assistant (2026.10)")
    add("--door", choices=DOORS, default=DEFAULT_DOOR, help=DOOR_HELP)
    add("--keep", action="store_true", help="go on with the state of the last run")
    add("--timeout", type=float, default=150, help="seconds that --check waits for values")
    return parser


def _application(given: argparse.Namespace, environment: Mapping[str, str]) -> Application | None:
    server = given.server or environment.get("TTN_SERVER")
    if not server:
        if given.api_key_file or given.identity_server or given.application or given.ca_file:
            raise UsageError("a key, an application or an Identity Server needs --server")
        return None
    if "://" not in server:
        server = f"https://{server}"
    host = urlsplit(server).hostname or ""
    if server.startswith("http://") and host != "localhost" and not host.startswith("127."):
        raise UsageError("plain http:// is for this machine only: the key would be readable")
    ca_file = given.ca_file or environment.get("TTN_CA_FILE")
    return Application(
        server=server.rstrip("/"),
        identity_server=given.identity_server or environment.get("TTN_IDENTITY_SERVER") or None,
        application_id=given.application or environment.get("TTN_APPLICATION") or None,
        api_key=_api_key(given.api_key_file, environment),
        ca_pem=Path(ca_file).read_text(encoding="ascii") if ca_file else None,
    )


def _api_key(file: Path | None, environment: Mapping[str, str]) -> str:
    if file is None and environment.get("TTN_API_KEY"):
        return environment["TTN_API_KEY"]
    path = file or environment.get("TTN_API_KEY_FILE")
    if not path:
        raise UsageError("--server needs a key: --api-key-file, TTN_API_KEY or TTN_API_KEY_FILE")
    return Path(path).read_text(encoding="utf-8").strip()
