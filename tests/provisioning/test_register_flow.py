"""Add end device: three ways to register one, and nothing left behind where it fails."""

from collections.abc import Callable
import json
import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.diagnostics import async_get_config_entry_diagnostics
from custom_components.thethingsstack.provisioning.register_flow import SUBENTRY_END_DEVICE
from tests.dialogs import Result, finish, go, options, start_subentry, suggested, without_head_start
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator

KEY = "00112233445566778899AABBCCDDEEFF"
PLAN = "EU_863_870_TTN"
EUIS = {"dev_eui": "70:b3:d5:7e:d0:06:00:99", "join_eui": "70b3d57ed0000000"}
MANUAL: dict[str, Any] = {"activation": "otaa", "lorawan_version": "MAC_V1_0_3", "class_c": False}
DEVICE: dict[str, Any] = {"name": "Loft sensor", "frequency_plan": PLAN, **EUIS, "app_key": KEY}
STATUS = "sensor.loft_sensor_status"
STATUS_IN_LOFT = "sensor.loft_loft_sensor_status"


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application, with a key that may manage end devices."""
    without_head_start(hass)
    return await set_up(hass, sim, make_entry(sim, "manage"))


async def way(hass: HomeAssistant, entry: MockConfigEntry, step: str) -> Result:
    """Choose the way to register."""
    result = await start_subentry(hass, entry, SUBENTRY_END_DEVICE)
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["brand", "qr_code", "by_hand", "several"]
    return await go(hass, result, next_step_id=step)


async def facts(hass: HomeAssistant, entry: MockConfigEntry, **manual: Any) -> Result:
    """Walk to the form for names, EUIs and keys, by hand."""
    result = await way(hass, entry, "by_hand")
    return await go(hass, result, **{**MANUAL, **manual})


async def register(hass: HomeAssistant, result: Result) -> Result:
    """Confirm the review, and wait for what comes of it."""
    assert result["type"] is FlowResultType.MENU, result["errors"]
    assert KEY not in str(result["description_placeholders"])
    return await finish(hass, await go(hass, result, next_step_id="register"))


def documents(sim: Simulator, device_id: str = "loft-sensor") -> dict[str, Any]:
    """Return what the servers have of a device."""
    device = sim.devices.get(device_id)
    return {} if device is None else device.documents


def writes(sim: Simulator) -> list[str]:
    """Return the requests that change something."""
    asking = ("parse", "info", "/events")
    return [
        f"{method} {path}"
        for method, path in sim.requests
        if method != "GET" and not path.endswith(asking)
    ]


# Three ways


async def test_registering_by_hand(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """A device that joins: on all servers and in Home Assistant, waiting for its join."""
    caplog.set_level(logging.DEBUG)
    area = ar.async_get(hass).async_create("Loft")
    result = await facts(hass, entry)
    assert result["step_id"] == "device"
    assert "nwk_key" not in result["data_schema"].schema
    result = await go(hass, result, **DEVICE, area=area.id)
    assert not writes(sim)
    told = result["description_placeholders"]
    assert told["device_id"] == "loft-sensor"
    assert "- DevEUI: `70B3D57ED0060099`" in told["facts"]
    result = await register(hass, result)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "registered")
    assert "70B3D57ED0060099" in result["description_placeholders"]["facts"]
    assert not entry.subentries

    found = documents(sim)
    assert set(found) == {"is", "js", "ns", "as"}
    assert found["js"]["root_keys"] == {"app_key": {"key": KEY}}
    assert found["ns"]["frequency_plan_id"] == PLAN
    await hass.async_block_till_done()
    state = hass.states.get(STATUS_IN_LOFT)
    assert state is not None
    assert state.state == "never_joined"
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, "garden/70B3D57ED0060099"), entry.entry_id
    )
    assert device is not None
    assert device.area_id == area.id
    assert result["description_placeholders"]["page"] == f"/config/devices/device/{device.id}"
    assert KEY not in str(await async_get_config_entry_diagnostics(hass, entry))
    assert not any(
        KEY in record.getMessage()
        for record in caplog.records
        if "custom_components" in record.name
    )

    await sim.join("loft-sensor")
    await until(hass, lambda: hass.states.get(STATUS_IN_LOFT).state != "never_joined")  # type: ignore[union-attr]
    await sim.uplink("loft-sensor", {"temperature": 20.5})
    await until(hass, lambda: hass.states.get("sensor.loft_loft_sensor_temperature"))
    entities = er.async_entries_for_device(
        er.async_get(hass), device.id, include_disabled_entities=True
    )
    assert {item.entity_id.partition(".")[2][:17] for item in entities} == {"loft_loft_sensor_"}


async def test_registering_a_model_of_the_repository(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Brand and model; version and band where there is a choice; what is empty is generated."""
    sim.stack.dev_euis = ["70B3D57ED0070001"]
    result = await way(hass, entry, "brand")
    assert options(result, "brand") == ["Dragino", "MClimate", "Milesight IoT"]
    assert suggested(result) == {"brand": ""}  # else the frontend chooses the first
    result = await go(hass, result, brand="dragon")
    assert result["errors"] == {"brand": "choose_from_list"}
    assert suggested(result) == {"brand": "dragon"}
    result = await go(hass, result, brand="dragino")
    assert result["step_id"] == "model"
    result = await go(hass, result, model="nothing")
    assert result["errors"] == {"model": "choose_from_list"}
    result = await go(hass, result, model="LHT65N")
    assert result["step_id"] == "device"
    plan = next(key for key in result["data_schema"].schema if key == "frequency_plan")
    result = await go(hass, result, name="Kühlschrank", frequency_plan=plan.default())
    told = result["description_placeholders"]
    assert told["model"] == "Dragino LHT65N"
    assert told["plan"] == "Europe 863-870 MHz (SF9 for RX2 - recommended)"
    assert "- DevEUI: `✱`" in result["description_placeholders"]["facts"]
    assert "A device that was bought has its own" in told["facts"]
    result = await register(hass, result)
    assert result["reason"] == "registered_with_keys"
    found = documents(sim, "kuehlschrank")
    issued = found["is"]["ids"]["dev_eui"]
    assert issued == "70B3D57ED0070001"
    assert found["is"]["version_ids"]["model_id"] == "lht65n"
    assert found["as"]["formatters"]["up_formatter"] == "FORMATTER_REPOSITORY"
    told = result["description_placeholders"]["facts"]
    assert issued in told
    assert found["js"]["root_keys"]["app_key"]["key"] in told


