"""Read the values that end devices reported in a period from the Storage Integration."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

from homeassistant.components.sensor import SensorStateClass
from homeassistant.core import HomeAssistant

from ..application import TimeSlices
from ..client import EndDeviceIds, UplinkMessage
from ..end_devices import EndDeviceState, field_entry
from ..fields import describe_sensor
from ..payload import NUMERIC_ROLES, Kind, Level, Meaning, next_level, understand
from .hours import Sample
from .recorded import Correction

if TYPE_CHECKING:
    from ..client import ApplicationClient

type FieldSamples = Mapping[str, list[Sample]]
"""The values of each field, by path."""


async def async_read_samples(
    stack: ApplicationClient,
    find: Callable[[EndDeviceIds], EndDeviceState | None],
    *,
    since: datetime,
    until: datetime,
    device_id: str | None = None,
) -> Mapping[EndDeviceState, FieldSamples]:
    """Return the numbers reported between `since` and `until` by end device.

    `find` returns the end device of a message; None to leave it out. Raises StackError;
    StorageUnavailable if the server has no Storage Integration.
    """
    found: dict[EndDeviceState, defaultdict[str, list[Sample]]] = {}
    stored = stack.stored_uplinks(
        after=since - timedelta(milliseconds=1), before=until, device_id=device_id
    )
    slices = TimeSlices(monotonic)
    async for message in stored:
        await slices.end()
        if not isinstance(message, UplinkMessage) or message.time is None or message.simulated:
            continue
        if (device := find(message.ids)) is None:
            continue
        samples = found.setdefault(device, defaultdict(list))
        for path, value in _numbers(device, message).items():
            samples[path].append(Sample(message.time, value))
    return found


def _numbers(device: EndDeviceState, message: UplinkMessage) -> dict[str, float]:
    decoded = device.decoded(message)
    understood = understand(
        decoded.decoded_payload, decoded.normalized_payload, decisions=device.decisions
    )
    return {
        path: float(value)
        for path, value in understood.values.items()
        if path in device.decisions
        and isinstance(value, int | float)
        and not isinstance(value, bool)
    }


def shown_samples(meaning: Meaning, samples: list[Sample]) -> list[Sample]:
    """Return the samples without those that the field's entity doesn't show: they jump too far."""
    if meaning.max_jump is None:
        return samples
    level, found = Level(), []
    for sample in samples:
        level, shown = next_level(level, sample.value, meaning.max_jump)
        if shown:
            found.append(sample)
    return found


def correction_of(
    hass: HomeAssistant,
    device: EndDeviceState,
    path: str,
    samples: list[Sample],
    *,
    since: datetime,
    until: datetime,
    fill: bool = False,
) -> Correction | None:
    """Return the correction of a field's statistics; None for a field without statistics."""
    meaning = device.decisions.get(path)
    if meaning is None or meaning.kind is not Kind.SENSOR or meaning.role not in NUMERIC_ROLES:
        return None
    entry = field_entry(hass, device, path)
    description = describe_sensor(path, meaning)
    if entry is None or description.state_class is None:
        return None
    return Correction(
        entity_id=entry.entity_id,
        samples=shown_samples(meaning, sorted(samples, key=lambda sample: sample.at)),
        unit=description.native_unit_of_measurement,
        may_reset=description.state_class is SensorStateClass.TOTAL_INCREASING,
        since=since,
        until=until,
        fill=fill,
    )
