"""Names of payload fields, cut into words, and the concepts that the words stand for."""

from functools import lru_cache
import re
from typing import NamedTuple
import unicodedata

from .shown_words import DISPLAY
from .units import GLUED, Unit, cut, normalise
from .vocabulary import CONCEPTS, UNIT_WORDS
from .words import COMPOUNDS

LONGEST_NAME = 120
_OF_SPEED = frozenset(["wind", "gust", "speed"])


class Word(NamedTuple):
    """A word of a name as it was written, and its concept ("humi" → "humidity")."""

    text: str
    concept: str


class Name(NamedTuple):
    """A name in words, and the unit that it carries."""

    words: tuple[Word, ...]
    unit: Unit | None
    concepts: tuple[str, ...]
    """The concepts of the words, in order."""


# Substances and chips: not to be cut at their digits and capitals. Fine dust by its size
# has many spellings; they all become pm1, pm25, pm4, pm10.
_ATOMS = re.compile(
    r"(?P<dust>(?:(?<![a-zA-Z])|(?<=[a-z])(?=PM))[pP][mM][\s_.-]?"
    r"(?P<size>100|10|2[._pP]?5|4[._]?0|0?1[._]0|0[._][135]|1|4)(?![0-9]))"
    r"|(?:(?<![a-zA-Z])|(?<=[a-z])(?=[A-Z])|(?<=[a-z]_))"
    r"(?P<atom>(?i:e?co2(?:eq?)?|[nos]o2|h2s|nh3|hcho|ch2o|ch4(?![a-z])|h2o|tvoc|[be]?voc|"
    r"ds18b20|pt1000|pt100|"
    r"sht\d\dx?|tmp\d+|bme?\d\d0|w1|o2|o3|ph)|ADC|LoRaWAN|LoRa|WiFi|WIFI|IPv4)(?![a-z]|[A-Z]{2})"
)
_WORDS = re.compile(
    r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+|\d+(?:\.\d+)?"
)
_BEHIND_SUBSTANCE = re.compile(
    r"(?i)(?P<substance>(?<![a-z])(?:e?co2|[ns]o2|o3|nh3|h2s|ch4|e?tvoc))(?P<word>[a-z]{2,})"
)
_LAST_RUN = re.compile(r"[a-zA-Z0-9]+$")
_ONE_LETTER = re.compile(r"(?P<word>[A-Z]{3,})(?P<letter>[CFVAW])$")
_DUST = {
    "1": "pm1",
    "1.0": "pm1",
    "01.0": "pm1",
    "4": "pm4",
    "4.0": "pm4",
    "40": "pm4",
    "10": "pm10",
    "2.5": "pm25",
    "25": "pm25",
    "100": "pm100",
}


# Letters that no accent can be taken off.
_UNDECOMPOSED = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "æ": "ae", "ß": "ss", "đ": "d"}
)


@lru_cache(maxsize=4096)
def parts_of(word: str) -> tuple[Word, ...]:
    """Return what a lower-case word stands for; a compound of known words is taken apart."""
    known = CONCEPTS.get(word)
    if known is None:
        parts = _compound(word) if len(word) >= 5 and word.isalpha() else None
        if parts is None:
            return (Word(word, word),)
        return tuple(Word(part, concept) for part in parts for concept in CONCEPTS[part])
    if len(known) == 1:
        return (Word(word, known[0]),)
    return tuple(Word(DISPLAY.get(concept, concept), concept) for concept in known)


def _compound(word: str) -> tuple[str, ...] | None:
    """Take "batteryvoltage" apart into as few known words as there are."""
    best: list[tuple[str, ...] | None] = [()]
    for end in range(1, len(word) + 1):
        found: tuple[str, ...] | None = None
        for start in range(max(0, end - 16), end - 1):
            before = best[start]
            part = word[start:end]
            if before is None or len(part) < 3 or part not in CONCEPTS:
                continue
            if found is None or len(before) + 1 < len(found):
                found = (*before, part)
        best.append(found)
    parts = best[-1]
    return None if parts is None or len(parts) < 2 else parts


def _plain(text: str) -> str:
    """Return the text without accents."""
    if text.isascii():
        return text
    text = text.translate(_UNDECOMPOSED)
    return "".join(
        char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char)
    )


