"""Registering, changing, finding and removing end devices."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.simulator import Simulator
from thethingsstack import (
    ConnectionFailed,
    DeviceChanges,
    EndDevice,
    Formatter,
    Formatters,
    InvalidRequest,
    Location,
    MissingRight,
    NotFound,
    PartlyDeleted,
    Registration,
    RollbackFailed,
    Server,
    Session,
    Stack,
    StackError,
    VersionIds,
)
from thethingsstack.errors import Conflict, ServerFailed

from .conftest import MakeStack, Sleeps, recorded

KEY = "00112233445566778899AABBCCDDEEFF"
OTAA = Registration(
    device_id="new-sensor",
    dev_eui="70:b3:d5:7e:d0:06:00:99",
    join_eui="0000000000000000",
    name="New sensor",
    lorawan_version="1.0.3",
    frequency_plan_id="EU_863_870_TTN",
    app_key=KEY.lower(),
)
ABP = Registration(
    device_id="new-abp",
    lorawan_version="1.0.2",
    frequency_plan_id="EU_863_870_TTN",
    session=Session(dev_addr="26 0b 12 35", app_s_key=KEY, f_nwk_s_int_key=KEY),
)


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    """A client that may manage devices."""
    return make_stack("manage")


def documents(simulator: Simulator, device_id: str) -> dict[str, dict[str, Any]]:
    """Return what the servers have of a device."""
    device = simulator.devices.get(device_id)
    return {} if device is None else device.documents


def changes_made(simulator: Simulator) -> list[tuple[str, str]]:
    """Return what was asked but reads."""
    return [
        (method, path.removeprefix("/api/v3/"))
        for method, path in simulator.requests
        if method != "GET"
    ]


async def test_register_over_the_air(simulator: Simulator, stack: Stack) -> None:
    device = await stack.end_devices.register(OTAA)
    assert device.ids.device_id == "new-sensor"
    assert device.ids.dev_eui == "70B3D57ED0060099"
    assert device.name == "New sensor"
    found = documents(simulator, "new-sensor")
    assert set(found) == {"is", "js", "ns", "as"}
    assert found["js"]["root_keys"] == {"app_key": {"key": KEY}}
    assert found["ns"]["lorawan_phy_version"] == "PHY_V1_0_3_REV_A"
    assert found["ns"]["supports_join"] is True
    assert found["is"]["join_server_address"] == "localhost"
    assert [path for _, path in changes_made(simulator)] == [
        "applications/garden/devices",
        "js/applications/garden/devices/new-sensor",
        "ns/applications/garden/devices/new-sensor",
        "as/applications/garden/devices/new-sensor",
    ]


async def test_requests_are_those_recorded(
    simulator: Simulator, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same device makes the requests that the real server took."""
    simulator.remove_device("greenhouse-climate")
    sent: list[Any] = []
    request = stack.end_devices._calls.request

    async def note(method: str, path: str, *, json: Any = None, **arguments: Any) -> Any:
        if json is not None:
            sent.append(json)
        return await request(method, path, json=json, **arguments)

    monkeypatch.setattr(stack.end_devices._calls, "request", note)
    repository = Formatter(kind="FORMATTER_REPOSITORY")
    await stack.end_devices.register(
        Registration(
            device_id="greenhouse-climate",
            dev_eui="A84041000181C061",
            join_eui="A840410000000100",
            name="Greenhouse climate",
            description="on the north wall",
            attributes={"room": "Greenhouse"},
            location=Location(latitude=52.3731, longitude=4.8922, altitude=2),
            version_ids=VersionIds(
                brand_id="dragino",
                model_id="lht65n",
                hardware_version="1.0",
                firmware_version="1.0",
                band_id="EU_863_870",
            ),
            lorawan_version="MAC_V1_0_3",
            frequency_plan_id="EU_863_870_TTN",
            formatters=Formatters(up=repository, down=repository),
            app_key="1" * 32,
        )
    )
    for body, case in zip(sent, ("1_is", "2_js", "3_ns", "4_as"), strict=True):
        expected = recorded(f"http/devices/create_greenhouse-climate_{case}.json")["request"][
            "json"
        ]
        # A class that isn't supported is named by us, too.
        expected["end_device"].setdefault("supports_class_b", False) if case == "3_ns" else None
        expected["field_mask"]["paths"] += ["supports_class_b"] if case == "3_ns" else []
        assert body["end_device"] == expected["end_device"]
        assert sorted(body["field_mask"]["paths"]) == sorted(expected["field_mask"]["paths"])


