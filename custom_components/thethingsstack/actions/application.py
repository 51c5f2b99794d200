"""Actions for payload formatters, for the application's settings and for its API keys."""

from typing import Any

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..application import refused
from ..client import Application, Downlink, Formatter, Formatters, MissingRight, VersionIds
from ..client.formatters import Direction
from ..downlinks import payload_of_hex
from ..webhook import SECRET_HEADER, async_renew_secret, webhook_of
from .setup import async_setup_action
from .targets import (
    APPLICATION,
    END_DEVICE,
    EndDeviceTarget,
    application_of,
    async_require_control,
    end_device_of,
    optional_end_device_of,
)

SET_PAYLOAD_FORMATTER = "set_payload_formatter"
TEST_PAYLOAD_FORMATTER = "test_payload_formatter"
GET_APPLICATION = "get_application"
UPDATE_APPLICATION = "update_application"
LIST_API_KEYS = "list_api_keys"
CREATE_API_KEY = "create_api_key"
DELETE_API_KEY = "delete_api_key"
RENEW_WEBHOOK_SECRET = "renew_webhook_secret"
LIST_COLLABORATORS = "list_collaborators"

ATTR_ATTRIBUTES = "attributes"
ATTR_DECODE = "hex"
ATTR_DESCRIPTION = "description"
ATTR_DOWNLINK = "downlink"
ATTR_DOWNLINK_SCRIPT = "downlink_script"
ATTR_ENCODE = "object"
ATTR_EXPIRES = "expires"
ATTR_F_PORT = "f_port"
ATTR_FORMATTER = "formatter"
ATTR_KEY_ID = "key_id"
ATTR_NAME = "name"
ATTR_RIGHTS = "rights"
ATTR_SCRIPT = "script"
ATTR_UPLINK = "uplink"
ATTR_UPLINK_SCRIPT = "uplink_script"

APPLICATION_DEFAULT = "application_default"
KINDS = {
    "none": "FORMATTER_NONE",
    "repository": "FORMATTER_REPOSITORY",
    "cayennelpp": "FORMATTER_CAYENNELPP",
    "javascript": "FORMATTER_JAVASCRIPT",
}
_CHOICE = vol.In([*KINDS, APPLICATION_DEFAULT])
_WORDS = {kind: word for word, kind in KINDS.items()}

SET_FORMATTER_SCHEMA = vol.Schema(
    {
        **END_DEVICE,
        vol.Optional(ATTR_UPLINK): _CHOICE,
        vol.Optional(ATTR_UPLINK_SCRIPT): cv.string,
        vol.Optional(ATTR_DOWNLINK): _CHOICE,
        vol.Optional(ATTR_DOWNLINK_SCRIPT): cv.string,
    }
)
TEST_FORMATTER_SCHEMA = vol.Schema(
    {
        **END_DEVICE,
        vol.Optional(ATTR_FORMATTER): vol.In([kind for kind in KINDS if kind != "none"]),
        vol.Optional(ATTR_SCRIPT): cv.string,
        vol.Optional(ATTR_F_PORT): vol.All(vol.Coerce(int), vol.Range(min=1, max=223)),
        vol.Exclusive(ATTR_DECODE, "input"): cv.string,
        vol.Exclusive(ATTR_ENCODE, "input"): dict,
    }
)
UPDATE_APPLICATION_SCHEMA = vol.Schema(
    {
        **APPLICATION,
        vol.Optional(ATTR_NAME): cv.string,
        vol.Optional(ATTR_DESCRIPTION): cv.string,
        vol.Optional(ATTR_ATTRIBUTES): vol.Schema({cv.string: vol.Any(None, cv.string)}),
    }
)
CREATE_KEY_SCHEMA = vol.Schema(
    {
        **APPLICATION,
        vol.Required(ATTR_NAME): cv.string,
        vol.Required(ATTR_RIGHTS): vol.All(cv.ensure_list, [cv.string], vol.Length(min=1)),
        vol.Optional(ATTR_EXPIRES): cv.datetime,
    }
)
DELETE_KEY_SCHEMA = vol.Schema({**APPLICATION, vol.Required(ATTR_KEY_ID): cv.string})
APPLICATION_SCHEMA = vol.Schema(APPLICATION)


