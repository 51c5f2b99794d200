"""Checks of server, key and application before a config entry is created."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from ..application import MQTT_TEXTS, SETUP_TEXTS, async_create_stack, text_key
from ..client import (
    FEATURES,
    Application,
    ApplicationClient,
    AuthenticationFailed,
    Capabilities,
    ConnectionFailed,
    KeyInfo,
    MissingRight,
    MqttAddress,
    StackError,
    StorageUnavailable,
    missing_rights,
)
from ..const import DOMAIN, STORAGE_WINDOW
from .server_form import AddressError, FormError


class Storage(StrEnum):
    """Whether the Storage Integration has uplinks; the values are translation keys."""

    ON = "storage_on"
    EMPTY = "storage_empty"
    UNAVAILABLE = "storage_unavailable"
    UNKNOWN = "storage_unknown"
    NEVER = "storage_never"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What the dialogue's summary shows before it creates the entry."""

    application: str
    rights: frozenset[str]
    server: str
    mqtt: MqttAddress | None
    """Where the MQTT server is; `None` where messages come another way."""
    storage: Storage
    devices: int | None
    """How many end devices are registered; `None` if the key may not list them."""
    expires_at: datetime | None
    capabilities: Capabilities = field(default_factory=Capabilities)
    """What the network can do."""


def http_error(error: StackError) -> FormError:
    """Return an error of the HTTP API as the form shows it."""
    key = text_key(error, SETUP_TEXTS)
    if isinstance(error, AuthenticationFailed | MissingRight):
        return FormError(key, CONF_API_KEY)
    return AddressError(key)


def mqtt_error(error: StackError, mqtt: str) -> FormError:
    """Return an error of the MQTT server at the address `mqtt` as the form shows it."""
    if isinstance(error, ConnectionFailed):
        return AddressError(text_key(error, MQTT_TEXTS), mqtt=mqtt)
    return http_error(error)


@contextmanager
def http_errors() -> Iterator[None]:
    """Raise errors of the HTTP API as FormErrors, which have a translated text."""
    try:
        yield
    except StackError as err:
        raise http_error(err) from err


