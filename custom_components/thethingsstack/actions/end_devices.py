"""Actions that register, show, change, reset and delete end devices."""

from collections.abc import Mapping
from typing import Any

from homeassistant.const import ATTR_LATITUDE, ATTR_LOCATION, ATTR_LONGITUDE
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonValueType
import voluptuous as vol

from ..application import refused
from ..client import (
    ROOT_KEYS,
    SESSION_KEYS,
    UNCHANGED,
    Capabilities,
    DeviceChanges,
    DeviceRequest,
    EndDevice,
    Location,
    NotFound,
    looks_reversed,
    prepare_registration,
)
from ..downlinks import payload_of_hex
from ..provisioning import async_delete, async_register
from .setup import async_setup_action
from .targets import (
    APPLICATION,
    ATTR_END_DEVICE_ID,
    END_DEVICE,
    EndDeviceTarget,
    application_of,
    async_require_admin,
    end_device_of,
)

REGISTER_DEVICE = "register_device"
UPDATE_DEVICE = "update_device"
DELETE_DEVICE = "delete_device"
GET_DEVICE = "get_device"
LIST_DEVICES = "list_devices"
RESET_DEVICE = "reset_device"
SIMULATE_UPLINK = "simulate_uplink"

ATTR_ABP = "abp"
ATTR_ALTITUDE = "altitude"
ATTR_ATTRIBUTES = "attributes"
ATTR_CLAIM_CODE = "claim_code"
ATTR_CLASS_C = "class_c"
ATTR_CONFIRM = "confirm"
ATTR_DESCRIPTION = "description"
ATTR_DEV_ADDR = "dev_addr"
ATTR_DEV_EUI = "dev_eui"
ATTR_F_PORT = "f_port"
ATTR_FREQUENCY_PLAN = "frequency_plan"
ATTR_GENERATE_KEYS = "generate_keys"
ATTR_HEX = "hex"
ATTR_INCLUDE_KEYS = "include_keys"
ATTR_ISSUE_DEV_EUI = "issue_dev_eui"
ATTR_JOIN_EUI = "join_eui"
ATTR_LORAWAN_VERSION = "lorawan_version"
ATTR_MODEL = "model"
ATTR_NAME = "name"
ATTR_PHY_VERSION = "phy_version"
ATTR_QR_CODE = "qr_code"
ATTR_REMOVE_LOCATION = "remove_location"
ATTR_SEARCH = "search"

KEYS = (*ROOT_KEYS, *SESSION_KEYS)
_TEXT_OR_NONE = vol.Any(None, cv.string)
_LOCATION = vol.Schema(
    {vol.Required(ATTR_LATITUDE): cv.latitude, vol.Required(ATTR_LONGITUDE): cv.longitude},
    extra=vol.REMOVE_EXTRA,
)
_ATTRIBUTES = vol.Schema({cv.string: _TEXT_OR_NONE})
_COMMON = {
    vol.Optional(ATTR_NAME): cv.string,
    vol.Optional(ATTR_DESCRIPTION): cv.string,
    vol.Optional(ATTR_ATTRIBUTES): _ATTRIBUTES,
    vol.Optional(ATTR_LOCATION): _LOCATION,
    vol.Optional(ATTR_ALTITUDE): vol.Coerce(int),
    vol.Optional(ATTR_FREQUENCY_PLAN): cv.string,
    vol.Optional(ATTR_LORAWAN_VERSION): cv.string,
    vol.Optional(ATTR_PHY_VERSION): cv.string,
    vol.Optional(ATTR_CLASS_C): cv.boolean,
}
REGISTER_SCHEMA = vol.Schema(
    {
        **APPLICATION,
        **_COMMON,
        vol.Optional(ATTR_END_DEVICE_ID): cv.string,
        vol.Optional(ATTR_DEV_EUI): cv.string,
        vol.Optional(ATTR_ISSUE_DEV_EUI, default=False): cv.boolean,
        vol.Optional(ATTR_JOIN_EUI): cv.string,
        vol.Optional(ATTR_MODEL): cv.string,
        vol.Optional(ATTR_QR_CODE): cv.string,
        vol.Optional(ATTR_CLAIM_CODE): cv.string,
        vol.Optional(ATTR_GENERATE_KEYS, default=False): cv.boolean,
        vol.Optional(ATTR_ABP, default=False): cv.boolean,
        vol.Optional(ATTR_DEV_ADDR): cv.string,
        **{vol.Optional(key): cv.string for key in KEYS},
    }
)
UPDATE_SCHEMA = vol.Schema(
    {**END_DEVICE, **_COMMON, vol.Optional(ATTR_REMOVE_LOCATION, default=False): cv.boolean}
)
DELETE_SCHEMA = vol.Schema({**END_DEVICE, vol.Required(ATTR_CONFIRM): cv.string})
GET_SCHEMA = vol.Schema({**END_DEVICE, vol.Optional(ATTR_INCLUDE_KEYS, default=False): cv.boolean})
LIST_SCHEMA = vol.Schema({**APPLICATION, vol.Optional(ATTR_SEARCH): cv.string})
DEVICE_SCHEMA = vol.Schema(END_DEVICE)
SIMULATE_SCHEMA = vol.Schema(
    {
        **END_DEVICE,
        vol.Required(ATTR_F_PORT): vol.All(vol.Coerce(int), vol.Range(min=1, max=223)),
        vol.Required(ATTR_HEX): cv.string,
    }
)