@callback
def async_setup_application(hass: HomeAssistant) -> None:
    """Register the actions; those that change the server or list its keys need an administrator."""
    optional, only = SupportsResponse.OPTIONAL, SupportsResponse.ONLY
    for name, action, schema, response in (
        (SET_PAYLOAD_FORMATTER, _async_set_formatter, SET_FORMATTER_SCHEMA, optional),
        (UPDATE_APPLICATION, _async_update, UPDATE_APPLICATION_SCHEMA, optional),
        (LIST_API_KEYS, _async_list_keys, APPLICATION_SCHEMA, only),
        (CREATE_API_KEY, _async_create_key, CREATE_KEY_SCHEMA, only),
        (DELETE_API_KEY, _async_delete_key, DELETE_KEY_SCHEMA, optional),
        (RENEW_WEBHOOK_SECRET, _async_renew_secret, APPLICATION_SCHEMA, optional),
    ):
        async_setup_action(hass, name, action, schema, response, admin=True)
    for name, action, schema in (
        (TEST_PAYLOAD_FORMATTER, _async_test_formatter, TEST_FORMATTER_SCHEMA),
        (GET_APPLICATION, _async_get, APPLICATION_SCHEMA),
        (LIST_COLLABORATORS, _async_list_collaborators, APPLICATION_SCHEMA),
    ):
        async_setup_action(hass, name, action, schema, only)


# Payload formatters


async def _async_set_formatter(call: ServiceCall) -> ServiceResponse:
    """Set an end device's formatters, or the application's; a direction not given is kept."""
    target = optional_end_device_of(call)
    coordinator = target.coordinator if target else application_of(call)
    if target is not None:
        coordinator.stack.capabilities.require("device_formatters")
    formatters = coordinator.stack.formatters
    chosen = {
        direction: call.data[direction]
        for direction in (ATTR_UPLINK, ATTR_DOWNLINK)
        if direction in call.data
    }
    if not chosen:
        raise refused("management_name_formatter")
    if APPLICATION_DEFAULT in chosen.values():
        # An end device has its own formatters in both directions, or in none.
        if target is None or set(chosen.values()) != {APPLICATION_DEFAULT}:
            raise refused("management_default_formatter")
        await formatters.set_of_device(target.device_id, None)
        coordinator.formatter_texts.on_changed(target.device_id)
        return {"formatters": None}
    wanted: dict[Direction, Formatter | None] = {}
    if ATTR_UPLINK in chosen:
        wanted["up"] = _formatter(call, ATTR_UPLINK, ATTR_UPLINK_SCRIPT)
    if ATTR_DOWNLINK in chosen:
        wanted["down"] = _formatter(call, ATTR_DOWNLINK, ATTR_DOWNLINK_SCRIPT)
    device_id = target.device_id if target else None
    changed = await formatters.change(device_id, wanted)
    coordinator.formatter_texts.on_changed(device_id)
    return {"formatters": _formatters(changed)}


async def _async_test_formatter(call: ServiceCall) -> ServiceResponse:
    """Return what a formatter decodes or encodes; nothing is stored or sent."""
    target = end_device_of(call)
    await async_require_control(call, target.coordinator, target.registry_id)
    stack, data = target.coordinator.stack, call.data
    stack.capabilities.require("formatter_trial")
    encode = ATTR_ENCODE in data
    formatter = _formatter(call, ATTR_FORMATTER, ATTR_SCRIPT) if ATTR_FORMATTER in data else None
    if formatter is None:
        own = await stack.formatters.of_device(target.device_id)
        own = own or await stack.formatters.of_application() or Formatters()
        formatter = own.down if encode else own.up
    if formatter is None:
        raise refused("management_no_formatter")
    versions = await _async_versions(target)
    if encode:
        downlink = Downlink(f_port=data.get(ATTR_F_PORT), decoded_payload=data[ATTR_ENCODE])
        encoded = await stack.downlinks.encode(
            target.device_id, downlink, formatter, version_ids=versions
        )
        return {
            ATTR_F_PORT: encoded.f_port,
            "hex": encoded.payload.hex(),
            "warnings": list(encoded.warnings),
        }
    f_port, payload = _uplink(call, target)
    decoded = await stack.formatters.decode(
        target.device_id,
        f_port=f_port,
        payload=payload,
        formatter=formatter,
        version_ids=versions,
    )
    return {
        ATTR_F_PORT: f_port,
        "hex": payload.hex(),
        "decoded_payload": None if decoded.data is None else dict(decoded.data),
        "warnings": list(decoded.warnings),
        "normalized_payload": [dict(item) for item in decoded.normalized],
        "normalized_warnings": list(decoded.normalized_warnings),
    }


def _uplink(call: ServiceCall, target: EndDeviceTarget) -> tuple[int, bytes]:
    """Return f_port and payload from the call; without one, those of the last uplink with data."""
    last = target.state.last_data_uplink if target.state is not None else None
    if ATTR_DECODE in call.data:
        return call.data.get(ATTR_F_PORT, 1), payload_of_hex(call.data[ATTR_DECODE])
    if last is None or last.frm_payload is None:
        raise refused("management_no_uplink")
    return call.data.get(ATTR_F_PORT, last.f_port), last.frm_payload


async def _async_versions(target: EndDeviceTarget) -> VersionIds | None:
    if target.state is not None and target.state.version_ids is not None:
        return target.state.version_ids
    return (await target.coordinator.stack.device(target.device_id, ["version_ids"])).version_ids


