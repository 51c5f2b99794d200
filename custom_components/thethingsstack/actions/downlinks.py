"""Actions that send a downlink, and replace, clear or read a downlink queue."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..application import failure, refused
from ..client import PRIORITIES, Downlink, QueuedDownlink
from ..const import DOMAIN
from ..downlinks import DownlinkRecord, DownlinkState, payload_of_base64, payload_of_hex
from ..end_devices import EndDeviceState
from .targets import async_require_control, async_require_read

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

SEND_DOWNLINK = "send_downlink"
REPLACE_QUEUE = "replace_downlink_queue"
CLEAR_QUEUE = "clear_downlink_queue"
GET_QUEUE = "get_downlink_queue"

ATTR_DEVICE_ID = "device_id"
ATTR_HEX = "hex"
ATTR_BASE64 = "base64"
ATTR_OBJECT = "object"
ATTR_F_PORT = "f_port"
ATTR_FIRST = "first"
ATTR_CONFIRMED = "confirmed"
ATTR_RETRIES = "retries"
ATTR_PRIORITY = "priority"
ATTR_GATEWAYS = "gateways"
ATTR_ABSOLUTE_TIME = "absolute_time"
ATTR_CORRELATION_IDS = "correlation_ids"
ATTR_WAIT_FOR = "wait_for"
ATTR_TIMEOUT = "timeout"

WAITS = (DownlinkState.QUEUED, DownlinkState.SENT, DownlinkState.ACKNOWLEDGED)
DEFAULT_TIMEOUT = 30
NOT_REACHED = {
    DownlinkState.NOT_ACKNOWLEDGED: "downlink_not_acknowledged",
    DownlinkState.FAILED: "downlink_failed",
    DownlinkState.EXPIRED: "downlink_expired",
    DownlinkState.TIMED_OUT: "downlink_timed_out",
    DownlinkState.REPLACED: "downlink_replaced",
    DownlinkState.CLEARED: "downlink_cleared",
    DownlinkState.UNKNOWN: "downlink_outcome_unknown",
}
REPEATED, STAYS_QUEUED = TIME_LIMITS = ("downlink_repeated", "downlink_stays_queued")
"""Texts for the end of the time limit on a network that repeats, or that shows no queue."""

_DEVICES = {
    vol.Required(ATTR_DEVICE_ID): vol.All(cv.ensure_list, [cv.string], vol.Length(min=1)),
    vol.Optional(ATTR_TIMEOUT, default={"seconds": DEFAULT_TIMEOUT}): cv.positive_time_period,
}
DEVICES_SCHEMA = vol.Schema(_DEVICES)
DOWNLINK_SCHEMA = vol.Schema(
    {
        **_DEVICES,
        vol.Optional(ATTR_HEX): cv.string,
        vol.Optional(ATTR_BASE64): cv.string,
        vol.Optional(ATTR_OBJECT): dict,
        vol.Optional(ATTR_F_PORT): vol.Coerce(int),
        vol.Optional(ATTR_CONFIRMED, default=False): cv.boolean,
        vol.Optional(ATTR_RETRIES): vol.Coerce(int),
        vol.Optional(ATTR_PRIORITY): vol.All(vol.Upper, vol.In(PRIORITIES)),
        vol.Optional(ATTR_GATEWAYS): vol.All(cv.ensure_list, [cv.string]),
        vol.Optional(ATTR_ABSOLUTE_TIME): cv.datetime,
        vol.Optional(ATTR_CORRELATION_IDS): vol.All(cv.ensure_list, [cv.string]),
        vol.Optional(ATTR_WAIT_FOR, default=DownlinkState.QUEUED.value): vol.All(
            vol.In([state.value for state in WAITS]), DownlinkState
        ),
    }
)
SEND_SCHEMA = DOWNLINK_SCHEMA.extend({vol.Optional(ATTR_FIRST, default=False): cv.boolean})


@dataclass(frozen=True, slots=True)
class Target:
    """An end device on which an action is called, and its application."""

    registry_id: str
    coordinator: ApplicationCoordinator
    device: EndDeviceState


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, action, schema, response in (
        (SEND_DOWNLINK, _async_send, SEND_SCHEMA, SupportsResponse.OPTIONAL),
        (REPLACE_QUEUE, _async_replace, DOWNLINK_SCHEMA, SupportsResponse.OPTIONAL),
        (CLEAR_QUEUE, _async_clear, DEVICES_SCHEMA, SupportsResponse.NONE),
        (GET_QUEUE, _async_get, DEVICES_SCHEMA, SupportsResponse.ONLY),
    ):
        hass.services.async_register(
            DOMAIN, name, action, schema=schema, supports_response=response
        )


async def _async_send(call: ServiceCall) -> ServiceResponse:
    """Queue a downlink for each end device, and wait for its outcome if the call says so."""
    downlink = _downlink(call)

    async def send(target: Target) -> Any:
        record = await target.coordinator.downlinks.async_send(
            target.device,
            downlink,
            first=call.data[ATTR_FIRST],
            max_wait=_seconds(call),
            context=call.context,
        )
        return await _async_outcome(call, target, record)

    return await _async_for_each(call, send)


async def _async_replace(call: ServiceCall) -> ServiceResponse:
    """Replace the queue of each end device by one downlink."""
    downlink = _downlink(call)

    async def replace(target: Target) -> Any:
        (record,) = await target.coordinator.downlinks.async_replace(
            target.device, [downlink], max_wait=_seconds(call), context=call.context
        )
        return await _async_outcome(call, target, record)

    return await _async_for_each(call, replace)


async def _async_clear(call: ServiceCall) -> ServiceResponse:
    """Empty the queue of each end device."""

    async def clear(target: Target) -> Any:
        await target.coordinator.downlinks.async_clear(
            target.device, max_wait=_seconds(call), context=call.context
        )

    await _async_for_each(call, clear)
    return None


async def _async_get(call: ServiceCall) -> ServiceResponse:
    """Return the queued downlinks of each end device, in order."""

    async def get(target: Target) -> Any:
        queue = await target.coordinator.downlinks.async_queue(
            target.device, max_wait=_seconds(call)
        )
        return [_waiting(item) for item in queue]

    return await _async_for_each(call, get, changes=False)


def _downlink(call: ServiceCall) -> Downlink:
    """Return the downlink that a call describes; raises ServiceValidationError."""
    data = call.data
    given = [key for key in (ATTR_HEX, ATTR_BASE64, ATTR_OBJECT) if key in data]
    if len(given) != 1:
        raise refused("downlink_two_payloads" if given else "downlink_no_payload")
    payload = None
    if ATTR_HEX in data:
        payload = payload_of_hex(data[ATTR_HEX])
    elif ATTR_BASE64 in data:
        payload = payload_of_base64(data[ATTR_BASE64])
    if data[ATTR_WAIT_FOR] is DownlinkState.ACKNOWLEDGED and not data[ATTR_CONFIRMED]:
        raise refused("downlink_wait_unconfirmed")
    return Downlink(
        f_port=data.get(ATTR_F_PORT),
        payload=payload,
        decoded_payload=data.get(ATTR_OBJECT),
        confirmed=data[ATTR_CONFIRMED],
        priority=data.get(ATTR_PRIORITY),
        max_attempts=data.get(ATTR_RETRIES),
        gateways=tuple(data.get(ATTR_GATEWAYS, ())),
        absolute_time=_aware(data.get(ATTR_ABSOLUTE_TIME)),
        correlation_ids=tuple(data.get(ATTR_CORRELATION_IDS, ())),
    )


def _aware(moment: datetime | None) -> datetime | None:
    """Return a time with a time zone: Home Assistant's if it has none; None for None."""
    return None if moment is None else dt_util.as_utc(moment)


