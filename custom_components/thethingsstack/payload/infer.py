"""From a field's name, value and company to its meaning. Asked once for each field."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
import re

from .flatten import HISTORY, Leaf
from .names import all_words, plain_name, quantity_name, steps_of
from .quantities import BY_UNIT, INSTEAD, UNITS_OF_CLASS
from .tokens import words_of
from .types import Category, Context, Kind, Meaning, Role
from .units import Unit, factor
from .values import ABSENT, OTHER_WORDS, Reading, Shape, decimals, epoch, read, truth_of
from .vocabulary import (
    CODE_HEADS,
    COUNT_HEADS,
    FLAG_RULES,
    IDENTITY,
    INVERTED_WORDS,
    LEADING,
    NUMBER_RULES,
    OVERHEAD_NAMES,
    PLAIN_HEADS,
    QUALIFIERS,
    QUANTITIES,
    SETTING,
    SETTING_NAMES,
    STRONG_FLAGS,
    SURE_FLAGS,
    UNIT_NAMES,
    WHOLE,
    Rule,
)

_FULL_SCALE = frozenset({
    65535, 65534, 65536, 32767, -32768, 32768, 655.35, 655.36, 655.34, 327.67, -327.68, 327.68, 6553.5, 6553.4, 3276.7, -3276.8,
    6550.9, 4095.94, 1023.98, -999, -9999, -99.9, -999.9, -99, 999, 9999, 99999, 4294967295, 2147483647, -2147483648, 282.9, 16777215,
    -3276, 3276, 4095.9375, 1023.984375, -32767,
})  # fmt: skip
_ALWAYS_ABSENT = frozenset({-999, -9999, 65535, 32767, -32768, 4294967295, 2147483647, -2147483648})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a rule says of a field; what it leaves open comes from the quantity or the name."""

    rule: str
    quantity: str | None = None
    kind: Kind | None = None
    role: Role | None = None
    category: Category | None = None
    enabled: bool | None = None
    unit: Unit | None = None
    used: frozenset[str] = frozenset()
    why: str = ""
    invert: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clue:
    """Everything that rules may look at."""

    keys: tuple[str, ...]
    reading: Reading
    raw: object = None
    unit_beside: Unit | None = None
    context: Context = field(default_factory=Context)

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """Steps of the path that say something."""
        return steps_of(self.keys)

    @cached_property
    def leaf(self) -> tuple[str, ...]:
        """Concepts of the field's own step, or of its parent where that is a bare number."""
        for step in reversed(self.steps):
            concepts = words_of(step).concepts
            if "at" in concepts[1:]:  # "temperature at level 2"
                concepts = concepts[: concepts.index("at")]
            if any(not concept.replace(".", "").isdigit() for concept in concepts):
                return concepts
        return ()

    @cached_property
    def concepts(self) -> frozenset[str]:
        """Concepts of the whole path."""
        return frozenset(word.concept for word in all_words(self.keys))

    @cached_property
    def whole(self) -> str:
        """The field's own step without separators and digits at its end."""
        step = self.steps[-1] if self.steps else ""
        return "".join(char for char in step.casefold() if char.isalpha())

    @cached_property
    def squeezed(self) -> str:
        """The field's own step without separators."""
        step = self.steps[-1] if self.steps else ""
        return "".join(char for char in step.casefold() if char.isalnum())

    @cached_property
    def head(self) -> str:
        """The last concept that isn't a qualifier: what kind of thing the name is."""
        for concept in reversed(self.leaf):
            if concept in QUALIFIERS or len(concept) == 1 or concept[0].isdigit():
                continue
            return concept
        return ""

    @cached_property
    def unit(self) -> Unit | None:
        """The unit beside the value, in it, or in the name."""
        if self.unit_beside is not None:
            return self.unit_beside
        if self.reading.unit is not None:
            return self.reading.unit
        return next((unit for step in reversed(self.steps) if (unit := words_of(step).unit)), None)

    @property
    def absent(self) -> bool:
        """Whether no value was seen."""
        return self.reading.shape is Shape.ABSENT

    @property
    def number(self) -> float | int | None:
        """The number that was seen."""
        value = self.reading.value
        if self.reading.shape is not Shape.NUMBER or not isinstance(value, int | float):
            return None
        return value

    @property
    def is_text(self) -> bool:
        """Whether a text was seen that is neither number, time nor word."""
        return self.reading.shape in (Shape.TEXT, Shape.LONG)

    @property
    def two_state(self) -> bool:
        """Whether the value is a boolean or a word for one."""
        return self.reading.shape in (Shape.BOOL, Shape.WORD)

    @property
    def zero_or_one(self) -> bool:
        """Whether the value is a number that could be a truth, or there is none."""
        return self.number in (0, 1, 255) and self.reading.unit is None


