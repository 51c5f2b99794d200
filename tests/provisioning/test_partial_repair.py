"""Half-created end devices are completed or removed in Home Assistant, whatever is missing."""

from collections.abc import Callable
from dataclasses import replace
import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.client import Registration, Session
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.diagnostics import async_get_config_entry_diagnostics
from custom_components.thethingsstack.provisioning.partial_devices import PAUSES, Pauses
from tests.dialogs import (
    Result,
    fields,
    finish,
    go,
    manager_of,
    start_options,
    start_repair,
    suggested,
    without_head_start,
)
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator

KEY = "00112233445566778899AABBCCDDEEFF"
PLAN = "EU_863_870_TTN"
DEVICE = "never-joined"
DEVICE_KEY = "garden/70B3D57ED0060004"
LHT65N = {"brand_id": "dragino", "model_id": "lht65n", "firmware_version": "1.0", "hardware_version": "1.0", "band_id": "EU_863_870"}  # fmt: skip
ABP = Registration(
    device_id="loft-abp",
    name="Loft",
    lorawan_version="1.0.2",
    frequency_plan_id=PLAN,
    session=Session(dev_addr="260B1235", app_s_key=KEY, f_nwk_s_int_key=KEY),
)
VERSION: dict[str, Any] = {"lorawan_version": "MAC_V1_0_3", "class_c": False}
REMOVE: dict[str, Any] = {"understood": True, "also_here": False}


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application, with a key that may manage end devices."""
    without_head_start(hass)
    hass.data[PAUSES] = Pauses(settle=0.05, between_reads=0.01)
    assert await async_setup_component(hass, "repairs", {})
    return await set_up(hass, sim, make_entry(sim, "manage"))


def issues(hass: HomeAssistant) -> list[ir.IssueEntry]:
    """Return the issues."""
    return [issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN]


async def lose(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, *servers: Any, device: str = DEVICE
) -> None:
    """Let servers lose a device, and let that be noticed."""
    sim.remove_parts(device, *servers)
    await entry.runtime_data.partial_devices.async_look(device)
    await hass.async_block_till_done()


async def start(hass: HomeAssistant, issue_id: str | None = None) -> Result:
    """Open the repair of the only issue."""
    if issue_id is None:
        (issue,) = issues(hass)
        assert issue.is_fixable
        assert not issue.is_persistent
        issue_id = issue.issue_id
    return await start_repair(hass, issue_id)


async def complete(hass: HomeAssistant) -> Result:
    """Open the repair and choose to complete."""
    result = await start(hass)
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "partial")
    assert result["menu_options"] == ["complete_it", "remove"]
    return await go(hass, result, next_step_id="complete_it")


async def settled(hass: HomeAssistant, result: Result) -> Result:
    """Wait for what comes of it, and for what Home Assistant makes of that."""
    result = await finish(hass, result)
    await hass.async_block_till_done()
    return result


def documents(sim: Simulator, device_id: str = DEVICE) -> dict[str, Any]:
    """Return what the servers have of a device."""
    device = sim.devices.get(device_id)
    return {} if device is None else device.documents


def status(hass: HomeAssistant, key: str = DEVICE_KEY) -> str:
    """Return what its status entity shows."""
    state = hass.states.get(entity_id(hass, "sensor", f"{key}/status"))
    assert state is not None
    return state.state


# Complete it


async def test_only_the_application_server_lacks_it(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Nothing but a confirmation; the model's formatter comes with it."""
    sim.update_device(DEVICE, version_ids=LHT65N)
    await lose(hass, sim, entry, "as")
    assert status(hass) == "half_created"
    (issue,) = issues(hass)
    assert issue.issue_id == f"half_created_{entry.entry_id}_{DEVICE}"
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["application"] == "Garden"
    assert issue.translation_placeholders["device"] == "Never joined"
    assert issue.translation_placeholders["missing"] == "Application Server"
    kept = {server: dict(part) for server, part in documents(sim).items()}
    told = (await async_get_config_entry_diagnostics(hass, entry))["devices"].values()
    assert [device["missing_on"] for device in told if device["missing_on"]] == [["application"]]
    result = await complete(hass)
    assert (result["step_id"], fields(result)) == ("confirm", set())
    result = await settled(hass, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert documents(sim)["as"]["formatters"]["up_formatter"] == "FORMATTER_REPOSITORY"
    assert {server: documents(sim)[server] for server in kept} == kept
    assert not issues(hass)
    assert status(hass) == "never_joined"
    await sim.join(DEVICE)
    await until(hass, lambda: status(hass) == "waiting_for_next_uplink")


async def test_the_network_server_lacks_it(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """No repository knows its model: how it speaks LoRaWAN is asked, and the plan."""
    await lose(hass, sim, entry, "ns")
    result = await complete(hass)
    assert result["step_id"] == "version"
    assert "activation" not in fields(result)
    result = await go(hass, result, **VERSION, lorawan_phy_version="PHY_V1_1_REV_A")
    assert result["errors"] == {"lorawan_phy_version": "phy_version_odd"}
    assert suggested(result)["lorawan_phy_version"] == "PHY_V1_1_REV_A"
    result = await go(hass, result, **VERSION)
    assert (result["step_id"], fields(result)) == ("complete", {"frequency_plan"})
    result = await go(hass, result, frequency_plan="Mars")
    assert result["errors"] == {"frequency_plan": "choose_from_list"}
    assert suggested(result) == {"frequency_plan": "Mars"}
    result = await settled(hass, await go(hass, result, frequency_plan=PLAN))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    found = documents(sim)
    assert found["ns"]["lorawan_version"] == "MAC_V1_0_3"
    assert found["ns"]["frequency_plan_id"] == PLAN
    assert found["ns"]["supports_join"] is True
    assert status(hass) == "never_joined"


async def test_the_model_tells_how_it_speaks(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Then only the plan is asked, and the usual one proposed."""
    sim.update_device(DEVICE, version_ids=LHT65N)
    await lose(hass, sim, entry, "ns", "as")
    result = await complete(hass)
    assert (result["step_id"], fields(result)) == ("complete", {"frequency_plan"})
    plan = next(key for key in result["data_schema"].schema if key == "frequency_plan")
    result = await settled(hass, await go(hass, result, frequency_plan=plan.default()))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert documents(sim)["ns"]["frequency_plan_id"] == PLAN
    assert documents(sim)["as"]["version_ids"] == LHT65N


async def test_the_join_server_lacks_it(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """Its key is asked; it is in no log and no diagnostics."""
    caplog.set_level(logging.DEBUG)
    await lose(hass, sim, entry, "js")
    result = await complete(hass)
    assert (result["step_id"], fields(result)) == ("complete", {"app_key"})
    result = await go(hass, result, app_key="0011")
    assert result["errors"] == {"app_key": "not_a_key"}
    assert suggested(result) == {"app_key": "0011"}
    result = await settled(hass, await go(hass, result, app_key=KEY.lower()))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert documents(sim)["js"]["root_keys"] == {"app_key": {"key": KEY}}
    assert KEY not in str(await async_get_config_entry_diagnostics(hass, entry))
    assert not any(
        KEY.casefold() in record.getMessage().casefold()
        for record in caplog.records
        if "custom_components" in record.name
    )


async def test_keys_that_are_made_up_are_shown_once(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """LoRaWAN 1.1 has two."""
    documents(sim)["ns"]["lorawan_version"] = "MAC_V1_1"
    await lose(hass, sim, entry, "js")
    result = await complete(hass)
    assert fields(result) == {"app_key", "nwk_key"}
    result = await settled(hass, await go(hass, result))
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "done")
    keys = documents(sim)["js"]["root_keys"]
    told = result["description_placeholders"]["facts"]
    assert f"- AppKey: `{keys['app_key']['key']}`" in told
    assert f"- NwkKey: `{keys['nwk_key']['key']}`" in told
    assert not issues(hass)
    result = await go(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_only_the_registry_has_it(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """All at once."""
    await lose(hass, sim, entry, "js", "ns", "as")
    told = issues(hass)[0].translation_placeholders
    assert told is not None
    assert told["missing"] == "Join Server, Network Server, Application Server"
    result = await go(hass, await complete(hass), **VERSION)
    assert fields(result) == {"frequency_plan", "app_key"}
    result = await settled(hass, await go(hass, result, frequency_plan=PLAN, app_key=KEY))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert set(documents(sim)) == {"is", "js", "ns", "as"}


async def test_a_claimed_device_needs_no_keys(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Its maker has them."""
    documents(sim)["is"].pop("join_server_address")
    sim.remove_parts(DEVICE, "js")
    await lose(hass, sim, entry, "ns")
    result = await go(hass, await complete(hass), **VERSION)
    assert fields(result) == {"frequency_plan"}
    result = await settled(hass, await go(hass, result, frequency_plan=PLAN))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert set(documents(sim)) == {"is", "ns", "as"}


@pytest.mark.parametrize(
    ("servers", "asked"),
    [
        (("as",), {"app_s_key"}),
        (("ns",), {"frequency_plan", "nwk_s_key"}),
        (("ns", "as"), {"frequency_plan", "dev_addr", "app_s_key", "nwk_s_key"}),
    ],
)
async def test_a_partial_device_that_does_not_join(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    servers: tuple[str, ...],
    asked: set[str],
) -> None:
    """Only the session keys of the servers that lack it; what is empty is made up and shown."""
    coordinator = entry.runtime_data
    coordinator.lifecycle.on_registered(await coordinator.stack.end_devices.register(ABP))
    await hass.async_block_till_done()
    await lose(hass, sim, entry, *servers, device="loft-abp")
    result = await complete(hass)
    if "ns" in servers:
        result = await go(hass, result, **VERSION)
    assert (result["step_id"], fields(result)) == ("session", asked)
    answers = {"frequency_plan": PLAN} if "ns" in servers else {}
    if "dev_addr" in asked:
        result = await go(hass, result, **answers, dev_addr="1")
        assert result["errors"] == {"dev_addr": "not_an_address"}
    result = await settled(hass, await go(hass, result, **answers))
    assert result["step_id"] == "done"
    found, told = documents(sim, "loft-abp"), result["description_placeholders"]["facts"]
    address = found["ns"]["session"]["dev_addr"]
    assert address == found["as"]["session"]["dev_addr"]
    assert (address == "260B1235") is ("dev_addr" not in asked)
    assert (address in told) is ("dev_addr" in asked)
    written = found["as"]["session"]["keys"]["app_s_key"]["key"]
    assert (written in told) is ("as" in servers)
    assert (written == KEY) is ("as" not in servers)
    network = found["ns"]["session"]["keys"]["f_nwk_s_int_key"]["key"]
    assert (network in told) is ("ns" in servers)
    assert found["ns"]["supports_join"] is False


async def test_a_join_eui_does_not_make_it_join(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It has a session though it was never activated."""
    coordinator = entry.runtime_data
    coordinator.lifecycle.on_registered(await coordinator.stack.end_devices.register(ABP))
    for part in documents(sim, "loft-abp").values():
        part["ids"] |= {"join_eui": "0" * 16, "dev_eui": "70B3D57ED0060077"}
    await lose(hass, sim, entry, "ns", device="loft-abp")
    result = await go(hass, await complete(hass), **VERSION)
    assert result["step_id"] == "session"


# What is stranded


async def test_a_stranded_one_is_registered_again(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Its settings and keys were kept; only its name is asked."""
    keys = documents(sim)["js"]["root_keys"]
    await lose(hass, sim, entry, "is")
    await until(hass, lambda: status(hass) == "half_created")
    result = await start(hass)
    assert (result["step_id"], result["menu_options"]) == ("stranded", ["complete_it", "remove"])
    result = await go(hass, result, next_step_id="complete_it")
    assert (result["step_id"], fields(result)) == ("complete", {"name"})
    result = await go(hass, result, name="x" * 51)
    assert result["errors"] == {"name": "name_too_long"}
    result = await settled(hass, await go(hass, result, name="Attic"))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    found = documents(sim)
    assert found["is"]["name"] == "Attic"
    assert found["is"]["ids"]["dev_eui"] == "70B3D57ED0060004"
    assert found["is"]["join_server_address"] == "localhost"
    assert found["js"]["root_keys"] == keys
    assert status(hass) == "never_joined"
    assert not issues(hass)


async def test_an_end_device_of_which_too_little_is_left(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Without its keys it can only be removed."""
    await lose(hass, sim, entry, "js", "is")
    result = await start(hass)
    assert (result["step_id"], result["menu_options"]) == ("left_over", ["remove"])
    result = await go(hass, await go(hass, result, next_step_id="remove"), **REMOVE)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not documents(sim)
    assert status(hass) == "not_registered"
    assert not issues(hass)


# Remove it


@pytest.mark.parametrize("also_here", [False, True])
async def test_the_parts_of_an_end_device_are_removed(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, also_here: bool
) -> None:
    """Confirmed by a tick; what is left on the servers goes, here too where the user wants it."""
    await lose(hass, sim, entry, "ns", "as")
    result = await go(hass, await start(hass), next_step_id="remove")
    result = await go(hass, result, understood=False, also_here=also_here)
    assert result["errors"] == {"understood": "not_understood"}
    assert documents(sim)
    sim.faults.http_status["DELETE /applications/"] = 503
    result = await go(hass, result, understood=True, also_here=also_here)
    assert result["errors"] == {"base": "partly_deleted"}
    assert result["description_placeholders"]["servers"] == "Identity Server"
    assert suggested(result) == {"understood": True, "also_here": also_here}
    sim.faults.http_status.clear()
    result = await go(hass, result, understood=True, also_here=also_here)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert not documents(sim)
    assert not issues(hass)
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, DEVICE_KEY), entry.entry_id)
    assert (device is None) is also_here


async def test_removing_one_that_is_gone_or_refused(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The reason is told; somebody may have been faster."""
    await lose(hass, sim, entry, "ns")
    result = await go(hass, await start(hass), next_step_id="remove")
    sim.faults.http_status["DELETE /"] = 429
    result = await go(hass, result, **REMOVE)
    assert result["errors"] == {"base": "rate_limited"}
    sim.faults.http_status.clear()
    sim.remove_device(DEVICE)
    result = await go(hass, result, **REMOVE)
    assert result["type"] is FlowResultType.CREATE_ENTRY


# Where it fails


REFUSALS: list[tuple[Callable[[Simulator], Any], str]] = [
    (lambda sim: sim.faults.http_status.update({"PUT /ns/": 503}), "cannot_connect"),
    (lambda sim: sim.faults.http_status.update({"PUT /as/": 500}), "cannot_connect"),
    (lambda sim: sim.faults.http_status.update({"PUT /as/": 429}), "rate_limited"),
    (lambda sim: sim.faults.http_status.update({"PUT /ns/": 422}), "refused"),
    (lambda sim: sim.revoke("manage"), "key_refused"),
    (
        lambda sim: sim.set_rights("manage", ["INFO", "DEVICES_READ", "DEVICES_WRITE"]),
        "missing_rights",
    ),
]


@pytest.mark.parametrize(("fault", "error"), REFUSALS)
async def test_a_refused_repair_can_be_tried_again(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    fault: Callable[[Simulator], Any],
    error: str,
) -> None:
    """What was written is taken back, what was typed stays, and it can be tried again."""
    await lose(hass, sim, entry, "js", "ns", "as")
    result = await go(hass, await complete(hass), **VERSION)
    answers = {"frequency_plan": PLAN, "app_key": KEY}
    rights = list(sim.stack.find_key(sim.key("manage")).rights)
    fault(sim)
    result = await settled(hass, await go(hass, result, **answers))
    assert (result["step_id"], result["errors"]) == ("complete", {"base": error})
    assert suggested(result) == answers
    assert set(documents(sim)) == {"is"}
    assert status(hass) == "half_created"
    assert issues(hass)
    sim.faults.http_status.clear()
    if error == "key_refused":
        sim.restore("manage")
    sim.set_rights("manage", [right.removeprefix("RIGHT_APPLICATION_") for right in rights])
    result = await settled(hass, await go(hass, result, **answers))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_what_could_not_be_undone(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It is less of a half than before, and can be tried again."""
    await lose(hass, sim, entry, "js", "ns", "as")
    result = await go(hass, await complete(hass), **VERSION)
    sim.faults.http_status |= {"PUT /ns/": 400, "DELETE /js/": 403}
    answers = {"frequency_plan": PLAN, "app_key": KEY}
    result = await settled(hass, await go(hass, result, **answers))
    assert result["errors"] == {"base": "rollback_failed"}
    assert set(documents(sim)) == {"is", "js"}
    assert KEY not in str(entry.runtime_data.application_status.problems)
    known = entry.runtime_data.partial_devices.known
    await until(hass, lambda: known[DEVICE].missing == ("network", "application"))
    sim.faults.http_status.clear()
    result = await settled(hass, await go(hass, result, **answers))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_euis_that_a_remainder_holds(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Another device with its EUIs is left over on the server that lacks it."""
    sim.add_device("ghost", dev_eui="70B3D57ED0060004", joined=False)
    for part in sim.devices["ghost"].documents.values():
        part["ids"]["join_eui"] = documents(sim)["is"]["ids"]["join_eui"]
    sim.remove_parts("ghost", "is", "js", "as")
    await entry.runtime_data.partial_devices.async_look("ghost")
    await lose(hass, sim, entry, "ns")
    result = await start(hass, f"half_created_{entry.entry_id}_{DEVICE}")
    result = await go(hass, await go(hass, result, next_step_id="complete_it"), **VERSION)
    result = await settled(hass, await go(hass, result, frequency_plan=PLAN))
    assert result["errors"] == {"base": "euis_left_over"}


async def test_another_part_got_lost_meanwhile(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """That is told, and the issue stays."""
    await lose(hass, sim, entry, "as")
    result = await complete(hass)
    sim.remove_parts(DEVICE, "ns")
    result = await settled(hass, await go(hass, result))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "still_partial")
    assert result["description_placeholders"]["missing"] == "Network Server"
    assert "as" in documents(sim)
    assert issues(hass)


@pytest.mark.parametrize("server", ["js", "ns", "as"])
async def test_a_repair_whose_dialogue_is_closed_takes_back_what_it_wrote(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, server: str
) -> None:
    """Whatever was written by then is taken back."""
    await lose(hass, sim, entry, "js", "ns", "as")
    result = await go(hass, await complete(hass), **VERSION)
    sim.requests.clear()
    sim.faults.answer_delays[f"{server}/applications/garden/devices/{DEVICE}"] = 0.3
    result = await go(hass, result, frequency_plan=PLAN, app_key=KEY)
    await until(hass, lambda: ("PUT", f"/api/v3/{server}/applications/garden/devices/{DEVICE}") in sim.requests)  # fmt: skip
    manager_of(hass, result).async_abort(result["flow_id"])
    await until(hass, lambda: not entry.runtime_data.sync.holds(DEVICE))
    assert set(documents(sim)) == {"is"}
    await hass.async_block_till_done()
    assert set(documents(sim)) == {"is"}
    assert status(hass) == "half_created"
    assert issues(hass)


async def test_a_repair_whose_application_is_unloaded_takes_back_what_it_wrote(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """What was written is taken back; the issue goes with the application."""
    await lose(hass, sim, entry, "ns", "as")
    result = await go(hass, await complete(hass), **VERSION)
    sim.requests.clear()
    sim.faults.answer_delays[f"ns/applications/garden/devices/{DEVICE}"] = 0.3
    result = await go(hass, result, frequency_plan=PLAN)
    await until(hass, lambda: any(method == "PUT" for method, _ in sim.requests))
    await hass.config_entries.async_unload(entry.entry_id)
    result = await settled(hass, result)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")
    assert set(documents(sim)) == {"is", "js"}
    assert not issues(hass)


# What it is when the repair is opened


async def test_completed_or_deleted_meanwhile(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Somebody was faster: nothing to do, and the issue goes."""
    kept = documents(sim)
    taken = kept["as"]
    await lose(hass, sim, entry, "as")
    kept["as"] = taken
    result = await start(hass)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_complete")
    assert not issues(hass)
    await lose(hass, sim, entry, "as")
    sim.application.devices.pop(DEVICE)
    result = await start(hass)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_deleted")
    assert not issues(hass)


async def test_a_server_that_cannot_be_read_is_named(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The server's own reason ends it, at the start and later."""
    await lose(hass, sim, entry, "ns")
    sim.faults.http_status["GET /as/"] = 503
    result = await start(hass)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "cannot_connect")
    sim.faults.http_status.clear()
    result = await start(hass)
    sim.faults.http_status["/configuration/frequency-plans"] = 503
    result = await go(hass, result, next_step_id="complete_it")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "cannot_connect")
    assert issues(hass)


async def test_a_missing_right_is_named(hass: HomeAssistant, sim: Simulator) -> None:
    """It is shown all the same, with the right that is missing."""
    assert await async_setup_component(hass, "repairs", {})
    entry = await set_up(hass, sim)
    await lose(hass, sim, entry, "js")
    result = await start(hass)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "missing_rights")
    assert "Create devices" in result["description_placeholders"]["rights"]
    sim.set_rights("read", ["INFO", "TRAFFIC_READ", "DEVICES_READ", "DEVICES_WRITE"])
    await entry.runtime_data.connection_state.async_check_rights()
    result = await complete(hass)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "missing_rights")
    told = result["description_placeholders"]["rights"]
    assert told == "“Edit device keys in application”"


async def test_a_repair_needs_the_connection(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Without a server there is nothing to complete."""
    await lose(hass, sim, entry, "js")
    opened = [await start(hass), await start(hass), await complete(hass)]
    await hass.config_entries.async_unload(entry.entry_id)
    assert not issues(hass)
    for result, given in zip(
        opened,
        ({"next_step_id": "complete_it"}, {"next_step_id": "remove"}, {"app_key": KEY}),
        strict=True,
    ):
        ended = await go(hass, result, **given)
        assert (ended["type"], ended["reason"]) == (FlowResultType.ABORT, "not_loaded")


# Looking for them


async def test_looked_for_on_demand(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """All that were never heard, and no other; what was found is listed."""

    async def look() -> Result:
        return await finish(hass, await start_options(hass, entry, "partial_devices"))

    result = await look()
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_partial")
    sim.remove_parts(DEVICE, "as")
    entry.runtime_data.roster.registrations.pop(DEVICE)  # as if no event had told of it yet
    sim.requests.clear()
    result = await look()
    assert result["reason"] == "partial_found"
    told = result["description_placeholders"]
    assert told["devices"] == f"- **Never joined** (`{DEVICE}`): Application Server"
    assert told["page"] == "/config/repairs"
    assert not any("greenhouse-climate" in path for _, path in sim.requests)
    assert len(issues(hass)) == 1
    sim.faults.http_status["GET /ns/"] = 503
    result = await look()
    assert result["reason"] == "partial_refused"
    assert "simulated" in result["description_placeholders"]["reason"]
    assert issues(hass)


async def test_looking_ends_with_the_dialogue(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Closed, or the application unloaded."""
    sim.faults.answer_delays[f"ns/applications/garden/devices/{DEVICE}"] = 0.3
    result = await start_options(hass, entry, "partial_devices")
    await until(hass, lambda: any("/ns/" in path for _, path in sim.requests))
    hass.config_entries.options.async_abort(result["flow_id"])
    # Only one end device is looked at at a time.
    await entry.runtime_data.partial_devices.async_look("lpp-node")
    assert not any("/as/" in path and DEVICE in path for _, path in sim.requests)

    result = await start_options(hass, entry, "partial_devices")
    await hass.config_entries.async_unload(entry.entry_id)
    result = await finish(hass, result)
    assert result["reason"] == "not_loaded"


async def test_a_stranded_one_can_be_deleted_by_the_options(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It is offered though it isn't registered."""
    await lose(hass, sim, entry, "is")
    result = await start_options(hass, entry, "remove")
    result = await go(hass, result, end_device=DEVICE)
    assert result["step_id"] == "remove_what"
    result = await go(hass, result, **REMOVE)
    result = await go(hass, result, device_id=DEVICE)
    assert result["reason"] == "removed"
    await hass.async_block_till_done()
    assert not documents(sim)
    assert not issues(hass)


async def test_a_stranded_one_without_a_device_here(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It is called by its ID."""
    coordinator = entry.runtime_data
    await coordinator.stack.end_devices.register(replace(ABP, device_id="ghost", name="Ghost"))
    sim.remove_parts("ghost", "is")
    coordinator.partial_devices.look_soon("ghost", seconds=0)
    await until(hass, lambda: issues(hass))
    result = await start(hass)
    assert result["description_placeholders"]["device"] == "ghost"
    result = await go(hass, await go(hass, result, next_step_id="complete_it"), name="Ghost")
    await settled(hass, result)
    assert set(documents(sim, "ghost")) == {"is", "ns", "as"}
    assert coordinator.roster.by_device_id("ghost").name == "Ghost"


async def test_a_name_with_markup(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It is shown as it is: no image of somebody else's server is loaded."""
    name = "![x](https://example.org/a.png) <img src=b>"
    sim.update_device(DEVICE, name=name)
    state = entry.runtime_data.roster.by_device_id(DEVICE)
    await until(hass, lambda: state.name == name)
    await lose(hass, sim, entry, "as")
    (issue,) = issues(hass)
    shown = r"!\[x\](https://example.org/a.png) \<img src=b>"
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["device"] == shown
    result = await start(hass)
    assert result["description_placeholders"]["device"] == shown
    result = await finish(hass, await start_options(hass, entry, "partial_devices"))
    assert shown in result["description_placeholders"]["devices"]
