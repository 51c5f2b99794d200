"""What an uplink shows in Home Assistant: sensors, states, positions, events."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant import config_entries
from homeassistant.const import (
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    EntityCategory,
)
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.thethingsstack.const import DOMAIN, UNAVAILABLE_AFTER
from tests.ha_fixtures import entity_id, make_entry, register_enabled, set_up, until
from tests.simulator import Simulator

WEATHER = "garden/70B3D57ED0060001"
GREENHOUSE = "garden/A84041000181C061"
SOCKET = "garden/24E124148B000001"
RADIATOR = "garden/70B3D52DD3000001"


def state_of(hass: HomeAssistant, platform: str, unique_id: str) -> State:
    """Return the state of the entity with this unique id."""
    state = hass.states.get(entity_id(hass, platform, unique_id))
    assert state is not None, f"{unique_id} has no state"
    return state


async def count(hass: HomeAssistant, entry: MockConfigEntry, uplinks: int) -> None:
    """Wait until so many uplinks have arrived and their entities exist."""
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today >= uplinks)
    await hass.async_block_till_done()


def enable(hass: HomeAssistant, entry: MockConfigEntry, platform: str, unique_id: str) -> None:
    """Register an entity as enabled before it is added."""
    er.async_get(hass).async_get_or_create(
        platform, "thethingsstack", unique_id, config_entry=entry, disabled_by=None
    )


async def test_fields_become_sensors_with_name_unit_and_class(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """The recorded greenhouse sensor, as a user sees it."""
    entry = await set_up(hass, sim)
    await sim.uplink(
        "greenhouse-climate",
        decoded={
            "BatV": 3.062,
            "Bat_status": 3,
            "Ext_sensor": "Temperature Sensor",
            "Hum_SHT": 37.4,
            "TempC_DS": 27.81,
            "TempC_SHT": 28.29,
        },
    )
    await count(hass, entry, 1)
    temperature = state_of(hass, "sensor", f"{GREENHOUSE}/field/TempC_SHT")
    assert temperature.state == "28.29"
    assert temperature.attributes["unit_of_measurement"] == "°C"
    assert temperature.attributes["device_class"] == "temperature"
    assert temperature.attributes["state_class"] == "measurement"
    assert temperature.name.startswith("Greenhouse climate Temperature")
    probe = state_of(hass, "sensor", f"{GREENHOUSE}/field/TempC_DS")
    assert probe.name == "Greenhouse climate Probe temperature"
    humidity = state_of(hass, "sensor", f"{GREENHOUSE}/field/Hum_SHT")
    assert humidity.attributes["device_class"] == "humidity"
    voltage = state_of(hass, "sensor", f"{GREENHOUSE}/field/BatV")
    assert voltage.attributes["unit_of_measurement"] == "V"
    assert voltage.attributes["device_class"] == "voltage"


async def test_a_new_sensor_is_registered_once(hass: HomeAssistant, sim: Simulator) -> None:
    """With its precision: Home Assistant would write registry and state a second time for it."""
    events = async_capture_events(hass, er.EVENT_ENTITY_REGISTRY_UPDATED)
    entry = await set_up(hass, sim)
    await sim.uplink("greenhouse-climate", decoded={"TempC_SHT": 28.29, "height": 3.5})
    await count(hass, entry, 1)
    registry = er.async_get(hass)
    for name, precision in (("TempC_SHT", 2), ("height", 1)):
        found = entity_id(hass, "sensor", f"{GREENHOUSE}/field/{name}")
        registered = registry.async_get(found)
        assert registered is not None
        assert registered.options["sensor"] == {"suggested_display_precision": precision}
        written = [event.data["action"] for event in events if event.data["entity_id"] == found]
        assert written == ["create"]


async def test_radio_and_last_uplink(hass: HomeAssistant, sim: Simulator) -> None:
    """Last uplink is there; RSSI where it was enabled; the others exist, disabled."""
    entry = make_entry(sim)
    register_enabled(hass, entry, "sensor", f"{WEATHER}/rssi")
    await set_up(hass, sim, entry)
    envelope = await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await count(hass, entry, 1)
    received = dt_util.parse_datetime(envelope["uplink_message"]["received_at"][:26] + "Z")
    assert received is not None
    last = state_of(hass, "sensor", f"{WEATHER}/last_uplink")
    assert last.state == received.replace(microsecond=0).isoformat()
    best = max(envelope["uplink_message"]["rx_metadata"], key=lambda item: item.get("snr", 0))
    rssi = state_of(hass, "sensor", f"{WEATHER}/rssi")
    assert float(rssi.state) == best["rssi"]
    assert rssi.attributes["unit_of_measurement"] == "dBm"
    registry = er.async_get(hass)
    other = registry.async_get(entity_id(hass, "sensor", f"{GREENHOUSE}/rssi"))
    assert other is not None
    assert other.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    for key in (
        "snr",
        "data_rate",
        "gateways",
        "best_gateway",
        "frame_counter",
        "airtime",
        "packet_error_rate",
        "raw_payload",
    ):
        registered = registry.async_get(entity_id(hass, "sensor", f"{WEATHER}/{key}"))
        assert registered is not None
        assert registered.disabled_by is er.RegistryEntryDisabler.INTEGRATION
        assert registered.entity_category is EntityCategory.DIAGNOSTIC


async def test_an_entity_enabled_after_a_restart_appears(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """What is disabled isn't made again; Home Assistant reloads when the user enables it."""
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded={"temperature": 20.5, "mystery": 7})
    await count(hass, entry, 1)
    plain = entity_id(hass, "sensor", f"{WEATHER}/field/mystery")
    found = [
        entity_id(hass, "sensor", f"{WEATHER}/snr"),
        entity_id(hass, "event", f"{WEATHER}/activity"),
        plain,
    ]
    registry = er.async_get(hass)
    registry.async_update_entity(plain, disabled_by=er.RegistryEntryDisabler.USER)
    before = {e.entity_id for e in er.async_entries_for_config_entry(registry, entry.entry_id)}
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    assert not any(hass.states.get(one) for one in found)

    old = entry.runtime_data
    for one in found:
        registry.async_update_entity(one, disabled_by=None)
    later = dt_util.utcnow() + timedelta(seconds=config_entries.RELOAD_AFTER_UPDATE_DELAY + 1)
    async_fire_time_changed(hass, later)
    await until(hass, lambda: getattr(entry, "runtime_data", old) is not old)
    await until(hass, lambda: entry.runtime_data.connected)
    await sim.uplink("weather-station", decoded={"temperature": 21.5, "mystery": 8})
    await until(hass, lambda: state_of(hass, "sensor", f"{WEATHER}/field/mystery").state == "8")
    for one in found:
        state = hass.states.get(one)
        assert state is not None
        assert state.state not in (STATE_UNKNOWN, STATE_UNAVAILABLE), one
    after = {e.entity_id for e in er.async_entries_for_config_entry(registry, entry.entry_id)}
    assert after == before