def _match(rules: tuple[Rule, ...], clue: Clue) -> tuple[Rule, frozenset[str]] | None:
    """Return the first rule about the name's head; else about its own step; else about the path."""
    leaf = frozenset(clue.leaf)
    held = [(rule, found) for rule in rules if (found := rule.match(clue.concepts)) is not None]
    for about in (frozenset({clue.head}), leaf):
        for rule, found in held:
            if found & about:
                return rule, found
    return held[0] if held else None


_DATE_PARTS = frozenset("day days month months year years hour hours minute minutes second seconds weekday".split())


def _first(rules: tuple[Rule, ...], clue: Clue) -> tuple[Rule, frozenset[str]] | None:
    """Return the first rule that holds, one about the field's own step before others."""
    held = [(rule, found) for rule in rules if (found := rule.match(clue.concepts)) is not None]
    leaf = frozenset(clue.leaf)
    return next((pair for pair in held if pair[1] & leaf), held[0] if held else None)


def _overhead(clue: Clue) -> Verdict | None:
    """What transports the fields isn't one."""
    leaf = frozenset(clue.leaf)
    if clue.whole in UNIT_NAMES or clue.leaf[-1:] in (("unit",), ("units",)) or leaf & {"units"}:
        return Verdict(rule="unit", kind=Kind.IGNORE, why="a unit for another field")
    if clue.keys and HISTORY.search(clue.keys[-1]):
        return Verdict(rule="history", kind=Kind.IGNORE, why="what was in the past")
    if leaf <= _DATE_PARTS and leaf and "time" in clue.concepts:
        return Verdict(rule="overhead", kind=Kind.IGNORE, why="a part of a date")
    if clue.whole in OVERHEAD_NAMES or clue.squeezed in OVERHEAD_NAMES or "debug" in leaf or (clue.head in ("payload", "crc", "mac") and not clue.two_state):
        if clue.whole == "type" and len(clue.steps) > 1 and not clue.absent:
            return None
        return Verdict(rule="overhead", kind=Kind.IGNORE, why="part of the transport")
    if "frame" in leaf and leaf & {"count", "sequence", "number", "id"} and clue.number is not None:
        return Verdict(rule="overhead", kind=Kind.IGNORE, why="counts messages")
    if "previous" in leaf and clue.two_state and "fault" not in leaf:
        return Verdict(rule="overhead", kind=Kind.IGNORE, why="an earlier state")
    return None


_COORDINATE_COMPANY = frozenset(
    "latitude longitude gps position last value degree degrees decimal fix deg data raw wgs".split()
)


def coordinate_of(key: str) -> str | None:
    """Return "latitude" or "longitude" for a key that is one."""
    concepts = {c for c in words_of(key).concepts if len(c) > 1 and not c[0].isdigit()}
    for axis in ("latitude", "longitude"):
        if axis in concepts and concepts <= _COORDINATE_COMPANY:
            return axis
    return None


def _coordinates(clue: Clue) -> Verdict | None:
    """A latitude carries the tracker, its longitude is read with it."""
    if clue.reading.shape is Shape.POSITION:
        if clue.concepts & {"position", "gps", "latitude"}:
            return Verdict(rule="coordinates", quantity="position", used=frozenset(clue.leaf), why="latitude and longitude in one text")
        return None  # fmt: skip
    axis = coordinate_of(clue.steps[-1]) if clue.steps else None
    if axis is None or (clue.number is None and not clue.absent):
        return None
    used = frozenset({axis, "gps", "position"})
    kind = None if axis == "latitude" else Kind.IGNORE
    return Verdict(rule="coordinates", quantity="position", kind=kind, used=used, why=f"a {axis}")


