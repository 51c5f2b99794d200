"""The registry of webhooks, and what the server posts to one."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.simulator import Simulator
from tests.simulator.events import Subscriber
from thethingsstack import (
    Conflict,
    Downlink,
    DownlinkAddress,
    InvalidRequest,
    MissingRight,
    NoApiKey,
    NotFound,
    Stack,
)
from thethingsstack.events import Event
from thethingsstack.webhooks import (
    DELIVERY_FAILED,
    MESSAGE_TYPES,
    FailedDelivery,
    Webhook,
    Webhooks,
)

from .conftest import MakeStack, recorded

OURS = Webhook(
    webhook_id="home-assistant",
    base_url="https://ha.example/api/webhook/abc123",
    headers={"X-Secret": "hidden"},
    downlink_api_key="NNSXS.HIDDEN",
)


def webhooks_of(stack: Stack) -> Webhooks:
    """Return the webhooks as a client's user gets them."""
    return stack.webhooks


@pytest.fixture
def webhooks(make_stack: MakeStack) -> Webhooks:
    """A client that may change webhooks."""
    return webhooks_of(make_stack("manage"))


async def test_a_webhook_is_made_read_changed_and_removed(webhooks: Webhooks) -> None:
    made = await webhooks.create(OURS)
    assert made.message_types == MESSAGE_TYPES
    there = await webhooks.get("home-assistant")
    assert there.same_settings(OURS)
    (listed,) = await webhooks.list()
    assert listed.same_settings(OURS)
    paused = replace(OURS, paused=True, message_types=("uplink_message",), headers={})
    await webhooks.replace(paused)
    there = await webhooks.get("home-assistant")
    assert (there.paused, there.message_types, there.headers) == (True, ("uplink_message",), {})
    assert not there.same_settings(OURS)
    for _ in range(2):  # the second is no error
        await webhooks.delete("home-assistant")
    with pytest.raises(NotFound):
        await webhooks.get("home-assistant")


async def test_another_webhook_is_not_overwritten(webhooks: Webhooks) -> None:
    theirs = replace(OURS, base_url="https://other.example/")
    await webhooks.create(theirs)
    with pytest.raises(Conflict) as caught:
        await webhooks.create(OURS)
    assert caught.value.name == "webhook_exists"
    assert (await webhooks.get("home-assistant")).base_url == "https://other.example/"


async def test_what_cannot_be_a_webhook_is_refused(webhooks: Webhooks) -> None:
    for wrong in ({"webhook_id": "No"}, {"message_types": ("uplink",)}, {"base_url": "no address"}):
        with pytest.raises(InvalidRequest):
            await webhooks.replace(replace(OURS, **wrong))  # type: ignore[arg-type]
    assert await webhooks.list() == []


async def test_rights_are_needed(make_stack: MakeStack) -> None:
    with pytest.raises(MissingRight):
        await webhooks_of(make_stack("control")).replace(OURS)
    with pytest.raises(MissingRight):
        await webhooks_of(make_stack("info")).list()


@pytest.mark.parametrize("case", ["create", "get", "list", "update_pause", "get_health"])
def test_recorded_webhooks_are_read(case: str) -> None:
    answer: dict[str, Any] = recorded(f"http/webhooks/{case}.json")["response"]["json"]
    for data in answer.get("webhooks", [answer]):
        webhook = Webhook.from_json(data)
        assert webhook.webhook_id
        assert webhook.base_url.startswith("http://127.0.0.1:9000/")
        assert webhook.paused is (case == "update_pause")


def test_health_of_a_failing_webhook_is_read() -> None:
    failure = {
        "failed_attempts": "7",
        "last_failed_attempt_at": "2026-11-23T09:32:00Z",
        "last_failed_attempt_details": {"message_format": "unexpected status code"},
    }
    webhook = Webhook.from_json({"health_status": {"unhealthy": failure}})
    assert webhook.failure is not None
    assert (webhook.failure.attempts, webhook.failure.details) == (7, "unexpected status code")
    assert Webhook.from_json({"health_status": {"healthy": {}}}).failure is None


def test_recorded_failures_of_deliveries_are_read() -> None:
    events = [Event.from_json(item["result"]) for item in recorded("events/day.json")]
    failed = [found for event in events if (found := FailedDelivery.from_event(event))]
    assert len(failed) > 5
    assert {one.webhook_id for one in failed} == {"broken"}
    assert {one.details for one in failed} == {"the answer was 500"}
    assert all(one.at is not None for one in failed)


def test_secrets_stay_out_of_the_text() -> None:
    assert "hidden" not in repr(OURS).lower()


