"""The Storage Integration: what is kept, how it is read, how it fails."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
import json
from typing import Any

import aiohttp
import pytest

from tests.simulator import Simulator, StorageFailure
from tests.simulator_tests.clients import NOW, Answer, call, change, get

ALL = "/as/applications/{}/packages/storage/uplink_message"
ONE = "/as/applications/{}/devices/{}/packages/storage/uplink_message"
GARDEN = ALL.format("garden")
ASSOCIATION = "/as/applications/garden/packages/associations/100"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def go_on(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    """Return the simulator's clock."""
    return Clock()


@pytest.fixture
async def garden(clock: Clock) -> AsyncIterator[Simulator]:
    """Return the recorded application on a server that has the Storage Integration."""
    async with Simulator("garden", single_host=True, clock=clock) as simulator:
        simulator.faults.storage = True
        yield simulator


async def send(sim: Simulator, clock: Clock, count: int) -> None:
    """Let a device send one uplink a minute: n is 0, 1 and so on; the first in a minute."""
    for number in range(count):
        clock.go_on(minutes=1)
        await sim.uplink("lpp-node", decoded={"n": number})


def numbers(answer: Answer) -> list[int]:
    """Return which uplinks were read."""
    assert answer.status == 200, answer.text
    return [item["uplink_message"]["decoded_payload"]["n"] for item in answer.results]


