"""What the text of a payload formatter says of its fields."""

from hypothesis import given, settings, strategies as st
import pytest

from thethingsstack.payload import Context, FieldHint, Kind, Meaning, Source, read_hints, understand
from thethingsstack.payload.formatter_hints import MOST_STEPS
from thethingsstack.payload.javascript import LONGEST, tokens_of
from thethingsstack.payload.units import Unit

COMMENTS_AT_THE_END = """
function decodeUplink(input) {
  var bytes = input.bytes, data = {};
  data.Supply = ((bytes[0] << 8 | bytes[1]) & 0x3FFF) / 1000; //Supply,units:V
  data.probe = (bytes[2] << 8 | bytes[3]) / 10;   // probe in °C
  data.depth = bytes[4];  // how deep (cm)
  data.gone = bytes[5];   // 0.1 mV per bit
  data.cell = bytes[6] / 1000; // mV
  data.line = bytes[7]; data.loop = bytes[8]; // A
  data.tilt = bytes[9]; // in a while
  data.warm = bytes[9]; // unit: °
  // data.old = bytes[9]; // V
  return {data: data};
}
"""
UNITS_ABOVE = """
  for (var i = 0; i < bytes.length;) {
    if (channel_id === 0x03) {
      // ℃
      decoded.inner = readInt16LE(bytes.slice(i, i + 2)) / 10;
      i += 2;

      // ℉
      // decoded.inner = readInt16LE(bytes.slice(i, i + 2)) / 10 * 1.8 + 32;
    }
    // The next is about something else
    decoded.outer = bytes[i];
  }
"""
FLAGS = """
  decoded.a = (bytes[0] >> 3) & 0x01;
  decoded.b = bytes[0] & 1 ? true : false
  decoded.c = (bytes[0] & 0x80) >> 7;
  decoded["d"] = bytes[1] === 1
  decoded.e = !!(bytes[1] & 4);
  decoded.f = bytes[0] & 0x03;
  decoded.g = bytes[0] > 5 ? 1 : 0;
  decoded.h = bytes[0] & 0x01; if (bytes[1]) { decoded.h = bytes[2]; }
  decoded.k = bytes[0] & 0x01 + 1;
"""
WORDS = """
  const MODES = ["idle", "heating", "cooling"];
  const CAUSES = { 0: 'timer', 1: 'button', 2: 'join' };
  switch (bytes[0]) {
    case 0: data.valve = "open"; break;
    case 1: data.valve = "closed"; break;
    default: data.valve = "blocked";
  }
  data.mode = MODES[bytes[1] >> 4];
  data.cause = CAUSES[bytes[2]];
  data.size = ["small", "large"][bytes[3]];
  data.lid = bytes[4] == 1 ? "up" : bytes[4] == 2 ? "down" : "ajar";
  data.half = bytes[5] ? "full" : other(bytes);
"""
UNITS_IN_TABLES = r"""
  var types = {
    0x67: {size: 2, name: 'probe', unit: '°C', divisor: 10},
    0x68: {"size": 1, "name": "soak", "unit": "%"},
    0x69: {name: "twice", unit: "V"}, 0x6a: {name: "twice", unit: "mV"},
  };
  var found = text.match(/["'`{]\/\*/g);
  var cells = bytes[0] / 10; // V
  var speed = bytes[1] / 10; // m/s
  return { data: { cells, wind: speed, deep: { lux: bytes[2] /* lx */ } } };
"""
SCRIPTS = COMMENTS_AT_THE_END + UNITS_ABOVE + FLAGS + WORDS + UNITS_IN_TABLES


def units(script: str) -> dict[str, str | None]:
    """Return the units that a script says, by field."""
    return {name: hint.unit.symbol for name, hint in read_hints(script).items() if hint.unit}


def test_units_in_comments() -> None:
    """A comment tells the unit where it surely speaks of this one value, as it is assigned."""
    assert units(COMMENTS_AT_THE_END) == {"Supply": "V", "probe": "°C", "depth": "cm"}
    assert units(UNITS_ABOVE) == {"inner": "°C"}


