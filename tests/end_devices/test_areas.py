"""The area in Home Assistant follows the attribute in The Things Stack, until the user moves it."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from tests.ha_fixtures import set_up, until
from tests.simulator import Simulator

GREENHOUSE = "A84041000181C061"
SOCKET = "24E124148B000001"


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application, whose registry events come."""
    entry = await set_up(hass, sim)
    await until(hass, lambda: entry.runtime_data.sync.live)
    return entry


def device_of(hass: HomeAssistant, entry: MockConfigEntry, dev_eui: str) -> dr.DeviceEntry:
    """Return the device in Home Assistant."""
    identifier = (DOMAIN, f"garden/{dev_eui}")
    found = dr.async_get(hass).async_get_device_by_identifier(identifier, entry.entry_id)
    assert found is not None
    return found


def area(hass: HomeAssistant, entry: MockConfigEntry, dev_eui: str = GREENHOUSE) -> str | None:
    """Return where the device is in Home Assistant."""
    area_id = device_of(hass, entry, dev_eui).area_id
    found = None if area_id is None else ar.async_get(hass).async_get_area(area_id)
    return None if found is None else found.name


async def told(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    attributes: dict[str, str],
    device_id: str = "greenhouse-climate",
) -> None:
    """Change the attributes elsewhere, and wait until that is known."""
    sim.update_device(device_id, attributes=None)
    sim.update_device(device_id, attributes=attributes or None)
    state = entry.runtime_data.roster.by_device_id(device_id)
    await until(hass, lambda: state.attributes == attributes)


async def test_the_area_follows_the_attribute(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """As long as the device is where the attribute had put it; without the attribute it stays."""
    assert area(hass, entry) == "Greenhouse"
    await told(hass, sim, entry, {"room": "Orangery"})
    assert area(hass, entry) == "Orangery"
    await told(hass, sim, entry, {"room": "Orangery", "home-assistant-area": "Attic"})
    assert area(hass, entry) == "Attic"
    await told(hass, sim, entry, {})
    assert area(hass, entry) == "Attic"


async def test_an_attribute_added_later_sets_the_area(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """An attribute that is added later counts, too; blanks are none."""
    assert area(hass, entry, SOCKET) is None
    await told(hass, sim, entry, {"room": " "}, "pump-socket")
    assert area(hass, entry, SOCKET) is None
    await told(hass, sim, entry, {"room": "Well"}, "pump-socket")
    assert area(hass, entry, SOCKET) == "Well"


@pytest.mark.parametrize("moved_to", ["Kitchen", None])
async def test_the_area_that_the_user_chose_stays(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, moved_to: str | None
) -> None:
    """Or took it out of all areas: then it stays so."""
    area_id = ar.async_get(hass).async_create(moved_to).id if moved_to else None
    device = device_of(hass, entry, GREENHOUSE)
    dr.async_get(hass).async_update_device(device.id, area_id=area_id)
    await told(hass, sim, entry, {"room": "Orangery"})
    assert area(hass, entry) == moved_to
    await told(hass, sim, entry, {"room": "Attic"})
    assert area(hass, entry) == moved_to


async def test_the_area_follows_an_attribute_changed_while_home_assistant_was_off(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """What was told last is known over a restart."""
    moved = device_of(hass, entry, "70B3D57ED0060002")
    dr.async_get(hass).async_update_device(moved.id, area_id=None)
    assert await hass.config_entries.async_unload(entry.entry_id)
    sim.update_device("greenhouse-climate", attributes={"room": "Orangery"})
    sim.update_device("lpp-node", attributes={"room": "Well"})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert area(hass, entry) == "Orangery"
    assert area(hass, entry, "70B3D57ED0060002") is None


async def test_the_area_stays_while_the_key_may_not_read_devices(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """What nobody can know now isn't taken for a change, and not forgotten."""
    sim.set_rights("read", ["INFO", "TRAFFIC_READ"])
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert area(hass, entry) == "Greenhouse"
    sim.set_rights("read", ["INFO", "TRAFFIC_READ", "DEVICES_READ"])
    sim.update_device("greenhouse-climate", attributes={"room": "Orangery"})
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert area(hass, entry) == "Orangery"
