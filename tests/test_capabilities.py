"""What a network doesn't have is hidden, or refused with that reason, and all else goes on."""

from dataclasses import replace
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.client import Capabilities
from custom_components.thethingsstack.const import DOMAIN, UNDECODED_IN_A_ROW
from tests.dialogs import go, start_options, start_subentry
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator

FEWER = Capabilities(
    api_keys=False,
    application_settings=False,
    claiming=False,
    dev_eui_issuing=False,
    device_formatters=False,
    device_names=False,
    downlink_attempts=False,
    downlink_priority=False,
    downlink_queue=False,
    formatter_trial=False,
    frequency_plans=False,
    gateways=False,
    repository=False,
    scheduled_downlinks=False,
    session_reset=False,
    several_servers=False,
    simulated_uplinks=False,
)
"""Those of a network that has little besides messages and end devices."""


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """An application whose network has no more than FEWER from now on."""
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    entry.runtime_data.stack.capabilities = FEWER
    return entry


REFUSED = [
    ("create_api_key", {"name": "x", "rights": ["info"]}, "api_keys"),
    ("delete_api_key", {"key_id": "X"}, "api_keys"),
    ("get_downlink_queue", {"device_id": "weather-station"}, "downlink_queue"),
    ("list_api_keys", {}, "api_keys"),
    ("list_collaborators", {}, "api_keys"),
    ("register_device", {"name": "New", "issue_dev_eui": True}, "dev_eui_issuing"),
    ("register_device", {"name": "New", "model": "a/b/1/EU"}, "repository"),
    ("register_device", {"name": "New", "qr_code": "LW:D0:1"}, "claiming"),
    ("register_device", {"name": "New", "frequency_plan": "EU_863_870"}, "frequency_plans"),
    ("reset_device", {"end_device_id": "weather-station"}, "session_reset"),
    (
        "send_downlink",
        {"device_id": "weather-station", "hex": "01", "f_port": 1, "priority": "HIGH"},
        "downlink_priority",
    ),
    (
        "send_downlink",
        {"device_id": "weather-station", "hex": "01", "f_port": 1, "gateways": ["roof"]},
        "scheduled_downlinks",
    ),
    (
        "send_downlink",
        {
            "device_id": "weather-station",
            "hex": "01",
            "f_port": 1,
            "confirmed": True,
            "retries": 3,
        },
        "downlink_attempts",
    ),
    (
        "set_payload_formatter",
        {"end_device_id": "weather-station", "uplink": "none"},
        "device_formatters",
    ),
    (
        "simulate_uplink",
        {"end_device_id": "lpp-node", "f_port": 1, "hex": "01"},
        "simulated_uplinks",
    ),
    ("test_payload_formatter", {"end_device_id": "weather-station"}, "formatter_trial"),
    ("update_application", {"name": "x"}, "application_settings"),
    (
        "update_device",
        {"end_device_id": "weather-station", "description": "x"},
        "device_names",
    ),
]


@pytest.mark.parametrize(
    ("action", "data", "capability"), REFUSED, ids=[f"{a}-{c}" for a, _, c in REFUSED]
)
async def test_an_action_says_what_the_network_lacks(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    action: str,
    data: dict[str, Any],
    capability: str,
) -> None:
    if (device_id := data.get("device_id")) is not None:
        state = entry.runtime_data.roster.by_device_id(device_id)
        data = {**data, "device_id": state.registry_id}
    with pytest.raises(ServiceValidationError) as refused:
        await hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=True)
    assert refused.value.translation_key == f"without_{capability}"


async def test_the_queue_is_replaced_but_not_emptied(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    state = entry.runtime_data.roster.by_device_id("weather-station")
    target = {"device_id": state.registry_id}
    await hass.services.async_call(
        DOMAIN, "replace_downlink_queue", {**target, "hex": "01", "f_port": 1}, blocking=True
    )
    with pytest.raises(ServiceValidationError, match="can't empty them"):
        await hass.services.async_call(DOMAIN, "clear_downlink_queue", target, blocking=True)
    session = sim.devices["weather-station"].session
    assert session is not None
    assert len(session.queue) == 1


async def test_an_end_device_is_registered_without_model_and_versions(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    result = await start_subentry(hass, entry, "end_device")
    assert result["step_id"] == "activation"
    result = await go(hass, result, activation="otaa")
    assert result["step_id"] == "device"
    assert "frequency_plan" not in {str(key) for key in result["data_schema"].schema}
    assert not {"brand", "qr_code"} & set(result.get("menu_options", ()))


async def test_gateways_and_half_created_end_devices_are_not_asked_for(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    result = await start_subentry(hass, entry, "gateway")
    assert result["reason"] == "without_gateways"
    result = await start_options(hass, entry)
    assert result["menu_options"] == [
        "fields",
        "general",
        "overrides",
        "local_decoding",
        "change",
        "replace",
        "remove",
    ]
    result = await go(hass, result, next_step_id="change")
    result = await go(hass, result, end_device="weather-station")
    assert result["step_id"] == "change_what"  # no menu, since there is no formatter to choose
    assert "description" not in {str(key) for key in result["data_schema"].schema}


async def test_undecoded_uplinks_of_an_application_with_one_formatter_have_no_repair_flow(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    sim.add_device("home-made", dev_eui="70B3D57ED0060055")
    for _ in range(UNDECODED_IN_A_ROW):
        await sim.uplink("home-made", payload=b"\x01", decoded=None)

    def raised() -> list[ir.IssueEntry]:
        issues = ir.async_get(hass).issues.values()
        return [issue for issue in issues if str(issue.translation_key).startswith("undecoded")]

    await until(hass, raised)
    (issue,) = raised()
    assert issue.translation_key == "undecoded_in_application"
    assert not issue.is_fixable


async def test_a_change_in_the_stream_of_messages_reads_the_end_device(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    coordinator = entry.runtime_data
    coordinator.stack.capabilities = replace(FEWER, device_changes=True, event_stream=False)
    sim.devices["weather-station"].documents["is"]["name"] = "On the mast"
    coordinator.sync.on_device_changed("weather-station")
    await until(
        hass,
        lambda: coordinator.roster.by_device_id("weather-station").name == "On the mast",
    )
