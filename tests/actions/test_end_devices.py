"""The actions that manage end devices, as automations and people call them."""

from contextlib import nullcontext
from typing import Any

from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.thethingsstack.client.rights import CONSOLE_NAMES
from custom_components.thethingsstack.const import DOMAIN
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator

KEY = "00112233445566778899AABBCCDDEEFF"
EUI = "70B3D57ED0060099"
BY_HAND = {
    "name": "New sensor",
    "dev_eui": "70:b3:d5:7e:d0:06:00:99",
    "lorawan_version": "1.0.3",
    "frequency_plan": "EU_863_870_TTN",
    "app_key": KEY,
}


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """The application with a key that may manage it."""
    return await set_up(hass, sim, make_entry(sim, "manage"))


async def call(hass: HomeAssistant, action: str, **data: Any) -> dict[str, Any]:
    """Call an action of ours and return its response."""
    response = await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )
    assert response is not None
    return dict(response)


async def refusal(hass: HomeAssistant, action: str, **data: Any) -> HomeAssistantError:
    """Call an action that is refused, and return its error."""
    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, action, **data)
    return caught.value


def registry_id(entry: MockConfigEntry, device_id: str = "lpp-node") -> str:
    """Return the id that Home Assistant gave an end device."""
    found: str = entry.runtime_data.roster.by_device_id(device_id).registry_id
    return found


