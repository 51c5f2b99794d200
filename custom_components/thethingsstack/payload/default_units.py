"""The unit of a number that comes without one, where its quantity leaves no doubt.

A quantity has one usual unit. What a number looks like, its size or its decimals, never chooses
another; it may only say that the usual one is unlikely. Where physics allows one alone, it is that.
"""

from .evidence import Evidence, has_unknown_ending
from .quantities import QUANTITIES
from .tokens import words_of
from .units import Unit
from .vocabulary import CONCEPTS, word_set

# Up to which integer the unit that is usual for a quantity is likely; beyond, there is none as long
# as nothing else tells it.
_LIKELY_UP_TO = {
    "current": 50,
    "weight": 500,
}
_VOLTS_AT_MOST = 1000
_CHANGES_WITH_VALUES = word_set("""
    energy current weight conductivity volume water water_level power_factor volume_flow_rate
""")


def is_assumed(quantity: str, evidence: Evidence) -> bool:
    """Return whether the unit is only the usual one, and later values may show another."""
    if evidence.unit is not None or quantity not in _CHANGES_WITH_VALUES:
        return False
    return quantity not in ("energy", "volume", "water") or evidence.whole


def default_unit(quantity: str, evidence: Evidence) -> Unit | None:
    """Return the unit that a bare number most likely has; None where that is not clear.

    Where physics leaves only one, it is that: no air has 101,325 hPa, no battery 3,300 V.
    """
    number = evidence.number
    size = abs(number) if number is not None else 0
    if quantity in _MANY_UNITS and (has_unknown_ending(evidence) or _is_of_parent(evidence)):
        return None
    if quantity == "atmospheric_pressure" and size:
        return Unit(
            "Pa" if size >= 50_000 else "kPa" if 20 < size < 120 else "bar" if size < 2 else "hPa"
        )
    if quantity == "pressure" and "vapor" in evidence.concepts:
        return Unit("kPa")
    if quantity == "energy" and number is not None:
        if evidence.concepts & {"heat", "thermal"} or evidence.beside & {"volume", "flow"}:
            return None  # A meter of heat, in any unit.
        if "consumption" in evidence.concepts and _has_other_company(evidence):
            return None
        if not evidence.whole:
            return None  # Who counts watt-hours has no decimals.
    if quantity in ("supply_voltage", "battery_voltage") and size > _VOLTS_AT_MOST:
        return Unit("mV")
    if quantity == "current" and "leak" in evidence.concepts:
        return Unit("mA")
    if quantity == "water_level" and size and evidence.whole:
        return None
    if quantity == "voltage" and size > _VOLTS_AT_MOST and "phase" not in evidence.concepts:
        return None if evidence.whole else Unit("V")
    limit = _LIKELY_UP_TO.get(quantity)
    if limit is not None and size >= limit and (evidence.whole or quantity == "weight"):
        return None
    if quantity in ("volume", "water") and size >= 1000 and evidence.whole:
        return None  # Who counts cubic metres has decimals.
    if quantity == "conductivity" and 0 < size <= 20:
        return None
    words = evidence.name.texts
    if quantity == "distance" and (words & _SHORT_RANGE or {"soil", "depth"} <= evidence.concepts):
        return Unit("cm")
    if quantity == "distance" and "step" in evidence.beside:
        return None  # What was walked.
    if quantity == "water" and size and "flow" in evidence.concepts:
        return None
    if quantity == "speed" and evidence.concepts & {"flow", "water"}:
        return None
    if quantity == "volume_flow_rate" and size and evidence.whole:
        return None
    if quantity == "distance" and size and not evidence.whole:
        return None
    if quantity == "acceleration":
        return _unit_of_gravity(evidence)
    if quantity == "power_factor" and size > 1:
        return Unit("%")
    default = QUANTITIES[quantity].unit
    return Unit(default) if default is not None else None


def _is_of_parent(evidence: Evidence) -> bool:
    """Return whether only the object above names the quantity, and the field's name is unknown."""
    own = [word.text.casefold() for word in words_of(evidence.keys[-1]).words]
    return len(evidence.steps) > 1 and len(own) == 1 and own[0] not in CONCEPTS and len(own[0]) > 1


_ELECTRIC = word_set("power voltage current frequency phase relay reactive apparent active")
_COMPANY = 4


def _has_other_company(evidence: Evidence) -> bool:
    """Return whether much stands beside a field, but nothing that has to do with electricity."""
    alone = len(evidence.siblings or ()) < _COMPANY
    return not alone and not evidence.beside & (_ELECTRIC - {"voltage"})


_SHORT_RANGE = frozenset(["lidar", "prox", "proxx"])
# Quantities that are given in several units, so that an ending like "sq" may be one.
_MANY_UNITS = word_set("""
    distance water_level level volume water gas volume_flow_rate pressure energy weight speed
    wind_speed duration volatile_organic_compounds_parts formaldehyde conductivity differential_pressure power precipitation irradiance
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