def _precision(clue: Clue) -> Verdict | None:
    """Figures about the radio and the satellites, before their words mislead."""
    leaf = frozenset(clue.leaf)
    if clue.is_text or clue.two_state:
        return None
    if leaf & {"fix"} and leaf & {"count", "duration", "time"}:
        return Verdict(rule="satellites", quantity=None if "count" in leaf else "duration", category=Category.DIAGNOSTIC, why="how a fix was got")  # fmt: skip
    if clue.head == "txpower":
        return Verdict(rule="radio", role=Role.MEASUREMENT, category=Category.DIAGNOSTIC, enabled=False, why="the radio's power")  # fmt: skip
    if clue.head in ("strength", "quality") and "signal" in clue.concepts:
        if (clue.number is not None and clue.number < 0) or clue.unit == Unit("dBm"):
            return Verdict(rule="radio", quantity="rssi", used=frozenset({"signal", "strength"}), why="a signal in dBm")  # fmt: skip
        return Verdict(rule="radio", category=Category.DIAGNOSTIC, why="a grade of the signal")
    if clue.head == "rssi" or (clue.head in ("", "id") and "rssi" in leaf):
        return Verdict(rule="radio", quantity="rssi", used=frozenset({"rssi"}), why="a signal strength")
    return None


def _setting(clue: Clue) -> Verdict | None:
    """What was set and is repeated back."""
    if clue.whole in SETTING_NAMES:
        return _setting_verdict(clue.whole)
    leaf = frozenset(clue.leaf)
    if clue.reading.shape is Shape.TIME or ("fault" in leaf and (clue.two_state or clue.absent or clue.zero_or_one)):
        return None
    if "change" in leaf and (clue.two_state or clue.zero_or_one) and clue.unit is None:
        return Verdict(rule="change", category=Category.DIAGNOSTIC, enabled=False, why="tells what changed")
    if clue.head == "change" or ("led" in leaf and clue.number is not None):
        return _setting_verdict("change" if clue.head == "change" else "LED")
    for rule in SETTING:
        found = rule.match(clue.concepts)
        if found is None or (rule.name == "configuration" and not found & leaf and clue.reading.unit):
            continue
        if rule.name == "alarm setting" and clue.leaf[:1] != ("alarm",):
            continue
        return _setting_verdict(rule.name)
    return None


def _setting_verdict(name: str) -> Verdict:
    return Verdict(
        rule="setting", category=Category.CONFIGURATION, enabled=False, why=f"a setting: {name}"
    )


def _time(clue: Clue) -> Verdict | None:
    """Moments, durations and clocks that are neither."""
    leaf = frozenset(clue.leaf)
    if clue.reading.shape is Shape.TIME:
        return Verdict(rule="time", quantity="timestamp", used=frozenset({"time"}), why="a date and time")
    timely = "time" in leaf and (clue.head == "time" or leaf <= {"time", "gps", "status", "device", "event"})
    lasting = "duration" in leaf or {"time", "count"} <= leaf or (
        timely and (clue.unit is not None or leaf & {"wear", "charging", "running", "alarm", "fix", "power"})
    )  # fmt: skip
    if clue.is_text or clue.two_state or ("fault" in leaf and not timely):
        return None
    if lasting and (not leaf & COUNT_HEADS or "time" in leaf):
        used = frozenset({"duration", "time"} if clue.leaf == ("duration",) else {"duration_"})
        return Verdict(rule="duration", quantity="duration", used=used, why="how long something lasts")
    if not timely or clue.two_state:
        return None
    if clue.absent or (clue.number is not None and epoch(clue.number) is not None):
        return Verdict(rule="time", quantity="timestamp", used=frozenset({"time"}), why="a date and time")
    if clue.whole == "time":
        return Verdict(rule="time", why="a time without a beginning")
    return Verdict(rule="time", category=Category.DIAGNOSTIC, enabled=False, why="the end device's own clock")  # fmt: skip


_ERROR_CODES = frozenset("error err errors errorcode errormsg errorflag errorflags errormessage".split())


