"""Rules from a field's name and value to its meaning; the first that knows decides."""

from collections.abc import Callable
from functools import lru_cache
import re

from . import exclusions
from .battery import battery
from .counters import counts_on
from .default_units import default_unit, is_assumed
from .evidence import Evidence, Verdict
from .flags import flag, unknown_flag
from .name_parts import parts_of_name
from .quantities import BY_UNIT, INSTEAD, QUANTITIES, UNITS_OF_CLASS
from .tokens import words_of
from .types import UNDECIDED, Category, Kind, Role
from .units import factor
from .values import OTHER_WORDS, Shape
from .vocabulary import (
    BY_FULL_NAME,
    CODE_HEADS,
    COUNT_HEADS,
    LEADING,
    NUMBER_RULES,
    OVERHEAD,
    OVERHEAD_NAMES,
    PLAIN_HEADS,
    Rule,
    holding,
    word_set,
)

GASES = frozenset(
    [
        "carbon_monoxide",
        "carbon_dioxide",
        "nitrogen_dioxide",
        "nitrogen_monoxide",
        "ozone",
        "sulphur_dioxide",
        "ammonia",
        "hydrogen_sulphide",
    ]
)


@lru_cache(maxsize=4096)
def _match(rules: tuple[Rule, ...], keys: tuple[str, ...]) -> tuple[Rule, frozenset[str]] | None:
    """Return the first rule about the name's head; else about its own step; else about the path."""
    name = parts_of_name(keys)
    held = holding(rules, name.concepts)
    for about in (frozenset({name.head}), name.leaf_concepts):
        for rule, found in held:
            if found & about:
                return rule, found
    return held[0] if held else None


_YES_OR_NO = frozenset(["y", "n"])
# Names of what says why or how: a state there is none of the end device.
_CAUSES = word_set("mode type event code id trigger source origin")
# Texts that are one of two states by themselves, whatever the name.
_STATE_WORDS = {
    "occupied": "occupancy",
    "unoccupied": "occupancy",
    "vacant": "occupancy",
    "leaking": "leak",
    "leak": "leak",
    "no leak": "leak",
    "motion": "motion",
    "no motion": "motion",
    "locked": "lock",
    "unlocked": "lock",
    "tampered": "tamper",
    "not tampered": "tamper",
}


def _text(evidence: Evidence) -> Verdict | None:
    """Texts, unless the name says so surely that numbers will come."""
    if not evidence.is_text:
        return None
    text = str(evidence.reading.value or "")
    leaf = evidence.leaf_concepts
    state = _STATE_WORDS.get(text.casefold().replace("_", " "))
    if state is not None and evidence.head not in _CAUSES:
        return Verdict(
            rule="word of a state",
            quantity=state,
            used=frozenset({"status"}),
            invert=state == "lock",
            why=f"“{text}” is one of two states",
        )
    if text.casefold() in _YES_OR_NO and not leaf & {"direction", "latitude", "longitude", "wind"}:
        return unknown_flag(evidence)
    if (
        leaf & {"digital", "relay", "input", "button", "external"}
        and text.casefold() in OTHER_WORDS
    ):
        return Verdict(
            rule="word", kind=Kind.BINARY_SENSOR, role=Role.FLAG, why="a word for on or off"
        )
    if evidence.reading.shape is Shape.TEXT and text[:1].isdecimal() and "-" not in text:
        found = _match(NUMBER_RULES, evidence.keys)
        if found is not None and evidence.head in found[1] and evidence.head not in PLAIN_HEADS:
            return None
    diagnostic = bool(
        leaf
        & {
            "type",
            "mode",
            "version",
            "id",
            "code",
            "decoder",
            "tariff",
            "frame",
            "payload",
            "battery",
            "network",
            "device",
        }
        or "scan" in leaf
    )
    return Verdict(
        rule="text",
        role=Role.STATE,
        category=Category.DIAGNOSTIC if diagnostic else None,
        why="a text",
    )


def _unlike(quantity: str, evidence: Evidence) -> bool:
    """Return whether the unit that a payload gives contradicts a quantity."""
    unit = evidence.unit
    if unit is None or unit.symbol is None:
        return False
    device_class = QUANTITIES[quantity].device_class
    if device_class is None or device_class not in UNITS_OF_CLASS:
        own = QUANTITIES[quantity].unit
        return (
            own is not None
            and factor(unit.symbol, own) is None
            and (quantity, unit.symbol) not in INSTEAD
            and BY_UNIT.get(unit.symbol) not in (None, quantity)
        )
    return (
        unit.symbol not in UNITS_OF_CLASS[device_class] and (quantity, unit.symbol) not in INSTEAD
    )


