"""What an earlier version stored is found again: entities, values, overrides, controls, downlinks.

`fixtures/stored_world` is the storage of a Home Assistant that had been stopped; what is expected
is read from it. Only registries, states, dialogues, diagnostics and storage files are looked at,
so the tests hold whatever the code looks like inside.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta
import json
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    category_registry as cr,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    issue_registry as ir,
    label_registry as lr,
    restore_state as rs,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import yaml

from tests.ha_fixtures import until
from tests.simulator import Simulator

DOMAIN = "thethingsstack"
FIXTURE = Path(__file__).parent / "fixtures" / "stored_world"
VANISHED = "front-door"
HALF_CREATED = "mailbox"
WAITING = {"queued", "not_acknowledged"}
NO_VALUE = {STATE_UNAVAILABLE, STATE_UNKNOWN}
ADDED_ENABLED = {"missed_uplinks"}
ADDED = {"airtime_24h", "uplink_interval"} | ADDED_ENABLED
"""Sensors that came later; those of end devices start disabled."""

type Json = dict[str, Any]
type Start = Callable[..., Awaitable[ConfigEntry]]

# Home Assistant reads the registries from the fixture, not from nowhere.
pytestmark = pytest.mark.parametrize("load_registries", [False])


SET_BY_CONTROLS = ("/field/socket_status", "/field/childLock", "/field/targetTemperature")
"""Fields of which the application has controls."""
REGISTERED_PLACE = "/field/\\location"


def stored(name: str) -> Any:
    """Return the data of a stored document."""
    return json.loads((FIXTURE / f"{name}.json").read_text(encoding="utf-8"))["data"]


ENTRY: Json = stored("core.config_entries")["entries"][0]
ENTITIES: list[Json] = stored("core.entity_registry")["entities"]
DEVICES: list[Json] = stored("core.device_registry")["devices"]
STATES: dict[str, Json] = {
    item["state"]["entity_id"]: item["state"] for item in stored("core.restore_state")
}
FIELDS: Json = stored(f"{DOMAIN}.{ENTRY['entry_id']}")
DOWNLINKS: list[Json] = stored(f"{DOMAIN}.{ENTRY['entry_id']}.downlinks")["downlinks"]
STOPPED = max(datetime.fromisoformat(item["last_seen"]) for item in stored("core.restore_state"))
STARTED = STOPPED + timedelta(seconds=20)


@pytest.fixture
async def start(
    hass: HomeAssistant,
    hass_storage: Json,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
) -> Start:
    """Return what starts Home Assistant on the stored world, some seconds after it was stopped."""
    freezer.move_to(STARTED)

    async def run(change: Callable[[Json], None] = lambda documents: None) -> ConfigEntry:
        for key, document in documents(simulator).items():
            hass_storage[key] = document
        change(hass_storage)
        await hass.config.async_update(
            latitude=52.1561, longitude=5.3878, time_zone="Europe/Amsterdam"
        )
        dr.async_setup(hass)
        for registry in (ar, cr, dr, er, fr, ir, lr, rs):
            await registry.async_load(hass)
        await hass.config_entries.async_initialize()
        entry = hass.config_entries.async_get_entry(ENTRY["entry_id"])
        assert entry is not None
        assert await async_setup_component(hass, DOMAIN, {})
        await hass.async_block_till_done()
        assert entry.state is ConfigEntryState.LOADED
        connection = entity("binary_sensor", "riverside/connection")
        await until(hass, lambda: state_of(hass, connection) == "on")
        await hass.async_block_till_done()
        return entry

    return run


@pytest.fixture
async def simulator(socket_enabled: None) -> AsyncIterator[Simulator]:
    """Return the demonstration as it stood when Home Assistant was stopped."""
    async with Simulator(world="demo", clock=lambda: STARTED, seed=2) as running:
        # What it tells of the past would take the place of what was stored.
        running.faults.storage = False
        running.remove_parts(HALF_CREATED, "as", "js")
        for device_id in list(running.devices):
            last = STATES[entity("sensor", f"{key_of(device_id)}/last_uplink")]["state"]
            if last not in NO_VALUE:
                running.update_device(device_id, last_seen_at=last)
        for record in DOWNLINKS:
            if record["state"] in WAITING:
                item = {"f_port": record["f_port"], "frm_payload": "Ag=="}
                item |= {"confirmed": record["confirmed"], "correlation_ids": [record["id"]]}
                running.application_server.operate(
                    running.application, record["device_id"], "push", {"downlinks": [item]}, []
                )
        running.remove_device(VANISHED)
        yield running


def documents(simulator: Simulator) -> dict[str, Json]:
    """Return all that is stored, of an application that is where the simulator is."""
    found = {}
    for file in sorted(FIXTURE.glob("*.json")):
        text = file.read_text(encoding="utf-8")
        for placeholder, value in (
            ("<server>", simulator.server_url),
            ("<identity server>", simulator.identity_server_url),
            ("<api key>", simulator.key("manage")),
        ):
            text = text.replace(placeholder, value)
        found[file.name.removesuffix(".json")] = json.loads(text)
    return found


def entity(platform: str, unique_id: str) -> str:
    """Return the id that an entity had when it was stored."""
    (entity_id,) = [
        item["entity_id"]
        for item in ENTITIES
        if item["unique_id"] == unique_id and item["entity_id"].startswith(f"{platform}.")
    ]
    return str(entity_id)


def state_of(hass: HomeAssistant, entity_id: str) -> str | None:
    """Return an entity's state, None where there is none."""
    state = hass.states.get(entity_id)
    return None if state is None else state.state