async def test_register_by_hand(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    response = await call(hass, "register_device", **BY_HAND, attributes={"room": "Cellar"})
    assert response["end_device_id"] == "new-sensor"
    assert response["dev_eui"] == EUI
    assert KEY not in str(response)
    device = dr.async_get(hass).async_get(response["device_id"])
    assert device is not None
    assert device.name == "New sensor"
    await hass.async_block_till_done()
    state = hass.states.get(entity_id(hass, "sensor", f"garden/{EUI}/status"))
    assert state is not None
    assert state.state == "never_joined"
    documents = sim.devices["new-sensor"].documents
    assert documents["js"]["root_keys"]["app_key"]["key"] == KEY
    await sim.join("new-sensor")
    await until(hass, lambda: _status(hass) != "never_joined")


def _status(hass: HomeAssistant) -> str | None:
    state = hass.states.get(entity_id(hass, "sensor", f"garden/{EUI}/status"))
    return None if state is None else state.state


async def test_register_a_model(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    response = await call(
        hass,
        "register_device",
        end_device_id="new-socket",
        dev_eui=EUI,
        model="milesight-iot/ws523/1.0/EU_863_870",
        generate_keys=True,
    )
    documents = sim.devices["new-socket"].documents
    key = documents["js"]["root_keys"]["app_key"]["key"]
    assert response["generated_keys"] == {"app_key": key}
    assert documents["ns"]["frequency_plan_id"] == "EU_863_870_TTN"
    assert documents["as"]["formatters"]["up_formatter"] == "FORMATTER_REPOSITORY"


async def test_register_from_a_qr_code(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    data = {name: value for name, value in BY_HAND.items() if name != "dev_eui"}
    code = "LW:D0:70B3D57ED0000001:A84041000181C0AA:01014242"
    response = await call(hass, "register_device", **data, qr_code=code)
    assert response["dev_eui"] == "A84041000181C0AA"
    assert response["join_eui"] == "70B3D57ED0000001"
    error = await refusal(hass, "register_device", **data, qr_code="https://example.org/thing")
    assert error.translation_key == "management_qr_code_unknown"


async def test_register_a_device_that_is_claimed(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It has no keys here; where registering fails it is given back."""
    euis = ("A840410000000100", "A84041000181C0AA")
    sim.stack.claimable[euis] = "SECRET"
    data = {
        "qr_code": "LW:D0:A840410000000100:A84041000181C0AA:01014242:OSECRET",
        "lorawan_version": "1.0.3",
        "frequency_plan": "EU_863_870_TTN",
    }
    sim.faults.http_status["PUT /as/"] = 500
    error = await refusal(hass, "register_device", **data)
    assert error.translation_key == "management_cannot_connect"
    assert sim.requests[-1][0] == "DELETE"
    assert "edcs/claim" in sim.requests[-1][1]
    sim.faults.http_status["DELETE /edcs/"] = 500
    error = await refusal(hass, "register_device", **data)
    assert error.translation_key == "management_rollback_failed"
    assert error.translation_placeholders is not None
    assert error.translation_placeholders["servers"] == "Join Server"
    sim.faults.http_status.clear()
    response = await call(hass, "register_device", **data)
    assert response["end_device_id"] == "a84041000181c0aa"
    assert set(sim.devices[response["end_device_id"]].documents) == {"is", "ns", "as"}


async def test_register_where_only_chosen_devices_are_let_in(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """What is added here is chosen."""
    options = {"devices": "chosen", "chosen_devices": ["lpp-node"]}
    entry = await set_up(hass, sim, make_entry(sim, "manage", options))
    response = await call(hass, "register_device", **BY_HAND)
    assert response["device_id"] is not None
    assert response["end_device_id"] in entry.options["chosen_devices"]


async def test_register_without_joining(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    response = await call(
        hass,
        "register_device",
        name="ABP",
        abp=True,
        generate_keys=True,
        lorawan_version="1.0.3",
        frequency_plan="EU_863_870_TTN",
    )
    assert set(response["generated_keys"]) == {"app_s_key", "nwk_s_key"}
    session = sim.devices[response["end_device_id"]].documents["ns"]["session"]
    assert response["dev_addr"] == session["dev_addr"]
    assert set(sim.devices[response["end_device_id"]].documents) == {"is", "ns", "as"}


async def test_issued_and_reversed_euis(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    sim.stack.dev_euis = ["70B3D57ED0070001"]
    data = {name: value for name, value in BY_HAND.items() if name != "dev_eui"}
    response = await call(hass, "register_device", **data, issue_dev_eui=True)
    assert response["dev_eui"] == "70B3D57ED0070001"
    assert (await refusal(hass, "register_device", **data, issue_dev_eui=True)).translation_key == (
        "management_no_dev_eui"
    )
    response = await call(hass, "register_device", **data, dev_eui="61C08101004140A8")
    assert response["warning"] == "dev_eui_looks_reversed"
    assert response["end_device_id"] == "new-sensor-2"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"end_device_id": "No Id"}, "management_invalid_id"),
        ({"dev_eui": "70B3"}, "management_invalid_eui"),
        ({"join_eui": "xyz"}, "management_invalid_eui"),
        ({"app_key": "1234"}, "management_invalid_key"),
        ({"lorawan_version": "2.0"}, "management_invalid_version"),
        ({"phy_version": "PHY_V1_1_REV_A"}, "management_invalid_phy_version"),
        ({"nwk_key": KEY}, "management_nwk_key_unused"),
        ({"name": "x" * 51}, "management_too_long"),
        ({"attributes": {"Bad Key": "x"}}, "management_invalid_attribute"),
        ({"model": "dragino"}, "management_model_form"),
        ({"model": "dragino/nosuch/1.0/EU_863_870"}, "management_model_unknown"),
        ({"abp": True, "app_s_key": KEY}, "management_keys_unused"),
        ({"dev_addr": "260B1234"}, "management_session_unused"),
        ({"issue_dev_eui": True}, "management_dev_eui_unused"),
        ({"end_device_id": "lpp-node"}, "management_id_taken"),
        (
            {"dev_eui": "A84041000181C061", "join_eui": "A840410000000100"},
            "management_euis_taken",
        ),
        ({"frequency_plan": "NO_SUCH"}, "management_plan_unknown"),
        (
            {"model": "dragino/lht65n/1.0/EU_863_870", "frequency_plan": "US_902_928_FSB_2"},
            "management_plan_of_another_band",
        ),
        ({"config_entry_id": "nosuch"}, "management_no_application"),
    ],
)
async def test_wrong_data_is_refused(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    change: dict[str, Any],
    key: str,
) -> None:
    error = await refusal(hass, "register_device", **{**BY_HAND, **change})
    assert isinstance(error, ServiceValidationError)
    assert error.translation_key == key
    assert KEY not in str(error)
    assert "new-sensor" not in sim.devices


@pytest.mark.parametrize(
    ("missing", "key"),
    [
        ("dev_eui", "management_missing_dev_eui"),
        ("app_key", "management_missing_key"),
        ("lorawan_version", "management_missing_version"),
        ("frequency_plan", "management_missing_plan"),
    ],
)
async def test_missing_data_is_named(
    hass: HomeAssistant, entry: MockConfigEntry, missing: str, key: str
) -> None:
    data = {name: value for name, value in BY_HAND.items() if name != missing}
    error = await refusal(hass, "register_device", **data)
    assert error.translation_key == key


@pytest.mark.parametrize("step", ["POST /applications/garden/devices", "PUT /js/", "PUT /ns/"])
@pytest.mark.parametrize(
    ("status", "key"),
    [
        (403, "management_missing_rights"),
        (401, "management_key_refused"),
        (429, "management_rate_limited"),
        (500, "management_cannot_connect"),
    ],
)
async def test_a_step_that_the_server_refuses_is_taken_back(  # noqa: PLR0917 - two dimensions
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    step: str,
    status: int,
    key: str,
) -> None:
    sim.faults.http_status[step] = status
    assert (await refusal(hass, "register_device", **BY_HAND)).translation_key == key
    assert "new-sensor" not in sim.devices


async def test_server_dies_between_two_steps(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    sim.faults.http_dies_at = "PUT /ns/"
    error = await refusal(hass, "register_device", **BY_HAND)
    assert error.translation_key == "management_rollback_failed"
    sim.faults.http_down = False
    response = await call(hass, "get_device", end_device_id="new-sensor")
    assert response["complete"] is False
    assert response["missing_on"] == ["network", "application"]
    await call(hass, "delete_device", end_device_id="new-sensor", confirm="new-sensor")
    assert "new-sensor" not in sim.devices


async def test_update_changes_an_end_device(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    device_id = registry_id(entry)
    response = await call(
        hass,
        "update_device",
        device_id=device_id,
        name="Attic node",
        description="under the roof",
        attributes={"room": None, "floor": "2"},
        location={"latitude": 1.5, "longitude": 2.5, "radius": 10},
        altitude=3,
    )
    assert response["attributes"] == {"floor": "2"}
    assert response["location"] == {"latitude": 1.5, "longitude": 2.5}
    device = dr.async_get(hass).async_get(device_id)
    assert device is not None
    assert device.name == "Attic node"
    assert sim.devices["lpp-node"].documents["is"]["locations"]["user"]["altitude"] == 3
    response = await call(hass, "update_device", device_id=device_id, remove_location=True)
    assert response["location"] is None
    await call(hass, "update_device", device_id=device_id, class_c=True, lorawan_version="1.0.3")
    assert sim.devices["lpp-node"].documents["ns"]["supports_class_c"] is True


async def test_a_frequency_plan_must_fit_the_end_device(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The server accepts any, and then receives nothing of the end device any more."""
    device_id = registry_id(entry)
    before = dict(sim.devices["lpp-node"].documents["ns"])
    for plan, key, text in (
        ("US_902_928_FSB_2", "management_plan_of_another_band", "its band, EU_863_870: EU_863_870"),
        ("NO_SUCH", "management_plan_unknown", "no frequency plan NO_SUCH"),
    ):
        error = await refusal(
            hass, "update_device", device_id=device_id, name="New", frequency_plan=plan
        )
        assert isinstance(error, ServiceValidationError)
        assert error.translation_key == key
        assert text in str(error)
    assert sim.devices["lpp-node"].documents["ns"] == before


async def test_delete_removes_an_end_device(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    device_id = registry_id(entry)
    error = await refusal(hass, "delete_device", device_id=device_id, confirm="yes")
    assert error.translation_key == "management_confirm"
    response = await call(hass, "delete_device", device_id=device_id, confirm="lpp-node")
    assert response["removed_from"] == ["application", "network", "join", "identity"]
    state = hass.states.get(entity_id(hass, "sensor", "garden/70B3D57ED0060002/status"))
    assert state is not None
    assert state.state == "not_registered"
    error = await refusal(hass, "delete_device", device_id=device_id, confirm="lpp-node")
    assert error.translation_key == "management_unknown_device"


async def test_delete_that_fails_half_way(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    sim.faults.http_status["DELETE /ns/"] = 500
    error = await refusal(hass, "delete_device", end_device_id="lpp-node", confirm="lpp-node")
    assert error.translation_key == "management_partly_deleted"


async def test_queries_return_what_the_server_has(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    response = await call(hass, "get_device", device_id=registry_id(entry))
    assert response["complete"]
    assert response["device"]["lorawan_version"] == "MAC_V1_0_3"
    assert "root_keys" not in response
    response = await call(hass, "get_device", device_id=registry_id(entry), include_keys=True)
    assert len(response["root_keys"]["app_key"]) == 32
    abp = registry_id(entry, "old-abp-node")
    response = await call(hass, "get_device", device_id=abp, include_keys=True)
    assert response["root_keys"] is None
    error = await refusal(hass, "get_device", end_device_id="nosuch")
    assert error.translation_key == "management_unknown_device"
    devices = (await call(hass, "list_devices"))["devices"]
    assert {item["end_device_id"] for item in devices} == set(sim.devices)
    assert all(item["device_id"] for item in devices)
    (found,) = (await call(hass, "list_devices", search="radiator"))["devices"]
    assert found["model"] == "vicki"


async def test_reset_and_simulate(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    device_id = registry_id(entry)
    await call(hass, "reset_device", device_id=device_id)
    assert sim.devices["lpp-node"].session is None
    data = {"device_id": device_id, "f_port": 1, "hex": "01 67 01 10"}
    await call(hass, "simulate_uplink", **data)
    path = "garden/70B3D57ED0060002/field/temperature_1"
    await until(hass, lambda: hass.states.get(entity_id(hass, "sensor", path)))
    error = await refusal(hass, "simulate_uplink", **{**data, "hex": "1"})
    assert error.translation_key == "downlink_hex_odd"


async def test_a_target_must_be_one_end_device(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    hub = entry.runtime_data.roster.application_registry_id
    for data, key in (
        ({}, "management_name_device"),
        ({"device_id": hub}, "management_no_end_device"),
        ({"device_id": "nosuch"}, "management_no_end_device"),
    ):
        assert (await refusal(hass, "reset_device", **data)).translation_key == key
    other = make_entry(sim, "manage", host="elsewhere")
    other.add_to_hass(hass)
    error = await refusal(hass, "list_devices")
    assert error.translation_key == "management_name_application"
    error = await refusal(hass, "list_devices", config_entry_id=other.entry_id)
    assert error.translation_key == "management_not_loaded"
    assert await call(hass, "list_devices", config_entry_id=entry.entry_id)


async def test_missing_rights_are_named(hass: HomeAssistant, sim: Simulator) -> None:
    entry = await set_up(hass, sim, make_entry(sim, "read"))
    device_id = registry_id(entry)
    for action, data in (
        ("register_device", BY_HAND),
        ("update_device", {"device_id": device_id, "name": "x"}),
        ("delete_device", {"device_id": device_id, "confirm": "lpp-node"}),
        ("reset_device", {"device_id": device_id}),
        ("simulate_uplink", {"device_id": device_id, "f_port": 1, "hex": "01"}),
        ("get_device", {"device_id": device_id, "include_keys": True}),
        ("set_payload_formatter", {"device_id": device_id, "uplink": "cayennelpp"}),
        ("set_payload_formatter", {"uplink": "cayennelpp"}),
        ("update_application", {"name": "x"}),
        ("list_api_keys", {}),
        ("list_collaborators", {}),
    ):
        error = await refusal(hass, action, **data)
        assert error.translation_key == "management_missing_rights", action
        assert error.translation_placeholders is not None
        right = error.translation_placeholders["rights"].strip("“”")
        assert right in CONSOLE_NAMES.values()


@pytest.fixture
def user(hass: HomeAssistant) -> User:
    """Somebody who is no administrator."""
    guest: User = MockUser(name="Guest").add_to_hass(hass)
    return guest


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("register_device", BY_HAND),
        ("update_device", {"end_device_id": "lpp-node", "name": "x"}),
        ("delete_device", {"end_device_id": "lpp-node", "confirm": "lpp-node"}),
        ("reset_device", {"end_device_id": "lpp-node"}),
        ("simulate_uplink", {"end_device_id": "lpp-node", "f_port": 1, "hex": "01"}),
        ("set_payload_formatter", {"uplink": "cayennelpp"}),
        ("update_application", {"name": "x"}),
        ("list_api_keys", {}),
        ("create_api_key", {"name": "x", "rights": ["INFO"]}),
        ("delete_api_key", {"key_id": "x"}),
        ("get_device", {"end_device_id": "lpp-node", "include_keys": True}),
    ],
)
async def test_administrators_only(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    user: User,
    action: str,
    data: dict[str, Any],
) -> None:
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            action,
            data,
            blocking=True,
            return_response=True,
            context=Context(user_id=user.id),
        )


# Formatters and the application


SCRIPT = "function decodeUplink(input) { return {data: {}}; }"


async def test_formatter_of_a_device(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    device_id = registry_id(entry, "never-joined")
    response = await call(
        hass,
        "set_payload_formatter",
        device_id=device_id,
        uplink="javascript",
        uplink_script=SCRIPT,
    )
    # The other direction stays what it was, the application's.
    assert response["formatters"]["downlink"] == {"kind": "cayennelpp", "script": None}
    stored = sim.devices["never-joined"].documents["as"]["formatters"]
    assert stored["up_formatter_parameter"] == SCRIPT
    data = {"uplink": "application_default", "downlink": "application_default"}
    response = await call(hass, "set_payload_formatter", device_id=device_id, **data)
    assert response["formatters"] is None
    assert "formatters" not in sim.devices["never-joined"].documents["as"]


async def test_formatter_of_the_application(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    await call(hass, "set_payload_formatter", uplink="none", downlink="repository")
    response = await call(hass, "get_application")
    assert response["name"] == "Garden"
    assert response["formatters"]["uplink"]["kind"] == "none"
    assert response["formatters"]["downlink"]["kind"] == "repository"


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({}, "management_name_formatter"),
        ({"uplink": "javascript"}, "management_script"),
        ({"uplink": "none", "uplink_script": SCRIPT}, "management_script"),
        ({"uplink": "application_default"}, "management_default_formatter"),
        (
            {"end_device_id": "lpp-node", "uplink": "application_default", "downlink": "none"},
            "management_default_formatter",
        ),
        ({"end_device_id": "nosuch", "uplink": "none"}, "management_not_on_server"),
    ],
)
async def test_wrong_formatters_are_refused(
    hass: HomeAssistant, entry: MockConfigEntry, data: dict[str, Any], key: str
) -> None:
    assert (await refusal(hass, "set_payload_formatter", **data)).translation_key == key


async def test_trying_a_formatter(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    device_id = registry_id(entry)
    error = await refusal(hass, "test_payload_formatter", device_id=device_id)
    assert error.translation_key == "management_no_uplink"
    await sim.uplink("lpp-node", payload=bytes.fromhex("01670110"), f_port=1)
    state = entry.runtime_data.roster.by_device_id("lpp-node")
    await until(hass, lambda: state.last_data_uplink)
    response = await call(hass, "test_payload_formatter", device_id=device_id)
    assert response["decoded_payload"] == {"temperature_1": 27.2}
    data = {"device_id": device_id, "formatter": "cayennelpp"}
    response = await call(hass, "test_payload_formatter", **data, hex="0167FFF6")
    assert response["decoded_payload"] == {"temperature_1": -1}
    response = await call(hass, "test_payload_formatter", **data, object={"value_1": 1})
    assert response["hex"] == "010064ff"
    error = await refusal(hass, "test_payload_formatter", **data, hex="01")
    assert error.translation_key == "management_formatter_failed"
    assert "invalid length" in str(error.translation_placeholders)
    await call(hass, "set_payload_formatter", device_id=device_id, uplink="none")
    error = await refusal(hass, "test_payload_formatter", device_id=device_id, hex="01")
    assert error.translation_key == "management_no_formatter"


async def test_application_actions(hass: HomeAssistant, sim: Simulator) -> None:
    entry = await set_up(hass, sim, make_entry(sim, "all"))
    response = await call(hass, "update_application", name="Allotment", attributes={"site": "a"})
    assert (response["name"], response["attributes"]) == ("Allotment", {"site": "a"})
    key = await call(hass, "create_api_key", name="Dashboard", rights=["traffic_read"])
    assert key["key"].startswith("NNSXS.")
    listed = (await call(hass, "list_api_keys"))["api_keys"]
    assert {"Dashboard"} <= {item["name"] for item in listed}
    assert key["key"] not in str(listed)
    await call(hass, "delete_api_key", key_id=key["key_id"])
    error = await refusal(hass, "delete_api_key", key_id=key["key_id"])
    assert error.translation_key == "management_not_found"
    own = (await entry.runtime_data.stack.auth_info()).key_id
    assert (await refusal(hass, "delete_api_key", key_id=own)).translation_key == (
        "management_own_key"
    )
    found = (await call(hass, "list_collaborators"))["collaborators"]
    assert found[0]["id"] == "admin"


async def test_issues_carry_the_present_name(hass: HomeAssistant, sim: Simulator) -> None:
    """Of an application that was renamed, here or before the start."""
    entry = await set_up(hass, sim, make_entry(sim, "all"))
    sim.remove_parts("never-joined", "as")
    await entry.runtime_data.partial_devices.async_look("never-joined")
    issue_id = f"half_created_{entry.entry_id}_never-joined"

    def name() -> str | None:
        issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
        assert issue is not None
        return (issue.translation_placeholders or {}).get("application")

    before = name()
    await call(hass, "update_application", name="Allotment")
    await hass.async_block_till_done()
    assert before != "Allotment"
    assert name() == "Allotment"
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert name() == "Allotment"


# Users


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("test_payload_formatter", {"end_device_id": "lpp-node", "hex": "01670110"}),
        ("list_collaborators", {}),
    ],
)
async def test_read_only_users_may_not(
    hass: HomeAssistant, sim: Simulator, action: str, data: dict[str, Any]
) -> None:
    """Who may only look may not let the server work, nor learn of other people."""
    await set_up(hass, sim, make_entry(sim, "all"))
    await _allowed(hass, action, data, {"entities": {"all": {"read": True}}}, may=False)
    await _allowed(hass, action, data, {"entities": True}, may=True)


async def test_a_formatter_is_tested_by_those_who_control_the_device(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Not by those who control another one."""
    data = {"end_device_id": "lpp-node", "hex": "01670110"}
    policies = [
        {"entities": {"entity_ids": {entity_id(hass, "sensor", key): {"control": True}}}}
        for key in ("garden/70B3D57ED0060002/status", "garden/70B3D57ED0060004/status")
    ]
    await _allowed(hass, "test_payload_formatter", data, policies[0], may=True)
    await _allowed(hass, "test_payload_formatter", data, policies[1], may=False)


async def _allowed(
    hass: HomeAssistant, action: str, data: dict[str, Any], policy: Any, *, may: bool
) -> None:
    """Call an action as a user with a policy; fails where that is not as it should be."""
    user = MockUser(name="Guest").add_to_hass(hass)
    user.mock_policy(policy)
    with nullcontext() if may else pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            action,
            data,
            blocking=True,
            return_response=True,
            context=Context(user_id=user.id),
        )
