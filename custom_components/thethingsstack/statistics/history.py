"""Import the stored uplinks of an end device into Home Assistant's long-term statistics."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..end_devices import EndDeviceState
from .hours import HOUR, hour_of
from .recorded import FIVE_MINUTES, async_correct_statistics, five_minutes_of
from .samples import async_read_samples, correction_of

if TYPE_CHECKING:
    from ..client import ApplicationClient


async def async_import_history(
    hass: HomeAssistant,
    stack: ApplicationClient,
    device: EndDeviceState,
    since: datetime,
    until: datetime,
) -> Mapping[str, int]:
    """Correct the statistics of an end device between two times by its stored uplinks.

    Hours before its entities existed are added. Returns how many hours were written, by entity
    ID. Raises StackError; StorageUnavailable if the server has no Storage Integration.
    """
    # Only full hours can be calculated.
    since, until = hour_of(since), hour_of(until - timedelta.resolution) + HOUR
    # The recorder's rows of this time are compared with the uplinks.
    compiled = five_minutes_of(dt_util.utcnow()) - FIVE_MINUTES - timedelta.resolution
    found = await async_read_samples(
        stack,
        lambda ids: device if ids.device_id == device.device_id else None,
        since=since,
        until=until + 2 * FIVE_MINUTES,
        device_id=device.device_id,
    )
    corrections = [
        correction
        for path, samples in found.get(device, {}).items()
        if (
            correction := correction_of(
                hass, device, path, samples, since=since, until=min(until, compiled), fill=True
            )
        )
    ]
    return await async_correct_statistics(hass, corrections)