def key_of(device_id: str) -> str:
    """Return what the unique ids of an end device's entities begin with."""
    (key,) = [key for key, it in FIELDS["devices"].items() if it["ids"]["device_id"] == device_id]
    return str(key)


def enabled() -> list[Json]:
    """Return the stored entities that are shown."""
    return [item for item in ENTITIES if item["disabled_by"] is None]


def is_added(item: er.RegistryEntry) -> bool:
    """Return whether an entity is one that the earlier version didn't have."""
    return item.platform == DOMAIN and item.unique_id.rpartition("/")[2] in ADDED


def is_enabled_against_the_rule(item: er.RegistryEntry) -> bool:
    """Return whether a new entity is enabled that should start disabled."""
    allowed = item.unique_id.rpartition("/")[2] in ADDED_ENABLED
    return not allowed and item.disabled_by is not er.RegistryEntryDisabler.INTEGRATION


def is_gone(item: Json) -> bool:
    """Return whether an entity shows something of the end device that vanished, and not that."""
    key: str = item["unique_id"]
    return key.startswith(f"{key_of(VANISHED)}/") and not key.endswith("/status")


async def test_every_entity_is_the_one_it_was(hass: HomeAssistant, start: Start) -> None:
    """None is lost, renamed, or of another kind; new ones of end devices are disabled."""
    await start()
    now = {
        item.id: {
            "entity_id": item.entity_id,
            "unique_id": item.unique_id,
            "platform": item.platform,
            "config_entry_id": item.config_entry_id,
            "config_subentry_id": item.config_subentry_id,
            "device_id": item.device_id,
            "disabled_by": item.disabled_by,
            "hidden_by": item.hidden_by,
            "area_id": item.area_id,
            "name": item.name,
            "icon": item.icon,
            "original_name": item.original_name,
            "original_device_class": item.original_device_class,
            "original_icon": item.original_icon,
            "translation_key": item.translation_key,
            "entity_category": item.entity_category,
            "capabilities": item.capabilities,
            "supported_features": item.supported_features,
            "unit_of_measurement": item.unit_of_measurement,
        }
        for item in er.async_get(hass).entities.values()
        if not is_added(item) or is_enabled_against_the_rule(item)
    }
    before = {item["id"]: {key: item[key] for key in next(iter(now.values()))} for item in ENTITIES}
    for item in before.values():
        if item["unique_id"].endswith("/battery") and "/field/" not in item["unique_id"]:
            item["entity_category"] = "diagnostic"  # as the quality scale wants it since then
        if item["unique_id"].endswith((*SET_BY_CONTROLS, REGISTERED_PLACE)):
            item["entity_category"] = "diagnostic"  # the control takes its place; it never moves
        if item["unique_id"].endswith("/status"):  # a status that was not one of its own
            known_then = item["capabilities"]["options"]
            at = known_then.index("active")
            options = [*known_then[:at], "not_decoded", *known_then[at:]]
            item["capabilities"] = {"options": options}
    # A command waits since before the start: its icon comes by the translation key now.
    waiting = [item_id for item_id in now if now[item_id]["translation_key"] == "control_pending"]
    assert [before[item_id].pop("translation_key") for item_id in waiting] == [None]
    assert [now[item_id].pop("translation_key") for item_id in waiting] == ["control_pending"]
    assert now == before
    assert len(now) > 350


