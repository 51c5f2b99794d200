"""Whole payloads: units and words glued to names, phrases, lists, siblings, limits."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.payload.sequences import Sequence
from thethingsstack.payload import (
    Category,
    Kind,
    Level,
    Meaning,
    Places,
    Position,
    next_level,
    next_place,
    understand,
)


def decided(decoded: dict[str, Any]) -> dict[str, Meaning]:
    """Return the decisions that a payload leads to when it is the first."""
    return dict(understand(decoded, decisions={}).new)


def only(key: str, value: Any) -> Meaning:
    """Return the decision on a field that is alone in its payload."""
    return decided({key: value})[key]


@pytest.mark.parametrize(
    ("key", "quantity", "unit"),
    [
        ("indoor_co2ppm", "carbon_dioxide", "ppm"),
        ("eCO2ppm", "carbon_dioxide", "ppm"),
        ("CO2MIN", "carbon_dioxide", "ppm"),
        ("NH3ppm", "ammonia", "ppm"),
        ("COppb", "carbon_monoxide", "ppb"),
        ("WATERTEMPF", "water_temperature", "°F"),
        ("TEMPERATUREC", "temperature", "°C"),
        ("levelMM", "distance", "mm"),
        ("HEIGHTCM", "distance", "cm"),
        ("ENERGYKWH", "energy", "kWh"),
        ("pressurekpa", "pressure", "kPa"),
        ("pressurePSI", "pressure", "psi"),
        ("flowLPH", "volume_flow_rate", "L/h"),
        ("batteryMV", "battery_voltage", "mV"),
        ("gust_max_meter_sec", "wind_gust", "m/s"),
        ("rain_mm_per_hour", "precipitation_intensity", "mm/h"),
        ("[02] Air pressure [mbar]", "atmospheric_pressure", "mbar"),
        ("Sensor 3 [lx]", "illuminance", "lx"),
        ("degreesF", "temperature", "°F"),
    ],
)
def test_units_glued_to_names_are_seen(key: str, quantity: str, unit: str) -> None:
    """Whatever the capitals, and whatever stands between."""
    number = 1002.5 if "mbar" in key else 12.5
    found = only(key, number)
    assert (found.quantity, found.unit) == (quantity, unit)


@pytest.mark.parametrize("key", ["pressureXQ", "flow_gph", "distance_fthm", "energyBTH"])
def test_an_ending_that_is_not_understood_takes_the_unit_away(key: str) -> None:
    """It may be one: no default unit then, and so no class."""
    found = only(key, 12.5)
    assert (found.quantity, found.unit) == (None, None)


@pytest.mark.parametrize(
    ("key", "value", "kind", "quantity"),
    [
        ("free_fall_event", True, Kind.BINARY_SENSOR, "safety"),
        ("dry_contact_1", True, Kind.BINARY_SENSOR, "opening"),
        ("manualOpenCommand", True, Kind.BINARY_SENSOR, None),
        ("valveCloseIndicator", False, Kind.BINARY_SENSOR, None),
        ("line_voltage_too_low", 1, Kind.BINARY_SENSOR, "problem"),
        ("probe_open_circuit", 1, Kind.BINARY_SENSOR, "problem"),
        ("humidity_notification", 1, Kind.SENSOR, None),
        ("rain_snow", 2, Kind.SENSOR, None),
        ("HighFillLevelAlarm", 1, Kind.BINARY_SENSOR, "alarm"),
        ("current_total", 12, Kind.SENSOR, None),
        ("rainPerHour", 1.5, Kind.SENSOR, "precipitation_intensity"),
        ("humidityOutOfRange", 0, Kind.BINARY_SENSOR, "problem"),
        ("confirmationTimeout", True, Kind.BINARY_SENSOR, "fault"),
        ("vNH3", 0.42, Kind.SENSOR, None),
        ("tScore", 12, Kind.SENSOR, "temperature"),
        ("vIndex", 12, Kind.SENSOR, None),
        ("hail_detected", 1, Kind.BINARY_SENSOR, None),
        ("under_temperature", 1, Kind.BINARY_SENSOR, "cold"),
        ("overPressure", 0, Kind.BINARY_SENSOR, "problem"),
        ("pump_dry_run", 0, Kind.BINARY_SENSOR, "problem"),
        ("cumulative_flow", 12.5, Kind.SENSOR, "volume"),
        ("soil_tension", 21, Kind.SENSOR, None),
        ("aqi_pm10", 33, Kind.SENSOR, "aqi"),
        ("signal_power_level", 4, Kind.SENSOR, None),
        ("kWh", 12.5, Kind.SENSOR, "energy"),
        ("kwh_export", 12.5, Kind.SENSOR, "energy"),
        ("wind_chill", 12.5, Kind.SENSOR, "heat_index"),
        ("heat_index", 12.5, Kind.SENSOR, "heat_index"),
        ("vent_opening_position", 40, Kind.SENSOR, None),
        ("co2_trend", -1, Kind.SENSOR, None),
        ("energy_cost", 0.25, Kind.SENSOR, None),
        ("rain_acc", 12.5, Kind.SENSOR, "precipitation"),
        ("speaker_sound_volume", 12, Kind.SENSOR, None),
        ("water_level_status", "normal", Kind.SENSOR, None),
        ("leak_level", 70, Kind.SENSOR, None),
        ("pressure_alarm", True, Kind.BINARY_SENSOR, "alarm"),
        ("tilt_detected", 1, Kind.BINARY_SENSOR, "tilt"),
        ("Gasmelder", True, Kind.BINARY_SENSOR, "gas_detected"),
        ("wake_source", "motion", Kind.SENSOR, None),
        ("fw_temp_C", 61.5, Kind.SENSOR, "temperature"),
        ("CF", 12.5, Kind.SENSOR, None),
        ("fft_amp", 0.5, Kind.SENSOR, None),
        ("carbon_dioxide_ppm", 640, Kind.SENSOR, "carbon_dioxide"),
        ("sulfur_dioxide", 3.5, Kind.SENSOR, "sulphur_dioxide"),
        ("deep_sleep_s", 600, Kind.SENSOR, "duration"),
        ("alarm_type", "SMOKE", Kind.SENSOR, None),
        ("heating_time_min", 42, Kind.SENSOR, "duration"),
        ("Strahlung", 412.5, Kind.SENSOR, "irradiance"),
        ("kWh_sum_total", 12.5, Kind.SENSOR, "energy"),
        ("flow_avg_lh", 12.5, Kind.SENSOR, "volume_flow_rate"),
        ("accu_current", -0.25, Kind.SENSOR, "current"),
        ("current_battery", 88, Kind.SENSOR, None),
        ("temperature_x100", 2140, Kind.SENSOR, None),
        ("humidityX10", 441, Kind.SENSOR, None),
        ("wind_max10", 4.5, Kind.SENSOR, "wind_speed"),
        ("occupied_since", 1715186753, Kind.SENSOR, "timestamp"),
        ("occupied_since", 12.5, Kind.SENSOR, None),
        ("alarm", "none", Kind.BINARY_SENSOR, "alarm"),
        ("setpoint_c", 21.5, Kind.SENSOR, "target_temperature"),
    ],
)
def test_a_word_means_what_its_phrase_says(
    key: str, value: Any, kind: Kind, quantity: str | None
) -> None:
    """Not what it means alone."""
    found = only(key, value)
    assert (found.kind, found.quantity) == (kind, quantity)
    assert not found.invert


@pytest.mark.parametrize(
    "key",
    [
        "splrate",
        "Send_Cycle",
        "Trigger_Angle",
        "Acoustic_Alarm_Signal",
        "humidity_set",
        "co2_target",
    ],
)
def test_phrases_of_settings_are_settings(key: str) -> None:
    """They are out of the way."""
    assert only(key, 30).category is Category.CONFIGURATION


@pytest.mark.parametrize(
    ("key", "inverted"),
    [
        ("gateClosed", True),
        ("parking_free", True),
        ("room_vacant", True),
        ("leak_dry", True),
        ("free_heap_ok", False),
    ],
)
def test_opposites_are_inverted_only_in_their_phrase(key: str, inverted: bool) -> None:
    """Closed is the opposite of an open gate, free that of an occupied room."""
    assert only(key, True).invert is inverted


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (
            [
                {"typeName": "air temperature", "typeUnits": "[°C]", "type": 4, "value": 20.5},
                {"typeName": "relative humidity", "typeUnits": "[%]", "type": 5, "value": 44},
            ],
            {"x.air temperature": ("temperature", "°C"), "x.relative humidity": ("humidity", "%")},
        ),
        (
            [{"variable": "co2", "value": 600}, {"variable": "pm2_5", "value": 3.5}],
            {"x.co2": ("carbon_dioxide", "ppm"), "x.pm2_5": ("pm25", "μg/m³")},
        ),
        (
            [
                {"Type": "Volume", "Value": 1.5, "Unit": "m3", "Timestamp": "2024-05-08T10:00:00Z"},
                {"Type": "Leak", "Value": False, "Unit": "NA", "Timestamp": "2024-05-08T10:00:00Z"},
            ],
            {"x.Volume": ("volume", "m³"), "x.Leak": ("leak", None)},
        ),
        (
            [
                {"vifType": "Flow temperature", "scaledValue": 61.5, "unit": "°C"},
                {"vifType": "Power", "scaledValue": 4.5, "unit": "kW"},
            ],
            {"x.Flow temperature": ("temperature", "°C"), "x.Power": ("power", "kW")},
        ),
        (
            [{"channel": 1, "unit": "V", "value": 3.5}, {"channel": 2, "unit": "mA", "value": 7.5}],
            {"x.channel1.value": ("voltage", "V"), "x.channel2.value": ("current", "mA")},
        ),
        (
            [
                {"address": "01", "what": "pulses", "value": 5},
                {"address": "02", "what": "pulses", "value": 9},
            ],
            {"x.pulses 01": (None, None), "x.pulses 02": (None, None)},
        ),
        (
            [{"id": 7, "type": "temperature", "value": 18.5}],
            {"x.id7.value": ("temperature", "°C")},
        ),
        (
            [
                {"channel": 3, "type": "temperature", "value": 18.5},
                {"channel": 3, "type": "humidity", "value": 51},
            ],
            {
                "x.channel3 temperature.value": ("temperature", "°C"),
                "x.channel3 humidity.value": ("humidity", "%"),
            },
        ),
        (
            [
                {"name": "Cellar", "type": "temperature", "value": 11.5},
                {"name": "Cellar", "type": "humidity", "value": 78},
            ],
            {
                "x.Cellar temperature": ("temperature", "°C"),
                "x.Cellar humidity": ("humidity", "%"),
            },
        ),
        (
            [
                {"type": "CO2", "measures": "instant", "value": 612, "unit": "ppm"},
                {"type": "Noise", "measures": "instant", "value": 41.5, "unit": "dB"},
            ],
            {"x.CO2": ("carbon_dioxide", "ppm"), "x.Noise": ("sound_pressure", "dB")},
        ),
        (
            [
                {"sensor": "A", "quantity": "pressure", "value": 2.5, "unit": "bar"},
                {"sensor": "B", "quantity": "pressure", "value": 3.5, "unit": "bar"},
            ],
            {"x.pressure A": ("pressure", "bar"), "x.pressure B": ("pressure", "bar")},
        ),
        (
            [
                {"description": "Volume", "value": 88.125, "unit": "m3", "storage": 0},
                {"description": "Volume", "value": 71.5, "unit": "m3", "storage": 1},
            ],
            {"x.Volume 0": ("volume", "m³"), "x.Volume 1": ("volume", "m³")},
        ),
        (
            [{"n": "hum", "u": "%RH", "v": 51}, {"n": "volt", "u": "V", "v": 3.5}],
            {"x.hum": ("humidity", "%"), "x.volt": ("voltage", "V")},
        ),
        (
            [{"key": "rh", "val": 51}, {"key": "pm25", "val": 7}],
            {"x.rh": ("humidity", "%"), "x.pm25": ("pm25", "μg/m³")},
        ),
    ],
)
def test_lists_are_read_by_what_their_items_say(
    items: list[dict[str, Any]], expected: dict[str, tuple[str | None, str | None]]
) -> None:
    """The text is the label, what spells a unit the unit, the number the value."""
    for order in (items, items[::-1]):
        new = decided({"x": order})
        assert {path: (m.quantity, m.unit) for path, m in new.items()} == expected


def test_the_label_binds_a_field_not_its_position() -> None:
    """Another order, or an item less, changes nothing."""
    sequence = Sequence()
    first = [{"variable": "temperature", "value": 20.5}, {"variable": "humidity", "value": 44}]
    sequence.send({"data": first})
    understanding = sequence.send({"data": [{"variable": "humidity", "value": 45}]})
    assert understanding.new == {}
    assert understanding.values == {"data.humidity": 45}


def test_several_records_of_one_moment_are_no_history() -> None:
    """Each has a name of its own; of one name at several times the newest counts."""
    moment = "2024-05-08T10:00:00Z"
    records = [
        {"name": "temperature", "value": 20.5, "time": moment},
        {"name": "humidity", "value": 44, "time": moment},
    ]
    assert understand({"records": records}, decisions={}).values == {
        "records.temperature": 20.5,
        "records.humidity": 44,
    }
    earlier = {"name": "temperature", "value": 9.5, "time": "2024-05-08T09:00:00Z"}
    assert understand({"data": [earlier, *records]}, decisions={}).values == {
        "data.temperature": 20.5,
        "data.humidity": 44,
    }


def test_what_is_said_at_the_top_is_not_said_again() -> None:
    """Neither a value nor a place."""
    decoded = {
        "temperature": 20.5,
        "sensors": [{"name": "temperature", "value": 20.5}, {"name": "humidity", "value": 44}],
        "lat": 52.5,
        "lon": 4.25,
        "location": "52.5,4.25",
    }
    shown = {path for path, m in decided(decoded).items() if m.kind is not Kind.IGNORE}
    assert shown == {"temperature", "sensors.humidity", "lat"}


@pytest.mark.parametrize(
    ("axes", "unit"),
    [
        ((0.02, -0.01, 1.0), "g"),
        ((12, -40, 1003), "mg"),
        ((0.1, 9.8, 0.3), "m/s²"),
        ((300, 400, 20), None),
    ],
)
def test_gravity_tells_the_unit_of_three_axes(
    axes: tuple[float, float, float], unit: str | None
) -> None:
    """What stands beside a field counts."""
    new = decided({"acceleration": dict(zip("xyz", axes, strict=True))})
    assert {m.unit for m in new.values()} == {unit}


def test_a_kind_beside_a_value_says_what_it_is() -> None:
    """In an object whose key says only where; what numbers an item is no field."""
    new = decided({"probe_1": {"type": "humidity", "value": 44}})
    assert new["probe_1.value"].quantity == "humidity"
    registers = [{"address": 4001, "name": "Voltage L1", "value": 230.5, "unit": "V"}]
    assert decided({"registers": registers}).keys() == {"registers.Voltage L1"}


def test_short_names_are_read_by_their_company() -> None:
    """A letter beside others of the climate; an abbreviation beside coordinates; nutrients."""
    room = decided({"rooms": {"hall": {"t": 21.5, "rh": 44}, "misc": {"t": 4, "x": 5}}})
    assert room["rooms.hall.t"].quantity == "temperature"
    assert room["rooms.misc.t"].quantity is None
    tracker = decided({"lat": 47.5, "lng": 8.25, "acc": 12})
    assert (tracker["acc"].quantity, tracker["acc"].unit) == ("accuracy", "m")
    soil = decided({"n": 12, "p": 8, "k": 31, "m": 30})
    assert soil["n"].quantity == "nitrogen"
    short = decided({"n": 12, "s": 1, "c": 3, "b": 4, "p1": 12})
    assert (short["n"].quantity, short["p1"].quantity) == (None, None)
    pair = decided({"Batt": {"v": 88, "u": "%"}, "Dist": {"v": 1231, "u": "mm"}})
    assert [m.unit for m in pair.values() if m.kind is Kind.SENSOR] == ["%", "mm"]
    scale = decided({"scale": {"weight": {"value": 41.5, "unit": "kg"}}})
    assert scale["scale.weight.value"].enabled


def test_units_as_keys_beside_each_other_are_units() -> None:
    """One letter alone may be a channel."""
    new = decided({"meter": {"V": 230.5, "A": 1.5, "W": 340}})
    assert [m.unit for m in new.values()] == ["V", "A", "W"]
    new = decided({"line_2": {"v": 229.5, "a": 0.5, "w": 110, "kwh": 88.5}})
    assert [m.unit for m in new.values()] == ["V", "A", "W", "kWh"]
    assert decided({"channel": {"A": 1.5}})["channel.A"].unit is None


def test_axes_and_phases_stay_in_names() -> None:
    """Three fields of one quantity are told apart by what they are, not by a number."""
    new = decided({"rms_velocity": {"x": 1.5, "y": 1.25, "z": 0.5}, "phase_l1": {"voltage": 230.5}})
    names = [m.name or "" for m in new.values()]
    assert [name[-1] for name in names[:3]] == ["X", "Y", "Z"]
    assert "1" in names[3]


def test_an_object_of_noughts_and_ones_holds_flags() -> None:
    """Also those whose name alone would not say so."""
    flags = {"mounted": 1, "armed": 0, "brightness": 1, "batteryLow": 0}
    new = decided({"state": flags})
    assert new["state.mounted"].kind is new["state.armed"].kind is Kind.BINARY_SENSOR
    assert new["state.brightness"].quantity is None
    assert decided({"mounted": 1})["mounted"].kind is Kind.SENSOR


def test_a_message_of_settings_holds_settings() -> None:
    """It says so itself, or nearly all in it are some."""
    declared = decided({"Message_Type": "Config_Report", "Beep_Pattern": 3, "battery_voltage": 3.5})
    assert declared["Beep_Pattern"].category is Category.CONFIGURATION
    assert declared["battery_voltage"].quantity == "battery_voltage"
    settings = {"reportInterval": 10, "tempThreshold": 3, "retries": 2, "timeout": 5}
    new = decided(settings | {"AverageNumber": 4})
    assert new["AverageNumber"].category is Category.CONFIGURATION
    assert decided({"AverageNumber": 4})["AverageNumber"].category is Category.PRIMARY


def test_parts_of_a_date_are_no_fields() -> None:
    """Where several of them stand together."""
    new = decided({"year": 24, "month": 5, "day": 8, "hour": 10, "temperature": 20.5})
    assert {path for path, m in new.items() if m.kind is not Kind.IGNORE} == {"temperature"}


def test_a_value_outside_the_limits_is_a_plain_number() -> None:
    """It is shown, and says why it has no class."""
    found = only("humidity", 4410)
    assert (found.kind, found.quantity, found.unit) == (Kind.SENSOR, None, None)
    assert "is no humidity" in found.reason


@pytest.mark.parametrize(
    ("key", "number"), [("rain", -21_000_000), ("energy_kwh", 9e14), ("water_volume_m3", 7e12)]
)
def test_totals_have_limits(key: str, number: float) -> None:
    """Beyond them a total is unknown, and a total all the same."""
    sequence = Sequence()
    sequence.send({key: number})
    assert sequence.values[key] is None
    sequence.send({key: 12.5})
    assert sequence.values[key] == 12.5


@pytest.mark.parametrize(
    ("decoded", "path", "place"),
    [
        ({"coordinates": [13.4, 52.5]}, "coordinates", (52.5, 13.4)),
        ({"position": [52.5, 13.4]}, "position", (52.5, 13.4)),
        ({"lnglat": {"lat": 52.5, "lng": 13.4}}, "lnglat.lat", (52.5, 13.4)),
        ({"lat": 52.5, "lon": 0}, "lat", None),
        ({"lat": 0.0, "lon": 13.4}, "lat", None),
        ({"lat": 90, "lon": 180}, "lat", None),
    ],
)
def test_places_are_read_in_their_order_or_not_at_all(
    decoded: dict[str, Any], path: str, place: tuple[float, float] | None
) -> None:
    """Coordinates in a list have the longitude first; half a fix is none."""
    value = understand(decoded, decisions={}).values[path]
    assert value == (None if place is None else Position(*place))


def test_keys_seen_once_never_crowd_out_measurements() -> None:
    """Addresses as keys have little room, whatever comes first."""
    sequence = Sequence()
    for number in range(40):
        macs = {f"aa:bb:cc:00:{number:02x}:{index:02x}": -70 for index in range(10)}
        sequence.send(macs)
    assert len(sequence.decisions) == 50
    fields = {f"zone {number} temperature": 20.5 for number in range(150)}
    understanding = sequence.send({"aa:bb:cc:99:99:99": -70} | fields)
    assert understanding.new.keys() == fields.keys()
    assert understanding.skipped == 1


_NOON = datetime(2024, 5, 8, 12, tzinfo=UTC)


def test_a_fix_that_jumps_is_shown_when_the_next_confirms_it() -> None:
    """Thousands of kilometres in minutes and back are not shown."""
    home, far = Position(52.5, 13.4), Position(22.5, 114.0)
    places, shown = next_place(Places(), home, _NOON)
    assert shown
    places, shown = next_place(places, far, _NOON + timedelta(minutes=5))
    assert not shown
    places, shown = next_place(places, home, _NOON + timedelta(minutes=10))
    assert shown
    places, shown = next_place(places, far, _NOON + timedelta(minutes=15))
    assert not shown
    places, shown = next_place(places, far, _NOON + timedelta(minutes=15, seconds=1))
    assert not shown, "the same fix again, as the server tells it"
    places, shown = next_place(places, far, _NOON + timedelta(minutes=20))
    assert shown
    assert places.shown == far


def test_a_journey_is_shown() -> None:
    """Time enough explains any distance."""
    places, _ = next_place(Places(), Position(52.5, 13.4), _NOON)
    _, shown = next_place(places, Position(22.5, 114.0), _NOON + timedelta(hours=12))
    assert shown


def test_a_measurement_that_jumps_is_shown_when_the_next_confirms_it() -> None:
    """The jump that is allowed is the user's choice."""
    level, shown = next_level(Level(), 20.5, most=5)
    assert shown
    level, shown = next_level(level, 84.0, most=5)
    assert not shown
    level, shown = next_level(level, 21.0, most=5)
    assert shown
    level, shown = next_level(level, 84.0, most=5)
    assert not shown
    level, shown = next_level(level, 85.0, most=5)
    assert shown
    assert level == Level(85.0)


@pytest.mark.parametrize(
    "key", ["app_key", "AppSKey", "nwk_skey", "NetworkSessionKey", "appSessionKey", "wifi_password"]
)
def test_secrets_become_no_entities(key: str) -> None:
    """A device that repeats its keys back must not show them to everyone."""
    assert only(key, "2B7E151628AED2A6ABF7158809CF4F3C").kind is Kind.IGNORE
    assert only("key_pressed", 1).kind is not Kind.IGNORE
