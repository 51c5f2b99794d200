"""Create a client from a config entry's data, with the right TLS certificates."""

from collections.abc import Callable, Mapping
import logging
import ssl
from typing import Any

from homeassistant.const import CONF_API_KEY, __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.ssl import get_default_context

from ..client import (
    ApplicationClient,
    AuthenticationFailed,
    Capabilities,
    Connection,
    Stack,
    StackError,
    is_loopback,
    tls_context,
)
from ..client.v2 import CAPABILITIES, HandlerStack
from ..const import (
    CONF_APPLICATION_ID,
    CONF_CA_CERTIFICATE,
    CONF_IDENTITY_SERVER,
    CONF_KEY_ID,
    CONF_MQTT_HOST,
    CONF_MQTT_PORT,
    CONF_MQTT_TLS,
    CONF_NETWORK,
    CONF_SERVER,
    CONF_TENANT_ID,
    DOMAIN,
    NETWORK_OWN_SERVER,
    NETWORK_V2,
    VERSION,
)
from ..issues import raise_issue

_LOGGER = logging.getLogger(__name__)

# A key that was already deleted or has expired needs no clean-up.
_GONE = ("api_key_not_found", "api_key_expired")
QUEUED_MESSAGES = 5_000
QUEUE_SIZE: HassKey[int] = HassKey(f"{DOMAIN}_queue_size")
"""Key in `hass.data` for another size of the message queue than QUEUED_MESSAGES."""
USER_AGENT = f"HomeAssistant/{__version__} {DOMAIN}/{VERSION}"


def connection_of(data: Mapping[str, Any]) -> Connection:
    """Return the server addresses of an entry's data; raises InvalidRequest `invalid_server`."""
    return Connection(
        server=data[CONF_SERVER],
        identity_server=data.get(CONF_IDENTITY_SERVER) or "",
        api_key=data.get(CONF_API_KEY) or "",
        application_id=data.get(CONF_APPLICATION_ID),
        tenant_id=data.get(CONF_TENANT_ID),
        mqtt_host=data.get(CONF_MQTT_HOST),
        mqtt_port=data.get(CONF_MQTT_PORT),
        mqtt_tls=data.get(CONF_MQTT_TLS, True),
    )


async def async_create_stack(
    hass: HomeAssistant,
    data: Mapping[str, Any],
    *,
    on_key_refused: Callable[[AuthenticationFailed], None] | None = None,
) -> ApplicationClient:
    """Return the client of its network for an entry's data; makes no request yet.

    `on_key_refused` is called with each error that refuses the key, whatever request got it.
    Raises InvalidRequest `invalid_server` or `invalid_certificate`.
    """
    context = await async_tls_context(hass, data)
    make = HandlerStack if _is_handler(data) else Stack
    return make(
        connection_of(data),
        session=async_get_clientsession(hass),
        tls_context=context,
        user_agent=USER_AGENT,
        queue_size=hass.data.get(QUEUE_SIZE, QUEUED_MESSAGES),
        on_key_refused=on_key_refused,
    )


def network_capabilities(data: Mapping[str, Any]) -> Capabilities:
    """Return what the network of an entry's data can do, whether the entry is loaded or not."""
    return CAPABILITIES if _is_handler(data) else Capabilities()


def _is_handler(data: Mapping[str, Any]) -> bool:
    return data.get(CONF_NETWORK) == NETWORK_V2


async def async_tls_context(hass: HomeAssistant, data: Mapping[str, Any]) -> ssl.SSLContext:
    """Return the TLS context for an entry's data, which may have a certificate authority.

    Raises InvalidRequest `invalid_certificate`.
    """
    context = get_default_context()
    if certificate := data.get(CONF_CA_CERTIFICATE):
        # Reads the system's root certificates from disk.
        context = await hass.async_add_executor_job(tls_context, certificate)
    return context


def is_address_of(data: Mapping[str, Any], address: str | None, host: str) -> bool:
    """Return whether an address belongs to the server `host` of an entry with this data.

    Always True without an address, and for a self-hosted server, which may have many names.
    """
    if data[CONF_NETWORK] in (NETWORK_OWN_SERVER, NETWORK_V2) or not (there := host_of(address)):
        return True
    # In the Cloud, addresses come with and without the tenant.
    return is_loopback(there) or host.endswith(there) or there.endswith(host)


def host_of(address: str | None) -> str:
    """Return the host name of a server's address."""
    return (address or "").partition(":")[0].casefold()


async def async_discard_key(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Delete the API key that the set-up created for an entry, if it created one.

    A key that can't be deleted is named in the log and in a repair issue.
    """
    if (key_id := data.get(CONF_KEY_ID)) is None:
        return
    try:
        stack = await async_create_stack(hass, data)
        await stack.administration.delete_api_key(key_id)
    except StackError as err:
        if isinstance(err, AuthenticationFailed) and err.name in _GONE:
            return
        _LOGGER.warning(
            "The API key %s could not be deleted: %s. Delete it in the Console", key_id, err
        )
        raise_issue(
            hass,
            f"key_left_{key_id}",
            "key_left",
            {
                "application": str(data[CONF_APPLICATION_ID]),
                "key_id": key_id,
                "error": str(err),
            },
        )
