"""The application's calls, against the simulated stack."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from tests.simulator import Simulator
from thethingsstack import (
    AuthenticationFailed,
    Conflict,
    InvalidRequest,
    MissingRight,
    MqttAddress,
    MqttRefused,
    NotFound,
    ServerFailed,
    Stack,
    StorageUnavailable,
    UplinkMessage,
    api as calls,
    storage,
    tls_context,
)
from thethingsstack.field_masks import merge

from .conftest import MakeStack, Sleeps, connection_to
from .test_transport import KEY, serving

APP = "garden"


async def test_auth_info(make_stack: MakeStack) -> None:
    info = await make_stack("read").auth_info()
    assert info.application_id == APP
    assert info.key_name == "read"
    assert "RIGHT_APPLICATION_TRAFFIC_READ" in info.rights
    assert info.user_id is info.organization_id is info.gateway_id is None
    assert info.expires_at is None
    assert not info.is_admin


async def test_auth_info_of_other_keys(make_stack: MakeStack) -> None:
    assert (await make_stack("expiring").auth_info()).expires_at is not None
    info = await make_stack("user").auth_info()
    assert info.application_id is None
    assert info.user_id == "admin"


async def test_rights(make_stack: MakeStack) -> None:
    assert await make_stack("traffic").rights() == {"RIGHT_APPLICATION_TRAFFIC_READ"}
    assert await make_stack("other").rights() == frozenset()
    assert await make_stack("read").rights("nosuchapp") == frozenset()
    assert "RIGHT_APPLICATION_DEVICES_READ" in await make_stack("all").rights()


async def test_applications(make_stack: MakeStack) -> None:
    found = await make_stack("user").applications()
    assert APP in {application.application_id for application in found}
    assert len(found) == 2
    assert await make_stack("read").applications() == []


async def test_application(make_stack: MakeStack) -> None:
    application = await make_stack("read").application()
    assert application.name == "Garden"
    assert application.application_server_address == "localhost"
    with pytest.raises(MissingRight) as raised:
        await make_stack("traffic").application()
    assert raised.value.rights == ("RIGHT_APPLICATION_INFO",)


async def test_devices(
    simulator: Simulator, make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "PAGE", 3)
    found = [device async for device in make_stack("read").devices()]
    assert [device.ids.device_id for device in found] == sorted(simulator.devices)
    climate = next(item for item in found if item.ids.device_id == "greenhouse-climate")
    assert climate.name == "Greenhouse climate"
    assert climate.attributes == {"room": "Greenhouse"}
    assert climate.version_ids is not None
    assert climate.version_ids.model_id == "lht65n"
    assert climate.locations["user"].altitude == 2
    assert climate.ids.dev_eui == "A84041000181C061"
    with pytest.raises(MissingRight):
        [device async for device in make_stack("traffic").devices()]


async def test_device(make_stack: MakeStack) -> None:
    device = await make_stack("read").device("bath-radiator", ["name"])
    assert device.name == "Bathroom radiator"
    assert device.version_ids is None
    with pytest.raises(NotFound) as raised:
        await make_stack("read").device("nosuch")
    assert raised.value.status == 404


async def test_odd_ids_stay_in_their_place(simulator: Simulator, make_stack: MakeStack) -> None:
    """A slash is quoted, so the server sees an id that can't be."""
    with pytest.raises(InvalidRequest) as raised:
        await make_stack("read").device("nosuch/../device")
    assert raised.value.status == 400
    assert raised.value.field == "end_device_ids.device_id"
    simulator.requests.clear()
    for odd in (".", "..", ""):
        with pytest.raises(InvalidRequest) as raised:
            await make_stack("all").end_devices.delete(odd)
        assert raised.value.name == "invalid_id"
        with pytest.raises(InvalidRequest):
            await make_stack("all").downlinks.clear(odd)
        with pytest.raises(InvalidRequest):
            await make_stack("all").rights(odd or ".")
    for odd in ("+", "lpp-node/down/replace", "#"):
        with pytest.raises(InvalidRequest):
            await make_stack("all").publish_downlinks("push", odd, [])
    assert simulator.requests == []


async def test_device_everywhere(simulator: Simulator, make_stack: MakeStack) -> None:
    merged = await make_stack("read").end_devices.details("greenhouse-climate")
    assert merged["name"] == "Greenhouse climate"
    assert merged["frequency_plan_id"]
    assert merged["formatters"]
    assert "root_keys" not in merged
    assert "key" not in str(merged)
    abp = await make_stack("read").end_devices.details("old-abp-node")
    assert abp["lorawan_version"]
    with pytest.raises(NotFound):
        await make_stack("read").end_devices.details("nosuch")


def test_merge_keeps_what_is_there() -> None:
    into: dict[str, Any] = {"a": 1, "b": {"c": 2}, "d": {"e": 1}}
    assert merge(into, {"a": 5, "b": {"c": 6, "f": 7}, "d": 3, "g": 8}) == {
        "a": 1,
        "b": {"c": 2, "f": 7},
        "d": {"e": 1},
        "g": 8,
    }


