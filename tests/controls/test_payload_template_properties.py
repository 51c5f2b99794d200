"""Payloads of controls: whatever is typed gives bytes, an object, or an error in words."""

from collections.abc import Mapping
import json

from hypothesis import given, strategies as st
import pytest

from custom_components.thethingsstack.controls.payload_template import (
    Form,
    PayloadTemplateError,
    fill,
    read_payload,
    takes_value,
)
from tests.properties import json_values, thorough

_PIECES = st.sampled_from(
    (
        *("00", "0x01", "0x", "f", "FF ", " ", ":", ",", "{", "}", "[", "]", '"', ":8", ":2le"),
        *("{value}", "{value:2}", "{value*10:2}", "{ value * 10 + 400 : 2 le }", "{value*-1.5-3}"),
        *("value", "{{ value }}", "{% if", "{#", "9" * 400, "e999", "NaN", "-Infinity", "null"),
        *(" " * 400, "[" * 3000, '{"a":' * 3000, '{"a": ', '"{value}"', "true"),
    )
)
_typed = st.one_of(
    st.text(max_size=60),
    st.lists(_PIECES, max_size=8).map("".join),
    st.dictionaries(st.text(max_size=10), json_values, max_size=4),
    st.lists(_PIECES, min_size=1, max_size=3).map(lambda pieces: {"a": "".join(pieces)}),
    json_values,
)
_given = st.one_of(
    st.integers(),
    st.integers(-300, 70_000),
    st.floats(),
    st.text(max_size=20),
    st.booleans(),
    st.none(),
    st.sampled_from((10**400, -(10**5000))),
)


@thorough(200)
@given(_typed, _given, st.text(max_size=60))
def test_any_payload_gives_bytes_an_object_or_an_error(
    raw: object, value: object, rendered: str
) -> None:
    """What can be sent can be written as JSON, too; `rendered` is what a template gives."""
    try:
        form, payload = read_payload(raw)
        takes_value(payload)
        filled = fill(form, payload, value, lambda _template, _value: rendered)
    except PayloadTemplateError:
        return
    if not isinstance(filled, bytes):
        assert isinstance(filled, Mapping)
        json.dumps(filled, allow_nan=False)


@thorough(100)
@given(
    st.integers(1, 8),
    st.sampled_from(("", "le", "be")),
    st.integers(-(2**63), 2**64 - 1),
)
def test_a_number_is_read_back_from_its_bytes(width: int, order: str, number: int) -> None:
    """In as many bytes as the placeholder says, in two's complement; or it does not fit."""
    if abs(number) > 2**53:
        return  # JSON's numbers, and so the states of Home Assistant, are no more exact than that
    form, payload = read_payload(f"{{value:{width}{order}}}")
    if not -(1 << (8 * width - 1)) <= number < 1 << (8 * width):
        with pytest.raises(PayloadTemplateError, match="doesn't fit"):
            fill(form, payload, number, lambda *_: "")
        return
    filled = fill(form, payload, number, lambda *_: "")
    assert isinstance(filled, bytes)
    assert len(filled) == width
    endian = "little" if order == "le" else "big"
    assert int.from_bytes(filled, endian, signed=number < 0) == number  # type: ignore[arg-type]


@thorough(100)
@given(st.binary(min_size=1, max_size=60), st.sampled_from(("", " ", ":", "-", ", ", " 0x")))
def test_bytes_are_known_in_every_spelling(data: bytes, separator: str) -> None:
    text = separator.join(f"{byte:02X}" for byte in data)
    form, payload = read_payload(text)
    assert form is Form.HEX
    assert fill(form, payload, None, lambda *_: "") == data
