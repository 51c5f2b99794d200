"""The recorded HTTP exchanges of a Handler, replayed by a web server over loopback."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from thethingsstack import (
    AuthenticationFailed,
    Conflict,
    Connection,
    DeviceChanges,
    InvalidRequest,
    Location,
    MissingRight,
    NotFound,
    ProtocolMismatch,
    RateLimited,
    Registration,
    ServerFailed,
    Session,
    StackError,
)
from thethingsstack.v2 import HandlerStack, find_handlers

from ..conftest import Sleeps
from .conftest import APPLICATION, exchanges

EXCHANGES = exchanges()
KEY = "ttn-account-v2.recorded-key"

type Refusal = tuple[type[StackError], str]

INVALID: Refusal = (InvalidRequest, "invalid_argument")
INVALID_ID: Refusal = (InvalidRequest, "invalid_id")
NO_APPLICATION: Refusal = (NotFound, "application_not_found")
NO_DEVICE: Refusal = (NotFound, "end_device_not_found")
NO_RIGHT: Refusal = (MissingRight, "insufficient_application_rights")
BAD_KEY: Refusal = (AuthenticationFailed, "invalid_credentials")
NO_KEY: Refusal = (AuthenticationFailed, "unauthenticated")
BAD_TOKEN: Refusal = (AuthenticationFailed, "invalid_token")
NO_PATH: Refusal = (ProtocolMismatch, "not_a_handler")
REFUSALS: dict[str, Refusal] = {
    "applications/delete_again": NO_APPLICATION,
    "applications/delete_with_many_devices": (RateLimited, "rate_limit_exceeded"),
    "applications/get_unregistered": NO_APPLICATION,
    "applications/register_again": (Conflict, "id_taken"),
    "applications/register_bad_id": INVALID_ID,
    "applications/register_foreign": BAD_KEY,
    "applications/register_no_id": INVALID_ID,
    "applications/set_unregistered": NO_APPLICATION,
    "devices/create_bad_id": INVALID_ID,
    "devices/create_base64_euis": INVALID,
    "devices/create_foreign_application": BAD_KEY,
    "devices/create_ids_only_in_path": INVALID_ID,
    "devices/create_key_without_devices_right": NO_RIGHT,
    "devices/create_long_id": INVALID_ID,
    "devices/create_no_lorawan": INVALID,
    "devices/create_one_character_id": INVALID_ID,
    "devices/create_same_euis": (Conflict, "end_device_euis_taken"),
    "devices/create_short_eui": INVALID,
    "devices/delete_missing": NO_DEVICE,
    "devices/get_bad_id": INVALID_ID,
    "devices/get_deleted": NO_DEVICE,
    "devices/get_missing": NO_DEVICE,
    "devices/list_bad_limit": NO_PATH,
    "devices/list_unregistered": NO_APPLICATION,
    "devices/update_many_attributes": (InvalidRequest, "too_many_attributes"),
    "discovery/handler_missing": (NotFound, "not_found"),
    "errors/applications_list": NO_PATH,
    "errors/bad_json": INVALID,
    "errors/dry_uplink_over_http": NO_PATH,
    "errors/empty_body": INVALID_ID,
    "errors/method_not_allowed": NO_PATH,
    "errors/options": NO_PATH,
    "errors/root": NO_PATH,
    "errors/rpc_path_over_http": NO_PATH,
    "errors/simulate_over_http": NO_PATH,
    "errors/trailing_slash": NO_PATH,
    "errors/unknown_field": INVALID,
    "errors/unknown_path": NO_PATH,
    "errors/wrong_type": INVALID,
    "rights/bare_key": NO_KEY,
    "rights/basic": NO_KEY,
    "rights/cut_key": BAD_KEY,
    "rights/delete_application_default_key": NO_RIGHT,
    "rights/delete_application_devices_only": NO_RIGHT,
    "rights/delete_application_messages_only": NO_RIGHT,
    "rights/delete_application_settings_only": NO_RIGHT,
    "rights/expired_token": (AuthenticationFailed, "token_expired"),
    "rights/foreign_application": BAD_KEY,
    "rights/foreign_key": BAD_KEY,
    "rights/garbage_token": BAD_TOKEN,
    "rights/get_application_devices_only": NO_RIGHT,
    "rights/get_application_messages_only": NO_RIGHT,
    "rights/key_as_bearer": BAD_TOKEN,
    "rights/key_of_unknown_issuer": (AuthenticationFailed, "unknown_issuer"),
    "rights/list_devices_messages_only": NO_RIGHT,
    "rights/list_devices_settings_only": NO_RIGHT,
    "rights/no_auth": NO_KEY,
    "rights/unknown_application": BAD_KEY,
    "rights/unknown_application_user_token": NO_RIGHT,
    "rights/unregistered_application_user_token": NO_APPLICATION,
    "rights/v3_key": BAD_KEY,
    "rights/wrong_key": BAD_KEY,
}


class Replay:
    """A web server that answers with recorded responses; keeps the requests."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.keys: set[str | None] = set()
        self.url = ""

    def play(self, *names: str) -> None:
        """Answer as in these exchanges; of several with one path in this order, the last for ever."""
        for name in names:
            request = EXCHANGES[name]["request"]
            path = request["path"].partition("?")[0].replace("%20", " ")
            self.answers.setdefault((request["method"], path), []).append(
                EXCHANGES[name]["response"]
            )

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a request."""
        body = await request.json() if request.can_read_body else None
        self.requests.append((request.method, request.path, body))
        self.keys.add(request.headers.get("Authorization"))
        recorded = self.answers[request.method, request.path]
        response = recorded.pop(0) if len(recorded) > 1 else recorded[0]
        headers = {
            name: value
            for name, value in response["headers"].items()
            if name.startswith("Grpc-Metadata")
        }
        if "_text" in response:
            return web.Response(status=response["status"], text=response["_text"], headers=headers)
        return web.json_response(response["json"], status=response["status"], headers=headers)


@pytest.fixture
async def replay() -> AsyncIterator[Replay]:
    """A replaying server."""
    replaying = Replay()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", replaying.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    replaying.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield replaying
    await runner.cleanup()


@pytest.fixture
def stack(replay: Replay, session: aiohttp.ClientSession, sleeps: Sleeps) -> HandlerStack:
    """The client of the recorded application."""
    connection = Connection(server=replay.url, application_id=APPLICATION, api_key=KEY)
    return HandlerStack(connection, session=session, sleep=sleeps)


def test_every_refusal_is_named() -> None:
    refused = {name for name, item in EXCHANGES.items() if item["response"]["status"] != 200}
    assert refused == set(REFUSALS)
    assert len(EXCHANGES) + 1 == 132  # sixteen at once are no single exchange


@pytest.mark.parametrize("name", EXCHANGES)
async def test_each_recorded_exchange(replay: Replay, stack: HandlerStack, name: str) -> None:
    replay.play(name)
    request, response = EXCHANGES[name]["request"], EXCHANGES[name]["response"]
    path = request["path"]
    if name in REFUSALS:
        kind, error_name = REFUSALS[name]
        with pytest.raises(kind) as raised:
            await stack.request(request["method"], path, json=request.get("json"), max_wait=0)
        assert (type(raised.value), raised.value.name) == (kind, error_name)
        assert raised.value.message
    else:
        answer = await stack.request(request["method"], path, json=request.get("json"))
        assert answer == response["json"]
    assert replay.keys == {f"Key {KEY}"}


async def test_rights_are_found_by_trying(replay: Replay, stack: HandlerStack) -> None:
    replay.play("rights/get_application_settings_only", "rights/list_devices_settings_only")
    held = await stack.rights()
    assert held == {
        "RIGHT_APPLICATION_INFO",
        "RIGHT_APPLICATION_SETTINGS_BASIC",
        "RIGHT_APPLICATION_TRAFFIC_READ",
        "RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE",
    }
    assert [request[:2] for request in replay.requests] == [
        ("GET", "/applications/garden"),
        ("GET", "/applications/garden/devices"),
    ]


async def test_the_right_that_is_missing_is_named(replay: Replay, stack: HandlerStack) -> None:
    replay.play("rights/get_application_devices_only")
    with pytest.raises(MissingRight) as raised:
        await stack.application()
    assert raised.value.rights == ("settings",)


async def test_end_devices(replay: Replay, stack: HandlerStack) -> None:
    replay.play("devices/list", "devices/get_after_traffic")
    found = {device.ids.device_id: device async for device in stack.devices()}
    assert len(found) == 11
    assert list(found) == sorted(found)
    outside = found["abp-outside"]
    assert (outside.ids.dev_addr, outside.ids.join_eui) == ("49000001", "70B3D57ED0000001")
    device = await stack.device("greenhouse-climate")
    assert (device.name, device.description) == ("Greenhouse, north side", None)
    assert device.has_joined
    assert device.ids.dev_eui == "A84041000181C061"
    assert device.locations == {
        "user": Location(latitude=52.3715, longitude=4.8905, altitude=3, source="REGISTRY")
    }
    assert device.last_seen_at is not None
    assert device.last_seen_at.isoformat() == "2026-11-23T10:42:17.545980+00:00"
    details = await stack.end_devices.details("greenhouse-climate")
    assert details["lorawan_device"]["f_cnt_down"] == 3
    shown = f"{details} {device} {found}"
    for key in ("2B7E1516", "51F18039", "B4CE2C00", "22222222"):
        assert key not in shown
    keys = await stack.end_devices.keys("greenhouse-climate")
    assert keys.app_key == "2B7E151628AED2A6ABF7158809CF4F3C"
    assert keys.nwk_s_key is not None
    assert keys.nwk_s_key not in repr(keys)
    assert (await stack.end_devices.root_keys("greenhouse-climate")).app_key == keys.app_key


async def test_a_list_whose_first_page_comes_again_and_again(
    replay: Replay, stack: HandlerStack
) -> None:
    replay.play("devices/list_limit_2")  # two of eleven
    with pytest.raises(ServerFailed) as raised:
        _ = [device async for device in stack.devices()]
    assert raised.value.name == "pages_repeated"


async def test_brand_and_model(replay: Replay, stack: HandlerStack) -> None:
    replay.play("devices/get_otaa")
    device = await stack.device("greenhouse-climate")
    assert device.version_ids is not None
    assert (device.version_ids.brand_id, device.version_ids.model_id) == ("dragino", "lht65n")
    assert device.version_ids.firmware_version == "1.8"
    assert device.attributes["ttn-lab-room"] == "Greenhouse"


async def test_an_edit_writes_back_all_that_was_read(replay: Replay, stack: HandlerStack) -> None:
    """Session, keys and frame counters: the Handler clears what a request leaves out."""
    replay.play("devices/get_after_traffic")
    replay.answers["PUT", "/applications/garden/devices/greenhouse-climate"] = [
        EXCHANGES["devices/update_all_fields"]["response"]
    ]
    changes = DeviceChanges(description="Greenhouse, south side", attributes={"color": "white"})
    await stack.end_devices.update("greenhouse-climate", changes)
    before = EXCHANGES["devices/get_after_traffic"]["response"]["json"]
    lorawan = {key: value for key, value in before["lorawan_device"].items() if key != "last_seen"}
    ((_, _, written),) = (request for request in replay.requests if request[0] == "PUT")
    assert written == {
        **before,
        "description": "Greenhouse, south side",
        "attributes": {**before["attributes"], "color": "white"},
        "lorawan_device": lorawan,
    }
    assert (lorawan["f_cnt_up"], lorawan["f_cnt_down"]) == (22, 3)


async def test_a_downlink_between_reading_and_writing_keeps_its_counter(
    replay: Replay, stack: HandlerStack
) -> None:
    """The Handler saw an uplink, yet has the counter that was written: a downlink may be lost."""
    path = "/applications/garden/devices/greenhouse-climate"
    before = EXCHANGES["devices/get_after_traffic"]["response"]
    device = before["json"]
    seen = {**device["lorawan_device"], "last_seen": "1795430537999999999"}
    after = {**before, "json": {**device, "lorawan_device": seen}}
    replay.answers["GET", path] = [before, after]
    replay.answers["PUT", path] = [EXCHANGES["devices/update_all_fields"]["response"]]
    await stack.end_devices.update("greenhouse-climate", DeviceChanges(name="South"))
    written = [body["lorawan_device"] for method, _, body in replay.requests if method == "PUT"]
    assert [(item["f_cnt_up"], item["f_cnt_down"]) for item in written] == [(22, 3), (22, 4)]


async def test_an_edit_that_changes_nothing_writes_nothing(
    replay: Replay, stack: HandlerStack
) -> None:
    replay.play("devices/get_after_traffic")
    changes = DeviceChanges(
        name="Greenhouse, north side",
        attributes={"ttn-brand": "dragino", "color": None},
        location=Location(latitude=52.3715, longitude=4.8905, altitude=3),
    )
    await stack.end_devices.update("greenhouse-climate", changes)
    assert {method for method, _, _ in replay.requests} == {"GET"}


async def test_what_is_removed_is_left_out(replay: Replay, stack: HandlerStack) -> None:
    replay.play("devices/get_abp")
    path = "/applications/garden/devices/old-abp-node"
    replay.answers["PUT", path] = [EXCHANGES["devices/update_partial"]["response"]]
    device = EXCHANGES["devices/get_abp"]["response"]["json"]
    await stack.end_devices.update("old-abp-node", DeviceChanges(description="Shed"))
    written = replay.requests[1][2]
    assert written["description"] == "Shed"
    kept = {key: value for key, value in device["lorawan_device"].items() if key != "app_key"}
    assert written["lorawan_device"] == kept
    replay.answers["GET", path] = [{**EXCHANGES["devices/get_otaa"]["response"]}]
    replay.answers["GET", path][0]["json"] = {
        **EXCHANGES["devices/get_otaa"]["response"]["json"],
        "dev_id": "old-abp-node",
    }
    replay.requests.clear()
    nothing = DeviceChanges(
        description="", location=None, attributes=dict.fromkeys(["color", "ttn-lab-room"])
    )
    await stack.end_devices.update("old-abp-node", nothing)
    written = replay.requests[1][2]
    assert {"description", "latitude", "longitude", "altitude"}.isdisjoint(written)
    assert set(written["attributes"]) == {"ttn-brand", "ttn-model", "ttn-version"}


@pytest.mark.parametrize(
    ("name", "registration"),
    [
        (
            "devices/create_otaa",
            Registration(
                device_id="greenhouse-climate",
                dev_eui="a8:40:41:00:01:81:c0:61",
                join_eui="70B3D57ED0000001",
                app_key="2b7e1516 28aed2a6 abf71588 09cf4f3c",
                name="Greenhouse climate",
                location=Location(latitude=52.3712, longitude=4.89, altitude=2),
            ),
        ),
        (
            "devices/create_abp",
            Registration(
                device_id="old-abp-node",
                dev_eui="0004A30B00F1A001",
                join_eui="70B3D57ED0000001",
                session=Session(
                    dev_addr="26000abc", app_s_key="22" * 16, f_nwk_s_int_key="11" * 16
                ),
            ),
        ),
    ],
)
async def test_registering(
    replay: Replay, stack: HandlerStack, name: str, registration: Registration
) -> None:
    """A request as the recorded one, after a look that the ID is free."""
    replay.play(name)
    device = registration.device_id
    path = f"/applications/garden/devices/{device}"
    recorded = "get_otaa" if device == "greenhouse-climate" else "get_abp"
    replay.answers["GET", path] = [
        EXCHANGES["devices/get_missing"]["response"],
        EXCHANGES[f"devices/{recorded}"]["response"],
    ]
    registered = await stack.end_devices.register(registration)
    assert registered.ids.device_id == device
    wanted = EXCHANGES[name]["request"]["json"]
    written = replay.requests[1][2]
    assert written["lorawan_device"] | {"disable_f_cnt_check": True} == wanted["lorawan_device"] | {
        "disable_f_cnt_check": True,
        "uses32_bit_f_cnt": True,
    }
    for key in ("app_id", "dev_id", "latitude", "longitude", "altitude", "description"):
        assert written.get(key) == wanted.get(key), key


async def test_a_taken_id_is_not_written_over(replay: Replay, stack: HandlerStack) -> None:
    replay.play("devices/get_otaa")
    registration = Registration(
        device_id="greenhouse-climate",
        dev_eui="A84041000181C062",
        join_eui="70B3D57ED0000001",
        app_key="00" * 16,
    )
    with pytest.raises(Conflict) as raised:
        await stack.end_devices.register(registration)
    assert raised.value.name == "id_taken"
    assert [method for method, _, _ in replay.requests] == ["GET"]


async def test_functions_not_named_are_kept(replay: Replay, stack: HandlerStack) -> None:
    replay.play("applications/get", "applications/set_functions")
    await stack.administration.application.change(encoder="function Encoder() { return [1]; }")
    before = EXCHANGES["applications/get"]["response"]["json"]
    assert {"converter", "validator", "decoder"} <= set(before)
    written = replay.requests[1][2]
    assert written == {**before, "encoder": "function Encoder() { return [1]; }"}


async def test_the_key_for_registering_on_join_is_kept_and_not_shown(
    replay: Replay, stack: HandlerStack
) -> None:
    replay.play("register_on_join/get_application")
    replay.answers["GET", "/applications/garden"] = replay.answers["GET", "/applications/neighbour"]
    application = await stack.administration.application.get()
    assert application.register_on_join_access_key
    assert application.register_on_join_access_key not in repr(application)


async def test_an_application_with_many_devices_is_deleted_in_several_calls(
    replay: Replay, stack: HandlerStack, sleeps: Sleeps
) -> None:
    replay.answers["DELETE", "/applications/garden"] = [
        EXCHANGES["applications/delete_with_many_devices"]["response"],
        EXCHANGES["applications/delete_with_many_devices_second_try"]["response"],
    ]
    await stack.administration.application.delete()
    assert [method for method, _, _ in replay.requests] == ["DELETE", "DELETE"]
    assert sleeps


async def test_handlers_are_found(replay: Replay, session: aiohttp.ClientSession) -> None:
    replay.play("discovery/handlers")
    (handler,) = await find_handlers(replay.url, session=session)
    assert (handler.handler_id, handler.description) == ("ttn-handler-eu", "handler of the lab")
    assert handler.api_address == "http://localhost:8084"
    assert (handler.mqtt_host, handler.mqtt_port) == ("localhost", 1890)
    assert "garden" in handler.applications
    assert replay.keys == {None}
