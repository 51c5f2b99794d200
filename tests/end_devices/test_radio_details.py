"""Radio details in a large application: registered for those end devices that they are asked for."""

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import CONF_RADIO_DETAILS, DOMAIN, LARGE_APPLICATION
from custom_components.thethingsstack.end_devices import RADIO_DETAILS
from tests.dialogs import submit
from tests.ha_fixtures import make_entry, register_enabled, set_up, until
from tests.simulator import Simulator

NODE = "garden/70B3D57ED1{:06X}"


def add_nodes(sim: Simulator) -> None:
    """Register so many end devices that the application is a large one."""
    for number in range(LARGE_APPLICATION):
        sim.add_device(f"node-{number}", dev_eui=f"70B3D57ED1{number:06X}", name=f"Node {number}")


def keys_of(hass: HomeAssistant, entry: MockConfigEntry, number: int) -> dict[str, bool]:
    """Return what a node has entities of, and whether they are enabled."""
    start = f"{NODE.format(number)}/"
    return {
        item.unique_id.removeprefix(start): item.disabled_by is None
        for item in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if item.unique_id.startswith(start)
    }


ALL = {**dict.fromkeys(RADIO_DETAILS, False), "last_uplink": True}


async def test_radio_details_come_when_they_are_asked_for(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Home Assistant's limit of entities leaves no room for noise; what is there is never lost."""
    add_nodes(sim)
    entry = make_entry(sim)
    register_enabled(hass, entry, "sensor", f"{NODE.format(9)}/rssi", "rssi_of_before")
    await set_up(hass, sim, entry)
    assert keys_of(hass, entry, 1) == {"last_uplink": True}
    assert keys_of(hass, entry, 9) == {"last_uplink": True, "rssi": True}
    assert hass.states.get("sensor.rssi_of_before") is not None

    roster = entry.runtime_data.roster
    asked = [roster.states[NODE.format(number)].registry_id for number in (1, 2)]
    await hass.services.async_call(
        DOMAIN, "show_radio_details", {"device_id": asked}, blocking=True
    )
    assert [keys_of(hass, entry, number) for number in (1, 2)] == [ALL, ALL]
    assert keys_of(hass, entry, 3) == {"last_uplink": True}

    assert await hass.config_entries.async_reload(entry.entry_id)
    assert keys_of(hass, entry, 1) == ALL
    assert keys_of(hass, entry, 3) == {"last_uplink": True}

    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(
            DOMAIN, "show_radio_details", {"device_id": "none"}, blocking=True
        )


async def test_the_option_registers_them_for_all(hass: HomeAssistant, sim: Simulator) -> None:
    """Without a reload; switched off again, it takes none away, and new end devices have none."""
    add_nodes(sim)
    entry = await set_up(hass, sim)
    start = await hass.config_entries.options.async_init(entry.entry_id)
    form = await submit(hass, start, next_step_id="general")
    await submit(hass, form, devices="all", plain_fields=True, **{CONF_RADIO_DETAILS: True})
    await until(hass, lambda: keys_of(hass, entry, LARGE_APPLICATION - 1) == ALL)
    assert keys_of(hass, entry, 0) == ALL

    start = await hass.config_entries.options.async_init(entry.entry_id)
    form = await submit(hass, start, next_step_id="general")
    await submit(hass, form, devices="all", plain_fields=True, **{CONF_RADIO_DETAILS: False})
    sim.add_device("late", dev_eui=f"70B3D57ED1{LARGE_APPLICATION:06X}", name="Late")
    await sim.uplink("late", decoded={"temperature": 20})
    await until(hass, lambda: "last_uplink" in keys_of(hass, entry, LARGE_APPLICATION))
    assert not RADIO_DETAILS & keys_of(hass, entry, LARGE_APPLICATION).keys()
    assert keys_of(hass, entry, 0) == ALL
