"""Meanings of single fields, one case or more for each rule."""

from pathlib import Path
from typing import Any

import pytest

from tests.payload import score
from thethingsstack.payload import (
    QUANTITIES,
    UNITS_OF_CLASS,
    Category,
    Context,
    Kind,
    Meaning,
    Role,
    understand,
)

# Labelled fields of real devices.
FIELDS = Path(__file__).parents[1] / "fixtures" / "payloads" / "fields.csv"
# Fields as other vendors name them, labelled before they were first scored.
UNSEEN = Path(__file__).parent / "unseen.csv"
# Per cent that were reached.
FLOORS = {
    FIELDS: {
        "platform and class": 93.6,
        "plain without class": 97.9,
        "plain platform": 91.0,
        "unit": 94.4,
        "state class": 100.0,
        "category": 87.5,
        "coordinates": 100.0,
        "configuration echoes out of the way": 87.9,
        "overhead ignored": 75.1,
    },
    UNSEEN: {
        "platform and class": 96.8,
        "plain without class": 97.6,
        "plain platform": 99.5,
        "unit": 99.1,
        "state class": 100.0,
        "category": 95.3,
        "coordinates": 100.0,
        "configuration echoes out of the way": 97.9,
        "overhead ignored": 88.6,
    },
}
WRONG_AT_MOST = {FIELDS: 1.9, UNSEEN: 0.8}


def meaning(path: str, value: Any = None) -> Meaning:
    """Return the decision on a field that is alone in its payload."""
    new = understand(score.payload(path, value), decisions={}, decide_absent=True).new
    assert len(new) == 1
    return next(iter(new.values()))


