"""The table of all end devices and what gateways receive, over the websocket."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket, WebSocketGenerator

from custom_components.thethingsstack.end_devices import Status
from custom_components.thethingsstack.panel.coverage import coverage
from custom_components.thethingsstack.panel.fleet import (
    PROBLEMS_FIRST,
    end_devices,
    radio_of,
    row_of,
    waiting_downlinks,
)
from tests.gateways.test_gateways import add
from tests.ha_fixtures import make_entry, set_up, until
from tests.panel.conftest import ask
from tests.simulator import Simulator
from tests.simulator.demo import GATEWAYS
from tests.simulator.traffic import ROOF, reception


def stamp(moment: datetime) -> str:
    """Return a time as the server writes it."""
    return moment.isoformat().replace("+00:00", "Z")


def rows(hass: HomeAssistant) -> dict[str, dict[str, Any]]:
    """Return the rows by the ID in The Things Stack."""
    return {
        device.device_id: row_of(hass, application, device, registered)
        for application, device, registered in end_devices(hass)
    }


async def test_each_status_with_its_reason(hass: HomeAssistant, sim: Simulator) -> None:
    """And how bad it is: what needs a look comes first."""
    entry = await set_up(hass, sim)
    coordinator = entry.runtime_data
    silent_since = dt_util.utcnow() - timedelta(days=3)
    await sim.uplink("lpp-node", received_at=stamp(silent_since))
    await sim.uplink("weather-station", decoded={"temperature": 20.5, "battery": 81})
    for _ in range(2):
        await sim.uplink("old-abp-node", decoded=None, payload=b"\x01")
    await until(hass, lambda: coordinator.roster.by_device_id("old-abp-node").undecoded == 2)
    coordinator.roster.by_device_id("bath-radiator").half_created = True
    coordinator.roster.by_device_id("pump-socket").vanished = True
    found = rows(hass)
    assert {name: row["status"] for name, row in found.items()} == {
        "lpp-node": "overdue",
        "old-abp-node": "not_decoded",
        "bath-radiator": "half_created",
        "never-joined": "never_joined",
        "pump-socket": "not_registered",
        "greenhouse-climate": "waiting_for_first_uplink",
        "weather-station": "active",
    }
    in_order = sorted(found.values(), key=lambda row: row["severity"])
    assert [row["device_id"] for row in in_order][:3] == [
        "lpp-node",
        "old-abp-node",
        "bath-radiator",
    ]
    assert in_order[-1]["device_id"] == "weather-station"
    overdue = found["lpp-node"]
    assert overdue["last_seen"] == pytest.approx(silent_since.timestamp(), abs=1)
    assert overdue["overdue_after"] == 25 * 3600
    assert overdue["since"] == pytest.approx(silent_since.timestamp() + 25 * 3600, abs=1)
    assert found["weather-station"]["since"] is None
    assert found["old-abp-node"]["undecoded"] == 2
    assert found["weather-station"]["battery"] == 81


def test_every_status_has_its_place() -> None:
    assert set(PROBLEMS_FIRST) == set(Status)
    assert PROBLEMS_FIRST[-1] is Status.ACTIVE


async def test_radio_and_downlinks(hass: HomeAssistant, sim: Simulator) -> None:
    """Of the last uplink, by its best reception; and how many downlinks wait."""
    entry = await set_up(hass, sim, make_entry(sim, "control"))
    device = entry.runtime_data.roster.by_device_id("weather-station")
    assert set(radio_of(None).values()) == {None}
    two = [reception(sim.stack, ROOF, -61, 8.5), reception(sim.stack, GATEWAYS[0], -110, -7)]
    await sim.uplink(
        "weather-station",
        decoded={"temperature": 1},
        rx_metadata=two,
        packet_error_rate=0.125,
        last_battery_percentage={"f_cnt": 1, "value": 55},
    )
    await until(hass, lambda: device.last_uplink is not None)
    assert radio_of(device.last_uplink) == {
        "rssi": -61,
        "snr": 8.5,
        "spreading_factor": 7,
        "data_rate": "SF7BW125",
        "packet_loss": 12.5,
        "gateways": 2,
    }
    assert rows(hass)["weather-station"]["battery"] == 55
    assert waiting_downlinks(entry.runtime_data, device) == 0
    await hass.services.async_call(
        "thethingsstack",
        "send_downlink",
        {"device_id": device.registry_id, "f_port": 3, "hex": "01"},
        blocking=True,
    )
    await until(hass, lambda: waiting_downlinks(entry.runtime_data, device) == 1)


async def events(client: MockHAClientWebSocket) -> dict[str, Any]:
    """Return the next changes."""
    message = await client.receive_json()
    assert message["type"] == "event"
    event: dict[str, Any] = message["event"]
    return event


async def test_changes_are_followed(
    hass: HomeAssistant, sim: Simulator, hass_ws_client: WebSocketGenerator
) -> None:
    """All rows at first, then only those that changed; a reload of the entry doesn't end it."""
    entry = await set_up(hass, sim)
    client = await hass_ws_client(hass)
    assert (await ask(client, "panel/fleet"))["success"]
    first = await events(client)
    assert first["all"]
    assert first["applications"] == [
        {"entry_id": entry.entry_id, "title": "Garden", "connected": True}
    ]
    assert len(first["devices"]) == 7

    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    (changed,) = (await events(client))["devices"]
    assert (changed["device_id"], changed["rssi"]) == ("weather-station", -61)

    registry = dr.async_get(hass)
    area = ar.async_get(hass).async_create("Meadow")
    registry.async_update_device(changed["id"], name_by_user="Mast", area_id=area.id)
    (renamed,) = (await events(client))["devices"]
    assert (renamed["name"], renamed["area"]) == ("Mast", "Meadow")

    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    registry.async_remove_device(renamed["id"])
    while renamed["id"] not in (await events(client)).get("removed", ()):
        pass