async def test_every_device_is_the_one_it_was(hass: HomeAssistant, start: Start) -> None:
    """With its names, its area and what it belongs to."""
    await start()
    now = {
        item.id: {
            "identifiers": sorted(
                [domain, key]
                for domain, key in item.identifiers
                # Home Assistant's LoRaWAN integration, since 2026.11, has one of its own.
                if not key.startswith(f"{item.config_entry_id}:")
            ),
            "name": item.name,
            "name_by_user": item.name_by_user,
            "area_id": item.area_id,
            "disabled_by": item.disabled_by,
            "manufacturer": item.manufacturer,
            "model": (item.model or "").casefold().partition(" ")[0],
            "model_id": item.model_id,
            "serial_number": item.serial_number,
            "via_device_id": item.via_device_id,
        }
        for item in dr.async_get(hass).devices
    }
    before = {item["id"]: {key: item[key] for key in next(iter(now.values()))} for item in DEVICES}
    for item_id, item in before.items():
        # The Device Repository's name begins with what was made of the ID.
        item["model"] = (item["model"] or "").casefold()
        if item["identifiers"][0][1] in FIELDS["devices"]:  # its model was known by its name only
            known_now = (None, item["model"])
            assert now[item_id]["model_id"] in known_now
            item["model_id"] = now[item_id]["model_id"]
            item["manufacturer"] = {"Elsys": "ELSYS"}.get(
                item["manufacturer"], item["manufacturer"]
            )
    assert now == before
    assert "Attic" in {item["name_by_user"] for item in now.values()}


async def test_every_entity_is_there_with_its_value(hass: HomeAssistant, start: Start) -> None:
    """Nobody has spoken since; unit and class are as they were, also where a user changed them.

    What the end device showed that vanished is unavailable.
    """
    await start()
    missing = [
        item["entity_id"]
        for item in enabled()
        if (state := hass.states.get(item["entity_id"])) is None or state.attributes.get("restored")
    ]
    assert missing == []
    shown = {
        # A later Home Assistant may have attributes of its own besides.
        entity_id: (
            state.state,
            {k: v for k, v in known(state.attributes).items() if k in stored_state["attributes"]},
        )
        for entity_id, stored_state in STATES.items()
        if (state := hass.states.get(entity_id)) is not None
    }
    gone = {item["entity_id"] for item in enabled() if is_gone(item)}
    assert {shown.pop(entity_id)[0] for entity_id in gone & shown.keys()} == {STATE_UNAVAILABLE}
    ids = {item["entity_id"] for item in enabled()} - gone
    for _, attributes in shown.values():
        attributes.pop("icon", None)
    before = {
        entity_id: (state["state"], without_icon(known(state["attributes"])))
        for entity_id, state in STATES.items()
        if entity_id in ids
    }
    assert sorted(shown) == sorted(before)
    # A command waits since before the start: what was asked for is shown now.
    thermostat = "climate.bathroom_bathroom_radiator_thermostat"
    asked = float(before[thermostat][1]["pending"])
    assert shown[thermostat][1]["temperature"] == asked != before[thermostat][1]["temperature"]
    before[thermostat][1]["temperature"] = asked
    assert [(key, shown[key], before[key]) for key in before if shown[key] != before[key]] == []
    with_value = [state for state in STATES.values() if state["state"] not in NO_VALUE]
    assert len(with_value) > 150


