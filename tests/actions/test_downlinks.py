"""The actions, as automations call them."""

from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
import voluptuous as vol

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.downlinks.queue import PAUSES, Pauses
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import RateLimit, Simulator

VICKI = "bath-radiator"
SOCKET = "pump-socket"
COMMAND: dict[str, Any] = {"hex": "0e:14", "f_port": 1}


@pytest.fixture(autouse=True)
def no_pauses(hass: HomeAssistant) -> None:
    """Read queues at once."""
    hass.data[PAUSES] = Pauses(after_report=0.05, between_reads=0)


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """The application with a key that may send."""
    return await set_up(hass, sim, make_entry(sim, "control"))


def registry_id(entry: MockConfigEntry, device_id: str = VICKI) -> str:
    """Return the id that Home Assistant gave an end device."""
    found: str = entry.runtime_data.roster.by_device_id(device_id).registry_id
    return found


async def call(
    hass: HomeAssistant, name: str, devices: str | list[str], *, response: bool = False, **data: Any
) -> Any:
    """Call an action."""
    return await hass.services.async_call(
        DOMAIN,
        name,
        {"device_id": devices, **data},
        blocking=True,
        return_response=response,
    )


def nested(levels: int) -> dict[str, Any]:
    """Return an object in an object in an object …"""
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


async def test_send_and_get(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    vicki = registry_id(entry)
    answer = await call(hass, "send_downlink", vicki, response=True, **COMMAND)
    sent = answer["downlinks"][vicki]
    assert sent["state"] == "queued"
    assert sent["correlation_id"].startswith("ha:")
    await call(
        hass, "send_downlink", vicki, base64="DhU", f_port=1, confirmed=True, retries=3,
        priority="high", correlation_ids=["mine"],
    )  # fmt: skip
    await call(hass, "send_downlink", [vicki], object={"setTargetTemperature": 22})
    answer = await call(hass, "get_downlink_queue", vicki, response=True)
    first, second, third = answer["downlinks"][vicki]
    assert (first["hex"], first["base64"], first["f_port"]) == ("0e14", "DhQ=", 1)
    assert (second["hex"], second["confirmed"], second["priority"]) == ("0e15", True, "high")
    assert "mine" in second["correlation_ids"]
    assert third["hex"] == "0e16"


async def test_replace_and_clear(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    vicki = registry_id(entry)
    for _ in range(2):
        await call(hass, "send_downlink", vicki, **COMMAND)
    answer = await call(
        hass, "replace_downlink_queue", vicki, response=True, hex="0x0e 0x1A", f_port=1
    )
    assert answer["downlinks"][vicki]["queue"] == 1
    answer = await call(hass, "get_downlink_queue", vicki, response=True)
    assert [item["hex"] for item in answer["downlinks"][vicki]] == ["0e1a"]
    await call(hass, "clear_downlink_queue", vicki)
    answer = await call(hass, "get_downlink_queue", vicki, response=True)
    assert answer["downlinks"][vicki] == []


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"f_port": 1}, "downlink_no_payload"),
        ({"f_port": 1, "hex": "01", "base64": "AQ=="}, "downlink_two_payloads"),
        ({"f_port": 1, "hex": "01", "object": {"a": 1}}, "downlink_two_payloads"),
        ({"f_port": 1, "hex": "0 1 2"}, "downlink_hex_odd"),
        ({"f_port": 1, "hex": "01 zz"}, "downlink_hex_invalid"),
        ({"f_port": 1, "hex": "0x0x0x"}, "downlink_hex_invalid"),
        ({"f_port": 1, "hex": "1,2"}, "downlink_hex_odd"),
        ({"f_port": 1, "object": {"a": float("nan")}}, "downlink_not_finite"),
        ({"f_port": 1, "object": nested(200)}, "downlink_too_deep"),
        ({"f_port": 1, "base64": "zz!"}, "downlink_base64_invalid"),
        ({"hex": "01"}, "downlink_port_missing"),
        ({"f_port": 0, "hex": "01"}, "downlink_port_zero"),
        ({"f_port": 224, "hex": "01"}, "downlink_port_reserved"),
        ({"f_port": 300, "hex": "01"}, "downlink_port_range"),
        ({"f_port": -1, "hex": "01"}, "downlink_port_range"),
        ({"f_port": 1, "hex": "00" * 243}, "downlink_too_long"),
        ({"f_port": 1, "hex": "01", "retries": 2}, "downlink_retries_unconfirmed"),
        ({"f_port": 1, "hex": "01", "confirmed": True, "retries": 99}, "downlink_retries_range"),
        ({"f_port": 1, "hex": "01", "wait_for": "acknowledged"}, "downlink_wait_unconfirmed"),
        ({"f_port": 1, "hex": "01", "correlation_ids": ["x" * 101]}, "downlink_correlation_id_length"),
    ],
)  # fmt: skip
async def test_refused_before_sending(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, data: dict[str, Any], key: str
) -> None:
    with pytest.raises(ServiceValidationError) as refused:
        await call(hass, "send_downlink", registry_id(entry), **data)
    assert refused.value.translation_key == key
    assert str(refused.value) not in ("", key)
    assert not any("/down/push" in path for _, path in sim.requests)