async def async_check_address(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Check that an Identity Server answers: it must refuse a wrong key; raises AddressError."""
    stack = await async_create_stack(hass, {**data, CONF_API_KEY: "probe"})
    with http_errors(), suppress(AuthenticationFailed):
        await stack.auth_info()


async def async_key_info(stack: ApplicationClient) -> KeyInfo:
    """Return the owner and the expiry of the API key.

    Raises FormError unless it is of an application, a user or an organization.
    """
    with http_errors():
        info = await stack.auth_info()
    if not (info.application_id or info.user_id or info.organization_id):
        raise FormError("not_an_application_key", CONF_API_KEY)
    return info


async def async_applications(stack: ApplicationClient) -> list[Application] | None:
    """Return the applications that a key has rights on; `None` if it may not list them.

    Raises FormError if there are none.
    """
    with http_errors():
        try:
            applications = await stack.applications()
        except MissingRight:
            return None
    if not applications:
        raise FormError("no_applications", CONF_API_KEY)
    return applications


async def async_rights(stack: ApplicationClient) -> frozenset[str]:
    """Return the key's rights on the application; raises FormError if it may not read uplinks."""
    with http_errors():
        rights = await stack.rights()
    if not rights:
        raise FormError("no_rights", CONF_API_KEY)
    if "uplinks" in missing_rights(rights):
        raise FormError("missing_traffic_right", CONF_API_KEY)
    return rights


async def async_application(stack: ApplicationClient, rights: frozenset[str]) -> Application | None:
    """Return the application; `None` if the key may not read it."""
    if "application" in missing_rights(rights):
        return None
    with http_errors():
        return await stack.application()


async def async_tenant(stack: ApplicationClient, rights: frozenset[str]) -> str | None:
    """Return the application's tenant ID as the server has it, if the key may read that."""
    application_id = stack.connection.application_id
    if "application" in missing_rights(rights) or not stack.capabilities.tenants:
        return stack.connection.tenant_id
    with http_errors():
        info = await stack.request("GET", f"/as/applications/{application_id}/mqtt-connection-info")
    name, _, tenant = str(info.get("username", "")).partition("@")
    return (tenant or None) if name == application_id else stack.connection.tenant_id


async def async_probe(
    stack: ApplicationClient,
    mqtt: MqttAddress | None,
    rights: frozenset[str],
    *,
    application: str,
    expires_at: datetime | None,
) -> ProbeResult:
    """Return what the summary shows, after a connection was tried; `mqtt` is to where."""
    return ProbeResult(
        application=application,
        rights=rights,
        server=stack.connection.server,
        mqtt=mqtt,
        storage=await _async_storage(stack),
        devices=None if "devices" in missing_rights(rights) else await _async_count_devices(stack),
        expires_at=expires_at,
        capabilities=stack.capabilities,
    )


async def _async_storage(stack: ApplicationClient) -> Storage:
    storage = Storage.EMPTY
    try:
        async for _ in stack.stored_uplinks(after=dt_util.utcnow() - STORAGE_WINDOW, limit=1):
            storage = Storage.ON
    except StorageUnavailable:
        return Storage.UNAVAILABLE
    except StackError:
        return Storage.UNKNOWN
    return storage


async def _async_count_devices(stack: ApplicationClient) -> int | None:
    try:
        return len([device async for device in stack.devices(field_mask=("name",))])
    except StackError:
        return None


async def async_missing(
    hass: HomeAssistant, rights: frozenset[str], capabilities: Capabilities
) -> str:
    """Return what more rights would allow, each with its rights; empty if the key has them all.

    Lines of Markdown in Home Assistant's language. Only what the network can do.
    """
    return _missing(_lacking(rights, capabilities), capabilities, await _async_texts(hass))


async def _async_texts(hass: HomeAssistant) -> Callable[..., str]:
    prefix = f"component.{DOMAIN}.selector.setup_summary.options"
    texts = await async_get_translations(hass, hass.config.language, "selector", [DOMAIN])

    def text(key: str, **values: str) -> str:
        return texts[f"{prefix}.{key}"].format(**values)

    return text


def _exists(feature: str, capabilities: Capabilities) -> bool:
    there = {"storage_settings": capabilities.storage, "simulate": capabilities.simulated_uplinks}
    return there.get(feature, True)


def _lacking(rights: frozenset[str], capabilities: Capabilities) -> dict[str, list[str]]:
    missing = missing_rights(rights).items()
    return {feature: names for feature, names in missing if _exists(feature, capabilities)}


def _missing(
    lacking: Mapping[str, list[str]], capabilities: Capabilities, text: Callable[..., str]
) -> str:
    def name_of(right: str) -> str:
        return capabilities.right_names.get(right) or text(right.lower())

    return "\n".join(
        "- "
        + text(
            f"cannot_{feature}",
            rights=", ".join(dict.fromkeys(f"*{name_of(right)}*" for right in rights)),
        )
        for feature, rights in lacking.items()
    )


async def describe(hass: HomeAssistant, result: ProbeResult) -> dict[str, str]:
    """Return the summary's texts in Home Assistant's language, by placeholder of the form.

    Placeholders: application, can, missing, devices, storage, messages, expires.
    """
    text, has = await _async_texts(hass), result.capabilities
    lacking = _lacking(result.rights, has)
    can = [
        f"- {text(f'can_{feature}')}"
        for feature in FEATURES
        if feature not in lacking and _exists(feature, has)
    ]
    if missing := _missing(lacking, has, text):
        if has.console:
            missing += f"\n\n{text('rights_hint')}"
    else:
        missing = f"- {text('nothing')}"
    if result.devices is None:
        devices = text("devices_hidden")
    else:
        devices = text("devices_listed", count=str(result.devices))
    expires = "" if has.rights_listing else text("rights_tried")
    if result.expires_at is not None:
        expires = text("expires", date=dt_util.as_local(result.expires_at).date().isoformat())
    return {
        "application": result.application,
        "can": "\n".join(can),
        "missing": missing,
        "devices": devices,
        "storage": text(result.storage if has.storage else Storage.NEVER),
        "messages": _messages(result, text),
        "expires": expires,
    }


def _messages(result: ProbeResult, text: Callable[..., str]) -> str:
    """Return from where messages come."""
    if result.mqtt is None:
        server = urlsplit(result.server)
        encrypted = server.scheme == "https"
        return text("events_tls" if encrypted else "events_plain", server=server.netloc)
    return text(
        "mqtt_tls" if result.mqtt.tls else "mqtt_plain",
        address=f"{result.mqtt.host}:{result.mqtt.port}",
    )
