"""What a single value of a payload says: a number, a truth, a time, a text, or nothing."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from functools import lru_cache
from math import isfinite
import re
from typing import NamedTuple

from .types import Position
from .units import Unit, normalise

MAX_TEXT = 255
HUGE = 1e15
"""Numbers beyond are memory garbage (3.4e38) and not measured."""


class Shape(Enum):
    """What a value looks like."""

    ABSENT = "absent"
    BOOL = "boolean"
    WORD = "word for on or off"
    NUMBER = "number"
    TIME = "time"
    POSITION = "position"
    TEXT = "text"
    LONG = "too long"


class Reading(NamedTuple):
    """A value as read, without knowing what it means."""

    shape: Shape
    value: float | int | str | bool | datetime | Position | None = None
    unit: Unit | None = None


ABSENT = Reading(Shape.ABSENT)

_ABSENT_WORDS = frozenset(
    {
        "",
        "null",
        "none",
        "nan",
        "n/a",
        "na",
        "-",
        "--",
        "---",
        "undefined",
        "unknown",
        "invalid",
        "no sensor",
        "nosensor",
        "no_sensor",
        "not available",
        "unavailable",
        "not connected",
        "no data",
        "nodata",
        "error",
        "sensor error",
        "distance error",
        "sensor disconnected",
        "not_available",
        "inf",
        "out of range",
        "overflow",
        "underflow",
        "not used",
        "unused",
        "not present",
        "no value",
        "-inf",
        "infinity",
        "-infinity",
        "invalid value",
        "not measured",
        "void",
        "nil",
    }
)
_NO_SENSOR = re.compile(
    r"(?:de|dis|un)connected (?:sensor|probe)|(?:sensor|probe) (?:(?:de|dis)connected|missing|absent"
    r"|fault|failure|not found)|(?:no|without|missing) (?:probe|measurement|reading|signal|fix)"
)
_NOT_YET = re.compile(
    r"(?:(?:sensor|probe) )?(?:is )?(?:pre|warm(?:ing)? ?|heating|initiali[sz]|calibrating|calculating|starting|waiting|pending"
    r"|measuring|stabili[sz]ing|booting|loading|in progress|not ready|not yet|please wait|busy)"
    r"(?:[ -]?(?:heating|up|ing|ed|ation))?(?: .*)?\.*"
)
_HEXADECIMAL_FULL_SCALE = re.compile(r"0x(?:f+|7f+|80+)")

# Words for on and off. The plain ones decide by themselves, the others only where the
# name says that there is something to be on or off.
_PLAIN_PAIRS = """
    on/off true/false yes/no open/closed open/close opened/closed ja/nein oui/non wahr/falsch
    vrai/faux an/aus ein/aus ouvert/fermé ouvert/ferme ouverte/fermée offen/geschlossen offen/zu
    abierto/cerrado si/no sí/no aperto/chiuso acceso/spento encendido/apagado verdadero/falso
    vero/falso marche/arrêt aan/uit waar/onwaar open/dicht open/gesloten aberto/fechado
    ligado/desligado sim/não abierta/cerrada aperta/chiusa aberta/fechada verdadeiro/falso på/av
    öppen/stängd ja/nej tak/nie otwarty/zamknięty otwarte/zamknięte ano/ne otevřeno/zavřeno
    otevreno/zavreno otwarty/zamkniety otwarte/zamkniete åben/lukket auki/kiinni áno/nie
    igen/nem kyllä/ei evet/hayir
"""
_OTHER_PAIRS = """
    y/n high/low hi/lo h/l alarm/normal alarm/ok alert/normal leak/noleak leak/no_leak
    leaking/dry wet/dry move/still moving/still moving/stationary moving/static motion/still
    motion/idle occupied/free occupied/vacant occupied/unoccupied occupied/empty present/absent
    detected/clear detected/undetected detected/not_detected connect/disconnect
    connected/disconnected active/inactive activated/deactivated enabled/disabled enable/disable
    pressed/released triggered/idle triggered/untriggered triggered/clear fault/ok failure/ok
    error/ok low/ok locked/unlocked water/dry water/no_water fire/normal smoke/normal
    tampered/normal tamper/normal leakage/normal flood/dry running/stopped up/down set/unset
    charging/discharging start/stop started/stopped trigger/idle trigger/normal
    uninstalled/installed tampered/untampered abnormal/normal wet/dry flooded/dry
    charging/not_charging present/not_present opened/shut vibrating/still alarm/none
    detected/none leak/none locked/open detected/keine detected/kein detected/aucun detected/aucune
    detected/geen detected/nessuna detected/ninguna detected/ingen belegt/frei besetzt/frei occupé/libre ocupado/libre
    occupato/libero bezet/vrij bewegung/ruhe nass/trocken nat/droog