@pytest.mark.parametrize(
    ("path", "value", "quantity", "unit"),
    [
        ("TempC_SHT", 23.5, "temperature", "°C"),
        ("roomtemp_F", 71.5, "temperature", "°F"),
        ("t", 21.5, "temperature", "°C"),
        ("T_Root", 12.5, "temperature", "°C"),
        ("tDew", 12.5, "dew_point", "°C"),
        ("temperature_at_level_2", 18.5, "temperature", "°C"),
        ("thermistor_resistance", 10000, "resistance", "Ω"),
        ("board_temperature", 31.5, "device_temperature", "°C"),
        ("feuchte", 45, "humidity", "%"),
        ("water_SOIL", "19.57", "soil_moisture", "%"),
        ("vwc", 20, "moisture", "%"),
        ("pressure", 1013.2, "atmospheric_pressure", "hPa"),
        ("pressure", 101320, "atmospheric_pressure", "Pa"),
        ("pressure", 2.4, "pressure", "bar"),
        ("deltaPressure", -500, "differential_pressure", "Pa"),
        ("vapor_pressure", 1.8, "pressure", "kPa"),
        ("atmospheric_pressure", 95.9, "atmospheric_pressure", "kPa"),
        ("p", 1001.5, "atmospheric_pressure", "hPa"),
        ("P1", 1.2, "pressure", "bar"),
        ("Water_pressure_MPa", 0.4, "pressure", "bar"),
        ("co2_ppm", 500, "carbon_dioxide", "ppm"),
        ("ppm", 528, "carbon_dioxide", "ppm"),
        ("tvoc", 270, "volatile_organic_compounds_parts", "ppb"),
        ("pm2.5", 7.2, "pm25", "μg/m³"),
        ("pm.2.5", 7.2, "pm25", "μg/m³"),
        ("PM2_5UM", 77, None, None),
        ("no", 3.5, "nitrogen_monoxide", "ppb"),
        ("NO2", 3.5, "nitrogen_dioxide", "ppb"),
        ("wind.speed", 3.4, "wind_speed", "m/s"),
        ("WIND_ANGLE", 180, "wind_direction", "°"),
        ("rain", 0.2, "precipitation", "mm"),
        ("ec", 1.5, None, None),
        ("ec", 1500, "conductivity", "μS/cm"),
        ("noise_dB", 45.5, "sound_pressure", "dB"),
        ("distance", "2799 mm", "distance", "mm"),
        ("distance", 1.25, None, None),
        ("Lidar_distance", 284, "distance", "cm"),
        ("soil_depth", 10, "distance", "cm"),
        ("distance", 45.5, None, None),
        ("water_depth", 4232, None, None),
        ("weight", 2390.5, None, None),
        ("fill_level", 50, "fill_level", "%"),
        ("current", 1370, None, None),
        ("voltage", 230, "voltage", "V"),
        ("supplyVoltage", 3018, "supply_voltage", "mV"),
        ("power_factor", 98, "power_factor", "%"),
        ("EAP_s", 430796, "energy", "Wh"),
        ("ER+_s", 152, "reactive_energy", "varh"),
        ("data.reading1", "5 kWh", "energy", "kWh"),
        ("flow", 0.78, "volume_flow_rate", "m³/h"),
        ("frequency", 50, "frequency", "Hz"),
        ("VelocityX", 0.04, "vibration_speed", "mm/s"),
        ("gpsAcc", 4.5, "accuracy", "m"),
        ("uptime", 3600, "duration", "s"),
        ("runningTimeCounter", 1234, "duration", "s"),
        ("gps_ttf_s", 12, "duration", "s"),
        ("signal_strength", -80, "rssi", "dBm"),
        ("rssiAvg", -80, "rssi", "dBm"),
        ("CO2_status", 3, None, None),
        ("voltage_ratio", 0.5, None, None),
        ("signal_quality", 3, None, None),
        ("TempPH", "NoSensor", "temperature", "°C"),
        ("temperature_pir", None, "temperature", "°C"),
        ("totalFlowM3", 1204.33, "volume", "m³"),
        ("tankLevelCm", 123, "distance", "cm"),
        ("speedKnots", 3.2, "speed", "kn"),
        ("AirQualityIndex", 52, "aqi", None),
        ("speed_level", 3, None, None),
        ("battery_cycles", 12, None, None),
        ("cosPhi", 0.97, "power_factor", None),
        ("LAeq", 54.2, "sound_pressure", "dB"),
        ("voc_index", 120, "aqi", None),
        ("soil_tension_cb", 21, "pressure", "cbar"),
        ("course", "3 J", None, "J"),
        ("level", 4.5, None, None),
        ("capacity_Ah", 4.5, "charge", "Ah"),
        ("mass_fraction", "4.5 mg/kg", None, "mg/kg"),
        ("something", 4.5, None, None),
        ("voc", "270 μg/m³", "volatile_organic_compounds", "μg/m³"),
        ("temperature", "3.4 V", "voltage", "V"),
        ("humidity_raw", 444, None, None),
        ("temperature", "12 below", "temperature", "°C"),
        ("distance", "No Sensor", "distance", "mm"),
        ("co2e_ppm", 512, "carbon_dioxide", "ppm"),
        ("bvoc", 12, "volatile_organic_compounds_parts", "ppb"),
        ("power_kw", 3.4, "power", "kW"),
        ("flow_l_min", 3.1, "volume_flow_rate", "L/min"),
        ("flow_lph", 3.1, "volume_flow_rate", "L/h"),
        ("solar_radiation_wm2", 540, "irradiance", "W/m²"),
        ("absolute_humidity_gm3", 9.4, "absolute_humidity", "g/m³"),
        ("active_energy_index", 30123, "energy", "Wh"),
        ("hca_current_value", 120, None, None),
        ("heating_demand", 45, None, None),
        ("THD_voltage", 2.1, None, None),
        ("temperature_trend", 0.2, "temperature_delta", "°C"),
        ("setpoint", 21, "target_temperature", "°C"),
        ("setpoint", 60, None, None),
        ("air_quality", 42, "aqi", None),
        ("batteryLifeSemesters", 9, "duration", "d"),
        ("battery_status_life_pct", 85, "battery", "%"),
        ("regenmenge", 0.4, "precipitation", "mm"),
        ("pioggia", 0.4, "precipitation", "mm"),
        ("Innentemperatur", 21.5, "temperature", "°C"),
        ("power_consumption", 20, None, None),
        ("volume", 12.345, "volume", "m³"),
        ("volume", 12345, None, None),
        ("luchtdruk", 1011, "atmospheric_pressure", "hPa"),
        ("cisnienie", 1002, "atmospheric_pressure", "hPa"),
        ("tlak", 1002, "atmospheric_pressure", "hPa"),
        ("bodemvocht", 20, "moisture", "%"),
        ("umidade_solo", 33, "soil_moisture", "%"),
        ("wasserstand_cm", 84, "water_level", "cm"),
        ("velocidad_viento", 12, "wind_speed", "m/s"),
    ],
)
def test_numbers_have_quantity_and_unit(
    path: str, value: Any, quantity: str | None, unit: str | None
) -> None:
    """Quantity and unit of numbers, by name, unit and size."""
    found = meaning(path, value)
    assert found.kind is Kind.SENSOR
    assert (found.quantity, found.unit) == (quantity, unit)


