"""The live view's websocket commands, with messages that come over real sockets."""

import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.thethingsstack.client import UplinkMessage
from custom_components.thethingsstack.panel.network_events import RETRY_SECONDS
from custom_components.thethingsstack.panel.redaction import without_secrets
from custom_components.thethingsstack.panel.traffic import KEPT, TrafficEntry, traffic_of
from custom_components.thethingsstack.panel.traffic_commands import BATCH_SECONDS
from custom_components.thethingsstack.payload.decoders import Decoder, DecoderKind
from tests.gateways.test_gateways import add
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.panel.conftest import PanelClient
from tests.simulator import Simulator

EVENTS = Path(__file__).parent.parent / "fixtures" / "events" / "day.json"
CLIMATE = "greenhouse-climate"


def kept(hass: HomeAssistant, entry: MockConfigEntry) -> int:
    """Return how many entries of an application are kept."""
    return len(traffic_of(hass).entries_of(entry.entry_id))


async def test_every_kind_of_message_is_a_row(
    hass: HomeAssistant, sim: Simulator, client: PanelClient
) -> None:
    """With what is needed to list and filter it."""
    entry = await set_up(hass, sim)
    before = kept(hass, entry)
    envelope = await sim.join(CLIMATE)
    await sim.uplink(CLIMATE, decoded={"TempC_SHT": 21.5, "Hum_SHT": 40}, f_port=2)
    await sim.uplink(CLIMATE, decoded=None, payload=b"\x01\xa0", f_port=7)
    await sim.location_solved(CLIMATE, {"latitude": 52.5, "longitude": 4.25})
    await sim.service_data(CLIMATE, "lora-cloud", {"fix": False})
    await until(hass, lambda: kept(hass, entry) == before + 5)
    number = await client.subscribe("traffic/subscribe")
    rows = (await client.rows(number, before + 5))[before:]
    joined, uplink, undecoded, location, service = rows
    assert [row["kind"] for row in rows] == ["join", "uplink", "uplink", "location", "service"]
    assert {row["name"] for row in rows} == {"Greenhouse climate"}
    state = entry.runtime_data.roster.by_device_id(CLIMATE)
    assert {row["device"] for row in rows} == {state.registry_id}
    assert sorted(row["id"] for row in rows) == [row["id"] for row in rows]
    assert joined["text"] == envelope["end_device_ids"]["dev_addr"]
    assert uplink["text"] == "TempC_SHT: 21.5, Hum_SHT: 40"
    assert (uplink["port"], uplink["undecoded"], uplink["data_rate"]) == (2, False, "SF7BW125")
    assert uplink["gateways"]
    assert (undecoded["port"], undecoded["undecoded"], undecoded["text"]) == (7, True, "01 A0")
    assert location["text"] == "52.50000, 4.25000"
    assert service["text"] == "lora-cloud: fix: false"


async def test_downlinks_have_their_fate(
    hass: HomeAssistant, sim: Simulator, client: PanelClient
) -> None:
    """Queued, then refused by the network with its reason."""
    entry = await set_up(hass, sim, make_entry(sim, "all"))
    number = await client.subscribe("traffic/subscribe")
    state = entry.runtime_data.roster.by_device_id(CLIMATE)
    await hass.services.async_call(
        "thethingsstack",
        "send_downlink",
        {"device_id": state.registry_id, "hex": "01A0", "f_port": 5, "confirmed": True},
        blocking=True,
    )
    rows: list[dict[str, Any]] = []
    while not rows or rows[-1]["kind"] != "queued":
        rows += (await client.event(number))["rows"]
    assert (rows[-1]["port"], rows[-1]["text"], rows[-1]["confirmed"]) == (5, "01 A0", True)


