"""Uplinks that the payload functions don't decode are decoded in Home Assistant, as with version 3."""

from homeassistant.core import HomeAssistant

from tests.dialogs import go, start_options, submit
from tests.ha_fixtures import entity_id, until
from tests.simulator.v2 import Simulator

from .conftest import make_entry, set_up

PUMP = "pump-socket"


async def test_an_uplink_without_fields(hass: HomeAssistant, sim2: Simulator) -> None:
    """The options lead there, since all end devices share the application's payload functions."""
    entry = await set_up(hass, make_entry(sim2))
    state = entry.runtime_data.roster.by_device_id(PUMP)
    await sim2.uplink(PUMP, decoded=None, payload=bytes.fromhex("036700E1"))
    await until(hass, lambda: state.undecoded)
    result = await start_options(hass, entry, "local_decoding")
    choices = result["data_schema"].schema["device"].config["options"]
    (label,) = (choice for choice in choices if choice.endswith(PUMP))
    result = await go(hass, result, device=label)
    result = await go(hass, result, decoder="cayenne_lpp", always=False)
    await submit(hass, result)
    found = entity_id(hass, "sensor", f"{state.key}/field/temperature_3")
    await sim2.uplink(PUMP, decoded=None, payload=bytes.fromhex("036700E2"))
    await until(hass, lambda: (now := hass.states.get(found)) is not None and now.state == "22.6")
