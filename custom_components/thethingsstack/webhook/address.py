"""The address at which a server reaches this Home Assistant."""

import asyncio
from collections.abc import Callable, Iterator
from ipaddress import ip_address
import socket
from urllib.parse import urlsplit

from homeassistant.components import webhook
from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.network import NoURLAvailableError, get_url

from ..client import is_loopback, known_network

_PRIVATE_NAMES = (".local", ".lan", ".home.arpa", ".internal", ".localdomain", ".localhost")


class AddressRefused(Exception):  # noqa: N818 - the name says what happened
    """A server can't reach Home Assistant; `reason` is the key of a text."""

    def __init__(self, reason: str, address: str = "") -> None:
        """Name the reason, and the address that is no good."""
        super().__init__(reason)
        self.reason = reason
        self.address = address


async def async_public_address(hass: HomeAssistant, webhook_id: str, server: str) -> str:
    """Return the URL that a server has to post to; raises AddressRefused.

    A cloudhook where Home Assistant Cloud is active; else an external URL with TLS. A server on
    a private network, or on this machine, may be given an address in that network.
    """
    if _cloud_is_active(hass):
        return await _async_cloudhook(hass, webhook_id)
    return await _async_base_url(hass, server) + webhook.async_generate_path(webhook_id)


async def async_check_reachable(hass: HomeAssistant, server: str) -> None:
    """Raise AddressRefused where a server can't reach Home Assistant; makes no cloudhook yet."""
    if not _cloud_is_active(hass):
        await _async_base_url(hass, server)


async def _async_base_url(hass: HomeAssistant, server: str) -> str:
    host = urlsplit(server).hostname or ""
    nearby = known_network(server) is None and await async_is_nearby(hass, host)
    return _base_url(hass, host, nearby=nearby)


def _base_url(hass: HomeAssistant, server_host: str, *, nearby: bool) -> str:
    api = hass.config.api
    if nearby and is_loopback(server_host) and not hass.config.internal_url and api is not None:
        return f"{'https' if api.use_ssl else 'http'}://127.0.0.1:{api.port}"
    try:
        if nearby:
            return get_url(hass, allow_cloud=False, prefer_external=False)
        url = get_url(hass, allow_internal=False, prefer_external=True)
    except NoURLAvailableError:
        raise AddressRefused("address_missing") from None
    if is_private(urlsplit(url).hostname or ""):
        raise AddressRefused("address_private", url)
    if not url.startswith("https:"):
        raise AddressRefused("address_without_tls", url)
    return url


def is_private(host: str) -> bool:
    """Return whether a host can only be reached from the same network, by its name or address."""
    if is_loopback(host):
        return True
    try:
        return not ip_address(host.strip("[]")).is_global
    except ValueError:
        name = host.casefold().rstrip(".")
        return "." not in name or name.endswith(_PRIVATE_NAMES)


async def async_is_nearby(
    hass: HomeAssistant, host: str, resolve: Callable[[str], list[str]] | None = None
) -> bool:
    """Return whether a server is on a private network, as its name or its addresses tell."""
    if is_private(host):
        return True
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        pass
    else:
        return False
    try:
        addresses = await hass.async_add_executor_job(resolve or _resolve, host)
    except OSError:
        return False
    return bool(addresses) and all(map(is_private, addresses))


def _resolve(host: str) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def _cloud_is_active(hass: HomeAssistant) -> bool:
    """Return whether Home Assistant Cloud can pass deliveries on."""
    if "cloud" not in hass.config.components:
        return False
    # Only where it is installed: it needs libraries that not every Home Assistant has.
    from homeassistant.components import cloud

    return cloud.async_active_subscription(hass)


async def _async_cloudhook(hass: HomeAssistant, webhook_id: str) -> str:
    """Return the address from which Home Assistant Cloud passes deliveries on."""
    from homeassistant.components import cloud

    try:
        async with asyncio.timeout(10):
            return await cloud.async_get_or_create_cloudhook(hass, webhook_id)
    except (HomeAssistantError, TimeoutError) as err:
        raise AddressRefused("address_cloud") from err


async def async_delete_cloudhook(hass: HomeAssistant, webhook_id: str) -> None:
    """Delete the cloudhook, if there is one."""
    if not _cloud_is_active(hass):
        return
    from homeassistant.components import cloud

    try:
        await cloud.async_delete_cloudhook(hass, webhook_id)
    except HomeAssistantError, ValueError:
        return  # there is none, or the cloud is away: it takes no messages without the entry


def async_listen_to_cloud(
    hass: HomeAssistant, webhook_id: str, changed: CALLBACK_TYPE
) -> Iterator[CALLBACK_TYPE]:
    """Call `changed` when Home Assistant Cloud or the cloudhook may be another; yields the ends."""
    if "cloud" not in hass.config.components:
        return
    from homeassistant.components import cloud

    async def connection_changed(_state: cloud.CloudConnectionState) -> None:
        changed()

    yield cloud.async_listen_connection_change(hass, connection_changed)
    yield cloud.async_listen_cloudhook_change(hass, webhook_id, lambda _hook: changed())
