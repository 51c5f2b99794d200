"""Rules on fields that are no measurement: transport, places, settings, times, identities."""

from .coordinates import coordinate_of, is_coordinate
from .evidence import Evidence, Verdict, has_unknown_ending
from .flatten import is_history_key
from .full_scale import is_full_scale
from .names import all_words
from .types import Category, Kind, Role
from .units import Unit, normalise
from .values import Shape, epoch
from .vocabulary import (
    COUNT_HEADS,
    IDENTITY,
    NUMBER_RULES,
    OVERHEAD_NAMES,
    SETTING,
    SETTING_NAMES,
    UNIT_NAMES,
    holding,
    word_set,
)

_DAYS = {"semester": 182.625, "year": 365.25, "month": 30.4375, "quarter": 91.3125}
_WARNING_WORDS = word_set("""
    alarm normal trigger triggered abnormal exceeded warning alert
""")
_SECRETS = ("appkey", "nwkkey", "networkkey", "appskey", "nwkskey", "sessionkey", "password")
_DATE_PARTS = word_set("""
    day days month months year years hour hours minute minutes second seconds weekday
""")


def overhead(evidence: Evidence) -> Verdict | None:
    """Ignore keys, unit names and other data about the transport: they are no fields."""
    leaf = evidence.leaf_concepts
    if evidence.letters.endswith(_SECRETS):
        return Verdict(rule="secret", kind=Kind.IGNORE, why="a key that nobody should see")
    if (
        evidence.letters in UNIT_NAMES
        or (_names_unit(evidence) and evidence.number is None)
        or (evidence.letters == "u" and evidence.is_text and normalise(str(evidence.raw)))
    ):
        return Verdict(rule="unit", kind=Kind.IGNORE, why="a unit for another field")
    if evidence.leaf[:1] == ("unit",) and evidence.is_text:
        return Verdict(rule="unit", kind=Kind.IGNORE, why="a unit for another field")
    if evidence.keys and is_history_key(evidence.keys[-1]):
        return Verdict(rule="history", kind=Kind.IGNORE, why="what was in the past")
    if (evidence.letters in _DATE_PARTS or (leaf and leaf <= _DATE_PARTS)) and (
        "time" in evidence.concepts - leaf or _is_part_of_date(evidence)
    ):
        return Verdict(rule="overhead", kind=Kind.IGNORE, why="a part of a date")
    if (
        evidence.letters in OVERHEAD_NAMES
        or evidence.letters_and_digits in OVERHEAD_NAMES
        or "debug" in leaf
        or (evidence.head in ("payload", "crc", "mac") and not evidence.two_state)
    ):
        if evidence.letters == "type" and len(evidence.steps) > 1 and not evidence.absent:
            return None
        return Verdict(rule="overhead", kind=Kind.IGNORE, why="part of the transport")
    if leaf & {"frame", "sequence"} and "count" in leaf and evidence.number is not None:
        return Verdict(
            rule="overhead",
            role=Role.TOTAL,
            category=Category.DIAGNOSTIC,
            enabled=False,
            why="counts messages",
        )
    if (
        "sequence" in leaf
        and leaf <= {"sequence", "number", "id", "position", "frame"}
        and not evidence.is_text
    ):
        return Verdict(rule="overhead", kind=Kind.IGNORE, why="counts messages")
    if "frame" in leaf and leaf & {"sequence", "number", "id"} and evidence.number is not None:
        return Verdict(rule="overhead", kind=Kind.IGNORE, why="counts messages")
    if (
        (leaf & {"frame", "payload"} and leaf & {"type", "version"})
        or leaf >= {"protocol", "version"}
        or evidence.letters == "protocol"
    ):
        return Verdict(
            rule="overhead",
            role=Role.STATE,
            category=Category.DIAGNOSTIC,
            enabled=False,
            why="the kind of message",
        )
    if "previous" in leaf and evidence.two_state and "fault" not in leaf:
        return Verdict(rule="overhead", kind=Kind.IGNORE, why="an earlier state")
    return None


def _names_unit(evidence: Evidence) -> bool:
    """Return whether a name is that of a unit; a number in it may count some."""
    return evidence.leaf[-1:] == ("unit",) or "units" in evidence.leaf


def _is_part_of_date(evidence: Evidence) -> bool:
    """Return whether the other parts of a date stand beside a field."""
    parts = [key for key in evidence.siblings or () if str(key).casefold() in _DATE_PARTS]
    return len(parts) >= 3