def _seconds(call: ServiceCall) -> float:
    seconds: float = call.data[ATTR_TIMEOUT].total_seconds()
    return seconds


async def _async_outcome(
    call: ServiceCall, target: Target, record: DownlinkRecord
) -> dict[str, Any]:
    """Return the response for a downlink, after waiting for the state that the call names.

    Without a response, raises HomeAssistantError if that state isn't reached.
    """
    downlinks = target.coordinator.downlinks
    state = record.state
    if call.data[ATTR_WAIT_FOR] is not DownlinkState.QUEUED:
        state = await downlinks.async_wait(record, call.data[ATTR_WAIT_FOR], _seconds(call))
    if state in NOT_REACHED and not call.return_response:
        # Without a response, an automation would continue as if it had arrived.
        raise failure(_text_of(state, target, record), reason=record.reason or "")
    expected = downlinks.expected_at(target.device) if record.waiting else None
    return {
        "correlation_id": record.id,
        "state": state.value,
        "queue": downlinks.standing_of(target.device).queue,
        "expected": expected.isoformat() if expected else None,
        "error": record.error,
        "reason": record.reason,
    }


def _text_of(state: DownlinkState, target: Target, record: DownlinkRecord) -> str:
    """Return the text for a state that isn't the wanted one: a time limit means what the network does."""
    capabilities = target.coordinator.stack.capabilities
    if state is DownlinkState.TIMED_OUT and record.confirmed and capabilities.repeats_confirmed:
        return REPEATED
    if state is DownlinkState.TIMED_OUT and not capabilities.downlink_queue:
        return STAYS_QUEUED
    return NOT_REACHED[state]


