"""What a voice assistant may ask about end devices."""

from typing import Any

from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import entity_registry as er, llm
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.client import Downlink
from custom_components.thethingsstack.const import DOMAIN
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator

ASSISTANT = "conversation"
SILENT, DEVICE = f"{DOMAIN}__get_silent_devices", f"{DOMAIN}__get_device"
VICKI, WEATHER, JOINLESS = "bath-radiator", "weather-station", "never-joined"


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """The application, none of whose entities the assistant may see yet."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "llm", {})
    entry = await set_up(hass, sim, make_entry(sim, "control"))
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        async_expose_entity(hass, ASSISTANT, entity.entity_id, False)
    return entry


async def api(hass: HomeAssistant) -> llm.APIInstance:
    """Return what Assist offers a language model."""
    context = llm.LLMContext(
        platform="test", context=Context(), language="en", assistant=ASSISTANT, device_id=None
    )
    return await llm.async_get_api(hass, llm.LLM_API_ASSIST, context)


async def ask(hass: HomeAssistant, tool: str, **args: Any) -> tuple[dict[str, Any], bool]:
    """Return a tool's answer, and whether it is an error."""
    instance = await api(hass)
    result = await instance.async_call_tool(llm.ToolInput(tool_name=tool, tool_args=args))
    assert isinstance(result, llm.ToolResult)
    return dict(result.data), result.error


def expose(hass: HomeAssistant, entry: MockConfigEntry, device_id: str) -> None:
    """Show an entity of an end device to the assistant."""
    registry_id = entry.runtime_data.roster.by_device_id(device_id).registry_id
    entity = er.async_entries_for_device(er.async_get(hass), registry_id)[0]
    async_expose_entity(hass, ASSISTANT, entity.entity_id, True)


async def test_no_tool_without_an_exposed_device(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    assert not {SILENT, DEVICE} & {tool.name for tool in (await api(hass)).tools}
    expose(hass, entry, VICKI)
    tools = {tool.name: tool for tool in (await api(hass)).tools}
    assert {SILENT, DEVICE} <= set(tools)
    assert all(tools[name].annotations.read_only for name in (SILENT, DEVICE))


async def test_silent_devices(hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry) -> None:
    """Those that the assistant may see, with the reason; the others are only counted."""
    for device_id in (VICKI, WEATHER, JOINLESS):
        expose(hass, entry, device_id)
    for device_id in (VICKI, WEATHER):
        await sim.uplink(device_id, f_port=1, decoded={"a": 1})
    roster = entry.runtime_data.roster
    await until(hass, lambda: roster.by_device_id(WEATHER).last_seen)
    vicki = entry.runtime_data.roster.by_device_id(VICKI)
    vicki.last_seen -= entry.runtime_data.overdue_watch.overdue_after(vicki) * 2

    data, _ = await ask(hass, SILENT)
    assert {item["name"]: item["status"] for item in data["silent"]} == {
        vicki.name: "overdue",
        entry.runtime_data.roster.by_device_id(JOINLESS).name: "never_joined",
    }
    assert (data["silent_count"], data["sending_count"]) == (2, 1)
    assert "not_connected" not in data

    await sim.stop_broker()
    await until(hass, lambda: not entry.runtime_data.connection_state.connected)
    data, _ = await ask(hass, SILENT)
    assert data["not_connected"] == [entry.title]


async def test_one_device(hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry) -> None:
    """Its battery, reception and waiting downlinks; a part of its name is enough."""
    expose(hass, entry, VICKI)
    vicki = entry.runtime_data.roster.by_device_id(VICKI)
    await sim.uplink(VICKI, f_port=1, decoded={"battery": 87, "temperature": 21})
    await until(hass, lambda: "battery" in vicki.decisions)
    await entry.runtime_data.downlinks.async_send(vicki, Downlink(f_port=1, payload=b"\x0e\x14"))
    await hass.async_block_till_done()

    data, error = await ask(hass, DEVICE, name=vicki.name.split()[0].upper())
    assert not error
    assert data["name"] == vicki.name
    assert data["battery"] == ["87 %"]
    assert data["waiting_downlinks"] == 1
    assert data["application_connected"] is True
    assert data["rssi_dbm"] < 0
    assert data["gateways"] >= 1


async def test_a_name_that_is_none_or_several(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The answer lists the names that there are; nothing of a device that isn't exposed."""
    for device_id in (VICKI, WEATHER):
        expose(hass, entry, device_id)
    names = sorted(
        entry.runtime_data.roster.by_device_id(device_id).name for device_id in (VICKI, WEATHER)
    )
    for name in ("Submarine", "a", entry.runtime_data.roster.by_device_id(JOINLESS).name):
        data, error = await ask(hass, DEVICE, name=name)
        assert error
        assert data["names"] == names