_LETTERS = frozenset(["t", "p", "h"])
_NUTRIENTS = {"n": "nitrogen", "p": "phosphorus", "k": "potassium"}


def _among_nutrients(evidence: Evidence) -> bool:
    """Return whether n, p and k stand beside each other."""
    return _NUTRIENTS.keys() <= {str(key).casefold() for key in evidence.siblings or ()}


# Short names that are letters of climate, beside each other.
_CLIMATE = word_set("t h p rh hum temp humidity temperature pressure co2")
_MANY = 4


def _names_it(evidence: Evidence, quantity: str, named: list[str]) -> bool:
    """Return whether a short name that may stand for a quantity does, by value and company."""
    if _unlike(quantity, evidence):
        return False
    beside = {str(key).casefold() for key in evidence.siblings or ()} - {evidence.letters}
    if evidence.letters in _NUTRIENTS and len(beside) >= _MANY and not _among_nutrients(evidence):
        return quantity not in _NUTRIENTS.values() and not _is_beyond_air(evidence)
    return len(named) == 1 or (evidence.letters in _LETTERS and bool(beside & _CLIMATE))


def _is_beyond_air(evidence: Evidence) -> bool:
    """Return whether a number is no pressure of air, in hPa or Pa."""
    number = evidence.number
    return number is not None and not (300 <= number <= 1100 or 60_000 <= number <= 110_000)


_TIMES = re.compile(r"(?:[_\s-][xX*]|(?<=[a-z])[X*])\s?10+$")
_CURRENT = Rule("current", "current")


def _numeric(evidence: Evidence) -> Verdict | None:
    """Numbers by the words of their name."""
    if evidence.two_state:
        return None
    named = [step for step in evidence.steps if not step.isdecimal()]
    quantity = BY_FULL_NAME.get(evidence.letters_and_digits) or BY_FULL_NAME.get(
        evidence.letters_and_digits.rstrip("0123456789") if evidence.letters in _LETTERS else ""
    )
    if quantity == "target_temperature" and not 5 <= (evidence.number or 0) <= 40:
        quantity = None  # A set point of something else.
    if evidence.letters == "length" and evidence.unit is None and _among_transport(evidence):
        return Verdict(
            rule="overhead",
            role=Role.MEASUREMENT,
            category=Category.DIAGNOSTIC,
            enabled=False,
            why="a length, likely the message's",
        )
    if evidence.letters in _NUTRIENTS and _among_nutrients(evidence):
        quantity = _NUTRIENTS[evidence.letters]
    if quantity is not None and _names_it(evidence, quantity, named):
        if quantity == "atmospheric_pressure" and _is_beyond_air(evidence):
            quantity = "pressure"
        return Verdict(
            rule="name",
            quantity=quantity,
            used=frozenset(part for part in evidence.leaf if not part.isdecimal()),
            why=f"the name {evidence.steps[-1]}",
        )
    if evidence.head in COUNT_HEADS and not (evidence.unit and evidence.unit.symbol in BY_UNIT):
        return None
    if "raw" in evidence.leaf and evidence.unit is None and "co2" not in evidence.leaf:
        return None
    if evidence.unit is None and evidence.steps and _TIMES.search(evidence.steps[-1]):
        return Verdict(rule="number", role=Role.MEASUREMENT, why="a number times ten, or more")
    found = _match(NUMBER_RULES, evidence.keys)
    if found is None and evidence.head == "current" and "battery" in evidence.leaf:
        found = _CURRENT, frozenset({"current"})
    leading = LEADING.get(evidence.leaf[0]) if len(evidence.leaf) > 1 else None
    if leading is not None and evidence.head == "index" and len(evidence.leaf) == 2:
        leading = None
    if evidence.leaf[:1] == ("v",) and found is not None and found[0].name in GASES:
        return Verdict(rule="number", role=Role.MEASUREMENT, why="the voltage of a gas sensor")
    if leading is not None and (
        found is None
        or (evidence.leaf[0] == "t" and QUANTITIES[found[0].name].device_class != "temperature")
    ):
        return Verdict(
            rule="name",
            quantity=leading,
            used=frozenset({evidence.leaf[0]}),
            why="its first letter",
        )
    if found is None or found[0].name not in QUANTITIES:
        return None
    rule, used = found
    plain = evidence.head in PLAIN_HEADS and evidence.head not in used
    if plain and (evidence.head != "raw" or rule.name != "carbon_dioxide"):
        return None
    if evidence.head in CODE_HEADS and evidence.head not in used and evidence.unit is None:
        return None
    if _unlike(rule.name, evidence):
        return None
    if _is_undecided(rule.name, evidence):
        return Verdict(
            rule=UNDECIDED,
            role=Role.MEASUREMENT,
            why="small numbers so far, which a level, a code or a state can be",
        )
    quantity = _by_value(rule.name, evidence)
    unit = evidence.unit or default_unit(quantity, evidence)
    if unit is None and QUANTITIES[quantity].unit is not None:
        return Verdict(
            rule=UNDECIDED,
            role=Role.MEASUREMENT,
            why=f"{' and '.join(sorted(used))}, in a unit that nothing tells",
        )
    category = None
    if (
        quantity in ("voltage", "current")
        and evidence.concepts & {"supply", "storage", "board"}
        and "input" not in evidence.concepts
    ):
        category = Category.DIAGNOSTIC
    return Verdict(
        rule=f"words {rule.text}",
        quantity=quantity,
        unit=unit,
        used=used,
        category=category,
        why=" and ".join(sorted(used)),
        unit_assumed=is_assumed(quantity, evidence),
    )


