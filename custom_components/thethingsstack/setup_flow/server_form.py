"""The forms for servers and API keys, and reading their answers into the entry's data."""

from collections.abc import Mapping
import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from homeassistant.const import CONF_API_KEY
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from ..client import (
    CLOUD_CLUSTERS,
    NETWORKS,
    InvalidIdentifier,
    InvalidRequest,
    Network,
    check_id,
    cloud_network,
    normalize_server_url,
)
from ..const import (
    CONF_APPLICATION_ID,
    CONF_CA_CERTIFICATE,
    CONF_CLUSTER,
    CONF_IDENTITY_SERVER,
    CONF_MQTT_HOST,
    CONF_MQTT_PORT,
    CONF_MQTT_TLS,
    CONF_NETWORK,
    CONF_PLAINTEXT,
    CONF_SERVER,
    CONF_TENANT_ID,
    NETWORK_CLOUD,
    NETWORK_OWN_SERVER,
    SECTION_ADVANCED,
)

_KEY_ID = re.compile(r"(NNSXS\.)?[A-Z2-7]{39}\.?")
_CLOUD_HOST = re.compile(r"(?P<tenant>[a-z0-9-]+)\.(?P<cluster>\w+)\.cloud\.thethings\.industries")
KEY_FIELD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off"))
URL_FIELD = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))


class FormError(Exception):
    """A form's answer is refused: the key of the error text, and the field that is wrong."""

    def __init__(self, reason: str, field: str = "base", **placeholders: str) -> None:
        """Keep the text's key in `config.error`, the form's field, and the placeholders."""
        super().__init__(reason)
        self.reason = reason
        self.field = field
        self.placeholders = placeholders


class AddressError(FormError):
    """The address is wrong, or the server can't be reached; the API key isn't the cause."""


def _select(options: list[str], translation_key: str) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=options, translation_key=translation_key, mode=SelectSelectorMode.DROPDOWN
        )
    )


KEY_SCHEMA = vol.Schema({vol.Required(CONF_API_KEY): KEY_FIELD})
OPTIONAL_KEY_SCHEMA = vol.Schema({vol.Optional(CONF_API_KEY): KEY_FIELD})
SANDBOX_SCHEMA = vol.Schema({vol.Required(CONF_NETWORK): _select(list(NETWORKS), "network")})
CLOUD_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_TENANT_ID): TextSelector(),
        vol.Required(CONF_CLUSTER, default=CLOUD_CLUSTERS[0]): _select(
            list(CLOUD_CLUSTERS), "cluster"
        ),
    }
)
ADVANCED_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_IDENTITY_SERVER): URL_FIELD,
        vol.Optional(CONF_TENANT_ID): TextSelector(),
        vol.Optional(CONF_MQTT_HOST): TextSelector(),
        vol.Optional(CONF_MQTT_PORT): NumberSelector(
            NumberSelectorConfig(min=1, max=65535, mode=NumberSelectorMode.BOX)
        ),
        vol.Optional(CONF_CA_CERTIFICATE): TextSelector(TextSelectorConfig(multiline=True)),
        vol.Required(CONF_PLAINTEXT, default=False): BooleanSelector(),
    }
)


def _own_server_schema(collapsed: bool) -> vol.Schema:
    return vol.Schema(
        {
            vol.Required(CONF_SERVER): URL_FIELD,
            vol.Required(SECTION_ADVANCED): section(ADVANCED_SCHEMA, {"collapsed": collapsed}),
        }
    )


OWN_SERVER_SCHEMA = _own_server_schema(collapsed=True)
REFUSED_OWN_SERVER_SCHEMA = _own_server_schema(collapsed=False)
"""The form with the section Advanced open, since refused addresses are mostly corrected there."""


def network_data(name: str, network: Network) -> dict[str, Any]:
    """Return the entry's data for a public network."""
    return {
        CONF_NETWORK: name,
        CONF_SERVER: network.server,
        CONF_IDENTITY_SERVER: network.identity_server,
        CONF_TENANT_ID: network.tenant_id,
        CONF_MQTT_HOST: None,
        CONF_MQTT_PORT: None,
        CONF_MQTT_TLS: True,
        CONF_CA_CERTIFICATE: None,
    }