async def test_the_simulator_posts_once_and_waits_no_longer_than_the_server(
    simulator: Simulator, webhooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails is in no delivery that follows; an event tells it."""
    monkeypatch.setattr("tests.simulator.deliveries.TIMEOUT", 0.1)
    attempts = 0

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        await reader.read()
        writer.close()

    events = Subscriber(lambda event: event["name"] == DELIVERY_FAILED, [])
    simulator.events.subscribers.append(events)
    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await webhooks.create(replace(OURS, base_url=f"http://127.0.0.1:{port}/"))
        await simulator.uplink("weather-station", decoded={"temperature": 5})
        await simulator.webhooks.delivered()
    assert attempts == 1
    assert [status for _, status in simulator.webhooks.deliveries] == [None]
    told = events.waiting.get_nowait()
    assert told is not None
    failed = FailedDelivery.from_event(Event.from_json(told))
    assert failed is not None
    assert (failed.webhook_id, failed.details) == ("home-assistant", "request")


async def test_the_simulator_posts_to_it(simulator: Simulator, webhooks: Webhooks) -> None:
    await webhooks.create(replace(OURS, base_url=f"{simulator.server_url}/nowhere"))
    await simulator.uplink("weather-station")
    await simulator.webhooks.delivered()
    assert [url for url, _ in simulator.webhooks.deliveries] == [f"{simulator.server_url}/nowhere"]


async def test_a_webhook_that_was_given_up_can_be_tried_again(
    simulator: Simulator, webhooks: Webhooks
) -> None:
    assert await webhooks.tolerated_failures() is None
    simulator.stack.tolerated_failures = 2
    assert await webhooks.tolerated_failures() == 2
    made = await webhooks.create(replace(OURS, base_url="http://127.0.0.1:9/"))
    assert made.created_at is not None
    for _ in range(3):  # the third isn't tried
        await simulator.uplink("weather-station")
        await simulator.webhooks.delivered()
    assert len(simulator.webhooks.deliveries) == 2
    there = await webhooks.get("home-assistant")
    assert there.failure is not None
    assert there.failure.attempts == 2
    await webhooks.reactivate("home-assistant")
    assert (await webhooks.get("home-assistant")).failure is None
    await simulator.uplink("weather-station")
    await simulator.webhooks.delivered()
    assert len(simulator.webhooks.deliveries) == 3


def test_recorded_deliveries_name_where_downlinks_go() -> None:
    found = {
        (item["body"]["end_device_ids"]["device_id"], address)
        for item in recorded("webhooks/requests.json")
        if (
            address := DownlinkAddress.from_headers(
                item["headers"],
                application_id="garden",
                device_id=item["body"]["end_device_ids"]["device_id"],
            )
        )
    }
    assert len(found) > 3
    assert {address.webhook_id for _, address in found} == {"home-assistant"}
    assert "<application key" not in repr(found)


async def test_downlinks_go_by_the_address_without_a_key(
    simulator: Simulator, make_stack: MakeStack
) -> None:
    """Everything else needs a key, and says so without asking."""
    await webhooks_of(make_stack("manage")).create(OURS)
    addresses = {
        "pump-socket": DownlinkAddress(
            webhook_id="home-assistant", api_key=simulator.key("control")
        )
    }
    stack = make_stack(connection={"api_key": ""})
    stack.use_webhook_downlinks(addresses.get)
    downlink = Downlink(f_port=1, payload=b"\x01")
    simulator.requests.clear()
    await stack.downlinks.push("pump-socket", [downlink])
    await stack.downlinks.replace("pump-socket", [downlink])
    down = "/api/v3/as/applications/garden/webhooks/home-assistant/devices/pump-socket/down"
    assert simulator.requests == [("POST", f"{down}/push"), ("POST", f"{down}/replace")]
    with pytest.raises(InvalidRequest) as caught:
        await stack.downlinks.push("weather-station", [downlink])
    assert caught.value.name == "no_downlink_address"
    with pytest.raises(InvalidRequest) as caught:
        await stack.downlinks.push("pump-socket", [Downlink(payload=b"\x01")])
    assert caught.value.name == "no_f_port"
    simulator.application.webhooks["home-assistant"]["paused"] = True
    with pytest.raises(InvalidRequest) as caught:
        await stack.downlinks.push("pump-socket", [downlink])
    assert caught.value.name == "webhook_paused"
    simulator.requests.clear()
    with pytest.raises(NoApiKey):
        await stack.downlinks.queue("pump-socket")
    with pytest.raises(NoApiKey):
        await stack.rights()
    assert simulator.requests == []
