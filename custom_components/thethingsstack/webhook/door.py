"""Messages by the deliveries of a webhook."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant, callback

from ..client import Message, MessagesDropped, StackError, StreamConnected, StreamItem, StreamLost
from ..const import DOOR_WEBHOOK
from .inbox import TURN, Inbox
from .reception import Reception, reception_of

if TYPE_CHECKING:
    from .managed import ManagedWebhook


class WebhookDoor:
    """Waits for the server's deliveries.

    Nothing shows whether the server could deliver; who looks after the webhook there reports it.
    """

    name = DOOR_WEBHOOK
    needs_traffic_right = False

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        not_in_future: Callable[[datetime], datetime],
    ) -> None:
        """Take what receives the deliveries for an entry.

        `not_in_future` returns a time, but the present for one far ahead.
        """
        self._not_in_future = not_in_future
        self.reception: Reception = reception_of(hass, entry)
        self.problem: StackError | None = None
        """Why nothing can come at present."""
        self._reported = not entry.data.get(CONF_API_KEY)
        """Whether it is known if deliveries work; without a key nobody can tell."""
        self.managed: ManagedWebhook | None = None
        """Who looks after the webhook in The Things Stack, where there is a key."""
        self._inbox: Inbox | None = None
        self._missed_since: datetime | None = None

    @property
    def current(self) -> str:
        """Return by which door messages come now."""
        return self.name

    async def stream(self) -> AsyncGenerator[StreamItem]:
        """Yield messages for ever, and what is reported about their delivery.

        A message shows that deliveries work, whatever was reported: what was missed before it is
        named first. What one failed delivery in between had is named as a connection of its own.
        """
        last = self.reception.last_received_at
        with self.reception.open(self._not_in_future) as inbox:
            self._inbox = inbox
            connected = False
            if self._reported:
                inbox.note(self._standing())
            taken = 0
            while True:
                item = await inbox.get()
                if isinstance(item, StreamLost):
                    connected = False
                elif not isinstance(item, MessagesDropped):
                    missed = self._take_missed()
                    if not connected:
                        connected = True
                        yield StreamConnected(gap=_earlier(last, missed))
                    elif missed is not None:
                        yield StreamConnected(gap=missed)
                if isinstance(item, Message) and item.received_at is not None:
                    last = self._not_in_future(item.received_at)
                if not isinstance(item, StreamConnected):
                    yield item
                taken += 1
                if taken % TURN == 0:
                    await asyncio.sleep(0)

    def reconnect(self) -> None:
        """Do nothing: the server delivers whatever the key may do."""

    @callback
    def report(self, problem: StackError | None) -> None:
        """Note why nothing can come at present; None where deliveries work."""
        changed = not self._reported or (self.problem is None) != (problem is None)
        self.problem, self._reported = problem, True
        if changed and self._inbox is not None:
            self._inbox.note(self._standing())

    @callback
    def note_missed(self, since: datetime) -> None:
        """Have what was missed since a time read, though other messages arrive."""
        self._missed_since = min(since, self._missed_since or since)
        if self._inbox is not None and self._reported and self.problem is None:
            self._inbox.note(StreamConnected(gap=None))

    def _take_missed(self) -> datetime | None:
        missed, self._missed_since = self._missed_since, None
        return missed

    def _standing(self) -> StreamConnected | StreamLost:
        if self.problem is not None:
            return StreamLost(error=self.problem)
        return StreamConnected(gap=None)  # the stream knows since when


def _earlier(last: datetime | None, missed: datetime | None) -> datetime | None:
    """Return where a gap begins; None, for what the stream knows, where no message came yet."""
    return min(last, missed) if last is not None and missed is not None else last