"""
_NEGATIONS = (
    *("no ", "not ", "non ", "kein ", "keine ", "nicht ", "pas ", "pas de ", "aucun ", "aucune "),
    *("sin ", "geen ", "niet ", "nessun ", "nessuna ", "ingen ", "brak "),
)


def _truths(pairs: str) -> dict[str, bool]:
    truths: dict[str, bool] = {}
    for pair in pairs.split():
        on, off = pair.replace("_", " ").split("/")
        truths.setdefault(on, True)
        truths.setdefault(off, False)
    return truths


PLAIN_WORDS = _truths(_PLAIN_PAIRS)
# "low" is on for a battery's warning and off for an input: the field's reader decides.
OTHER_WORDS = {**_truths(_OTHER_PAIRS), "1": True, "0": False, "none": False} | PLAIN_WORDS

_NUMBER = re.compile(
    r"([+-]?(?:\d+(?:[.,]\d+)*|[.,]\d+)(?:[eE][+-]?\d{1,3})?)[,;]?\s*([^\d\s].{0,23})?"
)
_IDENTIFIER = re.compile(r"0\d+|\d{13,}")
_LONGEST_NUMBER = 48
_REMARK = re.compile(r"(?<=[\d\w%])\s*\([^()]*[a-z]{3}[^()]*\)$")
_UNITLESS = frozenset(["ph", "counts", "count", "pulses", "times", "people"])
_PAIR = re.compile(r"\s*([+-]?\d{1,3}\.\d+)\s*[,;]\s*([+-]?\d{1,3}\.\d+)\s*")
_DATE = re.compile(
    r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})"
    r"(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?\s*(?:Z|UTC|GMT)?"
)
_DATE_BACKWARDS = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:\s+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_LOOKS_LIKE_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2} [A-Z][a-z]{2}"
)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def says_not_yet(text: str) -> bool:
    """Return whether a text says that a value will come: "Warming up", "Preheating"."""
    return _NOT_YET.fullmatch(text.strip().casefold()) is not None


def truth_of(text: str) -> bool | None:
    """Return what a word for a state says, for fields known to have just two."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    for written in (text, spaced):
        word = " ".join(written.casefold().replace("_", " ").replace("-", " ").split())
        truth = OTHER_WORDS.get(word)
        if truth is not None:
            return truth
        negation = next((start for start in _NEGATIONS if word.startswith(start)), None)
        if negation is not None:
            return OTHER_WORDS.get(word.removeprefix(negation)) is False
    for short in ("no", "not", "un"):
        if word.startswith(short) and OTHER_WORDS.get(word.removeprefix(short)) is True:
            return False
    return None


def _number_in(digits: str) -> float | int | None:
    """Return the number in digits with dots or commas, whichever is the decimal one."""
    if "," in digits:
        if "." in digits:
            # The last one is the decimal separator, the others group thousands.
            decimal = max(",.", key=digits.rfind)
            group = "," if decimal == "." else "."
            if digits.count(decimal) > 1:
                return None
            digits = digits.replace(group, "").replace(",", ".")
        elif digits.count(",") == 1:
            digits = digits.replace(",", ".")
        else:
            digits = digits.replace(",", "")
    if digits.count(".") > 1:
        return None
    try:
        number = float(digits)
    except ValueError:  # pragma: no cover - the pattern lets nothing else through
        return None
    if not isfinite(number) or abs(number) >= HUGE:
        return None
    return int(number) if digits.lstrip("+-").isdecimal() else number