def _identity(clue: Clue) -> Verdict | None:
    """What the end device is: texts and numbers that rarely change."""
    leaf = frozenset(clue.leaf)
    head = clue.head or (clue.leaf[-1] if clue.leaf else "")
    if leaf & {"version", "serial"} and not clue.two_state and not leaf & {"status", "count", "valid", "fault"}:
        quantity = "serial_number" if "serial" in leaf and "version" not in leaf else "version"
        used = frozenset({"serial", "number"} if quantity == "serial_number" else {"version_"})
        return Verdict(rule="identity", quantity=quantity if clue.leaf == ("version",) or quantity == "serial_number" else None,
                       role=Role.STATE, category=Category.DIAGNOSTIC, used=used, why="what the end device is")  # fmt: skip
    if head in IDENTITY and not clue.two_state and not leaf & COUNT_HEADS:
        return Verdict(rule="identity", role=Role.STATE, category=Category.DIAGNOSTIC, why="what the end device is")  # fmt: skip
    if head == "reset" and (clue.is_text or leaf & {"code"}):
        return Verdict(rule="identity", role=Role.STATE, category=Category.DIAGNOSTIC, why="why it restarted")  # fmt: skip
    if clue.whole in _ERROR_CODES and not clue.two_state:
        return Verdict(rule="identity", quantity="error_code", used=leaf, why="a code")
    if head == "code" and not clue.two_state:
        return Verdict(rule="identity", role=Role.STATE, category=Category.DIAGNOSTIC, why="a code")
    return None


_NOT_A_BATTERY = frozenset("temperature count type mode current resistance cycle semesters version duration time energy power number used".split())  # fmt: skip


def _battery(clue: Clue) -> Verdict | None:
    """Percent, volts or millivolts: the name seldom says."""
    leaf = frozenset(clue.leaf)
    if "battery" not in leaf and not ("battery" in clue.concepts and leaf <= {"level", "percent", "voltage", "value", "last"}):  # fmt: skip
        return None
    if leaf & _NOT_A_BATTERY and not {"end", "duration"} <= leaf:
        return None
    used = frozenset({"battery", "level", "percent", "voltage", "remaining", "status", "low", "end", "alarm", "duration"})
    warns = leaf & {"low", "end", "alarm", "fault", "outage"}
    if leaf & {"good"} or leaf & {"charging"}:
        return None
    if (clue.two_state and leaf <= used) or (warns and (clue.zero_or_one or clue.absent or clue.is_text)):
        return Verdict(rule="battery", quantity="battery_low", used=used, why="a warning of the battery")
    text = str(clue.reading.value)
    if clue.two_state or (clue.is_text and ("-" in text or not any(char.isdigit() for char in text))):
        return None
    if clue.head == "status" and clue.unit is None and float(clue.number or 0).is_integer():
        return None
    unit = clue.unit
    if unit is None and leaf & {"voltage", "v"}:
        unit = Unit("mV") if (clue.number or 0) > 100 else Unit("V")
    if unit is None and "percent" not in leaf and clue.number is not None:
        unit = _battery_unit(clue.number)
    if unit is None and clue.absent and clue.whole == "bat":
        unit = Unit("V")
    if unit is None or unit.symbol == "%":
        if clue.number is not None and clue.number > 110 and unit is None:
            return Verdict(rule="battery", category=Category.DIAGNOSTIC, why="a battery code of unknown scale")  # fmt: skip
        return Verdict(rule="battery", quantity="battery", unit=unit or Unit("%"), used=used, why="a state of charge")  # fmt: skip
    if unit.symbol not in ("V", "mV"):
        return None
    return Verdict(rule="battery", quantity="battery_voltage", unit=unit, used=used, why=f"a battery in {unit.symbol}")  # fmt: skip


def _battery_unit(number: float) -> Unit | None:
    """Return what a bare battery number must be, None where only percent is left."""
    if number > 250:
        return Unit("mV")
    if 1 < number <= 16 and not float(number).is_integer():
        return Unit("V")
    if 2 <= number <= 5:
        return Unit("V")
    if 0 < number < 1:
        return Unit("%", 100.0)
    return None


