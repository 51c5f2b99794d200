"""Other languages than English: any part of the texts; the rest falls back to English."""

from collections import defaultdict
from itertools import combinations
import json
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
import pytest

from custom_components.thethingsstack.client.rights import CONSOLE_NAMES
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.fields.decisions import BUILT_IN_NAMES
from custom_components.thethingsstack.payload import QUANTITIES
from tests.ha_fixtures import entity_id, set_up, until
from tests.simulator import Simulator
from tests.test_translations import ENTITY, FORBIDDEN, PACKAGE, TEXTS, leaves, placeholders

LANGUAGES = ("cs", "da", "de", "es", "fr", "it", "nl", "pl", "pt", "sv")
COMPLETE = ("de", "es", "fr", "it", "nl")
"""Those that have every text but the names of rights, which are the Console's."""
GLOSSARY = (PACKAGE.parent.parent / "docs" / "glossary.md").read_text("utf-8")
HEADINGS = {
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "sv": "Swedish",
}
LABEL_LENGTH = 60
"""Characters. A longer text, or one with a full stop, may say "it" for a term."""
KEPT_MARKUP = {
    "links": r"\]\([^)]*\)",
    "code": r"`[^`]*`",
    "paragraphs": r"\n\n",
    "list items": r"(?m)^- ",
}
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
def test_texts_are_english_ones(language: str) -> None:
    """Each is one of the English texts, names the same, and keeps the rules for texts."""
    english = dict(leaves(TEXTS))
    wrong = []
    for path, text in leaves(texts_of(language)):
        if path not in english:
            wrong.append(f"{path} is no English text")
            continue
        if placeholders(text) != placeholders(english[path]):
            wrong.append(f"{path} has other placeholders")
        for what, pattern in KEPT_MARKUP.items():
            if sorted(re.findall(pattern, text)) != sorted(re.findall(pattern, english[path])):
                wrong.append(f"{path} has other {what}")
        for what, pattern in FORBIDDEN.items():
            if re.search(pattern, text):
                wrong.append(f"{path} has {what}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_have_the_english_order(language: str) -> None:
    """Files that are read side by side are easy to compare and to complete."""
    paths = [path for path, _ in leaves(texts_of(language))]
    there = set(paths)
    assert paths == [path for path, _ in leaves(TEXTS) if path in there]


@pytest.mark.parametrize("language", COMPLETE)
def test_complete_languages_have_every_text(language: str) -> None:
    """Only the names of rights fall back to English: the Console has no other language."""
    rights = CONSOLE_NAMES.values()
    translatable = {path for path, text in leaves(TEXTS) if text not in rights}
    assert dict(leaves(texts_of(language))).keys() == translatable


def glossary(language: str) -> list[tuple[str, list[str], list[str]]]:
    """Return each English term, the words for it and the words that are rejected."""
    section = re.search(rf"(?ms)^## {HEADINGS[language]}$(.*?)(?=^## |\Z)", GLOSSARY)
    assert section is not None
    rows = []
    for line in re.findall(r"(?m)^\|(.*)\|$", section[1])[2:]:
        term, words, rejected = (
            [word.strip().casefold() for word in cell.split(",") if word.strip()]
            for cell in line.split("|")
        )
        assert len(term) == 1, line
        assert words, line
        rows.append((term[0], words, rejected))
    return rows


@pytest.mark.parametrize("language", LANGUAGES)
def test_terms_are_those_of_the_glossary(language: str) -> None:
    """Labels have the word for a term, but names of rights are the Console's; a rejected word is nowhere."""
    english = dict(leaves(TEXTS))
    wrong = []
    for path, text in leaves(texts_of(language)):
        original = re.sub(r"{\w+}", "", english[path]).casefold()
        text = text.casefold()
        if english[path] in CONSOLE_NAMES.values():
            continue
        label = len(original) <= LABEL_LENGTH and "." not in original
        for term, words, rejected in glossary(language):
            named = label and re.search(rf"\b{re.escape(term)}s?\b", original)
            if named and not any(word in text for word in words):
                wrong.append(f"{path}: {term!r} is none of {words}")
            wrong += [f"{path} has {word!r}" for word in rejected if word in text]
    assert not wrong, "\n".join(wrong)


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
    translated = texts_of(language)
    for category in ("config", "entity"):
        texts = await async_get_translations(hass, language, category, {DOMAIN})
        own = dict(leaves(translated.get(category, {})))
        for path, text in (dict(leaves(TEXTS[category])) | own).items():
            assert texts[f"component.{DOMAIN}.{category}.{path}"] == text
