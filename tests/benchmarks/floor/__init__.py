"""The least that takes uplinks to states: receive, parse, write eight entities, one context."""

from collections.abc import Callable
from typing import Any

import aiomqtt
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_PORT, Platform
from homeassistant.core import Context, HomeAssistant
import orjson

CONF_TOPIC = "topic"

type Receive = Callable[[Any, Context], None]


class Floor:
    """What shows the fields of each end device, and whether uplinks come."""

    def __init__(self) -> None:
        """Start with no entity."""
        self.connected = False
        self.sensors: dict[str, dict[str, Receive]] = {}


type FloorConfigEntry = ConfigEntry[Floor]


async def async_setup_entry(hass: HomeAssistant, entry: FloorConfigEntry) -> bool:
    """Make the entities, then follow the uplinks."""
    entry.runtime_data = Floor()
    await hass.config_entries.async_forward_entry_setups(entry, [Platform.SENSOR])
    entry.async_create_background_task(hass, _follow(entry), "uplinks")
    return True


async def async_unload_entry(hass: HomeAssistant, entry: FloorConfigEntry) -> bool:
    """Take the entities away."""
    return await hass.config_entries.async_unload_platforms(entry, [Platform.SENSOR])


async def _follow(entry: FloorConfigEntry) -> None:
    floor = entry.runtime_data
    async with aiomqtt.Client(
        "127.0.0.1",
        entry.data[CONF_PORT],
        username="bench",
        password="bench",
        protocol=aiomqtt.ProtocolVersion.V311,
    ) as client:
        await client.subscribe(entry.data[CONF_TOPIC])
        floor.connected = True
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            uplink = orjson.loads(message.payload)
            sensors = floor.sensors[uplink["end_device_ids"]["device_id"]]
            context = Context()
            for name, value in uplink["uplink_message"]["decoded_payload"].items():
                sensors[name](value, context)
