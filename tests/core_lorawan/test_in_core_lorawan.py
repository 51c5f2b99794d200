"""Our end devices in Home Assistant's LoRaWAN integration, and another integration on them."""

from typing import Any

from homeassistant.components.lorawan import DATA_REGISTRY
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from lorawan_connection import (
    AckEvent,
    Device,
    DeviceCollection,
    DeviceEvent,
    Downlink,
    DownlinkError,
    JoinEvent,
    LocationEvent,
)
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.coordinator import ApplicationCoordinator
from custom_components.thethingsstack.core_lorawan.connection import StackConnection
from tests.dialogs import submit
from tests.ha_fixtures import make_entry, set_up, until
from tests.setup_flow.test_options_flow import open_general
from tests.simulator import Simulator

SENSECAP_EUI = "2CF7F1C044700101"
VICKI, VICKI_EUI = "bath-radiator", "70b3d52dd3000001"
TEMPERATURE_26_8 = bytes.fromhex("010110B068000001021088F400008B76")


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """The application with a SenseCAP S2101, set up and registered in core's integration."""
    sim.add_device(
        "greenhouse-air",
        name="Greenhouse air",
        dev_eui=SENSECAP_EUI,
        version_ids={"brand_id": "sensecap", "model_id": "sensecaps2101-temp-humid"},
    )
    entry = await set_up(hass, sim, make_entry(sim, "control"))
    await until(hass, lambda: entry.runtime_data.core_lorawan.registered)
    return entry


async def listed(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Return what the panel gets: end devices by DevEUI, and connections."""
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "lorawan/devices/list"})
    result = (await client.receive_json())["result"]
    return {device["dev_eui"]: device for device in result["devices"]}, result["connections"]


def connection_of(hass: HomeAssistant, entry: MockConfigEntry) -> StackConnection:
    """Return the connection as core hands it to integrations of brands."""
    registered = hass.data[DATA_REGISTRY].connections[entry.entry_id]
    assert isinstance(registered.connection, StackConnection)
    return registered.connection


async def test_the_panel_lists_all_with_their_devices(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """Also those without brand: each leads to its device; receptions have the gateways."""
    coordinator: ApplicationCoordinator = entry.runtime_data
    await async_setup_component(hass, "http", {})
    await sim.uplink(VICKI, f_port=1, decoded={"a": 1})
    device = coordinator.roster.by_device_id(VICKI)
    assert device is not None
    await until(hass, lambda: device.last_uplink)
    devices, connections = await listed(hass, hass_ws_client)
    states = coordinator.roster.states.values()
    assert set(devices) == {s.ids.dev_eui.lower() for s in states if s.ids.dev_eui}
    assert {item["support"] for item in devices.values()} == {"supported"}
    assert {item["device_id"] for item in devices.values()} <= {s.registry_id for s in states}
    assert devices[VICKI_EUI]["last_uplink"] is not None
    gateways = {reception["gateway_id"] for reception in devices[VICKI_EUI]["receptions"]}
    assert gateways == {r.gateway_id for r in device.last_uplink.receptions}  # type: ignore[union-attr]
    (connection,) = connections
    assert connection["configuration_url"] == coordinator.roster.console_url()

    sim.add_device("new-one", name="New one", dev_eui="70B3D57ED0000099")
    sim.remove_device(VICKI)
    await coordinator.sync.async_reconcile()
    registered = hass.data[DATA_REGISTRY].connections[entry.entry_id].devices
    await until(hass, lambda: VICKI_EUI not in registered and "70b3d57ed0000099" in registered)
    devices, _ = await listed(hass, hass_ws_client)
    assert VICKI_EUI not in devices
    assert devices["70b3d57ed0000099"]["support"] == "supported"
    assert not hass.config_entries.flow.async_progress_by_handler(DOMAIN)


async def test_sensecap_works_on_our_connection(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It is discovered by its brand, its values come, and survive a reload of the application."""
    (flow,) = hass.config_entries.flow.async_progress_by_handler("sensecap_lorawan")
    await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    await hass.async_block_till_done()
    unique_id = f"{entry.entry_id}:{SENSECAP_EUI.lower()}:temperature"

    def temperature() -> str | None:
        found = er.async_get(hass).async_get_entity_id("sensor", "sensecap_lorawan", unique_id)
        state = hass.states.get(found) if found is not None else None
        return state.state if state is not None else None

    await until(hass, lambda: temperature() is not None)
    await sim.uplink("greenhouse-air", f_port=2, payload=TEMPERATURE_26_8, decoded=None)
    await until(hass, lambda: temperature() == "26.8")
    assert await hass.config_entries.async_unload(entry.entry_id)
    await until(hass, lambda: temperature() == "unavailable")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: temperature() == "26.8")