@callback
def async_setup_management(hass: HomeAssistant) -> None:
    """Register the actions; those that change the server need an administrator."""
    for name, action, schema in (
        (REGISTER_DEVICE, _async_register, REGISTER_SCHEMA),
        (UPDATE_DEVICE, _async_update, UPDATE_SCHEMA),
        (DELETE_DEVICE, _async_delete, DELETE_SCHEMA),
        (RESET_DEVICE, _async_reset, DEVICE_SCHEMA),
        (SIMULATE_UPLINK, _async_simulate, SIMULATE_SCHEMA),
    ):
        async_setup_action(hass, name, action, schema, SupportsResponse.OPTIONAL, admin=True)
    for name, action, schema in (
        (GET_DEVICE, _async_get, GET_SCHEMA),
        (LIST_DEVICES, _async_list, LIST_SCHEMA),
    ):
        async_setup_action(hass, name, action, schema, SupportsResponse.ONLY)


# What the network has

_NEEDED = {
    ATTR_CLAIM_CODE: "claiming",
    ATTR_CLASS_C: "frequency_plans",
    ATTR_DESCRIPTION: "device_names",
    ATTR_FREQUENCY_PLAN: "frequency_plans",
    ATTR_ISSUE_DEV_EUI: "dev_eui_issuing",
    ATTR_LORAWAN_VERSION: "frequency_plans",
    ATTR_MODEL: "repository",
    ATTR_PHY_VERSION: "frequency_plans",
    ATTR_QR_CODE: "claiming",
}
"""The capability that a field needs."""


def _check_supported(capabilities: Capabilities, data: Mapping[str, Any]) -> None:
    """Raise NotSupported for a field that the network's end devices don't have."""
    for name, capability in _NEEDED.items():
        if data.get(name):
            capabilities.require(capability)


# Registering


async def _async_register(call: ServiceCall) -> ServiceResponse:
    """Register an end device; return it with the keys and the address to write to it."""
    coordinator = application_of(call)
    _check_supported(coordinator.stack.capabilities, call.data)
    outline = _outline(call.data, set(coordinator.roster.registrations))
    completed = await prepare_registration(coordinator.stack, outline)
    registration = completed.registration
    registered = await async_register(
        coordinator, registration, qr_code=completed.qr_code, claim_code=completed.claim_code
    )
    state = registered.state
    response = _end_device(registered.end_device, state.registry_id if state else None)
    if registration.session is not None:
        response[ATTR_DEV_ADDR] = registration.session.dev_addr
    if completed.generated:
        response["generated_keys"] = dict(completed.generated)
    if registration.dev_eui is not None and looks_reversed(registration.dev_eui):
        response["warning"] = "dev_eui_looks_reversed"
    return response


