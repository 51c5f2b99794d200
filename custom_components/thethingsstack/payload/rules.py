"""Rules from a field's name and value to its meaning; the first that knows decides."""

from collections.abc import Callable
import re

from . import exclusions
from .battery import battery
from .evidence import Evidence, Verdict, has_unknown_ending
from .names import all_words
from .quantities import BY_UNIT, INSTEAD, QUANTITIES, UNITS_OF_CLASS
from .tokens import words_of
from .types import UNDECIDED, Category, Kind, Role
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
    OVERHEAD,
    OVERHEAD_NAMES,
    PLAIN_HEADS,
    STRONG_FLAGS,
    SURE_FLAGS,
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
    counting = bool(leaf & (_COUNTING | {"threshold", "level", "percent", "duration", "volume"}))
    if evidence.head == "alarm" and not leaf & _COUNTING:
        counting = False
    counting = counting and not evidence.is_text and "exceed" not in leaf
    if "test" in leaf:
        return _unknown_flag(evidence) if evidence.two_state else None
    found = _first(FLAG_RULES, evidence)
    if evidence.reading.shape is Shape.NUMBER:
        if _is_bit_field(evidence):
            return None
        if not evidence.zero_or_one and not (
            found is not None and not counting and _is_state(evidence, *found)
        ):
            return None
        if evidence.among_flags and not evidence.two_state and found is None:
            return _unknown_flag(evidence)
    if evidence.is_text:
        text = str(evidence.reading.value)
        if found is None or (truth_of(text) is None and not _speaks_of(text, *found)):
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
    if rule.name in ("opening", "valve") and leaf & _NO_OPENING:
        return _unknown_flag(evidence)
    proven = evidence.observed is not None and evidence.observed.both_zero_and_one
    if (
        rule.name in ("leak", "moisture")
        and used <= {"water", "moisture"}
        and not evidence.two_state
        and not proven
    ):
        return None
    if (
        not evidence.two_state
        and not evidence.is_text
        and not proven
        and not evidence.among_flags
        and (
            rule.name not in SURE_FLAGS
            or not (rule.name in STRONG_FLAGS or _headed(evidence, used))
        )
    ):
        return None
    return Verdict(
        rule=f"flag {rule.text}",
        quantity=rule.name,
        used=used | {"status", "flag", "detect"},
        invert=_is_inverted(evidence, rule.name) ^ (rule.name == "lock"),
        why="true or false",
    )


# Things that are opened and closed without being an opening: circuits, commands.
_NO_OPENING = frozenset(["indicator", "manual", "command", "circuit", "button"])
# What a name says of itself so surely that any number but 0 means on; of the others a number
# alone may be a count or a code as well.
_SURE_STATES = word_set("leak tamper smoke fire door window condensation gas_detected")
_STATES = _SURE_STATES | word_set("motion moving occupancy presence alarm safety")


def _is_state(evidence: Evidence, rule: Rule, used: frozenset[str]) -> bool:
    """Return whether a field is a state by its name, so that any number but 0 means on."""
    observed = evidence.observed
    returns = observed is not None and observed.numbers > 1 and observed.low == 0
    return (
        (rule.name in _SURE_STATES or (rule.name in _STATES and returns))
        and evidence.head in used
        and evidence.unit is None
        and evidence.whole
        and evidence.low >= 0
        and (evidence.number or 0) <= 255
        and not (rule.name == "leak" and used <= {"water", "moisture"})
    )


def _speaks_of(text: str, rule: Rule, used: frozenset[str]) -> bool:
    """Return whether a text has the words of the state that it is a value of: "Small leak"."""
    return rule.name in _SURE_STATES and bool(used & set(words_of(text).concepts))


def _is_inverted(evidence: Evidence, quantity: str) -> bool:
    """Return whether the name is one of the opposite: "is closed", "parking free"."""
    words = {word.text.casefold() for word in all_words(evidence.keys)}
    return bool(words & INVERTED_WORDS.get(quantity, frozenset())) and (
        "open" not in evidence.concepts
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
    leaf = frozenset(evidence.leaf)
    state = _STATE_WORDS.get(text.casefold().replace("_", " "))
    if state is not None and evidence.head not in ("mode", "type", "event", "code", "id"):
        return Verdict(
            rule="word of a state",
            quantity=state,
            used=frozenset({"status"}),
            invert=state == "lock",
            why=f"“{text}” is one of two states",
        )
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
_NUTRIENTS = {"n": "nitrogen", "p": "phosphorus", "k": "potassium"}


def _among_nutrients(evidence: Evidence) -> bool:
    """Return whether n, p and k stand beside each other."""
    return _NUTRIENTS.keys() <= {str(key).casefold() for key in evidence.siblings or ()}


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
            used=frozenset(part for part in evidence.leaf if not part.isdecimal()),
            why=f"the name {evidence.steps[-1]}",
        )
    if evidence.head in COUNT_HEADS and not (evidence.unit and evidence.unit.symbol in BY_UNIT):
        return None
    if "raw" in evidence.leaf and evidence.unit is None and "co2" not in evidence.leaf:
        return None
    found = _match(NUMBER_RULES, evidence)
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
            why="0 or 1 so far, which a level, a code or a state can be",
        )
    quantity = _by_value(rule.name, evidence)
    unit = evidence.unit or _default_unit(quantity, evidence)
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
    fill_level water_level level particles pressure