async def test_downlinks_and_what_becomes_of_them(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """They go the way of all our downlinks; the acknowledgement ends the waiting."""
    connection = connection_of(hass, entry)
    events: list[DeviceEvent] = []
    collection: DeviceCollection[Device] = DeviceCollection(connection)
    await collection.async_setup()
    stop = await connection.async_subscribe(listener=events.append)
    events.clear()

    sending = hass.async_create_task(
        collection.devices[VICKI_EUI].async_send_downlink(data=b"\x0e\x14", f_port=1)
    )
    session = sim.devices[VICKI].session
    assert session is not None
    await until(hass, lambda: session.queue)
    for _ in range(2):  # after the first it is transmitted, the second acknowledges
        await sim.uplink(VICKI, f_port=1, decoded={"a": 1})
    await until(hass, sending.done)
    sending.result()
    (ack,) = (event for event in events if isinstance(event, AckEvent))
    assert ack.acknowledged
    device = entry.runtime_data.roster.by_device_id(VICKI)
    assert ack.queue_item_id == entry.runtime_data.downlinks.records_of(device)[-1].id

    with pytest.raises(DownlinkError, match="no such end device"):
        await connection.async_send_downlink(Downlink("0000000000000009", 1, b"\x01"))
    sim.remove_rights("control", "TRAFFIC_DOWN_WRITE")
    await entry.runtime_data.connection_state.async_check_rights()
    with pytest.raises(DownlinkError, match="may not send"):
        await connection.async_send_downlink(Downlink(VICKI_EUI, 1, b"\x01"))
    stop()
    collection.close()


async def test_joins_and_positions_are_passed_on(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Simulated uplinks are not: they come from no end device."""
    events: list[DeviceEvent] = []
    await connection_of(hass, entry).async_subscribe(listener=events.append)
    events.clear()
    await sim.uplink(VICKI, f_port=1, decoded={"a": 1}, simulated=True)
    await sim.join(VICKI)
    await sim.location_solved(VICKI, {"latitude": 52.1, "longitude": 5.4, "altitude": 3})
    await until(hass, lambda: len(events) == 2)
    join, location = events
    assert isinstance(join, JoinEvent)
    assert join.dev_eui == VICKI_EUI
    assert isinstance(location, LocationEvent)
    assert (location.latitude, location.longitude, location.altitude) == (52.1, 5.4, 3)


async def test_the_option_withdraws_it_in_place(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """Nothing of it remains, and it can be switched on again."""
    await async_setup_component(hass, "http", {})
    registry = dr.async_get(hass)

    def identifiers() -> set[int]:
        devices = dr.async_entries_for_config_entry(registry, entry.entry_id)
        return {len(device.identifiers) for device in devices}

    core_lorawan = entry.runtime_data.core_lorawan
    assert identifiers() == {1, 2}  # the application itself, and ones without DevEUI, have one
    await submit(
        hass,
        await open_general(hass, entry),
        devices="all",
        plain_fields=True,
        forget_after=30,
        core_lorawan=False,
    )
    await until(hass, lambda: not core_lorawan.registered)
    await until(hass, lambda: identifiers() == {1})
    assert await listed(hass, hass_ws_client) == ({}, [])
    assert DOMAIN not in hass.data[DATA_REGISTRY].integrations
    await submit(
        hass,
        await open_general(hass, entry),
        devices="all",
        plain_fields=True,
        forget_after=30,
        core_lorawan=True,
    )
    await until(hass, lambda: core_lorawan.registered)
    assert identifiers() == {1, 2}
