"""State of the connection: the stream, the HTTP API and the key's rights."""

import asyncio
from datetime import datetime, timedelta
import logging
from typing import TYPE_CHECKING

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.event import async_call_later, async_track_time_interval

from ..client import (
    ApplicationClient,
    AuthenticationFailed,
    ConnectionFailed,
    ServerFailed,
    StackError,
)
from ..client.rights import TRAFFIC_DOWN_WRITE, TRAFFIC_READ, console_names
from ..const import DOMAIN, UNAVAILABLE_AFTER
from .status import ApplicationStatus

if TYPE_CHECKING:
    from ..doors import Door
    from ..end_devices import EndDeviceRoster

_LOGGER = logging.getLogger(__name__)

RIGHTS_INTERVAL = timedelta(hours=1)
REACH_PAUSE = timedelta(minutes=1)


class ConnectionState:
    """The state of the connection to the server; updates the entities when it changes."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        stack: ApplicationClient,
        door: Door,
        *,
        application_status: ApplicationStatus,
        roster: EndDeviceRoster,
    ) -> None:
        """Start as connected, so that entities aren't unavailable before the first check."""
        self._hass = hass
        self._entry = entry
        self._stack = stack
        self._door = door
        self._status = application_status
        self._roster = roster
        self.rights: frozenset[str] = frozenset()
        self.lost_rights: frozenset[str] = frozenset()
        """Rights that the key had since the start and has lost."""
        self.connected = False
        """Whether the stream is connected now."""
        self.available = True
        """Whether entities are available; stays True during a short loss of the stream."""
        self.readable = True
        """Whether the key may read messages."""
        self.reading_allowed = asyncio.Event()
        """Set when the key may read messages again, so that the stream can reconnect."""
        self.reachable = True
        """Whether the HTTP API answers."""
        self.lost_because: StackError | None = None
        self._logged_lost = False
        self._unloaded = False
        self._checking_rights = False
        self._cancel_unavailable: CALLBACK_TYPE | None = None
        self._cancel_reach: CALLBACK_TYPE | None = None

    @property
    def has_key(self) -> bool:
        """Return whether there is an API key; without one, nothing can be asked of the server."""
        return bool(self._stack.connection.api_key)

    async def async_verify(self) -> None:
        """Read the key's rights; raises StackError, and ConfigEntryNotReady for too few.

        Without a key nothing is asked: messages come anyway, and bring what downlinks need.
        """
        if not self.has_key:
            self.rights = frozenset({TRAFFIC_READ, TRAFFIC_DOWN_WRITE})
            return
        await self._stack.auth_info()
        self.rights = await self._stack.rights()
        if self._door.needs_traffic_right and TRAFFIC_READ not in self.rights:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key="missing_traffic_right",
                translation_placeholders={
                    "application": self._stack.connection.application_id or "",
                    "right": console_names([TRAFFIC_READ]),
                },
            )

    @callback
    def async_start(self) -> None:
        """Check the rights regularly until the entry is unloaded."""
        self._entry.async_on_unload(
            async_track_time_interval(self._hass, self._check_rights_now, RIGHTS_INTERVAL)
        )
        self._entry.async_on_unload(self._cancel_timers)

    @callback
    def _cancel_timers(self) -> None:
        for cancel in (self._cancel_unavailable, self._cancel_reach):
            if cancel is not None:
                cancel()
        self._cancel_unavailable = self._cancel_reach = None
        self._unloaded = True

    # The stream

    @callback
    def on_connected(self) -> None:
        """Note that the stream is connected: entities are available again."""
        self.connected = True
        if self._cancel_unavailable is not None:
            self._cancel_unavailable()
            self._cancel_unavailable = None
        if self._logged_lost:
            self._logged_lost = False
            _LOGGER.info("%s: the connection is back", self._entry.title)
        if not self.available:
            self.available = True
            self._roster.refresh()
        self._status.write()
        self._check_rights_now()

    @callback
    def on_lost(self, error: StackError) -> None:
        """Note that the stream is lost; entities become unavailable if that lasts."""
        self.connected = False
        self.lost_because = error
        if not self._logged_lost:
            self._logged_lost = True
            _LOGGER.info("%s: the connection is lost: %s", self._entry.title, error)
            self._check_rights_now()  # the HTTP API may be unreachable too
        if self._cancel_unavailable is None and self.available:
            self._cancel_unavailable = async_call_later(
                self._hass, UNAVAILABLE_AFTER, self._give_up
            )
        self._status.write()

    @callback
    def _give_up(self, _now: datetime) -> None:
        self._cancel_unavailable = None
        self.available = False
        self._roster.refresh()
        self._status.write()

    # The HTTP API

    @callback
    def _check_rights_now(self, _now: datetime | None = None) -> None:
        self._entry.async_create_background_task(
            self._hass, self.async_check_rights(), f"{DOMAIN} rights"
        )

    @callback
    def note_key_refused(self, error: AuthenticationFailed) -> None:
        """Check the key at once, because a call was refused.

        Starts reauthentication only if the check is refused too: a single refusal may be a
        temporary fault. Does nothing while a check or a reauthentication is under way.
        """
        if self._unloaded or self._checking_rights:
            return
        if any(self._entry.async_get_active_flows(self._hass, {SOURCE_REAUTH})):
            return
        _LOGGER.debug("The key was refused: %s", error.name)
        self._check_rights_now()

    async def async_check_rights(self) -> None:
        """Read the key's rights again; start reauthentication if the key is refused.

        Needed because the MQTT server accepts subscriptions without checking the key's rights.
        """
        if not self.has_key:
            return
        self._checking_rights = True
        try:
            await self._async_check_rights()
        finally:
            self._checking_rights = False

    async def _async_check_rights(self) -> None:
        before = self.rights
        try:
            self.rights = await self._stack.rights()
        except StackError as err:
            _LOGGER.debug("The rights can't be read now: %s", err)
            self.note_reachable(not isinstance(err, ConnectionFailed | ServerFailed))
            if isinstance(err, AuthenticationFailed):
                # An open MQTT session survives the deletion of its key.
                self._entry.async_start_reauth(self._hass)
            return
        self.note_reachable(True)
        self._end_reauthentication()
        if self.rights != before:
            self.lost_rights = (self.lost_rights | before) - self.rights
            may_read = TRAFFIC_READ in self.rights
            self.readable = may_read or not self._door.needs_traffic_right
            if may_read and TRAFFIC_READ not in before:
                # Rights count from the moment of connecting.
                self.reading_allowed.set()
                self._door.reconnect()
            self._status.write()

    @callback
    def _end_reauthentication(self) -> None:
        """Close the reauthentication dialogue: the key is accepted again."""
        for flow in self._entry.async_get_active_flows(self._hass, {SOURCE_REAUTH}):
            self._hass.config_entries.flow.async_abort(flow["flow_id"])

    @callback
    def note_reachable(self, reachable: bool) -> None:
        """Note whether the HTTP API answers; without it no downlink can be sent."""
        if self._unloaded:
            return  # the answer of a request that was made before
        if not reachable and self._cancel_reach is None:
            self._cancel_reach = async_call_later(self._hass, REACH_PAUSE, self._reach_again)
        if reachable == self.reachable:
            return
        self.reachable = reachable
        _LOGGER.info(
            "%s: the HTTP API %s", self._entry.title, "is back" if reachable else "can't be reached"
        )
        self._roster.refresh()

    @callback
    def _reach_again(self, _now: datetime) -> None:
        self._cancel_reach = None
        self._check_rights_now()