# -- The Storage Integration --------------------------------------------------------------------


async def test_stored_uplinks(
    simulator: Simulator, make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "PAGE", 2)
    simulator.faults.storage = True
    sent = [await simulator.uplink("weather-station") for _ in range(5)]
    stack = make_stack("read")
    found = [message async for message in stack.stored_uplinks()]
    stored = [message for message in found if message.ids.device_id == "weather-station"]
    assert [message.raw["received_at"] for message in stored][-5:] == [
        envelope["received_at"] for envelope in sent
    ]
    assert all(isinstance(message, UplinkMessage) for message in found)
    first = stored[-5].received_at
    assert first is not None
    later = [message async for message in stack.stored_uplinks(after=first)]
    assert 4 <= len(later) <= 5
    three = [m async for m in stack.stored_uplinks(limit=3, device_id="weather-station")]
    assert len(three) == 3


async def test_no_storage(make_stack: MakeStack) -> None:
    with pytest.raises(StorageUnavailable) as raised:
        [message async for message in make_stack("read").stored_uplinks()]
    assert raised.value.status == 404


async def test_storage_is_switched_on(simulator: Simulator, make_stack: MakeStack) -> None:
    """On the usual port, or on a free one; never twice."""
    simulator.faults.storage = True
    storage_integration = make_stack("manage").storage_integration
    simulator.application.associate("alcsync-v1", 100, simulator.stack.now())
    assert not await storage_integration.enabled()
    with pytest.raises(MissingRight):
        await make_stack("read").storage_integration.enable()
    await storage_integration.enable()
    await storage_integration.enable()
    assert await make_stack("read").storage_integration.enabled()
    used = simulator.application.associations
    assert {port: item["package_name"] for port, item in used.items()} == {
        100: "alcsync-v1",
        101: "storage-integration",
    }
    await simulator.uplink("weather-station", decoded={"number": 1})
    stored = [message async for message in make_stack("read").stored_uplinks()]
    assert [message.ids.device_id for message in stored] == ["weather-station"]


async def test_storage_is_switched_on_where_no_port_is_free(
    simulator: Simulator, make_stack: MakeStack
) -> None:
    for port in range(1, 224):
        simulator.application.associate("alcsync-v1", port, simulator.stack.now())
    with pytest.raises(Conflict) as raised:
        await make_stack("manage").storage_integration.enable()
    assert raised.value.name == "no_free_port"


async def test_nothing_stored(simulator: Simulator, make_stack: MakeStack) -> None:
    simulator.faults.storage = True
    future = datetime.now(UTC) + timedelta(days=1)
    assert [m async for m in make_stack("read").stored_uplinks(after=future)] == []


ITEM = (
    '{"result":{"end_device_ids":{"device_id":"x","application_ids":{"application_id":"app"}},'
    '"received_at":"2026-05-01T10:00:00.123456789Z","uplink_message":{"f_port":%d}}}\n\n'
)


@pytest.fixture
async def pages(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Stack, list[dict[str, str]], list[web.Response]]]:
    monkeypatch.setattr(storage, "PAGE", 2)
    asked: list[dict[str, str]] = []
    answers: list[web.Response] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(dict(request.query))
        return answers.pop(0)

    async with serving(answer, session) as stack:
        yield stack, asked, answers


async def test_stored_pages_by_token(pages: Any) -> None:
    stack, asked, answers = pages
    answers += [
        web.Response(text=ITEM % 1 + ITEM % 2, headers={"X-Continuation-Token": "more"}),
        web.Response(text=(ITEM % 3).strip()),
    ]
    found = [message.f_port async for message in stack.stored_uplinks()]
    assert found == [1, 2, 3]
    assert asked[1] == {"continuation_token": "more"}


async def test_stored_pages_by_time_where_there_is_no_token(pages: Any) -> None:
    stack, asked, answers = pages
    answers += [web.Response(text=ITEM % 1 + ITEM % 2), web.Response(text="")]
    assert [message.f_port async for message in stack.stored_uplinks()] == [1, 2]
    assert asked[1]["after"] == "2026-05-01T10:00:00.123456789Z"


async def test_unreadable_stored_items_are_left_out(pages: Any) -> None:
    stack, _, answers = pages
    answers.append(web.Response(text='{"result":{}}\n' + ITEM % 1))
    answers.append(web.Response(text=""))
    assert [message.f_port async for message in stack.stored_uplinks()] == [1]


@pytest.mark.parametrize(
    ("line", "name"),
    [('{"error":{"code":13,"message":"broken"}}', "internal"), ("{nonsense", "invalid_json")],
)
async def test_storage_fails_midway(pages: Any, line: str, name: str) -> None:
    stack, _, answers = pages
    answers.append(web.Response(text=ITEM % 1 + line + "\n"))
    stream = stack.stored_uplinks()
    assert await anext(stream)
    with pytest.raises(ServerFailed) as raised:
        await anext(stream)
    assert raised.value.name == name


