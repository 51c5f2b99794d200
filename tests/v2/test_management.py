"""Registering, changing and deleting end devices of version 2, and payload functions."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from tests.dialogs import finish, go, start_options, start_subentry, without_head_start
from tests.ha_fixtures import until
from tests.simulator.v2 import Simulator

EUI = "70B3D57ED00600AD"
KEY = "00112233445566778899AABBCCDDEEFF"


async def call(hass: HomeAssistant, action: str, **data: Any) -> dict[str, Any]:
    """Call an action and return its response."""
    response = await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )
    assert response is not None
    return dict(response)


async def test_the_dialogue_registers_without_versions_and_plans(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    """The JoinEUI is that of the others."""
    without_head_start(hass)
    result = await start_subentry(hass, entry, "end_device")
    result = await go(hass, result, activation="otaa")
    result = await go(hass, result, name="New sensor", dev_eui=EUI, app_key=KEY)
    assert result["step_id"] == "review", result.get("errors")
    result = await go(hass, result, next_step_id="register")
    result = await finish(hass, result)
    assert result["reason"] == "registered", result
    there = sim2.devices["new-sensor"]
    assert (there.dev_eui, there.app_key, there.description) == (EUI, KEY, "New sensor")
    assert there.app_eui == sim2.devices["pump-socket"].app_eui
    assert entry.runtime_data.roster.by_device_id("new-sensor").name == "New sensor"


async def test_a_device_that_does_not_join_needs_its_address(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    result = await start_subentry(hass, entry, "end_device")
    result = await go(hass, result, activation="abp")
    keys = {"app_s_key": KEY, "nwk_s_key": KEY, "dev_eui": EUI}
    result = await go(hass, result, name="Old sensor", **keys)
    assert result["errors"] == {"dev_addr": "not_an_address"}
    result = await go(hass, result, name="Old sensor", dev_addr="26012345", **keys)
    assert result["step_id"] == "review", result.get("errors")


async def test_actions_register_change_show_and_delete(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    socket = sim2.devices["pump-socket"]
    answer = await call(
        hass,
        "register_device",
        name="Shed",
        dev_eui=EUI,
        join_eui=socket.app_eui,
        app_key=KEY,
        attributes={"room": "Shed"},
    )
    assert answer["end_device_id"] == "shed"
    await call(hass, "update_device", end_device_id="shed", name="Big shed")
    assert sim2.devices["shed"].description == "Big shed"
    assert sim2.devices["shed"].attributes == {"room": "Shed"}
    assert sim2.devices["shed"].app_key == KEY
    shown = await call(hass, "get_device", end_device_id="shed", include_keys=True)
    assert shown["complete"]
    assert shown["root_keys"]["app_key"] == KEY
    listed = await call(hass, "list_devices")
    assert {item["end_device_id"] for item in listed["devices"]} == set(sim2.devices)
    await call(hass, "delete_device", end_device_id="shed", confirm="shed")
    assert "shed" not in sim2.devices
    await until(hass, lambda: entry.runtime_data.roster.by_device_id("shed").vanished)
    with pytest.raises(ServiceValidationError) as missing:
        await call(hass, "register_device", name="Shed", dev_eui=EUI, app_key=KEY)
    assert "join_eui" in str(missing.value)
    with pytest.raises(ServiceValidationError):
        await call(hass, "get_device", end_device_id="shed")


async def test_the_options_change_name_and_place(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    result = await start_options(hass, entry, "change")
    result = await go(hass, result, end_device="pump-socket")
    assert result["step_id"] == "change_what"
    before = sim2.devices["pump-socket"].nwk_s_key
    place = {"latitude": 52.5, "longitude": 13.4}
    result = await go(hass, result, name="Pump", on_map=True)
    assert result["step_id"] == "change_place", result.get("errors")
    result = await go(hass, result, location=place)
    assert result["reason"] == "changed", result.get("errors")
    device = sim2.devices["pump-socket"]
    assert (device.description, device.latitude) == ("Pump", 52.5)
    assert device.nwk_s_key == before


async def test_payload_functions_are_the_applications(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    script = "function Decoder(bytes, port) { return { first: bytes[0] }; }"
    answer = await call(hass, "set_payload_formatter", uplink="javascript", uplink_script=script)
    assert answer["formatters"]["uplink"]["kind"] == "javascript"
    shown = await call(hass, "get_application")
    assert shown["formatters"]["uplink"]["script"].strip() == script
    assert shown["formatters"]["downlink"]["kind"] == "javascript"  # as it was
