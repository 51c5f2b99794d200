"""Checks before a downlink is sent: the request, and whether its device can receive it."""

import asyncio
from datetime import datetime, timedelta
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..application import ConnectionState, downlink_error, missing_downlink_right, refused
from ..client import (
    ApplicationClient,
    Capabilities,
    Downlink,
    Formatter,
    MissingRight,
    NoApiKey,
    NotFound,
    NotSupported,
    StackError,
)
from ..client.rights import DEVICES_READ, TRAFFIC_DOWN_WRITE, console_names
from ..const import DOMAIN
from ..end_devices import EndDeviceState, Status
from .payload_text import MAX_DEPTH, ObjectProblem, problem_of_object
from .tracker import DownlinkStanding

_LOGGER = logging.getLogger(__name__)

FORMATTER_KEPT = timedelta(hours=1)
CLASS_KEPT = timedelta(days=1)
CLASS_PAUSE = 1.0


# The largest payload in any band at the fastest data rate; slower data rates carry less.
MAX_PAYLOAD = 242
MAX_PORT = 223
RESERVED_PORT = 224
MAX_CORRELATION_ID = 100
MAX_ATTEMPTS = 32


def check(downlink: Downlink) -> None:
    """Raise ServiceValidationError for a downlink that is invalid for any end device."""
    if downlink.payload is not None and downlink.decoded_payload is not None:
        raise refused("downlink_two_payloads")
    if downlink.payload is None and downlink.decoded_payload is None:
        raise refused("downlink_no_payload")
    if downlink.decoded_payload is not None:
        match problem_of_object(downlink.decoded_payload):
            case ObjectProblem.TOO_DEEP:
                raise refused("downlink_too_deep", max=MAX_DEPTH)
            case ObjectProblem.NOT_FINITE:
                raise refused("downlink_not_finite")
    if downlink.f_port is None:
        if downlink.decoded_payload is None:
            raise refused("downlink_port_missing")
    elif downlink.f_port == 0:
        raise refused("downlink_port_zero")
    elif downlink.f_port == RESERVED_PORT:
        raise refused("downlink_port_reserved")
    elif not 0 < downlink.f_port <= MAX_PORT:
        raise refused("downlink_port_range", port=downlink.f_port)
    if downlink.payload is not None and len(downlink.payload) > MAX_PAYLOAD:
        raise refused("downlink_too_long", length=len(downlink.payload), max=MAX_PAYLOAD)
    if downlink.max_attempts is not None and not 1 <= downlink.max_attempts <= MAX_ATTEMPTS:
        raise refused("downlink_retries_range", max=MAX_ATTEMPTS)
    if downlink.max_attempts is not None and not downlink.confirmed:
        raise refused("downlink_retries_unconfirmed")
    if any(not 0 < len(text) <= MAX_CORRELATION_ID for text in downlink.correlation_ids):
        raise refused("downlink_correlation_id_length", max=MAX_CORRELATION_ID)


def check_supported(downlink: Downlink, capabilities: Capabilities) -> None:
    """Raise ServiceValidationError for what the network's downlinks don't have."""
    wanted = {
        "downlink_priority": downlink.priority is not None,
        "downlink_attempts": downlink.max_attempts is not None,
        "scheduled_downlinks": bool(downlink.gateways or downlink.absolute_time),
    }
    for capability, needed in wanted.items():
        if needed and not getattr(capabilities, capability):
            raise downlink_error(NotSupported(capability))


class FormatterHidden(HomeAssistantError):  # noqa: N818 - its name says what happened
    """The key lacks the right to read whether there is a downlink formatter."""


