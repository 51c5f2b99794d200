"""Deliveries that failed, as the server's events report them at once."""

import asyncio
from contextlib import aclosing
from datetime import datetime, timedelta
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..client import (
    DELIVERY_FAILED,
    ApplicationClient,
    Event,
    FailedDelivery,
    StackError,
    WebhookFailure,
)
from .door import WebhookDoor

_LOGGER = logging.getLogger(__name__)

DELIVERY_TIME = timedelta(seconds=15)
"""A message is at most so much older than the failure to deliver it: the server waits 5 or 10 s."""
IDLE = 900.0
"""Seconds without an event after which the stream is opened anew, in case that it is dead."""


class FailedDeliveries:
    """Follows the events of a webhook that can't be posted to.

    A webhook's health only tells the last failure, and forgets it with the next delivery that
    arrives; some servers keep no health at all.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        stack: ApplicationClient,
        door: WebhookDoor,
        *,
        pause: float,
    ) -> None:
        """Follow nothing yet; what was missed is read at most once in so many seconds."""
        self._hass = hass
        self._entry = entry
        self._pause = pause
        self._missed_since: datetime | None = None
        self._cancel_pause: CALLBACK_TYPE | None = None
        self._stack = stack
        self._door = door
        self._attempts = 0
        self._accepted = 0
        """How many messages had been accepted at the last failure."""
        self._last: FailedDelivery | None = None

    @property
    def failure(self) -> WebhookFailure | None:
        """Return the failures since the last delivery that arrived, if there are any."""
        if self._last is None or self._door.reception.accepted > self._accepted:
            return None
        return WebhookFailure(
            attempts=self._attempts, last_at=self._last.at, details=self._last.details
        )

    async def async_follow(self, retry: float) -> None:
        """Follow the events for ever; after an error again, so many seconds later."""
        self._entry.async_on_unload(self._end_pause)
        while True:
            events = self._stack.events.stream((DELIVERY_FAILED,), idle=IDLE)
            try:
                async with aclosing(events) as items:
                    async for item in items:
                        if isinstance(item, Event) and (failed := FailedDelivery.from_event(item)):
                            self._note(failed)
            except StackError as err:
                _LOGGER.debug("%s: no events of the webhook: %s", self._entry.title, err)
            await asyncio.sleep(retry)

    def _note(self, failed: FailedDelivery) -> None:
        reception = self._door.reception
        if failed.webhook_id != reception.store.server_id:
            return
        if reception.accepted > self._accepted:
            self._attempts = 0
        self._attempts += 1
        self._accepted, self._last = reception.accepted, failed
        since = (failed.at or self._stack.server_time()) - DELIVERY_TIME
        self._missed_since = min(since, self._missed_since or since)
        if self._cancel_pause is None:
            self._have_read()

    @callback
    def _have_read(self, _now: datetime | None = None) -> None:
        """Have what was missed read; what is missed from now on after a pause, all at once."""
        self._cancel_pause = None
        if self._missed_since is None:
            return
        self._door.note_missed(self._missed_since)
        self._missed_since = None
        self._cancel_pause = async_call_later(self._hass, self._pause, self._have_read)

    @callback
    def _end_pause(self) -> None:
        if self._cancel_pause is not None:
            self._cancel_pause()