async def test_register_by_personalization(simulator: Simulator, stack: Stack) -> None:
    device = await stack.end_devices.register(ABP)
    assert device.ids.join_eui is None
    found = documents(simulator, "new-abp")
    assert set(found) == {"is", "ns", "as"}
    assert found["ns"]["session"]["dev_addr"] == "260B1235"
    assert found["as"]["session"]["keys"]["app_s_key"]["key"] == KEY
    assert "join_server_address" not in found["is"]
    assert (await stack.end_devices.presence("new-abp")).complete


async def test_register_lorawan_1_1(simulator: Simulator, stack: Stack) -> None:
    await stack.end_devices.register(replace(OTAA, lorawan_version="1.1.0", nwk_key="F" * 32))
    assert documents(simulator, "new-sensor")["js"]["root_keys"]["nwk_key"]["key"] == "F" * 32


async def test_register_a_claimed_device(simulator: Simulator, stack: Stack) -> None:
    await stack.end_devices.register(replace(OTAA, app_key=None, claimed=True))
    assert set(documents(simulator, "new-sensor")) == {"is", "ns", "as"}
    presence = await stack.end_devices.presence("new-sensor")
    assert presence.join is None
    assert presence.complete


async def test_delete_a_claimed_device(simulator: Simulator, stack: Stack) -> None:
    """It is given back, once; where that fails nothing is removed."""
    claim = "edcs/claim/garden/devices/new-sensor"
    await stack.end_devices.register(replace(OTAA, app_key=None, claimed=True))
    simulator.stack.claimable["0" * 16, "70B3D57ED0060099"] = "SECRET"
    simulator.faults.http_status[f"DELETE /{claim}"] = 500
    with pytest.raises(ServerFailed):
        await stack.end_devices.delete("new-sensor")
    assert set(documents(simulator, "new-sensor")) == {"is", "ns", "as"}
    simulator.faults.http_status.clear()
    await stack.end_devices.delete("new-sensor")
    assert documents(simulator, "new-sensor") == {}
    assert changes_made(simulator).count(("DELETE", claim)) == 2
    await stack.end_devices.delete("lpp-node")
    assert changes_made(simulator).count(("DELETE", claim)) == 2


