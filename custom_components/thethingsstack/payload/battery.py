"""The rule on batteries: percent, volts, millivolts or a warning."""

from .evidence import Evidence, Verdict
from .types import UNDECIDED, Category, Role
from .units import Unit
from .vocabulary import word_set

_NOT_A_BATTERY = word_set("""
    temperature times count type mode current resistance cycle semesters version duration time
    energy power number used lifetime trend
""")


def battery(evidence: Evidence) -> Verdict | None:
    """Percent, volts or millivolts: the name seldom says."""
    leaf = evidence.leaf_concepts
    share = evidence.unit is not None and evidence.unit.symbol == "%"
    if (
        "charging" in leaf
        and share
        and leaf <= {"charging", "percent", "level", "remaining", "status"}
    ):
        return Verdict(rule="battery", quantity="battery", used=leaf, why="a state of charge")
    if "battery" not in leaf and not (
        "battery" in evidence.concepts
        and leaf <= {"level", "percent", "voltage", "v", "value", "last", "battery", "duration"}
    ):
        return None
    if (
        leaf & (_NOT_A_BATTERY - {"duration"} if share else _NOT_A_BATTERY)
        and not {"end", "duration"} <= leaf
    ):
        return None
    used = frozenset(
        {
            "battery",
            "level",
            "percent",
            "voltage",
            "remaining",
            "status",
            "low",
            "end",
            "alarm",
            "duration",
        }
    )
    warns = leaf & {"low", "end", "alarm", "fault", "outage"}
    if leaf & {"good"} and evidence.two_state:
        return Verdict(
            rule="battery",
            quantity="battery_low",
            used=used,
            invert=True,
            why="true while the battery is good",
        )
    if leaf & {"good"} or leaf & {"charging"}:
        return None
    if (evidence.two_state and leaf <= used) or (
        warns and (evidence.zero_or_one or evidence.absent or evidence.is_text)
    ):
        return Verdict(
            rule="battery", quantity="battery_low", used=used, why="a warning of the battery"
        )
    text = str(evidence.reading.value)
    if evidence.two_state or (
        evidence.is_text and ("-" in text or not any(char.isdecimal() for char in text))
    ):
        return None
    if (
        evidence.head == "status"
        and evidence.unit is None
        and float(evidence.number or 0).is_integer()
    ):
        return None
    unit = evidence.unit
    if unit is None and leaf & {"voltage", "v"}:
        unit = Unit("mV") if (evidence.number or 0) > 100 else Unit("V")
    if unit is None and "percent" not in leaf and evidence.number is not None:
        if evidence.whole and evidence.number in _VOLTS_OR_PERCENT:
            return Verdict(
                rule=UNDECIDED,
                role=Role.MEASUREMENT,
                category=Category.DIAGNOSTIC,
                why="a battery in volts or per cent, which the next values tell",
            )
        unit = _battery_unit(evidence.number, whole=evidence.whole)
    if (
        unit is None and evidence.absent and evidence.leaf == ("battery",)
    ):  # More vendors mean volts by it.
        unit = Unit("V")
    if unit is None or unit.symbol == "%":
        if evidence.number is not None and evidence.number > 110 and unit is None:
            return Verdict(
                rule="battery", category=Category.DIAGNOSTIC, why="a battery code of unknown scale"
            )
        return Verdict(
            rule="battery",
            quantity="battery",
            unit=unit or Unit("%"),
            used=used,
            why="a state of charge",
        )
    if unit.symbol not in ("V", "mV"):
        return None
    return Verdict(
        rule="battery",
        quantity="battery_voltage",
        unit=unit,
        used=used,
        why=f"a battery in {unit.symbol}",
    )


_VOLTS_OR_PERCENT = range(2, 6)


def _battery_unit(number: float, *, whole: bool) -> Unit | None:
    """Return what a bare battery number must be, None where only percent is possible."""
    if number >= 1000:
        return Unit("mV")
    if whole:
        return None
    if 0 < number <= 1:
        return Unit("%", 100.0)
    return Unit("V") if number <= 16 else None