@pytest.mark.parametrize(
    ("path", "value", "quantity", "unit"),
    [
        ("battery", 90, "battery", "%"),
        ("battery", 3.6, "battery_voltage", "V"),
        ("battery", 3, None, None),
        ("battery", 3600, "battery_voltage", "mV"),
        ("battery", 12.4, "battery_voltage", "V"),
        ("battery", 86.27, "battery", "%"),
        ("battery", "76%", "battery", "%"),
        ("battery", "3.4V", "battery_voltage", "V"),
        ("battery", 0.87, "battery", "%"),
        ("BatV", 3.6, "battery_voltage", "V"),
        ("v_bat1", None, "battery_voltage", "V"),
        ("batteryVoltage", 3600, "battery_voltage", "mV"),
        ("bat", None, "battery_voltage", "V"),
        ("battery_pct", 3, "battery", "%"),
        ("batteryLevel", 193, None, None),
        ("battery_temperature", 21.5, "temperature", "°C"),
        ("batteryCapacity", "80-100%", None, None),
        ("batteryStatus", "OPERATING", None, None),
        ("Bat_status", 3, None, None),
        ("battery", None, "battery_voltage", "V"),
        ("charge_percent", 99, "battery", "%"),
    ],
)
def test_batteries_have_the_right_unit(
    path: str, value: Any, quantity: str | None, unit: str | None
) -> None:
    """A battery tells percent, volts or millivolts."""
    found = meaning(path, value)
    assert (found.quantity, found.unit) == (quantity, unit)


def test_a_battery_between_nought_and_one_is_a_share() -> None:
    """0.87 is 87 %."""
    understanding = understand({"battery": 0.87}, decisions={})
    assert understanding.values == {"battery": 87}