def _waiting(item: QueuedDownlink) -> dict[str, Any]:
    payload = item.payload or b""
    return {
        "f_port": item.f_port,
        "f_cnt": item.f_cnt,
        "hex": payload.hex(),
        "base64": b64encode(payload).decode(),
        "confirmed": item.confirmed,
        "priority": item.priority.lower(),
        "correlation_ids": list(item.correlation_ids),
    }


async def _async_for_each(
    call: ServiceCall, work: Callable[[Target], Awaitable[Any]], *, changes: bool = True
) -> ServiceResponse:
    """Call `work` for each end device; return the results, by device registry ID.

    Errors are raised together at the end, with the end devices' names. Raises Unauthorized
    before any work if the caller may not control (with `changes`) or read an entity of each one.
    """
    targets = [_target(call.hass, registry_id) for registry_id in call.data[ATTR_DEVICE_ID]]
    require = async_require_control if changes else async_require_read
    for target in targets:
        await require(call, target.coordinator, target.registry_id)
    results = await asyncio.gather(*(work(target) for target in targets), return_exceptions=True)
    failed: list[tuple[str, HomeAssistantError]] = []
    for target, result in zip(targets, results, strict=True):
        if isinstance(result, HomeAssistantError):
            failed.append((target.device.name, result))
        elif isinstance(result, BaseException):
            raise result
    if failed and len(targets) == 1:
        raise failed[0][1]
    if failed:
        kind = (
            ServiceValidationError
            if all(isinstance(error, ServiceValidationError) for _, error in failed)
            else HomeAssistantError
        )
        raise kind(
            translation_domain=DOMAIN,
            translation_key="downlinks_failed",
            translation_placeholders={
                "count": str(len(failed)),
                "total": str(len(targets)),
                "errors": "; ".join(f"{name}: {error}" for name, error in failed),
            },
        )
    answers: dict[str, Any] = {
        target.registry_id: result for target, result in zip(targets, results, strict=True)
    }
    return {"downlinks": answers}


def _belongs_to(hass: HomeAssistant, entry: ConfigEntry, registry_id: str) -> bool:
    """Return whether a device belongs to an entry, which needn't be loaded."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return any(device.id == registry_id for device in devices)


def _target(hass: HomeAssistant, registry_id: str) -> Target:
    """Return the end device by its device registry ID; raises ServiceValidationError."""
    entry_device = dr.async_get(hass).async_get(registry_id)
    if entry_device is None:
        raise refused("device_unknown", device_id=registry_id)
    name = entry_device.name_by_user or entry_device.name or registry_id
    for entry in hass.config_entries.async_entries(DOMAIN):
        if entry.state is not ConfigEntryState.LOADED:
            if not _belongs_to(hass, entry, registry_id):
                continue
            raise refused("application_not_loaded", device=name, application=entry.title)
        coordinator: ApplicationCoordinator = entry.runtime_data
        device = coordinator.roster.by_registry_id(registry_id)
        if device is not None:
            return Target(registry_id, coordinator, device)
    raise refused("no_end_device", device=name)
