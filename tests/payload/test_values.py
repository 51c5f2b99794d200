"""Single values: numbers, words, times, nothing."""

from datetime import UTC, datetime

import pytest

from thethingsstack.payload import Position
from thethingsstack.payload.units import Unit
from thethingsstack.payload.values import (
    ABSENT,
    Shape,
    decimals,
    epoch,
    number_of,
    parse_number,
    parse_time,
    position,
    read,
    truth_of,
)


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("24.90", 24.9, None),
        ("9818,", 9818, None),
        ("23,5 °C", 23.5, "°C"),
        ("1.234,5", 1234.5, None),
        ("1,234.5", 1234.5, None),
        ("1,234,567", 1234567, None),
        ("-70dBm", -70, "dBm"),
        ("76%", 76, "%"),
        ("+3", 3, None),
        ("2799 mm", 2799, "mm"),
        ("1e3", 1000.0, None),
        (".5", 0.5, None),
    ],
)
def test_numbers_in_texts_are_read(text: str, number: float, unit: str | None) -> None:
    """Numbers are read with either decimal separator, and with their unit."""
    assert parse_number(text) == (number, Unit(unit) if unit else None)


@pytest.mark.parametrize(
    "text",
    [
        "80-100%",
        "> 150 meters",
        "0123",
        "1122334455667788",
        "1.2.3",
        "1,2,3.4,5",
        "1e999",
        "9" * 60,
        "12 parrots",
        "²",
        "",
    ],
)
def test_texts_that_are_no_numbers(text: str) -> None:
    """Ranges, identifiers and what only begins like a number are none."""
    assert parse_number(text) is None


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "NULL",
        "No Sensor",
        "none",
        "",
        "0xFFFFFFFF",
        "0x7FFF",
        "nan",
        float("nan"),
        float("inf"),
        3.4e38,
        -1e300,
        10**400,
        [],
        {},
    ],
)
def test_absent_values_have_no_shape(raw: object) -> None:
    """Words and numbers for "no value" say nothing."""
    assert read(raw) == ABSENT
    assert number_of(raw) is None


@pytest.mark.parametrize(
    ("raw", "shape"),
    [
        (True, Shape.BOOL),
        ("OPEN", Shape.WORD),
        ("geschlossen", Shape.WORD),
        (1, Shape.NUMBER),
        ("2024-05-08T16:45:53Z", Shape.TIME),
        ("52.1,4.25", Shape.POSITION),
        ("0.0,0.0", Shape.TEXT),
        ("idle running", Shape.TEXT),
        ("x" * 300, Shape.LONG),
    ],
)
def test_values_have_a_shape(raw: object, shape: Shape) -> None:
    """Each value looks like one thing."""
    assert read(raw).shape is shape


@pytest.mark.parametrize(
    ("word", "truth"),
    [
        ("Leak", True),
        ("NoLeak", False),
        ("No Alarm", False),
        ("ALARM", True),
        ("Hi", True),
        ("N", False),
        ("offen", True),
        ("fermé", False),
        ("MOVE", True),
        ("Not moving", False),
        ("Not closed", True),
        ("not OK", True),
        ("kein Rauch", False),
        ("keine", False),
        ("geen", False),
        ("Free fall", None),
        ("Low battery", None),
        ("purple", None),
    ],
)
def test_words_for_on_and_off_are_truths(word: str, truth: bool | None) -> None:
    """Words of several languages name one of two states."""
    assert truth_of(word) is truth


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-08 16:45:53",
        "2024-5-8 16:45:53",
        "2024/05/08 16:45:53",
        "2024-05-08T16:45:53Z",
        "2024-05-08T18:45:53+02:00",
        "Wed, 08 May 2024 16:45:53 GMT",
        "08.05.2024 16:45:53",
        "2024-05-08T16:45:53.000",
    ],
)
def test_times_in_texts_are_read(text: str) -> None:
    """The usual ways to write a moment; without a zone it is UTC."""
    assert parse_time(text) == datetime(2024, 5, 8, 16, 45, 53, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2024-99-99",
        "1969-01-01",
        "99999-01-01",
        "12:30",
        "1.2.3",
        "31 Foo 2024",
        "2024-05-08T99:00:00Z",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_texts_that_are_no_times(text: str) -> None:
    """What isn't a moment of this century isn't read as one."""
    assert parse_time(text) is None


def test_counts_of_seconds_are_moments() -> None:
    """Seconds and milliseconds since 1970; a clock since start-up is neither."""
    assert epoch(1715186753) == epoch(1715186753000) == datetime(2024, 5, 8, 16, 45, 53, tzinfo=UTC)
    assert epoch(1000) is None
    assert epoch(-5) is None


def test_positions_are_on_earth() -> None:
    """Null island and what lies off the Earth are no positions."""
    assert position(52, 4) == Position(52.0, 4.0)
    assert position(0, 0) is None
    assert position(91, 0) is None
    assert position(None, 4) is None


def test_decimals_of_numbers() -> None:
    """Decimals tell the resolution; a whole number tells nothing."""
    assert decimals(21.25) == 2
    assert decimals("24.90") == 2
    assert decimals(3) is None
    assert decimals(3.0) is None
    assert decimals(1e-7) is None