def _split(text: str) -> list[str]:
    parts: list[str] = []
    last = 0
    for match in _ATOMS.finditer(text):
        parts += _WORDS.findall(text[last : match.start()])
        if size := match["size"]:
            parts.append(
                _DUST.get(size.casefold().replace("_", ".").replace("p", "."), "particles")
            )
        else:
            parts.append(match["atom"])
        last = match.end()
    return parts + _WORDS.findall(text[last:])


@lru_cache(maxsize=8192)
def words_of(name: str) -> Name:
    """Return the words of a name, in order, without the unit that it may carry."""
    text, unit = cut(_BEHIND_SUBSTANCE.sub(_set_apart, name[:LONGEST_NAME]))
    text = _plain(text)
    if unit is None:
        text, unit = _cut_glued(text)
    words: list[Word] = []
    split = _split(text)
    if (
        len(split) > 1
        and text.isalpha()
        and text.casefold() in CONCEPTS
        and not any(part.casefold() in CONCEPTS for part in split)
    ):
        split = [text]  # "cosPhi", "LAeq"
    for part in _joined(split):
        parts = parts_of(part.casefold())
        words += [Word(part, parts[0].concept)] if len(parts) == 1 else parts
    unit = unit or _unit_word(words)
    return Name(tuple(words), unit, tuple(word.concept for word in words))


def _joined(parts: list[str]) -> list[str]:
    """Return the parts of a name, a letter joined to the next where that is a word: "vBat"."""
    joined: list[str] = []
    for part in parts:
        before = joined[-1] if joined else ""
        if len(before) == 1 and before in "vwiup" and (before + part).casefold() in COMPOUNDS:
            joined[-1] = before + part
        else:
            joined.append(part)
    return joined


def _set_apart(match: re.Match[str]) -> str:
    """Return a substance and a known word behind it with a separator: "CO2_MAX"."""
    substance, word = match["substance"], match["word"]
    known = word.casefold() in CONCEPTS or word.casefold() in GLUED
    return f"{substance}_{word}" if known else match[0]


def _is_known(text: str) -> bool:
    """Return whether a name, or at least its last word, is in the vocabulary."""
    folded = text.casefold()
    if folded in CONCEPTS or (folded.isalpha() and _compound(folded) is not None):
        return True
    parts = _split(text)
    last = parts[-1].casefold() if parts else ""
    return last in CONCEPTS and len(last) > 1


def _cut_glued(text: str) -> tuple[str, Unit | None]:
    """Return a name without the unit that is glued to its last word: "energyKWH", "co2ppm"."""
    run = _LAST_RUN.search(text)
    if run is None or run[0].casefold() in CONCEPTS:
        return text, None
    folded = run[0].casefold()
    if folded.isalpha() and _compound(folded) is not None:
        return text, None
    for spelling in GLUED:
        rest = run[0][: -len(spelling)]
        if folded.endswith(spelling) and len(rest) > 1 and _is_known(rest):
            ending = run[0][len(rest) :]
            exact = None if ending.isupper() else normalise(ending)
            return text[: -len(spelling)], exact or normalise(spelling)
    if (match := _ONE_LETTER.search(run[0])) and match["word"].casefold() in CONCEPTS:
        known = UNIT_WORDS.get(match["letter"].casefold())
        if known is not None and known[0].intersection(CONCEPTS[match["word"].casefold()]):
            return text[:-1], Unit(known[1])
    return text, None


def _unit_word(words: list[Word]) -> Unit | None:
    """Take a word off that is a unit for what stands before it ("temp C", "bat V")."""
    for index in range(len(words) - 1, 0, -1):
        known = UNIT_WORDS.get(words[index].text.casefold())
        if known is None:
            continue
        quantities, symbol = known
        # Behind other words only directly after its quantity: "TempC DS", not "Temp probe C2".
        before = words[:index] if index == len(words) - 1 else words[index - 1 : index]
        concepts = {word.concept for word in before}
        if quantities & concepts:
            del words[index]
            return Unit(symbol)
        if words[index].text.casefold() == "ms" and concepts & _OF_SPEED:
            del words[index]
            return Unit("m/s")
    return None