async def test_version_and_band_are_asked_where_there_is_a_choice(
    hass: HomeAssistant, demo_sim: Simulator
) -> None:
    """The usual band of the application is filled in, and its usual frequency plan."""
    entry = await set_up(hass, demo_sim, make_entry(demo_sim, "manage"))
    path = "/dr/brands/dragino/models"
    version = {
        "supported_hardware_versions": ["1"],
        "profiles": {"EU_863_870": {}, "US_902_928": {}},
    }
    model = {
        "brand_id": "dragino",
        "model_id": "lht65n",
        "name": "LHT65N",
        "firmware_versions": [{"version": "0.9", **version}, {"version": "1.0", **version}],
    }
    result = await way(hass, entry, "brand")
    demo_sim.faults.http_body[path] = json.dumps({"models": [model]}).encode()
    result = await go(hass, result, brand="Dragino")
    result = await go(hass, result, model="LHT65N")
    assert result["step_id"] == "version"
    assert options(result, "version") == ["0.9 · 1", "1.0 · 1"]
    result = await go(hass, result, version="2")
    assert result["errors"] == {"version": "choose_from_list"}
    result = await go(hass, result, version="1.0")
    assert result["step_id"] == "band"
    assert options(result, "band") == ["EU_863_870", "US_902_928"]
    assert suggested(result) == {"band": "EU_863_870"}
    result = await go(hass, result, band="NOWHERE")
    assert result["errors"] == {"band": "choose_from_list"}
    demo_sim.faults.http_body.clear()
    result = await go(hass, result, band="EU_863_870")
    assert result["step_id"] == "device"