async def test_disabled_radio_sensors_show_values_when_enabled(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """Each of them, from one uplink."""
    entry = make_entry(sim)
    entry.add_to_hass(hass)
    keys = (
        "snr",
        "data_rate",
        "gateways",
        "best_gateway",
        "frame_counter",
        "airtime",
        "packet_error_rate",
        "raw_payload",
    )
    for key in keys:
        enable(hass, entry, "sensor", f"{WEATHER}/{key}")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    await sim.uplink(
        "weather-station",
        decoded={"temperature": 20.5},
        payload=b"\x01\x02",
        envelope={
            "uplink_message": {
                "f_cnt": 7,
                "consumed_airtime": "0.056576s",
                "packet_error_rate": 0.125,
                "rx_metadata": [
                    {"gateway_ids": {"gateway_id": "roof"}, "rssi": -97, "snr": 6.5},
                    {"gateway_ids": {"gateway_id": "barn"}, "rssi": -110, "snr": -3},
                ],
                "settings": {
                    "data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 9}},
                    "frequency": "868100000",
                },
            }
        },
    )
    await count(hass, entry, 1)
    shown = {key: state_of(hass, "sensor", f"{WEATHER}/{key}").state for key in keys}
    assert shown == {
        "snr": "6.5",
        "data_rate": "SF9BW125",
        "gateways": "2",
        "best_gateway": "roof",
        "frame_counter": "7",
        "airtime": "56.576",
        "packet_error_rate": "12.5",
        "raw_payload": "0102",
    }


async def test_lorawan_battery_appears_when_first_told(hass: HomeAssistant, sim: Simulator) -> None:
    """A network's own status request, and it survives a reload."""
    entry = await set_up(hass, sim)
    battery = {"f_cnt": 3, "value": 82.3, "received_at": "2026-11-23T09:00:00Z"}
    await sim.uplink(
        "weather-station",
        decoded={"temperature": 20.5},
        envelope={"uplink_message": {"last_battery_percentage": battery}},
    )
    await count(hass, entry, 1)
    assert float(state_of(hass, "sensor", f"{WEATHER}/battery").state) == 82.3
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, "sensor", f"{WEATHER}/battery").state != STATE_UNAVAILABLE


