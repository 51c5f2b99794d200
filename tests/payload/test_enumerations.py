"""Enumerations are learned: in a stable order, and given up where there is none."""

import pytest

from thethingsstack.payload import Meaning, Override, understand
from thethingsstack.payload.enumerations import MOST

KEY = "pump_state"


def say(value: object, decisions: dict[str, Meaning]) -> Meaning:
    """Let an uplink say something; returns the decision as it then is."""
    understanding = understand({KEY: value}, decisions=decisions)
    decisions |= understanding.new | understanding.grown
    return decisions[KEY]


def test_states_are_learned_in_order() -> None:
    """The first ones keep their place."""
    decisions: dict[str, Meaning] = {}
    assert say("idle", decisions).options == ("idle",)
    assert say("running", decisions).options == ("idle", "running")
    assert say("idle", decisions).options == ("idle", "running")
    assert say("in error", decisions).options == ("idle", "running", "in error")
    assert say(None, decisions).options == ("idle", "running", "in error")


@pytest.mark.parametrize(
    "odd", ["A1B2C3D4E5", "v1.2, built on a Monday in November", "12:30", 7, "#!"]
)
def test_what_is_no_state_makes_it_plain_text(odd: object) -> None:
    """For good: the value is shown as it comes."""
    decisions: dict[str, Meaning] = {}
    say("idle", decisions)
    assert say(odd, decisions).options == ()
    assert say("idle", decisions).options == ()


def test_too_many_states_are_no_enumeration() -> None:
    """Such as names of places."""
    decisions: dict[str, Meaning] = {}
    for number in range(MOST):
        say(f"state {number}", decisions)
    assert len(decisions[KEY].options) == MOST
    assert say("one more", decisions).options == ()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("firmware", "release two"),
        ("model", "Alpha"),
        ("pump_state", "FFAA00CC"),
        ("note", "x" * 40),
    ],
)
def test_names_and_codes_are_no_enumeration(key: str, value: str) -> None:
    """There is one of each."""
    assert understand({key: value}, decisions={}).new[key].options == ()


def test_a_code_that_the_user_did_not_name_is_shown() -> None:
    """Besides the named ones."""
    automatic = understand({KEY: "a"}, decisions={}).new[KEY]
    named = Override(value_map=(("a", "Open"), ("b", "Closed"))).apply(automatic)
    decisions = {KEY: named}
    assert say("b", decisions).options == ("Open", "Closed")
    assert say("jammed", decisions).options == ("Open", "Closed", "jammed")
