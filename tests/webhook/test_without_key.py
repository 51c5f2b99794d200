"""An application without an API key: all that is known of it comes with its messages."""

from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack import async_remove_config_entry_device
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.diagnostics import async_get_config_entry_diagnostics
from custom_components.thethingsstack.webhook import SECRET_HEADER, WebhookDoor
from tests.dialogs import Result, go
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator
from tests.simulator.webhooks import MESSAGES

from .conftest import SECRET, WEBHOOK_ID, Listening, webhook_entry


def make_by_hand(sim: Simulator, address: str, secret: str, key: str | None = "control") -> None:
    """Make the webhook as a user does in the Console with the values that the dialogue shows."""
    sim.application.webhooks["by-hand"] = {
        "ids": {"application_ids": {"application_id": "garden"}, "webhook_id": "by-hand"},
        "created_at": "2026-01-01T00:00:00Z",
        "base_url": address,
        "format": "json",
        "headers": {SECRET_HEADER: secret},
        **({"downlink_api_key": sim.key(key)} if key else {}),
        **{kind: {} for kind in MESSAGES},
    }


async def add(hass: HomeAssistant, sim: Simulator) -> Result:
    """Choose *By webhook only*, and fill in the form."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await go(hass, result, network="webhook_only")
    assert result["step_id"] == "webhook_only"
    return await go(hass, result, server=sim.server_url, application_id="garden")


async def test_from_the_dialogue_to_the_first_downlink_and_to_a_key(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """No request is made without a key; with one later, all entities stay."""
    result = await add(hass, sim)
    assert result["step_id"] == "webhook_values"
    values = result["description_placeholders"]
    assert values["address"].startswith(f"{listening.url}/api/webhook/")
    result = await go(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert "api_key" not in entry.data
    await until(hass, lambda: entry.state is ConfigEntryState.LOADED)
    coordinator = entry.runtime_data
    await until(hass, lambda: coordinator.connected)
    assert sim.requests == []
    assert coordinator.roster.states == {}

    make_by_hand(sim, values["address"], values["secret"])
    await sim.uplink("pump-socket", decoded={"socket_status": "on", "voltage": 231.5})
    await until(hass, lambda: coordinator.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    device = coordinator.roster.by_device_id("pump-socket")
    assert device is not None
    assert device.values["voltage"] == 231.5
    entities = {e.unique_id for e in er.async_get(hass).entities.values() if e.platform == DOMAIN}

    call: dict[str, Any] = {"device_id": device.registry_id, "f_port": 85, "hex": "080100ff"}
    await hass.services.async_call(DOMAIN, "send_downlink", call, blocking=True)
    (record,) = coordinator.downlinks.records_of(device)
    await until(hass, lambda: record.state.value in ("queued", "sent"))
    (made,) = {path for method, path in sim.requests if method == "POST"}
    assert made.endswith("/as/applications/garden/webhooks/by-hand/devices/pump-socket/down/push")

    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    assert result["step_id"] == "reconfigure_webhook"
    result = await go(hass, result, next_step_id="reconfigure_connection")
    advanced = {"identity_server": sim.identity_server_url, "plaintext": True}
    result = await go(
        hass,
        result,
        server=sim.server_url,
        advanced=advanced,
        api_key=sim.key("manage"),
        door="webhook",
    )
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    await until(hass, lambda: entry.state is ConfigEntryState.LOADED)
    await until(hass, lambda: entry.runtime_data.connected)
    assert set(sim.application.webhooks) == {"by-hand"}
    now = {e.unique_id for e in er.async_get(hass).entities.values() if e.platform == DOMAIN}
    assert now >= entities
    assert len(entry.runtime_data.roster.states) == len(sim.devices)


async def test_several_servers_post_to_several_entries(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """Applications of the same ID, each with an address and a secret of its own."""
    ours = await set_up(hass, sim, webhook_entry(sim, None))
    other_id, other_secret = "2" * 64, "a-secret-of-another"
    other = make_entry(
        sim,
        host="other.example",
        door="webhook",
        webhook_id=other_id,
        webhook_secret=other_secret,
    )
    data = {name: value for name, value in other.data.items() if name != "api_key"}
    other = MockConfigEntry(domain=DOMAIN, title="Other", unique_id=other.unique_id, data=data)
    other = await set_up(hass, sim, other)
    make_by_hand(sim, f"{listening.url}/api/webhook/{WEBHOOK_ID}", SECRET)
    sim.application.webhooks["other"] = {
        **sim.application.webhooks["by-hand"],
        "ids": {"webhook_id": "other"},
        "base_url": f"{listening.url}/api/webhook/{other_id}",
        "headers": {SECRET_HEADER: other_secret},
    }
    await sim.uplink("pump-socket", decoded={"voltage": 231.5})
    for entry in (ours, other):
        await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)  # noqa: B023
    assert await listening.post({}, secret=other_secret) == 401
    assert len(dr.async_get(hass).devices) == 4  # an application and an end device of each


async def test_downlinks_wait_for_their_address(
    hass: HomeAssistant, sim: Simulator, listening: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    """Keys go to the application's own server alone, and show nowhere."""
    entry = await set_up(hass, sim, webhook_entry(sim, None))
    key = sim.key("control")
    body = {
        "end_device_ids": {
            "device_id": "pump-socket",
            "application_ids": {"application_id": "garden"},
            "dev_eui": "24E124148B000001",
        },
        "received_at": "2026-11-23T10:00:00Z",
        "uplink_message": {"f_port": 85, "frm_payload": "AQ==", "decoded_payload": {"on": True}},
    }
    path = "/api/v3/as/applications/{}/webhooks/{}/devices/{}/down/push"
    device_id, sent = None, {"f_port": 1, "hex": "01"}
    for url in (
        None,
        "https://evil.example/down/push",
        "ftp://evil.example" + path.format("garden", "by-hand", "pump-socket"),
        "https://evil.example" + path.format("neighbour", "by-hand", "pump-socket"),
        "https://evil.example" + path.format("garden", "by-hand", "weather-station"),
        "https://evil.example" + path.format("garden", "..", "pump-socket"),
    ):
        headers = {"X-Downlink-Apikey": key, "X-Downlink-Push": url} if url else {}
        assert await listening.post(body, headers=headers) == 200
        await until(hass, lambda: entry.runtime_data.roster.by_device_id("pump-socket"))
        device = entry.runtime_data.roster.by_device_id("pump-socket")
        device_id = device.registry_id
        with pytest.raises(HomeAssistantError) as caught:
            await hass.services.async_call(
                DOMAIN, "send_downlink", {"device_id": device_id, **sent}, blocking=True
            )
        assert caught.value.translation_key == "downlink_no_address"
    assert sim.requests == []

    # Whatever the host, the request goes to the server that the user named.
    make_by_hand(sim, "http://127.0.0.1:9/", SECRET)
    address = "https://evil.example" + path.format("garden", "by-hand", "pump-socket")
    headers = {"X-Downlink-Apikey": key, "X-Downlink-Push": address}
    assert await listening.post(body, headers=headers) == 200
    await hass.services.async_call(
        DOMAIN, "send_downlink", {"device_id": device_id, **sent}, blocking=True
    )
    assert len(sim.requests) == 1
    sim.application.webhooks["by-hand"]["paused"] = True
    with pytest.raises(HomeAssistantError) as caught:
        await hass.services.async_call(
            DOMAIN, "send_downlink", {"device_id": device_id, **sent}, blocking=True
        )
    assert caught.value.translation_key == "downlink_webhook_paused"
    found = str(await async_get_config_entry_diagnostics(hass, entry))
    for text in (found, caplog.text):
        assert key not in text
        assert SECRET not in text


