"""What a user says of a field comes before every rule."""

from dataclasses import replace
from typing import Any

import pytest

from thethingsstack.payload import (
    NO_CLASS,
    Category,
    Kind,
    Meaning,
    Override,
    Role,
    spelled,
    understand,
    value_of,
)


def decided(key: str, value: object) -> Meaning:
    """Return the automatic decision on a field."""
    return understand({key: value}, decisions={}, decide_absent=True).new[key]


def test_an_empty_override_changes_nothing() -> None:
    """An empty override is no override."""
    automatic = decided("temperature", 21.5)
    assert not Override()
    assert Override().apply(automatic) is automatic


def test_an_override_changes_only_what_it_names() -> None:
    """The rest stays as inferred, and the reason keeps the automatic one."""
    automatic = decided("temperature", 21.5)
    changed = Override(name="Cold side").apply(automatic)
    assert (changed.name, changed.unit, changed.quantity) == ("Cold side", "°C", "temperature")
    assert changed.rule == "override"
    assert automatic.reason in changed.reason
    assert not changed.manual


@pytest.mark.parametrize(
    ("override", "raw", "value"),
    [
        (Override(scale=0.1), 215, 21.5),
        (Override(scale=1.8, offset=32), 20, 68.0),
        (Override(offset=-5), "12.5", 7.5),
        (Override(unit="°F"), "71 °C", 71),
        (Override(scale=0.1), "NULL", None),
        (Override(value_map=(("1", "low"), ("2", "high"))), 2, "high"),
        (Override(value_map=(("1", "low"),)), 7, "7"),
        (Override(value_map=(("255", "unknown"),)), 255, None),
        (Override(value_map=(("255", "unknown"),)), 25, 25),
        (Override(scale=1e14), 1e6, None),
        (Override(kind=Kind.EVENT, value_map=(("3", "off"),)), 3, "off"),
        (Override(kind=Kind.BINARY_SENSOR), 1, True),
        (Override(kind=Kind.BINARY_SENSOR, invert=True), 1, False),
        (Override(kind=Kind.BINARY_SENSOR, value_map=(("17", "on"), ("4", "off"))), 17, True),
        (Override(role=Role.MEASUREMENT, value_map=(("3", "0.5"),)), 3, 0.5),
        (Override(kind=Kind.EVENT), "pressed", "pressed"),
    ],
)
def test_values_follow_an_override(override: Override, raw: object, value: object) -> None:
    """Value times scale plus offset, codes by the map, truths as the user sees them."""
    assert value_of(override.apply(decided("temperature", 21.5)), raw) == value


def test_the_limits_of_the_guessed_quantity_are_forgotten() -> None:
    """What was no battery level may have any value."""
    automatic = decided("battery", 80)
    assert value_of(automatic, 3600) is None
    changed = Override(device_class="voltage", unit="mV").apply(automatic)
    assert value_of(changed, 3600) == 3600
    assert (changed.device_class, changed.unit, changed.manual) == ("voltage", "mV", True)


def test_an_override_changes_the_platform() -> None:
    """What belongs to the old one goes."""
    number = decided("temperature", 21.5)
    flag = Override(kind=Kind.BINARY_SENSOR).apply(number)
    assert (flag.role, flag.unit, flag.device_class) == (Role.FLAG, None, NO_CLASS)
    leak = decided("leak", True)
    assert leak.kind is Kind.BINARY_SENSOR
    text = Override(kind=Kind.SENSOR).apply(leak)
    assert (text.role, text.device_class) == (Role.STATE, NO_CLASS)
    assert value_of(text, True) == "true"
    level = Override(kind=Kind.SENSOR, unit="mm").apply(leak)
    assert (level.role, level.unit) == (Role.MEASUREMENT, "mm")
    mapped = Override(kind=Kind.SENSOR, value_map=(("true", "wet"), ("false", "dry"))).apply(leak)
    assert mapped.options == ("wet", "dry")
    assert value_of(mapped, False) == "dry"
    assert Override(kind=Kind.BINARY_SENSOR, invert=True).apply(leak).quantity == "leak"


def test_an_override_hides_a_field() -> None:
    """A hidden field makes no entity, and has no value."""
    hidden = Override(kind=Kind.IGNORE).apply(decided("temperature", 21.5))
    assert hidden.kind is Kind.IGNORE
    said = understand({"temperature": 3}, decisions={"temperature": hidden})
    assert said.values == {}


def test_a_setting_that_the_user_wants_is_shown() -> None:
    """It stays diagnostic, but is enabled."""
    automatic = decided("reportInterval", 900)
    assert not automatic.enabled
    changed = Override(name="Interval").apply(automatic)
    assert changed.enabled
    assert changed.category is Category.DIAGNOSTIC


@pytest.mark.parametrize(
    "override",
    [
        Override(),
        Override(kind=Kind.IGNORE),
        Override(device_class=NO_CLASS, unit="", role=Role.NUMBER, name="x", scale=2, offset=1),
        Override(value_map=(("0", "closed"), ("1", "open")), invert=True),
    ],
)
def test_an_override_survives_storage(override: Override) -> None:
    """As JSON and back."""
    assert Override.from_dict(override.as_dict()) == override


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({"kind": "camera"}, "kind: 'camera' is none of sensor"),
        ({"role": 3}, "role: 3 is none of"),
        ({"unit": 5}, "unit: 5 is no text"),
        ({"scale": "2"}, "scale: '2' is no number"),
        ({"scale": True}, "no number"),
        ({"offset": 1e300}, "no number"),
        ({"invert": "yes"}, "neither true nor false"),
        ({"value_map": ["a"]}, "does not map"),
        ({"colour": "red"}, "unknown: colour"),
    ],
)
def test_bad_overrides_say_what_is_wrong(data: dict[str, Any], complaint: str) -> None:
    """They come from a text that people write."""
    with pytest.raises(ValueError, match=complaint):
        Override.from_dict(data)


def test_decisions_with_overrides_are_stored() -> None:
    """Everything of a meaning survives."""
    meaning = Override(value_map=(("1", "a"), ("2", "b")), device_class="voltage").apply(
        decided("mode", 1)
    )
    assert Meaning.from_dict(meaning.as_dict()) == meaning
    assert Meaning.from_dict(replace(meaning, offset=2.0, manual=True).as_dict()).offset == 2.0


@pytest.mark.parametrize(
    ("value", "text"), [(1, "1"), (1.0, "1"), (1.5, "1.5"), (True, "true"), (" Open ", "Open")]
)
def test_codes_are_spelled_as_maps_spell_them(value: object, text: str) -> None:
    """As people write them."""
    assert spelled(value) == text
