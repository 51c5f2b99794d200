"""Diagnostics tell what a bug report needs, and nothing private."""

import json

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
    get_diagnostics_for_device,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.payload.decoders import Decoder
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator

GREENHOUSE = "garden/A84041000181C061"


async def test_entry_diagnostics_can_be_replayed_and_hide_what_is_private(
    hass: HomeAssistant, sim: Simulator, hass_client: ClientSessionGenerator
) -> None:
    """The last uplink with its payload, the decisions with their reasons; no key, EUI or place."""
    assert await async_setup_component(hass, "diagnostics", {})
    entry = await set_up(hass, sim)
    envelope = await sim.uplink(
        "greenhouse-climate",
        decoded={"TempC_SHT": 28.25, "gps": {"latitude": 52.3713, "longitude": 4.8901}},
        payload=b"\x01\x02",
    )
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await sim.publish("v3/garden/devices/greenhouse-climate/up", b"{broken")
    await until(hass, lambda: entry.runtime_data.counters.errors == 1)
    answer = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    text = json.dumps(answer)
    for secret in (
        sim.key("read"),
        sim.key("read").split(".")[1],
        "A84041000181C061",
        "52.3713",
        "4.8901",
        "greenhouse-climate",
        envelope["end_device_ids"].get("dev_addr") or "A84041000181C061",
    ):
        assert secret not in text
    devices = answer["devices"]
    assert isinstance(devices, dict)
    (spoke,) = [d for d in devices.values() if d["last_uplink"]]
    uplink = spoke["last_uplink"]["uplink_message"]
    # The bytes of a device that tells its position would tell it, too.
    assert uplink["frm_payload"] == "**REDACTED**"
    assert uplink["decoded_payload"]["TempC_SHT"] == 28.25
    decision = spoke["fields"]["TempC_SHT"]
    assert decision["value"] == 28.25
    assert decision["decision"]["quantity"] == "temperature"
    assert decision["decision"]["reason"]
    assert answer["counters"]["errors"] == 1
    assert answer["problems"][0]["kind"] == "unreadable"
    assert "RIGHT_APPLICATION_TRAFFIC_READ" in answer["rights"]


async def test_device_diagnostics(
    hass: HomeAssistant, sim: Simulator, hass_client: ClientSessionGenerator
) -> None:
    """One end device; the application's own device tells of the application."""
    assert await async_setup_component(hass, "diagnostics", {})
    entry = await set_up(hass, sim)
    await sim.uplink("greenhouse-climate", decoded={"TempC_SHT": 28.25}, payload=b"\x01\x02")
    await sim.uplink("greenhouse-climate", decoded=None, payload=b"", f_port=0)
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 2)
    registry = dr.async_get(hass)
    device = registry.async_get_device_by_identifier((DOMAIN, GREENHOUSE), entry.entry_id)
    assert device is not None
    answer = await get_diagnostics_for_device(hass, hass_client, entry, device)
    assert answer["model"] == "lht65n"
    uplink = answer["last_data_uplink"]["uplink_message"]
    assert uplink["frm_payload"] == "AQI="
    hub = registry.async_get_device_by_identifier((DOMAIN, "garden"), entry.entry_id)
    assert hub is not None
    answer = await get_diagnostics_for_device(hass, hass_client, entry, hub)
    assert "devices" in answer


async def test_how_uplinks_are_decoded_here(
    hass: HomeAssistant, sim: Simulator, hass_client: ClientSessionGenerator
) -> None:
    """The kind, the table without its words, and why the last uplink could not be decoded."""
    assert await async_setup_component(hass, "diagnostics", {})
    entry = await set_up(hass, sim)
    device = entry.runtime_data.roster.by_device_id("lpp-node")
    rows = [
        {"name": "door", "byte": 9, "type": "words", "words": "0=at home, 1=away"},
        {"name": "temperature", "byte": 0, "bytes": 2, "factor": 0.1, "unit": "°C"},
    ]
    device.local_decoder.chosen = Decoder.from_dict({"version": 1, "kind": "table", "rows": rows})
    await sim.uplink("lpp-node", decoded=None, payload=b"\x01\x02")
    await until(hass, lambda: device.local_decoder.failure is not None)
    answer = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert isinstance(answer["devices"], dict)
    (shown,) = filter(None, (item["local_decoder"] for item in answer["devices"].values()))
    assert shown == {
        "kind": "table",
        "always": False,
        "failure": "too_short",
        "rows": [{**rows[0], "words": "**REDACTED**"}, rows[1]],
    }


async def test_an_entry_that_is_not_loaded_has_diagnostics(
    hass: HomeAssistant, sim: Simulator, hass_client: ClientSessionGenerator
) -> None:
    """Just then they are needed."""
    assert await async_setup_component(hass, "diagnostics", {})
    entry = make_entry(sim, "info")
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    answer = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert answer["state"] == "setup_retry"
    assert answer["reason"] == "missing_traffic_right"
    assert sim.key("info") not in json.dumps(answer)
