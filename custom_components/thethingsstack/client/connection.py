"""The addresses of an application's servers, and the API key for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import ipaddress
from urllib.parse import urlsplit

from .errors import InvalidRequest

MQTT_PORT = 1883
MQTTS_PORT = 8883


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A public network: base URLs of its cluster and of its Identity Server, and its tenant."""

    name: str
    server: str
    identity_server: str
    tenant_id: str | None


def _sandbox(cluster: str, name: str) -> Network:
    # The Things Network has one Identity Server, in Europe.
    return Network(
        name=name,
        server=f"https://{cluster}.cloud.thethings.network",
        identity_server="https://eu1.cloud.thethings.network",
        tenant_id="ttn",
    )


NETWORKS: Mapping[str, Network] = {
    "ttn_eu1": _sandbox("eu1", "The Things Network Europe"),
    "ttn_nam1": _sandbox("nam1", "The Things Network North America"),
    "ttn_au1": _sandbox("au1", "The Things Network Australia"),
}
CLOUD_CLUSTERS = ("eu1", "eu2", "nam1", "au1", "as1")
_CLOUD = "cloud.thethings.industries"


def cloud_network(tenant: str, cluster: str) -> Network:
    """Return a tenant of The Things Stack Cloud; its Identity Server is always in eu1."""
    return Network(
        name=f"The Things Stack Cloud {tenant} ({cluster})",
        server=f"https://{tenant}.{cluster}.{_CLOUD}",
        identity_server=f"https://{tenant}.eu1.{_CLOUD}",
        tenant_id=tenant,
    )


def known_network(server: str) -> Network | None:
    """Return the public network that a normalised server URL belongs to."""
    for network in NETWORKS.values():
        if server == network.server:
            return network
    tenant, _, rest = (urlsplit(server).hostname or "").partition(".")
    cluster, _, domain = rest.partition(".")
    return cloud_network(tenant, cluster) if domain == _CLOUD and cluster else None


def normalize_server_url(text: str) -> str:
    """Return a server's base URL: scheme (https where none is given), host, port, prefix.

    The path of the API or of the Console is cut off. Raises InvalidRequest `invalid_server`.
    """
    url = text.strip()
    if "://" not in url:
        url = f"https://{url}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host or not _is_host(host) or parts.username:
        raise InvalidRequest(
            "not the URL of a server: expected something like https://stack.example.org",
            name="invalid_server",
        )
    path = parts.path
    for known in ("/api/v3", "/console", "/oauth"):
        path = path.split(known)[0]
    host = f"[{host}]" if ":" in host else host
    default = 443 if parts.scheme == "https" else 80
    return (
        f"{parts.scheme}://{host}"
        + ("" if port in (None, default) else f":{port}")
        + path.rstrip("/")
    )


def _is_host(host: str) -> bool:
    return not any(char.isspace() or char in "@/\\%<>\"'`{}|^" for char in host)


def host_port(address: str) -> tuple[str, int | None]:
    """Take "host:port", "host", "[v6]:port" or "mqtts://host:port" apart."""
    address = address.rpartition("://")[2].rstrip("/")
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        return address.strip("[]"), None
    return host.strip("[]"), int(port) if port.isdecimal() else None


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's."""
    if host.lower().rstrip(".") == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The addresses, IDs and API key for an application; makes no request.

    `server` and `identity_server` are base URLs. "application@tenant" as `application_id` is split.
    For public networks, Identity Server and tenant are filled in. Without MQTT host and port, the
    server's own are used. Unless `mqtt_tls` is given, MQTT uses TLS if the server's URL does.
    """

    server: str
    api_key: str = field(repr=False)
    identity_server: str = ""
    application_id: str | None = None
    tenant_id: str | None = None
    mqtt_host: str | None = None
    mqtt_port: int | None = None
    mqtt_tls: bool | None = None

    def __post_init__(self) -> None:
        """Normalise the URLs and fill in missing values; raises InvalidRequest `invalid_server`."""
        server = normalize_server_url(self.server)
        network = known_network(server)
        if self.identity_server:
            identity = normalize_server_url(self.identity_server)
        else:
            identity = network.identity_server if network else server
        application, _, tenant = (self.application_id or "").strip().partition("@")
        tenant = tenant or self.tenant_id or (network.tenant_id if network else None) or ""
        object.__setattr__(self, "server", server)
        object.__setattr__(self, "identity_server", identity)
        object.__setattr__(self, "application_id", application or None)
        object.__setattr__(self, "tenant_id", tenant or None)
        object.__setattr__(self, "api_key", self.api_key.strip())
        if self.mqtt_tls is None:
            object.__setattr__(self, "mqtt_tls", server.startswith("https://"))

    @property
    def uid(self) -> str:
        """The application's unique ID, "app@tenant" or "app"; raises InvalidRequest without one."""
        if not self.application_id:
            raise InvalidRequest("no application is given", name="no_application_id")
        if self.tenant_id:
            return f"{self.application_id}@{self.tenant_id}"
        return self.application_id

    @property
    def server_host(self) -> str:
        """The cluster's host name."""
        return urlsplit(self.server).hostname or ""
