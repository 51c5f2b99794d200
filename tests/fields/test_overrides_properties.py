"""Import and export of overrides: any text is taken or refused in words, and nothing is changed."""

from contextlib import suppress
from typing import Any

from hypothesis import given, strategies as st
import pytest
import yaml

from custom_components.thethingsstack.fields.overrides import (
    FieldOverride,
    FieldOverrides,
    OverrideError,
    read_yaml,
)
from custom_components.thethingsstack.payload import Override
from tests.properties import json_values, thorough

_MEMBERS = (
    *("path", "device", "model", "automatic", "kind", "device_class", "unit", "role", "name"),
    *("scale", "offset", "value_map", "invert", "max_jump", "other"),
)
_VALUES = (
    *(
        "sensor",
        "binary_sensor",
        "ignore",
        "event",
        "measurement",
        "total",
        "none",
        "°C",
        "truebner",
    ),
    *(
        "true",
        "off",
        "1e999",
        ".inf",
        ".nan",
        "0x10",
        "12:30",
        "2026-01-01",
        "null",
        "~",
        "a*",
        "*",
    ),
)
_values = st.one_of(json_values, st.sampled_from(_VALUES))
_items = st.one_of(_values, st.dictionaries(st.sampled_from(_MEMBERS), _values, max_size=5))
_PIECES = st.sampled_from(
    (
        *(
            "- path: a\n",
            "  name: b\n",
            "  scale: 2\n",
            "- ",
            "  ",
            "\n",
            "[",
            "{",
            "&a ",
            "*a",
            "!!",
        ),
        *(
            "!!python/object:os.system ",
            "!!binary x",
            "? ",
            ": ",
            "|\n",
            ">",
            "'",
            '"',
            "#",
            "%YAML",
        ),
        *("[" * 2000, "true", "truebner/smt100", "\x00", "\ufeff", "---\n", "...\n", "<<: *a\n"),
    )
)
_texts = st.one_of(
    st.text(max_size=120),
    st.lists(_PIECES, max_size=10).map("".join),
    st.lists(_items, max_size=4).map(lambda items: yaml.safe_dump(items, allow_unicode=True)),
)
# YAML has no such characters; they are refused where an override is made.
_plain = st.text(
    st.characters(categories=("L", "N", "P", "S"), include_characters=" "), min_size=1, max_size=40
).filter(lambda text: text == text.strip())


def _key_of(device_id: str) -> str | None:
    return f"garden/{device_id}"


def _id_of(key: str) -> str | None:
    return key.removeprefix("garden/")


@st.composite
def _changes(draw: st.DrawFn) -> Override:
    """Return a change that the dialogue could make."""
    data: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "name": _plain,
                "scale": st.floats(-1e6, 1e6).filter(bool),
                "offset": st.floats(-1e6, 1e6),
                "invert": st.booleans(),
                "kind": st.sampled_from(("sensor", "binary_sensor", "ignore", "event")),
                "max_jump": st.floats(0.001, 1e6),
                "value_map": st.dictionaries(_plain, _plain, min_size=1, max_size=3),
            },
        )
    )
    return Override.from_dict(data)


@st.composite
def _overrides(draw: st.DrawFn) -> FieldOverride:
    place = draw(st.sampled_from(("device", "model", "")))
    where = {place: draw(_plain)} if place else {}
    if "device" in where:
        where["device"] = f"garden/{where['device']}"
    return FieldOverride(path=draw(_plain), change=draw(_changes()), **where)


@thorough(200)
@given(_texts)
def test_any_text_is_imported_or_refused(text: str) -> None:
    """What is taken can be exported, and is the same when it is imported again."""
    with suppress(OverrideError):
        _check_round_trip(read_yaml(text, _key_of))


@thorough(100)
@given(st.lists(_overrides(), max_size=5))
def test_what_is_exported_can_be_imported(overrides: list[FieldOverride]) -> None:
    _check_round_trip(overrides)


def _check_round_trip(overrides: list[FieldOverride]) -> None:
    kept = FieldOverrides()
    for override in overrides:
        kept.put(override)
    try:
        again = read_yaml(kept.as_yaml(_id_of), _key_of)
    except OverrideError:
        pytest.fail(f"its own export is refused: {kept.as_yaml(_id_of)}")
    assert sorted(map(repr, again)) == sorted(map(repr, kept))


@thorough(100)
@given(_overrides())
def test_an_override_is_stored_as_it_is(override: FieldOverride) -> None:
    assert FieldOverride.from_dict(override.as_dict()) == override
