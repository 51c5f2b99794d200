"""Messages over MQTT."""

from collections.abc import AsyncGenerator

from ..client import Stack, StreamItem
from ..const import DOOR_MQTT


class MqttDoor:
    """A session with the application's MQTT server."""

    name = DOOR_MQTT
    needs_traffic_right = True

    def __init__(self, stack: Stack) -> None:
        """Connect nothing yet."""
        self._stack = stack

    @property
    def current(self) -> str:
        """Return by which door messages come now."""
        return self.name

    def stream(self) -> AsyncGenerator[StreamItem]:
        """Yield messages for ever, and what happens to the connection."""
        return self._stack.stream()

    def reconnect(self) -> None:
        """Make a running stream connect anew: the rights count from the moment of connecting."""
        self._stack.reconnect()