@pytest.mark.parametrize(
    ("path", "value", "quantity", "on"),
    [
        ("door_open_status", 1, "door", True),
        ("inputStatus", "open", "opening", True),
        ("contact", "closed", "opening", False),
        ("is_closed", True, "opening", False),
        ("leak", 1, "leak", True),
        ("leak", "NoLeak", "leak", False),
        ("water", True, "leak", True),
        ("smokeAlarm", "Alarm", "smoke", True),
        ("tamperAlarm", 0, "tamper", False),
        ("COAlarm", "No Alarm", "carbon_monoxide_detected", False),
        ("lowBattery", False, "battery_low", False),
        ("battery_low", 1, "battery_low", True),
        ("occupied", True, "occupancy", True),
        ("vacant", True, "occupancy", False),
        ("motion", 255, "motion", True),
        ("childLock", True, "child_lock", False),
        ("brokenSensor", False, "fault", False),
        ("TEMPH_flag", 1, "problem", True),
        ("alarm_status.co2.high", True, "alarm", True),
        ("charging", False, "battery_charging", False),
        ("digital_in_3", 1, "digital_input", True),
        ("relay1", "HIGH", "digital_output", True),
        ("ledState2", True, None, True),
        ("pir", "trigger", "motion", True),
        ("pir", "idle", "motion", False),
        ("tamper_status", "uninstalled", "tamper", True),
        ("gas_status", "normal", "gas_detected", False),
        ("current_alarm.current_over_range_alarm", "yes", "alarm", True),
        ("threshold_x", "trigger", "alarm", True),
        ("exceeding_limits", 1, "problem", True),
        ("temperature_abnormal", True, "fault", True),
        ("switch_1_change", "yes", None, True),
        ("humidityChanged", 1, None, True),
        ("alarm_test", True, None, True),
        ("openClose", 1, "opening", True),
        ("reverse_flow", 1, "problem", True),
        ("panic_button", 0, "safety", False),
        ("battery_ok", True, "battery_low", False),
        ("puerta", "abierta", "door", True),
        ("finestra", "chiusa", "window", False),
        ("drzwi", "zamknięte", "door", False),
        ("deur", "dicht", "door", False),
        ("zone_1_wet", True, "leak", True),
        ("button_1", 1, "button_state", True),
        ("fire", True, "fire", True),
        ("gasAlarm", 1, "gas_detected", True),
        ("externalPowerPresent", True, "external_power", True),
        ("overTemperature", False, "heat", False),
        ("pulse_leak", True, None, True),
        ("gas_leak_alarm", True, "gas_detected", True),
        ("mains_present", True, "external_power", True),
        ("phase_loss", False, "fault", False),
        ("backflow", True, "problem", True),
        ("parkingState", 1, "occupancy", True),
        ("ch1_input", 1, "digital_input", True),
        ("Device_Event_Cyclic", "Y", None, True),
        ("alarmEnabled", True, None, True),
    ],
)
def test_flags_have_class_and_polarity(
    path: str, value: Any, quantity: str | None, on: bool
) -> None:
    """Flags, by value and name, the right way round."""
    understanding = understand(score.payload(path, value), decisions={})
    (found,) = understanding.new.values()
    assert found.kind is Kind.BINARY_SENSOR
    assert found.role is Role.FLAG
    assert found.quantity == quantity
    assert next(iter(understanding.values.values())) is on


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("count", 1),
        ("status", 1),
        ("tilt", 12.5),
        ("motion_count", 1),
        ("door_open_times", 0),
        ("channel", 1),
        ("alarm", 7),
        ("alarmFlags", 0),
        ("statusByte", 1),
    ],
)
def test_numbers_that_only_look_like_flags(path: str, value: float) -> None:
    """0 and 1 alone don't make a binary sensor."""
    assert meaning(path, value).kind is not Kind.BINARY_SENSOR


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("pulse", 3),
        ("total_counter_a", 3),
        ("pellets.Total", 100),
        ("step_count", 0),
        ("peopleCounter", 3),
    ],
)
def test_counters_are_totals(path: str, value: int) -> None:
    """Counters only grow."""
    assert meaning(path, value).role is Role.TOTAL


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("uplinkInterval", 10),
        ("highTemperatureThreshold", 40),
        ("humidityAlarmsEnabled", "True"),
        ("TDC", 1200),
        ("AlarmTime", 5),
        ("AirPressureChange", 100),
        ("ledBle", 10),
        ("hb", 5),
        ("debounceTimeout", 3),
        ("sampling_rate", 10),
        ("confirmed_uplink", False),
        ("spreading_factor", 7),
        ("join_mode", "OTAA"),
        ("send_mode", "periodic"),
        ("time_zone", "UTC+8"),
        ("max_temperature_alarm", 60),
        ("operationMode", "normal"),
        ("samplesPerMinute", 10),
        ("humidity_delta", 5),
        ("display_brightness", 50),
        ("night_mode_start", 22),
        ("nb_trans", 1),
        ("wakeup_time", 300),
    ],
)
def test_settings_are_disabled_diagnostics(path: str, value: Any) -> None:
    """What was set and is repeated back is out of the way, and has no class."""
    found = meaning(path, value)
    assert found.category is Category.CONFIGURATION
    assert not found.enabled
    assert found.quantity is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("fPort", 2),
        ("payload", "00ff"),
        ("b64", "AAA="),
        ("crc", 5),
        ("temperature.unit", "°C"),
        ("mac_addr0", "00:11"),
        ("header.frameId", 3),
        ("timestamp.year", 2024),
        ("debug_code", 205),
        ("previousState", True),
        ("datalog", "1,2"),
        ("data_length", 4),
        ("payload_size", 12),
        ("ack_request", True),
        ("reserved", 0),
        ("devEUI", "70B3D57ED0000000"),
    ],
)
def test_overhead_is_ignored(path: str, value: Any) -> None:
    """Transport, units of other fields and the past are no fields."""
    assert meaning(path, value).kind is Kind.IGNORE


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("header.frameCount", 3),
        ("packet_counter", 3),
        ("message_type", "uplink of sorts"),
        ("payloadVersion", 2),
        ("protocol_version", 1),
    ],
)
def test_message_counters_are_disabled(path: str, value: Any) -> None:
    """What counts or names messages is there for those who look for it."""
    found = meaning(path, value)
    assert (found.kind, found.category, found.enabled) == (Kind.SENSOR, Category.DIAGNOSTIC, False)


