"""End devices that only some servers have: noticed without asking often, shown, and cleared."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.thethingsstack.client import Presence, Server
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.provisioning.delete import async_delete
from custom_components.thethingsstack.provisioning.partial_devices import PAUSES, Pauses
from tests.ha_fixtures import entity_id, make_entry, set_up, until
from tests.simulator import Simulator

NEVER_JOINED = "70B3D57ED0060004"
EUI = "70B3D57ED00600AA"
SHORT = Pauses(settle=0.05, between_reads=0.01, retry=0.05, confirm=0.05)
OTAA = {
    "name": "Loft sensor",
    "dev_eui": EUI,
    "join_eui": "0000000000000000",
    "lorawan_version": "1.0.3",
    "frequency_plan": "EU_863_870_TTN",
    "app_key": "00112233445566778899AABBCCDDEEFF",
}


@pytest.fixture(autouse=True)
def short_pauses(hass: HomeAssistant) -> None:
    """Nobody else is on the way from server to server."""
    hass.data[PAUSES] = SHORT


async def follow(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry | None = None
) -> MockConfigEntry:
    """Set up the entry and wait until its registry events come."""
    entry = await set_up(hass, sim, entry or make_entry(sim, "manage"))
    await until(hass, lambda: entry.runtime_data.sync.live)
    return entry


def status_of(hass: HomeAssistant, key: str) -> str | None:
    """Return what its status entity shows."""
    state = hass.states.get(entity_id(hass, "sensor", f"garden/{key}/status"))
    return None if state is None else state.state


def reads(sim: Simulator, device_id: str) -> list[str]:
    """Return what the servers of the cluster were asked about a device, but for its battery."""
    return [
        path
        for method, path in sim.requests
        if method == "GET"
        and path.partition("?")[0].endswith(f"/devices/{device_id}")
        and any(f"/{server}/" in path for server in ("ns", "as", "js"))
        and "battery_percentage" not in path
    ]


def missing(entry: MockConfigEntry, device_id: str) -> tuple[Server, ...]:
    """Return which servers are known to lack a device."""
    found: Presence | None = entry.runtime_data.partial_devices.known.get(device_id)
    return () if found is None else found.missing


async def idle(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Wait until nothing is to be looked at."""
    await until(hass, lambda: entry.runtime_data.partial_devices.idle)
    await hass.async_block_till_done()


async def test_nothing_is_asked_without_a_reason(hass: HomeAssistant, sim: Simulator) -> None:
    """Neither at the start nor when a device that was heard changes."""
    sim.remove_parts("never-joined", "as")
    entry = await follow(hass, sim)
    await sim.uplink("lpp-node", payload=bytes.fromhex("01670110"), f_port=1)
    state = entry.runtime_data.roster.by_device_id("lpp-node")
    await until(hass, lambda: state.last_uplink)
    sim.update_device("lpp-node", name="Attic node")
    await until(hass, lambda: state.name == "Attic node")
    await idle(hass, entry)
    assert not any(reads(sim, device_id) for device_id in sim.devices)
    assert status_of(hass, NEVER_JOINED) == "never_joined"


async def test_one_that_appears_half_created(hass: HomeAssistant, sim: Simulator) -> None:
    """Another client died on its way; when it goes on, the next change shows it."""
    entry = await follow(hass, sim)
    sim.add_device("loft-sensor", dev_eui=EUI, joined=False)
    kept = sim.devices["loft-sensor"].documents
    taken = {server: kept.pop(server) for server in ("ns", "as")}
    await until(hass, lambda: missing(entry, "loft-sensor") == ("network", "application"))
    await hass.async_block_till_done()
    assert status_of(hass, EUI) == "half_created"
    kept.update(taken)
    sim.update_device("loft-sensor", name="Loft")
    await until(hass, lambda: not missing(entry, "loft-sensor"))
    assert status_of(hass, EUI) == "never_joined"


