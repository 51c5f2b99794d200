"""Ids, EUIs and keys: whatever is typed is taken or refused in words, and no key is shown."""

from contextlib import suppress
import re

from hypothesis import given, strategies as st
import pytest

from tests.properties import thorough
from thethingsstack import (
    InvalidIdentifier,
    check_id,
    looks_reversed,
    parse_dev_addr,
    parse_eui,
    parse_key,
    propose_id,
    reversed_eui,
)
from thethingsstack.identifiers import ID_LENGTH, ID_PATTERN

_SPELLINGS = st.lists(
    st.sampled_from((*"0123456789abcdefABCDEF", "0x", " ", ":", "-", ".", ",", "{", "]", "ß", "٣")),
    max_size=40,
).map("".join)
_typed = st.one_of(st.text(max_size=60), _SPELLINGS)


def _spelled(digits: str, separator: str, prefix: str, *, lower: bool) -> str:
    pairs = separator.join(digits[at : at + 2] for at in range(0, len(digits), 2))
    return prefix + (pairs.lower() if lower else pairs)


@thorough(150)
@given(_typed)
def test_an_eui_is_sixteen_digits_or_refused(text: str) -> None:
    for parse, length in ((parse_eui, 16), (parse_dev_addr, 8), (parse_key, 32)):
        with suppress(InvalidIdentifier):
            digits = parse(text)
            assert re.fullmatch(rf"[0-9A-F]{{{length}}}", digits)
            assert parse(digits) == digits


@thorough(100)
@given(
    st.binary(min_size=8, max_size=8),
    st.sampled_from(("", " ", ":", "-", ".")),
    st.sampled_from(("", "0x", "0X", " ")),
    st.booleans(),
)
def test_an_eui_is_known_in_every_spelling(
    eui: bytes, separator: str, prefix: str, lower: bool
) -> None:
    digits = eui.hex().upper()
    assert parse_eui(_spelled(digits, separator, prefix, lower=lower)) == digits
    assert reversed_eui(reversed_eui(digits)) == digits
    assert not (looks_reversed(digits) and looks_reversed(reversed_eui(digits)))


@thorough(100)
@given(st.text(alphabet="0123456789abcdefABCDEF", min_size=8, max_size=31))
def test_a_refused_key_is_not_shown(text: str) -> None:
    """A key with a digit too few is still most of a key."""
    with pytest.raises(InvalidIdentifier) as refused:
        parse_key(text)
    assert text.casefold() not in str(refused.value).casefold()
    assert text not in str(refused.value.attributes)


@thorough(150)
@given(st.text(max_size=80), st.sets(st.text(max_size=40), max_size=5))
def test_a_proposed_id_is_one_that_the_server_takes(name: str, taken: set[str]) -> None:
    """For every name that there is, and for one more thing of that name."""
    proposed = propose_id(name, taken)
    assert check_id(proposed) == proposed
    assert proposed not in taken
    another = propose_id(name, taken | {proposed})
    assert check_id(another) == another != proposed


@thorough(150)
@given(_typed)
def test_an_id_follows_the_rule_of_the_server_or_is_refused(text: str) -> None:
    with suppress(InvalidIdentifier):
        assert check_id(text) == text
        assert re.fullmatch(ID_PATTERN, text)
        assert ID_LENGTH[0] <= len(text) <= ID_LENGTH[1]