def test_units_in_tables_and_variables() -> None:
    """An object that names a field and a unit; a variable that a field is set to."""
    assert units(UNITS_IN_TABLES) == {"probe": "°C", "soak": "%", "cells": "V", "wind": "m/s"}


def test_a_variable_that_is_used_again_tells_nothing() -> None:
    """Its comment speaks of what it was first."""
    script = """
      var value = b[0] / 10; // V
      data.supply = value;
      value = b[1];
      data.other = value;
      data.sum = b[0] & 1; data.sum += b[1] & 1;
      data.long = b[0] & 1; data.long = LONG;
    """
    assert read_hints(script.replace("LONG", "+".join(["b[0]"] * 60))) == {}


def test_flags() -> None:
    """One bit, a comparison, a truth; not where another place sets something else."""
    flags = {name for name, hint in read_hints(FLAGS).items() if hint.is_flag}
    assert flags == {"a", "b", "c", "d", "e", "g"}


def test_words() -> None:
    """Texts of a switch, a list, an object, a condition; not where one of them is unknown."""
    words = {name: hint.words for name, hint in read_hints(WORDS).items() if hint.words}
    assert words == {
        "valve": ("open", "closed", "blocked"),
        "mode": ("idle", "heating", "cooling"),
        "cause": ("timer", "button", "join"),
        "size": ("small", "large"),
        "lid": ("up", "down", "ajar"),
    }


@pytest.mark.parametrize(
    ("expression", "digits"),
    [
        ("(b[0] << 8 | b[1]) / 100", 2),
        ("b[0] * 0.1", 1),
        ("raw / 10 - 40", 1),
        ("parseFloat((raw / 3).toFixed(2))", 2),
        ("raw / 10 * 1.8 + 32", None),
        ("raw / 256", None),
        ("b[0] << 8 | b[1] / 10", None),
    ],
)
def test_resolution(expression: str, digits: int | None) -> None:
    """What a number is divided by tells its decimals."""
    hint = read_hints(f"data.x = {expression};").get("x", FieldHint())
    assert hint.precision == digits


PIECES = [*"(){}[];,:=.?!&|+-*/\\\"'`\n \t$_ax0", "//", "/*", "*/", "===", "V", "°C", "unit", "${"]
"""What gets a reader of JavaScript into trouble."""


@given(st.text(max_size=300) | st.lists(st.sampled_from(PIECES), max_size=200).map("".join))
@settings(max_examples=300)
def test_whatever_the_text(text: str) -> None:
    """No text raises; each hint says something."""
    assert all(hint != FieldHint() for hint in read_hints(text).values())


@given(st.integers(0, len(SCRIPTS)), st.integers(0, len(SCRIPTS)))
def test_a_part_of_a_formatter(start: int, end: int) -> None:
    """No part of a formatter raises, wherever it is cut."""
    assert all(hint != FieldHint() for hint in read_hints(SCRIPTS[start:end]).values())


