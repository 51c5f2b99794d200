"""The logbook's entries: joins of end devices, and commands with what becomes of them."""

from collections.abc import Callable
from typing import Any

from homeassistant.components.logbook import (
    LOGBOOK_ENTRY_ENTITY_ID,
    LOGBOOK_ENTRY_ICON,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .end_devices.logbook_events import (
    ATTR_TYPE,
    EVENT_FOR_LOGBOOK,
    async_waiting_words,
    async_words,
)

ICONS = {
    "joined": "mdi:handshake",
    "queued": "mdi:timer-sand",
    "sent": "mdi:download-network",
    "acknowledged": "mdi:check-network",
    "not_acknowledged": "mdi:help-network",
    "failed": "mdi:close-network",
    "expired": "mdi:timer-off-outline",
    "replaced": "mdi:tray-remove",
    "cleared": "mdi:tray-remove",
    "outcome_unknown": "mdi:help-network",
    "not_followed": "mdi:alert-circle-outline",
}


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, str]]], None],
) -> None:
    """Tell the logbook how to put the events of end devices in words."""

    @callback
    def describe(event: Event) -> dict[str, str]:
        data = event.data
        kind = str(data[ATTR_TYPE])
        device = dr.async_get(hass).async_get(data[ATTR_DEVICE_ID])
        entry = {
            LOGBOOK_ENTRY_NAME: (device.name_by_user or device.name or "") if device else "",
            LOGBOOK_ENTRY_MESSAGE: _message(hass, kind, data),
            LOGBOOK_ENTRY_ICON: ICONS.get(kind, "mdi:download-network"),
        }
        if (entity_id := data.get(ATTR_ENTITY_ID)) is not None:
            entry[LOGBOOK_ENTRY_ENTITY_ID] = entity_id
        return entry

    async_describe_event(DOMAIN, EVENT_FOR_LOGBOOK, describe)


def _message(hass: HomeAssistant, kind: str, data: Any) -> str:
    if kind == "joined":
        return async_words(hass, kind)
    what = data.get("command")
    if not what:
        f_port = data.get("f_port")
        what = async_words(hass, "downlink_on" if f_port else "downlink", f_port=str(f_port))
    if kind == "queued":
        expected = dt_util.parse_datetime(data.get("expected") or "")
        return async_waiting_words(hass, what, expected, at_once=bool(data.get("at_once")))
    reason = data.get("reason")
    key = f"{kind}_because" if reason and kind in ("failed", "expired") else kind
    return async_words(hass, key, what=what, reason=str(reason), state=str(data.get("reported")))