async def test_one_that_is_being_created_is_let_settle(hass: HomeAssistant, sim: Simulator) -> None:
    """All its events within the time are one look."""
    entry = await follow(hass, sim)
    sim.add_device("loft-sensor", dev_eui=EUI, joined=False)
    for number in range(3):
        sim.update_device("loft-sensor", name=f"Loft {number}")
    await until(hass, lambda: reads(sim, "loft-sensor"))
    await idle(hass, entry)
    assert len(reads(sim, "loft-sensor")) == 3  # one of each server
    sim.update_device("loft-sensor", name="Loft again")
    state = entry.runtime_data.roster.by_device_id("loft-sensor")
    await until(hass, lambda: state.name == "Loft again")
    await idle(hass, entry)
    assert len(reads(sim, "loft-sensor")) == 3  # a change is no reason to ask twice a day
    assert status_of(hass, EUI) == "never_joined"


async def test_one_that_is_registered_from_here_waits(hass: HomeAssistant, sim: Simulator) -> None:
    """Its own dialogue tells what becomes of it."""
    entry = await follow(hass, sim)
    coordinator = entry.runtime_data
    with coordinator.sync.holding("never-joined"):
        coordinator.partial_devices.look_soon("never-joined")
        await until(hass, lambda: coordinator.partial_devices.due)
        due = coordinator.partial_devices.due["never-joined"]
        await until(hass, lambda: coordinator.partial_devices.due.get("never-joined", due) > due)
        assert not reads(sim, "never-joined")
    await until(hass, lambda: reads(sim, "never-joined"))


async def test_deleted_on_one_server_only(hass: HomeAssistant, sim: Simulator) -> None:
    """It is stranded: shown as half created, and after a restart, too; an uplink mends nothing."""
    entry = await follow(hass, sim)
    key = "70B3D57ED0060002"
    sim.remove_parts("lpp-node", "is")
    await until(hass, lambda: missing(entry, "lpp-node") == ("identity",))
    await hass.async_block_till_done()
    assert status_of(hass, key) == "half_created"
    await sim.uplink("lpp-node", payload=bytes.fromhex("01670110"), f_port=1)
    state = entry.runtime_data.roster.by_device_id("lpp-node")
    await until(hass, lambda: state.last_uplink)
    assert status_of(hass, key) == "half_created"
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert status_of(hass, key) == "half_created"
    sim.remove_device("lpp-node")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(days=1, seconds=1))
    await until(hass, lambda: status_of(hass, key) == "not_registered")
    assert not entry.runtime_data.store.partial_devices


