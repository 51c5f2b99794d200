"""The same world gives the same entities from a stack of version 2 and from version 3."""

from typing import Any

from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.client import UplinkMessage
from tests import ha_fixtures
from tests.ha_fixtures import until
from tests.simulator import Simulator as Version3
from tests.simulator.v2 import Simulator

from .conftest import make_entry, set_up

SENT: dict[str, dict[str, Any]] = {
    "greenhouse-climate": {"temperature": 21.5, "humidity": 48, "battery": 3.1},
    "weather-station": {"wind_speed": 3.5, "rain": 0.2, "leak": False, "location": [52.1, 4.3]},
    "pump-socket": {"socket_status": "on", "power": 4.5, "energy": 1200},
}


def shown(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, tuple[Any, ...]]:
    """Return what is seen of each field's entity, by unique ID."""
    found = {}
    for item in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        if "/field/" not in item.unique_id:
            continue
        state: State | None = hass.states.get(item.entity_id)
        assert state is not None, item.entity_id
        named = ("device_class", "state_class", "unit_of_measurement", "friendly_name")
        found[item.unique_id] = (
            item.entity_id,
            state.state,
            *(state.attributes.get(name) for name in named),
        )
    return found


async def test_fields_and_their_entities_are_the_same(
    hass: HomeAssistant, sim2: Simulator, sim: Version3
) -> None:
    """Names and values too; the devices are the same by their DevEUI."""
    for device_id in SENT:
        registered, device = sim.devices[device_id].documents["is"], sim2.devices[device_id]
        device.description = registered.get("name", "")
        for attribute, name in (("ttn-brand", "brand_id"), ("ttn-model", "model_id")):
            if name in (versions := registered.get("version_ids", {})):
                device.attributes[attribute] = versions[name]
    of_2 = await set_up(hass, make_entry(sim2))
    for device_id, decoded in SENT.items():
        await sim2.uplink(device_id, decoded=decoded, port=2)
    await _all_there(hass, of_2)
    seen_2 = shown(hass, of_2)
    await hass.config_entries.async_remove(of_2.entry_id)
    await hass.async_block_till_done()

    of_3 = await ha_fixtures.set_up(hass, sim, ha_fixtures.make_entry(sim, "manage"))
    for device_id, decoded in SENT.items():
        await sim.uplink(device_id, decoded, f_port=2)
    await _all_there(hass, of_3)
    seen_3 = {key: value for key, value in shown(hass, of_3).items() if key in seen_2}
    assert len(seen_2) >= sum(map(len, SENT.values())) - 2
    assert seen_3 == seen_2


async def _all_there(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Wait until all of the uplinks are shown."""
    roster = entry.runtime_data.roster
    await until(
        hass, lambda: all(_decoded(roster.by_device_id(name)) == SENT[name] for name in SENT)
    )
    await hass.async_block_till_done()


def _decoded(state: Any) -> Any:
    uplink: UplinkMessage | None = state.last_data_uplink
    return None if uplink is None else uplink.decoded_payload