async def test_the_only_battery_is_called_so(hass: HomeAssistant, sim: Simulator) -> None:
    """Until the payload has one; one that is registered as LoRaWAN battery stays it."""
    entry = await set_up(hass, sim)
    er.async_get(hass).async_get_or_create(
        "sensor",
        DOMAIN,
        f"{GREENHOUSE}/battery",
        config_entry=entry,
        translation_key="lorawan_battery",
    )
    level = {"value": 82.3, "received_at": "2026-11-23T09:00:00Z"}
    await sim.uplink("weather-station", decoded={"wind": 2.5}, last_battery_percentage=level)
    await sim.uplink("greenhouse-climate", decoded={"BatV": 3.1}, last_battery_percentage=level)
    await count(hass, entry, 2)
    assert state_of(hass, "sensor", f"{WEATHER}/battery").name == "Weather station Battery"
    name = state_of(hass, "sensor", f"{GREENHOUSE}/battery").name
    assert name == "Greenhouse climate LoRaWAN battery"
    level = {"value": 81.9, "received_at": "2026-11-24T09:00:00Z"}
    uplink: dict[str, Any] = {
        "decoded": {"wind": 2.5, "battery": 80},
        "last_battery_percentage": level,
    }
    await sim.uplink("weather-station", **uplink)
    await sim.uplink("weather-station", **uplink | {"decoded": {"wind": 3, "battery": 79}})
    await count(hass, entry, 4)

    def named(key: str) -> str:
        return state_of(hass, "sensor", f"{WEATHER}/{key}").name

    await until(hass, lambda: named("battery") == "Weather station LoRaWAN battery")
    assert named("field/battery") == "Weather station Battery"
    assert float(state_of(hass, "sensor", f"{WEATHER}/battery").state) == 81.9


async def test_binary_states_and_their_words(hass: HomeAssistant, sim: Simulator) -> None:
    """A window that opens; words and booleans."""
    entry = await set_up(hass, sim)
    await sim.uplink("bath-radiator", decoded={"openWindow": True, "motorPosition": 20})
    await count(hass, entry, 1)
    assert state_of(hass, "binary_sensor", f"{RADIATOR}/field/openWindow").state == STATE_ON
    await sim.uplink("bath-radiator", decoded={"openWindow": False, "motorPosition": 20})
    await count(hass, entry, 2)
    assert state_of(hass, "binary_sensor", f"{RADIATOR}/field/openWindow").state == STATE_OFF


async def test_states_of_a_text_are_learned(hass: HomeAssistant, sim: Simulator) -> None:
    """In the order in which they came, also over a restart; a text that is none ends it."""
    entry = await set_up(hass, sim)
    unique_id = f"{WEATHER}/field/pump_state"
    for number, state in enumerate(("idle", "running", "idle", "blocked"), 1):
        await sim.uplink("weather-station", decoded={"pump_state": state})
        await count(hass, entry, number)
        assert state_of(hass, "sensor", unique_id).state == state
    shown = state_of(hass, "sensor", unique_id)
    assert shown.attributes["options"] == ["idle", "running", "blocked"]
    assert shown.attributes["device_class"] == "enum"
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    shown = state_of(hass, "sensor", unique_id)
    assert (shown.state, shown.attributes["options"]) == ("blocked", ["idle", "running", "blocked"])
    await sim.uplink("weather-station", decoded={"pump_state": "E17: call the plumber, please"})
    await count(hass, entry, 5)
    shown = state_of(hass, "sensor", unique_id)
    assert shown.state == "E17: call the plumber, please"
    assert "options" not in shown.attributes
    assert "device_class" not in shown.attributes