def read_server(network: str, user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry's data for a form's answers about a server; raises FormError."""
    if network == NETWORK_OWN_SERVER:
        return _read_own_server(user_input)
    if network == NETWORK_CLOUD:
        tenant, cluster = user_input[CONF_TENANT_ID].strip().lower(), user_input[CONF_CLUSTER]
        if not _is_id(tenant):
            raise FormError("invalid_tenant", CONF_TENANT_ID)
        return _cloud_data(tenant, cluster)
    return network_data(user_input[CONF_NETWORK], NETWORKS[user_input[CONF_NETWORK]])


def _cloud_data(tenant: str, cluster: str) -> dict[str, Any]:
    return {**network_data(NETWORK_CLOUD, cloud_network(tenant, cluster)), CONF_CLUSTER: cluster}


def _read_own_server(user_input: Mapping[str, Any]) -> dict[str, Any]:
    advanced = user_input.get(SECTION_ADVANCED, {})
    plaintext = advanced.get(CONF_PLAINTEXT, False)
    server = read_url(user_input[CONF_SERVER], plaintext, "invalid_server")
    if (public := _public_network(server)) is not None:
        return public
    identity_server = server
    if text := advanced.get(CONF_IDENTITY_SERVER):
        identity_server = read_url(text, plaintext, "invalid_identity_server")
    port = advanced.get(CONF_MQTT_PORT)
    return {
        CONF_NETWORK: NETWORK_OWN_SERVER,
        CONF_SERVER: server,
        CONF_IDENTITY_SERVER: identity_server,
        CONF_TENANT_ID: advanced.get(CONF_TENANT_ID, "").strip() or None,
        CONF_MQTT_HOST: read_host(advanced.get(CONF_MQTT_HOST, "")),
        CONF_MQTT_PORT: None if port is None else int(port),
        CONF_MQTT_TLS: not plaintext,
        CONF_CA_CERTIFICATE: advanced.get(CONF_CA_CERTIFICATE, "").strip() or None,
    }


def _public_network(server: str) -> dict[str, Any] | None:
    """Return the entry's data for a cluster of a public network; None for another address."""
    for name, network in NETWORKS.items():
        if network.server == server:
            return network_data(name, network)
    match = _CLOUD_HOST.fullmatch(urlsplit(server).hostname or "")
    if match and match["cluster"] in CLOUD_CLUSTERS:
        return _cloud_data(match["tenant"], match["cluster"])
    return None


def read_url(text: str, plaintext: bool, reason: str, field: str | None = None) -> str:
    """Return a base URL; without a scheme, https:// is added, or http:// with `plaintext`.

    Raises FormError `reason` for an invalid address, at the server's field unless another is named.
    """
    text = text.strip()
    if plaintext and "://" not in text:
        text = f"http://{text}"
    field = field or (CONF_SERVER if reason == "invalid_server" else "base")
    try:
        url = normalize_server_url(text)
    except InvalidRequest as err:
        raise FormError(reason, field) from err
    if url.startswith("http:") and not plaintext:
        raise FormError("plaintext_not_chosen", field)
    return url


def read_host(text: str) -> str | None:
    """Return a host name or IP address; `None` for an empty text; raises FormError for a URL."""
    host = text.strip().strip("[]")
    if not host:
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if re.search(r"[:/@\s]", host):
            raise FormError("invalid_mqtt_host") from None
    return host


def read_key(text: str) -> str:
    """Return an API key without quotes, spaces and "Bearer"; raises FormError for a key's ID."""
    key = text.strip().strip("\"'").removeprefix("Bearer ").strip()
    if _KEY_ID.fullmatch(key):
        raise FormError("key_id", CONF_API_KEY)
    return key


def read_application(text: str) -> dict[str, str]:
    """Return the entry's data for "application" or "application@tenant"; raises FormError."""
    application_id, _, tenant_id = text.strip().partition("@")
    if not _is_id(application_id):
        raise FormError("invalid_application_id", CONF_APPLICATION_ID)
    data = {CONF_APPLICATION_ID: application_id}
    if tenant_id:
        data[CONF_TENANT_ID] = tenant_id
    return data


def _is_id(text: str) -> bool:
    """Return whether a text is a valid ID of an application or a tenant."""
    try:
        check_id(text)
    except InvalidIdentifier:
        return False
    return True


def sibling_clusters(data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the entry's data for each cluster of its public network, by name; {} without one."""
    if data[CONF_NETWORK] in NETWORKS:
        return {name: network_data(name, network) for name, network in NETWORKS.items()}
    if data[CONF_NETWORK] == NETWORK_CLOUD:
        return {cluster: _cloud_data(data[CONF_TENANT_ID], cluster) for cluster in CLOUD_CLUSTERS}
    return {}


def as_typed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry's data as answers of the server's form, without the API key."""
    return {
        **data,
        CONF_API_KEY: None,
        SECTION_ADVANCED: {
            CONF_IDENTITY_SERVER: data[CONF_IDENTITY_SERVER]
            if data[CONF_IDENTITY_SERVER] != data[CONF_SERVER]
            else None,
            CONF_TENANT_ID: data[CONF_TENANT_ID],
            CONF_MQTT_HOST: data[CONF_MQTT_HOST],
            CONF_MQTT_PORT: data[CONF_MQTT_PORT],
            CONF_CA_CERTIFICATE: data[CONF_CA_CERTIFICATE],
            CONF_PLAINTEXT: not data[CONF_MQTT_TLS],
        },
    }