class Preflight:
    """Refuses downlinks that would fail, or that the server accepts without any effect.

    Properties of an end device are read from the server when first needed, and cached for a
    while.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        stack: ApplicationClient,
        connection_state: ConnectionState,
    ) -> None:
        """Start with an empty cache."""
        self._hass = hass
        self._entry = entry
        self._stack = stack
        self._connection_state = connection_state
        self._formatters: dict[str, tuple[datetime, Formatter]] = {}
        self._classes: dict[str, datetime] = {}
        self._reading = asyncio.Lock()

    async def async_check(self, device: EndDeviceState, downlink: Downlink) -> None:
        """Raise ServiceValidationError for a downlink that can't reach its end device."""
        check(downlink)
        check_supported(downlink, self._stack.capabilities)
        await self.async_right()
        await self._async_joined(device)
        if downlink.decoded_payload is not None:
            try:
                await self.async_formatter(device)
            except FormatterHidden:
                return  # the queue will show whether there was one

    async def async_right(self) -> None:
        """Raise ServiceValidationError if the key may not send, even with freshly read rights."""
        if TRAFFIC_DOWN_WRITE not in self._connection_state.rights:
            await self._connection_state.async_check_rights()
        if TRAFFIC_DOWN_WRITE not in self._connection_state.rights:
            raise missing_downlink_right()

    async def _async_joined(self, device: EndDeviceState) -> None:
        """Raise if the device never joined; asks the server, as a join may have been missed."""
        if device.status(overdue=False) is not Status.NEVER_JOINED:
            return
        try:
            device.update_registration(await self._stack.device(device.device_id))
        except NotFound as err:
            raise refused("downlink_device_not_found", device=device.name) from err
        except StackError as err:
            _LOGGER.debug("No registration of %s: %s", device.device_id, err)
            return
        if device.status(overdue=False) is Status.NEVER_JOINED:
            raise refused("downlink_never_joined", device=device.name)

    def knows_formatter(self, device: EndDeviceState) -> bool:
        """Return whether the device is known to have a downlink formatter."""
        found = self._formatters.get(device.device_id)
        return found is not None and dt_util.utcnow() - found[0] < FORMATTER_KEPT

    async def async_formatter(self, device: EndDeviceState) -> Formatter:
        """Return the formatter that encodes the device's downlinks.

        Raises ServiceValidationError `downlink_no_formatter` if there is none, and
        FormatterHidden if the key may not read it.
        """
        device_id = device.device_id
        if self.knows_formatter(device):
            return self._formatters[device_id][1]
        try:
            formatter = await self._stack.downlinks.formatter(device_id)
        except (MissingRight, NoApiKey) as err:
            rights = err.rights if isinstance(err, MissingRight) else (DEVICES_READ,)
            raise FormatterHidden(
                translation_domain=DOMAIN,
                translation_key="downlink_formatter_hidden",
                translation_placeholders={"right": console_names(rights)},
            ) from err
        except NotFound as err:
            raise refused("downlink_device_not_found", device=device.name) from err
        except StackError as err:
            raise downlink_error(err) from err
        if formatter is None:
            # Not cached: the user may set one now and try again.
            raise refused("downlink_no_formatter", device=device.name)
        self._formatters[device_id] = (dt_util.utcnow(), formatter)
        return formatter

    @callback
    def learn_class(self, device: EndDeviceState, standing: DownlinkStanding) -> None:
        """Read in the background whether the device is class C, which always listens."""
        now = dt_util.utcnow()
        asked = self._classes.get(device.device_id)
        if DEVICES_READ not in self._connection_state.rights or (
            asked and now - asked < CLASS_KEPT
        ):
            return
        self._classes[device.device_id] = now
        self._entry.async_create_background_task(
            self._hass, self._async_learn_class(device, standing), f"{DOMAIN} device class"
        )

    async def _async_learn_class(self, device: EndDeviceState, standing: DownlinkStanding) -> None:
        async with self._reading:
            try:
                kind = await self._stack.downlinks.device_class(device.device_id)
            except StackError as err:
                _LOGGER.debug("No class of %s: %s", device.device_id, err)
            else:
                standing.listens_always = kind == "C"
            await asyncio.sleep(CLASS_PAUSE)
