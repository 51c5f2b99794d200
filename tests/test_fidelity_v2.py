"""The v2 simulator is held to the recordings: same requests, same frames, same answers."""

from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import Any

import aiohttp
import pytest

from tests.recordings import differences, load
from tests.recordings_v2 import APPLICATIONS, by_topic, content, exchanges, kinds, radio
from tests.replay_v2 import Day
from tests.simulator.v2 import Simulator
from tests.simulator.v2.limits import Limits
from tests.simulator.v2.world import add_device

NOT_SPOKEN = {
    "Trailer, Transfer-Encoding and Content-Length of answers": "they are the web server's choice",
    "gRPC": "the integration and its command line speak HTTP; dry runs hold the functions",
    "the engine's words about a script that can't be read": "it is another engine",
    "window, data rate and power of downlinks, what is encrypted and signed": "it has no radio",
    "answers to MAC commands": "it doesn't know them; a test says when there is one",
}
"""What of the recordings the simulator doesn't speak, and why."""

type Step = str | Callable[[Day], Awaitable[None]]


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(request: pytest.FixtureRequest) -> None:
    """Run without Home Assistant; allow sockets where its test plugin forbids them."""
    if find_spec("pytest_socket") is not None:
        request.getfixturevalue("socket_enabled")


async def _unregister(day: Day) -> None:
    await day.call("DELETE", "/garden")


async def _register(day: Day) -> None:
    for application_id in ("raw-garden", "empty-garden", "neighbour"):
        await day.call("POST", "", {"app_id": application_id})


async def _listen(day: Day) -> None:
    await day.listener.__aenter__()


async def _create_never_joined(day: Day) -> None:
    await day.device(
        "garden",
        "never-joined",
        description="Never joined",
        app_eui="70B3D57ED0000001",
        dev_eui="0004A30B00F1A002",
        app_key="2B7E151628AED2A6ABF7158809CF4F3C",
    )


async def _create_others(day: Day) -> None:
    key = "2B7E151628AED2A6ABF7158809CF4F3C"
    for application_id, device_id, number in (
        ("lpp-garden", "lpp-node", 2),
        ("raw-garden", "raw-node", 3),
    ):
        euis = {"app_eui": f"70B3D57ED000000{number}", "dev_eui": f"70B3D57ED006000{number}"}
        await day.device(application_id, device_id, app_key=key, **euis)
    # Nobody listened when this one was created.
    empty = day.sim.stack.applications["empty-garden"]
    add_device(
        day.sim.stack,
        empty,
        "broken-node",
        app_eui="70B3D57ED0000004",
        dev_eui="70B3D57ED0060004",
        joined=False,
    )


async def _delete_some(day: Day) -> None:
    for device_id in ("under_score", "path-three", "no-eui", "abp-outside"):
        await day.call("DELETE", f"/garden/devices/{device_id}")


async def _traffic(day: Day) -> None:
    await day.steps(
        "greenhouse-climate joins",
        "now through the other gateway: the waiting downlink is sent",
    )


async def _change_some(day: Day) -> None:
    euis = {"app_eui": "70B3D57ED0000001"}
    await day.device("garden", "never-joined", dev_eui="0004A30B00F1A002", **euis)
    new = {"dev_eui": "0004A30B00F1A0AA", **euis}
    await day.device("garden", "new-node", latitude=1.5, longitude=2.5, altitude=3, **new)
    await day.device("garden", "new-node", latitude=1.5, longitude=2.5, altitude=3, **new)
    await day.call("DELETE", "/garden/devices/new-node")


async def _next_uplink(day: Day) -> None:
    await day.steps("its next uplink", "its next uplink")


async def _compare(day: Day) -> None:
    """Compare all messages of the run."""
    day.received += await day.listener.collect()
    recorded = [content(message) for message in day.messages]
    day.problems += differences(by_topic(recorded), by_topic(day.received), "messages")
    day.problems += differences(kinds(recorded), kinds(day.received), "order")
    day.received = []


async def _template(day: Day) -> None:
    """Compare what the creation of a template publishes."""
    recorded = load("v2/mqtt/register_on_join.json")[:1]
    received = await day.listener.collect()
    expected = [content(message) for message in recorded]
    ours = [item for item in received if item[0].startswith("neighbour/")]
    day.problems += differences(by_topic(expected), by_topic(ours), "template")


async def _rejoin(day: Day) -> None:
    await day.sim.join("greenhouse-climate")
    await day.sim.uplink("greenhouse-climate", port=2, payload=bytes(9))
    await day.listener.collect()


async def _join_by_template(day: Day) -> None:
    """Compare what a join by a template publishes."""
    device = await day.sim.register_on_join("any", "0102030405060708")
    assert device is not None
    recorded = load("v2/mqtt/register_on_join.json")[1:]
    await radio(day.sim, recorded[-1])
    received = await day.listener.collect()
    expected = by_topic(content(message) for message in recorded)
    day.problems += differences(expected, by_topic(received), "on join")


async def _nine_devices(day: Day) -> None:
    await day.call("POST", "", {"app_id": "empty-garden"})
    for number in range(9):
        euis = {"app_eui": "70B3D57ED0000004", "dev_eui": f"0004A30B00F1B00{number}"}
        await day.device("empty-garden", f"node-{number}", app_key="2B" * 16, **euis)
    day.sim.stack.limits = Limits(lambda: 0.0)


