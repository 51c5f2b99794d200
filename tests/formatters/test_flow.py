"""Choosing an end device's payload formatter from the options."""

from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.formatters.trial import EXAMPLE
from tests.dialogs import Result, go, start_options, suggested
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator
from tests.simulator.formatters import WEATHER_SCRIPT

LHT65N = {"brand_id": "dragino", "model_id": "lht65n", "firmware_version": "1.0", "hardware_version": "1.0", "band_id": "EU_863_870"}  # fmt: skip
FRAME = bytes.fromhex("CBF60B0D0176010ADD")
WEATHER_FRAME = bytes.fromhex("00D73D57225A0C")
LPP_FRAME = bytes.fromhex("0367FFF6")
CAYENNE = {"up_formatter": "FORMATTER_CAYENNELPP", "down_formatter": "FORMATTER_CAYENNELPP"}


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application with two of a model, and a key that may change them."""
    for number in (1, 2):
        sim.add_device(f"raw-{number}", name=f"Raw {number}", version_ids=LHT65N)
    return await set_up(hass, sim, make_entry(sim, "manage"))


async def form(hass: HomeAssistant, entry: MockConfigEntry, device: str) -> Result:
    """Walk to the form."""
    result = await start_options(hass, entry, "change")
    result = await go(hass, result, end_device=device)
    return await go(hass, result, next_step_id="formatter")


async def sent(hass: HomeAssistant, sim: Simulator, device_id: str, payload: bytes) -> None:
    """Let a device send a payload, and wait until it is here."""
    (entry,) = hass.config_entries.async_entries("thethingsstack")
    await sim.uplink(device_id, payload=payload, f_port=2)
    state = entry.runtime_data.roster.by_device_id(device_id)
    await until(
        hass, lambda: (last := state.last_data_uplink) is not None and last.frm_payload == payload
    )


def told(result: Result) -> Any:
    """Return what a form's texts name."""
    return result["description_placeholders"]


def offered(result: Result) -> dict[str, list[str]]:
    """Return the choices of a form."""
    schema = result["data_schema"]
    assert schema is not None
    return {str(key): selector.config["options"] for key, selector in schema.schema.items()}


def formatters(sim: Simulator, device_id: str) -> Any:
    """Return a device's formatters on the server."""
    return sim.devices[device_id].documents["as"].get("formatters")


def saved(result: Result) -> bool:
    """Return whether the dialogue ended well."""
    return (result["type"], result.get("reason")) == (FlowResultType.ABORT, "formatter_saved")


# What is


@pytest.mark.parametrize(
    ("device", "present", "chosen"),
    [
        ("weather-station", "a formatter of its own: JavaScript", "javascript"),
        ("lpp-node", "a formatter of its own: CayenneLPP", "cayennelpp"),
        ("pump-socket", "a formatter of its own: the Device Repository's", "repository"),
        ("raw-1", "the application's default: CayenneLPP", "application_default"),
    ],
)
async def test_the_present_formatter_is_shown_and_chosen(
    hass: HomeAssistant, entry: MockConfigEntry, device: str, present: str, chosen: str
) -> None:
    """The form names it and has it chosen."""
    result = await form(hass, entry, device)
    assert told(result)["present"] == present
    assert suggested(result) == {"formatter": chosen}


@pytest.mark.parametrize(
    ("own", "present"),
    [
        ({}, "a formatter of its own: none"),
        ({"up_formatter": "FORMATTER_GRPC_SERVICE"}, "a formatter of its own: a gRPC service"),
    ],
)
async def test_a_present_formatter_that_cannot_be_chosen_is_shown(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, own: dict[str, str], present: str
) -> None:
    """None at all, or one that only the Console can set."""
    sim.devices["lpp-node"].documents["as"]["formatters"] = own
    assert told(await form(hass, entry, "lpp-node"))["present"] == present