_TRANSPORT = OVERHEAD | {"frame", "protocol", "port"}


def _among_transport(evidence: Evidence) -> bool:
    """Return whether there are fields of the message itself beside a field."""
    names = (str(key).casefold() for key in evidence.siblings or ())
    return any(
        name in OVERHEAD_NAMES or _TRANSPORT.intersection(words_of(name).concepts) for name in names
    )


# Names of these are also those of states and codes, if no word for the unit is in them.
_LEVEL_OR_STATE = word_set("""
    illuminance sound_pressure angle vibration_speed distance irradiance valve_position
    fill_level leaf_wetness water_level level particles pressure
""")
_LEVELS = word_set("water_level fill_level level battery")
_MOST_GRADES = 10
_UNIT_ITSELF = word_set("""
    lux lx illuminance luminance illumination luminosity decibel leq laeq distance distancia
    abstand roll pitch yaw angle winkel pressure pression druck presion barometer
""")


def _is_undecided(quantity: str, evidence: Evidence) -> bool:
    """Return whether a number could be a state or a grade as well, by its name: "light level 3"."""
    if evidence.unit is not None or evidence.absent:
        return False
    if evidence.head == "level" and quantity not in _LEVELS and evidence.whole:
        return evidence.low >= 0 and (evidence.number or 0) <= _MOST_GRADES
    if quantity not in _LEVEL_OR_STATE:
        return False
    if not evidence.zero_or_one or evidence.number == 255 or not evidence.whole:
        return False
    words = evidence.name.texts
    return evidence.among_truths or not words & _UNIT_ITSELF


def _by_value(quantity: str, evidence: Evidence) -> str:
    """Return the quantity of the same family that the value fits."""
    number, unit = evidence.number, evidence.unit.symbol if evidence.unit else None
    if quantity == "pressure" and not evidence.concepts & {"water", "differential", "blood"}:
        if unit is None and number is None and evidence.absent and evidence.leaf == ("pressure",):
            return "atmospheric_pressure"
        if number is not None and (
            (unit in (None, "hPa", "mbar") and 600 <= number <= 1100)
            or (unit in (None, "Pa") and 60_000 <= number <= 110_000)
        ):
            return "atmospheric_pressure"
        if unit == "hPa" and number is None:
            return "atmospheric_pressure"
    if quantity == "atmospheric_pressure" and unit is None and (number or 0) < 0:
        return "pressure"
    if quantity == "temperature" and evidence.concepts & {"board"}:
        return "device_temperature"
    return quantity


def _count(evidence: Evidence) -> Verdict | None:
    """Counters."""
    leaf = evidence.leaf_concepts
    if evidence.two_state or not (
        evidence.head in COUNT_HEADS or leaf & COUNT_HEADS or evidence.leaf[-1:] == ("total",)
    ):
        return None
    if evidence.unit is not None and evidence.unit.symbol is not None:
        return None
    diagnostic = (
        Category.DIAGNOSTIC if evidence.concepts & {"frame", "reset", "fault", "beacon"} else None
    )
    quantity = (
        "pulses"
        if evidence.leaf == ("pulse",)
        else "people"
        if evidence.leaf == ("people",)
        else "count"
        if evidence.leaf == ("count",)
        else None
    )
    return Verdict(
        rule="counter",
        quantity=quantity,
        role=Role.TOTAL if counts_on(evidence) else Role.MEASUREMENT,
        category=diagnostic,
        used=evidence.leaf_concepts,
        why="a counter",
    )