def coordinates(evidence: Evidence) -> Verdict | None:
    """The latitude becomes the device tracker; the longitude is read with it."""
    if evidence.reading.shape is Shape.POSITION:
        if evidence.concepts & {"position", "gps", "latitude"} or _beside_degrees(evidence):
            return Verdict(
                rule="coordinates",
                quantity="position",
                used=evidence.leaf_concepts,
                why="latitude and longitude in one text",
            )
        return None
    key = evidence.steps[-1] if evidence.steps else ""
    axis = coordinate_of(key)
    if axis is None or (evidence.number is None and not evidence.absent):
        return None
    if not is_coordinate(key, evidence.number, evidence.siblings):
        return None
    used = frozenset({axis, "gps", "position"})
    kind = None if axis == "latitude" else Kind.IGNORE
    return Verdict(rule="coordinates", quantity="position", kind=kind, used=used, why=f"a {axis}")


def _beside_degrees(evidence: Evidence) -> bool:
    """Return whether coordinates stand beside a field in another form: degrees and minutes."""
    return {"latitude", "longitude"} <= evidence.beside


def precision(evidence: Evidence) -> Verdict | None:
    """Figures about radio and satellites, decided before the rules that go by words."""
    leaf = evidence.leaf_concepts
    if evidence.is_text or evidence.two_state:
        return None
    if evidence.leaf == ("acceleration",) and evidence.beside >= {"latitude", "longitude"}:
        return Verdict(
            rule="satellites",
            quantity="accuracy",
            used=frozenset({"acceleration"}),
            why="one number beside coordinates",
        )
    if (
        leaf & {"fix"}
        and leaf & {"count", "duration", "time"}
        and epoch(evidence.number or 0) is None
    ):
        return Verdict(
            rule="satellites",
            quantity=None if "count" in leaf else "duration",
            category=Category.DIAGNOSTIC,
            why="how a fix was got",
        )
    if evidence.head == "txpower":
        return Verdict(
            rule="radio",
            role=Role.MEASUREMENT,
            category=Category.DIAGNOSTIC,
            enabled=False,
            why="the radio's power",
        )
    if evidence.head in ("strength", "quality") and evidence.concepts & {
        "signal",
        "radio",
        "communication",
        "online",
    }:
        if (evidence.number is not None and evidence.number < 0) or evidence.unit == Unit("dBm"):
            return Verdict(
                rule="radio",
                quantity="rssi",
                used=frozenset({"signal", "strength"}),
                why="a signal in dBm",
            )
        return Verdict(rule="radio", category=Category.DIAGNOSTIC, why="a grade of the signal")
    if evidence.head == "rssi" or (evidence.head in ("", "id") and "rssi" in leaf):
        return Verdict(
            rule="radio", quantity="rssi", used=frozenset({"rssi"}), why="a signal strength"
        )
    return None


def setting(evidence: Evidence) -> Verdict | None:
    """A setting of the end device that the uplink repeats."""
    if evidence.letters in SETTING_NAMES:
        return _setting_verdict(evidence, evidence.letters)
    leaf = evidence.leaf_concepts
    if "enable" in leaf or "config" in evidence.concepts - leaf:
        by = "enable" if "enable" in leaf else "configuration"
        if not (by == "configuration" and evidence.reading.unit):
            return _setting_verdict(evidence, by)
    may_be_true = evidence.two_state or evidence.zero_or_one
    if evidence.reading.shape is Shape.TIME or (
        leaf & {"fault", "hazard", "exceed"} and (may_be_true or evidence.absent)
    ):
        return None
    if _warns(evidence) or (may_be_true and _is_beyond(evidence)):
        return None
    if evidence.two_state and evidence.head == "timeout":
        return None
    if (
        "change" in leaf
        and evidence.unit is None
        and (evidence.two_state or _reports_change(evidence))
    ):
        return Verdict(
            rule="change",
            kind=Kind.BINARY_SENSOR,
            role=Role.FLAG,
            category=Category.DIAGNOSTIC,
            enabled=False,
            why="says what changed",
        )
    if (
        "alarm" in leaf
        and leaf & {"max", "min", "high", "low"}
        and evidence.number is not None
        and not evidence.zero_or_one
    ):
        return _setting_verdict(evidence, "alarm limit")
    is_set = "target" in leaf or evidence.head == "set"
    if is_set and evidence.number is not None and _is_measured_in(evidence):
        return _setting_verdict(evidence, "set point")
    if evidence.head == "change" or ("led" in leaf and evidence.number is not None):
        return _setting_verdict(evidence, "change" if evidence.head == "change" else "LED")
    for rule, found in holding(SETTING, evidence.concepts):
        told = evidence.reading.unit or (evidence.unit and rule.name == "calibration")
        if rule.name in ("configuration", "calibration") and not found & leaf and told:
            continue
        if rule.name == "alarm setting" and evidence.leaf[:1] != ("alarm",):
            continue
        return _setting_verdict(evidence, rule.name)
    if evidence.repeats_settings and _may_be_set(evidence):
        return _setting_verdict(evidence, "the uplink repeats settings")
    return None


