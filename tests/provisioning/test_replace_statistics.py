"""What the recorder and the logs keep of a replaced end device."""

from datetime import timedelta
import logging

from homeassistant.components.diagnostics import REDACTED
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)

from custom_components.thethingsstack.diagnostics import async_get_config_entry_diagnostics
from tests.controls.cases import SOCKET_KEY
from tests.ha_fixtures import make_entry, register_enabled, set_up, until
from tests.provisioning.test_replace_flow import (
    APP_KEY,
    EUI,
    NEW_KEY,
    by_new,
    device_with,
    state_of,
    sure,
)
from tests.simulator import Simulator

POWER = "sensor.pump_socket_power"


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(
    recorder_mock: Recorder, enable_custom_integrations: None
) -> None:
    """Let Home Assistant load the integration; the recorder must start before it."""


async def test_statistics_go_on(
    hass: HomeAssistant, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """In one series; radio values are the new one's only, and no key is in a log or diagnostics."""
    caplog.set_level(logging.DEBUG)
    entry = make_entry(sim, "manage")
    register_enabled(hass, entry, "sensor", f"{SOCKET_KEY}/rssi", "pump_socket_rssi")
    await set_up(hass, sim, entry)
    await sim.uplink("pump-socket", decoded={"power": 12.5}, f_port=85)
    await until(hass, lambda: hass.states.get(POWER))
    rssi = "sensor.pump_socket_rssi"
    assert state_of(hass, rssi) != "unknown"
    await async_wait_recording_done(hass)
    result = await by_new(hass, entry, dev_eui=EUI, app_key=APP_KEY, device_id="new-one")
    assert APP_KEY not in repr(result)
    result = await sure(hass, result)
    assert result["reason"] == "replaced"
    assert state_of(hass, POWER) == "12.5"
    assert state_of(hass, rssi) == "unknown"
    assert state_of(hass, "sensor.pump_socket_last_uplink") == "unknown"
    await until(hass, lambda: entry.runtime_data.connected)
    await sim.join("new-one")
    await sim.uplink("new-one", decoded={"power": 40}, f_port=85)
    await until(hass, lambda: state_of(hass, POWER) == "40")
    assert state_of(hass, rssi) != "unknown"
    await async_wait_recording_done(hass)
    now = dt_util.utcnow()
    start = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
    do_adhoc_statistics(hass, start=start)
    await async_wait_recording_done(hass)
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        start - timedelta(minutes=5),
        None,
        {POWER},
        "5minute",
        None,
        {"min", "max"},
    )
    assert (found[POWER][0]["min"], found[POWER][0]["max"]) == (12.5, 40)
    assert device_with(hass, entry, NEW_KEY) is not None
    told = str(await async_get_config_entry_diagnostics(hass, entry))
    assert REDACTED in told
    for text in (told, caplog.text):
        assert APP_KEY not in text.upper()