async def test_an_end_device_deleted_everywhere_is_no_partial_one(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Nothing is left, so nothing is told."""
    entry = await follow(hass, sim)
    sim.remove_device("never-joined")
    await until(hass, lambda: len(reads(sim, "never-joined")) == 3)
    await idle(hass, entry)
    assert not entry.runtime_data.partial_devices.known
    assert status_of(hass, NEVER_JOINED) == "not_registered"


async def test_an_entry_without_servers_is_looked_at(hass: HomeAssistant, sim: Simulator) -> None:
    """The registry itself says that it is unfinished; one look confirms it."""
    for kind in ("network", "application", "join"):
        for device_id in ("never-joined", "old-abp-node"):
            sim.devices[device_id].documents["is"].pop(f"{kind}_server_address", None)
    sim.remove_parts("never-joined", "js", "ns", "as")
    entry = await follow(hass, sim)
    await until(hass, lambda: missing(entry, "never-joined"))
    await idle(hass, entry)
    assert missing(entry, "never-joined") == ("join", "network", "application")
    assert set(entry.runtime_data.partial_devices.known) == {"never-joined"}


async def test_one_that_another_cluster_serves(hass: HomeAssistant, sim: Simulator) -> None:
    """This one can't tell whether it is whole."""
    entry = make_entry(sim, "manage", network="cloud")
    document = sim.devices["never-joined"].documents["is"]
    document["network_server_address"] = "nam1.cloud.thethings.industries"
    entry = await follow(hass, sim, entry)
    assert "never-joined" not in set(entry.runtime_data.partial_devices.candidates())


async def test_partial_devices_are_known_again_after_a_restart(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """At once as it was, and looked at in the background; also where that fails at first."""
    entry = await follow(hass, sim)
    sim.remove_parts("never-joined", "as")
    await entry.runtime_data.partial_devices.async_look("never-joined")
    assert status_of(hass, NEVER_JOINED) == "half_created"
    kept = sim.devices["never-joined"].documents
    kept["as"] = dict(sim.devices["lpp-node"].documents["as"])
    sim.faults.http_status["GET /as/"] = 503
    sim.requests.clear()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert status_of(hass, NEVER_JOINED) == "half_created"
    await until(hass, lambda: len(reads(sim, "never-joined")) > 3)
    sim.faults.http_status.clear()
    await until(hass, lambda: status_of(hass, NEVER_JOINED) == "never_joined")
    assert not any(
        reads(sim, device_id) for device_id in sim.devices if device_id != "never-joined"
    )


async def test_what_is_stored_may_be_unreadable(
    hass: HomeAssistant, sim: Simulator, hass_storage: dict[str, Any]
) -> None:
    """It is only what a look finds again."""
    entry = make_entry(sim, "manage")
    hass_storage[f"{DOMAIN}.{entry.entry_id}"] = {
        "version": 1,
        "data": {"half_created": {"never-joined": {"odd": True}}},
    }
    entry = await set_up(hass, sim, entry)
    assert not entry.runtime_data.partial_devices.known
    assert status_of(hass, NEVER_JOINED) == "never_joined"


async def test_a_message_shows_that_it_works(hass: HomeAssistant, sim: Simulator) -> None:
    """It obviously works, so somebody completed it; a simulated uplink shows nothing."""
    entry = await follow(hass, sim)
    kept = sim.devices["never-joined"].documents
    taken = kept.pop("as")
    await entry.runtime_data.partial_devices.async_look("never-joined")
    kept["as"] = taken
    await sim.uplink("never-joined", {"t": 1}, simulated=True)
    state = entry.runtime_data.roster.by_device_id("never-joined")
    await until(hass, lambda: state.last_data_uplink)
    assert status_of(hass, NEVER_JOINED) == "half_created"
    await sim.join("never-joined")
    await until(hass, lambda: status_of(hass, NEVER_JOINED) == "active")
    entry.runtime_data.partial_devices.mark_partial("never-joined", (Server.IDENTITY,))
    assert status_of(hass, NEVER_JOINED) == "half_created"
    await sim.uplink("never-joined")
    await until(hass, lambda: status_of(hass, NEVER_JOINED) == "active")


async def test_registering_that_could_not_be_undone(hass: HomeAssistant, sim: Simulator) -> None:
    """What is left is shown at once, and in Home Assistant when the server tells of it."""
    entry = await follow(hass, sim)
    sim.faults.http_status |= {"PUT /ns/": 400, "DELETE /js/": 403}
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(
            DOMAIN,
            "register_device",
            {"end_device_id": "loft-sensor", **OTAA},
            blocking=True,
            return_response=True,
        )
    assert missing(entry, "loft-sensor")[:1] == ("network",)
    await until(hass, lambda: "loft-sensor" in entry.runtime_data.roster.registrations)
    await hass.async_block_till_done()
    assert missing(entry, "loft-sensor") == ("network", "application")
    assert status_of(hass, EUI) == "half_created"


async def test_deleting_that_failed_half_way(hass: HomeAssistant, sim: Simulator) -> None:
    """Tried again, all of it goes."""
    entry = await follow(hass, sim)
    sim.faults.http_status["DELETE /js/"] = 503
    call = {"end_device_id": "never-joined", "confirm": "never-joined"}
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(DOMAIN, "delete_device", call, blocking=True)
    assert status_of(hass, NEVER_JOINED) == "half_created"
    await idle(hass, entry)
    assert missing(entry, "never-joined") == ("network", "application")
    sim.faults.http_status.clear()
    await hass.services.async_call(DOMAIN, "delete_device", call, blocking=True)
    assert status_of(hass, NEVER_JOINED) == "not_registered"
    await idle(hass, entry)
    assert not entry.runtime_data.partial_devices.known


async def test_actions_show_what_is_missing(hass: HomeAssistant, sim: Simulator) -> None:
    """`get_device` looks; `list_devices` says what is known without asking."""
    await follow(hass, sim)
    sim.remove_parts("never-joined", "ns")

    async def listed() -> dict[str, Any]:
        answer = await hass.services.async_call(
            DOMAIN, "list_devices", {}, blocking=True, return_response=True
        )
        assert answer is not None
        return {item["end_device_id"]: item for item in answer["devices"]}  # type: ignore[union-attr, index, call-overload, misc]

    assert "complete" not in (await listed())["never-joined"]
    await hass.services.async_call(
        DOMAIN,
        "get_device",
        {"end_device_id": "never-joined"},
        blocking=True,
        return_response=True,
    )
    sim.requests.clear()
    found = await listed()
    assert found["never-joined"]["complete"] is False
    assert found["never-joined"]["missing_on"] == ["network"]
    assert "complete" not in found["lpp-node"]
    assert not reads(sim, "never-joined")


async def test_only_chosen_devices_are_in_question(hass: HomeAssistant, sim: Simulator) -> None:
    """One that the options leave out is nobody's concern."""
    options = {"devices": "chosen", "chosen_devices": ["lpp-node"]}
    entry = await follow(hass, sim, make_entry(sim, "manage", options))
    sim.remove_parts("never-joined", "as")
    sim.update_device("never-joined", name="Out")
    registered = entry.runtime_data.roster.registrations
    await until(hass, lambda: registered["never-joined"].name == "Out")
    await idle(hass, entry)
    assert not reads(sim, "never-joined")


async def test_one_that_is_created_slowly(hass: HomeAssistant, sim: Simulator) -> None:
    """A tool that takes its time with the other servers leaves no issue for the whole day."""
    entry = await follow(hass, sim)
    sim.add_device("slow", name="Slow", dev_eui=EUI, joined=False)
    documents = sim.devices["slow"].documents
    later = {server: documents.pop(server) for server in ("ns", "as")}
    await until(hass, lambda: missing(entry, "slow"))
    documents.update(later)
    await until(hass, lambda: not missing(entry, "slow"))


async def test_a_failing_server_is_left_alone_for_a_while(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """However many devices are to be looked at."""
    hass.data[PAUSES] = replace(SHORT, retry=3600)
    entry = await follow(hass, sim)
    await idle(hass, entry)
    sim.faults.http_status["GET /ns/"] = 503
    for number in range(5):
        entry.runtime_data.partial_devices.look_soon(f"device-{number}", seconds=0)
    due = entry.runtime_data.partial_devices.due
    await until(hass, lambda: any("/ns/" in path for _, path in sim.requests) and len(due) == 5)
    # Another one that is due doesn't end the pause.
    entry.runtime_data.partial_devices.look_soon("device-9", seconds=0)
    await hass.async_block_till_done()
    asked = [path for method, path in sim.requests if "/ns/" in path and "device-" in path]
    assert len(asked) == 1
    assert len(due) == 6


async def test_deleted_while_it_is_looked_at(hass: HomeAssistant, sim: Simulator) -> None:
    """What was read in between is no state that it ever had."""
    entry = await follow(hass, sim)
    await idle(hass, entry)
    sim.faults.answer_delays["ns/applications/garden/devices/lpp-node"] = 0.2
    look = hass.async_create_task(entry.runtime_data.partial_devices.async_look("lpp-node"))
    await until(hass, lambda: any("ns/" in path for path in reads(sim, "lpp-node")))
    await async_delete(entry.runtime_data, "lpp-node")
    assert (await look).identity
    assert not missing(entry, "lpp-node")
