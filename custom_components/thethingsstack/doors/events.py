"""Messages over the HTTPS event stream: where nothing but HTTPS gets out."""

from collections.abc import AsyncGenerator

from ..client import ApplicationClient, StreamItem
from ..const import DOOR_EVENTS


class EventStreamDoor:
    """The application's event stream over the HTTP API."""

    name = DOOR_EVENTS
    needs_traffic_right = True

    def __init__(self, stack: ApplicationClient) -> None:
        """Connect nothing yet."""
        self._messages = stack.message_events

    @property
    def current(self) -> str:
        """Return by which door messages come now."""
        return self.name

    def stream(self) -> AsyncGenerator[StreamItem]:
        """Yield messages for ever, and what happens to the connection."""
        return self._messages.stream()

    def reconnect(self) -> None:
        """Make a running stream connect anew: the rights count from the moment of connecting."""
        self._messages.reconnect()
