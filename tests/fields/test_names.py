"""Names speak the language of Home Assistant where all of their words are known."""

from dataclasses import replace

import pytest

from custom_components.thethingsstack.fields.names import FieldNames
from custom_components.thethingsstack.payload import Meaning, understand
from tests.test_languages import texts_of
from tests.test_translations import leaves


def names_in(language: str) -> FieldNames:
    """Return the names of a language, as its file has them."""
    texts = leaves(texts_of(language))
    return FieldNames({f"component.thethingsstack.{path}": text for path, text in texts})


def decided(key: str) -> Meaning:
    """Return what an uplink with this field makes of it."""
    return understand({key: 21.5}, decisions={}).new[key]


@pytest.mark.parametrize(
    ("language", "key", "name"),
    [
        ("da", "soil_temperature", "Jordtemperatur"),
        ("de", "TempC_DS", "Temperatur DS"),
        ("de", "TempC1", "Temperatur 1"),
        ("de", "temperature", "Temperatur"),
        ("de", "outside_temperature", "Temperatur außen"),
        ("de", "max_outside_temperature", "Temperatur max außen"),
        ("de", "channel_2_voltage", "Spannung Kanal 2"),
        ("de", "probe_temperature_2", "Temperatur der Sonde 2"),
        ("de", "attic_temperature", "Attic temperature"),
        ("de", "strange_thing", "Strange thing"),
        ("fr", "outside_temperature", "Température à l'extérieur"),
        ("fr", "temperature", "Température"),
        ("it", "soil_temperature_2", "Temperatura del suolo 2"),
        ("nl", "energy_import_kwh", "Energie afgenomen"),
        ("cs", "soil_temperature_2", "Teplota půdy 2"),
        ("pl", "soil_temperature_2", "Temperatura gleby 2"),
        ("pt", "outside_temperature", "Temperatura no exterior"),
        ("sv", "outside_temperature_2", "Temperatur ute 2"),
    ],
)
def test_a_name_is_in_one_language(language: str, key: str, name: str) -> None:
    """A quantity and known words; with any other word all of it stays English."""
    assert names_in(language).shown(decided(key)) == name


def test_without_texts_names_are_english() -> None:
    """As in a language that there is no file of."""
    assert FieldNames({}).shown(decided("temperature")) == "Temperature"
    assert FieldNames({}).shown(decided("outside_temperature")) == "Outside temperature"


def test_only_a_name_of_its_own_is_set() -> None:
    """Home Assistant translates the quantity's name by its key."""
    assert names_in("fr").own(decided("temperature")) is None


def test_a_given_name_stays() -> None:
    """Users know their language."""
    assert names_in("de").shown(decided("TempC_DS"), "My temperature") == "My temperature"


def test_only_whole_words_are_translated() -> None:
    """A counter is not a count with an ending."""
    names = names_in("de")
    field = replace(decided("temperature"), quantity="count")
    assert names.shown(replace(field, name="Count 1")) == "Anzahl 1"
    assert names.shown(replace(field, name="Counter 1")) == "Counter 1"
    assert names.shown(replace(field, name="Door count 1")) == "Door count 1"