async def test_signals_of_the_last_day(
    hass: HomeAssistant, sim: Simulator, hass_ws_client: WebSocketGenerator
) -> None:
    """From memory: one for each quarter of an hour, of the end devices that were asked for."""
    entry = await set_up(hass, sim)
    device = entry.runtime_data.roster.by_device_id("weather-station")
    now = dt_util.utcnow()
    for hours in (30, 3, 1):
        await sim.uplink(
            "weather-station",
            rx_metadata=[reception(sim.stack, ROOF, -60 - hours, hours)],
            received_at=stamp(now - timedelta(hours=hours)),
        )
    await until(hass, lambda: len(device.reception.signals(now - timedelta(days=2))) == 3)
    client = await hass_ws_client(hass)
    answer = await ask(client, "panel/signals", devices=[device.registry_id, "unknown"])
    (points,) = answer["result"].values()
    assert [point[1:] for point in points] == [[-63, 3], [-61, 1]]
    assert points[0][0] == pytest.approx((now - timedelta(hours=3)).timestamp(), abs=900)


async def test_gateways(
    hass: HomeAssistant, sim: Simulator, hass_ws_client: WebSocketGenerator
) -> None:
    """Which receive which end devices, how well, and where all are."""
    entry = await set_up(hass, sim)
    two = [reception(sim.stack, ROOF, -61, 8.5), reception(sim.stack, GATEWAYS[0], -110, -7)]
    await sim.uplink("weather-station", rx_metadata=two)
    await sim.uplink("weather-station", rx_metadata=two[:1])
    await sim.uplink("greenhouse-climate", rx_metadata=two[1:])
    device = entry.runtime_data.roster.by_device_id("greenhouse-climate")
    await until(hass, lambda: device.last_uplink is not None)
    client = await hass_ws_client(hass)
    result = (await ask(client, "panel/gateways"))["result"]
    other, roof = sorted(result["gateways"], key=lambda gateway: gateway["id"])
    assert (roof["id"], roof["connected"], roof["device"]) == ("roof-gw", None, None)
    assert (roof["latitude"], roof["longitude"]) == (52.374, 4.89)
    by_name = {row["name"]: row for row in result["devices"]}
    station = by_name["Weather station"]["heard_by"]
    assert station["roof-gw"]["share"] == 1
    assert station[other["id"]]["share"] == 0.5
    assert (station[other["id"]]["rssi"], station[other["id"]]["snr"]) == (-110, -7)
    greenhouse = by_name["Greenhouse climate"]
    assert (greenhouse["latitude"], greenhouse["longitude"]) == (52.3731, 4.8922)
    assert list(greenhouse["heard_by"]) == [other["id"]]
    assert by_name["Never joined"]["heard_by"] == {}


async def test_a_gateway_that_was_added(hass: HomeAssistant, sim: Simulator) -> None:
    """Its name, device and connection are Home Assistant's."""
    entry = await set_up(hass, sim, make_entry(sim))
    await add(hass, entry, gateway_id="roof-gw")
    (gateway,) = coverage(hass)["gateways"]
    assert (gateway["name"], gateway["connected"]) == ("Roof gw", True)
    assert gateway["device"] is not None
    assert gateway["latitude"] == 52.374