async def test_many_come_in_few_messages(
    hass: HomeAssistant, sim: Simulator, client: PanelClient
) -> None:
    """All that comes within a moment is one message; what came before is there at the start."""
    hass.data[BATCH_SECONDS] = 0.5
    entry = await set_up(hass, sim)
    for _ in range(KEPT + 20):
        await sim.uplink(CLIMATE, decoded={"TempC_SHT": 21.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == KEPT + 20)
    assert kept(hass, entry) == KEPT
    number = await client.subscribe("traffic/subscribe")
    assert len((await client.event(number))["rows"]) == KEPT
    for _ in range(100):
        await sim.uplink(CLIMATE, decoded={"TempC_SHT": 21.5})
    messages = [await client.event(number)]
    while sum(len(message["rows"]) for message in messages) < 100:
        messages.append(await client.event(number))
    assert len(messages) < 20
    assert kept(hass, entry) == KEPT + 100
    await client.unsubscribe(number)
    assert kept(hass, entry) == KEPT


async def test_rows_go_on_after_a_reload(
    hass: HomeAssistant, sim: Simulator, client: PanelClient
) -> None:
    """One subscription lasts; what came before the reload is still there."""
    entry = await set_up(hass, sim)
    number = await client.subscribe("traffic/subscribe")
    await sim.uplink(CLIMATE, decoded={"TempC_SHT": 20})
    rows = (await client.event(number))["rows"]
    while rows[-1]["kind"] != "uplink":
        rows += (await client.event(number))["rows"]
    before = kept(hass, entry)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    assert kept(hass, entry) > before
    await sim.uplink(CLIMATE, decoded={"TempC_SHT": 22})
    while rows[-1].get("text") != "TempC_SHT: 22":
        rows += (await client.event(number))["rows"]
    assert len({row["id"] for row in rows}) == len(rows)
    await hass.config_entries.async_remove(entry.entry_id)
    assert not kept(hass, entry)


async def test_one_entry_in_full(hass: HomeAssistant, sim: Simulator, client: PanelClient) -> None:
    """Bytes, fields with their entities, radio, times, warnings; no keys and no tokens."""
    entry = await set_up(hass, sim, make_entry(sim, "all"))
    number = await client.subscribe("traffic/subscribe")
    await sim.uplink(
        CLIMATE,
        decoded={"TempC_SHT": 21.5, "key": "left", "empty": None},
        payload=b"\x01\xa0",
        decoded_payload_warnings=["battery is low"],
        app_s_key={"key": "5EC2E7"},
    )
    rows = (await client.event(number))["rows"]
    while rows[-1]["kind"] != "uplink":
        rows += (await client.event(number))["rows"]
    await hass.async_block_till_done()
    place = {"entry_id": entry.entry_id, "row": rows[-1]["id"]}
    details = (await client.ask("traffic/entry", **place))["result"]
    assert (details["hex"], details["base64"]) == ("01A0", "AaA=")
    assert details["decoded"] == {"TempC_SHT": 21.5, "key": "left", "empty": None}
    assert details["warnings"] == ["battery is low"]
    field = next(item for item in details["fields"] if item["path"] == "TempC_SHT")
    key = entry.runtime_data.roster.by_device_id(CLIMATE).key
    assert field["entity_id"] == entity_id(hass, "sensor", f"{key}/field/TempC_SHT")
    assert (field["value"], field["unit"], field["reported"]) == (21.5, "°C", 21.5)
    reception = details["radio"]["receptions"][0]
    assert reception["gateway_id"] in rows[-1]["gateways"]
    assert reception["rssi"] < 0
    assert details["radio"]["data_rate"] == "SF7BW125"
    assert list(details["times"]) == ["gateway", "network", "application", "home_assistant"]
    assert details["correlation_ids"]
    assert details["may"] == {"send": True, "simulate": True, "try_formatter": True}
    raw = json.dumps(details["raw"])
    assert "5EC2E7" not in raw
    metadata = details["raw"]["uplink_message"]["rx_metadata"]
    assert {item["uplink_token"] for item in metadata} == {"**REDACTED**"}
    gone = await client.ask("traffic/entry", entry_id=entry.entry_id, row=1)
    assert gone["error"]["code"] == "not_found"


async def test_what_is_decoded_here_counts_as_decoded(
    hass: HomeAssistant, sim: Simulator, client: PanelClient
) -> None:
    """Where the user has chosen that, in the list and in full; the message stays as it came."""
    entry = await set_up(hass, sim)
    state = entry.runtime_data.roster.by_device_id(CLIMATE)
    state.local_decoder.chosen = Decoder(kind=DecoderKind.CAYENNE_LPP)
    number = await client.subscribe("traffic/subscribe")
    await sim.uplink(CLIMATE, decoded=None, payload=bytes.fromhex("036700E1"))
    rows = (await client.event(number))["rows"]
    while rows[-1]["kind"] != "uplink":
        rows += (await client.event(number))["rows"]
    assert (rows[-1]["text"], rows[-1]["undecoded"]) == ("temperature_3: 22.5", False)
    place = {"entry_id": entry.entry_id, "row": rows[-1]["id"]}
    details = (await client.ask("traffic/entry", **place))["result"]
    assert details["decoded"]["temperature_3"] == 22.5
    assert [field["path"] for field in details["fields"]] == ["temperature_3"]
    assert "decoded_payload" not in details["raw"]["uplink_message"]


async def test_a_formatter_is_tried_on_an_entry(
    hass: HomeAssistant, sim: Simulator, client: PanelClient
) -> None:
    """On that uplink, not the last one; a script that fails says why."""
    entry = await set_up(hass, sim, make_entry(sim, "all"))
    number = await client.subscribe("traffic/subscribe")
    await sim.uplink(CLIMATE, payload=b"\x05")
    await sim.uplink(CLIMATE, payload=b"\x06")
    rows: list[dict[str, Any]] = []
    while len(uplinks := [row for row in rows if row["kind"] == "uplink"]) < 2:
        rows += (await client.event(number))["rows"]
    place = {"entry_id": entry.entry_id, "row": uplinks[0]["id"]}
    present = (await client.ask("traffic/formatter", **place))["result"]
    assert "decodeUplink" in present["script"]
    script = "function decodeUplink(input) { return { data: { first: input.bytes[0] } }; }"
    tried = await client.ask("traffic/try_formatter", **place, script=script)
    assert tried["result"]["decoded"] == {"first": 5}
    failed = await client.ask("traffic/try_formatter", **place, script="function decodeUplink(")
    assert failed["result"]["failure"]
    gone = await client.ask("traffic/formatter", entry_id=entry.entry_id, row=1)
    assert "no longer" in gone["error"]["message"]


async def test_events_come_only_while_watched(
    hass: HomeAssistant, sim: Simulator, client: PanelClient
) -> None:
    """One stream for all who watch, one for an end device; they follow a reload, and end."""

    def streams() -> int:
        return sum("/^js\\.join\\./" in other.names for other in sim.events.subscribers)

    entry = await set_up(hass, sim, make_entry(sim, "all"))
    assert not streams()
    number = await client.subscribe("traffic/subscribe")
    following = [
        await client.subscribe("traffic/follow_events", entry_id=entry.entry_id, device_id=device)
        for device in (None, None, CLIMATE)
    ]
    for follows in following:
        while (await client.event(follows))["state"] != "connected":
            pass
    assert streams() == 2
    recorded = json.loads(EVENTS.read_text("utf-8"))
    dropped = next(i["result"] for i in recorded if i["result"]["name"] == "as.up.data.decode.fail")
    rejected = {
        **dropped,
        "name": "js.join.reject",
        "unique_id": "01REJECTED",
        "visibility": {"rights": ["RIGHT_APPLICATION_TRAFFIC_READ"]},
    }
    sim.events.replay(rejected)
    rows: list[dict[str, Any]] = []
    while not rows or rows[-1]["kind"] != "event":
        rows += (await client.event(number))["rows"]
    assert rows[-1]["event"] == "js.join.reject"
    assert rows[-1]["device_id"] == dropped["identifiers"][0]["device_ids"]["device_id"]
    assert rows[-1]["text"]
    assert await hass.config_entries.async_reload(entry.entry_id)
    while (await client.event(following[0]))["state"] != "connected":
        pass
    await until(hass, lambda: streams() == 2)
    for follows in following:
        await client.unsubscribe(follows)
    await until(hass, lambda: not streams())


async def test_events_come_again_after_an_unexpected_error(
    hass: HomeAssistant, sim: Simulator, client: PanelClient
) -> None:
    """It is shown and logged; the stream is opened anew, as after a refusal."""
    hass.data[RETRY_SECONDS] = 0.0
    entry = await set_up(hass, sim, make_entry(sim, "all"))
    follows = await client.subscribe("traffic/follow_events", entry_id=entry.entry_id)
    while (await client.event(follows))["state"] != "connected":
        pass

    def break_it(_entry: TrafficEntry) -> None:
        stop()
        raise RuntimeError("odd")

    stop = traffic_of(hass).watch(break_it)
    recorded = json.loads(EVENTS.read_text("utf-8"))
    one = next(i["result"] for i in recorded if i["result"]["name"] == "as.up.data.decode.fail")
    visible = {"visibility": {"rights": ["RIGHT_APPLICATION_TRAFFIC_READ"]}}
    sim.events.replay({**one, "unique_id": "01FIRST", **visible})
    assert (lost := await client.event(follows))["state"] == "lost"
    assert lost["error"]
    while (await client.event(follows))["state"] != "connected":
        pass
    before = kept(hass, entry)
    sim.events.replay({**one, "unique_id": "01SECOND", **visible})
    await until(hass, lambda: kept(hass, entry) > before)


async def test_events_of_no_application(
    hass: HomeAssistant, sim: Simulator, client: PanelClient
) -> None:
    """Neither an entry of another integration nor a deleted one is followed."""
    other = MockConfigEntry(domain="other", state=ConfigEntryState.LOADED)
    other.add_to_hass(hass)
    for entry_id in (other.entry_id, "none"):
        answer = await client.ask("traffic/follow_events", entry_id=entry_id)
        assert answer["error"]["code"] == "not_found"


async def test_gateways_connect_and_disconnect(
    hass: HomeAssistant, sim: Simulator, client: PanelClient
) -> None:
    """Those in Home Assistant, among the network's events."""
    entry = await set_up(hass, sim, make_entry(sim, "all"))
    roof = await add(hass, entry, gateway_id="roof-gw", api_key=sim.gateway_key("roof-gw"))
    number = await client.subscribe("traffic/subscribe")
    follows = await client.subscribe("traffic/follow_events", entry_id=entry.entry_id)
    while (await client.event(follows))["state"] != "connected":
        pass
    connection = sim.stack.connections.pop("roof-gw")
    await roof.async_refresh()
    sim.stack.connections["roof-gw"] = connection
    await roof.async_refresh()
    rows: list[dict[str, Any]] = []
    while len(events := [row for row in rows if row["kind"] == "event"]) < 2:
        rows += (await client.event(number))["rows"]
    assert [row["event"] for row in events] == ["gs.gateway.disconnect", "gs.gateway.connect"]
    assert {row["text"] for row in events} == {roof.name_in_home_assistant}
    assert all(row["gateways"] == ["roof-gw"] for row in events)
    place = {"entry_id": entry.entry_id, "row": events[0]["id"]}
    details = (await client.ask("traffic/entry", **place))["result"]
    assert details["row"] == events[0]


async def test_a_refused_key_is_in_the_list(
    hass: HomeAssistant, sim: Simulator, client: PanelClient
) -> None:
    """That is why nothing comes."""
    entry = await set_up(hass, sim)
    number = await client.subscribe("traffic/subscribe")
    sim.remove_rights("read", "RIGHT_APPLICATION_TRAFFIC_READ")
    entry.runtime_data.stack.reconnect()
    rows = (await client.event(number))["rows"]
    while rows[-1]["kind"] != "lost":
        rows += (await client.event(number))["rows"]
    assert rows[-1]["text"]


async def test_an_odd_message_hides_no_other(
    hass: HomeAssistant, sim: Simulator, client: PanelClient
) -> None:
    """It is a row that says what is wrong."""
    entry = await set_up(hass, sim)
    number = await client.subscribe("traffic/subscribe")
    envelope = await sim.uplink(CLIMATE, decoded={"TempC_SHT": 20})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    odd = {**envelope["uplink_message"], "decoded_payload": {"too_big": 2**70}}
    traffic_of(hass).note(
        entry.entry_id, UplinkMessage.from_json({**envelope, "uplink_message": odd})
    )
    await sim.uplink(CLIMATE, decoded={"TempC_SHT": 21})
    rows = (await client.event(number))["rows"]
    while rows[-1].get("text") != "TempC_SHT: 21":
        rows += (await client.event(number))["rows"]
    assert [row["kind"] for row in rows[-3:]] == ["uplink", "unreadable", "uplink"]
    assert "64" in rows[-2]["text"]


def test_keys_and_addresses_are_left_out() -> None:
    """What an end device reports stays, whatever it is called."""
    message = {
        "session_key_id": "AZ==",
        "app_s_key": {"key": "5EC2E7"},
        "uplink_token": "5EC2E7",
        "decoded_payload": {"key": "left"},
        "attributes": {"url": "https://home/api/webhook/5EC2E7?a=1"},
        "cloud": "https://hooks.nabu.casa/5EC2E7: refused",
        "rx_metadata": [{"api_key": "5EC2E7", "empty_key": ""}],
    }
    assert without_secrets(message) == {
        "session_key_id": "AZ==",
        "app_s_key": "**REDACTED**",
        "uplink_token": "**REDACTED**",
        "decoded_payload": {"key": "left"},
        "attributes": {"url": "https://home/api/webhook/**REDACTED**?a=1"},
        "cloud": "https://hooks.nabu.casa/**REDACTED** refused",
        "rx_metadata": [{"api_key": "**REDACTED**", "empty_key": ""}],
    }


async def test_commands_are_for_administrators(
    hass: HomeAssistant,
    sim: Simulator,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    """None of them answers anybody else."""
    entry = await set_up(hass, sim)
    client = PanelClient(await hass_ws_client(hass, hass_read_only_access_token))
    place = {"entry_id": entry.entry_id, "row": 1}
    for command, values in (
        ("panel/applications", {}),
        ("panel/fleet", {}),
        ("panel/gateways", {}),
        ("panel/signals", {"devices": []}),
        ("traffic/subscribe", {}),
        ("traffic/entry", place),
        ("traffic/follow_events", {"entry_id": entry.entry_id}),
        ("traffic/formatter", place),
        ("traffic/try_formatter", {**place, "script": ""}),
    ):
        assert (await client.ask(command, **values))["error"]["code"] == "unauthorized", command
