"""Decisions that wait for values, and are corrected by them: sequences, in both orders."""

from typing import Any

from hypothesis import given, strategies as st
import pytest

from tests.payload.devices import context_of
from tests.payload.sequences import Sequence, sent
from tests.properties import thorough
from thethingsstack.payload import Kind, Override, Role, Source, understand
from thethingsstack.payload.observations import REVISABLE


def _essence(sequence: Sequence, key: str) -> tuple[Kind, str | None, str | None]:
    meaning = sequence.decisions[key]
    return (meaning.kind, meaning.quantity, meaning.unit)


SENSOR, BINARY = Kind.SENSOR, Kind.BINARY_SENSOR


@pytest.mark.parametrize(
    ("key", "values", "quantity", "unit"),
    [
        ("pump_current", [0, 420], None, None),
        ("phase_current", [1.25, 3], "current", "A"),
        ("hopper_weight", [90, 6400], None, None),
        ("hopper_weight", [12.5, 40], "weight", "kg"),
        ("battery", [3, 97], "battery", "%"),
        ("battery", [3, 3.55], "battery_voltage", "V"),
        ("battery", [4, 5], None, None),
        ("battery", [3610, 3580], "battery_voltage", "mV"),
        ("substrate_ec", [6, 900], "conductivity", "μS/cm"),
        ("substrate_ec", [6, 9], None, None),
        ("ambient_light", [0, 640], "illuminance", "lx"),
        ("ambient_light", [0, 1], None, None),
        ("light_level", [3, 640], "illuminance", "lx"),
        ("light_level", [6, 7, 12], "illuminance", "lx"),
        ("light_level", [3, 5], None, None),
        ("noise_level", [4, 52.5], "sound_pressure", "dB"),
        ("tvoc_level", [2, 1], None, None),
        ("tilt", [1, 32.5], "angle", "°"),
        ("humidity", [4040, 51], "humidity", "%"),
        ("air_temperature", [0, 1], "temperature", "°C"),
        ("distance", [880, 0.88], None, None),
        ("mains_voltage", [0, 3300], "supply_voltage", "mV"),
        ("pressure", [1, 1009.5], "atmospheric_pressure", "hPa"),
    ],
)
def test_numbers_tell_what_a_field_is_in_any_order(
    key: str, values: list[float], quantity: str | None, unit: str | None
) -> None:
    """The last decision is one for all values, whichever came first; no size picks a unit."""
    for order in (values, values[::-1]):
        assert _essence(sent(key, order), key) == (SENSOR, quantity, unit), order


@pytest.mark.parametrize(
    ("key", "values", "quantity"),
    [
        ("cellar_leak", [0, 12], "leak"),
        ("room_occupancy", [0, 2], "occupancy"),
        ("stairs_motion", [0, 9], "motion"),
        ("cover_tamper", [1, 4], "tamper"),
        ("pump_alarm", [0, 6], "alarm"),
        ("back_door", [0, 255], "door"),
        ("hatch_tilt", [0, 1, 0, 1, 1], "tilt"),
        ("floor_water", [1, 0, 0, 1, 0], "leak"),
    ],
)
def test_states_stay_states_in_any_order(key: str, values: list[int], quantity: str) -> None:
    """A field with the name of a state is on for any number but 0."""
    for order in (values, values[::-1]):
        sequence = sent(key, order)
        assert _essence(sequence, key) == (BINARY, quantity, None)
        assert sequence.values[key] is bool(order[-1])


@pytest.mark.parametrize(
    ("key", "values"),
    [("relay_1", [0, 3]), ("valve", [1, 45]), ("input_2", [1, 800]), ("door_state", [0, 4])],
)
def test_another_number_is_no_state(key: str, values: list[int]) -> None:
    """What looked like a state is a number, in the same field."""
    for order in (values, values[::-1]):
        sequence = sent(key, order)
        assert sequence.decisions[key].kind is SENSOR
        assert sequence.values[key] == order[-1]


@pytest.mark.parametrize("key", ["unit_status", "brightness", "mode", "level"])
def test_zero_and_one_alone_are_no_state(key: str) -> None:
    """Without the name of a state a field of 0 and 1 stays a number."""
    assert sent(key, [0, 1, 0, 1, 0, 1, 1]).decisions[key].kind is SENSOR


@pytest.mark.parametrize(
    ("text", "key", "number", "quantity"),
    [
        ("Warming up", "co2", 640, "carbon_dioxide"),
        ("Preheating", "noise_db", 41.5, "sound_pressure"),
        ("Calculating...", "iaq", 52, "aqi"),
        ("initialising", "pm2_5", 3, "pm25"),
        ("Sensor not ready", "soil_temperature", 11.5, "soil_temperature"),
        ("Deconnected sensor", "soil_temperature", 11.5, "soil_temperature"),
        ("N/A", "humidity", 44, "humidity"),
    ],
)
def test_words_for_not_yet_are_unknown(text: str, key: str, number: float, quantity: str) -> None:
    """They decide nothing, before a number and after it."""
    first = Sequence()
    first.send({key: text})
    assert first.values.get(key) is None
    first.send({key: number})
    later = sent(key, [number, text])
    assert first.decisions[key].quantity == later.decisions[key].quantity == quantity
    assert (first.values[key], later.values[key]) == (number, None)
    assert not later.contradictions


