"""Import the stored uplinks of an end device into Home Assistant's long-term statistics."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from homeassistant.components.sensor import SensorStateClass
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from ..client import UplinkMessage
from ..const import DOMAIN
from ..end_devices import EndDeviceState, field_key
from ..fields import describe_sensor
from ..payload import NUMERIC_ROLES, Kind, understand
from .hours import Sample, hour_of
from .recorded import async_correct_statistics

if TYPE_CHECKING:
    from ..client import Stack


async def async_import_history(
    hass: HomeAssistant, stack: Stack, device: EndDeviceState, since: datetime, until: datetime
) -> Mapping[str, int]:
    """Correct the statistics of an end device between two times by its stored uplinks.

    Hours before its entities existed are added. Returns how many hours were written, by entity
    ID. Raises StackError; StorageUnavailable if the server has no Storage Integration.
    """
    since = hour_of(since)  # only full hours can be calculated
    samples: defaultdict[str, list[Sample]] = defaultdict(list)
    decisions = device.decisions
    stored = stack.stored_uplinks(after=since, before=until, device_id=device.device_id)
    async for message in stored:
        if not isinstance(message, UplinkMessage) or message.time is None or message.simulated:
            continue
        understood = understand(
            message.decoded_payload, message.normalized_payload, decisions=decisions
        )
        for path, value in understood.values.items():
            if path in decisions and isinstance(value, int | float) and not isinstance(value, bool):
                samples[path].append(Sample(message.time, float(value)))
    written: dict[str, int] = {}
    registry = er.async_get(hass)
    for path, listed in samples.items():
        meaning = decisions[path]
        if meaning.kind is not Kind.SENSOR or meaning.role not in NUMERIC_ROLES:
            continue
        entity_id = registry.async_get_entity_id(
            Platform.SENSOR, DOMAIN, f"{device.key}/{field_key(path)}"
        )
        description = describe_sensor(path, meaning)
        if entity_id is None or description.state_class is None:
            continue
        hours = await async_correct_statistics(
            hass,
            entity_id,
            sorted(listed, key=lambda sample: sample.at),
            unit=description.native_unit_of_measurement,
            may_reset=description.state_class is SensorStateClass.TOTAL_INCREASING,
            since=since,
            until=until,
            fill=True,
        )
        if hours:
            written[entity_id] = hours
    return written