def _outline(data: Mapping[str, Any], taken: set[str]) -> DeviceRequest:
    """Return the end device that the call describes."""
    return DeviceRequest(
        known={
            "device_id": data.get(ATTR_END_DEVICE_ID) or None,
            "dev_eui": data.get(ATTR_DEV_EUI),
            "join_eui": data.get(ATTR_JOIN_EUI),
            "name": data.get(ATTR_NAME),
            "description": data.get(ATTR_DESCRIPTION),
            "attributes": {k: v for k, v in data.get(ATTR_ATTRIBUTES, {}).items() if v},
            "location": _location(data),
            "lorawan_version": data.get(ATTR_LORAWAN_VERSION),
            "lorawan_phy_version": data.get(ATTR_PHY_VERSION),
            "supports_class_c": data.get(ATTR_CLASS_C),
            "frequency_plan_id": data.get(ATTR_FREQUENCY_PLAN),
        },
        model=_model(data[ATTR_MODEL]) if ATTR_MODEL in data else None,
        qr_code=data.get(ATTR_QR_CODE),
        claim_code=data.get(ATTR_CLAIM_CODE),
        issue_dev_eui=data[ATTR_ISSUE_DEV_EUI],
        joins=not data[ATTR_ABP],
        dev_addr=data.get(ATTR_DEV_ADDR),
        keys={name: data[name] for name in KEYS if name in data},
        generate_keys=data[ATTR_GENERATE_KEYS],
        taken=taken,
    )


def _model(text: str) -> tuple[str, str, str, str]:
    parts = text.split("/")
    if len(parts) != 4 or not all(parts):
        raise refused("management_model_form", value=text)
    brand, model, firmware, band = parts
    return brand, model, firmware, band


def _location(data: Mapping[str, Any]) -> Location | None:
    if ATTR_LOCATION not in data:
        return None
    location = data[ATTR_LOCATION]
    return Location(
        latitude=location[ATTR_LATITUDE],
        longitude=location[ATTR_LONGITUDE],
        altitude=data.get(ATTR_ALTITUDE),
    )


# Changing


async def _async_update(call: ServiceCall) -> ServiceResponse:
    """Change the given properties, and return the end device."""
    target = end_device_of(call)
    data = call.data
    _check_supported(target.coordinator.stack.capabilities, data)
    changes = DeviceChanges(
        name=data.get(ATTR_NAME, UNCHANGED),
        description=data.get(ATTR_DESCRIPTION, UNCHANGED),
        attributes=data.get(ATTR_ATTRIBUTES, {}),
        location=UNCHANGED
        if ATTR_LOCATION not in data and not data[ATTR_REMOVE_LOCATION]
        else _location(data),
        frequency_plan_id=data.get(ATTR_FREQUENCY_PLAN, UNCHANGED),
        lorawan_version=data.get(ATTR_LORAWAN_VERSION, UNCHANGED),
        lorawan_phy_version=data.get(ATTR_PHY_VERSION, UNCHANGED),
        supports_class_c=data.get(ATTR_CLASS_C, UNCHANGED),
    )
    end_device = await target.coordinator.stack.end_devices.update(target.device_id, changes)
    state = target.coordinator.lifecycle.on_registered(end_device)
    return _end_device(end_device, state.registry_id if state else None)


async def _async_delete(call: ServiceCall) -> ServiceResponse:
    """Delete an end device on the servers; Home Assistant keeps its history."""
    target = end_device_of(call)
    if call.data[ATTR_CONFIRM] != target.device_id:
        raise refused("management_confirm", device=target.device_id)
    removed = await async_delete(target.coordinator, target.device_id)
    if not removed:
        raise refused("management_unknown_device", device=target.device_id)
    return {ATTR_END_DEVICE_ID: target.device_id, "removed_from": list(removed)}


async def _async_reset(call: ServiceCall) -> ServiceResponse:
    """Reset an end device's session and MAC state on the Network Server."""
    target = end_device_of(call)
    target.coordinator.stack.capabilities.require("session_reset")
    await target.coordinator.stack.end_devices.reset(target.device_id)
    return {ATTR_END_DEVICE_ID: target.device_id}