@pytest.mark.parametrize(
    ("key", "off", "on"),
    [
        ("leak", "No leak", "Small leak"),
        ("smoke_alarm", "NoAlarm", "Alarm"),
        ("tamper", "not tampered", "opened by force"),
    ],
)
def test_negations_are_off_and_the_rest_is_on(key: str, off: str, on: str) -> None:
    """Texts of a state: what is no negation is on."""
    sequence = sent(key, [off, on])
    assert sequence.decisions[key].kind is BINARY
    assert sequence.values[key] is True
    sequence.send({key: off})
    assert sequence.values[key] is False


def test_a_correction_keeps_the_reason() -> None:
    """What a field was taken for, and what it is now, in one sentence."""
    sequence = Sequence()
    assert sequence.send({"battery": 4}).new["battery"].is_undecided
    corrected = sequence.send({"battery": 100}).corrected["battery"]
    assert (corrected.quantity, corrected.unit) == ("battery", "%")
    assert "corrected" in corrected.reason
    assert "a plain value" in corrected.reason


def test_decisions_are_sticky_after_the_first_uplinks() -> None:
    """Then a contradiction is noted instead."""
    sequence = sent("relay_1", [0, 1] * REVISABLE)
    assert "relay_1" not in sequence.observations
    assert sequence.send({"relay_1": 5}).corrected == {}
    assert sequence.decisions["relay_1"].kind is BINARY
    sequence = sent("humidity", [40] * REVISABLE)
    assert sequence.send({"humidity": 350}).corrected == {}
    assert sequence.values["humidity"] is None
    assert sequence.contradictions == {"humidity": "reports 350, which is no humidity"}


def test_without_observations_nothing_is_corrected() -> None:
    """Callers that keep none have decisions that never change."""
    known = understand({"relay_1": 1}, decisions={}).new
    again = understand({"relay_1": 7}, decisions=known)
    assert (again.new, again.corrected, again.observations) == ({}, {}, {})
    assert understand({"relay_1": 1}, decisions={}).observations == {}


def test_a_field_that_is_no_longer_observed_stays() -> None:
    """Somebody has built on it: its observations are dropped."""
    sequence = sent("light", [0])
    del sequence.observations["light"]
    assert sequence.send({"light": 500}).corrected == {}


def test_what_the_user_or_the_library_says_is_not_corrected() -> None:
    """They know better than values."""
    sequence = sent("relay_1", [0])
    automatic = sequence.decisions["relay_1"]
    sequence.decisions["relay_1"] = Override(name="Pump").apply(automatic)
    assert sequence.decisions["relay_1"].source is Source.OVERRIDE
    sequence.send({"relay_1": 9})
    assert sequence.decisions["relay_1"].kind is BINARY
    known = Sequence(context_of("elsys", "ers"))
    known.send({"vdd": 3})
    assert known.decisions["vdd"].source is Source.LIBRARY
    assert known.observations == {}


def test_a_unit_beside_a_value_is_a_hint() -> None:
    """The source of a decision is kept with it."""
    new = understand({"a": {"value": 3.5, "unit": "kPa"}, "temperature": 21.5}, decisions={}).new
    assert new["a.value"].source is Source.HINTS
    assert new["temperature"].source is Source.INFERRED


def test_words_between_numbers_correct_nothing() -> None:
    """A number stays a number whatever word comes."""
    sequence = sent("flow", [1.5, "pipe empty", 2.5])
    assert sequence.decisions["flow"].quantity == "volume_flow_rate"
    assert sequence.values["flow"] == 2.5
    assert sequence.contradictions == {"flow": "reports pipe empty, which is no flow rate"}


def test_full_scale_numbers_are_not_observed() -> None:
    """65535 is "not connected" and tells nothing of the unit."""
    sequence = sent("battery_voltage", [3.6, 65.535, 65535])
    assert _essence(sequence, "battery_voltage") == (SENSOR, "battery_voltage", "V")


_VALUES = st.lists(
    st.one_of(
        st.sampled_from(
            [0, 1, 2, 4, 100, 255, 350, 3600, 65535, 1013.2, "N/A", "Preheating", None]
        ),
        st.integers(-500, 5000),
        st.floats(-500, 5000).map(lambda number: round(number, 2)),
    ),
    min_size=1,
    max_size=REVISABLE - 1,
)
_NAMES = st.sampled_from(
    [
        "battery",
        "current",
        "light",
        "leak",
        "tilt",
        "pressure",
        "soil_ec",
        "weight",
        "motion",
        "voltage",
        "humidity",
        "x",
        "valve",
        "relay",
        "level",
        "alarm",
        "distance",
        "rain",
    ]
)


@thorough(300)
@given(key=_NAMES, values=_VALUES)
def test_the_order_of_values_never_matters(key: str, values: list[Any]) -> None:
    """When a decision is made for good, the same values have led to the same one."""
    rest = [next((value for value in values if isinstance(value, int | float)), 1)] * REVISABLE
    forward, backward = sent(key, values + rest), sent(key, values[::-1] + rest)
    assert forward.decisions.keys() == backward.decisions.keys()
    for path, meaning in forward.decisions.items():
        other = backward.decisions[path]
        assert (meaning.kind, meaning.quantity, meaning.unit, meaning.role, meaning.scale) == (
            other.kind,
            other.quantity,
            other.unit,
            other.role,
            other.scale,
        )
        assert meaning.role in Role