async def test_an_application_without_default(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The form says that uplinks aren't decoded then."""
    sim.application.link = {}
    result = await form(hass, entry, "never-joined")
    assert told(result)["present"] == "the application's default: none"
    result = await go(hass, result, formatter="application_default")
    assert result["step_id"] == "formatter_none"


async def test_formatters_and_scopes_are_offered_where_they_exist(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The repository's where the model has one, a scope where there are more of the model."""
    result = await form(hass, entry, "raw-1")
    kinds = [
        "application_default",
        "repository",
        "cayennelpp",
        "javascript",
        "none",
        "home_assistant",
    ]
    assert offered(result) == {"formatter": kinds, "scope": ["device", "model"]}
    assert told(result)["alike"] == "Greenhouse climate, Raw 1, Raw 2"
    result = await form(hass, entry, "lpp-node")
    kinds.remove("repository")
    assert offered(result) == {"formatter": kinds}


# Each choice


async def test_the_formatter_of_the_repository(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Tried, shown, saved; it brings the one for downlinks."""
    await sent(hass, sim, "raw-1", FRAME)
    result = await form(hass, entry, "raw-1")
    result = await go(hass, result, formatter="repository", scope="device")
    assert result["step_id"] == "formatter_result"
    assert '"TempC_SHT": 28.29' in told(result)["results"]
    assert told(result)["devices"] == "- Raw 1"
    assert formatters(sim, "raw-1") is None
    assert saved(await go(hass, result))
    assert formatters(sim, "raw-1") == {
        "up_formatter": "FORMATTER_REPOSITORY",
        "down_formatter": "FORMATTER_REPOSITORY",
    }
    assert formatters(sim, "raw-2") is None


async def test_cayenne_lpp_leaves_the_downlink_formatter(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The one for downlinks stays."""
    await sent(hass, sim, "weather-station", LPP_FRAME)
    result = await form(hass, entry, "weather-station")
    result = await go(hass, result, formatter="cayennelpp")
    assert '"temperature_3": -1' in told(result)["results"]
    assert saved(await go(hass, result))
    found = formatters(sim, "weather-station")
    assert found["up_formatter"] == "FORMATTER_CAYENNELPP"
    assert found["down_formatter"] == "FORMATTER_NONE"
    assert "up_formatter_parameter" not in found


async def test_a_script_is_tried_before_it_is_saved(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Filled in with the present one; one that fails is kept for mending, and nothing is saved."""
    await sent(hass, sim, "weather-station", WEATHER_FRAME)
    before = dict(formatters(sim, "weather-station"))
    result = await form(hass, entry, "weather-station")
    result = await go(hass, result, formatter="javascript")
    assert (result["step_id"], suggested(result)) == (
        "formatter_script",
        {"script": WEATHER_SCRIPT},
    )
    result = await go(hass, result, script="function f() {}")
    assert result["errors"] == {"script": "formatter_failed"}
    assert "is not defined" in told(result)["reason"]
    assert suggested(result) == {"script": "function f() {}"}
    assert formatters(sim, "weather-station") == before
    script = WEATHER_SCRIPT + "//"
    result = await go(hass, result, script=script)
    assert '"humidity": 61' in told(result)["results"]
    assert saved(await go(hass, result))
    assert formatters(sim, "weather-station") == {**before, "up_formatter_parameter": script}


async def test_a_script_begins_with_that_of_the_repository(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The form is filled in with the script of the Device Repository."""
    repository = {"up_formatter": "FORMATTER_REPOSITORY"}
    sim.devices["raw-1"].documents["as"]["formatters"] = repository
    result = await form(hass, entry, "raw-1")
    result = await go(hass, result, formatter="javascript", scope="device")
    assert "decodeUplink" in (script := suggested(result)["script"])
    assert script != EXAMPLE
    result = await form(hass, entry, "never-joined")
    result = await go(hass, result, formatter="javascript")
    assert suggested(result)["script"] == EXAMPLE


async def test_the_default_of_the_application_applies_both_ways(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """For uplinks and for downlinks."""
    await sent(hass, sim, "weather-station", LPP_FRAME)
    result = await form(hass, entry, "weather-station")
    result = await go(hass, result, formatter="application_default")
    assert '"temperature_3": -1' in told(result)["results"]
    assert saved(await go(hass, result))
    assert formatters(sim, "weather-station") is None


async def test_no_formatter_leaves_the_downlink_formatter(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The form says what that means; the formatter for downlinks stays."""
    await sent(hass, sim, "lpp-node", LPP_FRAME)
    result = await form(hass, entry, "lpp-node")
    result = await go(hass, result, formatter="none")
    assert result["step_id"] == "formatter_none"
    assert formatters(sim, "lpp-node")["up_formatter"] == "FORMATTER_CAYENNELPP"
    assert saved(await go(hass, result))
    assert formatters(sim, "lpp-node") == {
        "up_formatter": "FORMATTER_NONE",
        "down_formatter": "FORMATTER_CAYENNELPP",
    }


async def test_a_formatter_for_all_end_devices_of_the_model(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Tried on the last uplink of each that has sent, saved for all but those that are gone."""
    sim.remove_device("raw-2")
    state = entry.runtime_data.roster.by_device_id("raw-2")
    await until(hass, lambda: state.vanished)
    await sent(hass, sim, "greenhouse-climate", FRAME)
    result = await form(hass, entry, "raw-1")
    result = await go(hass, result, formatter="repository", scope="model")
    assert told(result)["devices"] == "- Raw 1\n- Greenhouse climate"
    assert "**Greenhouse climate** `CBF60B0D0176010ADD`" in told(result)["results"]
    assert saved(await go(hass, result))
    for device in ("raw-1", "greenhouse-climate"):
        assert formatters(sim, device)["up_formatter"] == "FORMATTER_REPOSITORY"


async def test_saving_fails_half_way(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It says so; trying again does the rest."""
    result = await form(hass, entry, "raw-1")
    result = await go(hass, result, formatter="cayennelpp", scope="model")
    sim.faults.http_status["PUT /as/applications/garden/devices/raw-2"] = 503
    result = await go(hass, result)
    assert result["errors"] == {"base": "formatter_not_saved"}
    assert formatters(sim, "raw-1") == CAYENNE
    assert formatters(sim, "raw-2") is None
    sim.faults.http_status.clear()
    assert saved(await go(hass, result))
    assert formatters(sim, "raw-2") == CAYENNE


async def test_an_end_device_on_some_servers_only_does_not_keep_others_from_the_formatter(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """It doesn't keep the others from theirs, and is named."""
    result = await form(hass, entry, "greenhouse-climate")
    result = await go(hass, result, formatter="cayennelpp", scope="model")
    del sim.devices["raw-1"].documents["as"]
    result = await go(hass, result)
    assert result["errors"] == {"base": "formatter_not_saved"}
    assert "raw-1" in told(result)["reason"]
    assert formatters(sim, "greenhouse-climate")["up_formatter"] == "FORMATTER_CAYENNELPP"
    assert formatters(sim, "raw-2") == CAYENNE


# Without a dry run, and refused by it


async def test_a_formatter_is_saved_untried_before_the_first_uplink(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Only then it is saved untried, and says so."""
    result = await form(hass, entry, "raw-1")
    result = await go(hass, result, formatter="cayennelpp", scope="device")
    assert result["step_id"] == "formatter_untried"
    assert saved(await go(hass, result))
    assert formatters(sim, "raw-1") == CAYENNE


async def test_a_formatter_that_does_not_fit_is_not_saved(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """Its reason is told, what was chosen stays, and nothing is changed."""
    await sent(hass, sim, "raw-1", FRAME)
    result = await form(hass, entry, "raw-1")
    answers = {"formatter": "cayennelpp", "scope": "model"}
    result = await go(hass, result, **answers)
    assert (result["step_id"], result["errors"]) == ("formatter", {"formatter": "formatter_failed"})
    assert told(result)["reason"].startswith("Raw 1: ")
    assert "unknown type" in told(result)["reason"]
    assert suggested(result) == answers
    assert formatters(sim, "raw-1") is None
    result = await go(hass, result, **answers | {"formatter": "repository"})
    assert result["step_id"] == "formatter_result"


async def test_the_dry_run_can_not_be_made(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The server fails: nothing is saved unseen."""
    await sent(hass, sim, "lpp-node", LPP_FRAME)
    result = await form(hass, entry, "lpp-node")
    sim.faults.http_status["POST /as/"] = 503
    result = await go(hass, result, formatter="cayennelpp")
    assert result["errors"] == {"base": "cannot_connect"}
    result = await go(hass, result, formatter="javascript")
    result = await go(hass, result, script=WEATHER_SCRIPT)
    assert (result["step_id"], result["errors"]) == ("formatter_script", {"base": "cannot_connect"})


# Rights and what else stands in the way


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        (["INFO", "TRAFFIC_READ", "DEVICES_READ"], "“Create devices in application”"),
        (
            ["INFO", "DEVICES_READ", "DEVICES_WRITE"],
            "“Read application traffic (uplink and downlink)”",
        ),
    ],
)
async def test_missing_rights_are_named(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    granted: list[str],
    missing: str,
) -> None:
    """They were taken from the key while the dialogue was open; it says which."""
    result = await start_options(hass, entry, "change")
    sim.set_rights("manage", granted)
    await entry.runtime_data.connection_state.async_check_rights()
    result = await go(hass, result, end_device="raw-1")
    result = await go(hass, result, next_step_id="formatter")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "missing_rights")
    assert told(result)["rights"] == missing


async def test_the_default_may_not_be_seen(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """So it can't be tried; the others can."""
    sim.set_rights("manage", ["INFO", "TRAFFIC_READ", "DEVICES_READ", "DEVICES_WRITE"])
    await entry.runtime_data.connection_state.async_check_rights()
    await sent(hass, sim, "raw-1", LPP_FRAME)
    result = await form(hass, entry, "raw-1")
    assert "the API key may not see" in told(result)["present"]
    result = await go(hass, result, formatter="application_default", scope="device")
    assert result["errors"] == {"formatter": "default_unseen"}
    assert told(result)["rights"] == "“Edit basic application settings”"
    result = await go(hass, result, formatter="cayennelpp", scope="device")
    assert saved(await go(hass, result))
    assert formatters(sim, "raw-1")["down_formatter"] == "FORMATTER_NONE"


async def test_the_default_can_not_be_read_now(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The formatter for downlinks isn't lost by that: nothing is saved."""
    result = await form(hass, entry, "raw-1")
    result = await go(hass, result, formatter="cayennelpp", scope="device")
    sim.faults.http_status["GET /as/applications/garden/link"] = 503
    result = await go(hass, result)
    assert result["errors"] == {"base": "formatter_not_saved"}
    assert formatters(sim, "raw-1") is None
    sim.faults.http_status.clear()
    assert saved(await go(hass, result))
    assert formatters(sim, "raw-1") == CAYENNE


def _half_created(sim: Simulator) -> None:
    del sim.devices["raw-1"].documents["as"]


def _fails(sim: Simulator) -> None:
    sim.faults.http_status["GET /as/"] = 503


@pytest.mark.parametrize("fault", [_half_created, _fails])
async def test_a_present_formatter_that_cannot_be_read(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, fault: Callable[[Simulator], None]
) -> None:
    """The Application Server doesn't know the device, or fails."""
    fault(sim)
    result = await form(hass, entry, "raw-1")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "formatter_unknown")
    assert told(result)["because"]


async def test_a_formatter_for_an_end_device_that_the_options_leave_out(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """One that the options leave out can have a formatter, too; untried."""
    options = {"devices": "chosen", "chosen_devices": ["lpp-node"]}
    entry = await set_up(hass, sim, make_entry(sim, "manage", options))
    result = await form(hass, entry, "greenhouse-climate")
    result = await go(hass, result, formatter="repository")
    assert result["step_id"] == "formatter_untried"
    assert saved(await go(hass, result))
    assert formatters(sim, "greenhouse-climate")["up_formatter"] == "FORMATTER_REPOSITORY"


async def test_the_issue_goes_when_a_formatter_decodes(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """A device that no formatter decoded is mended, as by the repair."""
    sim.devices["raw-1"].documents["as"]["formatters"] = {}
    await sim.uplink("raw-1", decoded=None, payload=FRAME, f_port=2)
    state = entry.runtime_data.roster.by_device_id("raw-1")
    await until(hass, lambda: state.needs_formatter)
    result = await form(hass, entry, "raw-1")
    result = await go(hass, result, formatter="repository", scope="device")
    assert saved(await go(hass, result))
    assert not state.needs_formatter


async def test_the_application_is_unloaded_meanwhile(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """The dialogue ends and says so."""
    result = await form(hass, entry, "raw-1")
    result = await go(hass, result, formatter="cayennelpp", scope="device")
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await go(hass, result)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")
    assert formatters(sim, "raw-1") is None
