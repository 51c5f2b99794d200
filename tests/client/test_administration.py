"""The application itself, its formatters, keys, collaborators; gateways."""

from datetime import timedelta

import pytest

from tests.simulator import Simulator
from thethingsstack import (
    Conflict,
    Formatter,
    FormatterFailed,
    Formatters,
    InvalidRequest,
    MissingRight,
    NotFound,
    VersionIds,
)

from .conftest import MakeStack

READ = ["RIGHT_APPLICATION_INFO", "RIGHT_APPLICATION_TRAFFIC_READ"]


async def test_update(simulator: Simulator, make_stack: MakeStack) -> None:
    administration = make_stack("manage").administration
    application = await administration.update(
        name="Allotment", description="", attributes={"site": "north"}
    )
    assert (application.name, application.description) == ("Allotment", None)
    assert application.attributes == {"site": "north"}
    application = await administration.update(attributes={"site": None, "row": "2"})
    assert application.attributes == {"row": "2"}
    before = len(simulator.requests)
    await administration.update()
    assert [method for method, _ in simulator.requests[before:]] == ["GET"]
    with pytest.raises(MissingRight):
        await make_stack("read").administration.update(name="x")


async def test_create(simulator: Simulator, make_stack: MakeStack) -> None:
    administration = make_stack("user").administration
    created = await administration.create("second-garden", user_id="admin", name="Second")
    assert created.application_id == "second-garden"
    assert created.network_server_address == "127.0.0.1"
    with pytest.raises(Conflict):
        await administration.create("second-garden", user_id="admin")
    with pytest.raises(InvalidRequest):
        await administration.create("Second Garden", user_id="admin")
    with pytest.raises(MissingRight):
        await make_stack("manage").administration.create("third-garden", user_id="admin")
    assert "third-garden" not in simulator.stack.applications


async def test_api_keys(simulator: Simulator, make_stack: MakeStack) -> None:
    administration = make_stack("all").administration
    expires_at = simulator.stack.now() + timedelta(days=30)
    key = await administration.create_api_key("Home", READ, expires_at=expires_at)
    assert key.key is not None
    assert key.key not in repr(key)
    listed = {item.key_id: item async for item in administration.api_keys()}
    assert listed[key.key_id].key is None
    assert listed[key.key_id].name == "Home"
    assert listed[key.key_id].rights == set(READ)
    assert listed[key.key_id].expires_at == expires_at
    await administration.delete_api_key(key.key_id)
    with pytest.raises(NotFound):
        await administration.delete_api_key(key.key_id)
    with pytest.raises(InvalidRequest):
        await administration.create_api_key("Old", READ, expires_at=simulator.stack.now())
    with pytest.raises(MissingRight):
        await make_stack("manage").administration.create_api_key("More", READ)


async def test_collaborators(make_stack: MakeStack) -> None:
    (found,) = await make_stack("all").administration.collaborators()
    assert (found.kind, found.id) == ("user", "admin")
    with pytest.raises(MissingRight):
        await make_stack("manage").administration.collaborators()


async def test_formatters_of_the_application(simulator: Simulator, make_stack: MakeStack) -> None:
    formatters = make_stack("manage").formatters
    cayenne = Formatter(kind="FORMATTER_CAYENNELPP")
    assert await formatters.of_application() == Formatters(up=cayenne, down=cayenne)
    script = Formatter(kind="FORMATTER_JAVASCRIPT", parameter="function decodeUplink(i){}")
    await formatters.set_of_application(Formatters(up=script))
    assert await formatters.of_application() == Formatters(up=script, down=None)
    simulator.application.link = None
    assert await formatters.of_application() is None
    with pytest.raises(MissingRight):
        await make_stack("read").formatters.of_application()


async def test_formatters_of_a_device(simulator: Simulator, make_stack: MakeStack) -> None:
    formatters = make_stack("manage").formatters
    assert await formatters.of_device("never-joined") is None
    await formatters.set_of_device("never-joined", Formatters())
    assert await formatters.of_device("never-joined") == Formatters()
    await formatters.set_of_device("never-joined", None)
    assert await formatters.of_device("never-joined") is None
    with pytest.raises(NotFound):
        await formatters.set_of_device("nosuch", Formatters())
    assert "nosuch" not in simulator.devices


async def test_trying_a_formatter(make_stack: MakeStack) -> None:
    formatters = make_stack("read").formatters
    cayenne = Formatter(kind="FORMATTER_CAYENNELPP")
    decoded = await formatters.decode(
        "lpp-node", f_port=1, payload=bytes.fromhex("01670110"), formatter=cayenne
    )
    assert decoded.data == {"temperature_1": 27.2}
    with pytest.raises(FormatterFailed, match="invalid length"):
        await formatters.decode("lpp-node", f_port=1, payload=b"\x01", formatter=cayenne)
    repository = Formatter(kind="FORMATTER_REPOSITORY")
    ids = VersionIds(brand_id="dragino", model_id="lht65n")
    decoded = await formatters.decode(
        "lpp-node", f_port=2, payload=b"\x01\x02", formatter=repository, version_ids=ids
    )
    assert decoded.warnings == ("short payload",)
    with pytest.raises(MissingRight):
        await make_stack("info").formatters.decode(
            "lpp-node", f_port=1, payload=b"\x01", formatter=cayenne
        )


async def test_gateways(simulator: Simulator, make_stack: MakeStack) -> None:
    gateways = make_stack("user").gateways
    (first, *_) = [gateway async for gateway in gateways.list()]
    found = await gateways.get(first.gateway_id)
    assert found.location is not None
    connection = await gateways.connection(first.gateway_id)
    assert connection is not None
    assert connection.connected
    assert (connection.uplink_count, connection.round_trip_time) == (28, 0.03)
    assert connection.sub_bands[0].limit == 0.01
    assert set(await gateways.connections([first.gateway_id])) == {first.gateway_id}
    del simulator.stack.connections[first.gateway_id]
    assert await gateways.connection(first.gateway_id) is None
    with pytest.raises(NotFound):
        await gateways.get("nosuch")


async def test_gateways_with_a_key_of_the_application(
    simulator: Simulator, make_stack: MakeStack
) -> None:
    gateways = make_stack("read").gateways
    assert [gateway async for gateway in gateways.list()] == []
    gateway_id = next(iter(simulator.stack.gateways))
    assert (await gateways.get(gateway_id)).location is not None
    assert await gateways.connection(gateway_id) is not None
    simulator.stack.gateways[gateway_id] |= {"status_public": False, "location_public": False}
    assert (await gateways.get(gateway_id)).location is None
    with pytest.raises(MissingRight):
        await gateways.connection(gateway_id)