async def test_templates_may_give_numbers(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """A template whose digits look like a number is one."""
    vicki = registry_id(entry)
    await call(hass, "send_downlink", vicki, hex=1421, f_port="1")
    answer = await call(hass, "get_downlink_queue", vicki, response=True)
    assert [item["hex"] for item in answer["downlinks"][vicki]] == ["1421"]


async def test_targets_that_are_no_end_device(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The application itself, something unknown, an application that isn't loaded, none at all."""
    vicki = registry_id(entry)
    for device, key in (("nosuch", "device_unknown"), (entry.runtime_data.roster.application_registry_id, "no_end_device")):  # fmt: skip
        with pytest.raises(ServiceValidationError) as refused:
            await call(hass, "send_downlink", device, **COMMAND)
        assert refused.value.translation_key == key
    with pytest.raises(vol.Invalid):
        await call(hass, "send_downlink", [], **COMMAND)
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError) as refused:
        await call(hass, "send_downlink", vicki, **COMMAND)
    assert refused.value.translation_key == "application_not_loaded"


REFUSALS = {
    "no_device_session": (400, "downlink_no_session"),
    "device_not_found": (404, "downlink_device_not_found"),
    "unknown_mac_state": (400, "downlink_unknown_mac_state"),
    "downlink_queue_capacity": (429, "downlink_queue_full"),
    "confirmed_multicast_downlink": (400, "downlink_confirmed_multicast"),
    "no_downlink_path": (400, "downlink_no_path"),
    "downlink_max_retries_invalid": (400, "downlink_retries_invalid"),
    "something_new": (400, "downlink_refused"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_refusals_of_the_server(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, name: str
) -> None:
    """Each has its own text."""
    status, key = REFUSALS[name]
    sim.faults.errors["/down/push"] = (status, name)
    with pytest.raises(HomeAssistantError) as refused:
        await call(hass, "send_downlink", registry_id(entry), **COMMAND)
    assert refused.value.translation_key == key


async def test_encoder_server_and_key_failures_have_their_texts(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """An encoder that refuses, a server that is away, a key that is gone, a right that is gone."""
    vicki = registry_id(entry)
    with pytest.raises(HomeAssistantError) as refused:
        await call(hass, "send_downlink", vicki, object={"nosuch": 1})
    assert refused.value.translation_key == "downlink_encoder_failed"
    assert "unknown command" in str(refused.value)
    sim.faults.http_down = True
    with pytest.raises(HomeAssistantError) as refused:
        await call(hass, "send_downlink", vicki, **COMMAND)
    assert refused.value.translation_key == "downlink_no_answer"
    sim.faults.http_down = False
    sim.set_rights("control", ["TRAFFIC_READ"])
    with pytest.raises(HomeAssistantError) as refused:
        await call(hass, "clear_downlink_queue", vicki)
    assert refused.value.translation_key == "downlink_missing_right"
    sim.revoke("control")
    with pytest.raises(HomeAssistantError) as refused:
        await call(hass, "send_downlink", vicki, **COMMAND)
    assert refused.value.translation_key == "downlink_key_refused"
    assert any(entry.async_get_active_flows(hass, {"reauth"}))


async def test_partial_failure_names_the_devices(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """All are tried; the ones that failed are named."""
    devices = [registry_id(entry, name) for name in ("never-joined", VICKI, "weather-station")]
    with pytest.raises(HomeAssistantError) as failed:
        await call(hass, "send_downlink", devices, object={"setTargetTemperature": 21}, f_port=1)
    assert failed.value.translation_key == "downlinks_failed"
    given = failed.value.translation_placeholders
    assert given is not None
    assert (given["count"], given["total"]) == ("2", "3")
    assert "never" in given["errors"].casefold()
    assert "formatter" in given["errors"]
    queue = await entry.runtime_data.stack.downlinks.queue(VICKI)
    assert len(queue) == 1


async def test_wait_until_acknowledged(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    vicki = registry_id(entry)
    waiting = hass.async_create_task(
        call(
            hass, "send_downlink", vicki, response=True, confirmed=True,
            wait_for="acknowledged", timeout={"seconds": 60}, **COMMAND,
        )
    )  # fmt: skip
    await until(hass, lambda: sim.devices[VICKI].session.queue)  # type: ignore[union-attr]
    await sim.uplink(VICKI)
    await sim.uplink(VICKI)
    assert (await waiting)["downlinks"][vicki]["state"] == "acknowledged"


async def test_a_wait_ends_at_its_time_limit(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Told in the response; raised to who doesn't look at it."""
    vicki = registry_id(entry)
    wait: dict[str, Any] = {"wait_for": "sent", "timeout": {"milliseconds": 50}}
    answer = await call(hass, "send_downlink", vicki, response=True, **wait, **COMMAND)
    assert answer["downlinks"][vicki]["state"] == "timed_out"
    with pytest.raises(HomeAssistantError) as late:
        await call(hass, "send_downlink", vicki, **wait, **COMMAND)
    assert late.value.translation_key == "downlink_timed_out"


async def test_failure_while_waiting(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The reason of the network is told."""
    vicki = registry_id(entry)
    sim.devices[VICKI].acknowledges = False
    waiting = hass.async_create_task(
        call(
            hass, "send_downlink", vicki, response=True, confirmed=True, retries=1,
            wait_for="acknowledged", timeout={"seconds": 60}, **COMMAND,
        )
    )  # fmt: skip
    await until(hass, lambda: sim.devices[VICKI].session.queue)  # type: ignore[union-attr]
    for _ in range(3):
        await sim.uplink(VICKI)
    result = (await waiting)["downlinks"][vicki]
    assert (result["state"], result["error"]) == ("failed", "max_retries_reached")
    assert "maximum number of retries" in result["reason"]


async def test_rate_limit_within_the_time_limit(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Waited out where there is time, else told with the time to wait."""
    vicki = registry_id(entry)
    sim.faults.rate_limits["/down/push"] = RateLimit(burst=1, per_minute=40)
    await call(hass, "send_downlink", vicki, **COMMAND)
    with pytest.raises(HomeAssistantError) as limited:
        await call(hass, "send_downlink", vicki, timeout={"milliseconds": 100}, **COMMAND)
    assert limited.value.translation_key == "downlink_rate_limited"
    await call(hass, "send_downlink", vicki, timeout={"seconds": 60}, **COMMAND)
    assert len(await entry.runtime_data.stack.downlinks.queue(VICKI)) == 2


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("send_downlink", COMMAND),
    ("replace_downlink_queue", COMMAND),
    ("clear_downlink_queue", {}),
]


@pytest.mark.parametrize(("action", "data"), CHANGES)
async def test_a_device_is_sent_nothing_by_who_may_not_control_it(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, hass_read_only_user: MockUser,
    *, action: str, data: dict[str, Any],
) -> None:  # fmt: skip
    vicki = registry_id(entry)
    context = Context(user_id=hass_read_only_user.id)
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN, action, {"device_id": vicki, **data}, blocking=True, context=context
        )
    assert not any("/down/" in path for _, path in sim.requests)
    await hass.services.async_call(
        DOMAIN, "get_downlink_queue", {"device_id": vicki}, blocking=True, context=context,
        return_response=True,
    )  # fmt: skip


@pytest.mark.parametrize(("action", "data"), CHANGES)
async def test_one_entity_of_the_device_is_enough(
    hass: HomeAssistant, entry: MockConfigEntry, *, action: str, data: dict[str, Any]
) -> None:
    vicki = registry_id(entry)
    user = MockUser().add_to_hass(hass)
    (own, *_) = er.async_entries_for_device(er.async_get(hass), vicki)
    user.mock_policy({"entities": {"entity_ids": {own.entity_id: True}}})
    await hass.services.async_call(
        DOMAIN, action, {"device_id": vicki, **data}, blocking=True,
        context=Context(user_id=user.id),
    )  # fmt: skip