_OPENINGS = frozenset("open opened close closed offen geschlossen ouvert fermé abierto cerrado".split())
_LEVEL_FLAG = re.compile(r"[a-zA-Z0-9][LH](?=_flag)|(?<=flag)[LH]$|(?i:low|high)")
_COUNTING = frozenset("count times number index rate total".split())


def _flag(clue: Clue) -> Verdict | None:
    """True or false, where the value or at least the name says so."""
    leaf = frozenset(clue.leaf)
    counting = bool(leaf & (_COUNTING | {"threshold", "level", "percent", "duration"}))
    found = _first(FLAG_RULES, clue)
    if clue.reading.shape is Shape.NUMBER and not clue.zero_or_one:
        return None
    if clue.is_text:
        if found is None or truth_of(str(clue.reading.value)) is None:
            return None
    elif not clue.two_state and (counting or (found is None and clue.head != "flag")):
        return None
    if clue.head == "flag" and not clue.two_state and (level := _LEVEL_FLAG.search(clue.steps[-1])) is not None:
        return Verdict(rule="flag of a limit", quantity="problem", used=frozenset({"flag"}), why=f"beyond a limit: {level[0]}")
    if found is None or (counting and not clue.two_state):
        if clue.two_state and str(clue.raw).strip().casefold() in _OPENINGS and not leaf & {"relay", "digital"}:
            return Verdict(rule="word open", quantity="opening", used=frozenset({"status"}), why="a word for open or closed")
        return _unknown_flag(clue) if clue.two_state else None
    rule, used = found
    if rule.name in ("leak", "moisture") and used <= {"water", "moisture"} and not clue.two_state:
        return None
    if not clue.two_state and not clue.is_text and (rule.name not in SURE_FLAGS or not (rule.name in STRONG_FLAGS or _headed(clue, used))):
        return None
    invert = any(word.text.casefold() in INVERTED_WORDS for word in all_words(clue.keys))
    return Verdict(rule=f"flag {rule.text}", quantity=rule.name, used=used | {"status", "flag", "detect"}, invert=invert ^ (rule.name == "lock"),
                   why="true or false")  # fmt: skip


def _headed(clue: Clue, used: frozenset[str]) -> bool:
    """Return whether the name's head is the flag, or a word for its state."""
    return clue.head in used or clue.head in ("status", "flag", "event", "detect", "", "alarm", "open") or (
        clue.leaf[:1] == ("alarm",) and not clue.absent
    )


def _unknown_flag(clue: Clue) -> Verdict:
    diagnostic = clue.concepts & {"status", "event", "config", "trigger", "reset", "valid", "led", "test"}
    return Verdict(
        rule="boolean",
        kind=Kind.BINARY_SENSOR,
        role=Role.FLAG,
        category=Category.DIAGNOSTIC if diagnostic and clue.reading.shape is Shape.BOOL else None,
        why="true or false, of what is not known",
    )


def _event(clue: Clue) -> Verdict | None:
    """Occurrences: something was pressed."""
    leaf = frozenset(clue.leaf)
    pressed = "press" in leaf or clue.whole in ("buttons", "buttonpressed", "scene") or (leaf & {"button", "key"} and "pressure" in leaf)
    if pressed and not leaf & {"count", "times"} and not clue.unit:
        used = frozenset({"button", "press"})
        return Verdict(rule="event", quantity="button", used=used, why="something was pressed")
    return None


def _text(clue: Clue) -> Verdict | None:
    """Texts, unless the name says so surely that numbers will come."""
    if not clue.is_text:
        return None
    text = str(clue.reading.value or "")
    leaf = frozenset(clue.leaf)
    if leaf & {"digital", "relay", "input", "button"} and text.casefold() in OTHER_WORDS:
        return Verdict(rule="word", kind=Kind.BINARY_SENSOR, role=Role.FLAG, why="a word for on or off")
    if clue.reading.shape is Shape.TEXT and text[:1].isdigit() and "-" not in text:
        found = _match(NUMBER_RULES, clue)
        if found is not None and clue.head in found[1] and clue.head not in PLAIN_HEADS:
            return None
    diagnostic = bool(leaf & {"type", "mode", "version", "id", "code", "decoder", "tariff", "frame", "payload"})
    return Verdict(rule="text", role=Role.STATE, category=Category.DIAGNOSTIC if diagnostic else None, why="a text")  # fmt: skip


