"""Other languages than English: the names and states of entities; the rest falls back to English."""

from collections import defaultdict
from itertools import combinations
import json
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
import pytest

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.fields.decisions import BUILT_IN_NAMES
from custom_components.thethingsstack.payload import QUANTITIES
from tests.ha_fixtures import entity_id, set_up, until
from tests.simulator import Simulator
from tests.test_translations import ENTITY, FORBIDDEN, PACKAGE, TEXTS, leaves, placeholders

LANGUAGES = ("de", "es", "fr", "it", "nl")
GREENHOUSE = "garden/A84041000181C061"


def texts_of(language: str) -> dict[str, Any]:
    """Return what a language's file says."""
    texts: dict[str, Any] = json.loads(
        (PACKAGE / "translations" / f"{language}.json").read_text("utf-8")
    )
    return texts


def test_files_are_these_languages() -> None:
    """A new file is held to what is said here, too."""
    files = {path.stem for path in (PACKAGE / "translations").iterdir()}
    assert files == {"en", *LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_those_of_entities(language: str) -> None:
    """Each is one of the English texts, names the same, and keeps the rules for texts."""
    texts = texts_of(language)
    assert set(texts) == {"entity", "selector"}
    assert set(texts["selector"]) == {"field_word"}
    english = dict(leaves(TEXTS))
    for path, text in leaves(texts):
        assert path in english, path
        assert placeholders(text) == placeholders(english[path]), path
        for what, pattern in FORBIDDEN.items():
            assert not re.search(pattern, text), f"{path} has {what}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_quantity_is_translated(language: str) -> None:
    """Names of fields are made of them."""
    entity = texts_of(language)["entity"]
    missing = {
        key
        for key, quantity in QUANTITIES.items()
        if "name" not in entity[quantity.kind].get(key, {})
    }
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_beside_a_quantity_is_translated(language: str) -> None:
    """Else names would be in two languages; two words never come out as the same."""
    english = TEXTS["selector"]["field_word"]["options"]
    words = texts_of(language)["selector"]["field_word"]["options"]
    assert words.keys() == english.keys()
    for text in words.values():
        assert text.startswith("{name} "), text
    same = {("max", "maximum"), ("min", "minimum")}
    for (one, text), (other, other_text) in combinations(words.items(), 2):
        assert text != other_text or (one, other) in same, (one, other)


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_fit_into_longer_ones(language: str) -> None:
    """Plain noun phrases: nothing in brackets, no punctuation at the ends, a capital first letter."""
    entity = texts_of(language)["entity"]
    for key, quantity in QUANTITIES.items():
        name = entity[quantity.kind][key]["name"]
        assert name == "pH" or name[0].isupper(), name
        assert name[-1].isalnum(), name
        assert not set(name) & set("()[]/:;"), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_different_names_stay_different(language: str) -> None:
    """Two entities of an end device, told apart in English, are told apart in each language."""
    entity = texts_of(language)["entity"]
    english: dict[str, set[str]] = defaultdict(set)
    for platform, keys in ENTITY.items():
        for key, texts in keys.items():
            name = texts["name"]
            if key in QUANTITIES or name.casefold() in BUILT_IN_NAMES:
                translated = entity[platform].get(key, {}).get("name", name)
                english[translated.casefold()].add(name.casefold())
    assert not {name: both for name, both in english.items() if len(both) > 1}


async def test_entities_have_german_names(hass: HomeAssistant, sim: Simulator) -> None:
    """The recorded greenhouse sensor in a German Home Assistant."""
    hass.config.language = "de"
    entry = await set_up(hass, sim)
    await sim.uplink(
        "greenhouse-climate",
        decoded={"BatV": 3.062, "Hum_SHT": 37.4, "TempC_DS": 27.81, "TempC_SHT": 28.29},
    )
    await until(hass, lambda: entry.runtime_data.counters.uplinks_today >= 1)
    await hass.async_block_till_done()
    names = {}
    for key in ("field/BatV", "field/Hum_SHT", "field/TempC_DS", "field/TempC_SHT", "last_uplink"):
        state = hass.states.get(entity_id(hass, "sensor", f"{GREENHOUSE}/{key}"))
        assert state is not None
        names[key] = state.name
    assert names == {
        "field/BatV": "Greenhouse climate Batteriespannung",
        "field/Hum_SHT": "Greenhouse climate Luftfeuchtigkeit",
        "field/TempC_DS": "Greenhouse climate Temperatur der Sonde",
        "field/TempC_SHT": "Greenhouse climate Temperatur",
        "last_uplink": "Greenhouse climate Letzter Uplink",
    }


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_rest_is_english(hass: HomeAssistant, language: str) -> None:
    """What a file lacks, Home Assistant says in English; what it has, it takes."""
    title = f"component.{DOMAIN}.config.step.user.title"
    texts = await async_get_translations(hass, language, "config", {DOMAIN})
    assert texts[title] == TEXTS["config"]["step"]["user"]["title"]
    texts = await async_get_translations(hass, language, "entity", {DOMAIN})
    for path, text in leaves(texts_of(language)["entity"]):
        assert texts[f"component.{DOMAIN}.entity.{path}"] == text
