"""When an end device is overdue, and what its entities show then, over real sockets."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.end_devices import EndDeviceState
from custom_components.thethingsstack.end_devices.overdue_number import NEVER, silence_of, text_of
from tests.ha_fixtures import entity_id, make_entry, register_enabled, set_up, until
from tests.simulator import Simulator

WEATHER = "garden/70B3D57ED0060001"
ATTRIBUTE = "home-assistant-overdue"


def state_of(hass: HomeAssistant, key: str, platform: str = "sensor") -> str:
    """Return what an entity of the weather station shows."""
    state = hass.states.get(entity_id(hass, platform, f"{WEATHER}/{key}"))
    assert state is not None, key
    return state.state


def weather_of(entry: MockConfigEntry) -> EndDeviceState:
    """Return the weather station."""
    found: EndDeviceState = entry.runtime_data.roster.states[WEATHER]
    return found


def enable(hass: HomeAssistant, entry: MockConfigEntry, platform: str, *keys: str) -> None:
    """Register entities of the weather station as enabled before they are added."""
    for key in keys:
        register_enabled(hass, entry, platform, f"{WEATHER}/{key}")


async def sends(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, when: datetime
) -> None:
    """Let the weather station send at this time, and wait until that has come."""
    await sim.uplink(
        "weather-station",
        decoded={"temperature": 20.5, "door_open": True},
        received_at=when.isoformat().replace("+00:00", "Z"),
    )
    device = weather_of(entry)
    await until(hass, lambda: device.last_seen == when)
    await hass.async_block_till_done()


async def passes(hass: HomeAssistant, entry: MockConfigEntry, **time: float) -> None:
    """Let it be so long ago that the weather station sent, and look as each minute does.

    Not by the clock of the test: it would time out the sockets, too.
    """
    device = weather_of(entry)
    assert device.last_seen is not None
    device.last_seen -= timedelta(**time)
    entry.runtime_data.overdue_watch.look()
    await hass.async_block_till_done()


async def test_overdue_as_learned_also_after_a_restart(hass: HomeAssistant, sim: Simulator) -> None:
    """Three hours for a device that sends each hour, in bursts; its interval is a sensor."""
    entry = make_entry(sim)
    enable(hass, entry, "sensor", "uplink_interval")
    await set_up(hass, sim, entry)
    assert state_of(hass, "uplink_interval") == STATE_UNKNOWN
    latest = dt_util.utcnow() - timedelta(hours=2, minutes=58)
    for hours in range(30, -1, -1):
        await sends(hass, sim, entry, latest - timedelta(hours=hours, seconds=3))
        await sends(hass, sim, entry, latest - timedelta(hours=hours))
    assert state_of(hass, "uplink_interval") == "3600"
    assert state_of(hass, "status") == "active"

    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    await hass.async_block_till_done()
    assert state_of(hass, "uplink_interval") == "3600"
    assert state_of(hass, "status") == "active"
    await passes(hass, entry, minutes=3)
    assert state_of(hass, "status") == "overdue"
    assert state_of(hass, "field/temperature") == "20.5"
    await sends(hass, sim, entry, dt_util.utcnow())
    assert state_of(hass, "status") == "active"
    registry = er.async_get(hass)
    other = registry.async_get(entity_id(hass, "sensor", "garden/A84041000181C061/uplink_interval"))
    assert other is not None
    assert other.disabled_by is er.RegistryEntryDisabler.INTEGRATION


async def test_what_was_sent_between_stored_and_live_uplinks_is_no_silence(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Uplinks that were not stored: the frame counter says that they were sent."""
    sim.faults.storage = True
    sim.switch_storage(on=True)
    latest = dt_util.utcnow() - timedelta(hours=20)
    entry = make_entry(sim)
    for minutes in (15, 10, 5, 0):
        await sim.uplink(
            "weather-station",
            decoded={"temperature": 20.5},
            received_at=(latest - timedelta(minutes=minutes)).isoformat(),
        )
    sim.switch_storage(on=False)
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    sim.switch_storage(on=True)
    await set_up(hass, sim, entry)
    await until(hass, lambda: entry.runtime_data.caught_up)
    assert weather_of(entry).uplinks.interval.last == latest
    await sends(hass, sim, entry, dt_util.utcnow())
    assert weather_of(entry).uplinks.interval.as_stored()["gaps"] == [300.0] * 3