# -- Where the messages come from ---------------------------------------------------------------


async def test_mqtt_address_that_calls_itself_localhost(
    simulator: Simulator, make_stack: MakeStack
) -> None:
    address = await make_stack("read").mqtt_address()
    assert address == MqttAddress(
        host="127.0.0.1", port=simulator.mqtt_port, tls=False, username=APP
    )


async def test_mqtt_address_with_tls(simulator: Simulator, make_stack: MakeStack) -> None:
    address = await make_stack("read", connection={"mqtt_tls": True}).mqtt_address()
    assert (address.port, address.tls) == (simulator.mqtts_port, True)


async def test_mqtt_address_without_the_right(make_stack: MakeStack) -> None:
    address = await make_stack("traffic").mqtt_address()
    assert (address.host, address.port, address.username) == ("127.0.0.1", 1883, APP)
    address = await make_stack("traffic", connection={"mqtt_tls": True}).mqtt_address()
    assert address.port == 8883


async def test_mqtt_address_that_is_given(simulator: Simulator, make_stack: MakeStack) -> None:
    given = {"mqtt_host": "mqtt.example.org", "mqtt_port": 9883, "mqtt_tls": True}
    address = await make_stack("read", connection=given).mqtt_address()
    assert address == MqttAddress(host="mqtt.example.org", port=9883, tls=True, username=APP)
    assert not simulator.requests


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"public_tls_address": "mqtt.example.org:9883"}, ("mqtt.example.org", 9883)),
        ({"public_tls_address": "mqtt.example.org"}, ("mqtt.example.org", 8883)),
        ({"public_tls_address": "[2001:db8::1]:9883"}, ("2001:db8::1", 9883)),
        ({"public_tls_address": "[2001:db8::1]"}, ("2001:db8::1", 8883)),
        ({"public_tls_address": "localhost:9883"}, ("127.0.0.1", 9883)),
        ({"public_tls_address": "mqtt.example.org:mqtts"}, ("mqtt.example.org", 8883)),
        ({"public_address": "mqtt.example.org:1883"}, ("127.0.0.1", 8883)),
        ({}, ("127.0.0.1", 8883)),
    ],
)
async def test_mqtt_addresses(
    session: aiohttp.ClientSession, told: dict[str, str], expected: tuple[str, int]
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({**told, "username": "app@acme"})

    async with serving(answer, session) as stack:
        address = await stack.mqtt_address()
    assert (address.host, address.port) == expected
    assert address.username == "app@acme"


async def test_tenants(session: aiohttp.ClientSession, sleeps: Sleeps) -> None:
    async with Simulator(world="garden", tenant="ttn") as simulator:
        stack = Stack(connection_to(simulator), session=session, sleep=sleeps)
        assert (await stack.mqtt_address()).username == "garden@ttn"
        await stack.check_mqtt()
        assert await stack.rights()


# -- Trying MQTT --------------------------------------------------------------------------------


async def test_check_mqtt(simulator: Simulator, make_stack: MakeStack) -> None:
    await make_stack("read").check_mqtt()
    await simulator.wait_disconnected()
    assert simulator.mqtt_attempts == 1


async def test_check_mqtt_with_tls(simulator: Simulator, make_stack: MakeStack) -> None:
    context = tls_context(simulator.ca_pem)
    await make_stack("read", connection={"mqtt_tls": True}, tls_context=context).check_mqtt()


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("wrong", "invalid_authorization"),
        ("expired", "api_key_expired"),
        ("other", "no_application_rights"),
    ],
)
async def test_check_mqtt_says_what_is_wrong_with_the_key(
    simulator: Simulator, make_stack: MakeStack, role: str, name: str
) -> None:
    given = {"mqtt_host": simulator.mqtt_host, "mqtt_port": simulator.mqtt_port}
    with pytest.raises(AuthenticationFailed) as raised:
        await make_stack(role, connection=given).check_mqtt()
    assert raised.value.name == name


async def test_check_mqtt_believes_no_refusal_that_http_contradicts(
    simulator: Simulator, make_stack: MakeStack
) -> None:
    simulator.faults.mqtt_refuse = 5
    with pytest.raises(MqttRefused):
        await make_stack("read").check_mqtt()
    simulator.faults.mqtt_refuse = 3
    with pytest.raises(MqttRefused) as raised:
        await make_stack(
            "wrong", connection={"mqtt_host": "127.0.0.1", "mqtt_port": simulator.mqtt_port}
        ).check_mqtt()
    assert raised.value.code == 3


async def test_without_an_application(make_stack: MakeStack) -> None:
    stack = make_stack("read", connection={"application_id": None})
    assert await stack.auth_info()
    with pytest.raises(InvalidRequest) as raised:
        await stack.rights()
    assert raised.value.name == "no_application_id"
    assert KEY not in str(raised.value)