async def test_a_downlink_key_is_deleted_with_its_end_device_and_where_a_key_is_given(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    entry = await set_up(hass, sim, webhook_entry(sim, None))
    make_by_hand(sim, f"{listening.url}/api/webhook/{WEBHOOK_ID}", SECRET)
    for device_id in ("pump-socket", "weather-station"):
        await sim.uplink(device_id, decoded={"voltage": 231.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 2)
    door = entry.runtime_data.door
    assert isinstance(door, WebhookDoor)
    store = door.reception.store
    assert store.address("pump-socket")
    device = entry.runtime_data.roster.by_device_id("pump-socket")
    registered = dr.async_get(hass).async_get(device.registry_id)
    assert isinstance(registered, dr.DeviceEntry)
    assert await async_remove_config_entry_device(hass, entry, registered)
    assert store.address("pump-socket") is None
    assert store.address("weather-station")

    hass.config_entries.async_update_entry(entry, data={**entry.data, "api_key": sim.key("manage")})
    await until(hass, lambda: store.address("weather-station") is None)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def test_an_entry_does_not_become_a_second_one_of_an_application(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """Without a key too, another server's address may lead to an application that is there."""
    make_entry(sim, host="other.example").add_to_hass(hass)
    entry = await set_up(hass, sim, webhook_entry(sim, None))
    before = dict(entry.data)
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    result = await go(hass, result, next_step_id="reconfigure_connection")
    result = await go(hass, result, server="https://other.example", door="webhook", advanced={})
    assert result["reason"] == "already_configured"
    assert dict(entry.data) == before


async def test_what_needs_a_key_says_so(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """Nothing is asked, and no other key is wanted."""
    await set_up(hass, sim, webhook_entry(sim, None))
    for action, data in (
        ("get_application", {}),
        ("list_devices", {}),
        ("get_device", {"end_device_id": "pump-socket"}),
        ("create_api_key", {"name": "x", "rights": ["INFO"]}),
    ):
        with pytest.raises(HomeAssistantError) as caught:
            await hass.services.async_call(
                DOMAIN, action, data, blocking=True, return_response=True
            )
        assert caught.value.translation_key == "management_no_api_key", action
    assert sim.requests == []
    assert not hass.config_entries.flow.async_progress_by_handler(DOMAIN)


async def test_end_devices_and_addresses_survive_a_restart(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    entry = await set_up(hass, sim, webhook_entry(sim, None))
    make_by_hand(sim, f"{listening.url}/api/webhook/{'0' * 64}", SECRET)
    await sim.uplink("pump-socket", decoded={"voltage": 231.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    (state,) = entry.runtime_data.roster.states.values()
    assert dr.async_get(hass).async_get(state.registry_id)
    await hass.services.async_call(
        DOMAIN,
        "send_downlink",
        {"device_id": state.registry_id, "f_port": 1, "hex": "01"},
        blocking=True,
    )


async def test_an_address_that_cannot_be_reached_is_refused_in_the_dialogue(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await go(hass, result, network="webhook_only")
    result = await go(hass, result, server="eu1.cloud.thethings.network", application_id="garden")
    assert result["errors"] == {"base": "address_missing"}
    await hass.config.async_update(external_url="https://ha.example.org")
    result = await go(hass, result, server="eu1.cloud.thethings.network", application_id="garden")
    assert result["step_id"] == "webhook_values"
    assert result["description_placeholders"]["address"].startswith("https://ha.example.org/")