def _unlike(quantity: str, clue: Clue) -> bool:
    """Return whether the unit that a payload gives contradicts a quantity."""
    unit = clue.unit
    if unit is None or unit.symbol is None:
        return False
    device_class = QUANTITIES[quantity].device_class
    if device_class is None or device_class not in UNITS_OF_CLASS:
        own = QUANTITIES[quantity].unit
        return own is not None and factor(unit.symbol, own) is None and (quantity, unit.symbol) not in INSTEAD and BY_UNIT.get(unit.symbol) not in (None, quantity)  # fmt: skip
    return unit.symbol not in UNITS_OF_CLASS[device_class] and (quantity, unit.symbol) not in INSTEAD


_LETTERS = frozenset("t p h".split())


def _numeric(clue: Clue) -> Verdict | None:
    """Numbers by the words of their name."""
    if clue.two_state:
        return None
    named = [step for step in clue.steps if not step.isdigit()]
    quantity = WHOLE.get(clue.squeezed) or WHOLE.get(clue.squeezed.rstrip("0123456789") if clue.whole in _LETTERS else "")
    if quantity is not None and len(named) == 1:
        if quantity == "atmospheric_pressure" and clue.number is not None and not 300 <= clue.number <= 1100:
            quantity = "pressure"
        return Verdict(rule="name", quantity=quantity, used=frozenset(clue.leaf), why=f"the name {clue.steps[-1]}")  # fmt: skip
    if clue.head in COUNT_HEADS and not (clue.unit and clue.unit.symbol in BY_UNIT):
        return None
    if "raw" in clue.leaf and clue.unit is None:
        return None
    found = _match(NUMBER_RULES, clue)
    leading = LEADING.get(clue.leaf[0]) if len(clue.leaf) > 1 else None
    if leading is not None and (found is None or clue.leaf[0] == "t"):
        return Verdict(rule="name", quantity=leading, used=frozenset({clue.leaf[0]}), why="its first letter")  # fmt: skip
    if found is None or found[0].name not in QUANTITIES:
        return None
    rule, used = found
    if clue.head in PLAIN_HEADS and clue.head not in used:
        return None
    if clue.head in CODE_HEADS and clue.head not in used and clue.unit is None:
        return None
    if _unlike(rule.name, clue):
        return None
    quantity = _by_value(rule.name, clue)
    unit = clue.unit or _default_unit(quantity, clue)
    category = None
    if quantity in ("voltage", "current") and clue.concepts & {"supply", "storage", "board"} and "input" not in clue.concepts:
        category = Category.DIAGNOSTIC
    return Verdict(rule=f"words {rule.text}", quantity=quantity, unit=unit, used=used, category=category, why=" and ".join(sorted(used)))  # fmt: skip


def _by_value(quantity: str, clue: Clue) -> str:
    """Return the quantity of the same family that the value fits."""
    number, unit = clue.number, clue.unit.symbol if clue.unit else None
    if quantity == "pressure" and not clue.concepts & {"water", "differential", "blood"}:
        if unit is None and number is None and clue.absent and clue.leaf == ("pressure",):
            return "atmospheric_pressure"
        if number is not None and ((unit in (None, "hPa", "mbar") and 600 <= number <= 1100) or (unit in (None, "Pa") and 60_000 <= number <= 110_000)):
            return "atmospheric_pressure"
        if unit == "hPa" and number is None:
            return "atmospheric_pressure"
    if quantity == "temperature" and clue.concepts & {"board"}:
        return "device_temperature"
    return quantity