@lru_cache(maxsize=2048)
def parse_number(text: str) -> tuple[float | int, Unit | None] | None:
    """Return the number that a text is, and its unit ("23,5 °C"); None where it isn't one."""
    if len(text) > _LONGEST_NUMBER:
        return None
    text = _REMARK.sub("", text.strip())  # "2.3(low battery)"
    match = _NUMBER.fullmatch(text)
    if match is None or _IDENTIFIER.fullmatch(match[1]):
        return None
    unit = None
    if match[2] is not None:
        unit = normalise(match[2])
        if match[2].casefold() in _UNITLESS:
            unit = None
        elif unit is None or unit.symbol is None:
            return None
    number = _number_in(match[1])
    return None if number is None else (number, unit)


def _moment(year: str, month: str, day: str, *clock: str | None) -> datetime | None:
    hour, minute, second = (int(part or 0) for part in clock)
    try:
        moment = datetime(int(year), int(month), int(day), hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return moment if _EARLIEST <= moment < _LATEST else None


@lru_cache(maxsize=512)
def parse_time(text: str) -> datetime | None:
    """Return the moment that a text names (ISO 8601, RFC 2822 …); UTC where it has no zone."""
    if len(text) > _LONGEST_NUMBER or not _LOOKS_LIKE_DATE.search(text):
        return None
    text = text.strip()
    if match := _DATE.fullmatch(text):
        return _moment(match[1], match[3], match[4], *match.groups()[4:])
    if match := _DATE_BACKWARDS.fullmatch(text):
        return _moment(match[3], match[2], match[1], *match.groups()[3:])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError):
            return None
    try:
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if _EARLIEST <= moment < _LATEST else None


def epoch(number: float) -> datetime | None:
    """Return the moment of a count of seconds or milliseconds since 1970; None for other clocks."""
    if 1e12 <= number < 4.1e12:
        number /= 1000
    if not 946_684_800 <= number < 4_102_444_800:
        return None
    return datetime.fromtimestamp(number, UTC)


# Where trackers of several makers are before they have a fix.
_NO_FIX = frozenset({(90, 180), (-90, -180), (90, -180), (-90, 180), (1, 1), (-1, -1), (90, 0)})


def position(latitude: float | None, longitude: float | None) -> Position | None:
    """Return a position on Earth; with a coordinate of exactly 0 a receiver has no fix."""
    if latitude is None or longitude is None:
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    if latitude == 0 or longitude == 0 or (latitude, longitude) in _NO_FIX:
        return None
    return Position(float(latitude), float(longitude))


@lru_cache(maxsize=2048)
def _read_text(text: str) -> Reading:
    stripped = text.strip()
    word = stripped.casefold()
    if (
        word in _ABSENT_WORDS
        or _NO_SENSOR.fullmatch(word)
        or _HEXADECIMAL_FULL_SCALE.fullmatch(word)
    ):
        return ABSENT
    if word in PLAIN_WORDS:
        return Reading(Shape.WORD, PLAIN_WORDS[word])
    if (number := parse_number(stripped)) is not None:
        return Reading(Shape.NUMBER, *number)
    if match := _PAIR.fullmatch(stripped):
        found = position(float(match[1]), float(match[2]))
        if found is not None:
            return Reading(Shape.POSITION, found)
    if (moment := parse_time(stripped)) is not None:
        return Reading(Shape.TIME, moment)
    return Reading(Shape.TEXT, stripped)


def read(raw: object) -> Reading:
    """Return what a JSON value says by itself; lists and objects say nothing."""
    if isinstance(raw, bool):
        return Reading(Shape.BOOL, raw)
    if isinstance(raw, int | float):
        if -HUGE < raw < HUGE:
            return Reading(Shape.NUMBER, raw)
        return ABSENT
    if isinstance(raw, str):
        return _read_text(raw) if len(raw) <= MAX_TEXT else Reading(Shape.LONG)
    return ABSENT


def number_of(raw: object) -> float | int | None:
    """Return the number that a value is, as a number or as text; None for anything else."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int | float):
        return raw if -HUGE < raw < HUGE else None
    if isinstance(raw, str):
        found = parse_number(raw)
        return None if found is None else found[0]
    return None


_DECIMALS = re.compile(r"[+-]?\d*[.,](\d+)")


def decimals(raw: object) -> int | None:
    """Return how many decimals a number has; None for integers."""
    text = raw.strip() if isinstance(raw, str) else repr(raw) if isinstance(raw, float) else ""
    match = _DECIMALS.match(text)
    if match is None or "e" in text.casefold():
        return None
    digits = len(match[1])
    if isinstance(raw, float) and match[1] == "0":
        return None
    return digits