@pytest.mark.parametrize(
    "piece", ["a=", "(", '"', '\\"', "/", "=/\\", "`", "/*", "a.b=(", "{a:", "x?", "[", "=/["]
)
def test_long_texts_take_bounded_steps(piece: str) -> None:
    """A long text is read in bounded steps, and a longer one isn't read."""
    text = piece * (LONGEST // len(piece))
    assert len(tokens_of(text)) <= LONGEST
    read_hints(text)
    assert tokens_of(text * 2) == []


def test_what_takes_too_many_steps_is_given_up() -> None:
    """Half a formatter may contradict the other half."""
    assert units("d.probe = b[0]; // V\n") == {"probe": "V"}
    long = "d.probe = b[0]; // V\n" + "a=[" + "b=[" * (MOST_STEPS // 30)
    assert len(long) < LONGEST
    assert read_hints(long) == {}


def hinted(script: str) -> Context:
    """Return the context of an end device with this formatter."""
    return Context(formatter=read_hints(script))


def decided(context: Context, **fields: object) -> dict[str, Meaning]:
    """Return the decisions on fields in one uplink."""
    return understand(fields, decisions={}, context=context).new


def test_the_unit_of_a_formatter_is_evidence() -> None:
    """It decides on what the name leaves open, and says so."""
    script = "data.supply_level = b[0]; // mV\ndata.temperature = b[1]; // °F"
    plain = decided(Context(), supply_level=3300, temperature=70)
    assert plain["temperature"].unit == "°C"
    found = decided(hinted(script), supply_level=3300, temperature=70)
    assert found["supply_level"].unit == "mV"
    assert found["supply_level"].source is Source.FORMATTER
    assert (found["temperature"].quantity, found["temperature"].unit) == ("temperature", "°F")
    assert "payload formatter" in found["temperature"].reason


def test_a_unit_of_another_kind_takes_the_class_away() -> None:
    """A temperature in V is a plain number in V."""
    meaning = decided(hinted("d.temperature = b[0]; // V"), temperature=3.1)["temperature"]
    assert meaning.quantity != "temperature"
    assert meaning.unit == "V"


def test_the_payload_knows_its_own_unit() -> None:
    """A comment that contradicts what the payload or the name says is no evidence."""
    context = hinted("d.temperature = b[0]; // °F\nd.level_cm = b[1]; // mm")
    found = decided(context, temperature="21 °C", level_cm=12)
    assert found["temperature"].unit == "°C"
    assert found["level_cm"].unit == "cm"
    assert not {meaning.source for meaning in found.values()} & {Source.FORMATTER}


def test_a_flag_of_a_formatter_is_binary_at_once() -> None:
    """One bit is a truth from its first value; another value says that it isn't."""
    context = hinted("d.zone3 = b[0] & 0x01;")
    assert decided(Context(), zone3=1)["zone3"].kind is Kind.SENSOR
    meaning = decided(context, zone3=1)["zone3"]
    assert (meaning.kind, meaning.source) == (Kind.BINARY_SENSOR, Source.FORMATTER)
    assert understand({"zone3": 1}, decisions={}, context=context).values == {"zone3": True}
    assert decided(context, zone3=7)["zone3"].kind is Kind.SENSOR


def test_a_bit_that_counts_or_chooses_is_no_flag() -> None:
    """A number of people of one bit, one of two modes: on and off would say nothing."""
    context = hinted("d.people_count = (b[0] >> 1) & 1; d.reading_type = b[0] & 1;")
    found = decided(context, people_count=1, reading_type=0)
    assert {meaning.kind for meaning in found.values()} == {Kind.SENSOR}


def test_words_of_a_formatter_are_the_states() -> None:
    """An enumeration has all its states from the first uplink."""
    meaning = decided(hinted(WORDS), mode="heating")["mode"]
    assert meaning.options == ("idle", "heating", "cooling")
    assert meaning.source is Source.FORMATTER
    assert decided(hinted(WORDS), mode="defrost")["mode"].options == ("defrost",)


def test_the_resolution_of_a_formatter_are_the_decimals() -> None:
    """Whatever decimals the first value has."""
    context = hinted("d.temperature = (b[0] << 8 | b[1]) / 10;")
    assert decided(Context(), temperature=21)["temperature"].precision is None
    assert decided(context, temperature=21)["temperature"].precision == 1
    assert decided(context, temperature=21)["temperature"].source is Source.INFERRED


def test_the_unit_of_a_variable_by_its_fields_name() -> None:
    """The hint of a field is about its name, wherever it stands in the payload."""
    hints = read_hints("d.air.pressure = b[0]; // kPa")
    assert hints == {"pressure": FieldHint(unit=Unit("kPa"))}
    found = decided(Context(formatter=hints), air={"pressure": 101})
    assert found["air.pressure"].unit == "kPa"
