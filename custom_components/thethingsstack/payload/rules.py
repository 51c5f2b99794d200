"""Rules from a field's name and value to its meaning; the first that knows decides."""

from collections.abc import Callable
import re

from . import exclusions
from .battery import battery
from .evidence import Evidence, Verdict
from .names import all_words
from .quantities import BY_UNIT, INSTEAD, QUANTITIES, UNITS_OF_CLASS
from .types import Category, Kind, Role
from .units import Unit, factor
from .values import OTHER_WORDS, Shape, truth_of
from .vocabulary import (
    BY_FULL_NAME,
    CODE_HEADS,
    COUNT_HEADS,
    FLAG_RULES,
    INVERTED_WORDS,
    LEADING,
    NUMBER_RULES,
    PLAIN_HEADS,
    STRONG_FLAGS,
    SURE_FLAGS,
    Rule,
    holding,
    word_set,
)


def _match(rules: tuple[Rule, ...], evidence: Evidence) -> tuple[Rule, frozenset[str]] | None:
    """Return the first rule about the name's head; else about its own step; else about the path."""
    leaf = frozenset(evidence.leaf)
    held = holding(rules, evidence.concepts)
    for about in (frozenset({evidence.head}), leaf):
        for rule, found in held:
            if found & about:
                return rule, found
    return held[0] if held else None


def _first(rules: tuple[Rule, ...], evidence: Evidence) -> tuple[Rule, frozenset[str]] | None:
    """Return the first rule that holds, one about the field's own step before others."""
    held = holding(rules, evidence.concepts)
    leaf = frozenset(evidence.leaf)
    return next((pair for pair in held if pair[1] & leaf), held[0] if held else None)


_OPENINGS = word_set("""
    open opened close closed offen geschlossen ouvert fermé abierto cerrado
""")
_LEVEL_FLAG = re.compile(r"[a-zA-Z0-9][LH](?=_flag)|(?<=flag)[LH]$|(?i:low|high)")
_COUNTING = word_set("count times number index rate total")


_BIT_FIELDS = word_set("""
    flags bits bitmap bitmask bitfield mask byte word register statuses alarms errors
""")


def _is_bit_field(evidence: Evidence) -> bool:
    """Return whether a number stands for several truths at once, by its name."""
    words = all_words(evidence.keys)
    return bool(words) and words[-1].text.casefold() in _BIT_FIELDS


def _flag(evidence: Evidence) -> Verdict | None:
    """True or false, where the value or at least the name says so."""
    leaf = frozenset(evidence.leaf)
    counting = bool(leaf & (_COUNTING | {"threshold", "level", "percent", "duration"}))
    counting = counting and not evidence.is_text and "exceed" not in leaf
    if "test" in leaf:
        return _unknown_flag(evidence) if evidence.two_state else None
    found = _first(FLAG_RULES, evidence)
    if evidence.reading.shape is Shape.NUMBER and (
        not evidence.zero_or_one or _is_bit_field(evidence)
    ):
        return None
    if evidence.is_text:
        if found is None or truth_of(str(evidence.reading.value)) is None:
            return None
    elif not evidence.two_state and (counting or (found is None and evidence.head != "flag")):
        return None
    if (
        evidence.head == "flag"
        and not evidence.two_state
        and (level := _LEVEL_FLAG.search(evidence.steps[-1])) is not None
    ):
        return Verdict(
            rule="flag of a limit",
            quantity="problem",
            used=frozenset({"flag"}),
            why=f"beyond a limit: {level[0]}",
        )
    if (
        found is not None
        and found[0].name in ("motion", "moving")
        and evidence.head == "status"
        and (evidence.is_text or evidence.absent)
        and not evidence.letters.startswith("pir")
    ):
        return None  # More than two: moving, still, started, ended.
    if found is None or (counting and not evidence.two_state):
        if (
            evidence.two_state
            and str(evidence.raw).strip().casefold() in _OPENINGS
            and not leaf & {"relay", "digital"}
        ):
            return Verdict(
                rule="word open",
                quantity="opening",
                used=frozenset({"status"}),
                why="a word for open or closed",
            )
        return _unknown_flag(evidence) if evidence.two_state else None
    rule, used = found
    if (
        rule.name in ("leak", "moisture")
        and used <= {"water", "moisture"}
        and not evidence.two_state
    ):
        return None
    if (
        not evidence.two_state
        and not evidence.is_text
        and (
            rule.name not in SURE_FLAGS
            or not (rule.name in STRONG_FLAGS or _headed(evidence, used))
        )
    ):
        return None
    invert = "open" not in evidence.concepts and any(
        word.text.casefold() in INVERTED_WORDS for word in all_words(evidence.keys)
    )
    return Verdict(
        rule=f"flag {rule.text}",
        quantity=rule.name,
        used=used | {"status", "flag", "detect"},
        invert=invert ^ (rule.name == "lock"),
        why="true or false",
    )


def _headed(evidence: Evidence, used: frozenset[str]) -> bool:
    """Return whether the name's head is the flag, or a word for its state."""
    return (
        evidence.head in used
        or evidence.head
        in ("status", "flag", "event", "detect", "", "alarm", "open", "button", "limit", "closed")
        or (evidence.leaf[:1] == ("alarm",) and not evidence.absent)
    )


