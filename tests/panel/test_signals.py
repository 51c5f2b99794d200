"""Signals from before a restart come from the recorder."""

from datetime import timedelta

from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.components.recorder.statistics import async_import_statistics
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.thethingsstack.panel.signals import async_signals
from tests.ha_fixtures import entity_id, make_entry, register_enabled, set_up, until
from tests.simulator import Simulator
from tests.simulator.traffic import ROOF, reception

WEATHER = "garden/70B3D57ED0060001"


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(
    recorder_mock: Recorder, enable_custom_integrations: None
) -> None:
    """Let Home Assistant load the integration; the recorder must start before it."""


async def test_hours_before_what_is_in_memory(hass: HomeAssistant, sim: Simulator) -> None:
    """The recorder's means, where the entity is enabled: here that of RSSI alone."""
    entry = make_entry(sim)
    register_enabled(hass, entry, "sensor", f"{WEATHER}/rssi")
    await set_up(hass, sim, entry)
    hour = dt_util.utcnow().replace(minute=0, second=0, microsecond=0)
    async_import_statistics(
        hass,
        {
            "statistic_id": entity_id(hass, "sensor", f"{WEATHER}/rssi"),
            "source": "recorder",
            "name": None,
            "has_sum": False,
            "mean_type": StatisticMeanType.ARITHMETIC,
            "unit_of_measurement": "dBm",
            "unit_class": None,
        },
        [
            {"start": hour - timedelta(hours=ago), "mean": -100.0 + ago, "min": -120, "max": -80}
            for ago in (30, 5, 4, 1)
        ],
    )
    await async_wait_recording_done(hass)
    device = entry.runtime_data.roster.states[WEATHER]
    unknown = entry.runtime_data.roster.by_device_id("never-joined")
    moment = hour - timedelta(hours=3)
    await sim.uplink(
        "weather-station",
        rx_metadata=[reception(sim.stack, ROOF, -61, 8.5)],
        received_at=moment.isoformat().replace("+00:00", "Z"),
    )
    await until(hass, lambda: device.reception.signals(moment))
    points = await async_signals(hass, {"a": device, "b": unknown})
    assert points["a"] == [
        ((hour - timedelta(hours=5)).timestamp(), -95, None),
        ((hour - timedelta(hours=4)).timestamp(), -96, None),
        (moment.timestamp(), -61, 8.5),
    ]
    assert points["b"] == []
