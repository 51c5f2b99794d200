"""States set by their entity ids, from a socket that is read until it is empty."""

import asyncio
import ssl
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_PORT
from homeassistant.core import Context, HomeAssistant
import orjson

from tests.benchmarks.plain_broker import Kind, connect_packet, subscribe_packet
from tests.benchmarks.workload import FIELDS, bare_entity_id, device_id

_SUBSCRIBED = Kind.SUBACK << 4
_PUBLISHED = Kind.PUBLISH << 4


async def async_follow_bare(
    hass: HomeAssistant, entry: ConfigEntry[Any], tls_context: ssl.SSLContext | None
) -> None:
    """Set a state for each field that comes, until the entry is unloaded."""
    first, last = entry.data["devices"]
    states = {
        device_id(device): {
            field.name: (
                bare_entity_id(device, field.name),
                {
                    "state_class": field.state_class,
                    "unit_of_measurement": field.unit,
                    "device_class": field.device_class,
                    "friendly_name": f"Node {device} {field.name}",
                },
            )
            for field in FIELDS
        }
        for device in range(first, last)
    }
    _, connection = await hass.loop.create_connection(
        lambda: _Connection(hass, states, entry.data["topic"]),
        "127.0.0.1",
        entry.data[CONF_PORT],
        ssl=tls_context,
    )
    entry.async_on_unload(connection.close)
    await connection.subscribed.wait()


class _Connection(asyncio.Protocol):
    """A connection to the broker with one subscription, without keep-alive."""

    def __init__(
        self,
        hass: HomeAssistant,
        states: dict[str, dict[str, tuple[str, dict[str, Any]]]],
        topic: str,
    ) -> None:
        self._set = hass.states.async_set
        self._states = states
        self._topic = topic
        self._received = bytearray()
        self._transport: asyncio.WriteTransport | None = None
        self.subscribed = asyncio.Event()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        transport.write(connect_packet(f"bare-{id(self)}") + subscribe_packet(self._topic))

    def close(self) -> None:
        """End it."""
        if self._transport is not None:
            self._transport.close()

    @override
    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        at, end = 0, len(received)
        while at + 2 <= end:
            size, shift, body = 0, 0, at + 1
            while body < end:
                byte = received[body]
                size |= (byte & 0x7F) << shift
                shift += 7
                body += 1
                if byte < 0x80:
                    break
            else:
                break
            if body + size > end:
                break
            kind = received[at] & 0xF0
            if kind == _PUBLISHED:
                topic = int.from_bytes(received[body : body + 2])
                self._show(bytes(received[body + 2 + topic : body + size]))
            elif kind == _SUBSCRIBED:
                self.subscribed.set()
            at = body + size
        del received[:at]

    def _show(self, payload: bytes) -> None:
        uplink = orjson.loads(payload)
        states = self._states[uplink["end_device_ids"]["device_id"]]
        context = Context()
        for name, value in uplink["uplink_message"]["decoded_payload"].items():
            entity_id, attributes = states[name]
            self._set(entity_id, str(value), attributes, context=context)