async def _later(day: Day) -> None:
    day.sim.stack.limits.counted = False


def _all(topic: str) -> list[str]:
    return sorted(name for name in exchanges() if name.startswith(f"{topic}/"))


DAY: list[Step] = [
    "applications/get_unregistered",
    "applications/set_unregistered",
    "devices/list_unregistered",
    "applications/register_bad_id",
    "applications/register_no_id",
    "applications/register_foreign",
    "applications/register_default_key",
    _unregister,
    "applications/register",
    "applications/register_again",
    "applications/get_new",
    "applications/register_by_user_token",
    _register,
    "applications/set_functions",
    "applications/get",
    "applications/get_by_user_token",
    "applications/set_partial",
    "applications/get_after_set_partial",
    "applications/set_functions_without_format",
    "applications/get_after_set_without_format",
    "applications/get_id_in_body_differs",
    "applications/set_cayennelpp",
    "applications/get_cayennelpp",
    "applications/set_unknown_format",
    "applications/get_unknown_format",
    "applications/set_empty",
    "applications/set_syntax_error",
    *_all("rights"),
    *_all("errors"),
    *_all("discovery"),
    _listen,
    "devices/list_empty",
    "devices/create_otaa",
    "devices/get_otaa",
    "devices/create_post_collection",
    "devices/create_put_collection",
    "devices/create_put",
    "devices/create_abp",
    "devices/get_abp",
    _create_never_joined,
    "devices/create_lower_case_euis",
    "devices/get_lower_case_euis",
    "devices/create_underscore_id",
    "devices/create_no_euis",
    "devices/create_path_and_body_differ",
    "devices/get_created_under_path_id",
    "devices/create_unannounced_dev_addr",
    "devices/create_bad_id",
    "devices/create_base64_euis",
    "devices/create_foreign_application",
    "devices/create_ids_only_in_path",
    "devices/create_key_without_devices_right",
    "devices/create_long_id",
    "devices/create_no_lorawan",
    "devices/create_one_character_id",
    "devices/create_same_euis",
    "devices/create_short_eui",
    _create_others,
    "devices/list",
    "devices/list_limit_2",
    "devices/list_limit_2_offset_2",
    "devices/list_offset_beyond",
    "devices/list_bad_limit",
    "devices/list_devices_only",
    "devices/get_missing",
    "devices/get_bad_id",
    "devices/update_all_fields",
    "devices/get_after_update",
    "devices/update_partial",
    "devices/get_after_update_partial",
    "devices/update_dev_eui",
    "devices/delete",
    "devices/get_deleted",
    "devices/delete_missing",
    _delete_some,
    "devices/list_after",
    _traffic,
    "devices/get_after_traffic",
    "devices/list_after_traffic",
    _change_some,
    "devices/set_joined_device_without_session_keys",
    "devices/get_joined_device_after",
    _next_uplink,
    _compare,
    _rejoin,
    "devices/get_before_update_without_fields",
    "devices/update_without_fields",
    "devices/get_after_update_without_fields",
    "devices/update_many_attributes",
    "devices/get_after_update_many_attributes",
    "register_on_join/set_application",
    "register_on_join/get_application",
    "register_on_join/create_template_device",
    _template,
    _join_by_template,
    "register_on_join/list_devices_after",
    "applications/delete_with_a_device",
    _nine_devices,
    "applications/delete_with_many_devices",
    "applications/list_after_failed_delete",
    _later,
    "applications/delete_with_many_devices_second_try",
    "applications/delete",
    "applications/delete_again",
]


async def test_replay_of_the_recorded_day() -> None:
    """From an empty server on, the same requests and frames give the same answers and messages."""
    async with Simulator("empty") as sim, aiohttp.ClientSession() as session:
        sim.user.applications |= set(APPLICATIONS)
        sim.stack.limits.counted = False
        day = Day(sim, session)
        for step in DAY:
            if isinstance(step, str):
                await day.exchange(step)
            else:
                await step(day)
        await day.listener.__aexit__()
    assert not day.problems, "\n".join(day.problems)
    assert day.spoken | {"rate_limit/sixteen_at_once"} == exchanges()


async def test_calls_in_a_second() -> None:
    """Of sixteen calls at once, five are answered, five wait a little, and the rest is refused."""
    recorded = load("v2/http/rate_limit/sixteen_at_once.json")["responses"]
    now, waited = 1000.0, []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with Simulator("garden", sleep=sleep) as sim, aiohttp.ClientSession() as session:
        sim.stack.limits = Limits(lambda: now)

        async def call() -> tuple[int, Any]:
            async with session.get(
                f"{sim.handler_url}/applications/garden",
                headers={"Authorization": f"Key {sim.key()}"},
            ) as response:
                body = await response.json()
                return response.status, body if response.status != 200 else "the application"

        await call()
        # Ten seconds later, shortly before the next one begins.
        now += 10.91
        answers = [await call() for _ in recorded]
    assert sorted(answers, key=str) == sorted(
        ((item["status"], item["json"]) for item in recorded), key=str
    )
    slow = [item for item in recorded if item["status"] == 200 and item["seconds"] > 0.05]
    assert len(waited) == len(slow)
    assert all(0 < seconds < 0.1 for seconds in waited)