def _is_measured_in(evidence: Evidence) -> bool:
    """Return whether a name is of a quantity other than temperature, so that a target of it is set."""
    held = holding(NUMBER_RULES, evidence.concepts)
    return bool(held) and "temperature" not in evidence.concepts


_BEYOND = word_set("out outside above below beyond over under exceeds exceeded")


def _is_beyond(evidence: Evidence) -> bool:
    """Return whether a name says that something is out of its range."""
    words = evidence.name.texts
    return bool(words & _BEYOND) and not evidence.concepts.isdisjoint({"range", "threshold"})


def _may_be_set(evidence: Evidence) -> bool:
    """Return whether a number in an uplink of settings is one: it names nothing measured."""
    if evidence.number is None or evidence.unit is not None:
        return False
    if evidence.concepts & {"battery", "version", "serial", "rssi", "snr", "time"}:
        return False
    leaf = evidence.leaf_concepts
    return bool(leaf & {"alarm", "trigger", "duration", "mode"}) or not holding(
        NUMBER_RULES, evidence.concepts
    )


def _warns(evidence: Evidence) -> bool:
    """Return whether the value is a word for an alarm, whatever limit the name speaks of."""
    if (
        evidence.is_text
        and evidence.concepts & {"threshold", "alarm", "range"}
        and str(evidence.reading.value).casefold() in _WARNING_WORDS
    ):
        return True
    return evidence.two_state and evidence.head == "alarm" and "enable" not in evidence.concepts


def _reports_change(evidence: Evidence) -> bool:
    """Return whether a number says that something changed, not by how much it has to."""
    if not evidence.zero_or_one and not evidence.absent:
        return False
    return (
        evidence.steps[-1].casefold().rstrip("0123456789_ ").endswith(("changed", "statuschange"))
    )


def _setting_verdict(evidence: Evidence, name: str) -> Verdict:
    kind, role = (Kind.BINARY_SENSOR, Role.FLAG) if evidence.two_state else (None, None)
    return Verdict(
        rule="setting",
        kind=kind,
        role=role,
        category=Category.CONFIGURATION,
        enabled=False,
        why=f"a setting: {name}",
    )


def time(evidence: Evidence) -> Verdict | None:
    """Moments, durations and clocks that are neither."""
    leaf = evidence.leaf_concepts
    if evidence.reading.shape is Shape.TIME:
        return Verdict(
            rule="time", quantity="timestamp", used=frozenset({"time"}), why="a date and time"
        )
    texts = evidence.name.texts
    dated = evidence.number is not None and epoch(evidence.number) is not None
    if dated and evidence.unit is None and texts & _MOMENTS:
        return Verdict(
            rule="time", quantity="timestamp", used=frozenset({"time"}), why="a date and time"
        )
    timely = "time" in leaf and (
        evidence.head == "time" or leaf <= {"time", "gps", "status", "device", "event"}
    )
    lasting = (
        "duration" in leaf
        or ("interval" in leaf and bool(leaf & {"rain", "pulse"}))
        or {"time", "count"} <= leaf
        or (
            timely
            and (
                evidence.unit is not None
                or leaf & {"wear", "charging", "running", "alarm", "fix", "power"}
            )
        )
    )
    lasting = lasting and epoch(evidence.number or 0) is None
    if evidence.is_text or evidence.two_state or ("fault" in leaf and not timely):
        return None
    if "lifetime" in leaf and leaf & {"battery", "duration", "remaining"} and not evidence.is_text:
        days = next(
            (
                days
                for word in all_words(evidence.keys)
                if (days := _DAYS.get(word.text.casefold().rstrip("s")))
            ),
            None,
        )
        return Verdict(
            rule="duration",
            quantity="duration",
            unit=Unit("d", days or 1.0),
            category=Category.DIAGNOSTIC,
            why="how long it will last",
        )
    if (
        lasting
        and evidence.unit is None
        and ("battery" in evidence.concepts or has_unknown_ending(evidence))
    ):
        return Verdict(
            rule="duration", category=Category.DIAGNOSTIC, why="a time in a unit that nothing tells"
        )
    measured = evidence.number is not None and not is_full_scale(evidence.number)
    if lasting and measured and evidence.unit is None and leaf & _OCCURRENCES:
        return Verdict(
            rule="duration",
            role=Role.MEASUREMENT,
            why="how long something lasted, in a unit that nothing tells",
        )
    if lasting and (not leaf & COUNT_HEADS or leaf & {"time", "interval"}):
        used = frozenset({"duration", "time"} if evidence.leaf == ("duration",) else {"duration_"})
        return Verdict(
            rule="duration", quantity="duration", used=used, why="how long something lasts"
        )
    if not timely or evidence.two_state:
        return None
    if evidence.absent or (evidence.number is not None and epoch(evidence.number) is not None):
        return Verdict(
            rule="time", quantity="timestamp", used=frozenset({"time"}), why="a date and time"
        )
    if evidence.letters == "time" or not evidence.whole:
        return Verdict(rule="time", why="a time without a beginning")
    if leaf & {"open", "closed", "total", "motion"}:
        return Verdict(rule="time", why="a time of something, in a unit that nothing tells")
    return Verdict(
        rule="time", category=Category.DIAGNOSTIC, enabled=False, why="the end device's own clock"
    )