def without_icon(attributes: Json) -> Json:
    """Return attributes without the icon, which the frontend finds by translation key now."""
    return {key: value for key, value in attributes.items() if key != "icon"}


def known(attributes: Mapping[str, Any]) -> Json:
    """Return attributes as JSON has them, without an estimate that is made anew."""
    plain: Json = json.loads(json.dumps(dict(attributes)))
    plain.pop("expected_at", None)
    return plain


async def test_disabled_entities_are_there_for_whoever_enables_them(
    hass: HomeAssistant, start: Start
) -> None:
    """Those that start disabled, too, belong to the entity that they belonged to."""

    def enable(storage: Json) -> None:
        for item in storage["core.entity_registry"]["data"]["entities"]:
            item["disabled_by"] = None

    await start(enable)
    missing = [
        item["entity_id"]
        for item in ENTITIES
        if (state := hass.states.get(item["entity_id"])) is None or state.attributes.get("restored")
    ]
    assert missing == []
    assert {
        item.entity_id for item in er.async_get(hass).entities.values() if not is_added(item)
    } == {item["entity_id"] for item in ENTITIES}


async def test_every_override_counts_and_can_be_passed_on(
    hass: HomeAssistant, start: Start
) -> None:
    """The text in the options has all of them; the states of the test above show their effect."""
    entry = await start()
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    flow = await hass.config_entries.options.async_configure(
        flow["flow_id"], {"next_step_id": "overrides"}
    )
    schema = flow["data_schema"]
    assert schema is not None
    (key,) = schema.schema
    exported = yaml.safe_load(key.description["suggested_value"])
    for override in exported:
        if "device" in override:
            override["device"] = key_of(override["device"])
    assert sorted(map(as_text, exported)) == sorted(map(as_text, FIELDS["overrides"]))
    hass.config_entries.options.async_abort(flow["flow_id"])


def as_text(override: Json) -> str:
    """Return it in a way that can be put in order."""
    return json.dumps(override, sort_keys=True)


async def test_a_new_value_is_read_as_the_user_decided(
    hass: HomeAssistant, start: Start, simulator: Simulator
) -> None:
    """An override of a device, one of a model, and a pattern, against what the next uplink says."""
    await start()
    water = entity("sensor", f"{key_of('water-meter')}/field/totalVolume")
    leak = entity("binary_sensor", f"{key_of('cellar-water-leak')}/field/WaterLeak")
    await simulator.uplink("water-meter", decoded={"totalVolume": 2_000_000})
    await simulator.uplink("cellar-water-leak", decoded={"WaterLeak": "Leak"})
    # 2,000,000 reported, times 0.001 m³, which Home Assistant shows in the litres of before.
    await until(hass, lambda: float(state_of(hass, water) or 0) == 2_000_000)
    await until(hass, lambda: state_of(hass, leak) == "off")
    light = f"{key_of('living-room-air')}/field/light_level"
    await simulator.uplink("living-room-air", decoded={"light_level": 3, "temperature": 18.5})
    await until(hass, lambda: state_of(hass, "sensor.where_we_sit") == "18.5")
    assert light not in {item.unique_id for item in er.async_get(hass).entities.values()}


async def test_controls_and_what_they_sent(
    hass: HomeAssistant, start: Start, simulator: Simulator
) -> None:
    """Each subentry has its entity; a command that waits still does, and ends with its report."""
    entry = await start()
    assert {key: item.title for key, item in entry.subentries.items()} == {
        item["subentry_id"]: item["title"] for item in ENTRY["subentries"]
    }
    for item in ENTRY["subentries"]:
        control = entity(item["data"]["platform"], item["subentry_id"])
        assert state_of(hass, control) == STATES[control]["state"]
        assert STATES[control]["state"] not in NO_VALUE
    thermostat, sent = next(
        (entity("climate", record["control"]), record)
        for record in DOWNLINKS
        if record["state"] == "queued" and record["control"]
    )
    state = hass.states.get(thermostat)
    assert state is not None
    assert state.attributes["pending"] == "24"
    # The interval that the device was found to keep: known to the second.
    expected, stored_estimate = (
        datetime.fromisoformat(attributes["expected_at"])
        for attributes in (state.attributes, STATES[thermostat]["attributes"])
    )
    assert abs(expected - stored_estimate) <= timedelta(seconds=1)
    last = entity("sensor", f"{key_of(sent['device_id'])}/downlink_state")
    await simulator.uplink(sent["device_id"])
    await until(hass, lambda: state_of(hass, last) in {"sent", "acknowledged"})


