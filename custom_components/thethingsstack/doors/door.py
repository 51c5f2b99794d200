"""What the rest of the integration knows of the way by which messages come."""

from collections.abc import AsyncGenerator
from typing import Protocol

from ..client import StreamItem


class Door(Protocol):
    """A way by which an application's messages come.

    Nothing outside of this room asks which one it is, other than to show it to users: what
    differs between doors and matters to others is a property here.
    """

    @property
    def name(self) -> str:
        """Return which door the entry has chosen: one of `DOORS`."""

    @property
    def current(self) -> str:
        """Return by which door messages come now; another while the chosen one doesn't work."""

    @property
    def needs_traffic_right(self) -> bool:
        """Return whether messages come only with a key that may read them (TRAFFIC_READ)."""

    def stream(self) -> AsyncGenerator[StreamItem]:
        """Yield messages for ever, and what happens to the connection; close it to leave.

        Connecting again is the door's own matter. Each interruption is a StreamLost, and each
        connection a StreamConnected with the time from when on messages may be missing: that is
        what catching up reads. Raises AuthenticationFailed and MissingRight where only the user
        can help; it is then started again after a pause.
        """

    def reconnect(self) -> None:
        """Let a running stream connect again, because the API key has more rights now."""