def at(minute: float) -> str:
    """Return a time as it is written in a query, in minutes of the test."""
    return (NOW + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")


async def pages(sim: Simulator, **params: Any) -> list[list[int]]:
    """Return what each page has, up to the last; later requests have the token alone."""
    found = []
    while True:
        answer = await get(sim, GARDEN, params=params)
        found.append(numbers(answer))
        if (token := answer.headers.get("X-Continuation-Token")) is None:
            return found
        params = {"continuation_token": token}


async def test_storage_pages_the_last_24_hours(demo: Simulator) -> None:
    """Objects come separated by blank lines, newest first if asked, page by page."""
    path = ALL.format("riverside")
    parameters = {"limit": "50", "order": "-received_at"}
    stream = {"Accept": "text/event-stream"}
    seen: list[dict[str, Any]] = []
    while True:
        answer = await get(demo, path, params=parameters, headers=stream)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        seen += [json.loads(part)["result"] for part in answer.text.split("\n\n") if part]
        if (token := answer.headers.get("X-Continuation-Token")) is None:
            break
        parameters = {"continuation_token": token}
    times = [item["received_at"] for item in seen]
    assert times == sorted(times, reverse=True)
    assert min(times) > (NOW - timedelta(hours=24)).isoformat()
    silent = {"mailbox", "barn-freezer"}  # one never spoke, one is silent for longer than that
    assert {item["end_device_ids"]["device_id"] for item in seen} == set(demo.devices) - silent
    counts = (await get(demo, f"{path}/count")).json["count"]
    assert sum(counts.values()) == len(seen)


async def test_storage_of_one_device_since_a_time_with_a_field_mask(demo: Simulator) -> None:
    """What arrives now is stored, too; a mask leaves ids and time."""
    envelope = await demo.uplink("rain-barrel", decoded={"level": 3})
    answer = await get(
        demo,
        ONE.format("riverside", "rain-barrel"),
        params={
            "after": (NOW - timedelta(seconds=1)).isoformat().replace("+00:00", "Z"),
            "field_mask": "up.uplink_message.decoded_payload",
        },
    )
    [item] = answer.results
    assert item == {
        "end_device_ids": envelope["end_device_ids"],
        "received_at": envelope["received_at"],
        "uplink_message": {"decoded_payload": {"level": 3}},
    }


async def test_what_is_sent_while_nobody_listens_is_kept(garden: Simulator, clock: Clock) -> None:
    """For a day, without any connection."""
    await send(garden, clock, 3)
    assert garden.connections == 0
    assert numbers(await get(garden, GARDEN)) == [0, 1, 2]
    clock.go_on(hours=23, minutes=59, seconds=30)
    assert numbers(await get(garden, GARDEN)) == [2]
    clock.go_on(minutes=2)
    answer = await get(garden, GARDEN)
    assert (answer.text, answer.headers["Content-Type"]) == ("", "application/json")


async def test_time_limits_order_and_port(garden: Simulator, clock: Clock) -> None:
    """Uplinks after and before a time, newest first, of one port."""
    await send(garden, clock, 5)
    assert numbers(await get(garden, GARDEN, params={"after": at(3.5)})) == [3, 4]
    assert numbers(await get(garden, GARDEN, params={"before": at(2.5)})) == [0, 1]
    both = {"after": at(1.5), "before": at(4.5), "order": "-received_at"}
    assert numbers(await get(garden, GARDEN, params=both)) == [3, 2, 1]
    assert numbers(await get(garden, GARDEN, params={"last": "2m30s"})) == [2, 3, 4]
    assert numbers(await get(garden, GARDEN, params={"f_port": 9})) == []
    assert numbers(await get(garden, ONE.format("garden", "bath-radiator"))) == []
    answer = await get(garden, GARDEN.replace("uplink_message", "join_accept"))
    assert answer.results == []


async def test_queries_that_can_not_be(garden: Simulator) -> None:
    """A type or an order that there isn't, two ways to say when, a token of nobody."""
    answer = await get(garden, GARDEN, params={"order": "f_cnt"})
    assert answer.causes == [("order", "value must be in list [ -received_at received_at]")]
    answer = await get(garden, GARDEN.replace("uplink_message", "gossip"))
    assert answer.causes[0][0] == "type"
    assert (await get(garden, GARDEN, params={"last": "1h", "after": at(0)})).status == 400
    assert (await get(garden, GARDEN, params={"continuation_token": "bm90aGluZw=="})).status == 400


async def test_a_token_stands_for_the_whole_query(garden: Simulator, clock: Clock) -> None:
    """Order, limits and page go on; what comes meanwhile is in no page twice."""
    await send(garden, clock, 7)
    assert await pages(garden, limit=3) == [[0, 1, 2], [3, 4, 5], [6]]
    query = {"limit": 2, "order": "-received_at", "after": at(1.5), "before": at(6.5)}
    assert await pages(garden, **query) == [[5, 4], [3, 2], [1]]
    answer = await get(garden, GARDEN, params={"limit": 3, "order": "-received_at"})
    assert numbers(answer) == [6, 5, 4]
    await garden.uplink("lpp-node", decoded={"n": 7})
    token = answer.headers["X-Continuation-Token"]
    assert numbers(await get(garden, GARDEN, params={"continuation_token": token})) == [3, 2, 1]


async def test_a_server_without_it(garden: Simulator, clock: Clock) -> None:
    """Its paths don't exist, and nothing is kept until it has it."""
    with garden.faults.during(storage=False):
        await send(garden, clock, 1)
        answer = await get(garden, GARDEN)
        assert (answer.status, answer.json) == (404, {"code": 5, "message": "Not Found"})
        packages = await get(garden, "/as/applications/garden/devices/lpp-node/packages")
        assert "storage-integration" not in packages.text
    assert numbers(await get(garden, GARDEN)) == []
    packages = await get(garden, "/as/applications/garden/devices/lpp-node/packages")
    assert "storage-integration" in packages.text


async def test_switched_off_and_on_again(garden: Simulator, clock: Clock) -> None:
    """In the Console or over HTTP; what comes meanwhile is not kept."""
    garden.switch_storage(on=False)
    assert (await get(garden, "/as/applications/garden/packages/associations")).json == {}
    await send(garden, clock, 1)
    assert numbers(await get(garden, GARDEN)) == []
    fields = {"package_name": "storage-integration"}
    answer = await change(garden, ASSOCIATION, "default", fields)
    assert answer.json["package_name"] == "storage-integration"
    await send(garden, clock, 2)
    assert numbers(await get(garden, GARDEN)) == [0, 1]
    assert (await call(garden, "DELETE", ASSOCIATION)).status == 200
    await garden.uplink("lpp-node", decoded={"n": 9})
    garden.switch_storage(on=True)
    assert numbers(await get(garden, GARDEN)) == [0, 1]


async def test_switching_needs_a_right_and_a_name(garden: Simulator) -> None:
    """SETTINGS_PACKAGES; a package's name follows the rules of ids."""
    body = {"default": {"package_name": "storage-integration"}}
    answer = await call(garden, "PUT", ASSOCIATION, "control", json=body)
    assert answer.json["details"][0]["attributes"]["missing"] == [
        "RIGHT_APPLICATION_SETTINGS_PACKAGES"
    ]
    answer = await change(garden, ASSOCIATION, "default", {"package_name": "Storage"})
    assert [field for field, _ in answer.causes] == ["default", "package_name"]
    answer = await change(garden, ASSOCIATION[:-3] + "256", "default", body["default"])
    assert [field for field, _ in answer.causes] == ["default", "ids", "f_port"]


async def test_what_is_fresh_is_read_late(garden: Simulator, clock: Clock) -> None:
    """Messages are written in batches."""
    garden.faults.storage_lag = timedelta(minutes=1)
    await send(garden, clock, 2)
    clock.go_on(seconds=30)
    assert numbers(await get(garden, GARDEN)) == [0]
    clock.go_on(seconds=60)
    assert numbers(await get(garden, GARDEN)) == [0, 1]


async def test_refused_a_few_times(garden: Simulator, clock: Clock) -> None:
    """500, then 429 with the seconds to wait, each as often as chosen."""
    await send(garden, clock, 1)
    garden.faults.storage_failure = StorageFailure(status=500, times=2)
    assert [(await get(garden, GARDEN)).status for _ in range(3)] == [500, 500, 200]
    garden.faults.storage_failure = StorageFailure(status=429, retry_seconds=7)
    for _ in range(2):
        answer = await get(garden, GARDEN)
        assert (answer.status, answer.headers["X-Rate-Limit-Retry"]) == (429, "7")
    garden.faults.storage_failure = None
    assert numbers(await get(garden, GARDEN)) == [0]


async def test_broken_in_the_middle(garden: Simulator, clock: Clock) -> None:
    """Some messages come, then the connection ends, or an error."""
    await send(garden, clock, 5)
    garden.faults.storage_failure = StorageFailure(breaks_after=2)
    headers = {"Authorization": f"Bearer {garden.key('read')}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{garden.server_url}/api/v3{GARDEN}", headers=headers) as response,
    ):
        lines = [await response.content.readline() for _ in range(2)]
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.content.readline()
    assert [json.loads(line)["result"]["received_at"] for line in lines]
    garden.faults.storage_failure = StorageFailure(error_after=3)
    answer = await get(garden, GARDEN)
    *items, last = [json.loads(line) for line in answer.text.splitlines()]
    assert [item["result"]["uplink_message"]["decoded_payload"]["n"] for item in items] == [0, 1, 2]
    assert last["error"]["code"] == 14


async def test_slow(garden: Simulator, clock: Clock) -> None:
    """Every message takes its time, and all come."""
    await send(garden, clock, 5)
    garden.faults.storage_failure = StorageFailure(message_seconds=0.001)
    assert numbers(await get(garden, GARDEN)) == [0, 1, 2, 3, 4]


async def test_a_token_that_comes_again_and_again(garden: Simulator, clock: Clock) -> None:
    """A client that trusts it never ends."""
    await send(garden, clock, 5)
    garden.faults.token_repeated = True
    first = await get(garden, GARDEN, params={"limit": 2})
    token = first.headers["X-Continuation-Token"]
    for _ in range(3):
        answer = await get(garden, GARDEN, params={"continuation_token": token})
        assert numbers(answer) == [2, 3]
        assert answer.headers["X-Continuation-Token"] == token