def _formatter(call: ServiceCall, kind_key: str, script_key: str) -> Formatter | None:
    kind, script = call.data[kind_key], call.data.get(script_key)
    if (kind == "javascript") != bool(script):
        raise refused("management_script")
    return None if kind == "none" else Formatter(kind=KINDS[kind], parameter=script)


def _formatters(found: Formatters | None) -> dict[str, Any] | None:
    if found is None:
        return None
    by_direction: dict[str, Any] = {}
    for direction, formatter in ((ATTR_UPLINK, found.up), (ATTR_DOWNLINK, found.down)):
        kind = "none" if formatter is None else _WORDS.get(formatter.kind, formatter.kind)
        by_direction[direction] = {
            "kind": kind,
            "script": formatter.parameter if formatter else None,
        }
    return by_direction


# The application


async def _async_get(call: ServiceCall) -> ServiceResponse:
    """Return the application, with its default formatters if the key may read them."""
    stack = application_of(call).stack
    if stack.capabilities.application_settings:
        response = _application(await stack.administration.show())
    else:
        response = _application(await stack.application())
    try:
        response["formatters"] = _formatters(await stack.formatters.of_application())
    except MissingRight:
        response["formatters"] = None
    return response


async def _async_update(call: ServiceCall) -> ServiceResponse:
    """Change the given properties of the application, and return it."""
    coordinator = application_of(call)
    coordinator.stack.capabilities.require("application_settings")
    changed = await coordinator.stack.administration.update(
        name=call.data.get(ATTR_NAME),
        description=call.data.get(ATTR_DESCRIPTION),
        attributes=call.data.get(ATTR_ATTRIBUTES),
    )
    coordinator.roster.register_application(changed.name or coordinator.entry.title)
    for signal in (coordinator.signals.half_created, coordinator.signals.undecoded_changed):
        async_dispatcher_send(call.hass, signal)  # issues name the application
    coordinator.application_status.changed()
    return _application(changed)


def _application(application: Application) -> dict[str, Any]:
    return {
        "application_id": application.application_id,
        ATTR_NAME: application.name,
        ATTR_DESCRIPTION: application.description,
        ATTR_ATTRIBUTES: dict(application.attributes),
    }


async def _async_list_keys(call: ServiceCall) -> ServiceResponse:
    """Return the API keys, without their secrets."""
    stack = application_of(call).stack
    stack.capabilities.require("api_keys")
    keys: list[Any] = [
        {
            ATTR_KEY_ID: key.key_id,
            ATTR_NAME: key.name,
            ATTR_RIGHTS: sorted(key.rights),
            ATTR_EXPIRES: key.expires_at.isoformat() if key.expires_at else None,
        }
        async for key in stack.administration.api_keys()
    ]
    return {"api_keys": keys}


async def _async_create_key(call: ServiceCall) -> ServiceResponse:
    """Create an API key; its secret is in the response, and can't be read again."""
    expires = call.data.get(ATTR_EXPIRES)
    stack = application_of(call).stack
    stack.capabilities.require("api_keys")
    key = await stack.administration.create_api_key(
        call.data[ATTR_NAME],
        [
            right if right.startswith("RIGHT_") else f"RIGHT_APPLICATION_{right.upper()}"
            for right in call.data[ATTR_RIGHTS]
        ],
        expires_at=None if expires is None else dt_util.as_utc(expires),
    )
    return {ATTR_KEY_ID: key.key_id, "key": key.key}


async def _async_delete_key(call: ServiceCall) -> ServiceResponse:
    """Delete an API key; raises ServiceValidationError for the one that Home Assistant uses."""
    coordinator = application_of(call)
    coordinator.stack.capabilities.require("api_keys")
    key_id = call.data[ATTR_KEY_ID]
    if key_id == (await coordinator.stack.auth_info()).key_id:
        raise refused("management_own_key")
    await coordinator.stack.administration.delete_api_key(key_id)
    return {ATTR_KEY_ID: key_id}


async def _async_renew_secret(call: ServiceCall) -> ServiceResponse:
    """Give the webhook a new secret, here and in The Things Stack where it can be set there."""
    coordinator = application_of(call)
    if (door := webhook_of(coordinator.door)) is None:
        raise refused("management_no_webhook")
    secret = await async_renew_secret(call.hass, coordinator.entry, door)
    if door.managed is not None and door.managed.may_manage:
        return {"header": SECRET_HEADER, "secret": None}
    return {"header": SECRET_HEADER, "secret": secret}


async def _async_list_collaborators(call: ServiceCall) -> ServiceResponse:
    """Return the users and organizations with rights on the application."""
    coordinator = application_of(call)
    await async_require_control(call, coordinator)
    coordinator.stack.capabilities.require("api_keys")
    found = await coordinator.stack.administration.collaborators()
    collaborators: list[Any] = [
        {"kind": item.kind, "id": item.id, ATTR_RIGHTS: sorted(item.rights)} for item in found
    ]
    return {"collaborators": collaborators}
