"""The webhook that the integration makes in The Things Stack with a key that may."""

import asyncio
from functools import partial
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.application.catch_up import (
    PAUSES as CATCH_UP_PAUSES,
    Pauses as CatchUpPauses,
)
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.webhook import SECRET_HEADER, WebhookDoor
from custom_components.thethingsstack.webhook.managed import PAUSES, Pauses, async_own_id
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator
from tests.simulator.webhooks import MESSAGES

from .conftest import SECRET, Listening, own_webhooks, webhook_entry

OTHERS = {"base_url": "https://other.example/", "format": "json", "uplink_message": {}}


def hook_of(sim: Simulator) -> dict[str, Any]:
    """Return our webhook as the server has it."""
    (hook,) = own_webhooks(sim).values()
    return hook


def look(hass: HomeAssistant) -> None:
    """Let the integration look at its webhook, as it does when the address may have changed."""
    hass.bus.async_fire("core_config_updated")


def issues(hass: HomeAssistant) -> set[str]:
    """Return what there is to repair; that a model could have controls is only offered."""
    found = ir.async_get(hass).issues.values()
    keys = {issue.translation_key or "" for issue in found if issue.domain == DOMAIN}
    return {key for key in keys if not key.startswith("preset_")}


def reported(hass: HomeAssistant, key: str) -> bool:
    """Return whether just this is to repair."""
    return issues(hass) == {key}


async def connected(hass: HomeAssistant, entry: MockConfigEntry, door: str) -> None:
    """Wait until a changed entry is loaded, and messages come by this door."""
    await until(hass, lambda: entry.state is ConfigEntryState.LOADED)
    await hass.async_block_till_done()
    await until(hass, lambda: entry.runtime_data.connected)
    assert entry.runtime_data.door.name == door


async def test_a_webhook_is_made_proved_and_used(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """The proof is a simulated uplink that never shows."""
    entry = await set_up(hass, sim, webhook_entry(sim, "all"))
    hook = hook_of(sim)
    assert hook["base_url"].startswith(f"{listening.url}/api/webhook/")
    assert hook["headers"] == {SECRET_HEADER: SECRET}
    assert hook["format"] == "json"
    assert hook.keys() >= MESSAGES
    assert not hook.get("field_mask", {}).get("paths")
    assert sim.webhooks.deliveries
    coordinator = entry.runtime_data
    assert all(device.last_uplink is None for device in coordinator.roster.states.values())
    assert coordinator.door.current == "webhook"

    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: coordinator.counters.uplinks_today == 1)
    device = coordinator.roster.by_device_id("weather-station")
    assert device is not None
    assert device.values["temperature"] == 20.5
    assert issues(hass) == set()


@pytest.mark.parametrize(
    "change",
    [
        {"paused": True},
        {"base_url": "https://elsewhere.example/"},
        {"headers": {}},
        {"field_mask": {"paths": ["up.uplink_message.f_port"]}},
        {"downlink_ack": None},
        None,
    ],
    ids=["paused", "moved", "without the secret", "field mask", "message type", "deleted"],
)
async def test_what_is_changed_there_is_corrected(
    hass: HomeAssistant, sim: Simulator, listening: Listening, change: dict[str, Any] | None
) -> None:
    await set_up(hass, sim, webhook_entry(sim))
    hook = hook_of(sim)
    created = hook["created_at"]
    if change is None:
        sim.application.webhooks.clear()
    else:
        hook |= change
        for name in [name for name, value in change.items() if value is None]:
            del hook[name]
    look(hass)

    def corrected() -> bool:
        there = next(iter(own_webhooks(sim).values()), {})
        return bool(
            there.get("headers") == {SECRET_HEADER: SECRET}
            and there["base_url"].startswith(listening.url)
            and not there.get("paused")
            and not there.get("field_mask", {}).get("paths")
            and there.keys() >= MESSAGES
        )

    await until(hass, corrected)
    assert (hook_of(sim)["created_at"] == created) is (change is not None)