@pytest.mark.parametrize(
    ("path", "value", "role"),
    [
        ("firmware_version", "1.2", Role.STATE),
        ("version", 3, Role.STATE),
        ("serial_number", 12345, Role.STATE),
        ("reset_cause", 3, Role.STATE),
        ("resetReason", "watch", Role.STATE),
        ("error", 17, Role.STATE),
        ("model", "A3", Role.STATE),
        ("workMode", "CO2 meter", Role.STATE),
        ("frame_type", "hello you", Role.STATE),
        ("time", "2024-05-08T10:00:00Z", Role.TIMESTAMP),
        ("Systimestamp", 1625570502, Role.TIMESTAMP),
        ("lastFixTime", 1684142400, Role.TIMESTAMP),
        ("timestamp", None, Role.TIMESTAMP),
        ("timestamp", -805306368, Role.MEASUREMENT),
        ("time", 4, Role.MEASUREMENT),
        ("ADCRaw", 6657, Role.MEASUREMENT),
    ],
)
def test_identities_codes_and_times_have_roles(path: str, value: Any, role: Role) -> None:
    """Identities, codes, texts and clocks."""
    assert meaning(path, value).role is role


@pytest.mark.parametrize(
    ("path", "value"),
    [("press", "short"), ("button_event.status", "long press"), ("button", "double")],
)
def test_kinds_of_presses_are_events(path: str, value: str) -> None:
    """A word for how something was pressed is an occurrence, too."""
    found = understand(score.payload(path, value), decisions={})
    assert [meaning.kind for meaning in found.new.values()] == [Kind.EVENT]
    assert list(found.values.values()) == [value]


@pytest.mark.parametrize("path", ["testButtonPressed", "scene", "buttons"])
def test_presses_are_events(path: str) -> None:
    """Something that was pressed is an occurrence."""
    assert meaning(path, 1).kind is Kind.EVENT
    assert understand({path: 0}, decisions={path: meaning(path, 1)}).values == {path: None}
    assert understand({path: 2}, decisions={path: meaning(path, 1)}).values == {path: "2"}


@pytest.mark.parametrize(
    ("path", "value", "name"),
    [
        ("temperature", 21.5, None),
        ("TempC_DS", 21.5, "Temperature DS"),
        ("Hum_SHT", 40, "Humidity SHT"),
        ("soilTemp", 21.5, None),
        ("ambientTemp", 21.5, "Ambient temperature"),
        ("channels.2.pulse", 3, "Channel 2 pulse"),
        ("bytes.channelA.value", 3, "Channel A"),
        ("air.temperature", 21.5, "Air temperature"),
        ("Battery(%)", 90, None),
        ("battery_voltage", 3.6, None),
        ("pm2_5", 3, None),
        ("relativeHumidity", 55, None),
        ("motorPosition", 3, "Motor position"),
        ("brokenSensor", True, "Broken sensor"),
        ("fixFailed", False, "Fix"),
        ("temperature_failed", False, "Temperature failed"),
        ("MOD", 1, "Mode"),
        ("error", True, "Error"),
        ("alarm", True, None),
        ("dust.0.3", 3, "Particles 0.3"),
        ("accelerometer_3.x", 0.5, "Acceleration 3 X"),
        ("temperature temperature", 1.5, None),
        ("???", 5, "Value"),
        ("soil_pH", 6.5, "Soil pH"),
        ("daylight", 400, None),
        ("dailyrain", 0.5, "Daily precipitation"),
        ("Innentemperatur", 21.5, "Innen temperature"),
        ("batteryLifeSemesters", 9, "Battery life semesters"),
    ],
)
def test_names_of_fields(path: str, value: Any, name: str | None) -> None:
    """Names are words; what tells a field from others stays, paths don't show."""
    assert meaning(path, value).name == name


