"""Choosing by which way messages come."""

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from tests.dialogs import go
from tests.ha_fixtures import set_up, until
from tests.setup_flow.steps import (
    finish,
    own_server,
    placeholders,
    reconfigure,
    start,
    suggested,
    to_key,
)
from tests.simulator import Simulator


async def test_mqtt_that_is_blocked_and_the_event_stream_instead(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """It is offered, and works; the address can be corrected as well."""
    result = await to_key(hass, sim, mqtt_host="127.0.0.1", mqtt_port=9)
    result = await go(hass, result, api_key=sim.key("read"))
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["use_event_stream", "use_mqtt"]
    assert placeholders(result)["mqtt"] == "127.0.0.1:9"
    result = await go(hass, result, next_step_id="use_mqtt")
    assert result["step_id"] == "own_server"
    assert result["errors"] == {"base": "mqtt_cannot_connect"}
    assert suggested(result, "mqtt_port", "advanced") == 9
    result = await go(hass, result, **own_server(sim, mqtt_host="127.0.0.1", mqtt_port=9))
    result = await go(hass, result, api_key=sim.key("read"))
    result = await go(hass, result, next_step_id="use_event_stream")
    assert placeholders(result)["messages"] == (
        f"Messages come from {sim.server_url.removeprefix('http://')} by the event stream,"
        " **not encrypted**; the connection was tested."
    )
    entry = await finish(hass, result)
    assert entry.data["door"] == "events"
    await until(hass, lambda: entry.runtime_data.connected)
    assert entry.runtime_data.door.current == "events"
    assert sim.mqtt_attempts == 0


async def test_mqtt_that_is_blocked_on_a_public_network(
    hass: HomeAssistant, public: Simulator
) -> None:
    """There is no address to correct: the form of the key comes back."""
    await public.application_server.broker.close()
    result = await go(hass, await start(hass, "ttn_eu1"), api_key=public.key("read"))
    assert result["step_id"] == "mqtt_unreachable"
    result = await go(hass, result, next_step_id="use_mqtt")
    assert result["step_id"] == "key"
    assert result["errors"] == {"base": "mqtt_cannot_connect"}


async def test_an_event_stream_that_fails_after_it_was_offered(
    hass: HomeAssistant, sim: Simulator
) -> None:
    result = await to_key(hass, sim, mqtt_host="127.0.0.1", mqtt_port=9)
    result = await go(hass, result, api_key=sim.key("read"))
    sim.faults.http_status["/events"] = 404
    result = await go(hass, result, next_step_id="use_event_stream")
    assert result["step_id"] == "key"
    assert result["errors"] == {"base": "no_event_stream"}


async def test_the_event_stream_chosen_in_the_summary(hass: HomeAssistant, sim: Simulator) -> None:
    """It is tried before the entry is made."""
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("read"))
    sim.faults.http_status["/events"] = 404
    result = await go(hass, result, door="events")
    assert result["step_id"] == "rights"
    assert result["errors"] == {"door": "no_event_stream"}
    assert suggested(result, "door") == "events"
    assert "404" not in placeholders(result)["messages"]
    sim.faults.http_status.clear()
    result = await go(hass, result, door="events")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["door"] == "events"
    await hass.async_block_till_done()
    await until(hass, lambda: result["result"].runtime_data.connected)


async def test_an_event_stream_that_does_not_work_is_not_taken(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Reconfigure says why; the entry is as it was."""
    entry = await set_up(hass, sim)
    before = dict(entry.data)
    sim.faults.http_status["/events"] = 404
    result = await reconfigure(hass, entry)
    result = await go(hass, result, **own_server(sim), door="events")
    assert result["errors"] == {"door": "no_event_stream"}
    assert dict(entry.data) == before