async def test_25_hours_until_learned_or_as_long_as_the_application_says(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """A number that was set for the application before goes on to count."""
    entry = await set_up(hass, sim)
    await sends(hass, sim, entry, dt_util.utcnow() - timedelta(hours=24, minutes=58))
    assert state_of(hass, "status") == "active"
    await passes(hass, entry, minutes=3)
    assert state_of(hass, "status") == "overdue"
    hass.config_entries.async_update_entry(entry, options={"overdue_after": 26})
    await hass.async_block_till_done()
    assert state_of(hass, "status") == "active"
    await passes(hass, entry, hours=1)
    assert state_of(hass, "status") == "overdue"


async def test_a_number_of_the_device_itself(hass: HomeAssistant, sim: Simulator) -> None:
    """It counts before all others; changes on the server are followed, nonsense is named."""
    entry = await set_up(hass, sim, make_entry(sim, options={"overdue_after": 48}))
    await until(hass, lambda: entry.runtime_data.sync.live)
    await sends(hass, sim, entry, dt_util.utcnow() - timedelta(minutes=12))
    assert state_of(hass, "status") == "active"
    sim.update_device("weather-station", attributes={ATTRIBUTE: "10 min"})
    await until(hass, lambda: state_of(hass, "status") == "overdue")
    sim.update_device("weather-station", attributes={ATTRIBUTE: "2"})
    await until(hass, lambda: state_of(hass, "status") == "active")
    device, watch = weather_of(entry), entry.runtime_data.overdue_watch
    assert watch.overdue_after(device) == timedelta(hours=2)
    issue = (DOMAIN, f"overdue_number_{entry.entry_id}")
    issues = ir.async_get(hass).issues
    sim.update_device("weather-station", attributes={ATTRIBUTE: "soon"})
    await until(hass, lambda: issue in issues)
    placeholders = issues[issue].translation_placeholders
    assert placeholders is not None
    assert placeholders["devices"] == "- Weather station: soon"
    assert watch.overdue_after(device) == timedelta(hours=48)
    sim.update_device("weather-station", attributes={ATTRIBUTE: None})
    await until(hass, lambda: issue not in issues)
    assert watch.overdue_after(device) == timedelta(hours=48)


async def test_the_action_writes_it_to_the_server(hass: HomeAssistant, sim: Simulator) -> None:
    """What isn't understood is refused; without a number there is none any more."""
    entry = await set_up(hass, sim, make_entry(sim, "manage"))

    async def set_overdue(**data: Any) -> Any:
        return await hass.services.async_call(
            DOMAIN, "set_overdue", data, blocking=True, return_response=True
        )

    device, watch = weather_of(entry), entry.runtime_data.overdue_watch
    answer = await set_overdue(device_id=device.registry_id, after="120 min")
    assert answer == {"end_device_id": "weather-station", "after": "2 h"}
    document = sim.devices["weather-station"].documents["is"]
    assert document["attributes"][ATTRIBUTE] == "2 h"
    assert watch.overdue_after(device) == timedelta(hours=2)
    with pytest.raises(HomeAssistantError) as caught:
        await set_overdue(end_device_id="weather-station", after="a while")
    assert caught.value.translation_key == "overdue_number"
    answer = await set_overdue(end_device_id="weather-station")
    assert answer == {"end_device_id": "weather-station", "after": None}
    assert ATTRIBUTE not in sim.devices["weather-station"].documents["is"].get("attributes", {})
    assert watch.overdue_after(device) == timedelta(hours=25)


@pytest.mark.parametrize(
    ("text", "silence", "written"),
    [
        ("90 min", timedelta(minutes=90), "90 min"),
        ("120m", timedelta(hours=2), "2 h"),
        ("36", timedelta(hours=36), "36 h"),
        (" 48 H ", timedelta(days=2), "2 d"),
        ("0.5 h", timedelta(minutes=30), "30 min"),
        ("1,5 d", timedelta(hours=36), "36 h"),
        ("1.51 min", timedelta(minutes=1.51), "1.51 min"),
        ("366 d", timedelta(days=366), "366 d"),
        ("Never", NEVER, "never"),
    ],
)
def test_texts_for_overdue(text: str, silence: timedelta, written: str) -> None:
    assert silence_of(text) == silence
    assert text_of(silence) == written
    assert silence_of(written) == silence


@pytest.mark.parametrize(
    "text", ["", "soon", "-1 h", "0", "30 s", "0.5 min", "367 d", "1e3 h", "nan", "1 h 30", "٣ h"]
)
def test_texts_that_are_none(text: str) -> None:
    assert silence_of(text) is None


VALUES = (("sensor", "field/temperature"), ("binary_sensor", "field/door_open"), ("sensor", "rssi"))
STAY = (("sensor", "last_uplink"), ("sensor", "status"), ("event", "activity"))


def unavailable(hass: HomeAssistant) -> set[str]:
    """Return which of these entities are unavailable."""
    return {
        key for platform, key in VALUES + STAY if state_of(hass, key, platform) == STATE_UNAVAILABLE
    }


async def test_values_of_overdue_devices_become_unavailable_if_wanted(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """At the option, as time passes, after a restart, and back with the first uplink."""
    entry = make_entry(sim, options={"overdue_after": 2})
    enable(hass, entry, "event", "activity")
    enable(hass, entry, "sensor", "rssi")
    await set_up(hass, sim, entry)
    await sends(hass, sim, entry, dt_util.utcnow() - timedelta(hours=3))
    await passes(hass, entry)
    assert state_of(hass, "status") == "overdue"
    assert unavailable(hass) == set()
    wanted = {"overdue_after": 2, "overdue_unavailable": True}
    hass.config_entries.async_update_entry(entry, options=wanted)
    await hass.async_block_till_done()
    values = {key for _, key in VALUES}
    assert unavailable(hass) == values
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected and entry.runtime_data.caught_up)
    await hass.async_block_till_done()
    assert unavailable(hass) == values
    await sends(hass, sim, entry, dt_util.utcnow())
    assert unavailable(hass) == set()
    assert state_of(hass, "field/temperature") == "20.5"
    await passes(hass, entry, hours=2, minutes=1)
    assert unavailable(hass) == values
    await sends(hass, sim, entry, dt_util.utcnow())
    assert unavailable(hass) == set()
    hass.config_entries.async_update_entry(entry, options={"overdue_after": 2})
    await passes(hass, entry, hours=2, minutes=1)
    assert state_of(hass, "status") == "overdue"
    assert unavailable(hass) == set()


async def test_a_deleted_device_is_unavailable(hass: HomeAssistant, sim: Simulator) -> None:
    """Its status says why, also after a restart; it comes back with its registration."""
    entry = make_entry(sim)
    enable(hass, entry, "event", "activity")
    enable(hass, entry, "sensor", "rssi")
    await set_up(hass, sim, entry)
    await until(hass, lambda: entry.runtime_data.sync.live)
    await sends(hass, sim, entry, dt_util.utcnow())
    assert unavailable(hass) == set()
    device = sim.devices["weather-station"]
    sim.remove_device("weather-station")
    every = {key for _, key in VALUES + STAY} - {"status"}
    await until(hass, lambda: unavailable(hass) == every)
    assert state_of(hass, "status") == "not_registered"
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    await hass.async_block_till_done()
    assert unavailable(hass) == every
    await until(hass, lambda: entry.runtime_data.sync.live)
    sim.add_device("weather-station", dev_eui=device.dev_eui, name="Weather station")
    await until(hass, lambda: not unavailable(hass))
    assert state_of(hass, "status") != "not_registered"
