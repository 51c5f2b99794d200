"""Deliveries that failed, as the server's events report them at once."""

import asyncio
from contextlib import aclosing
from datetime import datetime, timedelta
import logging

from homeassistant.config_entries import ConfigEntry

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

    def __init__(self, entry: ConfigEntry, stack: ApplicationClient, door: WebhookDoor) -> None:
        """Follow nothing yet."""
        self._entry = entry
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

    async def async_follow(self, pause: float) -> None:
        """Follow the events for ever; after an error again, so many seconds later."""
        while True:
            events = self._stack.events.stream((DELIVERY_FAILED,), idle=IDLE)
            try:
                async with aclosing(events) as items:
                    async for item in items:
                        if isinstance(item, Event) and (failed := FailedDelivery.from_event(item)):
                            self._note(failed)
            except StackError as err:
                _LOGGER.debug("%s: no events of the webhook: %s", self._entry.title, err)
            await asyncio.sleep(pause)

    def _note(self, failed: FailedDelivery) -> None:
        reception = self._door.reception
        if failed.webhook_id != reception.store.server_id:
            return
        if reception.accepted > self._accepted:
            self._attempts = 0
        self._attempts += 1
        self._accepted, self._last = reception.accepted, failed
        at: datetime = failed.at or self._stack.server_time()
        self._door.note_missed(at - DELIVERY_TIME)