async def test_positions_become_one_tracker(hass: HomeAssistant, sim: Simulator) -> None:
    """Latitude and longitude belong together; 0,0 is no position."""
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded={"gps": {"latitude": 52.3712, "longitude": 4.89}})
    await count(hass, entry, 1)
    trackers = [
        state for state in hass.states.async_all("device_tracker") if "weather" in state.entity_id
    ]
    assert len(trackers) == 1
    assert trackers[0].attributes["latitude"] == 52.3712
    assert trackers[0].attributes["longitude"] == 4.89
    registered = er.async_get(hass).async_get(trackers[0].entity_id)
    assert registered is not None
    assert registered.entity_category is None
    await sim.uplink("weather-station", decoded={"gps": {"latitude": 0, "longitude": 0}})
    await count(hass, entry, 2)
    kept = hass.states.get(trackers[0].entity_id)
    assert kept is not None
    assert kept.attributes["latitude"] == 52.3712


async def test_a_solved_location_becomes_a_tracker(hass: HomeAssistant, sim: Simulator) -> None:
    """For a device whose payload has no position."""
    entry = await set_up(hass, sim)
    await sim.location_solved(
        "pump-socket", {"latitude": 52.1, "longitude": 5.1, "accuracy": 12, "source": "SOURCE_GPS"}
    )
    unique_id = rf"{SOCKET}/field/\location"
    registry = er.async_get(hass)
    await until(
        hass, lambda: registry.async_get_entity_id("device_tracker", "thethingsstack", unique_id)
    )
    await hass.async_block_till_done()
    tracker = state_of(hass, "device_tracker", unique_id)
    assert (tracker.attributes["latitude"], tracker.attributes["longitude"]) == (52.1, 5.1)
    assert tracker.attributes["gps_accuracy"] == 12
    assert entry.runtime_data.counters.errors == 0