def _default_unit(quantity: str, clue: Clue) -> Unit | None:
    """Return the unit that a bare number most likely has."""
    number = clue.number
    size = abs(number) if number is not None else 0
    if quantity == "atmospheric_pressure" and size:
        return Unit("Pa" if size >= 50_000 else "kPa" if 20 < size < 120 else "bar" if size < 2 else "hPa")
    if quantity == "pressure" and "vapor" in clue.concepts:
        return Unit("kPa")
    if quantity == "weight" and size >= 500:
        return Unit("g")
    if quantity == "water_level" and size >= 50 and float(size).is_integer():
        return Unit("mm")
    if quantity == "current" and size > 50 and float(size).is_integer():
        return Unit("mA")
    if quantity in ("voltage", "supply_voltage", "battery_voltage") and size > 1000 and float(size).is_integer():
        return Unit("mV")
    if quantity == "conductivity" and 0 < size <= 20:
        return Unit("mS/cm")
    if quantity == "distance" and size and not float(size).is_integer():
        return Unit("m") if size < 20 else Unit("cm")
    if quantity == "power_factor" and size > 1:
        return Unit("%")
    default = QUANTITIES[quantity].unit
    return Unit(default) if default is not None else None


def _count(clue: Clue) -> Verdict | None:
    """Counters."""
    leaf = frozenset(clue.leaf)
    if clue.two_state or not (clue.head in COUNT_HEADS or leaf & COUNT_HEADS or clue.leaf[-1:] == ("total",)):
        return None
    if clue.unit is not None and clue.unit.symbol is not None:
        return None
    diagnostic = Category.DIAGNOSTIC if clue.concepts & {"frame", "reset", "fault", "beacon"} else None
    quantity = "pulses" if clue.leaf == ("pulse",) else "people" if clue.leaf == ("people",) else "count" if clue.leaf == ("count",) else None
    return Verdict(rule="counter", quantity=quantity, role=Role.TOTAL, category=diagnostic, used=frozenset(clue.leaf), why="a counter")  # fmt: skip


def _by_unit(clue: Clue) -> Verdict | None:
    """The unit alone, where it names one thing only."""
    unit = clue.unit
    if clue.two_state or unit is None or unit.symbol is None:
        return None
    quantity = BY_UNIT.get(unit.symbol)
    if quantity is None:
        return Verdict(rule="unit", unit=unit, role=Role.MEASUREMENT, why=f"in {unit.symbol}")
    return Verdict(rule="unit", quantity=_by_value(quantity, clue), unit=unit, used=frozenset({"_"}), why=f"in {unit.symbol}")  # fmt: skip


def _code(clue: Clue) -> Verdict | None:
    """Codes: numbers that are no quantity."""
    if clue.head in CODE_HEADS and not clue.two_state:
        return Verdict(rule="code", role=Role.STATE, category=None if clue.leaf == ("status",) else Category.DIAGNOSTIC, why=f"a {clue.head}")  # fmt: skip
    if clue.concepts & {"raw"} or clue.leaf[:1] == ("analog",):
        return Verdict(rule="code", role=Role.MEASUREMENT, category=Category.DIAGNOSTIC, enabled=False, why="a raw number")  # fmt: skip
    return None


def _anything(clue: Clue) -> Verdict:
    """What is left is shown as it is."""
    if clue.two_state:
        return _unknown_flag(clue)
    leaf = frozenset(clue.leaf)
    if leaf & {"digital", "relay"} and (clue.zero_or_one or clue.absent):
        quantity = "digital_output" if "output" in leaf else "digital_input"
        return Verdict(rule="digital", quantity=quantity, used=frozenset({"digital", "input", "output"}), why="a digital line")  # fmt: skip
    return Verdict(rule="number", role=Role.MEASUREMENT, why="a number of unknown meaning")


RULES: tuple[Callable[[Clue], Verdict | None], ...] = (
    _overhead, _coordinates, _precision, _event, _setting, _battery, _time, _identity, _flag, _text, _numeric, _count, _by_unit, _code,
)  # fmt: skip


def decide(clue: Clue) -> Verdict:
    """Return what the first rule that knows says."""
    for rule in RULES:
        if (verdict := rule(clue)) is not None:
            return verdict
    return _anything(clue)


def _candidates(quantity: str | None, unit: Unit) -> Iterator[tuple[str | None, Unit]]:
    """Return quantity and unit as given, and by conversion, until Home Assistant takes them."""
    if quantity is None:
        yield None, unit
        return
    yield quantity, unit
    if unit.symbol is not None and (instead := INSTEAD.get((quantity, unit.symbol))) is not None:
        yield instead[0], Unit(instead[1], unit.scale * instead[2])