async def test_delete_one_that_somebody_else_has_claimed(
    simulator: Simulator, stack: Stack
) -> None:
    """It isn't ours to give back; what is registered here can go all the same."""
    await stack.end_devices.register(replace(OTAA, app_key=None, claimed=True))
    simulator.stack.claimable["0" * 16, "70B3D57ED0060099"] = "SECRET"
    claim = "edcs/claim/garden/devices/new-sensor"
    simulator.faults.errors[claim] = (403, "device_access_denied")
    await stack.end_devices.delete("new-sensor")
    assert documents(simulator, "new-sensor") == {}
    assert ("DELETE", claim) in changes_made(simulator)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"device_id": "No_Id"}, "invalid_device_id"),
        ({"dev_eui": "70B3"}, "invalid_deveui"),
        ({"dev_eui": None}, "missing_dev_eui"),
        ({"join_eui": None}, "missing_join_eui"),
        ({"app_key": None}, "missing_app_key"),
        ({"app_key": "1234"}, "invalid_appkey"),
        ({"nwk_key": KEY}, "nwk_key_unused"),
        ({"lorawan_version": "1.1"}, "missing_nwk_key"),
        ({"lorawan_version": None}, "missing_lorawan_version"),
        ({"lorawan_version": "2.0"}, "invalid_lorawan_version"),
        ({"lorawan_phy_version": "PHY_V1_1_REV_A"}, "invalid_lorawan_phy_version"),
        ({"frequency_plan_id": None}, "missing_frequency_plan_id"),
        ({"name": "x" * 51}, "name_too_long"),
        ({"description": "x" * 2001}, "description_too_long"),
        ({"attributes": {f"key-{i}": "x" for i in range(11)}}, "too_many_attributes"),
        ({"attributes": {"Bad Key": "x"}}, "invalid_attribute"),
        ({"attributes": {"room": "x" * 201}}, "attribute_too_long"),
        ({"session": ABP.session}, "keys_unused"),
        (
            {"session": ABP.session, "app_key": None, "lorawan_version": "1.1"},
            "missing_s_nwk_s_int_key",
        ),
        (
            {"session": ABP.session, "app_key": None, "dev_eui": None, "lorawan_version": "1.0.4"},
            "missing_dev_eui",
        ),
    ],
)
async def test_mistakes_are_found_before_any_request(
    simulator: Simulator, stack: Stack, change: dict[str, Any], name: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await stack.end_devices.register(replace(OTAA, **change))
    assert caught.value.name == name
    assert simulator.requests == []


def test_keys_are_not_shown() -> None:
    assert KEY not in repr(replace(OTAA, app_key=KEY, nwk_key=KEY, session=ABP.session))


async def test_id_is_taken(simulator: Simulator, stack: Stack) -> None:
    with pytest.raises(Conflict) as caught:
        await stack.end_devices.register(replace(OTAA, device_id="weather-station"))
    assert caught.value.name == "id_taken"
    assert set(documents(simulator, "weather-station")) == {"is", "js", "ns", "as"}
    assert changes_made(simulator) == []


async def test_euis_are_taken(simulator: Simulator, stack: Stack) -> None:
    taken = replace(OTAA, dev_eui="A84041000181C061", join_eui="A840410000000100")
    for call in (stack.end_devices.register, stack.end_devices.check):
        with pytest.raises(Conflict) as caught:
            await call(taken)
        assert caught.value.name == "end_device_euis_taken"
        assert caught.value.attributes["device_id"] == "greenhouse-climate"
    assert documents(simulator, "new-sensor") == {}
    assert [method for method, _ in changes_made(simulator)] == ["POST"]


async def test_check(simulator: Simulator, stack: Stack) -> None:
    checked = await stack.end_devices.check(OTAA)
    assert checked.dev_eui == "70B3D57ED0060099"
    with pytest.raises(Conflict):
        await stack.end_devices.check(replace(OTAA, device_id="lpp-node"))
    assert changes_made(simulator) == []


async def test_wrong_cluster(simulator: Simulator, make_stack: MakeStack) -> None:
    address = {"network_server_address": "nam1.cloud.thethings.network"}
    simulator.application.document.update(address)
    stack = make_stack("manage")
    stack.end_devices._calls.connection = replace(
        stack.connection, server="https://eu1.cloud.thethings.network"
    )
    with pytest.raises(InvalidRequest) as caught:
        await stack.end_devices.register(OTAA)
    assert caught.value.name == "wrong_cluster"
    assert caught.value.attributes["expected"] == "nam1.cloud.thethings.network"


STEPS = ("POST /applications/garden/devices", "PUT /js/", "PUT /ns/", "PUT /as/")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
async def test_refused_step_is_rolled_back(
    simulator: Simulator, stack: Stack, step: str, status: int
) -> None:
    simulator.faults.http_status[step] = status
    with pytest.raises(StackError) as caught:
        await stack.end_devices.register(OTAA)
    assert caught.value.status == status
    assert not isinstance(caught.value, RollbackFailed)
    assert documents(simulator, "new-sensor") == {}


@pytest.mark.parametrize("step", STEPS)
async def test_lost_answer_is_rolled_back(simulator: Simulator, stack: Stack, step: str) -> None:
    """What a server did without saying so is removed, too."""
    simulator.faults.http_mute_at = step
    with pytest.raises(ConnectionFailed):
        await stack.end_devices.register(OTAA)
    assert documents(simulator, "new-sensor") == {}


@pytest.mark.parametrize("step", STEPS)
async def test_server_that_dies_and_comes_back(
    simulator: Simulator, make_stack: MakeStack, step: str
) -> None:
    async def sleep(_: float) -> None:
        simulator.faults.http_down = False

    simulator.faults.http_dies_at = step
    with pytest.raises(ConnectionFailed):
        await make_stack("manage", sleep=sleep).end_devices.register(OTAA)
    assert documents(simulator, "new-sensor") == {}


@pytest.mark.parametrize("step", STEPS[1:])
async def test_server_that_stays_dead(
    simulator: Simulator, stack: Stack, sleeps: Sleeps, step: str
) -> None:
    simulator.faults.http_dies_at = step
    with pytest.raises(RollbackFailed) as caught:
        await stack.end_devices.register(OTAA)
    assert isinstance(caught.value.cause, ConnectionFailed)
    assert caught.value.left_on[-1] == "identity"
    assert "identity" in str(caught.value)
    assert sleeps
    simulator.faults.http_down = False
    assert (await stack.end_devices.presence("new-sensor")).complete is False
    await stack.end_devices.delete("new-sensor")
    assert documents(simulator, "new-sensor") == {}


async def test_failed_rollback_leaves_nothing_stranded(simulator: Simulator, stack: Stack) -> None:
    simulator.faults.http_status = {"PUT /as/": 500, "DELETE /ns/": 500}
    with pytest.raises(RollbackFailed) as caught:
        await stack.end_devices.register(OTAA)
    assert caught.value.left_on == ("network", "identity")
    assert isinstance(caught.value.cause, ServerFailed)
    assert set(documents(simulator, "new-sensor")) == {"is", "ns"}


@pytest.mark.parametrize("after", range(1, 5))
async def test_cancelled_registration_leaves_nothing(
    simulator: Simulator, stack: Stack, after: int
) -> None:
    """Wherever a caller is cancelled."""
    simulator.faults.http_delay = 0.01
    work = asyncio.create_task(stack.end_devices.register(OTAA))
    while len(changes_made(simulator)) < after:
        await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert documents(simulator, "new-sensor") == {}


async def test_cancelled_while_it_is_read_back(simulator: Simulator, stack: Stack) -> None:
    """All servers have it, but nobody was told: it is removed again."""
    simulator.faults.http_delay = 0.01
    work = asyncio.create_task(stack.end_devices.register(OTAA))
    while "as" not in documents(simulator, "new-sensor") or simulator.requests[-1][0] != "GET":
        await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert documents(simulator, "new-sensor") == {}


async def test_registered_though_it_can_not_be_read_back(
    simulator: Simulator, stack: Stack
) -> None:
    """To tell of a failure would lose the keys that were made for it."""
    work = asyncio.create_task(stack.end_devices.register(OTAA))
    while "as" not in documents(simulator, "new-sensor"):
        await asyncio.sleep(0)
    simulator.faults.http_down = True
    device = await work
    assert (device.name, device.ids.application_id) == ("New sensor", "garden")
    assert device.ids.dev_eui == "70B3D57ED0060099"
    assert set(documents(simulator, "new-sensor")) == {"is", "js", "ns", "as"}


async def test_application_elsewhere_that_may_not_be_seen(
    simulator: Simulator, stack: Stack
) -> None:
    """Without INFO only the server's refusal tells where the application lives."""
    held = ["TRAFFIC_READ", "DEVICES_READ", "DEVICES_WRITE", "DEVICES_WRITE_KEYS"]
    simulator.set_rights("manage", held)
    with pytest.raises(InvalidRequest) as caught:
        await stack.end_devices.register(OTAA)
    assert caught.value.name == "wrong_cluster"
    assert caught.value.attributes == {"address": "127.0.0.1", "expected": "localhost"}
    assert documents(simulator, "new-sensor") == {}


@pytest.mark.parametrize(
    ("ask", "server"),
    [
        (lambda stack: stack.end_devices.reset("nosuch"), "network"),
        (
            lambda stack: stack.end_devices.simulate_uplink("nosuch", f_port=1, payload=b"1"),
            "application",
        ),
        (lambda stack: stack.formatters.of_device("nosuch"), "application"),
        (lambda stack: stack.formatters.set_of_device("nosuch", None), "application"),
    ],
)
async def test_unknown_device_is_named(
    stack: Stack, ask: Callable[[Stack], Awaitable[Any]], server: str
) -> None:
    """The servers only say that an entity wasn't found."""
    with pytest.raises(NotFound) as caught:
        await ask(stack)
    assert caught.value.name == f"not_on_{server}_server"
    assert "nosuch" in str(caught.value)
    assert caught.value.status == 404


async def test_missing_rights_one_by_one(simulator: Simulator, stack: Stack) -> None:
    held = [
        "INFO",
        "TRAFFIC_READ",
        "DEVICES_READ",
        "DEVICES_WRITE",
        "DEVICES_WRITE_KEYS",
    ]
    for right in held[2:]:
        simulator.set_rights("manage", [other for other in held if other != right])
        with pytest.raises(MissingRight) as caught:
            await stack.end_devices.register(OTAA)
        assert caught.value.rights == (f"RIGHT_APPLICATION_{right}",)
        assert documents(simulator, "new-sensor") == {}
    # The application's servers are then taken to be those that are asked.
    simulator.set_rights("manage", [right for right in held if right != "INFO"])
    for kind in ("network", "application", "join"):
        simulator.application.document[f"{kind}_server_address"] = "127.0.0.1"
    assert (await stack.end_devices.register(OTAA)).name == "New sensor"


async def test_half_created_device(simulator: Simulator, stack: Stack) -> None:
    await stack.end_devices.register(OTAA)
    del simulator.devices["new-sensor"].documents["as"]
    del simulator.devices["new-sensor"].documents["js"]
    presence = await stack.end_devices.presence("new-sensor")
    assert presence.missing == ("join", "application")
    assert not presence.complete
    assert not presence.stranded
    await stack.end_devices.complete(OTAA)
    assert (await stack.end_devices.presence("new-sensor")).complete
    before = len(changes_made(simulator))
    await stack.end_devices.complete(OTAA)
    assert len(changes_made(simulator)) == before


async def test_only_some_parts_are_completed(simulator: Simulator, stack: Stack) -> None:
    """What a registration says for other servers is never written."""
    await stack.end_devices.register(OTAA)
    held = simulator.devices["new-sensor"].documents
    del held["ns"], held["js"]
    await stack.end_devices.complete(replace(OTAA, app_key="0" * 32), [Server.NETWORK])
    assert (await stack.end_devices.presence("new-sensor")).missing == ("join",)


async def test_addresses_are_completed(simulator: Simulator, stack: Stack) -> None:
    """An entry in the registry that names no servers is a beginning: its keys are missing, too."""
    await stack.end_devices.register(OTAA)
    held = simulator.devices["new-sensor"].documents
    for server in ("js", "ns", "as"):
        del held[server]
    for kind in ("network", "application", "join"):
        del held["is"][f"{kind}_server_address"]
    presence = await stack.end_devices.presence("new-sensor")
    assert presence.missing == ("join", "network", "application")
    simulator.faults.http_status["PUT /applications/"] = 503
    with pytest.raises(ServerFailed):
        await stack.end_devices.complete(OTAA)
    assert set(documents(simulator, "new-sensor")) == {"is"}
    simulator.faults.http_status.clear()
    device = await stack.end_devices.complete(OTAA)
    assert device.application_server_address == "localhost"
    assert documents(simulator, "new-sensor")["is"]["network_server_address"] == "localhost"
    assert (await stack.end_devices.presence("new-sensor")).complete


async def test_a_device_that_does_not_join_needs_no_join_server(
    simulator: Simulator, stack: Stack
) -> None:
    """Whatever its addresses say."""
    await stack.end_devices.register(ABP)
    held = documents(simulator, "new-abp")
    held["is"]["join_server_address"] = held["is"]["network_server_address"]
    del held["ns"]
    assert (await stack.end_devices.presence("new-abp")).missing == ("network",)


async def test_stranded_device(simulator: Simulator, stack: Stack) -> None:
    del simulator.devices["lpp-node"].documents["is"]
    assert (await stack.end_devices.presence("lpp-node")).stranded
    details = await stack.end_devices.details("lpp-node", stranded=True)
    assert details["ids"]["dev_eui"] == "70B3D57ED0060002"
    with pytest.raises(NotFound):
        await stack.end_devices.details("lpp-node")
    deletion = await stack.end_devices.delete("lpp-node")
    assert deletion.removed == ("application", "network", "join")
    assert documents(simulator, "lpp-node") == {}


async def test_presence(stack: Stack) -> None:
    presence = await stack.end_devices.presence("lpp-node")
    assert presence.complete
    assert presence.join is True
    assert (await stack.end_devices.presence("old-abp-node")).join is None
    nowhere = await stack.end_devices.presence("nosuch")
    assert (nowhere.complete, nowhere.stranded) == (False, False)


async def test_delete(simulator: Simulator, stack: Stack) -> None:
    deletion = await stack.end_devices.delete("lpp-node")
    assert deletion.removed == ("application", "network", "join", "identity")
    assert documents(simulator, "lpp-node") == {}
    with pytest.raises(NotFound) as caught:
        await stack.end_devices.delete("lpp-node")
    assert caught.value.name == "end_device_not_found"


async def test_delete_that_fails_half_way(simulator: Simulator, stack: Stack) -> None:
    simulator.faults.http_status["DELETE /ns/"] = 503
    with pytest.raises(PartlyDeleted) as caught:
        await stack.end_devices.delete("lpp-node")
    assert caught.value.removed == ("application", "join")
    assert caught.value.left_on == ("network", "identity")
    simulator.faults.http_status.clear()
    assert (await stack.end_devices.delete("lpp-node")).removed == ("network", "identity")


async def test_delete_without_the_right(simulator: Simulator, make_stack: MakeStack) -> None:
    with pytest.raises(MissingRight):
        await make_stack("read").end_devices.delete("lpp-node")
    assert set(documents(simulator, "lpp-node")) == {"is", "js", "ns", "as"}


def name_of(device: EndDevice) -> object:
    """Return its name."""
    return device.name


@pytest.mark.parametrize(
    ("changes", "shown", "expected"),
    [
        (DeviceChanges(name="Attic"), name_of, "Attic"),
        (DeviceChanges(name=""), name_of, None),
        (DeviceChanges(name="Cellar node"), name_of, "Cellar node"),
        (
            DeviceChanges(attributes={"room": None, "floor": "1"}),
            lambda device: dict(device.attributes),
            {"floor": "1"},
        ),
        (
            DeviceChanges(location=Location(latitude=1.5, longitude=2.5)),
            lambda device: device.locations["user"].latitude,
            1.5,
        ),
        (DeviceChanges(location=None), lambda device: dict(device.locations), {}),
    ],
)
async def test_update_of_the_registry(
    simulator: Simulator,
    stack: Stack,
    changes: DeviceChanges,
    shown: Callable[[EndDevice], object],
    expected: object,
) -> None:
    before = simulator.devices["lpp-node"].documents["is"].copy()
    device = await stack.end_devices.update("lpp-node", changes)
    assert shown(device) == expected
    same = before == simulator.devices["lpp-node"].documents["is"]
    assert len(changes_made(simulator)) == (0 if same else 1)


async def test_update_goes_where_it_belongs(simulator: Simulator, stack: Stack) -> None:
    await stack.end_devices.update(
        "lpp-node",
        DeviceChanges(
            frequency_plan_id="EU_863_870",
            lorawan_version="1.0.3",
            mac_settings={"supports_32_bit_f_cnt": True},
            formatters=Formatters(up=Formatter(kind="FORMATTER_REPOSITORY")),
            version_ids=VersionIds(brand_id="dragino", model_id="lht65n"),
        ),
    )
    assert [path.split("/")[0] for _, path in changes_made(simulator)] == [
        "ns",
        "as",
        "applications",
    ]
    found = documents(simulator, "lpp-node")
    assert found["ns"]["frequency_plan_id"] == "EU_863_870"
    assert found["ns"]["mac_settings"] == {"supports_32_bit_f_cnt": True}
    assert found["as"]["formatters"]["up_formatter"] == "FORMATTER_REPOSITORY"
    assert all(
        found[server]["version_ids"]["model_id"] == "lht65n" for server in ("is", "ns", "as")
    )


async def test_refused_update_changes_nothing(simulator: Simulator, stack: Stack) -> None:
    changes = DeviceChanges(name="Attic", frequency_plan_id="EU_863_870")
    simulator.faults.http_status["PUT /applications/"] = 500
    with pytest.raises(ServerFailed):
        await stack.end_devices.update("lpp-node", changes)
    assert documents(simulator, "lpp-node")["ns"]["frequency_plan_id"] == "EU_863_870_TTN"
    simulator.faults.http_status.clear()
    simulator.faults.http_dies_at = "PUT /applications/"
    with pytest.raises(RollbackFailed) as caught:
        await stack.end_devices.update("lpp-node", changes)
    assert caught.value.left_on == ("network",)


async def test_update_of_a_half_created_device(simulator: Simulator, stack: Stack) -> None:
    del simulator.devices["lpp-node"].documents["ns"]
    with pytest.raises(NotFound) as caught:
        await stack.end_devices.update("lpp-node", DeviceChanges(frequency_plan_id="EU_863_870"))
    assert caught.value.name == "not_on_network_server"
    with pytest.raises(InvalidRequest):
        await stack.end_devices.update("lpp-node", DeviceChanges(name="x" * 51))


async def test_reset(simulator: Simulator, stack: Stack) -> None:
    device = simulator.devices["lpp-node"]
    joined = [device.session is not None]
    await stack.end_devices.reset("lpp-node")
    assert [*joined, device.session is not None] == [True, False]
    with pytest.raises(NotFound):
        await stack.end_devices.reset("nosuch")


async def test_root_keys(stack: Stack, make_stack: MakeStack) -> None:
    keys = await stack.end_devices.root_keys("lpp-node")
    assert keys.app_key is not None
    assert keys.app_key not in repr(keys)
    with pytest.raises(MissingRight):
        await make_stack("read").end_devices.root_keys("lpp-node")
    with pytest.raises(NotFound):
        await stack.end_devices.root_keys("old-abp-node")


async def test_finding(simulator: Simulator, stack: Stack) -> None:
    found = [device.ids.device_id async for device in stack.end_devices.search("radiator")]
    assert found == ["bath-radiator"]
    by_eui = stack.end_devices.search(dev_eui_contains="A84041", field_mask=("name",))
    assert [device.name async for device in by_eui] == ["Greenhouse climate"]
    some = await stack.end_devices.batch(["lpp-node", "nosuch", "pump-socket"])
    assert [device.ids.device_id for device in some] == ["lpp-node", "pump-socket"]
    since = simulator.stack.now() + timedelta(seconds=-1)
    changed = [device async for device in stack.end_devices.updated_since(since)]
    assert len(changed) == len(simulator.devices)
    assert [device async for device in stack.end_devices.updated_since(simulator.stack.now())] == []
    later = simulator.stack.now() + timedelta(minutes=1)
    with pytest.raises(InvalidRequest) as caught:
        [device async for device in stack.end_devices.updated_since(later)]
    assert caught.value.field == "filters[0].updated_since"


async def test_issuing_a_dev_eui(stack: Stack) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await stack.end_devices.issue_dev_eui()
    assert caught.value.name == "dev_eui_issuing_not_enabled"


async def test_simulate(simulator: Simulator, make_stack: MakeStack) -> None:
    await make_stack("all").end_devices.simulate_uplink("lpp-node", f_port=1, payload=b"\x00")
    simulator.set_rights("all", ["TRAFFIC_UP_WRITE"])
    await make_stack("all").end_devices.simulate_uplink("lpp-node", f_port=1, payload=b"\x00")
    with pytest.raises(MissingRight):
        await make_stack("control").end_devices.simulate_uplink("lpp-node", f_port=1, payload=b"")


async def test_battery_is_a_level_in_per_cent_or_none(simulator: Simulator, stack: Stack) -> None:
    """The Network Server has a fraction; on external power it says nothing."""
    network = simulator.devices["bath-radiator"].documents["ns"]
    network |= {"battery_percentage": 0.5, "last_dev_status_received_at": "2026-11-23T09:32:02Z"}
    battery = await stack.end_devices.battery("bath-radiator")
    assert battery is not None
    assert battery.value == 50
    assert battery.received_at == datetime(2026, 11, 23, 9, 32, 2, tzinfo=UTC)
    network["power_state"] = "POWER_EXTERNAL"
    assert await stack.end_devices.battery("bath-radiator") is None
    with pytest.raises(NotFound):
        await stack.end_devices.battery("nobody")
