"""Whether an end device can be sent a downlink: found out before sending, as far as it can be."""

import asyncio
from datetime import datetime, timedelta
import logging
from typing import Any, Protocol

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..application.connection_state import ConnectionState
from ..client import Downlink, Formatter, MissingRight, NotFound, Stack, StackError
from ..client.rights import DEVICES_READ, TRAFFIC_DOWN_WRITE, console_names
from ..const import DOMAIN
from ..end_devices.roster import EndDeviceRoster
from ..end_devices.state import EndDeviceState, Status
from .errors import translated
from .request import check, refused

_LOGGER = logging.getLogger(__name__)

FORMATTER_KEPT = timedelta(hours=1)
CLASS_KEPT = timedelta(days=1)
CLASS_PAUSE = 1.0


class Application(Protocol):
    """What downlinks need of the application that they belong to."""

    hass: HomeAssistant
    entry: ConfigEntry[Any]
    stack: Stack
    roster: EndDeviceRoster
    connection_state: ConnectionState


class FormatterHidden(HomeAssistantError):  # noqa: N818 - its name says what happened
    """The key may not see whether there is a downlink formatter."""


class DownlinkCheck:
    """Refuses what would fail, or worse, be taken and do nothing.

    What an end device is, is read from the server when it is first needed, and kept for a while.
    """

    def __init__(self, application: Application) -> None:
        """Start knowing nothing."""
        self._application = application
        self._formatters: dict[str, tuple[datetime, Formatter]] = {}
        self._classes: dict[str, datetime] = {}
        self._reading = asyncio.Lock()

    async def async_check(self, device: EndDeviceState, downlink: Downlink) -> None:
        """Raise ServiceValidationError for a downlink that can't reach its device."""
        check(downlink)
        await self.async_right()
        await self._async_joined(device)
        if downlink.decoded_payload is not None:
            try:
                await self.async_formatter(device)
            except FormatterHidden:
                return  # the queue will show whether there was one

    async def async_right(self) -> None:
        """Raise ServiceValidationError where the key may not send; a right may be new."""
        application = self._application
        if TRAFFIC_DOWN_WRITE not in application.connection_state.rights:
            await application.connection_state.async_check_rights()
        if TRAFFIC_DOWN_WRITE not in application.connection_state.rights:
            raise refused(
                "downlink_missing_right",
                application=application.stack.connection.application_id or "",
                right=TRAFFIC_DOWN_WRITE,
            )

    async def _async_joined(self, device: EndDeviceState) -> None:
        """Raise where the device never joined; asks once more, as joins may have been missed."""
        if device.status(dt_util.utcnow(), timedelta.max) is not Status.NEVER_JOINED:
            return
        try:
            device.update_registration(await self._application.stack.device(device.device_id))
        except NotFound as err:
            raise refused("downlink_device_not_found", device=device.name) from err
        except StackError as err:
            _LOGGER.debug("No registration of %s: %s", device.device_id, err)
            return
        if device.status(dt_util.utcnow(), timedelta.max) is Status.NEVER_JOINED:
            raise refused("downlink_never_joined", device=device.name)

    def knows_formatter(self, device: EndDeviceState) -> bool:
        """Return whether the device is known to have a downlink formatter."""
        found = self._formatters.get(device.device_id)
        return found is not None and dt_util.utcnow() - found[0] < FORMATTER_KEPT

    async def async_formatter(self, device: EndDeviceState) -> Formatter:
        """Return the formatter that makes the device's downlinks.

        Raises ServiceValidationError `downlink_no_formatter` where there is none, and
        FormatterHidden where the key may not see it.
        """
        device_id = device.device_id
        if self.knows_formatter(device):
            return self._formatters[device_id][1]
        try:
            formatter = await self._application.stack.downlinks.formatter(device_id)
        except MissingRight as err:
            raise FormatterHidden(
                translation_domain=DOMAIN,
                translation_key="downlink_formatter_hidden",
                translation_placeholders={"right": console_names(err.rights)},
            ) from err
        except NotFound as err:
            raise refused("downlink_device_not_found", device=device.name) from err
        except StackError as err:
            raise translated(err) from err
        if formatter is None:
            # Not kept: the user sets one now, and tries again.
            raise refused("downlink_no_formatter", device=device.name)
        self._formatters[device_id] = (dt_util.utcnow(), formatter)
        return formatter

    @callback
    def learn_class(self, device: EndDeviceState) -> None:
        """Find out in the background when the device listens."""
        now = dt_util.utcnow()
        asked = self._classes.get(device.device_id)
        if DEVICES_READ not in self._application.connection_state.rights or (
            asked and now - asked < CLASS_KEPT
        ):
            return
        self._classes[device.device_id] = now
        self._application.entry.async_create_background_task(
            self._application.hass, self._async_learn_class(device), f"{DOMAIN} device class"
        )

    async def _async_learn_class(self, device: EndDeviceState) -> None:
        async with self._reading:
            try:
                kind = await self._application.stack.downlinks.device_class(device.device_id)
            except StackError as err:
                _LOGGER.debug("No class of %s: %s", device.device_id, err)
            else:
                device.downlink.listens_always = kind == "C"
            await asyncio.sleep(CLASS_PAUSE)
