"""The door that an entry has chosen."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..client import ApplicationClient
from ..const import CONF_DOOR, DEFAULT_DOOR, DOOR_EVENTS, DOOR_WEBHOOK
from ..webhook import WebhookDoor
from .door import Door
from .events import EventStreamDoor
from .mqtt import DOOR_PAUSES, DoorPauses, MqttDoor


def chosen_door(data: Mapping[str, Any]) -> str:
    """Return which door an entry's data chooses; entries from before there was a choice use MQTT."""
    return str(data.get(CONF_DOOR, DEFAULT_DOOR))


def create_door(hass: HomeAssistant, entry: ConfigEntry, stack: ApplicationClient) -> Door:
    """Return the door that an entry has chosen; nothing is opened before its stream is read."""
    match chosen_door(entry.data):
        case door if door == DOOR_EVENTS:
            return EventStreamDoor(stack)
        case door if door == DOOR_WEBHOOK:
            return WebhookDoor(hass, entry, stack.not_in_future)
        case _:
            return MqttDoor(stack, entry.title, hass.data.get(DOOR_PAUSES, DoorPauses()))
