"""Human names of fields: a function of the field's own keys and quantity, nothing else."""

from functools import lru_cache
import re

from .quantities import QUANTITIES
from .shown_words import SPELLED_OUT
from .tokens import Word, words_of
from .vocabulary import CONCEPTS, word_set

LONGEST = 80
_WRAPPERS = word_set("""
    bytes payload payloads data decoded decoder_output values value measurements measurement
    frames readings reading status states meas object result results listofmeasurements
    message messages obis_ids sensors sensordata uplink fields decodedpayload payloadfields
    list items entries elements samples telemetry measures records channels_
    registers general_info header msginfo val states
""")
# What a quantity's name says anyway.
_SAID = frozenset({"value", "percent", "relative", "gps_"})
# What says nothing more at the end of a name: "light intensity", but "sensor 2".
_EMPTY_ENDS = frozenset({"intensity", "gauge", "sensor", "level"})
_AXES = frozenset(["x", "y", "z"])
# In capitals they stand for other things as often: the state of an LED, an area network.
_ABBREVIATIONS = frozenset(["LON", "LAT"])
# What a flag's states say, so that its name needn't: "Fix: problem", not "Fix failed: OK".
_FAILED = frozenset({"failed", "failing"})
# Quantities too general for their name to stand for the field's own words.
_GENERAL = frozenset(
    ("fault", "problem", "alarm", "error_code", "level", "count", "pulses", "people")
)
# Dots cut a name into steps, except in numbers ("dust.0.5") and after "pm" ("pm.2.5").
_STEP = re.compile(r"(?<!\d)(?<!pm)(?<!PM)\.|\.(?!\d)")


@lru_cache(maxsize=8192)
def steps_of(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the steps of a path that say something: the last one is the field itself."""
    steps = [step for step in _STEP.split(".".join(keys)) if step.strip()]
    kept = [step for step in steps[:-1] if step.casefold() not in _WRAPPERS]
    if not steps:
        return ()
    last = steps[-1]
    if last.casefold() in _WRAPPERS and kept:
        return tuple(kept)
    if last.isdecimal() and len(steps) > 1 and not kept:
        return (steps[-2], last)
    return (*kept, last)


def _shown(word: Word) -> str:
    text = word.text
    lower = text.casefold()
    if text in _ABBREVIATIONS:
        return text
    if lower in SPELLED_OUT:
        return SPELLED_OUT[lower]
    if lower in ("x", "y", "z") or word.concept == "chip":
        return text.upper()
    if text.isupper() and (len(text) <= 2 or any(char.isdecimal() for char in text)):
        return text
    if text.isupper() and len(text) <= 4 and lower not in CONCEPTS:
        return text
    if any(char.isdecimal() for char in text) or (text[:1].islower() and not text.islower()):
        return text
    return lower


def _sentence(words: list[str]) -> str:
    """Return words as a name: without repetition, the first letter capital."""
    kept: list[str] = []
    for word in words:
        if not kept or word.casefold() != kept[-1].casefold():
            kept.append(word)
    text = " ".join(kept)[:LONGEST].strip()
    if text.startswith("pH"):
        return text
    return text[:1].upper() + text[1:]


def all_words(keys: tuple[str, ...]) -> list[Word]:
    """Return the words of all steps that say something."""
    return [word for step in steps_of(keys) for word in words_of(step).words]


@lru_cache(maxsize=4096)
def plain_name(keys: tuple[str, ...]) -> str:
    """Return the name of a field whose quantity is not known."""
    words = [_shown(word) for word in all_words(keys)]
    if not words:
        words = [" ".join(re.sub(r"[\W_]+", " ", key).split()) for key in keys]
    return _sentence([word for word in words if word]) or "Value"


@lru_cache(maxsize=4096)
def quantity_name(keys: tuple[str, ...], quantity: str, used: frozenset[str]) -> str | None:
    """Return a quantity's name with the field's other words ("Temperature 2"); None without such.

    `used`: the concepts that the quantity's own name stands for.
    """
    if quantity in _GENERAL:
        name = plain_name(keys)
        if quantity in ("fault", "problem"):
            name = _without_failed(name)
        if quantity in ("count", "pulses", "people") and used.issuperset(
            word.concept for word in all_words(keys)
        ):
            return None
        return None if name.casefold() == QUANTITIES[quantity].name.casefold() else name
    own = QUANTITIES[quantity].name
    own_words = {word.casefold() for word in own.replace("-", " ").split()}
    if quantity == "wind_gust":
        own_words.add("speed")
    words = all_words(keys)
    before: list[str] = []
    after: list[str] = []
    found = False
    for word in words:
        if word.concept in used and word.text.casefold() not in _AXES:
            found = True
        elif word.concept in _SAID or _shown(word).casefold() in own_words:
            continue
        else:
            (after if found else before).append(_shown(word))
    if not found:
        return plain_name(keys) if before else None
    while after and after[-1].casefold() in _EMPTY_ENDS:
        after.pop()
    if not before and not after:
        return None
    name = own if own == "pH" or own.isupper() or not before else _lower_first(own)
    return _sentence([*before, name, *after])


def _without_failed(name: str) -> str:
    """Return the name of what has failed; unchanged where that would be the name of its value."""
    rest = _sentence([word for word in name.split() if word.casefold() not in _FAILED])
    is_value = any(rest.casefold() == known.name.casefold() for known in QUANTITIES.values())
    return name if not rest or is_value else rest


def _lower_first(text: str) -> str:
    """Return a name as it stands inside a longer one; abbreviations stay."""
    first = text.split(" ", 1)[0]
    if sum(char.isupper() for char in first) > 1 or any(char.isdecimal() for char in first):
        return text
    return text[:1].lower() + text[1:]