def _by_unit(evidence: Evidence) -> Verdict | None:
    """The unit alone, where it names one thing only."""
    unit = evidence.unit
    if evidence.two_state or unit is None or unit.symbol is None:
        return None
    if evidence.head in CODE_HEADS and evidence.reading.unit is not None:
        return None  # "240L" is a kind of bin.
    quantity = BY_UNIT.get(unit.symbol)
    if quantity == "temperature" and "target" in evidence.leaf:
        quantity = "target_temperature"
    if quantity is None:
        return Verdict(rule="unit", unit=unit, role=Role.MEASUREMENT, why=f"in {unit.symbol}")
    return Verdict(
        rule="unit",
        quantity=_by_value(quantity, evidence),
        unit=unit,
        used=frozenset({"_"}),
        why=f"in {unit.symbol}",
    )


def _code(evidence: Evidence) -> Verdict | None:
    """Codes: numbers that are no quantity."""
    if evidence.head in CODE_HEADS and not evidence.two_state:
        return Verdict(
            rule="code",
            role=Role.STATE,
            category=None if evidence.leaf == ("status",) else Category.DIAGNOSTIC,
            why=f"a {evidence.head}",
        )
    scaled = evidence.number is not None and not float(evidence.number).is_integer()
    lines = evidence.leaf_concepts & {"input", "output", "in"}
    if evidence.concepts & {"raw"} or (
        evidence.leaf[:1] == ("analog",) and not scaled and not lines
    ):
        return Verdict(
            rule="code",
            role=Role.MEASUREMENT,
            category=Category.DIAGNOSTIC,
            enabled=False,
            why="a raw number",
        )
    return None


# What the Device Repository calls what a model measures, where its unit is beyond doubt.
_MEASURED: dict[str, str] = {
    "temperature": "temperature",
    "humidity": "humidity",
    "co2": "carbon_dioxide",
    "light": "illuminance",
    "barometer": "atmospheric_pressure",
    "pm2.5": "pm25",
    "pm10": "pm10",
    "radon": "radon",
    "pH": "ph",
    "moisture": "moisture",
}
# What any model has besides.
_ASIDE = word_set("battery rssi snr button time link")
_SAYS_NOTHING = word_set("value sensor channel mean last min max raw")


def _by_model(evidence: Evidence) -> Verdict | None:
    """Return the one quantity that the model measures, for a number named "value" or the like."""
    if evidence.number is None or not evidence.leaf_concepts <= _SAYS_NOTHING or not evidence.leaf:
        return None
    measured = [name for name in evidence.context.sensors if name not in _ASIDE]
    quantity = _MEASURED.get(measured[0]) if len(measured) == 1 else None
    if quantity is None:
        return None
    limits = QUANTITIES[quantity].limits or QUANTITIES[quantity].usual
    if evidence.unit is not None or (limits and not limits[0] <= evidence.number <= limits[1]):
        return None
    return Verdict(
        rule="model measures",
        quantity=quantity,
        used=evidence.leaf_concepts,
        why=f"the model measures {measured[0]} alone",
    )


def _is_input(evidence: Evidence) -> bool:
    """Return whether the name says input, and of which channel, and no more."""
    return evidence.head == "input" and all(
        concept in ("input", "channel") or len(concept) == 1 for concept in evidence.leaf
    )


def _anything(evidence: Evidence) -> Verdict:
    """Show what no rule knows as it is."""
    if evidence.two_state:
        return unknown_flag(evidence)
    leaf = evidence.leaf_concepts
    if (leaf & {"digital", "relay"} or _is_input(evidence)) and (
        evidence.zero_or_one or evidence.absent
    ):
        quantity = "digital_output" if "output" in leaf else "digital_input"
        return Verdict(
            rule="digital",
            quantity=quantity,
            used=frozenset({"digital", "input", "output", "in", "out"}),
            why="a digital line",
        )
    return Verdict(rule="number", role=Role.MEASUREMENT, why="a number of unknown meaning")


RULES: tuple[Callable[[Evidence], Verdict | None], ...] = (
    exclusions.overhead,
    exclusions.coordinates,
    exclusions.precision,
    exclusions.event,
    exclusions.setting,
    battery,
    exclusions.time,
    exclusions.identity,
    flag,
    _text,
    _numeric,
    _count,
    _by_unit,
    _code,
    _by_model,
)


def decide(evidence: Evidence) -> Verdict:
    """Return the verdict of the first rule that gives one; without one, the field is shown as is."""
    for rule in RULES:
        if (verdict := rule(evidence)) is not None:
            return verdict
    return _anything(evidence)
