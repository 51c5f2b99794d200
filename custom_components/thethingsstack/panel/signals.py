"""How the signal of end devices was in the last day, for a small graph of each."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..end_devices import EndDeviceState

DAY = timedelta(days=1)
COMPLETE = timedelta(hours=2)
"""What is in memory is the whole day if it begins so soon after it."""

type Point = tuple[float, float | None, float | None]
"""Seconds since 1970, RSSI in dBm, SNR in dB."""


async def async_signals(
    hass: HomeAssistant, devices: Mapping[str, EndDeviceState]
) -> dict[str, list[Point]]:
    """Return the signals of the last day, by the same IDs as `devices`, in order of time.

    From memory; before a restart, hourly means of the recorder where the entities are enabled.
    """
    since = dt_util.utcnow() - DAY
    points: dict[str, list[Point]] = {}
    wanted: dict[str, tuple[str | None, str | None]] = {}
    for key, device in devices.items():
        signals = device.reception.signals(since)
        points[key] = [(signal.at.timestamp(), signal.rssi, signal.snr) for signal in signals]
        if not signals or signals[0].at - since > COMPLETE:
            rssi, snr = (_entity_id(hass, device, kind) for kind in ("rssi", "snr"))
            if rssi or snr:
                wanted[key] = (rssi, snr)
    if not wanted or "recorder" not in hass.config.components:
        return points
    ids = {entity_id for pair in wanted.values() for entity_id in pair if entity_id}
    means = await _async_hourly_means(hass, since, ids)
    for key, (rssi, snr) in wanted.items():
        recorded = _joined(means.get(rssi or "", {}), means.get(snr or "", {}))
        first = points[key][0][0] if points[key] else None
        points[key][:0] = [p for p in recorded if first is None or p[0] < first]
    return points


def _entity_id(hass: HomeAssistant, device: EndDeviceState, key: str) -> str | None:
    """Return the enabled entity of an end device that shows its RSSI or SNR."""
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(Platform.SENSOR, DOMAIN, f"{device.key}/{key}")
    entry = registry.async_get(entity_id) if entity_id is not None else None
    return None if entry is None or entry.disabled else entry.entity_id


async def _async_hourly_means(
    hass: HomeAssistant, since: datetime, entity_ids: set[str]
) -> dict[str, dict[float, float]]:
    """Return the mean of each hour by its beginning, of each entity that the recorder has."""
    from homeassistant.components.recorder import get_instance  # an optional integration
    from homeassistant.components.recorder.statistics import statistics_during_period

    rows = await get_instance(hass).async_add_executor_job(
        statistics_during_period, hass, since, None, entity_ids, "hour", None, {"mean"}
    )
    return {
        entity_id: {row["start"]: mean for row in listed if (mean := row.get("mean")) is not None}
        for entity_id, listed in rows.items()
    }


def _joined(rssi: Mapping[float, float], snr: Mapping[float, float]) -> Iterable[Point]:
    return [(at, rssi.get(at), snr.get(at)) for at in sorted({*rssi, *snr})]


def as_json(points: Mapping[str, list[Point]]) -> dict[str, Any]:
    """Return points with rounded numbers."""
    return {
        key: [[round(at), _rounded(rssi), _rounded(snr)] for at, rssi, snr in listed]
        for key, listed in points.items()
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
