"""Tools for language models: which end devices are silent, and how is one of them."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, override

from homeassistant.components.homeassistant import async_should_expose
from homeassistant.components.llm import LLMTools
from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import (
    ATTR_DEVICE_CLASS,
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.helpers.llm import (
    LLM_API_ASSIST,
    LLMContext,
    Tool,
    ToolAnnotations,
    ToolInput,
    ToolResult,
)
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..const import DOMAIN
from ..end_devices import EndDeviceState, Status

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

type Found = tuple[ApplicationCoordinator, EndDeviceState, dr.DeviceEntry]

READS_ONLY = ToolAnnotations(read_only=True, destructive=False, idempotent=True, open_world=False)
LONGEST_LIST = 50
NOT_SILENT = frozenset({Status.ACTIVE, Status.WAITING_FOR_NEXT_UPLINK})


class SilentDevicesTool(Tool):
    """Tool that lists the end devices that don't send as they should, and why."""

    name = f"{DOMAIN}__get_silent_devices"
    title = "Get silent LoRaWAN devices"
    description = (
        "List the LoRaWAN devices (The Things Network) that are silent: overdue, never joined, "
        "only half registered, or deleted. Use it for questions like 'Which of my LoRaWAN sensors "
        "are silent?'. Each has its status, its area, and when it last sent something."
    )
    parameters = vol.Schema({})
    annotations = READS_ONLY
    integration = DOMAIN

    @override
    async def async_call(
        self, hass: HomeAssistant, tool_input: ToolInput, llm_context: LLMContext
    ) -> ToolResult:
        """Return the silent end devices, and how many send as they should."""
        devices = list(_exposed(hass, llm_context))
        silent = [found for found in devices if _status(found) not in NOT_SILENT]
        data: dict[str, Any] = {
            "silent": [_summary(hass, found) for found in silent[:LONGEST_LIST]],
            "silent_count": len(silent),
            "sending_count": len(devices) - len(silent),
        }
        if lost := _disconnected(hass):
            data["not_connected"] = lost
        return ToolResult(data=data)


class DeviceTool(Tool):
    """Tool that describes one end device: status, battery, reception, waiting downlinks."""

    name = f"{DOMAIN}__get_device"
    title = "Get a LoRaWAN device"
    description = (
        "Describe one LoRaWAN device (The Things Network): status, last message, battery, signal, "
        "and downlinks that wait. Use it for questions like 'What is the battery of the cellar "
        "sensor?' or 'When was the weather station last heard?'."
    )
    parameters = vol.Schema({vol.Required("name", description="The name of the device"): str})
    annotations = READS_ONLY
    integration = DOMAIN

    @override
    async def async_call(
        self, hass: HomeAssistant, tool_input: ToolInput, llm_context: LLMContext
    ) -> ToolResult:
        """Return what is known of the device; an error with near names if there is none."""
        wanted = self.parameters(tool_input.tool_args)["name"].strip().casefold()
        devices = list(_exposed(hass, llm_context))
        matches = [found for found in devices if _name(found).casefold() == wanted]
        matches = matches or [found for found in devices if wanted in _name(found).casefold()]
        if len(matches) == 1:
            return ToolResult(data=_details(hass, matches[0]))
        names = [_name(found) for found in matches or devices]
        problem = "Several devices have such a name" if matches else "No device has this name"
        return ToolResult(
            data={"error": problem, "names": [*sorted(names)[:LONGEST_LIST]]}, error=True
        )


@callback
def async_get_tools(hass: HomeAssistant, llm_context: LLMContext, api_id: str) -> LLMTools | None:
    """Return the tools for Assist; None where no end device is exposed to the assistant."""
    if api_id != LLM_API_ASSIST or next(_exposed(hass, llm_context), None) is None:
        return None
    return LLMTools(tools=[SilentDevicesTool(), DeviceTool()])


def _exposed(hass: HomeAssistant, llm_context: LLMContext) -> Iterator[Found]:
    """Yield the end devices of which any entity is exposed to the assistant."""
    devices, entities = dr.async_get(hass), er.async_get(hass)
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        application: ApplicationCoordinator = entry.runtime_data
        for device in dr.async_entries_for_config_entry(devices, entry.entry_id):
            state = application.roster.by_registry_id(device.id)
            if state is not None and any(
                async_should_expose(hass, llm_context.assistant, entity.entity_id)
                for entity in er.async_entries_for_device(entities, device.id)
            ):
                yield application, state, device


def _name(found: Found) -> str:
    _, state, device = found
    return device.name_by_user or device.name or state.name


def _status(found: Found) -> Status:
    application, state, _ = found
    return application.overdue_watch.status_of(state)


def _disconnected(hass: HomeAssistant) -> list[str]:
    """Return the titles of applications whose messages don't arrive now."""
    return [
        entry.title
        for entry in hass.config_entries.async_loaded_entries(DOMAIN)
        if not entry.runtime_data.connection_state.connected
    ]


def _summary(hass: HomeAssistant, found: Found) -> dict[str, Any]:
    application, state, device = found
    area = ar.async_get(hass).async_get_area(device.area_id) if device.area_id else None
    summary: dict[str, Any] = {
        "name": _name(found),
        "area": None if area is None else area.name,
        "status": _status(found).value,
        "last_heard": _local(state.last_seen),
    }
    if state.last_seen is not None:
        hours = application.overdue_watch.overdue_after(state).total_seconds() / 3600
        summary["overdue_after_hours"] = round(hours, 1)
    return summary


def _details(hass: HomeAssistant, found: Found) -> dict[str, Any]:
    application, state, device = found
    records = application.downlinks.records_of(state)
    details = {
        **_summary(hass, found),
        "application": application.entry.title,
        "application_connected": application.connection_state.connected,
        "battery": _battery(hass, device),
        "waiting_downlinks": sum(record.open for record in records),
    }
    receptions = () if state.last_uplink is None else state.last_uplink.receptions_by_gateway
    if receptions:
        best = receptions[0]
        details |= {"rssi_dbm": best.rssi, "snr_db": best.snr, "gateways": len(receptions)}
    return details


def _battery(hass: HomeAssistant, device: dr.DeviceEntry) -> list[str]:
    """Return the states of the device's battery sensors, with their units."""
    entries = er.async_entries_for_device(er.async_get(hass), device.id)
    states = filter(None, (hass.states.get(entry.entity_id) for entry in entries))
    return [
        f"{state.state} {state.attributes.get(ATTR_UNIT_OF_MEASUREMENT, '')}".strip()
        for state in states
        if state.attributes.get(ATTR_DEVICE_CLASS) == SensorDeviceClass.BATTERY
        and state.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)
    ]


def _local(moment: datetime | None) -> str | None:
    return None if moment is None else dt_util.as_local(moment).isoformat(timespec="minutes")
