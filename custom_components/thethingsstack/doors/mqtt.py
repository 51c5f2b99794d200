"""Messages over MQTT; while that can't be reached, over the event stream where there is one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
import logging

from homeassistant.util.hass_dict import HassKey

from ..client import ApplicationClient, Message, StackError, StreamConnected, StreamItem, StreamLost
from ..const import DOMAIN, DOOR_EVENTS, DOOR_MQTT, UNAVAILABLE_AFTER

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorPauses:
    """Waiting times before the event stream is used instead of MQTT, and back."""

    before_events: timedelta = UNAVAILABLE_AFTER - timedelta(minutes=1)
    """From the loss of MQTT to the event stream; shorter than until entities are unavailable."""
    refused: timedelta = timedelta(minutes=15)
    """Until the next attempt after the server has refused the event stream, too."""
    overlap: timedelta = timedelta(seconds=2)
    """For which both are read when MQTT is back, because events may still be on their way."""


DOOR_PAUSES: HassKey[DoorPauses] = HassKey(f"{DOMAIN}_door_pauses")
"""Key in `hass.data` for pauses that replace the defaults; set before setup."""


class MqttDoor:
    """A session with the application's MQTT server, and the event stream while that is lost."""

    name = DOOR_MQTT
    needs_traffic_right = True

    def __init__(self, stack: ApplicationClient, title: str, pauses: DoorPauses) -> None:
        """Connect nothing yet; `title` names the application in the log."""
        self._stack = stack
        self._events = stack.message_events
        self._title = title
        self._pauses = pauses
        self._current = DOOR_MQTT
        self._last: datetime | None = None
        """Up to when messages came over the event stream."""

    @property
    def current(self) -> str:
        """Return by which door messages come now."""
        return self._current

    async def stream(self) -> AsyncGenerator[StreamItem]:
        """Yield messages for ever, and what happens to the connection."""
        async with aclosing(self._stack.stream()) as mqtt:
            async for item in mqtt:
                yield item
                if isinstance(item, StreamLost) and self._stack.capabilities.event_stream:
                    async with aclosing(self._until_back(mqtt)) as items:
                        async for other in items:
                            yield other

    def reconnect(self) -> None:
        """Make a running stream connect anew: the rights count from the moment of connecting."""
        self._stack.reconnect()
        if self._stack.capabilities.event_stream:
            self._events.reconnect()

    async def _until_back(self, mqtt: AsyncGenerator[StreamItem]) -> AsyncGenerator[StreamItem]:
        """Yield what comes until MQTT is connected again; MQTT is tried all the time."""
        back = asyncio.ensure_future(anext(mqtt))
        self._last = None
        try:
            pause = self._pauses.before_events
            while not await _done(back, pause.total_seconds()):
                try:
                    async with aclosing(self._instead(back)) as items:
                        async for item in items:
                            yield item
                except StackError as err:
                    _LOGGER.debug("%s: no event stream either: %s", self._title, err)
                    if self._note(lost := StreamLost(error=err)):
                        yield lost
                pause = self._pauses.refused
            item = await back
            if self._current != DOOR_MQTT:
                _LOGGER.info("%s: messages come over MQTT again", self._title)
            self._current = DOOR_MQTT
            yield self._since_events(item)
        finally:
            self._current = DOOR_MQTT
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)

    async def _instead(self, back: asyncio.Future[StreamItem]) -> AsyncGenerator[StreamItem]:
        """Yield what the event stream brings until MQTT is back."""
        back_since: float | None = None
        async with aclosing(self._events.stream(since=self._stack.complete_until)) as events:
            while True:
                coming = asyncio.ensure_future(anext(events))
                try:
                    await asyncio.wait({coming, back}, return_when=asyncio.FIRST_COMPLETED)
                    if back.done():
                        now = asyncio.get_running_loop().time()
                        back_since = now if back_since is None else back_since
                        left = back_since + self._pauses.overlap.total_seconds() - now
                        if left <= 0 or not await _done(coming, left):
                            return
                    item = coming.result()
                finally:
                    coming.cancel()
                    await asyncio.gather(coming, return_exceptions=True)
                if self._note(item):
                    yield item

    def _note(self, item: StreamItem) -> bool:
        """Note what comes over the event stream; returns whether others need to know it."""
        match item:
            case StreamConnected():
                if self._current != DOOR_EVENTS:
                    _LOGGER.warning(
                        "%s: MQTT can't be reached; until it can, messages come over the event stream",
                        self._title,
                    )
                self._current = DOOR_EVENTS
                self._last = self._stack.server_time()
            case StreamLost():
                stood_in, self._current = self._current == DOOR_EVENTS, DOOR_MQTT
                return stood_in
            case Message() if item.received_at is not None:
                self._last = self._stack.not_in_future(item.received_at)
        return True

    def _since_events(self, item: StreamItem) -> StreamItem:
        """Return MQTT's connection with the gap since the event stream's last message."""
        if isinstance(item, StreamConnected) and self._last is not None:
            gap = self._last if item.gap is None else max(item.gap, self._last)
            return StreamConnected(gap=gap)
        return item


async def _done(coming: asyncio.Future[StreamItem], seconds: float) -> bool:
    """Return whether an item came, after so many seconds at the latest."""
    await asyncio.wait({coming}, timeout=seconds)
    return coming.done()
