"""Names speak the language of Home Assistant where the quantity is known."""

from dataclasses import replace

import pytest

from custom_components.thethingsstack.fields.names import FieldNames
from custom_components.thethingsstack.payload import Meaning, understand

PREFIX = "component.thethingsstack.entity.sensor"
GERMAN = {f"{PREFIX}.temperature.name": "Temperatur", f"{PREFIX}.count.name": "Anzahl"}
FRENCH = {f"{PREFIX}.soil_moisture.name": "Humidité du sol", f"{PREFIX}.temperature.name": "Température"}  # fmt: skip


def decided(key: str) -> Meaning:
    """Return what an uplink with this field makes of it."""
    return understand({key: 21.5}, decisions={}).new[key]


@pytest.mark.parametrize(
    ("language", "texts", "key", "name"),
    [
        ("en", {}, "TempC_DS", "Temperature DS"),
        ("de", GERMAN, "TempC_DS", "Temperatur DS"),
        ("de", GERMAN, "outside_temperature", "Outside Temperatur"),
        ("fr", FRENCH, "outside_temperature", "Outside température"),
        ("fr", FRENCH, "temperature", "Température"),
        ("fr", {}, "temperature", "Temperature"),
        ("de-CH", GERMAN, "strange_thing", "Strange thing"),
    ],
)
def test_the_quantity_is_translated_inside_the_name(
    language: str, texts: dict[str, str], key: str, name: str
) -> None:
    """What the formatter's author called it stays."""
    assert FieldNames(language, texts).shown(decided(key)) == name


def test_only_a_name_of_its_own_is_set() -> None:
    """Home Assistant translates the quantity's name by its key."""
    assert FieldNames("fr", FRENCH).own(decided("temperature")) is None


def test_a_given_name_stays() -> None:
    """Users know their language."""
    names = FieldNames("de", GERMAN)
    assert names.shown(decided("TempC_DS"), "My temperature") == "My temperature"


def test_only_whole_words_are_translated() -> None:
    """A counter is not a count with an ending."""
    names = FieldNames("de", GERMAN)
    field = replace(decided("temperature"), quantity="count")
    assert names.shown(replace(field, name="Door count 1")) == "Door Anzahl 1"
    assert names.shown(replace(field, name="Door counter")) == "Door counter"