_MOMENTS = word_set("since until seen at start started end ended changed updated")
# What is timed in seconds by some, and in minutes by others.
_OCCURRENCES = word_set("""
    open closed door window motion moving leak flood presence occupancy parking
""")
_ERROR_CODES = word_set("""
    error err errors errorcode errormsg errorflag errorflags errormessage
""")


def identity(evidence: Evidence) -> Verdict | None:
    """What the end device is: texts and numbers that rarely change."""
    leaf = evidence.leaf_concepts
    head = evidence.head or (evidence.leaf[-1] if evidence.leaf else "")
    if (
        leaf & {"version", "serial"}
        and not evidence.two_state
        and not (evidence.unit is not None and evidence.unit.symbol)
        and not leaf & {"status", "count", "valid", "fault"}
    ):
        quantity = "serial_number" if "serial" in leaf and "version" not in leaf else "version"
        used = frozenset({"serial", "number"} if quantity == "serial_number" else {"version_"})
        return Verdict(
            rule="identity",
            quantity=quantity
            if evidence.leaf == ("version",) or quantity == "serial_number"
            else None,
            role=Role.STATE,
            category=Category.DIAGNOSTIC,
            used=used,
            why="what the end device is",
        )
    if head in IDENTITY and not evidence.two_state and not leaf & COUNT_HEADS:
        return Verdict(
            rule="identity",
            role=Role.STATE,
            category=Category.DIAGNOSTIC,
            why="what the end device is",
        )
    if (
        head == "reset"
        and (evidence.is_text or leaf & {"code"})
        and str(evidence.raw).casefold() not in ("y", "n")
    ):
        return Verdict(
            rule="identity", role=Role.STATE, category=Category.DIAGNOSTIC, why="why it restarted"
        )
    if evidence.letters in _ERROR_CODES and not evidence.two_state:
        return Verdict(rule="identity", quantity="error_code", used=leaf, why="a code")
    if head == "code" and not evidence.two_state:
        return Verdict(rule="identity", role=Role.STATE, category=Category.DIAGNOSTIC, why="a code")
    return None


_PRESSES = word_set("""
    short long double single triple click clicked press pressed hold
""")


def event(evidence: Evidence) -> Verdict | None:
    """Occurrences: something was pressed."""
    leaf = evidence.leaf_concepts
    pressed = (
        "press" in leaf
        or (
            evidence.is_text
            and evidence.concepts & {"button", "key", "press", "pressure"}
            and str(evidence.reading.value).casefold().split()[0] in _PRESSES
        )
        or evidence.letters in ("buttons", "buttonpressed", "scene")
        or (leaf & {"button", "key"} and "pressure" in leaf)
    )
    texts = evidence.name.texts
    if evidence.two_state and "press" in texts:
        pressed = True  # "doublePress": no pressure is true or false.
    if pressed and not leaf & {"count", "times"} and not evidence.unit:
        used = frozenset({"button", "press"})
        return Verdict(rule="event", quantity="button", used=used, why="something was pressed")
    return None
