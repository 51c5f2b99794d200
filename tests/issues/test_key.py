"""Repair issues about the key, its rights, and where things live: there, and gone when mended."""

from datetime import timedelta
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH, ConfigFlowResult, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.thethingsstack.client import AuthenticationFailed
from custom_components.thethingsstack.issues import key as key_issues
from tests.ha_fixtures import make_entry, set_up, until
from tests.simulator import Simulator


def issue(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> ir.IssueEntry | None:
    """Return an issue of the entry."""
    return ir.async_get(hass).async_get_issue("thethingsstack", f"{key}_{entry.entry_id}")


async def check_again(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Check once more, as it happens four times a day."""
    await key_issues.async_check_key(hass, entry)


def placeholders(found: ir.IssueEntry | None) -> dict[str, Any]:
    """Return what an issue names."""
    assert found is not None
    assert found.translation_placeholders is not None
    return dict(found.translation_placeholders)


async def test_a_key_that_expires_soon_has_an_issue(hass: HomeAssistant, sim: Simulator) -> None:
    """Two weeks before; a later date ends the issue, and so does removing the entry."""
    entry = await set_up(hass, sim, make_entry(sim, "expiring"))
    await check_again(hass, entry)
    assert placeholders(issue(hass, entry, "key_expires"))["application"] == "Garden"
    sim.expire("expiring", dt_util.utcnow() + timedelta(days=365))
    await check_again(hass, entry)
    assert issue(hass, entry, "key_expires") is None
    sim.expire("expiring", dt_util.utcnow() + timedelta(days=3))
    await check_again(hass, entry)
    assert issue(hass, entry, "key_expires") is not None
    sim.faults.http_down = True
    await check_again(hass, entry)
    assert issue(hass, entry, "key_expires") is not None
    sim.faults.http_down = False
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert issue(hass, entry, "key_expires") is None


async def test_the_expiry_is_looked_up_at_start_and_with_time(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """At the start, and again with time."""
    entry = await set_up(hass, sim, make_entry(sim, "expiring"))
    await until(hass, lambda: issue(hass, entry, "key_expires"))
    sim.expire("expiring", dt_util.utcnow() + timedelta(days=365))
    async_fire_time_changed(hass, dt_util.utcnow() + key_issues.INTERVAL + timedelta(seconds=1))
    await until(hass, lambda: issue(hass, entry, "key_expires") is None)


@pytest.mark.parametrize("by", ["rights", "key"])
async def test_a_key_that_is_deleted(hass: HomeAssistant, sim: Simulator, by: str) -> None:
    """The open session goes on, but nothing else does: a new key is asked for at once."""
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    sim.revoke("manage")
    if by == "rights":
        await entry.runtime_data.connection_state.async_check_rights()
    else:
        await check_again(hass, entry)
    await hass.async_block_till_done()
    flows = hass.config_entries.flow.async_progress()
    assert [flow["context"]["source"] for flow in flows] == [SOURCE_REAUTH]
    assert entry.runtime_data.connected


async def reauth_flows(hass: HomeAssistant, entry: MockConfigEntry) -> list[ConfigFlowResult]:
    """Return the dialogues that ask for a new key, when all that runs has ended."""
    await hass.async_block_till_done()
    return list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))


async def test_any_refused_call_asks_for_a_new_key(hass: HomeAssistant, sim: Simulator) -> None:
    """Whoever asked, and whatever: the key is checked at once, and asked for anew once."""
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    stack = entry.runtime_data.stack
    sim.revoke("manage")
    with pytest.raises(AuthenticationFailed):
        await stack.device("greenhouse-climate")
    await until(hass, lambda: any(entry.async_get_active_flows(hass, {SOURCE_REAUTH})))
    assert entry.runtime_data.connected
    asked = len(sim.requests)
    with pytest.raises(AuthenticationFailed):
        await stack.device("greenhouse-climate")
    assert len(await reauth_flows(hass, entry)) == 1
    assert len(sim.requests) == asked + 1  # nothing is checked while a new key is awaited


async def test_a_refusal_that_passes(hass: HomeAssistant, sim: Simulator) -> None:
    """A call is refused, and the key is good all the same: no new one is asked for."""
    entry = await set_up(hass, sim, make_entry(sim, "manage"))
    sim.faults.errors["/devices/greenhouse-climate"] = (401, "unauthenticated")
    asked = len(sim.requests)
    with pytest.raises(AuthenticationFailed):
        await entry.runtime_data.stack.device("greenhouse-climate")
    await until(hass, lambda: any(path.endswith("/rights") for _, path in sim.requests[asked:]))
    assert await reauth_flows(hass, entry) == []


async def test_a_key_that_expires_while_it_is_used(
    hass: HomeAssistant, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """At its time, not with the next regular check; also where the server's clock is behind."""
    # Half an hour: nothing else asks before an hour has passed.
    entry = make_entry(sim, "expiring")
    expires_at = dt_util.utcnow() + timedelta(minutes=30)
    sim.expire("expiring", expires_at)
    await set_up(hass, sim, entry)
    await until(hass, lambda: issue(hass, entry, "key_expires"))
    asked = len(sim.requests)
    async_fire_time_changed(hass, expires_at + timedelta(seconds=1))
    await until(hass, lambda: any(path.endswith("/auth_info") for _, path in sim.requests[asked:]))
    assert await reauth_flows(hass, entry) == []
    sim.expire("expiring", dt_util.utcnow() - timedelta(seconds=1))
    async_fire_time_changed(hass, expires_at + timedelta(seconds=2))
    await until(hass, lambda: any(entry.async_get_active_flows(hass, {SOURCE_REAUTH})))
    assert sim.key("expiring") not in caplog.text


async def test_controls_without_the_right_have_an_issue(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Only where there are controls."""
    entry = make_entry(sim, "read")
    await set_up(hass, sim, entry)
    await check_again(hass, entry)
    assert issue(hass, entry, "control_right") is None
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType({}), subentry_type="control", title="Valve", unique_id=None
        ),
    )
    await check_again(hass, entry)
    assert placeholders(issue(hass, entry, "control_right"))["count"] == "1"


async def test_an_application_on_another_cluster_has_an_issue(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Of the application, and of single end devices; on an own server names say nothing."""
    sim.application.document["application_server_address"] = "nam1.cloud.thethings.network:8884"
    sim.update_device(
        "weather-station", application_server_address="au1.cloud.thethings.network:8884"
    )
    own = await set_up(hass, sim)
    await check_again(hass, own)
    assert issue(hass, own, "application_moved") is None
    assert issue(hass, own, "devices_elsewhere") is None
    await hass.config_entries.async_remove(own.entry_id)

    entry = await set_up(hass, sim, make_entry(sim, network="ttn_eu1"))
    await check_again(hass, entry)
    assert (
        placeholders(issue(hass, entry, "application_moved"))["cluster"]
        == "nam1.cloud.thethings.network"
    )
    assert placeholders(issue(hass, entry, "devices_elsewhere"))["devices"] == (
        "- Weather station: au1.cloud.thethings.network"
    )
