"""Where Home Assistant has no LoRaWAN integration, or another one has taken its name."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockModule, mock_integration

from custom_components.thethingsstack.core_lorawan import async_core_lorawan
from tests.ha_fixtures import set_up
from tests.setup_flow.test_options_flow import open_general
from tests.simulator import Simulator


async def test_a_custom_integration_of_that_name_is_left_alone(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """It has other functions; the option isn't offered, and end devices are as they always were."""
    mock_integration(hass, MockModule("lorawan"), built_in=False)
    assert await async_core_lorawan(hass) is None
    entry = await set_up(hass, sim)
    await hass.async_block_till_done(wait_background_tasks=False)
    assert not entry.runtime_data.core_lorawan.registered
    device = dr.async_get(hass).async_get(
        entry.runtime_data.roster.by_device_id("weather-station").registry_id
    )
    assert device is not None
    assert len(device.identifiers) == 1
    schema = (await open_general(hass, entry))["data_schema"]
    assert schema is not None
    assert "core_lorawan" not in schema.schema