async def test_it_follows_the_address_of_home_assistant(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    await set_up(hass, sim, webhook_entry(sim))
    await hass.config.async_update(internal_url="http://127.0.0.2:8123")
    await until(hass, lambda: hook_of(sim)["base_url"].startswith("http://127.0.0.2:8123/"))


async def test_another_webhook_of_the_same_id_is_left_alone(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """An issue says so; when it is gone, ours is made."""
    entry = webhook_entry(sim)
    own_id = await async_own_id(hass, entry)
    theirs = {**OTHERS, "ids": {"webhook_id": own_id}, "created_at": "2020-01-01T00:00:00Z"}
    sim.application.webhooks[own_id] = dict(theirs)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: "webhook_taken" in issues(hass))
    assert sim.application.webhooks == {own_id: theirs}
    assert not entry.runtime_data.connected
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert sim.application.webhooks == {own_id: theirs}


async def test_one_made_by_hand_with_the_same_secret_is_adopted(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """So it is when a key is given later; its downlink key stays."""
    made = {
        **OTHERS,
        "ids": {"webhook_id": "by-hand"},
        "created_at": "2020-01-01T00:00:00Z",
        "headers": {SECRET_HEADER: SECRET},
        "downlink_api_key": sim.key("control"),
    }
    sim.application.webhooks["by-hand"] = made
    await set_up(hass, sim, webhook_entry(sim))
    assert set(sim.application.webhooks) == {"by-hand"}
    hook = sim.application.webhooks["by-hand"]
    assert hook["base_url"].startswith(listening.url)
    assert hook["downlink_api_key"] == sim.key("control")


async def test_what_a_lost_entry_has_left_behind_is_used_again(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """After a crash, the server has a webhook whose entry was not stored yet."""
    entry = await set_up(hass, sim, webhook_entry(sim))
    left = dict(hook_of(sim))
    (own_id,) = own_webhooks(sim)
    assert await hass.config_entries.async_remove(entry.entry_id)
    sim.application.webhooks[own_id] = left

    await set_up(hass, sim, webhook_entry(sim, webhook_id="1" * 64, webhook_secret="another"))
    assert set(sim.application.webhooks) == {own_id}
    assert hook_of(sim)["headers"] == {SECRET_HEADER: "another"}
    assert hook_of(sim)["base_url"].endswith("1" * 64)
    assert issues(hass) == set()


async def test_it_is_deleted_with_an_entry_that_does_not_know_of_it(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """Its secret tells: after a crash, the entry may not have stored that it made it."""
    entry = await set_up(hass, sim, webhook_entry(sim))
    sim.application.webhooks["another"] = dict(OTHERS)
    door = entry.runtime_data.door
    assert isinstance(door, WebhookDoor)
    door.reception.store.server_id = door.reception.store.created_at = None
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert set(sim.application.webhooks) == {"another"}
    assert issues(hass) == set()


async def test_it_is_deleted_with_the_entry(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    entry = await set_up(hass, sim, webhook_entry(sim))
    sim.application.webhooks["another"] = dict(OTHERS)
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert set(sim.application.webhooks) == {"another"}
    assert await listening.post({}) == 200  # Home Assistant's answer at an address of nobody
    assert issues(hass) == set()


async def test_it_is_deleted_when_another_door_is_chosen(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    entry = await set_up(hass, sim, webhook_entry(sim))
    hass.config_entries.async_update_entry(entry, data={**entry.data, "door": "mqtt"})
    await until(hass, lambda: not sim.application.webhooks)
    await until(hass, lambda: "webhook_secret" not in entry.data)
    await connected(hass, entry, "mqtt")


async def test_one_that_can_not_be_deleted_is_an_issue(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    entry = await set_up(hass, sim, webhook_entry(sim))
    sim.faults.errors[next(iter(own_webhooks(sim)))] = (500, "internal")
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert issues(hass) == {"webhook_left"}


async def test_a_key_that_may_not_manage_leaves_webhooks_alone(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """One made by hand delivers all the same."""
    await hass.config.async_update(internal_url="http://192.0.2.1")
    sim.set_rights("read", ["INFO", "DEVICES_READ"])  # it needn't even read messages
    entry = await set_up(hass, sim, webhook_entry(sim, "read"))
    assert not sim.application.webhooks
    assert entry.runtime_data.connected
    assert issues(hass) == set()


async def test_deliveries_that_never_arrive_are_an_issue(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """The next one that does arrive clears it."""
    hass.data[PAUSES] = Pauses(proof=0.01)
    right, hass.config.internal_url = hass.config.internal_url, "http://127.0.0.1:9"
    entry = webhook_entry(sim, "all")
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: issues(hass) == {"webhook_unproved"})
    assert await listening.post({}, secret="guess") == 401  # tells nothing
    assert issues(hass) == {"webhook_unproved"}
    assert not entry.runtime_data.connected
    await hass.config.async_update(internal_url=right)
    await until(hass, lambda: hook_of(sim)["base_url"].startswith(str(right)))
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: entry.runtime_data.connected)
    assert issues(hass) == set()


async def test_failures_that_the_server_reports_are_an_issue(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """After some more it stops trying; reloading lets it try again."""
    sim.stack.tolerated_failures = 3
    entry = await set_up(hass, sim, webhook_entry(sim))
    hook = hook_of(sim)
    right = hook["base_url"]
    hook["base_url"] = "http://127.0.0.1:9/"  # the way there is broken
    for number, key in ((1, "webhook_failing"), (3, "webhook_stopped")):
        while (
            int((hook.get("health_status") or {}).get("unhealthy", {}).get("failed_attempts", 0))
            < number
        ):
            await sim.uplink("weather-station", decoded={"temperature": 20.5})
            await sim.webhooks.delivered()
        hook["base_url"] = right
        look(hass)
        await until(hass, partial(reported, hass, key))
        hook["base_url"] = "http://127.0.0.1:9/"
    hook["base_url"] = right
    await until(hass, lambda: not entry.runtime_data.connected)
    attempts = len(sim.webhooks.deliveries)
    await sim.uplink("weather-station", decoded={"temperature": 21.5})
    await sim.webhooks.delivered()
    assert len(sim.webhooks.deliveries) == attempts  # it isn't tried
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    await sim.uplink("weather-station", decoded={"temperature": 22.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)
    assert issues(hass) == set()
    await sim.webhooks.delivered()
    assert hook_of(sim)["health_status"] == {"healthy": {}}


async def test_an_address_that_cannot_be_reached_is_an_issue(
    hass: HomeAssistant, sim: Simulator, listening: Listening, server_far_away: None
) -> None:
    """Nothing is made before there is one."""
    sim.remove_rights("manage", "TRAFFIC_UP_WRITE")  # no proof is posted to an address of nobody
    entry = webhook_entry(sim)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    for url, key in (
        (None, "webhook_address_missing"),
        ("https://192.168.1.5:8123", "webhook_address_private"),
        ("https://homeassistant.local:8123", "webhook_address_private"),
        ("http://ha.example.org", "webhook_address_without_tls"),
    ):
        await hass.config.async_update(external_url=url)
        await until(hass, partial(reported, hass, key))
    assert not sim.application.webhooks
    await hass.config.async_update(external_url="https://ha.example.org")
    await until(hass, lambda: bool(own_webhooks(sim)))
    assert hook_of(sim)["base_url"].startswith("https://ha.example.org/api/webhook/")
    await until(hass, lambda: issues(hass) == set())


async def test_changing_from_mqtt_makes_one(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    hass.config_entries.async_update_entry(entry, data={**entry.data, "door": "webhook"})
    await until(hass, lambda: bool(own_webhooks(sim)))
    await connected(hass, entry, "webhook")


async def renew(hass: HomeAssistant) -> Any:
    """Call the action for a new secret."""
    return await hass.services.async_call(
        DOMAIN, "renew_webhook_secret", blocking=True, return_response=True
    )


async def accepted(listening: Listening, secrets: list[str]) -> list[bool]:
    """Return which secrets are ours: of a delivery with one, the content is looked at."""
    statuses = [await listening.post({}, secret=secret) for secret in secrets]
    assert set(statuses) <= {400, 401}
    return [status == 400 for status in statuses]


async def test_the_secret_can_be_renewed(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """The earlier one counts until a minute after the first delivery with the new one."""
    entry = await set_up(hass, sim, webhook_entry(sim))
    door = entry.runtime_data.door
    now = 0.0
    door.reception.clock = lambda: now
    assert await renew(hass) == {"header": SECRET_HEADER, "secret": None}
    secret = entry.data["webhook_secret"]
    assert secret != SECRET
    assert hook_of(sim)["headers"] == {SECRET_HEADER: secret}
    assert await accepted(listening, [SECRET, secret, SECRET]) == [True, True, True]
    now = 61.0
    assert await accepted(listening, [SECRET, secret]) == [False, True]
    assert "webhook_earlier_secrets" not in entry.data
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)


async def test_a_secret_that_the_server_still_has_is_accepted(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """However often it is renewed meanwhile."""
    entry = await set_up(hass, sim, webhook_entry(sim))
    door = entry.runtime_data.door
    now = 0.0
    door.reception.clock = lambda: now
    secrets = [SECRET]
    sim.faults.errors[next(iter(own_webhooks(sim)))] = (500, "internal")
    for _ in range(2):
        with pytest.raises(HomeAssistantError):
            await renew(hass)
        secrets.append(entry.data["webhook_secret"])
    assert await accepted(listening, secrets[:2]) == [True, True]
    assert await accepted(listening, secrets) == [True, True, True]  # the last ends the others
    with pytest.raises(HomeAssistantError):
        await renew(hass)
    secrets.append(entry.data["webhook_secret"])
    now = 61.0
    assert await accepted(listening, secrets) == [False, False, True, True]

    sim.faults.errors.clear()
    await asyncio.gather(renew(hass), renew(hass), renew(hass))
    look(hass)
    await hass.async_block_till_done()
    assert hook_of(sim)["headers"] == {SECRET_HEADER: entry.data["webhook_secret"]}
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)


async def set_up_with_storage(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Set up on a server that stores uplinks, and wait until failed deliveries are followed."""
    hass.data[CATCH_UP_PAUSES] = CatchUpPauses(retry=0.2, lag=0, between_devices=0)
    sim.faults.storage = True
    sim.switch_storage(on=True)
    entry = await set_up(hass, sim, webhook_entry(sim))
    await until(hass, lambda: any("as.webhook.fail" in s.names for s in sim.events.subscribers))
    return entry


async def test_a_delivery_that_failed_is_caught_up_though_the_next_arrives(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """The server's events tell it, with and without others before; its health has forgotten it."""
    entry = await set_up_with_storage(hass, sim)
    device = entry.runtime_data.roster.by_device_id("weather-station")
    sim.application.webhooks["broken"] = {
        **OTHERS,
        "ids": {"webhook_id": "broken"},
        "base_url": "http://127.0.0.1:9/",
    }  # failures of another webhook tell nothing
    for number in range(1, 4):
        sim.faults.webhooks_fail = True
        await sim.uplink("weather-station", decoded={f"lost_{number}": number})
        await sim.webhooks.delivered()
        sim.faults.webhooks_fail = False
        await sim.uplink("weather-station", decoded={"number": number})
        await until(hass, lambda: device.values.get("number") == number)  # noqa: B023
        await until(hass, lambda: device.values.get(f"lost_{number}") == number)  # noqa: B023
    sim.faults.webhooks_fail = True
    for number in range(4, 24):  # many at once are read together
        await sim.uplink("weather-station", decoded={f"lost_{number}": number})
    await sim.webhooks.delivered()
    sim.faults.webhooks_fail = False
    await until(hass, lambda: device.values.get("lost_23") == 23)
    assert entry.runtime_data.counters.caught_up == 23
    assert entry.runtime_data.connected
    assert issues(hass) == set()


async def test_what_is_delivered_after_it_was_read_still_happens(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """Slow deliveries of a pressed button, which reading what was missed has overtaken."""
    coordinator = (await set_up_with_storage(hass, sim)).runtime_data
    await sim.uplink("weather-station", decoded={"click": "short"})
    await until(hass, lambda: coordinator.counters.uplinks_today == 1)
    await hass.async_block_till_done()
    click = entity_id(hass, "event", "garden/70B3D57ED0060001/field/click")
    fired: list[str] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        if event.data["entity_id"] == click and (state := event.data["new_state"]) is not None:
            fired.append(state.attributes["event_type"])

    hass.bus.async_listen("state_changed", note)
    sim.faults.webhooks_fail = True
    envelopes = [
        await sim.uplink("weather-station", decoded={"click": press})
        for press in ("long", "double")
    ]
    await sim.webhooks.delivered()
    sim.faults.webhooks_fail = False
    await sim.uplink("lpp-node", decoded={"temperature": 20.5})
    await until(hass, lambda: coordinator.counters.caught_up == 2 and coordinator.caught_up)
    await hass.async_block_till_done()
    assert fired == []
    assert coordinator.counters.uplinks_today == 2

    for envelope in (*envelopes, *envelopes):
        assert await listening.post(envelope) == 200
    await sim.uplink("lpp-node", decoded={"temperature": 21.5})
    await until(hass, lambda: coordinator.counters.uplinks_today >= 5)
    await hass.async_block_till_done()
    assert coordinator.counters.uplinks_today == 5
    assert coordinator.counters.caught_up == 0
    assert fired == ["long_press_end", "multi_press_end"]
    device = coordinator.roster.by_device_id("weather-station")
    assert device is not None
    assert device.values["click"] == "double"


async def test_failures_are_an_issue_where_the_server_keeps_no_health(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    entry = await set_up(hass, sim, webhook_entry(sim))
    await until(hass, lambda: any("as.webhook.fail" in s.names for s in sim.events.subscribers))
    sim.faults.webhooks_fail = True
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await sim.webhooks.delivered()
    sim.faults.webhooks_fail = False
    assert "health_status" not in hook_of(sim)

    def failing() -> bool:
        look(hass)
        return reported(hass, "webhook_failing")

    await until(hass, failing)
    await until(hass, lambda: not entry.runtime_data.connected)
    await sim.uplink("weather-station", decoded={"temperature": 21.5})
    await until(hass, lambda: entry.runtime_data.connected)

    def works() -> bool:
        look(hass)
        return not issues(hass)

    await until(hass, works)


async def test_without_a_webhook_there_is_no_secret(hass: HomeAssistant, sim: Simulator) -> None:
    await set_up(hass, sim)
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(DOMAIN, "renew_webhook_secret", blocking=True)
    assert caught.value.translation_key == "management_no_webhook"