async def test_downlinks_are_remembered(
    hass: HomeAssistant, start: Start, hass_client: ClientSessionGenerator
) -> None:
    """The last of each device, its queue, how many went out, and all in the diagnostics."""
    assert await async_setup_component(hass, "diagnostics", {})
    entry = await start()
    last: dict[str, Json] = {record["device_id"]: record for record in DOWNLINKS}
    assert {record["state"] for record in last.values()} == {
        "queued",
        "sent",
        "acknowledged",
        "failed",
    }
    for device_id, record in last.items():
        state = hass.states.get(entity("sensor", f"{key_of(device_id)}/downlink_state"))
        assert state is not None
        if device_id == VANISHED:
            assert state.state == STATE_UNAVAILABLE
            continue
        assert state.state == record["state"]
        assert state.attributes["correlation_id"] == record["id"]
        assert state.attributes["changed"] == record["updated"]
    answer: Any = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    listed = [
        item for device in answer["devices"].values() for item in device["downlinks"]["latest"]
    ]
    kept = ("ours", "f_port", "confirmed", "state", "attempt", "error", "created", "updated")
    assert sorted([item[key] for key in kept] for item in listed) == sorted(
        [record[key] for key in kept] for record in DOWNLINKS
    )
    book = stored(f"{DOMAIN}.{ENTRY['entry_id']}.downlinks")
    counts = sorted(
        (device["downlinks"]["in_24_hours"], device["downlinks"]["expected_interval"] or 0)
        for device in answer["devices"].values()
        if device["downlinks"]["latest"]
    )
    assert counts == sorted(
        (len(book["transmitted"].get(device_id, ())), book["intervals"][device_id])
        for device_id in last
    )
    controls = [item for device in answer["devices"].values() for item in device["controls"]]
    assert len(controls) == len(ENTRY["subentries"])


async def test_options_and_where_devices_stand(hass: HomeAssistant, start: Start) -> None:
    """Options as they were; a device that vanished, one half created, one that is overdue."""
    entry = await start()
    assert dict(entry.options) == ENTRY["options"]
    assert entry.unique_id == ENTRY["unique_id"]
    assert entry.title == ENTRY["title"]
    for device_id, status in (
        (VANISHED, "not_registered"),
        (HALF_CREATED, "half_created"),
        ("barn-freezer", "overdue"),
    ):
        assert state_of(hass, entity("sensor", f"{key_of(device_id)}/status")) == status
    stands = Counter(
        state_of(hass, item["entity_id"])
        for item in enabled()
        if item["unique_id"].endswith("/status")
    )
    assert stands["not_registered"] == stands["half_created"] == stands["overdue"] == 1
    # Of the others, too, it is known that they have been heard.
    assert stands["active"] + stands["waiting_for_next_uplink"] == len(FIELDS["devices"]) - 3
    uplinks = entity("sensor", "riverside/uplinks_today")
    assert state_of(hass, uplinks) == str(FIELDS["today"][1])


async def test_what_was_stored_is_stored_again(
    hass: HomeAssistant, start: Start, hass_storage: Json
) -> None:
    """Since when a device has vanished, and everything else that only the storage shows."""
    entry = await start()
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    again = json.dumps({key: it for key, it in hass_storage.items() if key.startswith(DOMAIN)})
    for moment in FIELDS["vanished"].values():
        assert moment in again
    for device in FIELDS["devices"].values():
        for path, meaning in device["fields"].items():
            assert json.dumps(path) in again
            assert json.dumps(meaning["reason"]) in again
    for record in DOWNLINKS:
        assert record["id"] in again
