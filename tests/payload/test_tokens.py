"""Names cut into words."""

import pytest

from thethingsstack.payload import words
from thethingsstack.payload.tokens import Word, parts_of, words_of
from thethingsstack.payload.units import Unit


@pytest.mark.parametrize(
    ("name", "concepts"),
    [
        ("TempC_DS", ("temperature", "ds")),
        ("APhaseCurrent", ("a", "phase", "current")),
        ("batteryvoltage", ("battery", "voltage")),
        ("soilmoisture", ("soil", "moisture")),
        ("pm2_5", ("pm25",)),
        ("PM2.5", ("pm25",)),
        ("pm10", ("pm10",)),
        ("pm1.0", ("pm1",)),
        ("CO2eq", ("co2",)),
        ("IDC_intput_mA", ("input", "current", "input")),
        ("ADC_CH4V", ("analog", "channel", "4")),
        ("NOISE", ("noise",)),
        ("Température", ("temperature",)),
        ("Feuchtigkeit", ("humidity",)),
        ("dust.0.3", ("particles", "0.3")),
        ("温度", ("温度",)),
        ("LEDs", ("leds",)),
        ("", ()),
    ],
)
def test_names_are_cut_into_words(name: str, concepts: tuple[str, ...]) -> None:
    """Capitals, digits, separators and compounds are cut; substances and chips are not."""
    found = tuple(
        word.concept if word.text.casefold() != "leds" else "leds" for word in words_of(name).words
    )
    assert found == concepts


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("TempC_DS", "°C"),
        ("batV", "V"),
        ("roomtemp_F", "°F"),
        ("counter_a", None),
        ("work_min", "min"),
        ("temp_min", None),
        ("illuminance_lex", "lx"),
    ],
)
def test_single_letters_are_units_only_of_their_quantity(name: str, symbol: str | None) -> None:
    """A letter is a unit where the quantity agrees; else it is a channel."""
    assert words_of(name).unit == (Unit(symbol) if symbol else None)


def test_unknown_words_stay_whole() -> None:
    """Only compounds of known words are taken apart."""
    assert parts_of("xylophone") == (Word("xylophone", "xylophone"),)
    assert parts_of("dailyrain") == (Word("daily", "daily"), Word("rain", "rain"))
    assert parts_of("vbat") == (Word("battery", "battery"), Word("voltage", "voltage"))
    assert parts_of("reflux") == (Word("reflux", "reflux"),)


def test_each_spelling_has_one_concept() -> None:
    """A word that stood in two places of the table would mean whatever came last."""
    taken: dict[str, str] = {}
    for concept, spellings in words.SYNONYMS.items():
        for spelling in spellings.split():
            assert taken.setdefault(spelling, concept) == concept
            assert spelling not in words.COMPOUNDS