async def test_the_registered_location_is_shown_where_nothing_better_is_known(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """One tracker; a service's position wins, and a position in the payload makes it needless."""
    entry = make_entry(sim)
    await set_up(hass, sim, entry)
    unique_id = rf"{GREENHOUSE}/field/\location"
    tracker = state_of(hass, "device_tracker", unique_id)
    assert (tracker.attributes["latitude"], tracker.attributes["longitude"]) == (52.3731, 4.8922)
    await sim.location_solved("greenhouse-climate", {"latitude": 52.1, "longitude": 5.1})
    await until(
        hass,
        lambda: state_of(hass, "device_tracker", unique_id).attributes["latitude"] == 52.1,
    )
    device = entry.runtime_data.roster.states[GREENHOUSE]
    assert not device.show_registered_position()

    await sim.uplink("weather-station", decoded={"lat": 52.5, "lon": 4.5})
    await count(hass, entry, 1)
    sim.update_device("weather-station", locations={"user": {"latitude": 1.5, "longitude": 1.5}})
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    state = state_of(hass, "device_tracker", f"{WEATHER}/field/lat")
    assert state.attributes["latitude"] == 52.5
    found = er.async_get(hass).async_get_entity_id(
        "device_tracker", "thethingsstack", rf"{WEATHER}/field/\location"
    )
    assert found is None


async def test_batteries_are_diagnostic(hass: HomeAssistant, sim: Simulator) -> None:
    """The network's own is disabled where the payload tells one in per cent."""
    entry = await set_up(hass, sim)
    await sim.uplink(
        "weather-station",
        decoded={"battery": 80, "battery_backup_percent": 60, "batteryVoltage": 3.6},
        last_battery_percentage={"value": 98.4, "received_at": "2026-11-23T10:00:00Z"},
    )
    await sim.uplink(
        "greenhouse-climate",
        decoded={"BatV": 3.1},
        last_battery_percentage={"value": 97.2, "received_at": "2026-11-23T10:00:00Z"},
    )
    await count(hass, entry, 2)
    registry = er.async_get(hass)

    def registered(unique_id: str) -> er.RegistryEntry:
        found = registry.async_get(entity_id(hass, "sensor", unique_id))
        assert found is not None
        return found

    assert state_of(hass, "sensor", f"{WEATHER}/field/battery").state == "80"
    for path in ("battery", "battery_backup_percent", "batteryVoltage"):
        assert registered(f"{WEATHER}/field/{path}").entity_category is EntityCategory.DIAGNOSTIC
    assert registered(f"{WEATHER}/battery").disabled
    assert registered(f"{WEATHER}/battery").entity_category is EntityCategory.DIAGNOSTIC
    assert registered(f"{GREENHOUSE}/battery").entity_category is EntityCategory.DIAGNOSTIC
    assert state_of(hass, "sensor", f"{GREENHOUSE}/battery").state == "97.2"


async def test_activity_is_an_event(hass: HomeAssistant, sim: Simulator) -> None:
    """Uplinks, joins and failed decoding; restored events fire nothing."""
    entry = make_entry(sim)
    entry.add_to_hass(hass)
    enable(hass, entry, "event", f"{WEATHER}/activity")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(hass, lambda: entry.runtime_data.connected)
    event = entity_id(hass, "event", f"{WEATHER}/activity")
    assert hass.states.get(event).state == STATE_UNKNOWN  # type: ignore[union-attr]

    await sim.join("weather-station")
    await until(hass, lambda: hass.states.get(event).attributes.get("event_type") == "joined")  # type: ignore[union-attr]
    await sim.uplink("weather-station", decoded={"temperature": 20.5}, payload=b"\x01", f_port=2)
    await count(hass, entry, 1)
    state = hass.states.get(event)
    assert state is not None
    assert state.attributes["event_type"] == "uplink"
    assert state.attributes["f_port"] == 2
    assert state.attributes["payload"] == "01"
    assert state.attributes["decoded_payload"] == {"temperature": 20.5}
    assert state.attributes["simulated"] is False

    await sim.uplink("weather-station", decoded=None, payload=b"\x09", f_port=7)
    await count(hass, entry, 2)
    assert hass.states.get(event).attributes["event_type"] == "decode_failed"  # type: ignore[union-attr]

    await sim.uplink("weather-station", decoded={"text": "x" * 5000}, payload=b"\x01")
    await count(hass, entry, 3)
    assert hass.states.get(event).attributes["decoded_payload"] is None  # type: ignore[union-attr]

    fired = hass.states.get(event).state  # type: ignore[union-attr]
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(event).state in (fired, STATE_UNKNOWN)  # type: ignore[union-attr]


async def test_one_context_per_uplink_and_its_cause_first(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """The logbook names the uplink as the cause of what follows."""
    entry = await set_up(hass, sim)
    # A minute apart: last uplink is told to the second.
    earlier, now = (
        {"uplink_message": {"received_at": f"2026-11-23T10:0{minute}:00Z"}} for minute in (0, 1)
    )
    await sim.uplink(
        "weather-station", decoded={"temperature": 20.5, "humidity": 60}, envelope=earlier
    )
    await count(hass, entry, 1)
    changes: list[Event[EventStateChangedData]] = async_capture_events(hass, "state_changed")
    await sim.uplink("weather-station", decoded={"temperature": 21.5, "humidity": 61}, envelope=now)
    await count(hass, entry, 2)
    last = entity_id(hass, "sensor", f"{WEATHER}/last_uplink")
    own = [e for e in changes if e.data["entity_id"].startswith("sensor.weather_station")]
    assert own[0].data["entity_id"] == last
    assert len(own) >= 3
    assert len({e.context.id for e in own}) == 1


async def test_last_uplink_moves_by_ten_seconds(hass: HomeAssistant, sim: Simulator) -> None:
    """Two within ten seconds change it once; the time itself is the first's."""
    entry = await set_up(hass, sim)
    shown = []
    for number, second in enumerate((0, 3, 9, 10, 30)):
        await sim.uplink(
            "weather-station",
            decoded={"temperature": 20 + second},
            envelope={"uplink_message": {"received_at": f"2026-11-23T10:00:{second:02}Z"}},
        )
        await count(hass, entry, number + 1)
        shown.append(state_of(hass, "sensor", f"{WEATHER}/last_uplink").state[17:19])
    assert shown == ["00", "00", "00", "10", "30"]


async def test_what_is_not_decoded_is_not_active(hass: HomeAssistant, sim: Simulator) -> None:
    """A status of its own, with what to do about it; until something is decoded."""
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded=None, payload=b"\x01\x02")
    await count(hass, entry, 1)
    status = state_of(hass, "sensor", f"{WEATHER}/status")
    assert (status.state, status.attributes["next_step"]) == ("not_decoded", "not_decoded")
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await count(hass, entry, 2)
    status = state_of(hass, "sensor", f"{WEATHER}/status")
    assert status.state == "active"
    assert "next_step" not in status.attributes


async def test_a_simulated_uplink_moves_values_only(hass: HomeAssistant, sim: Simulator) -> None:
    """It is marked, and counts for nothing else."""
    entry = await set_up(hass, sim)
    before = state_of(hass, "sensor", f"{WEATHER}/last_uplink").state
    await sim.uplink("weather-station", decoded={"temperature": 23.5}, simulated=True)
    await until(hass, lambda: WEATHER in entry.runtime_data.roster.states)
    await until(
        hass, lambda: entry.runtime_data.roster.states[WEATHER].values.get("temperature") == 23.5
    )
    await hass.async_block_till_done()
    assert state_of(hass, "sensor", f"{WEATHER}/field/temperature").state == "23.5"
    assert state_of(hass, "sensor", f"{WEATHER}/last_uplink").state == before
    assert entry.runtime_data.counters.uplinks_today == 0


async def test_overdue_after_the_chosen_silence(
    hass: HomeAssistant, sim: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """The status entity says so, and takes it back."""
    entry = await set_up(hass, sim, make_entry(sim, options={"overdue_after": 2}))
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await count(hass, entry, 1)
    assert state_of(hass, "sensor", f"{WEATHER}/status").state == "active"
    freezer.tick(timedelta(hours=2, minutes=1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert state_of(hass, "sensor", f"{WEATHER}/status").state == "overdue"
    assert state_of(hass, "sensor", f"{WEATHER}/field/temperature").state == "20.5"


async def test_an_interruption_flips_nothing_for_15_minutes(
    hass: HomeAssistant, sim: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """The connection entity tells at once; values stay, then go, then come back."""
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await count(hass, entry, 1)
    sim.faults.mqtt_close = True
    await sim.drop_connections()
    connection = entity_id(hass, "binary_sensor", "garden/connection")
    await until(hass, lambda: hass.states.get(connection).state == STATE_OFF)  # type: ignore[union-attr]
    temperature = f"{WEATHER}/field/temperature"
    assert state_of(hass, "sensor", temperature).state == "20.5"
    freezer.tick(UNAVAILABLE_AFTER + timedelta(seconds=1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert state_of(hass, "sensor", temperature).state == STATE_UNAVAILABLE
    assert hass.states.get(connection).state == STATE_OFF  # type: ignore[union-attr]
    sim.faults.mqtt_close = False

    def connected() -> bool:
        freezer.tick(timedelta(milliseconds=200))  # the pause before the next try passes
        return bool(entry.runtime_data.connected)

    await until(hass, connected)
    await hass.async_block_till_done()
    assert state_of(hass, "sensor", temperature).state == "20.5"
    assert hass.states.get(connection).state == STATE_ON  # type: ignore[union-attr]


async def test_application_entities(
    hass: HomeAssistant, sim: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """Connection, uplinks today, devices, errors; a new day starts at zero."""
    entry = await set_up(hass, sim)
    await sim.uplink("weather-station", decoded={"temperature": 20.5})
    await sim.publish("v3/garden/devices/weather-station/up", b"{broken")
    await count(hass, entry, 1)
    await until(hass, lambda: entry.runtime_data.counters.errors == 1)
    freezer.tick(timedelta(seconds=10))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert state_of(hass, "sensor", "garden/uplinks_today").state == "1"
    assert state_of(hass, "sensor", "garden/devices").state == "7"
    assert state_of(hass, "sensor", "garden/errors").state == "1"
    assert state_of(hass, "binary_sensor", "garden/connection").state == STATE_ON
    tomorrow = dt_util.start_of_local_day() + timedelta(days=1)
    freezer.move_to(tomorrow)
    async_fire_time_changed(hass, tomorrow)
    await hass.async_block_till_done()
    assert state_of(hass, "sensor", "garden/uplinks_today").state == "0"
