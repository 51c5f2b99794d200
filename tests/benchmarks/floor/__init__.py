"""The least that takes uplinks to states: receive, parse, write eight entities, one context.

With `bare` not even entities: states are set by their entity ids, and the socket is read until it
is empty.
"""

from collections.abc import Callable
import ssl
from typing import Any

import aiomqtt
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_PORT, Platform
from homeassistant.core import Context, HomeAssistant
import orjson

from .bare import async_follow_bare

CONF_CA = "ca"
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
    context = None
    if (ca := entry.data[CONF_CA]) is not None:
        context = await hass.async_add_executor_job(_tls_context, ca)
    if entry.data.get("bare"):
        await async_follow_bare(hass, entry, context)
        entry.runtime_data.connected = True
        return True
    await hass.config_entries.async_forward_entry_setups(entry, [Platform.SENSOR])
    entry.async_create_background_task(hass, _follow(entry, context), "uplinks")
    return True


async def async_unload_entry(hass: HomeAssistant, entry: FloorConfigEntry) -> bool:
    """Take the entities away."""
    if entry.data.get("bare"):
        return True
    return await hass.config_entries.async_unload_platforms(entry, [Platform.SENSOR])


def _tls_context(ca: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca)


async def _follow(entry: FloorConfigEntry, tls_context: ssl.SSLContext | None) -> None:
    floor = entry.runtime_data
    async with aiomqtt.Client(
        "127.0.0.1",
        entry.data[CONF_PORT],
        username="bench",
        password="bench",
        protocol=aiomqtt.ProtocolVersion.V311,
        tls_context=tls_context,
    ) as client:
        await client.subscribe(entry.data[CONF_TOPIC])
        floor.connected = True
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            uplink = orjson.loads(message.payload)
            sensors = floor.sensors[uplink["end_device_ids"]["device_id"]]
            context = Context()
            for name, value in uplink["uplink_message"]["decoded_payload"].items():
                if isinstance(value, dict):
                    for key, nested in value.items():
                        sensors[f"{name}.{key}"](nested, context)
                else:
                    sensors[name](value, context)
