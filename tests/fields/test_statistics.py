"""What Home Assistant's statistics say to a change of a field's unit."""

from datetime import timedelta

from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.dialogs import submit
from tests.fields.test_flow import FORM, HUMIDITY, open_field, opened
from tests.ha_fixtures import entity_id
from tests.simulator import Simulator
from tests.test_entities import state_of


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(
    recorder_mock: Recorder, enable_custom_integrations: None
) -> None:
    """Let Home Assistant load the integration; the recorder must start before it."""


async def test_another_unit_is_offered_for_repair(
    hass: HomeAssistant, sim: Simulator, hass_ws_client: WebSocketGenerator
) -> None:
    """The entity stays the same one, and Home Assistant offers to repair its statistics."""
    entry = await opened(hass, sim)
    entity = entity_id(hass, "sensor", HUMIDITY)
    await async_wait_recording_done(hass)
    now = dt_util.utcnow().replace(second=0, microsecond=0)
    do_adhoc_statistics(hass, start=now - timedelta(minutes=now.minute % 5))
    await async_wait_recording_done(hass)
    flow = await open_field(hass, entry, "Hum_SHT")
    await submit(hass, flow, **FORM, platform="sensor", name="Humidity", unit="mm")
    assert state_of(hass, "sensor", HUMIDITY).entity_id == entity
    await async_wait_recording_done(hass)
    ws = await hass_ws_client(hass)
    await ws.send_json({"id": 1, "type": "recorder/validate_statistics"})
    (issue,) = (await ws.receive_json())["result"][entity]
    assert issue["type"] == "units_changed"
    assert (issue["data"]["metadata_unit"], issue["data"]["state_unit"]) == ("%", "mm")
