"""Add several end devices: a file is checked, shown, registered, and reported on."""

from io import BytesIO
from typing import Any

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.thethingsstack.provisioning.register_flow import SUBENTRY_END_DEVICE
from tests.dialogs import Result, finish, go, start_subentry, without_head_start
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator

KEY = "00112233445566778899AABBCCDDEEFF"
PLAN = {"frequency_plan": "EU_863_870_TTN", "lorawan_version": "MAC_V1_0_3"}
FILE = f"""id;dev_eui;app_key;name;remark
loft-one;70B3D57ED0A60001;{KEY};Loft | <img>;north
loft-two;70B3D57ED0A6;{KEY};Loft two;south
"""


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """Return the application, with a key that may manage end devices."""
    without_head_start(hass)
    return await set_up(hass, sim, make_entry(sim, "manage"))


@pytest.fixture
def reports(hass: HomeAssistant) -> list[str]:
    """Return the texts of the notifications that are made from now on."""
    found: list[str] = []

    def note(_update: object, notifications: dict[str, Any]) -> None:
        found.extend(item["message"] for item in notifications.values())

    persistent_notification.async_register_callback(hass, note)
    return found


async def several(hass: HomeAssistant, entry: MockConfigEntry) -> Result:
    """Walk to the form for a file."""
    result = await start_subentry(hass, entry, SUBENTRY_END_DEVICE)
    return await go(hass, result, next_step_id="several")


async def test_a_pasted_file(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, reports: list[str]
) -> None:
    """Nothing is registered before the preview was confirmed; the report stays."""
    result = await go(hass, await several(hass, entry), content=FILE, **PLAN)
    result = await finish(hass, result)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "several_review"
    shown = result["description_placeholders"]
    assert (shown["ready"], shown["present"], shown["failed"]) == ("1", "0", "1")
    assert shown["notes"] == "Not taken over: remark"
    first, second = shown["rows"].splitlines()
    assert first.startswith("| 3 | Loft two | **Refused**<br>dev")
    assert second == "| 2 | Loft \\| \\<img> | **Can be registered** |"
    assert "loft-one" not in sim.devices
    result = await finish(hass, await go(hass, result, next_step_id="register_several"))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "several_registered"
    assert result["description_placeholders"]["registered"] == "1"
    assert sim.devices["loft-one"].documents["js"]["root_keys"]["app_key"]["key"] == KEY
    (report,) = reports
    assert "Registered: 1." in report
    assert "Loft two" in report
    assert KEY not in report + str(shown)


async def test_an_uploaded_file(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """It is read once; nothing in it can be registered, so there is nothing to confirm."""
    assert await async_setup_component(hass, "file_upload", {})
    client = await hass_client()
    answer = await client.post(
        "/api/file_upload", data={"file": BytesIO(FILE.replace("70B3", "x").encode())}
    )
    file_id = (await answer.json())["file_id"]
    result = await several(hass, entry)
    both = await go(hass, result, file=file_id, content=FILE)
    assert both["errors"] == {"content": "file_or_text"}
    result = await finish(hass, await go(hass, result, file=file_id))
    assert result["step_id"] == "several_none"
    assert result["menu_options"] == ["several"]
    result = await go(hass, result, next_step_id="several")
    result = await go(hass, result, file=file_id)
    assert result["errors"] == {"file": "file_gone"}
    result = await go(hass, result, content="a;b\n1;2")
    assert result["errors"] == {"base": "file_unusable"}
    assert "names no known column" in result["description_placeholders"]["reason"]


async def test_the_server_fails_while_checking(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    """What was typed is still there."""
    result = await several(hass, entry)
    sim.faults.http_status["/applications/garden/devices"] = 503
    result = await finish(hass, await go(hass, result, content=FILE, **PLAN))
    assert result["step_id"] == "several"
    assert result["errors"] == {"base": "cannot_connect"}


async def test_closing_it_stops_and_reports(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, reports: list[str]
) -> None:
    """The end device that is on its way is rolled back."""
    result = await go(hass, await several(hass, entry), content=FILE, **PLAN)
    result = await finish(hass, result)
    sim.faults.answer_delays["/js/applications/garden/devices/loft-one"] = 2
    result = await go(hass, result, next_step_id="register_several")
    await until(hass, lambda: "loft-one" in sim.devices)
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await until(hass, lambda: bool(reports))
    assert "Not tried: 1." in reports[0]
    await until(hass, lambda: "loft-one" not in sim.devices)