async def _async_simulate(call: ServiceCall) -> ServiceResponse:
    """Simulate an uplink: the Application Server acts as if the end device had sent it."""
    target = end_device_of(call)
    target.coordinator.stack.capabilities.require("simulated_uplinks")
    payload = payload_of_hex(call.data[ATTR_HEX])
    await target.coordinator.stack.end_devices.simulate_uplink(
        target.device_id, f_port=call.data[ATTR_F_PORT], payload=payload
    )
    return {ATTR_END_DEVICE_ID: target.device_id}


# Showing


async def _async_get(call: ServiceCall) -> ServiceResponse:
    """Return an end device as all servers together have it, and which of them have it."""
    target = end_device_of(call)
    response: dict[str, Any] = {
        "device_id": target.registry_id,
        ATTR_END_DEVICE_ID: target.device_id,
        **await _async_details(target),
    }
    if call.data[ATTR_INCLUDE_KEYS]:
        await async_require_admin(call)
        response["root_keys"] = await _async_keys(target)
    return response


async def _async_details(target: EndDeviceTarget) -> dict[str, Any]:
    """Return an end device's JSON object, and which servers don't have it."""
    stack = target.coordinator.stack
    if not stack.capabilities.several_servers:
        device = await stack.end_devices.details(target.device_id)
        return {"complete": True, "missing_on": [], "device": device}
    presence = await stack.end_devices.presence(target.device_id)
    target.coordinator.partial_devices.note(target.device_id, presence)
    if presence.missing and not presence.identity and not presence.stranded:
        raise refused("management_unknown_device", device=target.device_id)
    return {
        "complete": presence.complete,
        "missing_on": list(presence.missing),
        "device": await stack.end_devices.details(target.device_id) if presence.identity else None,
    }


async def _async_keys(target: EndDeviceTarget) -> dict[str, str | None] | None:
    try:
        keys = await target.coordinator.stack.end_devices.root_keys(target.device_id)
    except NotFound:
        return None  # it doesn't join, or its keys are on its manufacturer's Join Server
    return {"app_key": keys.app_key, "nwk_key": keys.nwk_key}


async def _async_list(call: ServiceCall) -> ServiceResponse:
    """Return the registered end devices; all, or those that match the search text."""
    coordinator = application_of(call)
    search = call.data.get(ATTR_SEARCH)
    devices = (
        coordinator.stack.end_devices.search(search) if search else coordinator.stack.devices()
    )
    partial = coordinator.partial_devices.known
    listed: list[JsonValueType] = []
    async for end_device in devices:
        device_id = end_device.ids.device_id
        state = coordinator.roster.by_device_id(device_id)
        item = _end_device(end_device, None if state is None else state.registry_id)
        if presence := partial.get(device_id):
            item |= {"complete": False, "missing_on": list(presence.missing)}
        listed.append(item)
    return {"devices": listed}


def _end_device(end_device: EndDevice, registry_id: str | None) -> dict[str, Any]:
    ids, versions = end_device.ids, end_device.version_ids
    seen, location = end_device.last_seen_at, end_device.locations.get("user")
    return {
        "device_id": registry_id,
        ATTR_END_DEVICE_ID: ids.device_id,
        ATTR_NAME: end_device.name,
        ATTR_DESCRIPTION: end_device.description,
        ATTR_DEV_EUI: ids.dev_eui,
        ATTR_JOIN_EUI: ids.join_eui,
        "brand": versions.brand_id if versions else None,
        ATTR_MODEL: versions.model_id if versions else None,
        ATTR_ATTRIBUTES: dict(end_device.attributes),
        ATTR_LOCATION: None
        if location is None
        else {ATTR_LATITUDE: location.latitude, ATTR_LONGITUDE: location.longitude},
        "last_seen": seen.isoformat() if seen else None,
        "joined": end_device.activated_at.isoformat() if end_device.activated_at else None,
    }