def _legal(quantity: str | None, unit: Unit) -> bool:
    if quantity is None:
        return True
    device_class = QUANTITIES[quantity].device_class
    return device_class not in UNITS_OF_CLASS or unit.symbol in UNITS_OF_CLASS[device_class]


def _precision_of(raw: object, quantity: str | None, scale: float) -> int | None:
    digits = decimals(raw)
    if digits is None or scale != 1.0:
        return None
    return min(digits, QUANTITIES[quantity].precision if quantity else 3)


def settle(clue: Clue, verdict: Verdict) -> Meaning:
    """Return the meaning that a verdict comes down to, legal in Home Assistant's own tables."""
    quantity = verdict.quantity
    template = QUANTITIES[quantity] if quantity is not None else None
    kind = verdict.kind or (template.kind if template else Kind.SENSOR)
    role = verdict.role or (template.role if template else _role(clue))
    unit = Unit(None)
    if kind is Kind.SENSOR and role in (Role.MEASUREMENT, Role.TOTAL, Role.ANGLE):
        default = template.unit if template else None
        unit = verdict.unit or clue.unit or Unit(default)
        for quantity, unit in _candidates(quantity, unit):
            if _legal(quantity, unit):
                break
        else:
            quantity = None
        if quantity != verdict.quantity:
            template = QUANTITIES[quantity] if quantity else None
            role = template.role if template else Role.MEASUREMENT
    category = verdict.category or (template.category if template else Category.PRIMARY)
    if kind is Kind.BINARY_SENSOR and clue.concepts & {"version", "decoder"}:
        category = Category.DIAGNOSTIC
    if category is Category.CONFIGURATION:
        quantity = None
    name = quantity_name(clue.keys, quantity, verdict.used) if quantity else plain_name(clue.keys)
    enabled = verdict.enabled if verdict.enabled is not None else (template.enabled if template else True)
    return Meaning(
        kind=kind,
        quantity=quantity,
        unit=unit.symbol,
        role=role,
        category=category,
        enabled=enabled,
        name=name,
        scale=unit.scale,
        options=verdict.options,
        invert=verdict.invert,
        precision=_precision_of(clue.raw, quantity, unit.scale),
        rule=verdict.rule,
        reason=_reason(clue, verdict, quantity, unit),
    )


def _role(clue: Clue) -> Role:
    if clue.two_state:
        return Role.STATE
    return Role.STATE if clue.is_text else Role.MEASUREMENT


def _reason(clue: Clue, verdict: Verdict, quantity: str | None, unit: Unit) -> str:
    what = QUANTITIES[quantity].name if quantity else "Plain value"
    where = ".".join(clue.keys)[:60]
    parts = [f"“{where}”: {verdict.why}"]
    if verdict.used and verdict.rule.startswith(("words", "flag")):
        parts.append(f"words: {', '.join(sorted(c for c in clue.leaf))}")
    if unit.symbol:
        parts.append(f"unit: {unit.symbol}")
    return f"{what}. " + "; ".join(parts)


def is_sentinel(number: float, quantity: str | None) -> bool:
    """Return whether a number, in the quantity's unit, stands for "no value"."""
    if quantity is None:
        return number in _ALWAYS_ABSENT
    known = QUANTITIES[quantity]
    if known.limits is not None and not known.limits[0] <= number <= known.limits[1]:
        return True
    if known.usual is not None and not known.usual[0] <= number <= known.usual[1]:
        return number in _FULL_SCALE
    return False


def infer(leaf: Leaf, context: Context, *, absent: bool = False) -> Meaning:
    """Return what a field is; with `absent` by its name alone."""
    reading = ABSENT if absent else read(leaf.raw)
    clue = Clue(leaf.keys, reading, leaf.raw, leaf.unit, context)
    meaning = settle(clue, decide(clue))
    number = clue.number
    if number is not None and meaning.role is Role.MEASUREMENT and number in _FULL_SCALE and is_sentinel(number * meaning.scale, meaning.quantity):  # fmt: skip
        clue = Clue(leaf.keys, ABSENT, None, leaf.unit, context)
        meaning = settle(clue, decide(clue))
    return meaning