async def test_a_model_without_versions(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The repository has some that can't be registered from it."""
    result = await way(hass, entry, "brand")
    model = {"brand_id": "dragino", "model_id": "lht65n"}
    sim.faults.http_body["/dr/brands/dragino/models"] = json.dumps({"models": [model]}).encode()
    result = await go(hass, result, brand="Dragino")
    result = await go(hass, result, model="lht65n")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_versions")


async def test_registering_by_qr_code(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The code tells the EUIs and the model."""
    result = await way(hass, entry, "qr_code")
    result = await go(hass, result, qr_code="a shopping list")
    assert result["errors"] == {"qr_code": "unknown_qr_code"}
    assert suggested(result) == {"qr_code": "a shopping list"}
    result = await go(hass, result, qr_code=" LW:D0:A840410000000100:A84041000181C0AA:01014242 ")
    assert result["step_id"] == "device"
    assert suggested(result) == {"dev_eui": "A84041000181C0AA", "join_eui": "A840410000000100"}
    result = await go(
        hass, result, name="Loft sensor", frequency_plan=PLAN, app_key=KEY, **suggested(result)
    )
    result = await register(hass, result)
    assert result["reason"] == "registered"
    assert documents(sim)["is"]["version_ids"]["model_id"] == "lht65n"


@pytest.mark.parametrize(
    ("serial", "kept", "note"),
    [
        ("SERIAL9", "serial9", "- Serial number: `serial9`"),
        ("A_1", None, "- The serial number `A_1` of the QR code is left out"),
    ],
)
async def test_the_serial_number_of_a_qr_code(  # noqa: PLR0917 - three that belong together
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    serial: str,
    kept: str | None,
    note: str,
) -> None:
    """It is registered in the server's spelling; one that can't be that is left out, and shown."""
    code = f"LW:D0:A840410000000100:A84041000181C0AA:01014242:S{serial}"
    result = await go(hass, await way(hass, entry, "qr_code"), qr_code=code)
    answers = {"name": "Loft sensor", "frequency_plan": PLAN, "app_key": KEY}
    result = await go(hass, result, **answers, **suggested(result))
    assert note in result["description_placeholders"]["facts"]
    result = await register(hass, result)
    assert result["reason"] == "registered"
    assert documents(sim)["is"].get("serial_number") == kept


@pytest.mark.parametrize(
    "code", ["LW:D0:A840410000000100:A84041000181C0AA:AAAABBBB", "A84041000181C0AA"]
)
async def test_a_qr_code_that_tells_no_model(
    hass: HomeAssistant, entry: MockConfigEntry, code: str
) -> None:
    """Its EUIs are kept; what it is is asked."""
    result = await way(hass, entry, "qr_code")
    result = await go(hass, result, qr_code=code)
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "scanned")
    result = await go(hass, result, next_step_id="by_hand")
    result = await go(hass, result, **MANUAL)
    assert suggested(result)["dev_eui"] == "A84041000181C0AA"


async def test_a_device_that_is_claimed(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Its root keys stay with its maker; it is given back where registering fails."""
    sim.stack.claimable["A840410000000100", "A84041000181C0AA"] = "SECRET"
    result = await way(hass, entry, "qr_code")
    code = "LW:D0:A840410000000100:A84041000181C0AA:01014242:OSECRET"
    result = await go(hass, result, qr_code=code)
    assert "app_key" not in result["data_schema"].schema
    sim.faults.http_status["PUT /ns/"] = 503
    answers = {"name": "Loft sensor", "frequency_plan": PLAN, **suggested(result)}
    result = await register(hass, await go(hass, result, **answers))
    assert result["errors"] == {"base": "cannot_connect"}
    assert writes(sim)[-1].startswith("DELETE")
    assert "edcs/claim" in writes(sim)[-1]
    assert not documents(sim)
    sim.faults.http_status.clear()
    result = await register(hass, await go(hass, result, **answers))
    assert result["reason"] == "registered"
    assert set(documents(sim)) == {"is", "ns", "as"}


@pytest.mark.parametrize(
    ("version", "keys"),
    [
        ("MAC_V1_0_2", {"app_s_key": KEY, "nwk_s_key": KEY, "dev_addr": "26 0b 12 35"}),
        ("MAC_V1_1", {}),
    ],
)
async def test_a_device_that_does_not_join(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    version: str,
    keys: Result,
) -> None:
    """An address and session keys, given or generated."""
    generated = not keys
    result = await facts(hass, entry, activation="abp", lorawan_version=version)
    assert result["step_id"] == "session"
    assert ("nwk_s_enc_key" in result["data_schema"].schema) is (version == "MAC_V1_1")
    result = await go(hass, result, name="Loft sensor", frequency_plan=PLAN, dev_addr="1")
    assert result["errors"] == {"dev_addr": "not_an_address"}
    result = await go(hass, result, name="Loft sensor", frequency_plan=PLAN, **keys)
    result = await register(hass, result)
    assert result["reason"] == ("registered_with_keys" if generated else "registered")
    found = documents(sim)
    assert set(found) == {"is", "ns", "as"}
    address = found["ns"]["session"]["dev_addr"]
    assert address == "260B1235" if keys else address
    assert ("dev_eui" in found["is"]["ids"]) is (version == "MAC_V1_1")
    if generated:
        key = found["as"]["session"]["keys"]["app_s_key"]["key"]
        assert f"- AppSKey: `{key}`" in result["description_placeholders"]["facts"]


async def test_lorawan_1_1_has_two_root_keys(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """AppKey and NwkKey."""
    result = await facts(hass, entry, lorawan_version="MAC_V1_1")
    result = await go(hass, result, **DEVICE)
    result = await register(hass, result)
    assert result["reason"] == "registered_with_keys"
    keys = documents(sim)["js"]["root_keys"]
    assert keys["app_key"]["key"] == KEY
    assert keys["nwk_key"]["key"] in result["description_placeholders"]["facts"]


async def test_a_server_that_issues_no_dev_eui(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Then it is one of nobody's, and the server's own JoinEUI."""
    sim.stack.dev_euis = None
    result = await facts(hass, entry)
    result = await go(hass, result, name="Loft sensor", frequency_plan=PLAN, app_key=KEY)
    await register(hass, result)
    dev_eui = bytes.fromhex(documents(sim)["is"]["ids"]["dev_eui"])
    assert dev_eui[0] & 3 == 2


async def test_only_chosen_devices_are_let_in(hass: HomeAssistant, sim: Simulator) -> None:
    """One that is added here is chosen."""
    choice = {"devices": "chosen", "chosen_devices": ["lpp-node"]}
    entry = await set_up(hass, sim, make_entry(sim, "manage", choice))
    result = await facts(hass, entry)
    await register(hass, await go(hass, result, **DEVICE))
    await hass.async_block_till_done()
    assert entry.options["chosen_devices"] == ["lpp-node", "loft-sensor"]
    assert hass.states.get(STATUS) is not None


# What is refused before anything is asked for


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"name": "  "}, {"name": "name_missing"}),
        ({"name": "x" * 51}, {"name": "name_too_long"}),
        ({"device_id": "Loft_1"}, {"device_id": "invalid_device_id"}),
        ({"device_id": "ab"}, {"device_id": "invalid_device_id"}),
        ({"device_id": "lpp-node"}, {"device_id": "id_taken"}),
        ({"dev_eui": "70B3D57ED006009"}, {"dev_eui": "not_an_eui"}),
        ({"dev_eui": "70B3D57ED006009G"}, {"dev_eui": "not_an_eui"}),
        ({"join_eui": "1"}, {"join_eui": "not_an_eui"}),
        ({"app_key": "0011"}, {"app_key": "not_a_key"}),
        ({"area": "nowhere"}, {"area": "choose_from_list"}),
        ({"frequency_plan": "EU"}, {"frequency_plan": "choose_from_list"}),
        ({"dev_eui": "9900 06D0 7ED5 B370"}, {"dev_eui": "eui_reversed"}),
        (
            {"dev_eui": "70B3D57ED0060002", "join_eui": "0000000000000000"},
            {"dev_eui": "euis_taken"},
        ),
    ],
)
async def test_wrong_data_is_refused(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    changes: Result,
    errors: dict[str, str],
) -> None:
    """Nothing is written, and what was typed stays."""
    answers = {**DEVICE, **changes}
    result = await go(hass, await facts(hass, entry), **answers)
    assert (result["step_id"], result["errors"]) == ("device", errors)
    assert suggested(result) == answers
    assert not writes(sim)
    if errors == {"dev_eui": "euis_taken"}:
        told = result["description_placeholders"]
        assert told == {"device": "Cellar node (lpp-node)", "application": "garden"}
    if errors == {"dev_eui": "eui_reversed"}:
        assert result["description_placeholders"]["usual"] == "70B3D57ED0060099"
        result = await go(hass, result, **answers)
        assert result["step_id"] == "review"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"device_id": "never-joined"}, "device_id"),
        ({"dev_eui": "70B3D57ED0060004", "join_eui": "0000000000000000"}, "dev_eui"),
    ],
)
async def test_a_half_created_one_is_in_the_way(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, changes: Result, field: str
) -> None:
    """Its repair issue is named."""
    sim.remove_parts("never-joined", "as")
    await entry.runtime_data.partial_devices.async_look("never-joined")
    result = await go(hass, await facts(hass, entry), **{**DEVICE, **changes})
    assert result["errors"] == {field: "half_created_blocks"}
    assert result["description_placeholders"]["device"] == "Never joined (never-joined)"


async def test_a_remainder_holds_the_euis(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Only the servers notice it; what was written by then is taken back."""
    ids = {"dev_eui": "70B3D57ED0060002", "join_eui": "0000000000000000"}
    sim.remove_parts("lpp-node", "is", "js")
    result = await go(hass, await facts(hass, entry), **{**DEVICE, **ids})
    result = await register(hass, result)
    assert result["errors"] == {"dev_eui": "euis_left_over"}
    assert not documents(sim)


async def test_versions_that_do_not_go_together(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The regional parameters are those of another LoRaWAN version."""
    result = await facts(hass, entry, lorawan_phy_version="PHY_V1_1_REV_A")
    assert result["errors"] == {"lorawan_phy_version": "phy_version_odd"}
    assert suggested(result)["lorawan_phy_version"] == "PHY_V1_1_REV_A"


# What the servers refuse


REFUSALS: list[tuple[Callable[[Simulator], Any], dict[str, str]]] = [
    (lambda sim: sim.faults.http_status.update({"POST /applications/": 503}), {"base": "cannot_connect"}),
    (lambda sim: sim.faults.http_status.update({"PUT /js/": 500}), {"base": "cannot_connect"}),
    (lambda sim: sim.faults.http_status.update({"PUT /ns/": 429}), {"base": "rate_limited"}),
    (lambda sim: sim.faults.http_status.update({"PUT /as/": 422}), {"base": "refused"}),
    (lambda sim: sim.revoke("manage"), {"base": "key_refused"}),
    (
        lambda sim: sim.set_rights("manage", ["INFO", "DEVICES_READ", "DEVICES_WRITE"]),
        {"base": "missing_rights"},
    ),
    (
        lambda sim: sim.set_rights("manage", ["INFO", "DEVICES_READ", "DEVICES_WRITE_KEYS"]),
        {"base": "missing_rights"},
    ),
    (lambda sim: sim.add_device("loft-sensor"), {"device_id": "id_taken"}),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "errors"), REFUSALS)
async def test_refused_by_the_server(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    fault: Callable[[Simulator], Any],
    errors: dict[str, str],
) -> None:
    """The reason is told on the form, with what was typed; nothing is left on any server."""
    result = await go(hass, await facts(hass, entry), **DEVICE)
    fault(sim)
    before = dict(documents(sim))
    result = await register(hass, result)
    assert (result["step_id"], result["errors"]) == ("device", errors)
    assert suggested(result) == DEVICE
    assert documents(sim) == before


async def test_what_could_not_be_undone_is_told(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Which servers still have something, and why it failed."""
    result = await go(hass, await facts(hass, entry), **DEVICE)
    sim.faults.http_status |= {"PUT /ns/": 400, "DELETE /js/": 403}
    result = await register(hass, result)
    assert result["errors"] == {"base": "rollback_failed"}
    assert "Join Server" in result["description_placeholders"]["servers"]
    assert entry.runtime_data.application_status.problems[-1]["kind"] == "rollback"
    assert KEY not in str(entry.runtime_data.application_status.problems)


async def test_the_wrong_cluster(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The server says that the application lives elsewhere."""
    result = await go(hass, await facts(hass, entry), **DEVICE)
    sim.faults.errors["/applications/garden/devices"] = (400, "network_server_address_mismatch")
    result = await register(hass, result)
    assert result["errors"] == {"base": "wrong_cluster"}
    assert result["description_placeholders"] == {"address": "127.0.0.1", "expected": "?"}


@pytest.mark.parametrize("path", ["/dr/brands", "/configuration/frequency-plans"])
async def test_lists_that_cannot_be_read(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, path: str
) -> None:
    """The dialogue ends and says why."""
    sim.faults.http_status[path] = 503
    if path.startswith("/dr"):
        result = await way(hass, entry, "brand")
    else:
        result = await facts(hass, entry)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "cannot_connect")


async def test_changed_after_the_review(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """A mistake that is seen in the review is mended in the form, which has all that was typed."""
    result = await go(hass, await facts(hass, entry), **{**DEVICE, "app_key": ""})
    assert (result["step_id"], result["menu_options"]) == ("review_made", ["register", "device"])
    assert "AppKey: `✱`" in result["description_placeholders"]["facts"]
    result = await go(hass, result, next_step_id="device")
    assert suggested(result) == {**DEVICE, "app_key": ""}
    assert not result["errors"]
    result = await go(hass, result, **{**DEVICE, "name": "Attic sensor"})
    assert result["step_id"] == "review"
    assert result["description_placeholders"]["device"] == "Attic sensor"
    assert not writes(sim)


# Closing the dialogue


@pytest.mark.parametrize("server", ["POST /applications/", "PUT /js/", "PUT /ns/", "PUT /as/"])
async def test_registering_is_taken_back_where_the_dialogue_is_closed(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, server: str
) -> None:
    """Whatever was written by then is taken back."""
    result = await go(hass, await facts(hass, entry), **DEVICE)
    ends = {"POST /applications/": "/devices"}.get(
        server, f"{server[5:7]}/applications/garden/devices/loft-sensor"
    )
    sim.faults.answer_delays[ends] = 0.3
    result = await go(hass, result, next_step_id="register")
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    method, _, prefix = server.partition(" ")
    await until(
        hass, lambda: any(line.startswith(f"{method} ") and prefix in line for line in writes(sim))
    )
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await until(hass, lambda: not entry.runtime_data.sync.holds("loft-sensor"))
    assert any(line.startswith("DELETE") for line in writes(sim))
    await hass.async_block_till_done()
    assert not documents(sim)
    assert not any("loft_sensor" in entity_id for entity_id in hass.states.async_entity_ids())


async def test_a_dialogue_closed_at_once_registers_nothing(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Nothing is asked of the servers before the dialogue shows that something happens."""
    without_head_start(hass, 0.1)
    result = await go(hass, await facts(hass, entry), **DEVICE)
    result = await go(hass, result, next_step_id="register")
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    hass.config_entries.subentries.async_abort(result["flow_id"])
    # One that begins later ends, so the first would have begun.
    later = {**DEVICE, "name": "Later one", "dev_eui": "70b3d57ed00600aa"}
    await register(hass, await go(hass, await facts(hass, entry), **later))
    assert documents(sim, "later-one")
    assert not any("loft-sensor" in line for line in writes(sim))
    assert not documents(sim)


async def test_an_application_unloaded_while_it_registers(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The application is taken away while the dialogue waits."""
    result = await go(hass, await facts(hass, entry), **DEVICE)
    sim.faults.answer_delays["ns/applications/garden/devices/loft-sensor"] = 0.3
    result = await go(hass, result, next_step_id="register")
    await until(hass, lambda: any("ns/" in line for line in writes(sim)))
    await hass.config_entries.async_unload(entry.entry_id)
    await until(hass, lambda: not documents(sim))
    result = await finish(hass, result)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")


async def test_unloaded_and_back_while_a_form_is_open(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Meanwhile it says so; set up anew, the application shows what is registered at once."""
    result = await facts(hass, entry)
    other = await facts(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    ended = await go(hass, other, **DEVICE)
    assert (ended["type"], ended["reason"]) == (FlowResultType.ABORT, "not_loaded")
    await hass.config_entries.async_setup(entry.entry_id)
    sim.faults.http_status["/api/v3/events"] = 503
    result = await register(hass, await go(hass, result, **DEVICE))
    assert entry.runtime_data.roster.by_device_id("loft-sensor") is not None


# Where it can't be done


async def test_missing_rights_are_named(hass: HomeAssistant, sim: Simulator) -> None:
    """It is always there to choose; what the key lacks is said at once, and followed as it changes."""
    entry = make_entry(sim, "read")
    await set_up(hass, sim, entry)
    assert SUBENTRY_END_DEVICE in entry.supported_subentry_types
    result = await start_subentry(hass, entry, SUBENTRY_END_DEVICE)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "missing_rights")
    assert result["description_placeholders"] == {
        "rights": "“Create devices in application”, “Edit device keys in application”"
    }
    sim.set_rights("read", ["INFO", "TRAFFIC_READ", "DEVICES_READ", "DEVICES_WRITE"])
    await entry.runtime_data.connection_state.async_check_rights()
    result = await start_subentry(hass, entry, SUBENTRY_END_DEVICE)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "missing_rights")
    assert result["description_placeholders"] == {"rights": "“Edit device keys in application”"}


async def test_registering_needs_the_connection(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Without a server there is nothing to register on."""
    await hass.config_entries.async_unload(entry.entry_id)
    result = await start_subentry(hass, entry, SUBENTRY_END_DEVICE)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")
