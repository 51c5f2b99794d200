"""What holds for any JSON value whatever, searched for counter-examples."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from hypothesis import given, strategies as st
import pytest

from tests.properties import thorough
from thethingsstack.payload import (
    QUANTITIES,
    UNITS_OF_CLASS,
    Category,
    Kind,
    Meaning,
    Position,
    Role,
    understand,
)
from thethingsstack.payload.build import is_beyond_limits, is_sentinel, usual_numbers
from thethingsstack.payload.flatten import MAX_PATH
from thethingsstack.payload.full_scale import FULL_SCALE
from thethingsstack.payload.names import LONGEST
from thethingsstack.payload.understand import MAX_FIELDS
from thethingsstack.payload.vocabulary import CONCEPTS

_SHAPES = (
    "value",
    "unit",
    "values",
    "data",
    "label",
    "name",
    "type",
    "time",
    "timestamp",
    "channels",
    "messages",
    "measurementId",
    "measurementValue",
    "history",
    "lat",
    "lon",
    "gps",
    "location",
    "pm2.5",
    "a.b",
    "\\",
    ".",
    "",
    "Temperature(°C)",
    "Battery(%)",
    "TempC_SHT",
)
_WORDS = tuple(sorted(CONCEPTS))
_words = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3)
_keys = st.one_of(
    st.sampled_from(_SHAPES),
    _words.map("_".join),
    _words.map(lambda words: "".join(word.title() for word in words)),
    st.text(max_size=300),
)
_numbers = st.one_of(
    st.sampled_from([0, 1, 255, 65535, 32767, -999, 327.67, 3.4e38, 1715186753, 1e300]),
    st.integers(),
    st.floats(),
)
_texts = st.one_of(
    st.sampled_from(
        [
            "on",
            "offen",
            "No Sensor",
            "NULL",
            "23,5 °C",
            "3.4V",
            "76%",
            "0xFFFF",
            "52.1,4.2",
            "2024-05-08T10:00:00Z",
            "lux",
            "dS/m",
            "%RH",
            "1.234,5",
            "> 150 meters",
            "Class A",
            "12:30",
        ]
    ),
    st.text(max_size=300),
    st.tuples(_numbers, st.sampled_from(["°C", " mV", "%", " m³/h", " x", ""])).map(
        lambda two: f"{two[0]}{two[1]}"
    ),
)
_scalars = st.one_of(st.none(), st.booleans(), _numbers, _texts)
_values = st.recursive(
    _scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_keys, inner, max_size=5)),
    max_leaves=20,
)
payloads = st.dictionaries(_keys, _values, max_size=8)
_thorough = thorough(150)


def _legal(meaning: Meaning) -> bool:
    """Return whether quantity, unit and role go together."""
    if meaning.quantity is None:
        return True
    known = QUANTITIES[meaning.quantity]
    if meaning.kind is not known.kind and meaning.kind is not Kind.IGNORE:
        return False
    if meaning.role not in (Role.MEASUREMENT, Role.TOTAL, Role.ANGLE, Role.NUMBER):
        return meaning.unit is None
    units = UNITS_OF_CLASS.get(known.device_class or "")
    if units is not None and meaning.unit not in units:
        return False
    # Home Assistant knows angles in degrees only, and refuses other classes on them.
    return meaning.role is not Role.ANGLE or meaning.unit == "°"


def _check(new: Mapping[str, Meaning]) -> None:
    assert len(new) <= MAX_FIELDS
    for path, meaning in new.items():
        assert len(path) <= MAX_PATH + 1
        assert _legal(meaning), meaning
        assert meaning.name is None or 0 < len(meaning.name) <= LONGEST, meaning
        assert (
            meaning.name is not None or meaning.quantity is not None or meaning.kind is Kind.IGNORE
        )
        assert meaning.rule
        assert meaning.reason
        assert Meaning.from_dict(meaning.as_dict()) == meaning
        assert meaning.category is not Category.CONFIGURATION or not meaning.enabled


@_thorough
@given(payloads, st.lists(payloads, max_size=2), st.booleans())
def test_any_payload_is_understood(
    payload: dict[str, Any], normalized: list[dict[str, Any]], absent: bool
) -> None:
    """No value raises or breaks a limit, and what was decided can be stored and read again."""
    first = understand(payload, normalized, decisions={}, decide_absent=absent)
    _check(first.new)
    assert first.values.keys() <= first.new.keys()
    for value in first.values.values():
        assert (
            value is None
            or isinstance(value, bool | int | float | str | Position)
            or hasattr(value, "tzinfo")
        )
        assert not isinstance(value, str) or len(value) <= 255
        assert not isinstance(value, float) or isfinite(value)
    again = understand(payload, normalized, decisions=first.new)
    assert not again.new
    assert again.values.keys() <= first.new.keys()


@_thorough
@given(payloads, st.randoms(use_true_random=False))
def test_the_order_of_fields_decides_nothing(payload: dict[str, Any], chance: Any) -> None:
    """Fields in another order are decided on alike, and have the same values."""
    turned = list(payload.items())
    chance.shuffle(turned)
    first = understand(payload, decisions={}, decide_absent=True)
    other = understand(dict(turned), decisions={}, decide_absent=True)
    assert other.new == first.new
    assert other.values == first.values


@_thorough
@given(payloads, payloads)
def test_a_later_uplink_changes_no_decision(first: dict[str, Any], later: dict[str, Any]) -> None:
    """Known fields keep their meaning, and their values keep its kind."""
    decisions = understand(first, decisions={}).new
    understanding = understand(first | later, decisions=decisions)
    assert not understanding.new.keys() & decisions.keys()
    for path, value in understanding.values.items():
        meaning = decisions.get(path)
        if meaning is None or value is None:
            continue
        if meaning.role in (Role.MEASUREMENT, Role.TOTAL, Role.ANGLE):
            assert isinstance(value, int | float)
            assert not isinstance(value, bool)
        elif meaning.role is Role.FLAG:
            assert isinstance(value, bool)


@_thorough
@given(_keys, _scalars)
def test_a_name_is_a_function_of_its_own_path(key: str, value: Any) -> None:
    """What else is in an uplink changes no field's name."""
    alone = understand({key: value}, decisions={}, decide_absent=True).new
    company = {"temperature": 21.5, "zz": {"deep": [1, 2, 3]}} | {key: value}
    together = understand(company, decisions={}, decide_absent=True).new
    for path, meaning in alone.items():
        assert together[path].name == meaning.name


_quantities = [
    (quantity, unit)
    for quantity, known in QUANTITIES.items()
    for unit in {known.unit, *UNITS_OF_CLASS.get(known.device_class or "", ())}
]


@pytest.mark.parametrize(("quantity", "unit"), [(None, None), (None, "V"), *_quantities])
def test_no_usual_number_stands_for_no_value(quantity: str | None, unit: str | None) -> None:
    """What is read without a further look would have been read with one, too."""
    low, high = usual_numbers(quantity, unit)
    edge = (high - low) * 1e-9  # where a conversion may round either way
    assert edge > 0
    for number in (low + edge, high - edge, *(n for n in FULL_SCALE if low <= n <= high)):
        assert not is_sentinel(number, quantity, unit)
        assert not is_beyond_limits(number, quantity, unit)


@pytest.mark.parametrize("count", [201, 5000])
def test_no_more_fields_than_fit(count: int) -> None:
    """What is beyond the limits is counted."""
    understanding = understand({f"field {n}": n for n in range(count)}, decisions={})
    assert len(understanding.new) == MAX_FIELDS
    assert understanding.skipped == count - MAX_FIELDS
