"""The webhook that the integration makes in The Things Stack with a key that may."""

from functools import partial
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.webhook import SECRET_HEADER
from custom_components.thethingsstack.webhook.managed import PAUSES, Pauses, own_id
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator
from tests.simulator.webhooks import MESSAGES

from .conftest import SECRET, Listening, webhook_entry

OTHERS = {"base_url": "https://other.example/", "format": "json", "uplink_message": {}}


def hook_of(sim: Simulator, entry: MockConfigEntry) -> dict[str, Any]:
    """Return our webhook as the server has it."""
    return sim.application.webhooks[own_id(entry)]


def look(hass: HomeAssistant) -> None:
    """Let the integration look at its webhook, as it does when the address may have changed."""
    hass.bus.async_fire("core_config_updated")


def issues(hass: HomeAssistant) -> set[str]:
    """Return what there is to repair."""
    return {
        issue.translation_key or ""
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
    }


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
    hook = hook_of(sim, entry)
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
    entry = await set_up(hass, sim, webhook_entry(sim))
    hook = hook_of(sim, entry)
    created = hook["created_at"]
    if change is None:
        sim.application.webhooks.clear()
    else:
        hook |= change
        for name in [name for name, value in change.items() if value is None]:
            del hook[name]
    look(hass)

    def corrected() -> bool:
        there = sim.application.webhooks.get(own_id(entry), {})
        return bool(
            there.get("headers") == {SECRET_HEADER: SECRET}
            and there["base_url"].startswith(listening.url)
            and not there.get("paused")
            and not there.get("field_mask", {}).get("paths")
            and there.keys() >= MESSAGES
        )

    await until(hass, corrected)
    assert (hook_of(sim, entry)["created_at"] == created) is (change is not None)


async def test_it_follows_the_address_of_home_assistant(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    entry = await set_up(hass, sim, webhook_entry(sim))
    await hass.config.async_update(internal_url="http://127.0.0.2:8123")
    await until(hass, lambda: hook_of(sim, entry)["base_url"].startswith("http://127.0.0.2:8123/"))


async def test_another_webhook_of_the_same_id_is_left_alone(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """An issue says so; when it is gone, ours is made."""
    entry = webhook_entry(sim)
    theirs = {**OTHERS, "ids": {"webhook_id": own_id(entry)}, "created_at": "2020-01-01T00:00:00Z"}
    sim.application.webhooks[own_id(entry)] = dict(theirs)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: "webhook_taken" in issues(hass))
    assert sim.application.webhooks == {own_id(entry): theirs}
    assert not entry.runtime_data.connected
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert sim.application.webhooks == {own_id(entry): theirs}


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
    sim.faults.errors[own_id(entry)] = (500, "internal")
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
    await until(hass, lambda: hook_of(sim, entry)["base_url"].startswith(str(right)))
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: entry.runtime_data.connected)
    assert issues(hass) == set()


async def test_failures_that_the_server_reports_are_an_issue(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """After some more it stops trying; reloading lets it try again."""
    sim.stack.tolerated_failures = 3
    entry = await set_up(hass, sim, webhook_entry(sim))
    hook = hook_of(sim, entry)
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
    assert not entry.runtime_data.connected
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
    assert hook_of(sim, entry)["health_status"] == {"healthy": {}}


async def test_an_address_that_cannot_be_reached_is_an_issue(
    hass: HomeAssistant, sim: Simulator, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is made before there is one."""

    async def far_away(*_args: object) -> bool:
        return False

    monkeypatch.setattr(
        "custom_components.thethingsstack.webhook.address.async_is_nearby", far_away
    )
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
    await until(hass, lambda: own_id(entry) in sim.application.webhooks)
    assert hook_of(sim, entry)["base_url"].startswith("https://ha.example.org/api/webhook/")
    await until(hass, lambda: issues(hass) == set())


async def test_changing_from_mqtt_makes_one(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    hass.config_entries.async_update_entry(entry, data={**entry.data, "door": "webhook"})
    await until(hass, lambda: own_id(entry) in sim.application.webhooks)
    await connected(hass, entry, "webhook")


async def test_the_secret_can_be_renewed(
    hass: HomeAssistant, sim: Simulator, listening: Listening
) -> None:
    """The earlier one counts until the first delivery with the new one."""
    entry = await set_up(hass, sim, webhook_entry(sim))
    answer = await hass.services.async_call(
        DOMAIN, "renew_webhook_secret", blocking=True, return_response=True
    )
    assert answer == {"header": SECRET_HEADER, "secret": None}
    secret = entry.data["webhook_secret"]
    assert secret != SECRET
    assert hook_of(sim, entry)["headers"] == {SECRET_HEADER: secret}
    assert await listening.post({}, secret=SECRET) == 400  # known, so its content is looked at
    assert await listening.post({}, secret=secret) == 400
    assert await listening.post({}, secret=SECRET) == 401
    assert "webhook_earlier_secret" not in entry.data
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today == 1)


async def test_without_a_webhook_there_is_no_secret(hass: HomeAssistant, sim: Simulator) -> None:
    await set_up(hass, sim)
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(DOMAIN, "renew_webhook_secret", blocking=True)
    assert caught.value.translation_key == "management_no_webhook"