def _unknown_flag(evidence: Evidence) -> Verdict:
    diagnostic = evidence.concepts & {
        "status",
        "event",
        "config",
        "trigger",
        "reset",
        "valid",
        "led",
        "test",
    }
    return Verdict(
        rule="boolean",
        kind=Kind.BINARY_SENSOR,
        role=Role.FLAG,
        category=Category.DIAGNOSTIC
        if diagnostic and (evidence.reading.shape is Shape.BOOL or evidence.is_text)
        else None,
        why="true or false, of what is not known",
    )


_YES_OR_NO = frozenset(["y", "n"])


def _text(evidence: Evidence) -> Verdict | None:
    """Texts, unless the name says so surely that numbers will come."""
    if not evidence.is_text:
        return None
    text = str(evidence.reading.value or "")
    leaf = frozenset(evidence.leaf)
    if text.casefold() in _YES_OR_NO and not leaf & {"direction", "latitude", "longitude", "wind"}:
        return _unknown_flag(evidence)
    if (
        leaf & {"digital", "relay", "input", "button", "external"}
        and text.casefold() in OTHER_WORDS
    ):
        return Verdict(
            rule="word", kind=Kind.BINARY_SENSOR, role=Role.FLAG, why="a word for on or off"
        )
    if evidence.reading.shape is Shape.TEXT and text[:1].isdecimal() and "-" not in text:
        found = _match(NUMBER_RULES, evidence)
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
    if quantity is not None and len(named) == 1:
        if (
            quantity == "atmospheric_pressure"
            and evidence.number is not None
            and not 300 <= evidence.number <= 1100
        ):
            quantity = "pressure"
        return Verdict(
            rule="name",
            quantity=quantity,
            used=frozenset(evidence.leaf),
            why=f"the name {evidence.steps[-1]}",
        )
    if evidence.head in COUNT_HEADS and not (evidence.unit and evidence.unit.symbol in BY_UNIT):
        return None
    if "raw" in evidence.leaf and evidence.unit is None:
        return None
    found = _match(NUMBER_RULES, evidence)
    leading = LEADING.get(evidence.leaf[0]) if len(evidence.leaf) > 1 else None
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
    if evidence.head in PLAIN_HEADS and evidence.head not in used:
        return None
    if evidence.head in CODE_HEADS and evidence.head not in used and evidence.unit is None:
        return None
    if _unlike(rule.name, evidence):
        return None
    quantity = _by_value(rule.name, evidence)
    unit = evidence.unit or _default_unit(quantity, evidence)
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
    )


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
    if quantity == "temperature" and evidence.concepts & {"board"}:
        return "device_temperature"
    return quantity


def _default_unit(quantity: str, evidence: Evidence) -> Unit | None:
    """Return the unit that a bare number most likely has."""
    number = evidence.number
    size = abs(number) if number is not None else 0
    if quantity == "atmospheric_pressure" and size:
        return Unit(
            "Pa" if size >= 50_000 else "kPa" if 20 < size < 120 else "bar" if size < 2 else "hPa"
        )
    if quantity == "pressure" and "vapor" in evidence.concepts:
        return Unit("kPa")
    if quantity in ("volume", "water") and size >= 1000 and float(size).is_integer():
        return Unit("L")  # Who counts cubic metres has decimals.
    if quantity == "weight" and size >= 500:
        return Unit("g")
    if quantity == "water_level" and size >= 50 and float(size).is_integer():
        return Unit("mm")
    if quantity == "current" and size > 50 and float(size).is_integer():
        return Unit("mA")
    if (
        quantity in ("voltage", "supply_voltage", "battery_voltage")
        and size > 1000
        and float(size).is_integer()
    ):
        return Unit("mV")
    if quantity == "conductivity" and 0 < size <= 20:
        return Unit("mS/cm")
    words = {word.text.casefold() for word in all_words(evidence.keys)}
    if quantity == "distance" and ("lidar" in words or {"soil", "depth"} <= evidence.concepts):
        return Unit("cm")
    if quantity == "distance" and size and not float(size).is_integer():
        return Unit("m") if size < 20 else Unit("cm")
    if quantity == "power_factor" and size > 1:
        return Unit("%")
    default = QUANTITIES[quantity].unit
    return Unit(default) if default is not None else None


def _count(evidence: Evidence) -> Verdict | None:
    """Counters."""
    leaf = frozenset(evidence.leaf)
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
        role=Role.TOTAL,
        category=diagnostic,
        used=frozenset(evidence.leaf),
        why="a counter",
    )


def _by_unit(evidence: Evidence) -> Verdict | None:
    """The unit alone, where it names one thing only."""
    unit = evidence.unit
    if evidence.two_state or unit is None or unit.symbol is None:
        return None
    quantity = BY_UNIT.get(unit.symbol)
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
    lines = frozenset(evidence.leaf) & {"input", "output", "in"}
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
    if (
        evidence.number is None
        or not frozenset(evidence.leaf) <= _SAYS_NOTHING
        or not evidence.leaf
    ):
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
        used=frozenset(evidence.leaf),
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
        return _unknown_flag(evidence)
    leaf = frozenset(evidence.leaf)
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
    _flag,
    _text,
    _numeric,
    _count,
    _by_unit,
    _code,
    _by_model,
)


def decide(evidence: Evidence) -> Verdict:
    """Return what the first rule that knows says."""
    for rule in RULES:
        if (verdict := rule(evidence)) is not None:
            return verdict
    return _anything(evidence)