""")
_UNIT_ITSELF = word_set("""
    lux lx illuminance luminance illumination luminosity decibel leq laeq distance distancia
    abstand roll pitch yaw angle winkel pressure pression druck presion barometer
""")


def _is_undecided(quantity: str, evidence: Evidence) -> bool:
    """Return whether a 0 or 1 could be a level as well as a state, by its name."""
    if quantity not in _LEVEL_OR_STATE or evidence.unit is not None or evidence.absent:
        return False
    if not evidence.zero_or_one or evidence.number == 255 or not evidence.whole:
        return False
    words = {word.text.casefold() for word in all_words(evidence.keys)}
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


# Up to which integer the unit that is usual for a quantity is likely. The size of a number
# never picks a unit: beyond, there is none as long as nothing else tells it.
_LIKELY_UP_TO = {
    "current": 50,
    "weight": 500,
}
_VOLTS_AT_MOST = 1000
_IMPOSSIBLE_FROM = {"current": 1000, "voltage": 10_000}
"""From where on only thousandths of the usual unit are possible."""


def _default_unit(quantity: str, evidence: Evidence) -> Unit | None:
    """Return the unit that a bare number most likely has; None where that is not clear.

    Where physics leaves only one, it is that: no air has 101,325 hPa, no battery 3,300 V.
    """
    number = evidence.number
    size = abs(number) if number is not None else 0
    if has_unknown_ending(evidence) and quantity in _MANY_UNITS:
        return None
    if quantity == "atmospheric_pressure" and size:
        return Unit(
            "Pa" if size >= 50_000 else "kPa" if 20 < size < 120 else "bar" if size < 2 else "hPa"
        )
    if quantity == "pressure" and "vapor" in evidence.concepts:
        return Unit("kPa")
    if quantity == "energy" and number is not None:
        if evidence.concepts & {"heat", "thermal"}:
            return None
        if not evidence.whole:
            return Unit("kWh")  # Who counts watt-hours has no decimals.
    if quantity in ("supply_voltage", "battery_voltage") and size > _VOLTS_AT_MOST:
        return Unit("mV")
    if quantity == "current" and "leak" in evidence.concepts:
        return Unit("mA")
    if evidence.whole and size >= _IMPOSSIBLE_FROM.get(quantity, size + 1):
        return Unit("mA" if quantity == "current" else "mV")
    if quantity == "water_level" and size >= 50:
        return Unit("cm") if evidence.whole and size < 1000 else None
    if quantity == "voltage" and size > _VOLTS_AT_MOST and "phase" not in evidence.concepts:
        return None if evidence.whole else Unit("V")
    limit = _LIKELY_UP_TO.get(quantity)
    if limit is not None and size >= limit and (evidence.whole or quantity == "weight"):
        return None
    if quantity in ("volume", "water") and size >= 1000 and evidence.whole:
        return Unit("L")  # Who counts cubic metres has decimals.
    if quantity == "conductivity" and 0 < size <= 20:
        return None if evidence.whole or size > 5 else Unit("mS/cm")
    words = {word.text.casefold() for word in all_words(evidence.keys)}
    if quantity == "distance" and (words & _SHORT_RANGE or {"soil", "depth"} <= evidence.concepts):
        return Unit("cm")
    if quantity == "distance" and size and not evidence.whole:
        return None
    if quantity == "acceleration":
        return _unit_of_gravity(evidence)
    if quantity == "power_factor" and size > 1:
        return Unit("%")
    default = QUANTITIES[quantity].unit
    return Unit(default) if default is not None else None


_SHORT_RANGE = frozenset(["lidar", "prox", "proxx"])
# Quantities that are given in several units, so that an ending like "sq" may be one.
_MANY_UNITS = word_set("""
    distance water_level level volume water gas volume_flow_rate pressure energy weight speed
    wind_speed duration conductivity differential_pressure power precipitation irradiance
""")


def _unit_of_gravity(evidence: Evidence) -> Unit | None:
    """Return the unit in which x, y and z together are gravity; of one number alone g."""
    if evidence.axes is None:
        return Unit("g") if abs(evidence.number or 0) <= 16 else None
    size = sum(axis * axis for axis in evidence.axes) ** 0.5
    for unit, gravity in (("g", 1.0), ("mg", 1000.0), ("m/s²", 9.81)):
        if 0.85 * gravity <= size <= 1.15 * gravity:
            return Unit(unit)
    return Unit("g") if size <= 16 else None


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
