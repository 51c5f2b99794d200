"""What was missed while no messages came, read from the Storage Integration."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..client import Message, StackError, StorageUnavailable, UplinkMessage
from ..const import CATCH_UP_LIMIT, DOMAIN, STORAGE_WINDOW

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator
    from ..end_devices import EndDeviceState

PAUSE = timedelta(minutes=5)
DEVICE_PAUSE = 1.0
YIELD_EVERY = 32


class CatchUp:
    """Reads what was missed; a gap stays open until it is read."""

    def __init__(self, coordinator: ApplicationCoordinator) -> None:
        """Begin without a gap."""
        self._coordinator = coordinator
        self.storage: bool | None = None
        """Whether the server has the Storage Integration; None: not known."""
        self._owed_since: datetime | None = None
        self._reading: asyncio.Task[None] | None = None
        self._touched: dict[str, EndDeviceState] = {}
        self._cancel_retry: CALLBACK_TYPE | None = None

    @property
    def done(self) -> bool:
        """Return whether nothing is being read."""
        return self._reading is None or self._reading.done()

    @callback
    def forget_refusal(self) -> None:
        """Try again where there was none: it may have been switched on since."""
        if self.storage is False:
            self.storage = None

    @callback
    def async_start(self) -> None:
        """Try again after a failure, until the entry is unloaded."""
        self._coordinator.entry.async_on_unload(self._cancel)

    @callback
    def _cancel(self) -> None:
        if self._cancel_retry is not None:
            self._cancel_retry()
            self._cancel_retry = None

    @callback
    def stop(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()

    @callback
    def begin(self, since: datetime | None) -> None:
        """Read what was missed since then; None: since the last message that came."""
        since = since or self._owed_since or self._coordinator.store.received_until
        if since is not None:
            self._owed_since = min(since, self._owed_since or since)
        if self.storage is False or not self.done:
            return
        self._reading = self._coordinator.entry.async_create_background_task(
            self._coordinator.hass, self._async_read(), f"{DOMAIN} catch-up"
        )

    @callback
    def _again(self, _now: datetime) -> None:
        self._cancel_retry = None
        self.begin(None)

    async def _async_read(self) -> None:
        """Read what the Storage Integration kept, at most the last 24 hours; try again if it fails.

        Each end device is written once, as it is at the end: what happened meanwhile is no
        occurrence of now.
        """
        oldest = dt_util.utcnow() - STORAGE_WINDOW
        since, self._owed_since = self._owed_since, None
        try:
            if since is None:
                await self._async_read_newest(oldest)
            else:
                await self._async_replay(max(since, oldest))
        except StorageUnavailable:
            self.storage = False
        except StackError as err:
            self._owed_since = min(since or oldest, self._owed_since or since or oldest)
            self._coordinator.application_status.record_problem("storage", "", str(err))
            self._cancel()
            self._cancel_retry = async_call_later(self._coordinator.hass, PAUSE, self._again)
        else:
            self.storage = True
        finally:
            touched, self._touched = self._touched, {}
            for device in touched.values():
                device.refresh()

    async def _async_read_newest(self, after: datetime) -> None:
        """Take over the newest stored uplinks, in their order: enough for first values."""
        stack = self._coordinator.stack
        newest = [
            message
            async for message in stack.stored_uplinks(
                after=after, limit=CATCH_UP_LIMIT, newest_first=True
            )
        ]
        for number, message in enumerate(reversed(newest), 1):
            await self._async_take(message, number)
        if len(newest) < CATCH_UP_LIMIT:
            return
        # In a talkative application the ones that speak rarely are asked for by name.
        for device in list(self._coordinator.roster.states.values()):
            if device.values or device.last_seen is None or device.last_seen < after:
                continue
            async for message in stack.stored_uplinks(
                after=after, limit=1, device_id=device.device_id, newest_first=True
            ):
                await self._async_take(message, 1)
            await asyncio.sleep(DEVICE_PAUSE)

    async def _async_replay(self, after: datetime) -> None:
        """Take over all uplinks that were stored since then."""
        number = 0
        async for message in self._coordinator.stack.stored_uplinks(after=after):
            number += 1
            await self._async_take(message, number)

    async def _async_take(self, message: Message, number: int) -> None:
        if isinstance(message, UplinkMessage):
            device = self._coordinator.apply_stored(message)
            if device is not None:
                self._touched[device.key] = device
        if number % YIELD_EVERY == 0:  # yield to the event loop
            await asyncio.sleep(0)
