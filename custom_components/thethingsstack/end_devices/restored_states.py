"""The states that Home Assistant has kept for versions that had no file of last values."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from homeassistant.components.sensor import RestoreSensor
from homeassistant.const import (
    ATTR_GPS_ACCURACY,
    ATTR_LATITUDE,
    ATTR_LONGITUDE,
    STATE_OFF,
    STATE_ON,
    Platform,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er

from .kept_values import RECEPTION, KeptValues, as_json
from .listeners import FIELD, LAST_UPLINK

ATTR_ALTITUDE = "altitude"


async def async_restored_states(hass: HomeAssistant, entry_id: str) -> dict[str, KeptValues]:
    """Return what the entities of an application's end devices showed last, by device key."""
    found: dict[str, KeptValues] = {}
    # What is kept is only given to entities; where it is has changed with Home Assistant's versions.
    reader = RestoreSensor()
    reader.hass = hass
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry_id):
        reader.entity_id = entity.entity_id
        if (state := await reader.async_get_last_state()) is None:
            continue
        key, is_field, path = entity.unique_id.partition(f"/{FIELD}/")
        if is_field:
            kept = found.get(key, KeptValues({}))
            shown = await _async_shown(entity.domain, state, reader)
            found[key] = kept._replace(values={**kept.values, path: shown})
        elif entity.unique_id.endswith(f"/{LAST_UPLINK}"):
            key = entity.unique_id.removesuffix(f"/{LAST_UPLINK}")
            data = await reader.async_get_last_sensor_data()
            moment = data.native_value if data is not None else None
            seen = moment.isoformat() if isinstance(moment, datetime) else None
            reception = {n: state.attributes[n] for n in RECEPTION if n in state.attributes}
            kept = found.get(key, KeptValues({}))
            found[key] = kept._replace(seen=seen, reception=reception)
    return found


async def _async_shown(domain: str, state: State, reader: RestoreSensor) -> tuple[Any, str | None]:
    """Return value and unit as the end device reported them, not as the user sees them."""
    match domain:
        case Platform.SENSOR:
            return await _async_sensor_value(reader)
        case Platform.BINARY_SENSOR:
            return {STATE_ON: True, STATE_OFF: False}.get(state.state), None
        case Platform.DEVICE_TRACKER:
            return _position(state.attributes), None
    return None, None


async def _async_sensor_value(reader: RestoreSensor) -> tuple[Any, str | None]:
    data = await reader.async_get_last_sensor_data()
    if data is None:
        return None, None
    return as_json(data.native_value), data.native_unit_of_measurement  # type: ignore[arg-type]


def _position(attributes: Mapping[str, Any]) -> list[float | None]:
    names = (ATTR_LATITUDE, ATTR_LONGITUDE, ATTR_ALTITUDE, ATTR_GPS_ACCURACY)
    return [attributes.get(name) for name in names]
