"""The HTTP integration of version 2: uplinks that it posts, and downlinks by the way back."""

from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.client import DownlinkAddress
from custom_components.thethingsstack.client.errors import InvalidRequest
from custom_components.thethingsstack.client.v2.integration import downlink_address
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.webhook import SECRET_HEADER
from tests.dialogs import Result, go
from tests.ha_fixtures import until
from tests.setup_flow.steps import start
from tests.simulator.v2 import Simulator
from tests.webhook.conftest import Listening, listening

from .test_downlinks import call, radio
from .test_setup import typed

assert listening  # a fixture


async def connect(hass: HomeAssistant, sim2: Simulator) -> Result:
    """Connect the application by its HTTP integration, as a user does; the broker isn't needed."""
    await sim2.stop_broker()
    result = await start(hass, "ttn_v2")
    result = await go(hass, result, **typed(sim2, door="webhook"))
    assert result["step_id"] == "rights", result.get("errors")
    result = await go(hass, result, door="webhook")
    assert result["step_id"] == "integration_values"
    return result


@pytest.fixture
async def entry(hass: HomeAssistant, sim2: Simulator, listening: Listening) -> MockConfigEntry:
    """The application by its HTTP integration, which posts to the address that was shown."""
    result = await connect(hass, sim2)
    shown = result["description_placeholders"]
    assert shown["header"] == SECRET_HEADER
    result = await go(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry: MockConfigEntry = result["result"]
    await until(hass, lambda: entry.state is ConfigEntryState.LOADED)
    sim2.integrate(shown["address"], headers={SECRET_HEADER: shown["secret"]})
    return entry


async def test_uplinks_are_posted_and_downlinks_go_the_way_back(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    with pytest.raises(HomeAssistantError) as refused:
        await call(hass, entry, hex="01", f_port=85)
    assert refused.value.translation_key == "downlink_no_address"
    await sim2.uplink("pump-socket", decoded={"socket_status": "on", "power": 4.5})
    dev_eui = sim2.devices["pump-socket"].dev_eui
    registry = er.async_get(hass)
    unique_id = f"garden/{dev_eui}/field/power"
    await until(hass, lambda: registry.async_get_entity_id("sensor", DOMAIN, unique_id))
    assert entry.runtime_data.connected
    answer = await call(hass, entry, hex="011e", f_port=85, confirmed=True)
    assert answer["state"] == "queued"
    await sim2.uplink("pump-socket")
    assert radio(sim2) == [(85, "011e")]


async def test_what_is_none_of_the_application_is_refused(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    await sim2.integration.delivered()
    url = sim2.integration.processes["garden", "home-assistant"].url
    sim2.integrate(url, "garden", "forged")
    await sim2.uplink("pump-socket")
    await sim2.integration.delivered()
    assert sorted(status or 0 for _, status in sim2.integration.deliveries) == [200, 401]
    secret = entry.data["webhook_secret"]
    sim2.integrate(url, "lpp-garden", "foreign", {SECRET_HEADER: secret})
    await sim2.uplink("lpp-node")
    await sim2.integration.delivered()
    assert sim2.integration.deliveries[-1][1] == 403


async def test_the_values_are_shown_again(
    hass: HomeAssistant, sim2: Simulator, entry: MockConfigEntry
) -> None:
    context: Any = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    result = await hass.config_entries.flow.async_init(DOMAIN, context=context)
    result = await go(hass, result, next_step_id="integration_values")
    assert result["description_placeholders"]["secret"] == entry.data["webhook_secret"]
    result = await go(hass, result)
    assert result["reason"] == "webhook_shown"


GOOD = "https://integrations.example.org/ttn-eu/api/v2/down/garden/home?key=ttn-account-v2.abc"


def test_a_downlink_address_is_of_the_application() -> None:
    found = downlink_address(GOOD, application_id="garden", tls=True)
    assert found == DownlinkAddress(
        webhook_id="home",
        api_key="ttn-account-v2.abc",
        application_id="garden",
        base="https://integrations.example.org/ttn-eu/api/v2",
    )
    assert "abc" not in repr(found)
    assert downlink_address(None, application_id="garden", tls=True) is None


@pytest.mark.parametrize(
    "wrong",
    [
        GOOD.replace("garden", "neighbour"),
        GOOD.replace("https", "http"),
        GOOD.replace("https", "ftp"),
        GOOD.replace("?key=ttn-account-v2.abc", ""),
        GOOD.replace("abc", "é"),
        GOOD.replace("/down/garden", ""),
        "https://[::1",
        "https:///down/garden/home?key=x",
    ],
)
def test_an_odd_downlink_address_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidRequest, match="none of this application"):
        downlink_address(wrong, application_id="garden", tls=True)