def test_names_are_never_paths() -> None:
    """No name has a dot between words."""
    found = meaning("outer.inner_thing.strangeValue", 3.5).name
    assert found == "Outer inner thing strange value"


def test_precision_follows_the_first_value() -> None:
    """As many decimals as the first value had, no more than mean something."""
    assert meaning("temperature", 21.5).precision == 1
    assert meaning("temperature", 21.3203125).precision == 2
    assert meaning("temperature", 21).precision is None


def test_reasons_tell_rule_and_words() -> None:
    """Each decision says why."""
    found = meaning("TempC_SHT", 23.5)
    assert found.rule == "words temperature !resistance|count|voltage"
    assert "TempC_SHT" in found.reason
    assert "°C" in found.reason


def test_meanings_survive_storage() -> None:
    """What is stored is read back the same, and garbage is refused."""
    for path, value in (("battery", 0.5), ("childLock", True), ("x", "y z"), ("soil.ec", 1.5)):
        found = meaning(path, value)
        assert Meaning.from_dict(found.as_dict()) == found
    with pytest.raises(KeyError):
        Meaning.from_dict({"kind": "sensor"})


def test_quantities_are_legal() -> None:
    """Each quantity's own unit is one that its device class takes."""
    for key, quantity in QUANTITIES.items():
        if quantity.kind is Kind.SENSOR and quantity.device_class in UNITS_OF_CLASS:
            assert quantity.unit in UNITS_OF_CLASS[quantity.device_class], key


def test_a_model_that_is_not_known_follows_the_rules() -> None:
    """Brand and port may be given; where nothing special is known of them, rules decide."""
    context = Context(brand_id="dragino", model_id="lht65", f_port=2)
    plain = understand({"x": 1.5}, decisions={}).new
    assert understand({"x": 1.5}, decisions={}, context=context).new == plain
    assert understand({"x": 1.5}, decisions={}, context=Context(brand_id="x")).new == plain


def test_a_model_that_measures_one_thing_names_a_bare_value() -> None:
    """What "value" means, where the Device Repository leaves no doubt."""
    context = Context(sensors=("temperature", "battery"))
    found = understand({"value": 21.5}, decisions={}, context=context).new["value"]
    assert (found.quantity, found.unit, found.rule) == ("temperature", "°C", "model measures")
    assert "temperature" in found.reason
    for sensors, value in (
        (("temperature", "humidity"), 21.5),
        (("distance",), 21.5),
        (("humidity",), 500),
    ):
        other = Context(sensors=sensors)
        assert (
            understand({"value": value}, decisions={}, context=other).new["value"].quantity is None
        )
    assert understand({"odd": 21.5}, decisions={}, context=context).new["odd"].quantity is None


@pytest.mark.parametrize("table", [FIELDS, UNSEEN], ids=["fields", "unseen"])
def test_labelled_fields_keep_their_score(table: Path) -> None:
    """The share of right answers on real devices' fields stays where it is."""
    rows = score.load(table)
    print(score.table(rows))
    result = score.score(rows)
    for question, floor in FLOORS[table].items():
        right, asked = result[question]
        assert 100 * right / asked >= floor, question
    wrong, asked = result["wrong class (share)"]
    assert 100 * wrong / asked <= WRONG_AT_MOST[table]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("Light Intensity", None),
        ("Wind Direction Sensor", None),
        ("temperature_sensor_2", "Temperature sensor 2"),
        ("TempC_probe", "Temperature probe"),
        ("wind_speed_gust", None),
    ],
)
def test_names_drop_empty_last_words(key: str, name: str | None) -> None:
    """The quantity's own name is enough, unless something follows."""
    assert understand({key: 12.5}, decisions={}).new[key].name == name
